"""Controls, from annotations, defaults and keywords."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from ffcourse.show import Choice, Log, Range, Switch, Weights
from ffcourse.show.controls import decimals
from ffcourse.show.ranges import controls_of, nice_step


def fn(
    w: float,
    n: int = 3,
    lr: Log(1e-4, 1.0) = 0.01,
    kind: Literal["a", "b"] = "b",
):
    """Do nothing."""


def test_controls_from_annotations():
    found = controls_of(fn, {})
    assert {k: type(c) for k, c in found.items()} == {
        "w": Range,
        "n": Range,
        "lr": Log,
        "kind": Choice,
    }
    assert [c.value for c in found.values()] == [0.0, 3, 0.01, "b"]
    assert found["n"].whole
    assert not found["w"].whole


def test_controls_from_keywords_win():
    found = controls_of(fn, {"w": (-1, 1), "n": [1, 3], "kind": ["b", "c"]})
    assert (found["w"].low, found["w"].high) == (-1, 1)
    assert found["n"].options == (1, 3)


def test_keyword_specs():
    def f(a, b=1.0, c=2, d=True, e: Annotated[float, Range(0, 1)] = 0.5):
        pass

    found = controls_of(partial(f, e=0.5), {"a": (0, 10), "b": (0, 10), "c": (0, 10), "d": False})
    assert found["a"].whole
    assert not found["b"].whole
    assert isinstance(found["d"], Switch)
    assert found["d"].value is False


def test_open_ended_functions_take_any_control():
    def f(**values: Any):
        pass

    assert list(controls_of(f, {"b": (0, 1), "a": (0, 1)})) == ["b", "a"]


def test_other_defaults_get_no_control():
    def f(w=1.0, data=None, name="x"):
        pass

    assert list(controls_of(f, {})) == ["w"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"v": (0, 1)}, TypeError, "fn has no parameter 'v'; it has: w, n, lr, kind"),
        ({"w": (2, 1)}, ValueError, "low must lie under high, got 2"),
        ({"n": (5, 9)}, ValueError, "n must lie between 5 and 9, got 3"),
        ({"kind": ["c"]}, ValueError, "kind must be one of"),
    ],
)
def test_wrong_specs(given, error, message):
    with pytest.raises(error, match=message):
        controls_of(fn, given)


def test_no_range_and_too_many():
    with pytest.raises(TypeError, match="no range for 'a'; pass a="):
        controls_of(lambda a: None, {})
    with pytest.raises(ValueError, match="would get 5 controls, and four is the limit"):
        controls_of(lambda a=1.0, b=1.0, c=1.0, d=1.0, e=1.0: None, {})


def test_an_array_of_weights_counts_as_two_controls():
    given = {name: Weights(-1, 1, value=[0.0, 1.0]) for name in "wv"}
    with pytest.raises(ValueError, match=r"5 controls.*\(w, v: Weights, a menu and a slider"):
        controls_of(lambda w, v, a=1.0: None, given)


def test_cleaning():
    assert Range(0, 10, 1).clean("n", 3.0) == 3
    assert isinstance(Range(0, 10, 1).clean("n", 3.0), int)
    assert isinstance(Range(0.0, 10.0).clean("n", 3), float)
    assert Choice("a", "b").clean("k", "b") == "b"
    assert Switch().clean("on", np.True_) is True
    with pytest.raises(ValueError, match="w must be a number, got 'x'"):
        Range(0, 1.0).clean("w", "x")
    with pytest.raises(ValueError, match="must be finite"):
        Range(0, 1.0).clean("w", float("nan"))
    with pytest.raises(ValueError, match="lr must lie between"):
        Log(0.1, 1).clean("lr", 2)


def test_weights():
    weights = Weights(-2, 2, value=[[1, 0], [0, 1]])
    weights.value = weights.clean("W", weights.value)
    assert weights.entry_names() == ["[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]"]
    assert len(weights.sweep()) == 12
    with pytest.raises(ValueError, match=r"W\[0, 1\] must lie between -2.0 and 2.0, got 3.0"):
        weights.clean("W", [[1, 3]])
    with pytest.raises(ValueError, match="read-only"):
        weights.value[0, 0] = 3


def test_sweeps_reach_both_ends():
    assert Range(-1, 1.0).sweep()[0] == -1
    assert Range(-1, 1.0).sweep()[-1] == 1
    assert Range(0, 3, 1).sweep() == [0, 1, 2, 3]
    assert Log(0.01, 1).sweep()[-1] == pytest.approx(1)
    assert Switch().sweep() == [False, True]


@pytest.mark.parametrize(
    ("span", "step"), [(6, 0.1), (12, 0.2), (1, 0.02), (100, 2), (0.06, 0.001)]
)
def test_nice_step(span, step):
    assert nice_step(span) == pytest.approx(step)


@pytest.mark.parametrize(
    ("step", "digits"),
    [(1, 0), (5, 0), (0.5, 1), (0.25, 2), (0.1, 1), (0.02, 2), (0.125, 3), (2, 0)],
)
def test_a_slider_shows_as_many_decimals_as_tell_its_values_apart(step, digits):
    assert decimals(step) == digits
