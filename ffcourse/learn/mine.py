"""Answers that passed, kept as a module: ``work/mine.py``.

Later chapters and live figures can run on the learner's own functions::

    from ffcourse.learn import own
    sigmoid = own("02.1", "sigmoid", nn.functional.sigmoid)   # the learner's, or the course's
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from pathlib import Path
from typing import Any, TypeVar

from ffcourse.learn import store
from ffcourse.workspace import replace

Thing = TypeVar("Thing")

_HEAD = '"""Answers of yours that passed. Written by submit(); edit the notebooks instead."""\n'
_PART = re.compile(r"^# --- (\S+) ---\n(.*?)(?=^# --- \S+ ---\n|\Z)", re.MULTILINE | re.DOTALL)


def place() -> Path:
    """Return the file's place."""
    return store.project_root() / "work" / "mine.py"


def export(notebook: Path, exercises: list[str]) -> bool:
    """Write the answers to some exercises, and the imports they need, into ``work/mine.py``.

    Parameters
    ----------
    notebook : Path
        The graded notebook.
    exercises : list of str
        Exercises that passed. Answers of others stay as they are.

    Returns
    -------
    bool
        False where nothing could be written.
    """
    if store.testing() or not place().parent.is_dir():
        return False
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = _parts()
    for exercise in exercises:
        if source := _definitions(cells, exercise):
            parts[exercise] = f"{_imports(cells)}{source}\n"
    body = "".join(f"\n\n# --- {key} ---\n{text}" for key, text in sorted(parts.items()))
    try:
        replace(place(), (_HEAD + body).encode("utf-8"))
    except OSError:
        return False
    return True


def _parts() -> dict[str, str]:
    if not place().is_file():
        return {}
    text = place().read_text(encoding="utf-8")
    return {key: body.strip("\n") + "\n" for key, body in _PART.findall(text)}


def _definitions(cells: list[dict[str, Any]], exercise: str) -> str:
    """Return the functions and classes of an answer; constants and plots are left behind."""
    kept = []
    for cell in cells:
        about = cell.get("metadata", {}).get("ffcourse", {})
        if about.get("exercise") == exercise and about.get("role") == "answer":
            source = "".join(cell["source"])
            kept += _segments(source, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom))
    return "\n\n\n".join(kept)


def _segments(source: str, kinds: tuple[type[ast.stmt], ...]) -> list[str]:
    with contextlib.suppress(SyntaxError, ValueError):
        lines = source.splitlines()
        return [
            "\n".join(lines[_start(node) : node.end_lineno])
            for node in ast.parse(source).body
            if isinstance(node, kinds)
        ]
    return []


def _start(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(deco.lineno for deco in decorators)])) - 1


def _imports(cells: list[dict[str, Any]]) -> str:
    """Return the import lines of the notebook's given cells, without the course's own checks."""
    lines: list[str] = []
    for cell in cells:
        if cell.get("metadata", {}).get("ffcourse", {}).get("role") == "given":
            lines += _segments("".join(cell["source"]), (ast.Import, ast.ImportFrom))
    kept = [line for line in dict.fromkeys(lines) if "ffcourse.learn" not in line]
    return "\n".join(kept) + "\n\n\n" if kept else ""


def own(exercise: str, name: str, otherwise: Thing) -> Thing:
    """Return the learner's own function or class, once its exercise has passed.

    Parameters
    ----------
    exercise : str
        The exercise whose answer defines it, such as ``"02.1"``: several answers may use
        the same name.
    name : str
        Its name.
    otherwise : object
        The course's version: where the exercise has not passed, and in tests and grading.
    """
    found = _namespace(exercise).get(name)
    return otherwise if found is None else found


def _namespace(exercise: str) -> dict[str, Any]:
    """Run its notebook's answers up to and with it; empty if it is missing or does not run."""
    if store.testing():
        return {}
    parts = _parts()
    if exercise not in parts:
        return {}
    before = [key for key in sorted(parts) if key <= exercise and key[:2] == exercise[:2]]
    source = "\n\n".join(parts[key] for key in before)
    space: dict[str, Any] = {"__name__": "ffcourse_mine"}
    try:
        exec(compile(source, str(place()), "exec"), space)
    except Exception:  # a learner's file may raise anything; the course's own version serves
        return {}
    return space
