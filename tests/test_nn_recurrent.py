"""RNN, LSTM, GRU."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from ffcourse.nn.recurrent import Recurrent
from tests.nn_checks import (
    assert_gradient,
    assert_parity,
    check_accumulates,
    check_inputs_untouched,
    check_module,
)
from tests.torch_reference import cases_seq, registry

F64 = np.float64
I, H = 3, 4  # noqa: E741
KINDS = [nn.RNN, nn.LSTM, nn.GRU]


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def make(kind: type[Recurrent], **options: Any) -> Recurrent:
    return kind(I, H, **{"rng": generator(1), "dtype": F64, **options})


def draw_state(layer: Recurrent, batch: int, rng: np.random.Generator) -> Any:
    parts = tuple(rng.normal(size=(1, batch, H)) for _ in range(layer.states))
    return parts if layer.states == 2 else parts[0]


def as_tuple(state: Any) -> tuple[np.ndarray, ...]:
    return state if isinstance(state, tuple) else (state,)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def one_step(layer: Recurrent, x: np.ndarray, state: tuple[np.ndarray, ...]) -> Any:
    """One step as in the text books, one gate at a time."""
    h = state[0]
    gi = np.split(x @ layer.weight_ih.data + layer.bias_ih.data, layer.gates, axis=1)
    gh = np.split(h @ layer.weight_hh.data + layer.bias_hh.data, layer.gates, axis=1)
    if isinstance(layer, nn.LSTM):
        i, f, g, o = (a + b for a, b in zip(gi, gh, strict=True))
        c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    if isinstance(layer, nn.GRU):
        r, z = sigmoid(gi[0] + gh[0]), sigmoid(gi[1] + gh[1])
        n = np.tanh(gi[2] + r * gh[2])
        return ((1 - z) * n + z * h,)
    assert isinstance(layer, nn.RNN)
    z = gi[0] + gh[0]
    return (np.tanh(z) if layer.nonlinearity == "tanh" else np.maximum(z, 0),)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (2, 5), (3, 2)])
def test_forward_is_the_text_book(kind: type[Recurrent], batch: int, steps: int) -> None:
    layer, rng = make(kind), generator(2)
    x, start = rng.normal(size=(batch, steps, I)) * 2, draw_state(layer, batch, rng)
    y, end = layer(x, start)
    state = tuple(part[0] for part in as_tuple(start))
    for t in range(steps):
        state = one_step(layer, x[:, t], state)
        np.testing.assert_allclose(y[:, t], state[0], rtol=1e-12)
    for ours, theirs in zip(as_tuple(end), state, strict=True):
        np.testing.assert_allclose(ours, theirs[None], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, I), (2, 4, I), (3, 1, I)])
def test_layer(kind: type[Recurrent], batch_first: bool, shape: tuple[int, ...]) -> None:
    layer = make(kind, batch_first=batch_first, return_state=False)
    check_module(layer, generator(3).normal(size=shape), generator(4))


def test_relu() -> None:
    layer = make(nn.RNN, nonlinearity="relu", return_state=False)
    check_module(layer, generator(5).normal(size=(2, 4, I)) * 2, generator(6))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [True, False])
def test_gradients_through_states(kind: type[Recurrent], outputs: bool) -> None:
    layer, rng = make(kind), generator(7)
    x, start = rng.normal(size=(2, 3, I)), draw_state(layer, 2, rng)
    up = rng.normal(size=(2, 3, H)) if outputs else None
    up_end = draw_state(layer, 2, rng)

    def loss() -> float:
        y, end = layer(x, start)
        parts = zip(as_tuple(end), as_tuple(up_end), strict=True)
        total = sum(float((e * u).sum()) for e, u in parts)
        return total + (0 if up is None else float((y * up).sum()))

    loss()
    dx = layer.backward(up, up_end)
    grads = {name: p.grad for name, p in layer.named_parameters()}
    dstart = as_tuple(layer.grad_state)
    assert_gradient(loss, x, dx, "input")
    for part, gradient in zip(as_tuple(start), dstart, strict=True):
        assert_gradient(loss, part, gradient, "state")
    for name, p in layer.named_parameters():
        assert_gradient(loss, p.data, grads[name], name)
    layer.zero_grad()
    loss()
    layer.backward_params(up, up_end)
    for name, p in layer.named_parameters():
        np.testing.assert_allclose(p.grad, grads[name])


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", cases_seq.RECURRENT)
def test_parity(name: str, dtype: str) -> None:
    kind, options, _, _ = cases_seq.RECURRENT[name]
    ref = registry.reference("seq", name, dtype)
    layer = getattr(nn, kind)(cases_seq.INPUT_SIZE, cases_seq.HIDDEN_SIZE, **options).to(dtype)
    layer.load_state_dict({k[2:]: v for k, v in ref.items() if k.startswith("p.")})

    def state(key: str) -> Any:
        return (ref[f"{key}0"], ref[f"{key}1"]) if layer.states == 2 else ref[f"{key}0"]

    y, end = layer(ref["x"], state("start"))
    assert_parity(y, ref["y"], dtype, "outputs")
    dx = layer.backward(ref["grad"], state("dend"))
    assert_parity(dx, ref["dx"], dtype, "input gradient")
    for i in range(layer.states):
        assert_parity(as_tuple(end)[i], ref[f"end{i}"], dtype, "final state")
        assert_parity(as_tuple(layer.grad_state)[i], ref[f"dstart{i}"], dtype, "initial state")
    for key, p in layer.named_parameters():
        assert p.grad.dtype == np.dtype(dtype)
        assert_parity(p.grad, ref[f"dp.{key}"], dtype, key)


@pytest.mark.parametrize("kind", KINDS)
def test_no_state_is_a_state_of_zeros(kind: type[Recurrent]) -> None:
    layer, x = make(kind), generator(8).normal(size=(2, 3, I))
    zeros = np.zeros((1, 2, H))
    y, end = layer(x)
    same, same_end = layer(x, (zeros, zeros) if layer.states == 2 else zeros)
    np.testing.assert_array_equal(y, same)
    np.testing.assert_array_equal(end, same_end)
    np.testing.assert_array_equal(as_tuple(end)[0][0], y[:, -1])


@pytest.mark.parametrize("kind", KINDS)
def test_time_first_is_the_same_turned(kind: type[Recurrent]) -> None:
    layer, turned = make(kind), make(kind, batch_first=False)
    x = generator(9).normal(size=(2, 5, I))
    y, _ = layer(x)
    np.testing.assert_array_equal(turned(x.swapaxes(0, 1))[0], y.swapaxes(0, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_not_overwritten_by_the_next_call(kind: type[Recurrent]) -> None:
    layer, rng = make(kind), generator(10)
    x, up = rng.normal(size=(2, 2, 3, I)), rng.normal(size=(2, 2, 3, H))
    results: list[list[np.ndarray]] = []
    for k in range(2):
        y, end = layer(x[k])
        dx = layer.backward(up[k])
        results.append([y, *as_tuple(end), dx, *as_tuple(layer.grad_state)])
        if k == 0:
            kept = copy.deepcopy(results[0])
    for old, new in zip(kept, results[0], strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_twice_from_one_forward(kind: type[Recurrent]) -> None:
    layer, rng = make(kind), generator(11)
    layer(rng.normal(size=(2, 3, I)))
    up = rng.normal(size=(2, 3, H))
    first = layer.backward(up)
    once = {n: p.grad.copy() for n, p in layer.named_parameters() if p.grad is not None}
    np.testing.assert_array_equal(layer.backward(up), first)
    for name, p in layer.named_parameters():
        np.testing.assert_allclose(p.grad, 2 * once[name])


@pytest.mark.parametrize("kind", KINDS)
def test_the_two_biases_have_gradients_of_their_own(kind: type[Recurrent]) -> None:
    layer, rng = make(kind), generator(12)
    layer(rng.normal(size=(2, 3, I)))
    layer.backward(rng.normal(size=(2, 3, H)))
    assert layer.bias_ih.grad is not None
    assert not np.shares_memory(layer.bias_ih.grad, layer.bias_hh.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_frozen_weights_get_no_gradient(kind: type[Recurrent]) -> None:
    layer, rng = make(kind, return_state=False).freeze(), generator(13)
    x = rng.normal(size=(2, 3, I))
    check_module(layer, x, rng)
    layer.weight_hh.requires_grad = True
    check_module(layer, x, rng)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(KINDS), st.integers(1, 4), st.integers(1, 5), st.integers(0, 999))
def test_sequences_do_not_meet_and_no_step_sees_later_ones(
    kind: type[Recurrent], batch: int, steps: int, seed: int
) -> None:
    rng = generator(seed)
    layer, x = make(kind), rng.normal(size=(batch, steps, I))
    y, _ = layer(x)
    order = rng.permutation(batch)
    np.testing.assert_allclose(layer(x[order])[0], y[order], atol=1e-13)
    cut = rng.integers(1, steps + 1)
    np.testing.assert_allclose(layer(x[:, :cut])[0], y[:, :cut], atol=1e-13)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(KINDS), st.integers(1, 4), st.integers(1, 4), st.integers(0, 999))
def test_state_carries_over_all_there_is(
    kind: type[Recurrent], first: int, second: int, seed: int
) -> None:
    layer, x = make(kind), generator(seed).normal(size=(2, first + second, I))
    whole, end = layer(x)
    a, state = layer(x[:, :first])
    b, state = layer(x[:, first:], state)
    np.testing.assert_allclose(np.concatenate([a, b], axis=1), whole, atol=1e-13)
    np.testing.assert_allclose(state, end, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_large_numbers_saturate_and_do_not_overflow(kind: type[Recurrent]) -> None:
    layer = make(kind, dtype=np.float32)
    for p in layer.parameters():
        p.data *= 1e4
    y, _ = layer(generator(14).normal(size=(2, 5, I)).astype(np.float32) * 1e4)
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_change_of_type_and_shape_between_steps(kind: type[Recurrent]) -> None:
    layer, rng = make(kind, return_state=False), generator(25)
    for dtype, batch in (("float64", 2), ("float32", 2), ("float32", 1), ("float64", 2)):
        layer.to(dtype)
        x = rng.normal(size=(batch, 3, I)).astype(dtype)
        y = layer(x)
        assert y.dtype == layer.backward(y).dtype == np.dtype(dtype)
        np.testing.assert_allclose(y, copy.deepcopy(layer)(x), rtol=1e-6)


def test_last_step() -> None:
    check_module(nn.LastStep(), generator(15).normal(size=(2, 3, 4)), generator(16))
    x = generator(17).normal(size=(2, 3, 4))
    np.testing.assert_array_equal(nn.LastStep()(x), x[:, -1])


def test_a_model_that_reads_a_sequence_and_answers_once() -> None:
    model = nn.Sequential(
        make(nn.LSTM, return_state=False), nn.LastStep(), nn.Linear(H, 2, rng=generator(18))
    ).to(F64)
    check_module(model, generator(19).normal(size=(2, 3, I)), generator(20))


@pytest.mark.parametrize("kind", KINDS)
def test_sharing_one_forward_with_inputs_untouched(kind: type[Recurrent]) -> None:
    layer = make(kind, return_state=False)
    x = generator(21).normal(size=(2, 3, I))
    check_inputs_untouched(layer, x, generator(22))
    check_accumulates(layer, x.astype(np.float32), generator(23))


@pytest.mark.parametrize("kind", KINDS)
def test_initial_weights_are_pytorchs(kind: type[Recurrent]) -> None:
    layer = kind(5, 16, rng=generator(24))
    assert layer.weight_ih.shape == (5, 16 * kind.gates)
    assert layer.weight_hh.shape == (16, 16 * kind.gates)
    for _, p in layer.named_parameters():
        assert p.data.dtype == np.float32
        assert 0.2 < np.abs(p.data).max() <= 0.25
        assert p.data.min() < 0
    assert [n for n, _ in layer.named_parameters()] == [
        "weight_ih",
        "weight_hh",
        "bias_ih",
        "bias_hh",
    ]
    assert not np.array_equal(kind(5, 16).weight_ih.data, layer.weight_ih.data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (np.zeros((2, 3)), ValueError, r"three axes \(B, T, I\) with I = 3, got shape \(2, 3\)"),
        (np.zeros((2, 3, 4)), ValueError, r"\(\.\.\., 3\), got \(2, 3, 4\)"),
        (np.zeros((2, 0, 3)), ValueError, r"empty.*\(2, 0, 3\)"),
        (np.zeros((2, 3, 3), int), TypeError, "floating-point.*int64"),
    ],
)
def test_bad_sequences(
    kind: type[Recurrent], x: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make(kind)(x)


def test_message_names_the_order_of_axes_in_use() -> None:
    with pytest.raises(ValueError, match=r"three axes \(T, B, I\)"):
        make(nn.RNN, batch_first=False)(np.zeros((2, 3)))


@pytest.mark.parametrize("kind", KINDS)
def test_bad_states(kind: type[Recurrent]) -> None:
    layer, x = make(kind), np.zeros((2, 3, I))
    bad = np.zeros((2, H))
    with pytest.raises(ValueError, match=r"state must be .* \(1, 2, 4\), got \[\(2, 4\)"):
        layer(x, (bad, bad) if layer.states == 2 else bad)
    layer(x)
    with pytest.raises(ValueError, match=r"grad_state must be .* \(1, 2, 4\)"):
        layer.backward(None, (bad, bad) if layer.states == 2 else bad)


def test_bad_nonlinearity() -> None:
    with pytest.raises(ValueError, match='"tanh" or "relu", got \'gelu\''):
        nn.RNN(I, H, nonlinearity="gelu")


def test_reprs() -> None:
    assert repr(nn.GRU(I, H)) == "GRU(3, 4)"
    assert repr(nn.LSTM(I, H, batch_first=False)) == "LSTM(3, 4, batch_first=False)"


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gates_may_be_shut_entirely(kind: type[Recurrent], dtype: Any) -> None:
    """Far out, e^-z overflows; the gate is then 0 without a warning (which would fail here)."""
    layer = make(kind, dtype=dtype)
    x = generator(2).normal(size=(2, 5, I)).astype(dtype)
    for bias in (-2000, 2000):
        layer.bias_hh.data[...] = bias
        outputs, _ = layer(x)
        assert np.isfinite(outputs).all()
        assert np.isfinite(layer.backward(np.ones_like(outputs))).all()
    layer.bias_hh.data[...] = -2000
    y = x @ layer.weight_ih.data[:, 2 * H :] + layer.bias_ih.data[2 * H :]  # for the GRU: r, z = 0
    expected = 0 if kind is nn.LSTM else np.tanh(y)
    np.testing.assert_allclose(layer(x)[0], expected, rtol=1e-5)
