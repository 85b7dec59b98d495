"""Activation functions: values, derivatives, stability."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ffcourse.nn import functional as F  # noqa: N812
from tests.nn_checks import away_from_kink

finite = st.floats(-1e3, 1e3, allow_nan=False)
logits = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=finite)
moderate = arrays(np.float64, (3, 4), elements=st.floats(-20, 20))

PAIRS = {
    "sigmoid": (F.sigmoid, F.sigmoid_derivative),
    "tanh": (F.tanh, F.tanh_derivative),
    "relu": (F.relu, F.relu_derivative),
    "leaky_relu": (F.leaky_relu, F.leaky_relu_derivative),
    "leaky_relu 0.3": (
        lambda z: F.leaky_relu(z, 0.3),
        lambda z: F.leaky_relu_derivative(z, 0.3),
    ),
    "silu": (F.silu, F.silu_derivative),
    "gelu": (F.gelu, F.gelu_derivative),
    "gelu tanh": (lambda z: F.gelu(z, "tanh"), lambda z: F.gelu_derivative(z, "tanh")),
}
ALL = {name: f for name, (f, _) in PAIRS.items()} | {
    "step": F.step,
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
}


@pytest.mark.parametrize("name", PAIRS)
def test_derivative_is_the_slope(name: str) -> None:
    f, slope = PAIRS[name]
    z = away_from_kink(np.linspace(-6, 6, 61))
    h = 1e-5
    np.testing.assert_allclose((f(z + h) - f(z - h)) / (2 * h), slope(z), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_inputs_give_no_warning_and_no_nan(name: str, dtype: type) -> None:
    largest = np.finfo(dtype).max / 4
    z = np.array([[-1000, -100, -1, 0, 1, 100, 1000], [-largest, -1e6, 0, 0, 0, 1e6, largest]])
    if "tanh" in name and "gelu" in name:
        z = z.clip(-1e6, 1e6)  # its cube is taken
    z = z.astype(dtype)
    for f in (ALL[name], *PAIRS.get(name, ())[1:]):
        with np.errstate(under="ignore"):
            y = f(z)
        assert np.isfinite(y).all()
        assert y.dtype == dtype


@pytest.mark.parametrize("name", ALL)
def test_integers_become_float32_and_nan_stays(name: str) -> None:
    assert ALL[name](np.arange(4)).dtype == np.float32
    assert np.isnan(ALL[name](np.array([np.nan, 1.0]))[0])


def test_known_values() -> None:
    np.testing.assert_array_equal(F.step([-1.0, 0.0, 2.0]), [0, 1, 1])
    np.testing.assert_array_equal(F.relu([-1.0, 0.0, 2.0]), [0, 0, 2])
    np.testing.assert_array_equal(F.relu_derivative([-1.0, 0.0, 2.0]), [0, 0, 1])
    np.testing.assert_allclose(F.leaky_relu([-1.0, 2.0]), [-0.01, 2])
    np.testing.assert_array_equal(F.leaky_relu_derivative(np.zeros(1), 0.2), [0.2])
    assert F.sigmoid(np.zeros(1)) == 0.5
    assert F.sigmoid_derivative(np.zeros(1)) == 0.25
    assert F.silu(np.array([1.0])) == F.sigmoid(np.array([1.0]))
    np.testing.assert_allclose(F.softmax(np.log([1.0, 2.0, 5.0])), [0.125, 0.25, 0.625])


def test_sigmoid_keeps_its_precision_far_from_zero() -> None:
    z = np.array([-700.0, -40.0, -1.0, 3.0, 40.0])
    np.testing.assert_allclose(F.sigmoid(z), [1 / (1 + math.exp(-v)) for v in z], rtol=1e-14)


def test_normal_cdf_equals_the_standard_library() -> None:
    z = np.linspace(-12, 12, 2001)
    exact = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in z])
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    cdf, slope = F.normal_cdf(z)
    np.testing.assert_allclose(cdf[np.abs(z) < 8.5], exact[np.abs(z) < 8.5], rtol=2e-13)
    np.testing.assert_allclose(cdf, exact, atol=1e-16, rtol=1e-14 + 1e-13)
    np.testing.assert_allclose(slope, density, rtol=1e-13)
    cdf32, _ = F.normal_cdf(z.astype(np.float32))
    np.testing.assert_allclose(cdf32, exact, atol=3e-7)
    np.testing.assert_allclose(cdf32[np.abs(z) < 5], exact[np.abs(z) < 5], rtol=2e-6)


def test_gelu_forms_differ_by_little() -> None:
    z = np.linspace(-8, 8, 1001)
    gap = np.abs(F.gelu(z) - F.gelu(z, "tanh")).max()
    assert 1e-4 < gap < 5e-4


@settings(deadline=None)
@given(logits, st.floats(-100, 100))
def test_softmax_ignores_a_shift(z: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(F.softmax(z + shift), F.softmax(z), atol=1e-10)
    np.testing.assert_allclose(F.log_softmax(z + shift), F.log_softmax(z), atol=1e-9)


@settings(deadline=None)
@given(logits)
def test_softmax_is_a_distribution_and_log_softmax_its_logarithm(z: np.ndarray) -> None:
    p = F.softmax(z)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    np.testing.assert_allclose(np.exp(F.log_softmax(z)), p, atol=1e-12)
    np.testing.assert_allclose(F.softmax(z.T, dim=0), p.T)
    np.testing.assert_allclose(F.softmax(np.stack([z, z]), dim=1)[0], F.softmax(z, dim=0))
    np.testing.assert_allclose(F.log_softmax(z, dim=1), F.log_softmax(z))


@settings(deadline=None)
@given(moderate)
def test_symmetries(z: np.ndarray) -> None:
    np.testing.assert_allclose(F.sigmoid(-z), 1 - F.sigmoid(z), atol=1e-15)
    np.testing.assert_allclose(F.sigmoid(z), 0.5 + 0.5 * np.tanh(z / 2), atol=1e-15)
    np.testing.assert_allclose(F.gelu(z) - F.gelu(-z), z, atol=1e-13)
    np.testing.assert_allclose(F.gelu(z, "tanh") - F.gelu(-z, "tanh"), z, atol=1e-13)
    np.testing.assert_allclose(F.silu(z) - F.silu(-z), z, atol=1e-13)
    np.testing.assert_allclose(F.relu(z) - F.relu(-z), z)
    np.testing.assert_allclose(F.tanh(-z), -F.tanh(z))


def test_one_hot() -> None:
    np.testing.assert_array_equal(F.one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    assert F.one_hot([1], 2).dtype == np.float32
    assert F.one_hot([[1], [0]], 2, np.float64).shape == (2, 1, 2)
    for bad in ([0, 3], [-1, 0]):
        with pytest.raises(ValueError, match="labels must lie between 0 and 2"):
            F.one_hot(bad, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_large_arrays_are_the_same_in_blocks(dtype: type, approximate: str) -> None:
    z = np.random.default_rng(0).normal(size=(3, F.BLOCK // 2 + 7)).astype(dtype)
    for f in (F.gelu, F.gelu_derivative):
        whole = f(z, approximate)
        assert whole.dtype == dtype
        for row, expected in zip(z, whole, strict=True):
            np.testing.assert_allclose(f(row, approximate), expected, rtol=1e-6)
        np.testing.assert_array_equal(f(z.T, approximate), whole.T)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_and_its_slope_come_together(approximate: str) -> None:
    z = np.random.default_rng(0).normal(size=(4, 5))
    value, slope = F.gelu_and_slope(z, approximate)
    np.testing.assert_array_equal(value, F.gelu(z, approximate))
    np.testing.assert_array_equal(slope, F.gelu_derivative(z, approximate))
    number = F.gelu_and_slope(np.float32(0.5), approximate)
    assert [type(part) for part in number] == [np.float32, np.float32]


def test_other_forms_of_gelu_are_refused() -> None:
    for f in (F.gelu, F.gelu_derivative, F.gelu_and_slope):
        with pytest.raises(ValueError, match="approximate must be"):
            f(np.ones(2), "exact")


def test_backward_functions_take_the_last_axis_unless_told() -> None:
    grad, z = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for forward, backward in (
        (F.softmax, F.softmax_backward),
        (F.log_softmax, F.log_softmax_backward),
    ):
        y = forward(z)
        np.testing.assert_array_equal(backward(grad, y), backward(grad, y, -1))
        np.testing.assert_array_equal(backward(grad, y), backward(grad, y, 2))
        other = backward(grad.swapaxes(0, 2), forward(z.swapaxes(0, 2), 0), 0).swapaxes(0, 2)
        np.testing.assert_allclose(other, backward(grad, y), atol=1e-14)


@pytest.mark.parametrize("name", ["step", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "silu"])
def test_a_single_number_is_an_input_too(name):
    f = getattr(F, name)
    assert np.allclose(f(np.float64(0.7)), f(np.array([0.7]))[0])


def test_the_softmax_of_a_single_number_is_refused():
    with pytest.raises(ValueError, match="must have an axis of classes"):
        F.softmax(np.float64(1.0))
