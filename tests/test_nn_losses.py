"""Losses and penalties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn
from tests.nn_checks import check_loss

WEIGHT = np.array([0.5, 1.0, 2.0, 4.0])
rng = np.random.default_rng(0)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (2, 3, 2), (4,)])
def test_mse(shape: tuple[int, ...], reduction: str) -> None:
    check_loss(nn.MSELoss(reduction), rng.normal(size=shape), rng.normal(size=shape))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("pos_weight", [None, 3.0])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (2, 3, 2), (4,)])
def test_bce(shape: tuple[int, ...], pos_weight: float | None, reduction: str) -> None:
    loss_fn = nn.BCEWithLogitsLoss(pos_weight, reduction)
    check_loss(loss_fn, rng.normal(size=shape) * 3, rng.integers(0, 2, shape))
    check_loss(loss_fn, rng.normal(size=shape) * 3, rng.uniform(size=shape))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("shape", [(1, 4), (6, 4), (2, 3, 4), (4,)])
def test_cross_entropy(
    shape: tuple[int, ...], smoothing: float, weight: np.ndarray | None, reduction: str
) -> None:
    loss_fn = nn.CrossEntropyLoss(weight, label_smoothing=smoothing, reduction=reduction)
    labels = rng.integers(0, 4, shape[:-1])
    check_loss(loss_fn, rng.normal(size=shape) * 3, labels)
    if len(shape) > 1 and labels.size > 1:
        labels.flat[0] = -100
        check_loss(loss_fn, rng.normal(size=shape) * 3, labels)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(1, 4), (6, 4), (2, 3, 4)])
def test_distillation(shape: tuple[int, ...], alpha: float) -> None:
    labels, teacher = rng.integers(0, 4, shape[:-1]), rng.normal(size=shape) * 2
    loss_fn = nn.DistillationLoss(3.0, alpha)
    check_loss(loss_fn, rng.normal(size=shape), labels, teacher)  # type: ignore[arg-type]


def test_known_values() -> None:
    assert nn.MSELoss()(np.array([[1.0, 4.0]]), np.array([[0.0, 2.0]])) == 2.5
    assert nn.MSELoss("sum")(np.array([[1.0, 4.0]]), np.array([[0.0, 2.0]])) == 5.0
    zeros = np.zeros((3, 1))
    assert nn.BCEWithLogitsLoss()(zeros, np.array([[0], [1], [1]])) == pytest.approx(math.log(2))
    assert nn.CrossEntropyLoss()(np.zeros((3, 8)), np.array([1, 2, 7])) == pytest.approx(
        math.log(8)
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("padded", [False, True])
def test_cross_entropy_is_what_the_formula_says(
    padded: bool, smoothing: float, weight: np.ndarray | None, reduction: str
) -> None:
    logits, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    if padded:
        labels[2] = -100
    w = np.ones(4) if weight is None else weight
    total = divisor = 0.0
    for z, label in zip(logits, labels, strict=True):
        if label == -100:
            continue
        minus_log_p = -np.log(np.exp(z) / np.exp(z).sum())
        total += (1 - smoothing) * w[label] * minus_log_p[label]
        total += smoothing * np.mean(w * minus_log_p)
        divisor += w[label]
    expected = total / divisor if reduction == "mean" else total
    loss_fn = nn.CrossEntropyLoss(weight, label_smoothing=smoothing, reduction=reduction)
    assert loss_fn(logits, labels) == pytest.approx(expected)


def test_losses_of_wide_rows() -> None:
    z, y = rng.normal(size=(3, 100)), np.array([0, 50, 99])
    expected = -np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[[0, 1, 2], y].mean()
    assert nn.CrossEntropyLoss()(z, y) == pytest.approx(expected)


def test_weights_that_count_twice_are_examples_that_stand_twice() -> None:
    logits, labels = rng.normal(size=(3, 2)), np.array([0, 1, 1])
    twice = nn.CrossEntropyLoss()(np.concatenate([logits, logits[1:]]), np.array([0, 1, 1, 1, 1]))
    assert nn.CrossEntropyLoss([1.0, 2.0])(logits, labels) == pytest.approx(twice)
    z, y = rng.normal(size=(3, 1)), np.array([[0], [1], [1]])
    twice = nn.BCEWithLogitsLoss(reduction="sum")(np.concatenate([z, z[1:]]), y[[0, 1, 2, 1, 2]])
    assert nn.BCEWithLogitsLoss(2.0, "sum")(z, y) == pytest.approx(twice)


def test_cross_entropy_of_two_classes_is_binary_cross_entropy() -> None:
    z, y = rng.normal(size=5), rng.integers(0, 2, 5)
    both = np.stack([np.zeros(5), z], axis=1)
    assert nn.CrossEntropyLoss()(both, y) == pytest.approx(nn.BCEWithLogitsLoss()(z, y))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_confident_and_wrong_costs_much_but_stays_finite(dtype: type) -> None:
    logits = np.array([[1e4, -1e4]], dtype)
    for loss_fn, target in (
        (nn.CrossEntropyLoss(), np.array([1])),
        (nn.BCEWithLogitsLoss(reduction="sum"), np.array([[0.0, 1.0]])),
    ):
        assert loss_fn(logits, target) == pytest.approx(2e4)
        gradient = loss_fn.backward()
        assert gradient.dtype == dtype
        np.testing.assert_allclose(gradient, [[1, -1]])


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(2, 5), st.floats(-50, 50), st.integers(0, 99))
def test_cross_entropy_ignores_a_shift(n: int, classes: int, shift: float, seed: int) -> None:
    r = np.random.default_rng(seed)
    z, y = r.normal(size=(n, classes)), r.integers(0, classes, n)
    loss_fn = nn.CrossEntropyLoss()
    loss = loss_fn(z, y)
    assert loss >= 0
    assert loss_fn(z + shift, y) == pytest.approx(loss, abs=1e-10)
    np.testing.assert_allclose(loss_fn.backward().sum(axis=1), 0, atol=1e-12)
    order = r.permutation(n)
    assert loss_fn(z[order], y[order]) == pytest.approx(loss)


def test_distillation_is_zero_where_student_and_teacher_agree() -> None:
    z, y = rng.normal(size=(4, 3)), np.array([0, 1, 2, 0])
    loss_fn = nn.DistillationLoss(2.0, alpha=1.0)
    assert loss_fn(z, y, z) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(loss_fn.backward(), 0, atol=1e-12)
    assert nn.DistillationLoss(alpha=0.0)(z, y, -z) == pytest.approx(nn.CrossEntropyLoss()(z, y))


def test_uint8_labels_and_any_integer() -> None:
    z = rng.normal(size=(3, 4))
    for dtype in (np.uint8, np.int32, np.uint64):
        loss = nn.CrossEntropyLoss()(z, np.array([0, 3, 1], dtype))
        assert loss == nn.CrossEntropyLoss()(z, np.array([0, 3, 1]))


BAD = [
    (nn.MSELoss(), np.zeros((3, 1)), np.zeros(3), ValueError, r"the predictions, \(3, 1\)"),
    (nn.BCEWithLogitsLoss(), np.zeros(3), np.zeros(2), ValueError, r"shape of the logits, \(3,\)"),
    (nn.MSELoss(), np.zeros((0, 1)), np.zeros((0, 1)), ValueError, "empty"),
    (nn.MSELoss(), np.zeros(3, int), np.zeros(3), TypeError, "floating-point, got dtype int64"),
    (nn.MSELoss(), np.zeros(3), np.array(list("abc")), TypeError, "target must be numbers"),
    (nn.BCEWithLogitsLoss(), np.zeros(2), np.array([0, 2]), ValueError, "between 0 and 1"),
    (nn.BCEWithLogitsLoss(), np.zeros(2), np.array([-1, 1]), ValueError, "got -1 to 1"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3)), np.array([0, 3]), ValueError, "from 0 to 2"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3)), np.array([0, -1]), ValueError, "from -1 to 0"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3)), np.array([0.0, 1.0]), TypeError, "integer labels"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3)), np.zeros((2, 1), int), ValueError, r"\(2,\)"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3)), np.zeros((2, 3), int), ValueError, r"got \(2, 3\)"),
    (nn.CrossEntropyLoss(), np.zeros((0, 3)), np.zeros(0, int), ValueError, "empty"),
    (nn.CrossEntropyLoss(), np.float64(1), np.int64(0), ValueError, "target must have shape"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3), int), np.zeros(2, int), TypeError, "floating-point"),
    (nn.CrossEntropyLoss([1, 2]), np.zeros((2, 3)), np.zeros(2, int), ValueError, r"\(3,\), got"),
    (nn.CrossEntropyLoss(), np.zeros((2, 3)), np.full(2, -100), ValueError, "ignore_index"),
]


@pytest.mark.parametrize(("loss_fn", "logits", "target", "error", "message"), BAD)
def test_bad_input(
    loss_fn: nn.Loss, logits: np.ndarray, target: np.ndarray, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        loss_fn(logits, target)


def test_bad_options() -> None:
    with pytest.raises(ValueError, match="reduction must be"):
        nn.MSELoss("none")
    with pytest.raises(ValueError, match="label_smoothing must lie"):
        nn.CrossEntropyLoss(label_smoothing=1.5)
    with pytest.raises(ValueError, match="temperature must be positive"):
        nn.DistillationLoss(0)
    for alpha in (-0.1, 1.1):
        with pytest.raises(ValueError, match="alpha must lie"):
            nn.DistillationLoss(alpha=alpha)
    with pytest.raises(ValueError, match=r"teacher_logits must have .* \(2, 3\), got \(2, 4\)"):
        nn.DistillationLoss()(np.zeros((2, 3)), np.zeros(2, int), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="strength must be a number of at least 0"):
        nn.L2Penalty([], -1)


def test_backward_before_forward_is_told() -> None:
    for loss_fn in (nn.MSELoss(), nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()):
        with pytest.raises(AttributeError, match=r"loss_fn\(logits, target\) before backward"):
            loss_fn.backward()
        with pytest.raises(AttributeError, match="has no attribute 'lr'"):
            loss_fn.lr  # noqa: B018
    with pytest.raises(RuntimeError, match="before backward"):
        nn.DistillationLoss().backward()


def test_base_class_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="Loss has no forward pass"):
        nn.Loss()(np.zeros(1), np.zeros(1))
    with pytest.raises(NotImplementedError, match="Loss has no backward pass"):
        nn.Loss().backward()


def test_repr() -> None:
    assert repr(nn.MSELoss()) == "MSELoss(reduction='mean')"
    assert repr(nn.BCEWithLogitsLoss(2)) == "BCEWithLogitsLoss(pos_weight=2, reduction='mean')"
    assert repr(nn.BCEWithLogitsLoss()) == "BCEWithLogitsLoss(reduction='mean')"
    assert repr(nn.CrossEntropyLoss()) == "CrossEntropyLoss(reduction='mean')"
    assert repr(nn.CrossEntropyLoss([1, 2], label_smoothing=0.1, reduction="sum")) == (
        "CrossEntropyLoss(weight=[1, 2], label_smoothing=0.1, reduction='sum')"
    )
    assert repr(nn.DistillationLoss()) == "DistillationLoss(temperature=2.0, alpha=0.5)"
    assert nn.DistillationLoss(0.5).temperature == 0.5
    assert repr(nn.DistillationLoss(3, 0.1)) == "DistillationLoss(temperature=3, alpha=0.1)"
    assert repr(nn.L1Penalty([], 0.5)) == "L1Penalty(0 parameters, 0.5)"


# -- penalties ----------------------------------------------------------------------------------


def test_penalties() -> None:
    a, b = nn.Parameter(np.array([1.0, -2.0])), nn.Parameter(np.array([[3.0]]))
    a.grad = np.array([10.0, 10.0])
    l2 = nn.L2Penalty([a, b], 0.5)
    assert l2() == 0.25 * (1 + 4 + 9)
    l2.backward()
    np.testing.assert_array_equal(a.grad, [10.5, 9.0])
    np.testing.assert_array_equal(b.grad, [[1.5]])
    l1 = nn.L1Penalty([a, b], 0.5)
    assert l1() == 0.5 * 6
    l1.backward()
    np.testing.assert_array_equal(a.grad, [11.0, 8.5])
    np.testing.assert_array_equal(b.grad, [[2.0]])
    zero = nn.Parameter(np.zeros(2))
    nn.L1Penalty([zero], 0.5).backward()
    np.testing.assert_array_equal(zero.grad, 0)
    assert nn.L2Penalty([a], 0)() == 0
    b.requires_grad = False
    l1.backward()
    np.testing.assert_array_equal(b.grad, [[2.0]])
