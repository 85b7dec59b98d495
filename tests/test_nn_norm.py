"""Layer, RMS and batch normalisation, and dropout."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from tests.nn_checks import check_eval_is_deterministic, check_gradients, check_module

rng = np.random.default_rng(0)


def redrawn(module: nn.Module) -> nn.Module:
    """Random parameters: with ones and zeros, a forgotten factor would not be seen."""
    module.to(np.float64)
    for p in module.parameters():
        p.data[...] = rng.normal(size=p.shape) + 1
    return module


LAST_AXES = [
    (lambda: nn.LayerNorm(5), (3, 5)),
    (lambda: nn.LayerNorm(5), (1, 5)),
    (lambda: nn.LayerNorm(5), (2, 3, 5)),
    (lambda: nn.LayerNorm(5), (5,)),
    (lambda: nn.LayerNorm((3, 5), eps=0.1), (2, 3, 5)),
    (lambda: nn.LayerNorm(5, bias=False), (3, 5)),
    (lambda: nn.LayerNorm(5, elementwise_affine=False), (3, 5)),
    (lambda: nn.RMSNorm(5), (3, 5)),
    (lambda: nn.RMSNorm(5), (1, 5)),
    (lambda: nn.RMSNorm(5), (2, 3, 5)),
    (lambda: nn.RMSNorm((3, 5), eps=0.1), (2, 3, 5)),
    (lambda: nn.RMSNorm(5, elementwise_affine=False), (3, 5)),
]
BATCH = [
    (lambda: nn.BatchNorm1d(3), (4, 3)),
    (lambda: nn.BatchNorm1d(3), (2, 3)),
    (lambda: nn.BatchNorm1d(3, eps=0.1), (2, 3, 4)),
    (lambda: nn.BatchNorm1d(3), (1, 3, 2)),
    (lambda: nn.BatchNorm1d(3, affine=False), (4, 3)),
    (lambda: nn.BatchNorm2d(3), (2, 3, 2, 3)),
]


@pytest.mark.parametrize(("make", "shape"), LAST_AXES + BATCH)
def test_gradients_and_manners(make, shape) -> None:
    check_module(redrawn(make()), rng.normal(size=shape) * 2 + 1, rng)


@pytest.mark.parametrize(("make", "shape"), BATCH)
def test_batch_norm_gradients_in_evaluation(make, shape) -> None:
    layer = redrawn(make())
    layer(rng.normal(size=shape) * 2 + 1)
    check_gradients(layer.eval(), rng.normal(size=shape), rng)


@pytest.mark.parametrize("make", [lambda: nn.LayerNorm(4), lambda: nn.RMSNorm(4)])
def test_frozen_norm_still_passes_gradients(make) -> None:
    check_gradients(redrawn(make()).freeze(), rng.normal(size=(3, 4)), rng)


def test_frozen_batch_norm_gets_no_gradient() -> None:
    check_gradients(redrawn(nn.BatchNorm1d(4)).freeze(), rng.normal(size=(3, 4)), rng)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(0, 99), st.floats(0.1, 10), st.floats(-5, 5))
def test_shift_and_stretch_do_not_matter(n: int, seed: int, stretch: float, shift: float) -> None:
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, 4))
    layer = nn.LayerNorm(4, eps=0.0)
    y = layer.to(np.float64)(x)
    np.testing.assert_allclose(layer(x * stretch + shift), y, atol=1e-9)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=1), 1)
    rms = nn.RMSNorm(4, eps=0.0).to(np.float64)
    np.testing.assert_allclose(rms(x * stretch), rms(x), atol=1e-12)
    np.testing.assert_allclose(np.square(rms(x)).mean(axis=1), 1)
    batch = nn.BatchNorm1d(4, eps=0.0).to(np.float64)
    y = batch(x)
    np.testing.assert_allclose(batch(x * stretch + shift), y, atol=1e-7)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1)


def test_eps_keeps_constant_examples_finite() -> None:
    for layer in (nn.LayerNorm(4), nn.RMSNorm(4)):
        assert np.isfinite(layer(np.zeros((2, 4), np.float32))).all()


def test_eps_is_added_to_the_variance() -> None:
    x = np.array([[-1.0, 1.0], [1.0, -1.0]])
    for layer in (nn.LayerNorm(2, eps=3.0), nn.RMSNorm(2, eps=3.0), nn.BatchNorm1d(2, eps=3.0)):
        np.testing.assert_allclose(layer.to(np.float64)(x), x / 2)


def test_running_statistics() -> None:
    layer = nn.BatchNorm1d(2, momentum=0.25, dtype=np.float64)
    x = np.array([[1.0, 10.0], [3.0, 30.0]])
    layer(x)
    np.testing.assert_allclose(layer.running_mean, [0.25 * 2, 0.25 * 20])
    np.testing.assert_allclose(layer.running_var, [0.75 + 0.25 * 2, 0.75 + 0.25 * 200])  # unbiased
    assert layer.num_batches_tracked == 1
    three = nn.BatchNorm1d(1, momentum=1.0, dtype=np.float64)
    three(np.array([[1.0], [2.0], [6.0]]))
    np.testing.assert_allclose(three.running_var, 7.0)
    even = nn.BatchNorm1d(2, momentum=None, dtype=np.float64)
    even(x)
    even(3 * x)
    np.testing.assert_allclose(even.running_mean, [4, 40])
    np.testing.assert_allclose(even.running_var, [10, 1000])
    assert even.num_batches_tracked == 2


def test_evaluation_does_not_depend_on_company() -> None:
    layer = nn.BatchNorm1d(3, dtype=np.float64)
    for _ in range(4):
        layer(rng.normal(size=(8, 3)))
    x = rng.normal(size=(5, 3))
    y = layer.eval()(x)
    np.testing.assert_allclose(layer(x[2:3]), y[2:3])
    assert layer.num_batches_tracked == 4


def test_without_running_statistics_the_batch_is_always_used() -> None:
    layer = nn.BatchNorm1d(3, track_running_stats=False, dtype=np.float64)
    x = rng.normal(size=(5, 3)) * 4
    y = layer(x)
    np.testing.assert_array_equal(layer.eval()(x), y)
    np.testing.assert_array_equal(layer.running_mean, 0)
    check_gradients(layer, x, rng)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"LayerNorm: x must have shape \(\.\.\., 4\), got \(2, 3"):
        nn.LayerNorm(4)(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"RMSNorm: x must have shape \(\.\.\., 2, 4\), got \(4,"):
        nn.RMSNorm((2, 4))(np.zeros(4))
    with pytest.raises(ValueError, match="more than one value per feature"):
        nn.BatchNorm1d(4)(np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"2 or 3 axes and 4 features on axis 1, got shape \(2, 3"):
        nn.BatchNorm1d(4)(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="BatchNorm2d: x must have 4 axes"):
        nn.BatchNorm2d(4)(np.zeros((2, 4)))
    with pytest.raises(TypeError, match="floating-point"):
        nn.BatchNorm1d(4)(np.zeros((2, 4), int))


@pytest.mark.parametrize("make", [lambda: nn.LayerNorm(4), lambda: nn.RMSNorm(4)])
def test_float32_stays_float32(make) -> None:
    layer, x = make(), rng.normal(size=(3, 4)).astype(np.float32)
    assert layer(x).dtype == np.float32
    assert layer.backward(x).dtype == np.float32
    assert all(p.grad is not None and p.grad.dtype == np.float32 for p in layer.parameters())


def test_float32_stays_float32_in_batch_norm() -> None:
    layer, x = nn.BatchNorm1d(4), rng.normal(size=(3, 4)).astype(np.float32)
    for _ in range(2):
        assert layer(x).dtype == np.float32
        assert layer.backward(x).dtype == np.float32
        layer.eval()
    assert layer.running_var.dtype == np.float32


def test_order_of_parameters_and_repr() -> None:
    for layer in (nn.LayerNorm(4), nn.BatchNorm1d(4)):
        assert [n for n, _ in layer.named_parameters()] == ["weight", "bias"]
    assert repr(nn.LayerNorm(4)) == "LayerNorm((4,), eps=1e-05)"
    assert repr(nn.RMSNorm((2, 4), eps=0.1)) == "RMSNorm((2, 4), eps=0.1)"
    assert repr(nn.BatchNorm2d(4)) == "BatchNorm2d(4, eps=1e-05, momentum=0.1)"


# -- dropout ------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("shape", [(1, 6), (3, 4), (2, 3, 4)])
def test_dropout(p: float, shape: tuple[int, ...]) -> None:
    layer = nn.Dropout(p, rng=np.random.default_rng(1))
    start = copy.deepcopy(layer.rng)

    def reset() -> None:
        layer.rng = copy.deepcopy(start)

    check_module(layer, rng.normal(size=shape), rng, reset=reset)


def test_dropout_drops_a_share_and_keeps_the_mean() -> None:
    layer = nn.Dropout(0.3, rng=np.random.default_rng(2))
    x = np.ones((400, 250), np.float32)
    y = layer(x)
    assert y.dtype == np.float32
    assert abs((y == 0).mean() - 0.3) < 0.01
    np.testing.assert_allclose(y[y != 0], 1 / 0.7, rtol=1e-6)
    np.testing.assert_array_equal(layer.backward(x), y)
    assert not np.array_equal(layer(x), y)  # a new mask each time
    np.testing.assert_array_equal(layer.eval()(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)
    check_eval_is_deterministic(layer, x)


def test_dropout_of_everything() -> None:
    np.testing.assert_array_equal(nn.Dropout(1.0)(np.ones((2, 3))), 0)


def test_dropout_options() -> None:
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match=r"p must lie in \[0, 1\]"):
            nn.Dropout(p)
    assert repr(nn.Dropout(0.2)) == "Dropout(p=0.2)"
    assert nn.Dropout().p == 0.5
