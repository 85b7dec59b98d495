"""What is told of a run in which a reference stood beside the learner's code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffcourse.grade.guard import WITHHELD, only_computes, withhold
from ffcourse.grade.judge import CheckResult
from ffcourse.grade.outcome import Outcome
from ffcourse.grade.solution import Check, Exercise
from tests.submissions.kinds import SOLUTIONS

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    return scale(x, 2.0).sum(axis=0)",
        "import numpy as np\nfrom math import sqrt\nx, _ = np.linalg.qr(A)",
        "class A:\n    def __init__(self):\n        self._n = 0\n        super().__init__()",
        "def _helper(x):\n    return f'{x:.2f}'\ny = _helper(3)",
        "raise ValueError('no')",
        "x = (",
    ],
)
def test_code_that_only_computes(source: str) -> None:
    assert only_computes(source)


@pytest.mark.parametrize(
    "source",
    [
        "import inspect\ninspect.getsource(scale)",
        "from inspect import getsource as g\ng(scale)",
        "scale.__code__.co_consts",
        "getattr(scale, '__co' + 'de__')",
        "'{0.__code__}'.format(scale)",
        "'{0.x}'.format_map({})",
        "f'{scale.__code__}'",
        "globals()['scale']",
        "In[-1]",
        "_ih",
        "_i3",
        "%psource scale",
        "scale??",
        "!cat /proc/self/maps",
        "import sys\nsys._getframe()",
        "from ffcourse.learn import magics",
        "np.vectorize(scale).pyfunc",
        "open('/etc/passwd')",
        "get_ipython().user_ns",
        "from operator import attrgetter as a\na('x')",
    ],
)
def test_code_that_looks_at_more(source: str) -> None:
    assert not only_computes(source)


def test_hardly_any_answer_of_the_course_looks_at_more() -> None:
    looking, count = [], 0
    for path in [*(ROOT / "solutions").glob("*.ipynb"), *SOLUTIONS.glob("*.ipynb")]:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            about = cell["metadata"].get("ffcourse", {})
            if about.get("role") in ("answer", "mistake", "alternative"):
                source = "".join(cell["source"])
                body = source.partition("\n")[2] if source.startswith("%%") else source
                count += 1
                if not only_computes(body):
                    looking.append((about["exercise"], about.get("name")))
    assert len(looking) <= count / 50, looking


def _outcome() -> Outcome:
    checks = [Check("01.1", n, "", [], hidden=n == "b", hint="Try.") for n in "abc"]
    results = [
        CheckResult("a", False, "wrong", "Expected 1, got the text 'def f'."),
        CheckResult("b", True, "wrong", "Try."),
        CheckResult("c", False, "passed", None, 1),
    ]
    return Outcome(Exercise("01.1", "t", checks=checks), results, message="It was in line 1: `x`.")


def test_messages_are_withheld_from_code_that_looks() -> None:
    outcome = _outcome()
    withhold(outcome, ["import inspect"])
    assert [r.message for r in outcome.results] == [WITHHELD, "Try.", None]
    assert outcome.message == WITHHELD
    assert [r.outcome for r in outcome.results] == ["wrong", "wrong", "passed"]


def test_messages_stay_for_code_that_computes() -> None:
    outcome = _outcome()
    withhold(outcome, ["def f(x):\n    return x"])
    assert outcome == _outcome()
