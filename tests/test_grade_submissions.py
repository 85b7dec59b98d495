"""Every kind of submission, broken and hostile ones too, gets the verdict it must get."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox.pick import NoWallsError, choose
from ffcourse.grade.service import Grader
from tests.submissions import forging, hostile, oddities  # noqa: F401  (they add their cases)
from tests.submissions.kinds import CASES, FULL, IDS, SOLUTIONS, Case, filled

LIMITS = Limits(cell_seconds=1.0, cell_wall=2.0, memory_bytes=600_000_000)


def _walls() -> bool:
    try:
        return choose().closed
    except NoWallsError:
        return False


pytestmark = pytest.mark.skipif(
    not _walls(), reason="hostile code is run only where there is a sandbox (bubblewrap, Linux)"
)


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(SOLUTIONS, limits=LIMITS) as made:
        yield made


def _params() -> list[Any]:
    return [
        pytest.param(c, id=c.name.replace(" ", "-"), marks=[pytest.mark.slow] if c.slow else [])
        for c in CASES
    ]


def test_there_are_enough_kinds() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 40


@pytest.mark.parametrize("case", _params())
def test_verdict(case: Case, grader: Grader, tmp_path: Path) -> None:
    path = case.make(tmp_path)
    before = path.read_bytes() if path.is_file() else b""
    report = grader.grade(path)
    if path.is_file():
        assert path.read_bytes() == before, "a submission is never changed"
    if case.reason is not None:
        assert report["status"] == "rejected"
        assert case.reason in report["reason"]
        assert report["score"] == 0
        return
    assert report["status"] == "graded", report["reason"]
    got = {e["id"]: e["status"] for e in report["exercises"]}
    expected = {**dict.fromkeys(IDS, "passed"), **case.status}
    # "error|crashed": where it depends on the machine what a spoilt kernel does first.
    assert all(got[key] in expected[key].split("|") for key in IDS), _told(report)
    for exercise, text in case.says.items():
        assert text in _texts(report)[exercise], _told(report)
    for exercise, name in case.mistakes.items():
        assert _of(report, exercise)["mistake"] == name, _told(report)
    score = FULL if case.score is None and not case.status else case.score
    if score is not None:
        assert report["score"] == score, _told(report)
    assert report["max_score"] == FULL
    _holds_nothing_null(report)


def _of(report: dict[str, Any], exercise: str) -> dict[str, Any]:
    return next(e for e in report["exercises"] if e["id"] == exercise)


def _texts(report: dict[str, Any]) -> dict[str, str]:
    return {
        "": "\n".join(report["repairs"]),
        **{e["id"]: e["feedback"] for e in report["exercises"]},
    }


def _told(report: dict[str, Any]) -> str:
    return "\n".join(f"{key}: {text}" for key, text in _texts(report).items())


def _holds_nothing_null(report: dict[str, Any]) -> None:
    for exercise in report["exercises"]:
        assert exercise["points"] == sum(c["points"] for c in exercise["checks"])
        for check in exercise["checks"]:
            assert isinstance(check["passed"], bool)
            assert check["passed"] == (check["message"] is None)


def test_nothing_survives(grader: Grader, tmp_path: Path) -> None:
    case = next(c for c in CASES if c.name.startswith("child processes left behind"))
    grader.grade(case.make(tmp_path))
    for _ in range(100):
        left = [p for p in psutil.process_iter(["cmdline"]) if "987654" in str(p.info["cmdline"])]
        if not left:
            break
        time.sleep(0.05)
    assert not left


def test_hidden_values_are_never_told(grader: Grader, tmp_path: Path) -> None:
    case = next(c for c in CASES if c.name == "only the hidden check fails")
    report = grader.grade(case.make(tmp_path))
    hidden = [c for c in _of(report, "90.1")["checks"] if c["hidden"]]
    assert [c["message"] for c in hidden] == ["Try a negative factor."]


def test_second_run_tells_nothing(grader: Grader, tmp_path: Path) -> None:
    """In the second run the reference's `scale` is there; what it returns must not be told."""
    answers = {
        "e1": "def scale(X, factor):\n    return X",
        "e2": "def total(X):\n    raise ValueError(str(scale(np.ones((1, 1)) * 3, 7)))",
    }
    path = tmp_path / "leak.ipynb"
    path.write_text(json.dumps(filled(**answers)), encoding="utf-8")
    report = grader.grade(path)
    assert "21" not in _texts(report)["90.2"]
    assert "[[3.]]" in _texts(report)["90.2"]


MEMORY = 300_000_000
HEAVY = (
    "a large attachment, right answer", "millions of empty cells", "100,000 cells",
    "large values by the hundred", "values of empty lists", "value too large",
    "long texts by the hundred, right answer", "one display that grows, right answer",
    "100 MB of output, right answer", "many displays, right answer",
    "endless printing while defining",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own record of the highest")
@pytest.mark.parametrize("name", HEAVY)
def test_worker_stays_small(name: str, tmp_path: Path) -> None:
    """The trusted process's highest memory, whatever is submitted; each in a new worker."""
    case = next(c for c in CASES if c.name == name)
    with Grader(SOLUTIONS, limits=LIMITS) as one:
        one.grade(case.make(tmp_path))
        assert one._worker is not None
        status = Path(f"/proc/{one._worker.pid}/status").read_text(encoding="utf-8")
    highest = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    assert int(highest.split()[1]) * 1024 < MEMORY, highest
