"""The commands of a teacher, end to end with the real grader, on a handful of submissions."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from ffcourse.cli import VERBS
from ffcourse.grade.command import is_class, main, parser
from ffcourse.grade.report_command import main as report
from ffcourse.grade.sandbox.pick import NoWallsError, choose
from tests.conftest import ROOT
from tests.submissions.kinds import SOLUTIONS, filled

ADDED = "def scale(X, factor):\n    return X + factor"
LOOP = "def total(X):\n    while True:\n        pass"


def _walls() -> bool:
    try:
        return choose().closed
    except NoWallsError:
        return False


needs_walls = pytest.mark.skipif(
    not _walls(), reason="grading needs a sandbox (bubblewrap, Linux); this machine has none"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def put(path: Path, notebook: dict[str, Any] | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = notebook if isinstance(notebook, str) else json.dumps(notebook)
    path.write_text(text, encoding="utf-8")


@needs_walls
@pytest.mark.slow
def test_a_class_from_collecting_to_an_appeal(here: Path, capsys: Any) -> None:
    canvas = "handed/{}_{}_{}_90_tiny.ipynb"
    put(here / canvas.format("bergann", 1, 11), filled())
    put(here / canvas.format("lindbo", "LATE_2", 12), filled(e1=ADDED))
    put(here / canvas.format("odecy", 3, 13), filled(e2=LOOP))
    put(here / canvas.format("junk", 4, 14), '{"cells": ')
    (here / "roster.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section\n"
        '"Berg, Ann",1,S1,bergann,A\n"Lind, Bo",2,S2,lindbo,A\n"Ode, Cy",3,S3,odecy,B\n'
        '"Un, Di",5,S5,undi,B\n',
        encoding="utf-8",
    )
    for path in (here / "handed").iterdir():
        os.utime(path, (1_000_000, 1_000_000))
    grade = ["handed", "--solutions", str(SOLUTIONS), "--roster", "roster.csv", "--jobs", "2"]
    words = [*grade, "--seconds", "2", "--late", "25%", "--json", "all.json", "--csv", "c.csv"]
    assert main([*words, "--format", "canvas", "--feedback", "pages"]) == 1
    told = capsys.readouterr().out
    assert "3 graded, 1 could not be graded. Kept in gradebook.sqlite." in told
    data = json.loads((here / "all.json").read_text(encoding="utf-8"))["submissions"]
    by_name = {r["submission"].split("_")[0]: r for r in data}
    assert {name: r["score"] for name, r in by_name.items()} == {
        "bergann": 12, "lindbo": 9, "odecy": 10, "junk": 0}  # fmt: skip
    assert by_name["lindbo"]["exercises"][0]["mistake"] == "added"
    assert by_name["odecy"]["exercises"][1]["status"] == "timed_out"
    assert "not valid JSON" in by_name["junk"]["reason"]
    assert (here / "c.csv").read_text(encoding="utf-8") == (
        "Student,ID,SIS User ID,SIS Login ID,Section,90_tiny\n"
        "    Points Possible,,,,,12\n"
        '"Berg, Ann",1,S1,bergann,A,12\n'
        "junk,4,,,,0\n"
        '"Lind, Bo",2,S2,lindbo,A,6.75\n'
        '"Ode, Cy",3,S3,odecy,B,10\n'
        '"Un, Di",5,S5,undi,B,\n'
    )
    people = ("bergann", "junk", "lindbo", "odecy")
    pages = sorted(p.name for p in (here / "pages").iterdir())
    assert pages == sorted(["index.html", *(f"{who}_90_tiny.html" for who in people)])
    # Again: nothing is to do. Then an appeal, which finds the same; then a mark by hand.
    assert main([*grade, "--quiet", "--late", "none"]) == 1
    assert "0 graded, 4 known already" in capsys.readouterr().out
    assert main([*grade, "--quiet", "--again", "lindbo", "--reason", "appeal"]) == 1
    assert "lindbo, 90_tiny: 9 before, 9 now" in capsys.readouterr().out
    by_hand = ["--override", "lindbo:90.1=2", "--reason", "explained it orally", "--by", "pb"]
    assert main(by_hand) == 0
    assert report(["--student", "lindbo"]) == 0
    told = capsys.readouterr().out
    assert "Set by the teacher: 2" in told
    assert "explained it orally" in told
    assert report(["--csv", "nb.csv", "--format", "nbgrader"]) == 0
    rows = csv.DictReader((here / "nb.csv").read_text(encoding="utf-8").splitlines())
    assert {r["student_id"]: r["score"] for r in rows}["lindbo"] == "11.0"


@needs_walls
def test_a_single_file_needs_no_gradebook(here: Path, capsys: Any) -> None:
    put(here / "90_tiny.ipynb", filled())
    assert main(["90_tiny.ipynb", "--solutions", str(SOLUTIONS), "--json", "one.json"]) == 0
    assert "12 of 12 points" in capsys.readouterr().out
    assert json.loads((here / "one.json").read_text(encoding="utf-8"))["score"] == 12
    assert not (here / "gradebook.sqlite").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a notebook or a folder"),
        (["x.ipynb", "--format", "canvas"], "--format canvas needs --csv"),
        (["x.ipynb", "--csv", "a", "--format", "moodle"], "needs --worksheet"),
        (["x.ipynb", "--csv", "a", "--worksheet", "b"], "--worksheet belongs to"),
        (["x.ipynb", "--csv", "a", "--format", "moodle", "--worksheet", "a"], "another file"),
        (["x.ipynb", "--jobs", "0"], "--jobs must be 1 or more"),
        (["x.ipynb", "--due", "soon"], "'soon' is not a time"),
        (["x.ipynb", "--late", "a lot"], "--late 'a lot' is not understood"),
        (["x.ipynb", "--again", "me"], "need a --reason"),
        (["x.ipynb", "--names", "{wer}"], "unknown field {wer}"),
        (["x.ipynb", "--roster", "none.csv"], "--roster none.csv: cannot be read"),
        (["--override", "me:90.1=2", "--reason", "x"], "me has handed in nothing"),
        (["--override", "me=2", "--reason", "x"], "write STUDENT:EXERCISE=POINTS"),
        (["empty"], "no notebook (.ipynb) found in empty"),
    ],
)
def test_wrong_calls(here: Path, capsys: Any, words: list[str], told: str) -> None:
    (here / "empty").mkdir()
    put(here / "x.ipynb", "{}")
    assert main([*words, "--solutions", str(SOLUTIONS)]) == 2
    assert told in capsys.readouterr().err


def test_what_concerns_a_class(here: Path) -> None:
    put(here / "x.ipynb", "{}")
    for words, expected in (
        (["x.ipynb"], False),
        (["x.ipynb", "--csv", "a.csv"], False),
        (["."], True),
        (["x.ipynb", "--roster", "r.csv"], True),
    ):
        assert is_class(parser().parse_args(words)) == expected


def test_the_verbs_have_their_modules() -> None:
    import importlib

    for verb in ("grade", "report"):
        assert callable(importlib.import_module(VERBS[verb].module).main)


def test_the_commands_are_light_to_import() -> None:
    import subprocess

    code = (
        "import sys, ffcourse.grade.command, ffcourse.grade.report_command\n"
        "heavy = {'sqlalchemy', 'rich', 'distributed', 'pytest', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_workflow_and_the_page_call_what_there_is() -> None:
    """Every option that the teachers' page and the example name is one of the commands'."""
    from ffcourse.grade.report_command import parser as report_parser

    known = {"--cluster"}
    for made in (parser(), report_parser()):
        known |= {option for action in made._actions for option in action.option_strings}
    page = (ROOT / "docs" / "teachers.md").read_text(encoding="utf-8")
    workflow = (ROOT / "docs" / "examples" / "grade-on-push.yml").read_text(encoding="utf-8")
    theirs = {"--nworkers", "--nthreads", "--nbgrader"}
    for text in (page, workflow.partition("ffcourse grade")[2].partition("- name")[0]):
        assert set(re.findall(r"--[a-z][a-z-]+", text)) <= known | theirs


def test_the_workflow_is_valid() -> None:
    import yaml

    path = ROOT / "docs" / "examples" / "grade-on-push.yml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert data["permissions"] == {"contents": "read"}
    steps = data["jobs"]["grade"]["steps"]
    assert all(step.keys() & {"uses", "run"} for step in steps)
    summary = next(s["run"] for s in steps if "GITHUB_STEP_SUMMARY" in s.get("run", ""))
    compile(summary.split("\n", 1)[1].rpartition("PY")[0], "summary", "exec")
