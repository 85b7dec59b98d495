"""The small GPT: gradients, parity, weights, generation, and that it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ffcourse import nn
from ffcourse.nn.gpt import draw_token
from tests.nn_checks import check_module, check_module_parity
from tests.torch_reference import registry

F64 = np.float64


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def gpt(**options: Any) -> nn.GPT:
    model = nn.GPT(5, 6, 4, 2, 2, 6, **{"rng": generator(1), "dtype": F64, **options})
    rng = generator(2)
    for p in model.parameters():  # so that every part matters
        p.data += rng.normal(scale=0.5, size=p.shape)
    return model


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (2, 4)])
def test_gpt(shape: tuple[int, int], tied: bool) -> None:
    model = gpt(tie_weights=tied)
    tokens = generator(3).integers(0, 5, shape)
    assert model(tokens).shape == (*shape, 5)
    check_module(model, tokens, generator(4), input_gradient=False)
    assert model.backward(np.zeros((*shape, 5))) is None


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", ["gpt", "gpt_tied"])
def test_parity(name: str, dtype: str) -> None:
    model = nn.GPT(7, 8, 6, 2, 2, 10, activation="gelu", tie_weights=name == "gpt_tied")
    check_module_parity(model, registry.reference("seq", name, dtype), dtype)


def test_dropout() -> None:
    model = gpt(dropout=0.5)
    drops = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    assert len(drops) == 5
    assert {m.p for m in drops} == {0.5}

    def reset() -> None:
        for i, m in enumerate(drops):
            m.rng = np.random.default_rng(i)

    tokens = generator(5).integers(0, 5, (2, 4))
    check_module(model, tokens, generator(6), reset=reset, input_gradient=False)


def test_tied_head_shares_the_matrix() -> None:
    tied, free = nn.GPT(5, 6, 8, 2), nn.GPT(5, 6, 8, 2, tie_weights=False)
    assert tied.head.weight is tied.tokens.weight  # type: ignore[attr-defined]
    assert free.num_parameters() - tied.num_parameters() == 5 * 8
    assert free.head.bias is None  # type: ignore[attr-defined]


def test_initial_weights_are_gpt2s() -> None:
    model = nn.GPT(300, 100, 64, 4, 3, tie_weights=False, rng=generator(7))
    for name, p in model.named_parameters():
        assert p.data.dtype == np.float32
        if "norm" in name:
            np.testing.assert_array_equal(p.data, float(name.endswith("weight")), err_msg=name)
        elif name.endswith("bias"):
            np.testing.assert_array_equal(p.data, 0, err_msg=name)
        else:
            last = name.endswith(("out_proj.weight", "down.weight"))
            std = 0.02 / np.sqrt(6) if last else 0.02
            assert abs(p.data.std() / std - 1) < 0.05, name
            assert abs(p.data.mean()) < 0.05 * std, name
    same = nn.GPT(300, 100, 64, 4, 3, tie_weights=False, rng=generator(7))
    for p, q in zip(model.parameters(), same.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)


def test_sizes_that_are_left_out() -> None:
    model = nn.GPT(5, 6)
    assert model.tokens.weight.shape == (5, 64)
    assert len(model.blocks) == 2
    assert model.blocks[0].attention.num_heads == 4
    assert model.blocks[0].feedforward.up.weight.shape == (64, 256)
    assert model.blocks[0].feedforward.activation.approximate == "tanh"  # type: ignore[attr-defined]
    assert model.max_length == 6


def test_no_position_sees_the_future() -> None:
    model, tokens = gpt(), generator(8).integers(0, 5, (2, 6))
    logits = model(tokens)
    tokens[:, 3:] = (tokens[:, 3:] + 1) % 5
    np.testing.assert_allclose(model(tokens)[:, :3], logits[:, :3], atol=1e-12)
    assert not np.allclose(model(tokens)[:, 3:], logits[:, 3:])


def test_positions_matter() -> None:
    model = gpt()
    logits = model(np.array([[1, 1, 1]]))[0]
    assert not np.allclose(logits[0], logits[1])


def test_it_learns_to_count() -> None:
    rng, loss_fn = generator(9), nn.CrossEntropyLoss()
    model = nn.GPT(6, 8, 16, 2, 2, rng=rng)
    moments = [np.zeros_like(p.data) for p in model.parameters()]
    for _ in range(80):
        tokens = (rng.integers(0, 6, (16, 1)) + np.arange(9)) % 6
        model.zero_grad()
        loss = loss_fn(model(tokens[:, :-1]), tokens[:, 1:])
        model.backward(loss_fn.backward())
        for p, m in zip(model.parameters(), moments, strict=True):
            assert p.grad is not None
            m += 0.1 * (np.sign(p.grad) - m)
            p.data -= 0.01 * m
    assert loss < 0.1
    np.testing.assert_array_equal(model.generate([2], 5, temperature=0), [2, 3, 4, 5, 0, 1])


# -- generate ---------------------------------------------------------------------------------


def test_greedy_takes_the_likeliest_again_and_again() -> None:
    model = gpt()
    tokens = [3, 1]
    for _ in range(7):  # beyond max_length, which is 6
        tokens.append(int(model(np.array([tokens[-6:]]))[0, -1].argmax()))
    np.testing.assert_array_equal(model.generate([3, 1], 7, temperature=0), tokens)
    np.testing.assert_array_equal(model.generate([3, 1], 7, top_k=1), tokens)
    assert model.generate([3], 0).tolist() == [3]


def test_generation_repeats_with_the_same_rng() -> None:
    model = gpt()
    first = model.generate([0], 20, rng=generator(10))
    np.testing.assert_array_equal(first, model.generate([0], 20, rng=generator(10)))
    assert not np.array_equal(first, model.generate([0], 20, rng=generator(11)))


def test_stop() -> None:
    model = gpt()
    tokens = model.generate([0], 200, stop=2, rng=generator(12))
    assert tokens[-1] == 2
    assert 2 not in tokens[1:-1]
    assert len(tokens) < 201


def test_generate_is_without_dropout_and_leaves_the_modes_as_they_were() -> None:
    model = gpt(dropout=0.5)
    model.blocks[0].eval()
    modes = [m.training for m in model.modules()]
    first = model.generate([0], 5, temperature=0)
    np.testing.assert_array_equal(first, model.generate([0], 5, temperature=0))
    assert [m.training for m in model.modules()] == modes
    with pytest.raises(ValueError, match="temperature must be a number of at least 0"):
        model.generate([0], 5, temperature=-1)
    assert [m.training for m in model.modules()] == modes


@pytest.mark.parametrize("top_k", [None, 1, 3, 9])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_tokens_are_drawn_with_the_right_probabilities(
    top_k: int | None, temperature: float
) -> None:
    rng, logits = generator(13), np.array([0.0, 2.0, 1.0, -1.0], np.float32)
    draws = [draw_token(logits, temperature, top_k, rng) for _ in range(3000)]
    p = np.exp(logits / temperature)
    if top_k is not None:
        p[np.argsort(-logits)[top_k:]] = 0
    np.testing.assert_allclose(np.bincount(draws, minlength=4) / 3000, p / p.sum(), atol=0.035)


def test_only_the_likeliest_of_many_tokens_are_drawn() -> None:
    rng = generator(14)
    logits = rng.normal(size=200).astype(np.float32)
    draws = {draw_token(logits, 5.0, 4, rng) for _ in range(300)}
    assert draws == set(np.argsort(-logits)[:4].tolist())


def test_the_temperature_is_one_unless_told_otherwise() -> None:
    first, second = (
        gpt().generate([0], 30, rng=generator(15), **options)
        for options in ({}, {"temperature": 1})
    )
    np.testing.assert_array_equal(first, second)


def test_huge_logits_can_be_drawn_from() -> None:
    assert draw_token(np.array([0, 1e4, 9e3], np.float32), 0.1, None, generator()) == 1


@pytest.mark.parametrize(
    ("prompt", "options", "error", "words"),
    [
        ([], {}, TypeError, "tokens must be integers"),
        (np.array([], int), {}, ValueError, "no tokens"),
        ([[1, 2]], {}, ValueError, r"must have shape \(T,\), got \(1, 2\)"),
        ([5], {}, ValueError, "between 0 and 4, got 5"),
        ([1], {"top_k": 0}, ValueError, "top_k must be a whole number of at least 1, got 0"),
        (
            [1],
            {"temperature": -0.1},
            ValueError,
            "temperature must be a number of at least 0, got -0.1",
        ),
    ],
)
def test_bad_prompts(prompt: Any, options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"GPT.generate: .*{words}"):
        gpt().generate(prompt, 1, **options)


@pytest.mark.parametrize(
    ("tokens", "error", "words"),
    [
        (np.zeros(3, int), ValueError, r"\(B, T\) with T at most 6, got \(3,\)"),
        (np.zeros((1, 7), int), ValueError, r"\(B, T\) with T at most 6, got \(1, 7\)"),
        (np.zeros((1, 3)), TypeError, "tokens must be integers"),
        (np.full((1, 3), 5), ValueError, "between 0 and 4, got 5 to 5"),
    ],
)
def test_bad_tokens(tokens: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"GPT: .*{words}"):
        gpt()(tokens)


def test_reprs() -> None:
    assert "TiedHead(64, 5, tied)" in repr(nn.GPT(5, 6))


@pytest.mark.parametrize("top_k", [1, 3, 40])
def test_the_likeliest_are_found_in_a_large_vocabulary(top_k: int) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=1000)
    draws = {draw_token(logits, 5.0, top_k, rng) for _ in range(100)}
    assert draws <= set(np.argsort(-logits)[:top_k].tolist())
