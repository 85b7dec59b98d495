"""The public gradient check: right gradients pass, wrong ones are found and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ffcourse import nn, train

rng = np.random.default_rng(0)
X = rng.normal(size=(5, 3))


class Wrong(nn.Linear):
    """A layer with a mistake of one's choice."""

    mistake = ""

    def backward(self, grad: np.ndarray) -> np.ndarray:
        dx = super().backward(grad)
        if self.mistake == "bias":
            self.bias.grad *= 1.001
        if self.mistake == "one":
            self.weight.grad[1, 0] = 7
        if self.mistake == "missing":
            self.bias.grad = None
        if self.mistake == "sign":
            dx = -dx
        if self.mistake == "nan":
            dx[0, 0] = np.nan
        if self.mistake == "zero":
            dx[...] = 0
        return dx.sum(axis=0) if self.mistake == "shape" else dx


@pytest.mark.parametrize(
    ("mistake", "array", "worst"),
    [
        ("bias", "bias", None),
        ("one", "weight", (1, 0)),
        ("missing", "bias", None),
        ("sign", "input", None),
        ("nan", "input", (0, 0)),
        ("zero", "input", None),
    ],
)
def test_mistakes_are_found(mistake: str, array: str, worst: Any) -> None:
    layer = Wrong(3, 2)
    layer.mistake = mistake
    report = train.gradcheck(layer, X)
    wrong = [r for r in report.rows if r.relative_error > report.tolerance]
    assert [r.name for r in wrong] == [array]
    assert not report.passed
    assert not report
    assert report.max_relative_error == wrong[0].relative_error
    assert worst is None or wrong[0].worst == worst
    lines = str(report).splitlines()
    assert [line.split()[0] for line in lines if "<- WRONG" in line] == [array]
    assert lines[-1] == "gradient check FAILED: tolerance 1e-06"


def test_the_errors_size_is_told() -> None:
    layer = Wrong(3, 2)
    layer.mistake = "bias"
    report = train.gradcheck(layer, X)
    assert report.max_relative_error == pytest.approx(0.001 / 2.001, rel=1e-4)
    row = next(r for r in report.rows if r.name == "bias")
    assert row.analytic == pytest.approx(row.numeric * 1.001, rel=1e-6)
    assert (row.shape, row.checked) == ((2,), 2)
    assert train.gradcheck(layer, X, tolerance=1e-3).passed


def test_a_gradient_of_another_shape_is_an_error() -> None:
    layer = Wrong(3, 2)
    layer.mistake = "shape"
    with pytest.raises(ValueError, match=r"input: expected a gradient of shape \(5, 3\)"):
        train.gradcheck(layer, X)


def test_right_gradients_pass() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))
    report = train.gradcheck(model, X)
    assert report
    assert report.max_relative_error < 1e-8
    assert [r.name for r in report.rows] == ["input", *(n for n, _ in model.named_parameters())]
    assert str(report).splitlines()[-1] == "gradient check passed: tolerance 1e-06"
    assert repr(report) == str(report)


def test_losses_alone_and_with_a_model() -> None:
    target = np.array([0, 1, 1, 0, 1])
    logits = rng.normal(size=(5, 2))
    assert train.gradcheck(nn.CrossEntropyLoss(), logits, target)
    assert train.gradcheck(nn.MSELoss(), logits, rng.normal(size=(5, 2)))
    report = train.gradcheck(nn.Linear(3, 2), X, target, nn.CrossEntropyLoss())
    assert report
    assert len(report.rows) == 3


def test_tokens_are_not_differentiated() -> None:
    model = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 2))
    report = train.gradcheck(model, rng.integers(0, 7, (3, 5)))
    assert report
    assert "input" not in [r.name for r in report.rows]


def test_frozen_parameters_are_passed_over() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad = False
    assert [r.name for r in train.gradcheck(layer, X).rows] == ["input", "bias"]


def test_a_gradient_that_is_truly_zero_passes() -> None:
    """A bias before a normalisation has no effect; only rounding is measured."""
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    model[0].weight.data[...] = 1.0
    assert train.gradcheck(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), X)


def test_nothing_is_changed() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=rng))
    before, x = model.state_dict(), X.astype(np.float32)
    state = rng.bit_generator.state
    train.gradcheck(model, x)
    assert rng.bit_generator.state == state
    np.testing.assert_array_equal(x, X.astype(np.float32))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
        assert value.dtype == before[name].dtype
    assert model[0].weight.grad is None


def test_of_large_arrays_some_numbers_are_drawn() -> None:
    layer = Wrong(40, 30)
    row = next(
        r
        for r in train.gradcheck(layer, rng.normal(size=(2, 40)), entries=50).rows
        if r.name == "weight"
    )
    assert row.checked == 50
    assert row.relative_error < 1e-6
    layer.mistake = "sign"
    assert not train.gradcheck(layer, rng.normal(size=(2, 40)), entries=50)


def test_the_upstream_gradient_is_random() -> None:
    """A softmax that passes the sum of its upstream gradient on looks right with all ones."""
    seen = []

    class Spy(nn.Linear):
        def backward(self, grad: np.ndarray) -> np.ndarray:
            seen.append(grad.copy())
            return super().backward(grad)

    train.gradcheck(Spy(3, 2), X)
    train.gradcheck(Spy(3, 2), X, rng=np.random.default_rng(5))
    assert len(np.unique(seen[0])) == seen[0].size
    assert not np.array_equal(seen[0], seen[1])


