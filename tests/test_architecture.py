"""The shape of the house: which part may know which, and how long a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "ffcourse"
FILES = sorted(PACKAGE.rglob("*.py"))
MAY_IMPORT = {
    "nn": {"nn"},
    "data": {"data"},
    "train": {"train", "nn", "data"},
    "show": {"show", "train", "nn", "data"},
    "grade": {"grade", "workspace"},
    "author": {"author", "grade", "workspace"},
    "learn": {"learn", "show", "grade", "train", "nn", "data", "workspace", "environment"},
    "workspace": set(),
    "environment": set(),
    "lab": {"workspace", "environment"},
    "testing": {"workspace", "environment"},
    "cli": {"environment"},
}
RUNS_IN_THE_KERNEL = {"grade/sandbox/shell.py", "author/mutant_worker.py"}  # beside learner code
STANDARD_ONLY = ("__init__", "__main__", "cli", "environment", "workspace", "lab", "testing")


def room_of(path: Path) -> str:
    """Return the part of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """Return the full names of everything that a file imports, anywhere in it."""
    names: set[str] = set()
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    """`nn, data -> train -> show`; the graders know none of these; nothing climbs back."""
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    rooms = {path.stem for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    used = {
        name.split(".")[1]
        for name in imported_modules(path)
        if name.startswith("ffcourse.") and name.split(".")[1] in rooms
    }
    allowed = set(MAY_IMPORT[room])
    if path.relative_to(PACKAGE).as_posix() in RUNS_IN_THE_KERNEL:
        allowed.add("learn")
    forbidden = used - allowed
    assert not forbidden, f"{room} must not import {sorted(forbidden)}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_files_stay_short(path: Path) -> None:
    """One idea a file; more than 400 lines are more than one idea."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{lines} lines: split it"


def test_the_command_starts_on_the_standard_library_alone() -> None:
    """Without site-packages, the front door must open and say what is missing."""
    modules = ", ".join(
        "ffcourse" if name == "__init__" else f"ffcourse.{name}"
        for name in STANDARD_ONLY
        if name != "__main__"
    )
    code = f"import {modules}; from ffcourse.cli import main; main([])"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "usage: python3 -m ffcourse" in done.stdout


def test_exercises_do_not_import_solutions() -> None:
    """Nothing in the package or in an exercise reads a notebook as a module."""
    for path in FILES:
        for name in imported_modules(path):
            assert name.split(".")[0] not in ("solutions", "exercises", "chapters"), path
