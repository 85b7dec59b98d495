"""Gradient clipping, by norm and by value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import train
from ffcourse.nn import Parameter
from tests.nn_checks import assert_parity
from tests.torch_reference import registry


def parameters(reference: dict[str, np.ndarray]) -> list[Parameter]:
    params = []
    for i in range(3):
        p = Parameter(np.zeros_like(reference[f"grad.{i}"]))
        p.grad = reference[f"grad.{i}"].copy()
        params.append(p)
    return params


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("how", ["norm", "not", "value"])
def test_pytorch_agrees(how: str, dtype: str) -> None:
    reference = registry.reference("optim", "clipping", dtype)
    params = parameters(reference)
    if how == "value":
        train.clip_grad_value(params, 0.5)
    else:
        total = train.clip_grad_norm(params, 2.5 if how == "norm" else 1e4)
        assert_parity(np.array(total), reference[f"{how}.total"], dtype, "total")
    for i, p in enumerate(params):
        assert_parity(p.grad, reference[f"{how}.{i}"], dtype, f"grad {i}")


@settings(deadline=None)
@given(limit=st.floats(1e-3, 1e3), scale=st.floats(1e-3, 1e3))
def test_direction_is_kept_and_length_bounded(limit: float, scale: float) -> None:
    grad = np.random.default_rng(0).normal(size=(4, 3)) * scale
    p, without = Parameter(np.zeros((4, 3))), Parameter(np.zeros(2))
    p.grad = grad.copy()
    total = train.clip_grad_norm([p, without, p], limit)  # a tied weight counts once
    assert total == pytest.approx(np.linalg.norm(grad))
    assert np.linalg.norm(p.grad) <= limit * (1 + 1e-9) or np.array_equal(p.grad, grad)
    np.testing.assert_allclose(p.grad / np.linalg.norm(p.grad), grad / np.linalg.norm(grad))
    assert without.grad is None


def test_a_gradient_just_short_enough_is_left() -> None:
    p = Parameter(np.zeros(2))
    p.grad = np.array([3.0, 4.0])
    assert train.clip_grad_norm([p], 5.1) == 5.0  # 5.1 / 5 is above 1: no stretching
    np.testing.assert_array_equal(p.grad, [3.0, 4.0])


def test_large_float32_gradients_do_not_overflow() -> None:
    p = Parameter(np.zeros(4, np.float32))
    p.grad = np.full(4, 1e30, np.float32)
    assert train.clip_grad_norm([p], 1.0) == pytest.approx(2e30, rel=1e-6)
    np.testing.assert_allclose(p.grad, 0.5, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_told_and_left(bad: float) -> None:
    p = Parameter(np.zeros(2))
    p.grad = np.array([3.0, bad])
    assert not np.isfinite(train.clip_grad_norm([p], 1.0))
    np.testing.assert_array_equal(p.grad, [3.0, bad])


def test_no_gradients_have_no_length() -> None:
    assert train.clip_grad_norm([Parameter(np.zeros(2))], 1.0) == 0.0


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_limits_must_be_positive(limit: float) -> None:
    with pytest.raises(ValueError, match="max_norm: expected a number above zero"):
        train.clip_grad_norm([], limit)
    with pytest.raises(ValueError, match="clip_value: expected a number above zero"):
        train.clip_grad_value([], limit)
