"""Chapters and solutions run under nbval with numbers compared, and keep the limits of style."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ffcourse.author import glossary, style
from ffcourse.author import notebook as nb
from ffcourse.author.run import kernel_environment
from ffcourse.learn import bank
from tests.conftest import ROOT

CHAPTERS, SOLUTIONS = nb.find("chapters"), nb.find("solutions")
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize(
    "path", [*CHAPTERS, *SOLUTIONS], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
HANGS = 600  # seconds; time budgets live in the benchmarks


def test_there_are_chapters() -> None:
    assert CHAPTERS


@each_chapter
def test_a_chapter_keeps_the_limits_of_style(path: Path) -> None:
    assert style.chapter_faults(path) == []


@pytest.mark.slow
@each_notebook
def test_a_fresh_run_gives_what_is_stored(path: Path, tmp_path: Path) -> None:
    for name in nb.read(path)["metadata"]["ffcourse"].get("requires", []):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{path.name} needs the extra package {name}")
    command = [sys.executable, "-m", "pytest", "--nbval", str(path), "-q", "-x"]
    command += ["-p", "ffcourse.grade.plugin", "-p", "no:cacheprovider", "-W", "ignore"]
    command += ["-c", os.devnull, "--rootdir", str(tmp_path), "--nbval-current-env"]
    environment = kernel_environment()
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


@each_notebook
def test_nothing_of_a_machine_is_stored(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for trace in (str(ROOT), str(Path.home()) + os.sep, "/tmp/", "site-packages"):
        assert trace not in text
    assert "jupytext" not in nb.read(path)["metadata"]


@pytest.mark.parametrize("number", bank.chapters())
def test_a_quiz_is_whole(number: str) -> None:
    items = bank.load(number)
    assert len(items) >= 5
    assert {item.chapter for item in items} == {number}


def test_every_chapter_has_a_quiz() -> None:
    numbers = {nb.key_number(path.stem) for path in CHAPTERS}
    assert {n for n in numbers if not n.startswith("00")} <= set(bank.chapters())


def test_glossary_terms_stand_once() -> None:
    found = glossary.terms(glossary.place().read_text(encoding="utf-8"))
    assert len(found) == len(set(found))
