"""Mutants: made from every kind of node, run safely, judged like submissions."""

from __future__ import annotations

import numpy as np
import pytest

from ffcourse.author import mutation
from ffcourse.author.mutant_worker import TooLongError, alike, results, varied, within
from ffcourse.author.mutators import mutants
from tests.learn_shell import FIXTURE


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        ("x = a + b", {"x = a - b", "x = a"}),
        ("x = a @ b", {"x = b @ a"}),
        ("x = a >= 0", {"x = a > 0", "x = a >= 1"}),
        ("x = 2.5", {"x = 3.5", "x = 5.0"}),
        ("x = -a", {"x = +a"}),
        ("x = a.T", {"x = a"}),
        ("x = a.sum(axis=0)", {"x = a.mean(axis=0)", "x = a.sum(axis=1)", "x = a.sum()"}),
        ("x = not a", {"x = +a"}),
        ("x = a and b", {"x = a or b"}),
        ("x = True", {"x = False"}),
        ("x = 'A'", {"x = 'A?'"}),
        ("x = range(n)", {"x = range(n - 1)"}),
        ("x = max(a, b)", {"x = min(a, b)"}),
        ("x = a if b else c", {"x = a if not b else c"}),
        ("x += a", {"x -= a"}),
    ],
)
def test_each_kind_of_change(answer, changed):
    assert {mutant.source for mutant in mutants(answer)} == changed


def test_statements_are_dropped_and_results_lost():
    answer = 'def f(x):\n    """Doc."""\n    y = x\n    return y'
    sources = {mutant.source for mutant in mutants(answer)}
    assert sources == {
        "def f(x):\n    pass\n    pass\n    return y",
        "def f(x):\n    pass\n    y = x\n    return None",
    }


def test_every_mutant_is_python_and_named():
    loop = "    for i in range(3):\n        if z > i:\n            break\n"
    answer = f"def f(x):\n    z = x @ x.T - 1\n{loop}    return -z"
    made = mutants(answer)
    assert len({mutant.source for mutant in made}) == len(made)
    for mutant in made:
        compile(mutant.source, mutant.name, "exec")
        assert mutant.name.startswith("line ")


def test_the_fixture_kills_its_mutants():
    found = mutation.fates(FIXTURE / "solutions" / "01_tiny.ipynb")
    assert len(found) > 20
    assert mutation.rate(found) >= mutation.GOAL
    assert "mutants killed" in mutation.summary(found)


def job(answer, check, *changed):
    steps = [{"role": "answer", "exercise": "01.1", "source": answer}]
    made = [{"name": str(n), "source": source} for n, source in enumerate(changed)]
    return {"steps": steps, "exercises": {"01.1": {"checks": [check], "mutants": made}}}


def test_an_endless_mutant_is_stopped_and_others_go_on(monkeypatch):
    monkeypatch.setattr("ffcourse.author.mutant_worker.LEAST", 0.2)
    monkeypatch.setattr("ffcourse.author.mutant_worker.MOST", 0.2)
    endless = "def f(x):\n    while True:\n        x = x"
    asked = job("def f(x):\n    return x", "emit('a', f(1))", endless, "def f(x):\n    return 2")
    from ffcourse.learn import emit

    stopped, other = results(asked, {"emit": emit})
    assert "emitted" not in stopped
    assert other["emitted"][0][0]["data"] == 2


def test_a_mutant_that_no_input_tells_apart_is_the_same():
    from ffcourse.learn import emit

    answer = "def f(x):\n    return x + x"
    twice, square = "def f(x):\n    return 2 * x", "def f(x):\n    return x ** 2"
    asked = job(answer, "emit('a', f(2.0))", twice, square)
    same, other = results(asked, {"emit": emit})
    assert same["same"]
    assert not other["same"], "4 either way at x = 2, but not at other numbers"


def test_within_leaves_quick_blocks_alone_and_stops_slow_ones():
    def count(n):
        while n:
            n -= 1

    with within(5):
        count(3)
    with pytest.raises(TooLongError), within(0.05):
        count(-1)


def test_variation_keeps_the_form():
    rng = np.random.default_rng(0)
    value = ([np.zeros((2, 3), np.float32), np.array([0, 1, 1])], {"a": 2.0}, 3, "text", None)
    arrays, numbers, *rest = varied(value, rng)
    assert arrays[0].shape == (2, 3)
    assert arrays[0].dtype == np.float32
    assert sorted(arrays[1]) == [0, 1, 1]
    assert numbers["a"] != 2.0
    assert rest == [3, "text", None]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.ones(2), [1.0, 1.0], True),
        (np.ones(2), np.ones((2, 1)), False),
        ([1, [2.0]], (1, [2.0]), True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        (float("nan"), float("nan"), True),
        ("a", "a", True),
        ("a", "b", False),
        (None, None, True),
    ],
)
def test_alike(one, other, same):
    assert alike(one, other) is same
