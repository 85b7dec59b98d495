"""The sentences about a difference: right about the numbers, and silent about hidden ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ffcourse.grade.code import without_figures
from ffcourse.grade.compare import difference, told_of_hidden
from ffcourse.grade.report import printable

rng = np.random.default_rng(3)
A = rng.normal(size=(4, 3))
P = np.abs(A) + 0.5
V = A[:, 0]


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (A, A * -2.0, "-2: the sign is flipped, too"),
        (V, V * np.sqrt(3 / 4), "N - 1 in the place of N"),
        (P, P / np.log(2), "base 2"),
        (P, P * 100, "percent"),
        (A, A[:, ::-1], "columns are in reverse"),
        (A, np.abs(A), "signs are lost"),
        (A, np.maximum(A, 0), "with a ReLU on top"),
        (np.maximum(A, 0), A, "is a ReLU missing?"),
        (np.maximum(A, 0), np.abs(A), "wherever 0 is expected"),
        (A, A**2, "the squares"),
        (P, np.sqrt(P), "the square roots"),
        (A, np.exp(A), "the exponentials"),
        (P, np.log(P), "the logarithms"),
        (P, 1 / P, "1 divided by"),
        (A, 1 - A, "1 minus"),
        (A, 1 / (1 + np.exp(-A)), "a sigmoid on top"),
        (A, np.tanh(A), "a tanh on top"),
        (V, np.cumsum(V), "running sums"),
        (
            A,
            A + np.array([1.0, 2.0, 3.0]),
            "Within each column all values are off by the same amount",
        ),
        (A, A * [[1.0], [2.0], [3.0], [0.5]], "Within each row all values are off by the same fac"),
        (10 * A, (10 * A).astype(int), "cut off"),
        (10 * A, np.rint(10 * A), "rounded, or"),
        (A, A.round(2), "rounded to 2 digits"),
        (np.array([0, 1, 1, 0]), np.array([1, 0, 0, 1]), "0 and 1 are exchanged"),
        (np.array([1, 0, 0, 1]), np.array([1, -1, -1, 1]), "0 is expected and yours is -1"),
        (A, np.where(np.arange(3) == 1, 9.0 * A**3, A), "in column 1 only"),
        (V, V[:3], "last one is missing"),
        (V, V[2:], "first 2 are missing"),
        (V, [*V, 9.0], "1 too many at the end"),
        (V, V - V[:, None], "A square"),
        (V[:, None], V - V[:, None], "A square"),
        (A[0], A.T[:, :, None] * A[0], "Expected shape (3,)"),
        (A.mean(axis=0), A, "The mean of yours over the first axis"),
        (A[:, 0], A, "over the last axis may be missing"),
        (A, A[0], "of length 4, is missing"),
        (V, np.float64(V.sum()), "the sum of what was expected"),
        (3, 4, "one too many"),
        (3, 2, "one too few"),
        (2, 1, "one too few"),
        (np.array([4e-18, 1e-99, 0]), np.zeros(3), "index [0]: expected 4e-18, got 0"),
        (1, 2, "one too many"),
        (4, 2, "Expected 4, got 2."),
        (40, 20, "half"),
        (5, -5, "sign is flipped"),
        (1.3825, -1.3825, "the other sign"),
        (1.3825, 1.3825**2, "the square of"),
        (1.3825, 1.3825**0.5, "the square root of"),
        (0.3, 0.7, "1 minus"),
        (0.3, 30.0, "100 times"),
        (0.5, np.int64(0), "cut off"),
        (np.array([0.1, 1, 0.1]), np.array([0.0, 1, 0]), "a 0 that you wrote"),
    ],
)
def test_forms(expected: Any, got: Any, words: str) -> None:
    given, asked = np.asarray(got), np.asarray(expected)
    assert words in str(difference(asked, given))


def test_nothing_is_said_without_a_reason() -> None:
    """Wrong values of no special form get no guess, and nothing here warns or raises."""
    for size in ((), (1,), (2,), (7,), (2, 2), (5, 4), (2, 3, 4)):
        for _ in range(40):
            a, b = rng.normal(size=size), rng.normal(size=size)
            told = str(difference(a, b))
            assert told.endswith((".", "?")), told
            guesses = told.partition("differ")[2] if size else told.partition("got ")[2]
            if np.prod(size) > 3:
                assert "Yours" not in guesses, told
                assert "off by" not in guesses, told
    for odd in (0.0, np.nan, np.inf, -np.inf, 1e308, 5e-324):
        for a, b in ((np.full((3, 2), odd), A[:3, :2]), (A[:3, :2], np.full((3, 2), odd))):
            assert difference(a, b)
    assert difference(np.zeros((0, 3)), np.zeros((0, 4)))
    assert difference(np.zeros(3), np.zeros(0))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (A * np.nan, "NaN"),
        (np.full_like(A, np.inf), "infinity"),
        (A.T, "transposed"),
        (-A, "sign is flipped"),
    ],
)
def test_what_may_be_told_of_hidden_values(got: np.ndarray, words: str) -> None:
    told = str(told_of_hidden(A, got, {}))
    assert words in told
    assert not any(c.isdigit() for c in told.replace("0/0", "").replace("log(0)", ""))


@pytest.mark.parametrize(
    "got", [A * 2, A + 1, A[:3], np.ones_like(A), A[::-1], np.abs(A), "x", None]
)
def test_what_may_not(got: Any) -> None:
    """A factor or an amount could be used to read off what is hidden."""
    assert told_of_hidden(A, got, {}) is None


def test_few_hidden_values_could_be_guessed() -> None:
    assert told_of_hidden(np.array([1.0, -1.0]), np.array([-1.0, 1.0]), {}) is None
    assert told_of_hidden(3.0, -3.0, {}) is None
    assert told_of_hidden(A, -A, {"rule": "accuracy"}) is None


def test_given_cells_draw_nothing_in_the_grader() -> None:
    source = (
        "x = 1  # kept\nfig = show.live(f)\nshow.live(\n    f, w=(0, 1)\n)\nshow.panel(x); y = 2\n"
    )
    assert without_figures(source).splitlines() == [
        "x = 1  # kept", "fig = show.live(f)", "", "", "", "show.panel(x); y = 2",
    ]  # fmt: skip
    assert without_figures("show.live(f") == "show.live(f"


def test_a_terminal_is_not_spoken_to() -> None:
    assert printable("a\x1b[2J\u202eb\n数 é") == "a\\x1b[2J\\u202eb\n数 é"
