"""Two or three mistakes made together are named, and never one that was not made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffcourse.grade.assemble import Attempt
from ffcourse.grade.judge import judge
from ffcourse.grade.mistakes import split_by_check
from ffcourse.grade.outcome import Outcome
from ffcourse.grade.report import exercise_report
from ffcourse.grade.solution import Answer, Check, Exercise, Variant, load_solution
from ffcourse.grade.together import mistakes_together
from ffcourse.grade.values import encode, error_payload

ROOT = Path(__file__).resolve().parents[1]
RIGHT = {"dW": np.array([[0.5, 1.5], [2.5, -0.25]]), "db": np.array([0.75, -1.25]), "loss": 0.625}


def shown(values: dict[str, Any]) -> list[dict[str, Any]]:
    made = [encode(v, label=k, exercise="01.1") for k, v in values.items()]
    return [dict(p) for p in json.loads(json.dumps(made))]


def exercise(mistakes: dict[str, dict[str, Any]], source: str = "def f():\n    pass") -> Exercise:
    check = Check("01.1", "gradients", "", shown(RIGHT), points=1)
    variants = [Variant(n, f"About {n}.", shown({**RIGHT, **v})) for n, v in mistakes.items()]
    answers = [Answer("01.1", source, ["f"], [], None)]
    return Exercise("01.1", "t", answers=answers, checks=[check], mistakes=variants)


FOUR = {
    "transposed": {"dW": RIGHT["dW"].T},
    "mean": {"db": RIGHT["db"] / 2},
    "doubled": {"loss": 1.25},
    "all": {"dW": RIGHT["dW"] * 7, "db": RIGHT["db"] * 7},
}


def names(one: Exercise, **values: Any) -> list[str]:
    return [v.name for v in mistakes_together(one, {0: shown({**RIGHT, **values})})]


def test_two_and_three_are_named() -> None:
    one = exercise(FOUR)
    assert names(one, **FOUR["transposed"], **FOUR["mean"]) == ["transposed", "mean"]
    assert names(one, **FOUR["transposed"], **FOUR["mean"], **FOUR["doubled"]) == [
        "transposed", "mean", "doubled",
    ]  # fmt: skip
    assert names(one, **FOUR["all"], **FOUR["doubled"]) == ["doubled", "all"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        FOUR["transposed"],
        {**FOUR["transposed"], "db": RIGHT["db"] * 3},  # the second is none that is known
        {**FOUR["transposed"], **FOUR["mean"], "loss": 0.7},
        {"dW": RIGHT["dW"] * 7, "db": RIGHT["db"] / 2},  # half of one mistake is no mistake
        {"dW": "text", "db": RIGHT["db"] / 2},
        {"dW": RIGHT["dW"] * np.nan, "db": RIGHT["db"] / 2},
    ],
)
def test_nothing_is_named_without_a_full_reading(values: dict[str, Any]) -> None:
    assert names(exercise(FOUR), **values) == []


def test_nothing_is_named_where_two_readings_fit() -> None:
    one = exercise({**FOUR, "twin": FOUR["mean"]})
    assert names(one, **FOUR["transposed"], **FOUR["mean"]) == []
    both = {**FOUR["transposed"], **FOUR["mean"]}
    assert names(exercise({**FOUR, "both": both}), **both) == []


def test_values_met_by_chance_name_nothing_in_code() -> None:
    chance = {"zeros": {"db": np.zeros(2)}, "one": {"loss": 1}, "yes": {"dW": True}}
    values = {**chance["zeros"], **chance["one"], **chance["yes"]}
    assert names(exercise(chance), **values) == []
    assert names(exercise(chance, "p = 1\nq = True"), **values) == ["zeros", "one", "yes"]


def test_exceptions_and_missing_values_name_nothing() -> None:
    one = exercise(FOUR)
    values = shown({**RIGHT, **FOUR["transposed"], **FOUR["mean"]})
    raised = [*values[:2], dict(error_payload(ValueError("x"), exercise="01.1"))]
    for emitted in (values[:2], raised, [*values, values[0]], []):
        assert mistakes_together(one, {0: emitted}) == []


def test_the_report_tells_both() -> None:
    one = exercise(FOUR)
    emitted = {0: shown({**RIGHT, **FOUR["transposed"], **FOUR["mean"]})}
    outcome = Outcome(one, [judge(one.checks[0], emitted[0])], emitted)
    report = exercise_report(outcome, Attempt("01.1", ["x"]), 0)
    assert report["mistake"] is None, "only one that explains everything"
    assert report["mistakes"] == ["transposed", "mean"]
    assert report["feedback"].splitlines()[-3:] == [
        "Two things are wrong here:", "- About transposed.", "- About mean.",
    ]  # fmt: skip
    outcome.emitted = {0: shown({**RIGHT, **FOUR["mean"]})}
    report = exercise_report(outcome, Attempt("01.1", ["x"]), 0)
    assert (report["mistake"], report["mistakes"]) == ("mean", ["mean"])


SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_one_mistake_or_none_is_never_read_as_two(path: Path) -> None:
    for one in load_solution(path).exercises.values():
        for variant in [*one.mistakes, *one.alternatives]:
            plain = [{**p, "variant": None} for p in variant.payloads]
            assert mistakes_together(one, split_by_check(plain, one.checks)) == [], variant.name
