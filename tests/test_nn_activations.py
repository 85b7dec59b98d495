"""Activation layers: gradients, manners, and agreement with the plain functions."""

from __future__ import annotations

import numpy as np
import pytest

from ffcourse import nn
from ffcourse.nn import functional as F  # noqa: N812
from tests.nn_checks import away_from_kink, check_module

LAYERS = {
    "identity": (lambda: nn.Identity(), lambda z: z),
    "sigmoid": (lambda: nn.Sigmoid(), F.sigmoid),
    "tanh": (lambda: nn.Tanh(), F.tanh),
    "relu": (lambda: nn.ReLU(), F.relu),
    "leaky": (lambda: nn.LeakyReLU(), F.leaky_relu),
    "leaky 0.3": (lambda: nn.LeakyReLU(0.3), lambda z: F.leaky_relu(z, 0.3)),
    "silu": (lambda: nn.SiLU(), F.silu),
    "gelu": (lambda: nn.GELU(), F.gelu),
    "gelu tanh": (lambda: nn.GELU("tanh"), lambda z: F.gelu(z, "tanh")),
    "softmax": (lambda: nn.Softmax(), F.softmax),
    "softmax 0": (lambda: nn.Softmax(dim=0), lambda z: F.softmax(z, 0)),
    "softmax -2": (lambda: nn.Softmax(dim=-2), lambda z: F.softmax(z, z.ndim - 2)),
    "log_softmax -2": (lambda: nn.LogSoftmax(dim=-2), lambda z: F.log_softmax(z, z.ndim - 2)),
    "log_softmax": (lambda: nn.LogSoftmax(), F.log_softmax),
    "log_softmax 0": (lambda: nn.LogSoftmax(dim=0), lambda z: F.log_softmax(z, 0)),
}


@pytest.mark.parametrize("shape", [(1, 4), (5, 3), (2, 3, 4), (7,)])
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str, shape: tuple[int, ...]) -> None:
    make, function = LAYERS[name]
    if name.endswith("-2") and len(shape) == 1:
        return
    rng = np.random.default_rng(1)
    x = away_from_kink(rng.normal(size=shape) * 2)
    check_module(make(), x, rng)
    np.testing.assert_allclose(make()(x), function(x), rtol=1e-14)


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays_float32(name: str) -> None:
    layer, x = LAYERS[name][0](), np.ones((2, 3), np.float32)
    assert layer(x).dtype == np.float32
    assert layer.backward(x).dtype == np.float32


def test_no_gradient_passes_a_step() -> None:
    layer = nn.Step()
    np.testing.assert_array_equal(layer(np.array([[-1.0, 0.0, 1.0]])), [[0, 1, 1]])
    np.testing.assert_array_equal(layer.backward(np.ones((1, 3))), np.zeros((1, 3)))


def test_relu_takes_batches_of_any_shape_and_dtype_in_turn() -> None:
    layer, rng = nn.ReLU(), np.random.default_rng(3)
    for shape, dtype in (((4, 3), "f4"), ((4, 3), "f8"), ((2, 3), "f8"), ((2, 3, 4, 5), "f4")):
        x = rng.normal(size=shape).astype(dtype)
        for batch in (x, x.T):  # also in another order in memory
            y = layer(batch)
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, np.where(batch > 0, batch, 0))
    with np.errstate(invalid="raise"):  # what explodes must not turn into something else
        np.testing.assert_array_equal(layer(np.array([[-np.inf, np.inf]])), [[0, np.inf]])
    assert np.isnan(layer(np.array([[np.nan]])))


def test_relu_passes_nothing_at_the_kink() -> None:
    layer = nn.ReLU()
    layer(np.array([[-1.0, 0.0, 2.0]]))
    np.testing.assert_array_equal(layer.backward(np.full((1, 3), 7.0)), [[0, 0, 7]])


def test_softmax_of_many_equal_logits_is_even() -> None:
    np.testing.assert_allclose(nn.Softmax()(np.zeros((1, 8))), np.full((1, 8), 0.125))


def test_bad_gelu() -> None:
    with pytest.raises(ValueError, match="approximate must be"):
        nn.GELU("exact")


def test_repr() -> None:
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert repr(nn.GELU("tanh")) == "GELU(approximate='tanh')"
    assert repr(nn.Softmax(dim=1)) == "Softmax(dim=1)"
    assert repr(nn.LogSoftmax(dim=1)) == "LogSoftmax(dim=1)"


def test_relu_keeps_the_type_of_each_batch() -> None:
    """Also where one of another type and the same shape went through before."""
    relu = nn.ReLU()
    for dtype in (np.float64, np.float32, np.float64):
        x = np.array([[-1.0, 2.0]], dtype)
        assert relu(x).dtype == dtype
        assert relu.backward(np.ones_like(x)).dtype == dtype