class Square(nn.Module):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return x * x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return 2 * self.x * grad


def test_large_numbers_are_moved_by_more() -> None:
    """A step of 1e-5 would drown in the rounding of 1e12."""
    assert train.gradcheck(Square(), np.array([[1e6, 2e6, -3e6]]))


def test_where_nothing_depends_on_anything() -> None:
    report = train.gradcheck(nn.Step(), X)
    assert report
    assert report.max_relative_error == 0.0


def test_the_table() -> None:
    rows = (
        train.GradcheckRow("input", (5, 3), 15, 2e-9, 0.25, 0.25, (4, 1)),
        train.GradcheckRow("0.weight", (3, 2), 6, 0.5, -1.5, 0.5, (0, 0)),
    )
    report = train.GradcheckReport(rows, 1e-6)
    assert report.max_relative_error == 0.5
    assert str(report) == (
        "array     shape           checked  rel. error  backward says     measured  worst at\n"
        "input     (5, 3)               15     2.0e-09           0.25         0.25  [4, 1]\n"
        "0.weight  (3, 2)                6     5.0e-01           -1.5          0.5  [0, 0]"
        "   <- WRONG\n"
        "gradient check FAILED: tolerance 1e-06"
    )
    assert train.GradcheckReport((), 1e-6).max_relative_error == 0.0
    exact = train.GradcheckRow("input", (1,), 1, 1e-6, 1.0, 1.0, (0,))
    assert train.GradcheckReport((exact,), 1e-6).passed
    assert "WRONG" not in str(train.GradcheckReport((exact,), 1e-6))


def test_a_parameter_without_effect_needs_no_gradient() -> None:
    class Unused(nn.Linear):
        def forward(self, x: np.ndarray) -> np.ndarray:
            self._x = x
            return x @ self.weight.data

        def backward_params(self, grad: np.ndarray) -> None:
            self.weight.accumulate(self._x.T @ grad)

    rows = {row.name: row for row in train.gradcheck(Unused(3, 2), X).rows}
    assert rows["bias"].relative_error == 0.0
    assert rows["bias"].checked == 2


def test_a_thousand_numbers_of_each_array_unless_told_otherwise() -> None:
    report = train.gradcheck(nn.Linear(1001, 1, bias=False), rng.normal(size=(1, 1001)))
    assert [row.checked for row in report.rows] == [1000, 1000]


def test_every_number_of_a_small_array_is_checked() -> None:
    class OneWrong(nn.Linear):
        place: int

        def backward(self, grad: np.ndarray) -> np.ndarray:
            dx = super().backward(grad)
            self.weight.grad.ravel()[self.place] += 1
            return dx

    layer = OneWrong(3, 4)
    for layer.place in range(12):
        assert not train.gradcheck(layer, X, entries=12)


class Cube(nn.Module):
    """y = x³, whose measured slope is 3 x² + h²: it tells the step h."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return x**3

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * 3 * self._x**2


@pytest.mark.parametrize(("x", "step"), [(0.0, 1e-5), (0.5, 1e-5), (-1.5, 1.5e-5), (8.0, 8e-5)])
def test_numbers_are_moved_by_a_hundred_thousandth_of_their_size(x: float, step: float) -> None:
    """Where h² is a third of rounding or more, it can be seen; and it stays far below 1e-6."""
    report = train.gradcheck(Cube(), np.array([[x]]))
    upstream = np.random.default_rng(0).normal()
    (row,) = report.rows
    assert row.numeric / upstream - 3 * x**2 == pytest.approx(step**2, rel=0.6, abs=2e-10 * x**2)
    assert report.passed == (x != 0)  # there the slope is zero, and only h² is measured


def test_the_seed_is_zero_unless_told_otherwise() -> None:
    layer = nn.Linear(3, 2, rng=rng)
    ours, zero = train.gradcheck(layer, X), train.gradcheck(layer, X, rng=np.random.default_rng(0))
    assert [r.analytic for r in ours.rows] == [r.analytic for r in zero.rows]
    assert ours.rows == zero.rows


def test_columns_are_no_wider_than_their_longest_word() -> None:
    alone, long = (
        str(train.gradcheck(nn.Tanh(), X)),
        str(train.gradcheck(nn.Sequential(nn.Linear(3, 2)), X)),
    )
    assert alone.startswith("array  shape ")
    assert long.startswith("array     shape ")  # as wide as 0.weight
    assert len({line.index("(") for line in long.splitlines()[1:-1]}) == 1


class Idle(nn.Module):
    """A parameter that has no influence, and a backward pass that says it has a little."""

    __slots__ = ("said", "scale", "weight")

    def __init__(self, scale: float, said: float) -> None:
        self.scale, self.said = scale, said
        self.weight = nn.Parameter(np.zeros(1))

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.scale * x

    def backward(self, grad: np.ndarray) -> np.ndarray:
        self.weight.accumulate(np.array([self.said]))
        return self.scale * grad


def test_a_gradient_of_zero_is_judged_by_a_thousandth_of_the_largest() -> None:
    scale = 1e4 / abs(np.random.default_rng(0).normal())  # so the input's gradient has length 1e4
    for said, passes in ((0.9e-5, True), (1.1e-5, False)):
        report = train.gradcheck(Idle(scale, said), np.ones((1, 1)))
        assert report.passed == passes
        assert report.rows[1].relative_error == pytest.approx(said / 10, rel=1e-6)
