"""Embeddings, positions, attention, feedforward layers, transformer blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from ffcourse.nn.attention import causal_mask
from ffcourse.nn.embedding import sum_rows
from tests.nn_checks import (
    assert_gradient,
    assert_parity,
    away_from_kink,
    check_module,
    check_module_parity,
)
from tests.torch_reference import cases_seq, registry

F64 = np.float64
D, HEADS = 6, 2


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def attention(causal: bool = False, **options: Any) -> nn.MultiHeadSelfAttention:
    return nn.MultiHeadSelfAttention(
        D, HEADS, causal, **{"rng": generator(1), "dtype": F64, **options}
    )


def block(**options: Any) -> nn.TransformerBlock:
    made = nn.TransformerBlock(D, HEADS, 8, **{"rng": generator(2), "dtype": F64, **options})
    rng = generator(3)
    for norm in (made.norm1, made.norm2):  # not ones and zeros
        for p in norm.parameters():
            p.data += rng.normal(size=p.shape)
    return made


def slow_attention(layer: nn.MultiHeadSelfAttention, x: np.ndarray, mask: Any = None) -> Any:
    """Compute every head of every query with the plain formula; also return the weights."""
    B, T, _ = x.shape
    d = D // HEADS
    q, k, v = np.split(layer.in_proj(x), 3, axis=2)
    heads, weights = np.zeros((B, T, D)), np.zeros((B, HEADS, T, T))
    for b, i, head in np.ndindex(B, T, HEADS):
        part = slice(head * d, (head + 1) * d)
        seen = np.ones(T, bool) if mask is None else ~mask[b]
        if layer.causal:
            seen = seen & (np.arange(T) <= i)
        e = np.where(seen, np.exp(k[b, :, part] @ q[b, i, part] / np.sqrt(d)), 0)
        weights[b, head, i] = e / e.sum()
        heads[b, i, part] = weights[b, head, i] @ v[b, :, part]
    return layer.out_proj(heads), weights


# -- embeddings and positions -----------------------------------------------------------------


@pytest.mark.parametrize("padding", [None, 0, 2])
@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (2, 2, 4)])
def test_embedding(shape: tuple[int, ...], padding: int | None) -> None:
    layer = nn.Embedding(5, 3, padding, rng=generator(), dtype=F64)
    tokens = generator(4).integers(0, 5, shape)
    y = layer(tokens)
    np.testing.assert_array_equal(y, layer.weight.data[tokens])
    up = generator(5).normal(size=y.shape)
    assert layer.backward(up) is None
    expected = np.zeros((5, 3))
    np.add.at(expected, tokens, up)
    if padding is not None:
        expected[padding] = 0
        np.testing.assert_array_equal(layer.weight.data[padding], 0)
    np.testing.assert_allclose(layer.weight.grad, expected, atol=1e-15)
    if padding is None:
        check_module(layer, tokens, generator(6), input_gradient=False)


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_embedding_parity(dtype: str) -> None:
    check_module_parity(nn.Embedding(7, 3), registry.reference("seq", "embedding", dtype), dtype)
    ref = registry.reference("seq", "embedding_padding", dtype)
    check_module_parity(nn.Embedding(4, 3, padding_idx=1), ref, dtype)


def test_embedding_starts_as_pytorchs() -> None:
    weight = nn.Embedding(500, 20, 3, rng=generator()).weight.data
    assert weight.dtype == np.float32
    assert abs(weight.std() - 1) < 0.02
    assert np.count_nonzero(weight) == 499 * 20
    assert not np.array_equal(nn.Embedding(500, 20, 3).weight.data, weight)


def test_frozen_embedding() -> None:
    layer = nn.Embedding(5, 3, rng=generator()).freeze()
    layer(np.array([1, 2]))
    layer.backward(np.ones((2, 3), np.float32))
    assert layer.weight.grad is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(0, 999))
def test_sum_rows(places: list[int], seed: int) -> None:
    rows = generator(seed).normal(size=(len(places), 2))
    expected = np.zeros((7, 2))
    np.add.at(expected, places, rows)
    np.testing.assert_allclose(sum_rows(rows, np.array(places), 7), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("tokens", "error", "words"),
    [
        (np.array([0.0, 1.0]), TypeError, "tokens must be integers, got dtype float64"),
        (np.array([], int), ValueError, r"no tokens.*\(0,\)"),
        (np.array([0, 5]), ValueError, "between 0 and 4, got 0 to 5"),
        (np.array([-1, 3]), ValueError, "between 0 and 4, got -1 to 3"),
    ],
)
def test_bad_tokens(tokens: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"Embedding: .*{words}"):
        nn.Embedding(5, 2)(tokens)


def test_smallest_and_largest_token() -> None:
    assert nn.Embedding(5, 2)(np.array([0, 4], np.uint8)).shape == (2, 2)


@pytest.mark.parametrize("padding", [-1, 5])
def test_bad_padding_token(padding: int) -> None:
    with pytest.raises(ValueError, match=f"between 0 and 4, got {padding}"):
        nn.Embedding(5, 2, padding)


@pytest.mark.parametrize("width", [4, 5])
def test_sinusoids(width: int) -> None:
    layer = nn.SinusoidalPositions(7, width, dtype=F64)
    for p in range(7):
        for i in range(width):
            angle = p / 10000 ** ((i - i % 2) / width)
            expected = np.cos(angle) if i % 2 else np.sin(angle)
            np.testing.assert_allclose(layer.table[p, i], expected, atol=1e-12)
    x = generator(7).normal(size=(2, 3, width))
    np.testing.assert_array_equal(layer(x), x + layer.table[:3])
    check_module(layer, x, generator(8))
    assert nn.SinusoidalPositions(7, width)(x.astype(np.float32)).dtype == np.float32
    assert layer(x.astype(np.float32)).dtype == np.float32


def test_learned_positions() -> None:
    layer = nn.LearnedPositions(5, 4, rng=generator(), dtype=F64)
    for shape in ((2, 3, 4), (1, 5, 4), (3, 4)):
        x = generator(9).normal(size=shape)
        np.testing.assert_array_equal(layer(x), x + layer.weight.data[: shape[-2]])
        check_module(layer, x, generator(10))
    weight = nn.LearnedPositions(100, 40, rng=generator()).weight.data
    assert weight.dtype == np.float32
    assert abs(weight.std() - 0.02) < 0.001
    assert abs(weight.mean()) < 0.001
    assert not np.array_equal(nn.LearnedPositions(100, 40).weight.data, weight)
    x = generator(9).normal(size=(2, 3, 4))
    check_module(layer.freeze(), x, generator(11))


@pytest.mark.parametrize("layer", [nn.LearnedPositions(5, 4), nn.SinusoidalPositions(5, 4)])
@pytest.mark.parametrize("shape", [(2, 6, 4), (2, 5, 3), (4,)])
def test_bad_lengths(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(\.\.\., T, 4\) with T at most 5, got"):
        layer(np.zeros(shape))


# -- attention --------------------------------------------------------------------------------


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(1, 1, D), (2, 3, D), (3, 5, D)])
def test_attention(shape: tuple[int, ...], causal: bool, bias: bool) -> None:
    layer = attention(causal, bias=bias)
    x = generator(12).normal(size=shape) * 2
    y, weights = slow_attention(layer, x)
    np.testing.assert_allclose(layer(x), y, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(layer.attention_weights(), weights, atol=1e-14)
    check_module(layer, x, generator(13))


@pytest.mark.parametrize("causal", [False, True])
def test_attention_with_padding(causal: bool) -> None:
    layer, rng = attention(causal), generator(14)
    x, up = rng.normal(size=(2, 3, 5, D))
    mask = cases_seq.padding_mask()
    np.testing.assert_allclose(layer(x, mask), slow_attention(layer, x, mask)[0], rtol=1e-10)
    dx = layer.backward(up)
    assert_gradient(lambda: float((layer(x, mask) * up).sum()), x, dx, "input")


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", cases_seq.ATTENTION)
def test_attention_parity(name: str, dtype: str) -> None:
    causal, padded = cases_seq.ATTENTION[name]
    ref, layer = registry.reference("seq", name, dtype), attention(causal).to(dtype)
    layer.load_state_dict({k[2:]: v for k, v in ref.items() if k.startswith("p.")})
    y = layer(ref["x"], cases_seq.padding_mask() if padded else None)
    assert y.dtype == np.dtype(dtype)
    assert_parity(y, ref["y"], dtype, "output")
    assert_parity(layer.backward(ref["grad"]), ref["dx"], dtype, "input gradient")
    for key, p in layer.named_parameters():
        assert_parity(p.grad, ref[f"dp.{key}"], dtype, key)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(0, 999))
def test_without_positions_the_order_of_tokens_and_sequences_does_not_matter(
    batch: int, length: int, seed: int
) -> None:
    rng = generator(seed)
    layer, x = attention(), rng.normal(size=(batch, length, D))
    order, turn = rng.permutation(length), rng.permutation(batch)
    y = layer(x)
    np.testing.assert_allclose(layer(x[:, order]), y[:, order], atol=1e-12)
    np.testing.assert_allclose(layer(x[turn]), y[turn], atol=1e-12)
    np.testing.assert_allclose(layer(x[:1]), y[:1], atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.booleans(), st.integers(0, 999))
def test_no_token_sees_a_later_one(length: int, norm_first: bool, seed: int) -> None:
    rng = generator(seed)
    layer, x = block(causal=True, norm_first=norm_first), rng.normal(size=(2, length, D))
    y, cut = layer(x), int(rng.integers(1, length))
    changed = x.copy()
    changed[:, cut:] = rng.normal(size=changed[:, cut:].shape) * 100
    np.testing.assert_allclose(layer(changed)[:, :cut], y[:, :cut], atol=1e-12)
    up = np.zeros_like(y)
    up[:, :cut] = 1
    layer(x)
    np.testing.assert_array_equal(layer.backward(up)[:, cut:], 0)


@settings(deadline=None, max_examples=25)
@given(st.booleans(), st.booleans(), st.integers(0, 999))
def test_padding_has_no_influence(causal: bool, norm_first: bool, seed: int) -> None:
    rng = generator(seed)
    layer, x = block(causal=causal, norm_first=norm_first), rng.normal(size=(2, 5, D))
    mask = rng.random((2, 5)) < 0.5
    mask[:, rng.integers(5)] = False  # somebody is there
    y = layer(x, mask)
    changed = np.where(mask[:, :, None], rng.normal(size=x.shape) * 100, x)
    seen = ~mask
    if causal:
        seen = seen & (np.cumsum(~mask, axis=1) > 0)
    np.testing.assert_allclose(layer(changed, mask)[seen], y[seen], atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_query_that_may_see_nothing_makes_no_nan_and_sees_no_future(dtype: str) -> None:
    x = generator(15).normal(size=(1, 3, D)).astype(dtype)
    layer, mask = attention(causal=True).to(dtype), np.array([[True, True, False]])
    y = layer(x, mask)
    assert np.isfinite(y).all()
    assert np.isfinite(layer.backward(y)).all()
    weights = layer.attention_weights()[0]
    np.testing.assert_array_equal(weights[:, 0], np.tile([1, 0, 0], (HEADS, 1)))
    np.testing.assert_array_equal(weights[:, 1, 2], 0)
    np.testing.assert_array_equal(weights[:, 2], np.tile([0, 0, 1], (HEADS, 1)))
    layer = attention().to(dtype)
    layer(x, np.ones((1, 3), bool))
    np.testing.assert_allclose(layer.attention_weights(), 1 / 3, rtol=1e-6)


def test_huge_scores_do_not_overflow() -> None:
    layer = attention().to(np.float32)
    y = layer(generator(16).normal(size=(2, 4, D)).astype(np.float32) * 1e6)
    assert np.isfinite(y).all()
    np.testing.assert_allclose(layer.attention_weights().sum(axis=-1), 1, rtol=1e-5)


def test_attention_weights_are_a_copy() -> None:
    layer, x = attention(), generator(17).normal(size=(1, 3, D))
    layer(x)
    kept = layer.attention_weights()
    before = kept.copy()
    layer(x[:, ::-1])
    np.testing.assert_array_equal(kept, before)


def test_outputs_are_not_overwritten_by_the_next_call() -> None:
    layer, x = attention(), generator(18).normal(size=(2, 1, 3, D))
    y = layer(x[0])
    dx = layer.backward(y)
    kept = y.copy(), dx.copy()
    layer.backward(layer(x[1]))
    np.testing.assert_array_equal(y, kept[0])
    np.testing.assert_array_equal(dx, kept[1])


@pytest.mark.parametrize(
    "mask",
    [np.zeros((2, 4), bool), np.zeros((3, 2), bool), np.zeros((2, 3)), np.zeros((2, 3), int)],
)
def test_bad_masks(mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"key_padding_mask must hold bool in shape \(2, 3\)"):
        attention()(np.zeros((2, 3, D)), mask)


@pytest.mark.parametrize("layer", [attention(), block()])
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (np.zeros((3, D)), ValueError, r"\(B, T, 6\).*got \(3, 6\)"),
        (np.zeros((2, 3, 5)), ValueError, r"\(\.\.\., 6\), got \(2, 3, 5\)"),
        (np.zeros((2, 3, D), int), TypeError, "floating-point"),
    ],
)
def test_bad_inputs(layer: nn.Module, x: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"{type(layer).__name__}: .*{words}"):
        layer(x)


def test_one_head_and_everybody_sees_everybody_unless_told_otherwise() -> None:
    layer = nn.MultiHeadSelfAttention(D, 1, rng=generator(1), dtype=F64)
    layer(generator(12).normal(size=(2, 3, D)))
    assert (layer.attention_weights() > 0).all()
    assert layer.attention_weights().shape == (2, 1, 3, 3)
    assert not nn.TransformerBlock(D, HEADS).attention.causal


@pytest.mark.parametrize("heads", [0, -1, 4, 7])
def test_bad_number_of_heads(heads: int) -> None:
    with pytest.raises(ValueError, match=f"divide d_model = 6 evenly, got {heads}"):
        nn.MultiHeadSelfAttention(D, heads)


# -- feedforward and block --------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh", "swiglu"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, D), (2, 3, D)])
def test_feedforward(activation: str, bias: bool, shape: tuple[int, ...]) -> None:
    layer = nn.FeedForward(D, 4, activation, bias, rng=generator(19), dtype=F64)
    check_module(layer, away_from_kink(generator(20).normal(size=shape)), generator(21))


def test_feedforward_formulas() -> None:
    x = generator(22).normal(size=(3, D))
    layer = nn.FeedForward(D, 4, "swiglu", rng=generator(23), dtype=F64)
    (Wg, Wu), (bg, bu) = np.split(layer.up.weight.data, 2, axis=1), np.split(layer.up.bias.data, 2)
    gate = x @ Wg + bg
    expected = (gate / (1 + np.exp(-gate)) * (x @ Wu + bu)) @ layer.down.weight.data
    np.testing.assert_allclose(layer(x), expected + layer.down.bias.data, rtol=1e-12)
    layer = nn.FeedForward(D, 4, "relu", bias=False, rng=generator(23), dtype=F64)
    hidden = np.maximum(x @ layer.up.weight.data, 0)
    np.testing.assert_allclose(layer(x), hidden @ layer.down.weight.data, rtol=1e-12)


def test_feedforward_sizes() -> None:
    assert nn.FeedForward(9).up.weight.shape == (9, 36)
    assert nn.FeedForward(9, activation="swiglu").up.weight.shape == (9, 48)
    assert nn.FeedForward(9, 5, "swiglu").down.weight.shape == (5, 9)
    assert nn.FeedForward(9).activation.approximate == "none"
    assert nn.FeedForward(9, activation="gelu_tanh").activation.approximate == "tanh"
    assert nn.FeedForward(9).up.weight.data.dtype == np.float32


def test_swiglu() -> None:
    check_module(nn.SwiGLU(), generator(24).normal(size=(2, 3, 8)), generator(25))


def test_bad_activation() -> None:
    with pytest.raises(ValueError, match=r"activation must be .* got 'step'"):
        nn.FeedForward(D, activation="step")


def test_feedforward_checks_its_input() -> None:
    with pytest.raises(ValueError, match=r"\(\.\.\., 6\), got \(2, 3\)"):
        nn.FeedForward(D)(np.zeros((2, 3)))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("activation", ["gelu", "swiglu"])
def test_block(norm_first: bool, causal: bool, activation: str) -> None:
    layer = block(norm_first=norm_first, causal=causal, activation=activation)
    x = generator(26).normal(size=(2, 3, D))
    a, f, n1, n2 = layer.attention, layer.feedforward, layer.norm1, layer.norm2
    if norm_first:
        middle = x + a(n1(x))
        expected = middle + f(n2(middle))
    else:
        middle = n1(x + a(x))
        expected = n2(middle + f(middle))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-12)
    check_module(layer, x, generator(27))


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", cases_seq.BLOCKS)
def test_block_parity(name: str, dtype: str) -> None:
    norm_first, activation, causal = cases_seq.BLOCKS[name]
    layer = nn.TransformerBlock(6, 2, 10, causal, norm_first=norm_first, activation=activation)
    check_module_parity(layer, registry.reference("seq", name, dtype), dtype)


@pytest.mark.parametrize("norm_first", [True, False])
def test_dropout_on_both_branches(norm_first: bool) -> None:
    layer, x = block(norm_first=norm_first, dropout=0.5), generator(28).normal(size=(2, 3, D))

    def reset() -> None:
        layer.dropout1.rng = np.random.default_rng(1)
        layer.dropout2.rng = np.random.default_rng(2)

    check_module(layer, x, generator(29), reset=reset)
    whole = block(norm_first=norm_first)
    np.testing.assert_array_equal(layer.eval()(x), whole(x))
    layer.train()
    for part in (layer.dropout1, layer.dropout2):
        layer.dropout1.p = layer.dropout2.p = 0.0
        part.p = 0.5
        assert not np.allclose(layer(x), whole(x))


def test_epsilon_and_bias_are_passed_on() -> None:
    layer = nn.TransformerBlock(D, HEADS, layer_norm_eps=1e-12, bias=False)
    assert layer.norm1.eps == layer.norm2.eps == 1e-12
    assert nn.TransformerBlock(D, HEADS).norm1.eps == 1e-5
    names = [name for name, _ in layer.named_parameters()]
    assert names == [
        "norm1.weight",
        "norm1.bias",
        "attention.in_proj.weight",
        "attention.out_proj.weight",
        "norm2.weight",
        "norm2.bias",
        "feedforward.up.weight",
        "feedforward.down.weight",
    ]
    assert {p.data.dtype for p in nn.TransformerBlock(D, HEADS).parameters()} == {
        np.dtype(np.float32)
    }


def test_same_rng_same_weights() -> None:
    first, second = (nn.TransformerBlock(D, HEADS, rng=generator(30)) for _ in range(2))
    for p, q in zip(first.parameters(), second.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_reprs() -> None:
    assert repr(nn.Embedding(5, 2)) == "Embedding(5, 2)"
    assert repr(nn.Embedding(5, 2, 1)) == "Embedding(5, 2, padding_idx=1)"
    assert repr(nn.LearnedPositions(5, 2)) == "LearnedPositions(5, 2)"
    assert repr(nn.SinusoidalPositions(5, 2)) == "SinusoidalPositions(5, 2)"
    assert "num_heads=2, causal=True" in repr(attention(True))
    assert "pre-norm" in repr(block())
    assert "post-norm" in repr(block(norm_first=False))


def test_a_mask_that_is_kept_cannot_be_spoilt() -> None:
    mask = causal_mask(3, np.float32)
    assert mask is causal_mask(3, np.float32)
    with pytest.raises(ValueError, match="read-only"):
        mask += 1
