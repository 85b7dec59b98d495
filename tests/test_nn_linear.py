"""The feedforward layer."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from tests.nn_checks import check_gradients, check_module


def linear(n_in: int, n_out: int, bias: bool = True) -> nn.Linear:
    return nn.Linear(n_in, n_out, bias, rng=np.random.default_rng(0), dtype=np.float64)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 4), (7, 4), (2, 3, 4), (2, 1, 3, 4), (4,)])
def test_gradients_and_manners(shape: tuple[int, ...], bias: bool) -> None:
    rng = np.random.default_rng(2)
    check_module(linear(4, 3, bias), rng.normal(size=shape), rng)


def test_forward_is_x_w_plus_b() -> None:
    layer = linear(2, 3)
    layer.weight.data[...] = [[1, 2, 3], [4, 5, 6]]
    assert layer.bias is not None
    layer.bias.data[...] = [0.5, 0, -1]
    np.testing.assert_array_equal(layer(np.array([[1.0, 10.0]])), [[41.5, 52, 62]])


def test_more_axes_are_one_tall_matrix() -> None:
    layer, x = linear(4, 3), np.random.default_rng(3).normal(size=(2, 5, 4))
    np.testing.assert_allclose(layer(x), layer(x.reshape(10, 4)).reshape(2, 5, 3))
    assert layer(x[0, 0]).shape == (3,)


@pytest.mark.parametrize("what", ["weight", "bias"])
def test_frozen_parameters_get_no_gradient(what: str) -> None:
    layer, rng = linear(4, 3), np.random.default_rng(4)
    getattr(layer, what).requires_grad = False
    check_gradients(layer, rng.normal(size=(5, 4)), rng)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(1, 5), st.floats(-3, 3), st.integers(0, 1000))
def test_linearity(n_in: int, n_out: int, factor: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    layer = linear(n_in, n_out, bias=False)
    x, z = rng.normal(size=(2, 3, n_in))
    np.testing.assert_allclose(layer(x + factor * z), layer(x) + factor * layer(z), atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(0, 1000))
def test_examples_do_not_meet_and_their_order_is_kept(batch: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = nn.Sequential(linear(4, 5), nn.GELU(), nn.LayerNorm(5), linear(5, 2)).to(np.float64)
    x = rng.normal(size=(batch, 4))
    y, order = model(x), rng.permutation(batch)
    np.testing.assert_allclose(model(x[order]), y[order], atol=1e-12)
    for i in range(batch):
        np.testing.assert_allclose(model(x[i : i + 1]), y[i : i + 1], atol=1e-12)


def test_first_weights() -> None:
    layer = nn.Linear(400, 300, rng=np.random.default_rng(5))
    for p in layer.parameters():
        assert p.data.dtype == np.float32
        assert 0.045 < np.abs(p.data).max() <= 0.05  # 1 / sqrt(400)
        assert abs(p.data.mean()) < 0.006
    assert [p.shape for p in layer.parameters()] == [(400, 300), (300,)]
    same = nn.Linear(400, 300, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(layer.weight.data, same.weight.data)
    other = nn.Linear(400, 300)
    assert not np.array_equal(layer.weight.data, other.weight.data)


def test_wrong_input_is_told_at_the_door() -> None:
    layer = nn.Linear(4, 3)
    with pytest.raises(ValueError, match=r"Linear: x must have shape \(\.\.\., 4\), got \(2, 5\)"):
        layer(np.zeros((2, 5), np.float32))
    with pytest.raises(ValueError, match=r"got \(\)"):
        layer(np.float32(1))
    with pytest.raises(ValueError, match=r"x is empty, it has shape \(0, 4\)"):
        layer(np.zeros((0, 4), np.float32))
    with pytest.raises(TypeError, match="floating-point numbers, got dtype int64"):
        layer(np.zeros((2, 4), np.int64))
    with pytest.raises(TypeError, match="got dtype complex128"):
        layer(np.zeros((2, 4), complex))


@pytest.mark.parametrize("size", [0, -1, 2.0, "2", None])
def test_sizes_are_whole_numbers_above_zero(size: object) -> None:
    with pytest.raises(ValueError, match="in_features must be a whole number of at least 1, got"):
        nn.Linear(size, 2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out_features must be a whole number of at least 1, got"):
        nn.Linear(2, size)  # type: ignore[arg-type]
    assert nn.Linear(np.int64(1), 1)(np.ones((1, 1), np.float32)).shape == (1, 1)


def test_other_precision_is_converted_at_the_door() -> None:
    layer = nn.Linear(4, 3)
    assert layer(np.zeros((2, 4))).dtype == np.float32
    assert layer([[1.0, 2.0, 3.0, 4.0]]).shape == (1, 3)
    assert layer.backward(np.ones((1, 3), np.float32)).dtype == np.float32
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == np.float32


def test_repr() -> None:
    assert repr(nn.Linear(4, 3)) == "Linear(4, 3, bias=True)"
    assert repr(nn.Linear(4, 3, bias=False)) == "Linear(4, 3, bias=False)"


@pytest.mark.parametrize("bias", [True, False])
def test_is_trainable_says_what_it_says_in_every_module(bias: bool) -> None:
    layer = nn.Linear(2, 3, bias)
    for frozen in itertools.product([True, False], repeat=len(layer.parameters())):
        for p, stop in zip(layer.parameters(), frozen, strict=True):
            p.requires_grad = not stop
        assert layer.is_trainable() == nn.Module.is_trainable(layer) == (not all(frozen))
