"""Whole runs: seeds, bundles, the command, the visible judge, each sandbox, nbval's verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ffcourse.grade.command import main
from ffcourse.grade.limits import Limits
from ffcourse.grade.plugin import TolerantText
from ffcourse.grade.sandbox import bubblewrap, jobobject, pick, userns
from ffcourse.grade.sandbox.pick import NoWallsError, choose
from ffcourse.grade.service import Grader, GraderError, grade_submission
from ffcourse.grade.solution import as_bundle, load_solution
from tests.submissions import hostile  # noqa: F401  (adds its cases)
from tests.submissions.kinds import CASES, FULL, SOLUTIONS, exercise, filled

TINY = SOLUTIONS / "90_tiny.ipynb"
LIMITS = Limits(cell_seconds=2.0, cell_wall=4.0)
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="a mechanism of Linux")


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(SOLUTIONS, trusted=True, limits=LIMITS) as made:
        yield made


def written(folder: Path, notebook: dict[str, Any], name: str = "hand-in.ipynb") -> Path:
    path = folder / name
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def made(name: str, folder: Path) -> Path:
    return next(c for c in CASES if c.name == name).make(folder)


def of(report: dict[str, Any], key: str) -> dict[str, Any]:
    return next(e for e in report["exercises"] if e["id"] == key)


# -------------------------------------------------------------------------------- the JSON


def test_report_has_the_fields_of_the_design(grader: Grader, tmp_path: Path) -> None:
    report = grader.grade(written(tmp_path, filled()))
    fields = ("schema", "submission", "notebook", "status", "reason", "score", "max_score")
    assert [report[f] for f in fields] == [
        1,
        "hand-in.ipynb",
        "90_tiny",
        "graded",
        None,
        FULL,
        FULL,
    ]
    assert report["sandbox"] in ("bubblewrap", "userns+landlock", "job-object", "limits")
    assert report["seconds"] > 0
    first = report["exercises"][0]
    assert set(first) >= {"id", "points", "max_points", "status", "checks", "mistake", "feedback"}
    assert set(first["checks"][0]) >= {"label", "hidden", "passed", "message"}


def test_later_points_do_not_depend_on_an_early_mistake(grader: Grader, tmp_path: Path) -> None:
    """90.2 calls scale of 90.1: wrong, raising, looping, or missing, 90.2 keeps its points."""
    for first in ("return X * 0", "return 1 / 0", "raise NotImplementedError", "x ="):
        notebook = filled(e1=f"def scale(X, factor):\n    {first}")
        report = grader.grade(written(tmp_path, notebook))
        assert of(report, "90.1")["points"] == 0
        assert of(report, "90.2")["status"] == "passed", first


def test_a_later_wrong_answer_gains_nothing_from_the_reference(
    grader: Grader, tmp_path: Path
) -> None:
    notebook = filled(e1="def scale(X, factor):\n    return X", e2="def total(X):\n    return X")
    report = grader.grade(written(tmp_path, notebook))
    assert of(report, "90.2")["points"] == 0
    assert report["score"] == FULL - 5


def test_a_later_mistake_is_named_though_an_earlier_part_is_wrong(
    grader: Grader, tmp_path: Path
) -> None:
    second = "def total(X):\n    return scale(X, 2.0).sum(axis=1)"
    report = grader.grade(
        written(tmp_path, filled(e1="def scale(X, factor):\n    return X - 9", e2=second))
    )
    assert of(report, "90.2")["mistake"] == "wrong-axis"


def test_hints_follow_what_was_shown(grader: Grader, tmp_path: Path) -> None:
    path = written(tmp_path, exercise())
    assert "Hint 1" in of(grader.grade(path), "90.1")["feedback"]
    assert "Hint 3" in of(grader.grade(path, tiers={"90.1": 2}), "90.1")["feedback"]


# ---------------------------------------------------------------------- seeds and bundles


def hard_coded() -> dict[str, Any]:
    """An answer that only knows the stored inputs."""
    payload = load_solution(TINY).exercises["90.1"].checks[1].reference[0]
    stored = f"np.array({payload['data']}).reshape({payload['shape']})"
    return filled(e1=f"def scale(X, factor):\n    return X * factor if len(X) != 5 else {stored}")


def test_a_seed_draws_fresh_inputs(grader: Grader, tmp_path: Path) -> None:
    learnt, right = (
        written(tmp_path, hard_coded(), "a.ipynb"),
        written(tmp_path, filled(), "b.ipynb"),
    )
    assert grader.grade(learnt)["score"] == FULL
    with Grader(SOLUTIONS, seed=7, trusted=True, limits=LIMITS) as fresh:
        report = fresh.grade(right)
        assert (report["score"], report["seed"]) == (FULL, 7)
        report = fresh.grade(learnt)
        assert report["score"] == FULL - 2
        named = fresh.grade(made("named mistake", tmp_path))
        assert of(named, "90.1")["mistake"] == "added"


def test_grading_with_a_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "90_tiny.json"
    bundle.write_text(json.dumps(as_bundle(TINY)), encoding="utf-8")
    report = grade_submission(written(tmp_path, filled()), bundle, trusted=True, limits=LIMITS)
    assert report["score"] == report["max_score"] == 4
    assert all(not c["hidden"] for e in report["exercises"] for c in e["checks"])


def test_an_unusable_solution_is_an_error_of_the_teacher(tmp_path: Path) -> None:
    broken = tmp_path / "90_tiny.ipynb"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(GraderError, match=r"90_tiny.ipynb cannot be used"):
        grade_submission(written(tmp_path, filled()), broken, trusted=True)


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, filled())
    with Grader(SOLUTIONS, trusted=True, limits=LIMITS) as mine:
        assert mine._worker is not None
        mine._worker.kill()
        assert mine.grade(path)["status"] == "rejected"
        assert mine.grade(path)["score"] == FULL


# -------------------------------------------------------------------------------- sandboxes


@linux_only
@pytest.mark.parametrize("name", ["bubblewrap", "userns+landlock", "limits", "spawn"])
def test_each_sandbox(name: str, tmp_path: Path) -> None:
    if name == "bubblewrap" and not bubblewrap.works():
        pytest.skip("bubblewrap is not installed")
    if name == "userns+landlock" and not userns.works():
        pytest.skip("the system allows no user namespaces, or has no Landlock")
    with Grader(
        SOLUTIONS, trusted=name in ("limits", "spawn"), limits=LIMITS, sandbox=name
    ) as mine:
        report = mine.grade(written(tmp_path, filled()))
        assert (report["sandbox"], report["score"]) == (name.replace("spawn", "limits"), FULL)
        orphans = () if name == "spawn" else ("child processes left behind, right answer",)
        for case in ("endless loop", "os._exit", *orphans):
            report = mine.grade(made(case, tmp_path))
            assert report["score"] == (FULL if "right" in case else FULL - 3)
        if name not in ("limits", "spawn"):
            assert mine.grade(made("reads the solution", tmp_path))["score"] == FULL - 3
            for case in ("opens sockets", "reads what it should not", "writes to the package"):
                report = mine.grade(made(case, tmp_path))
                assert report["score"] == (FULL - 3 if "writes" in case else FULL), case
    assert not _left("987654")


def _left(mark: str) -> list[Any]:
    import time

    import psutil

    for _ in range(100):
        found = [p for p in psutil.process_iter(["cmdline"]) if mark in str(p.info["cmdline"])]
        if not found:
            break
        time.sleep(0.05)
    return found


def test_job_object_limits() -> None:
    block = jobobject.limits_block(Limits(memory_bytes=1000, processes=5))
    assert (block.ProcessMemoryLimit, block.Basic.ActiveProcessLimit) == (1000, 5)
    assert block.Basic.LimitFlags & 0x2000, "closing the job kills what is in it"
    assert jobobject.enclose(1, Limits()) is None or sys.platform == "win32"


def test_no_walls_no_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pick.bubblewrap, "works", lambda *_: False)
    monkeypatch.setattr(pick.userns, "works", lambda: False)
    with pytest.raises(NoWallsError, match="--trusted"):
        choose()
    assert not choose(trusted=True).closed


def test_environment_of_a_kernel_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    environment = pick.clean_environment()
    assert "SECRET_TOKEN" not in environment
    assert environment["HOME"] != os.environ.get("HOME")


# ------------------------------------------------------------------------------ the command


def test_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "class"
    folder.mkdir()
    written(folder, filled(), "ann.ipynb")
    written(folder, exercise(), "bob.ipynb")
    (folder / "cy.ipynb").write_text("not json", encoding="utf-8")
    out = tmp_path / "out"
    files = [
        "--json",
        str(out / "r.json"),
        "--csv",
        str(out / "r.csv"),
        "--html",
        str(out / "r.html"),
    ]
    code = main([str(folder), "--solutions", str(SOLUTIONS), "--trusted", *files])
    assert code == 1
    data = json.loads((out / "r.json").read_text(encoding="utf-8"))
    assert [s["score"] for s in data["submissions"]] == [FULL, 0, 0]
    assert [s["status"] for s in data["submissions"]] == ["graded", "graded", "rejected"]
    assert "ann.ipynb" in (out / "r.csv").read_text(encoding="utf-8")
    assert "not valid JSON" in (out / "r.html").read_text(encoding="utf-8")
    printed = capsys.readouterr().out
    assert "ann.ipynb: 12 of 12 points" in printed
    assert "cy.ipynb: could not be graded" in printed


def test_command_with_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, exercise())
    out = tmp_path / "one.json"
    words = [str(path), "--solutions", str(TINY), "--trusted", "--json", str(out), "--quiet"]
    assert main(words) == 0, "every submission was graded, whatever its score"
    assert json.loads(out.read_text(encoding="utf-8"))["notebook"] == "90_tiny"


@pytest.mark.parametrize(
    "words",
    [[], ["nothing-here"], ["x.ipynb", "--solutions", "nowhere"], ["x.ipynb", "--jobs", "0"]],
)
def test_wrong_calls(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing-here").mkdir()
    assert main(words) == 2


# ------------------------------------------------------------------------- the visible judge


def visible(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "ffcourse.grade.visible"],
        input="".join(json.dumps(r) + "\n" for r in requests),
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "FFCOURSE_SOLUTIONS": str(SOLUTIONS)},
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def variant(key: str, name: str) -> list[list[dict[str, Any]]]:
    """What a stored mistake shows in the visible checks."""
    found = next(m for m in load_solution(TINY).exercises[key].mistakes if m.name == name)
    return [[{**found.payloads[0], "variant": None}]]


def test_visible_judge_gives_the_code_and_no_values() -> None:
    (asked,) = visible({"exercise": "90.1"})
    assert [c["label"] for c in asked["checks"]] == ["two rows"]
    assert asked["checks"][0]["source"].startswith("emit(")
    assert "18" not in json.dumps(asked)


def test_visible_judge_judges_and_names() -> None:
    reference = load_solution(TINY).exercises["90.1"].checks[0].reference
    request = {"exercise": "90.1"}
    right = visible(request, {"emitted": [reference], "answer": "def scale(X, f): return X * f"})[1]
    assert (right["status"], right["points"], right["max_points"]) == ("passed", 1, 1)
    wrong = visible(request, {"emitted": variant("90.1", "added"), "answer": None})[1]
    assert (wrong["status"], wrong["mistake"]) == ("wrong", "added")
    assert "Expected [[ 3., 6., 9.]" in wrong["feedback"]
    nothing = visible(request, {"emitted": [[]], "answer": "def scale(X, f): ..."})[1]
    assert nothing["status"] == "not_attempted"
    broken = visible(request, {"emitted": [[]], "answer": "def scale("})[1]
    assert "Syntax error in line 1" in broken["feedback"]
    banned = visible(request, {"emitted": [reference], "answer": "scale = np.multiply"})[1]
    assert (banned["status"], banned["points"]) == ("error", 0)


def test_visible_judge_answers_bad_requests() -> None:
    assert "no exercises for chapter 55" in visible({"exercise": "55.1"})[0]["error"]
    assert "There is no exercise 90.9" in visible({"exercise": "90.9"})[0]["error"]
    assert "error" in visible({"what": 1})[0]


# ------------------------------------------------------------------- nbval with our plugin


def run_nbval(path: Path) -> subprocess.CompletedProcess[str]:
    words = [
        "--nbval",
        "-p",
        "ffcourse.grade.plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        "-c",
        os.devnull,
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, f"--rootdir={path.parent}", str(path)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_nbval_passes_the_stored_solution() -> None:
    done = run_nbval(TINY)
    assert done.returncode == 0, done.stdout


def test_nbval_sees_a_changed_value_and_forgives_rounding(tmp_path: Path) -> None:
    text = TINY.read_text(encoding="utf-8")
    path = tmp_path / "90_tiny.ipynb"
    assert "\n        4.0,\n" in text or "4.0" in text
    data = json.loads(text)
    mime = "application/vnd.ffcourse.value+json"
    check = next(c for c in data["cells"] if c["id"] == "90-1-check")
    value = check["outputs"][0]["data"][mime]
    value["data"][0] *= 1 + 1e-9
    path.write_text(json.dumps(data), encoding="utf-8")
    assert run_nbval(path).returncode == 0
    value["data"][0] *= 1.01
    path.write_text(json.dumps(data), encoding="utf-8")
    done = run_nbval(path)
    assert done.returncode == 1
    assert "values differ" in done.stdout


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("loss 0.12345", "loss 0.12346", True),
        ("loss 0.12345", "loss 0.13", False),
        ("loss 0.5", "Loss 0.5", False),
        ("n = 10", "n = 11", False),
        ("[1.0000001  2.]", "[1. 2.]", True),
        ("1e-5", "1.00001e-05", True),
        ("a 1", "a 1 2", False),
        ("-0.0", "0.0", True),
    ],
)
def test_numbers_in_text_are_compared_with_a_tolerance(a: str, b: str, same: bool) -> None:
    assert (TolerantText(a) == b) is same
    assert (TolerantText(a) != b) is not same
