"""Find the file of the notebook that is running, and see whether it is older than what was run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ffcourse.learn import history, store


def notebook_path(name: str | None = None) -> Path:
    """Return the file of the running exercise notebook.

    Parameters
    ----------
    name : str, optional
        A path, or the number of the notebook, when it can't be told otherwise.

    Raises
    ------
    LookupError
        If it can't be found; the message says what to write.
    """
    if name:
        return _named(str(name))
    session = os.environ.get("JPY_SESSION_NAME", "")
    for folder in (Path.cwd(), store.project_root() / "work", store.project_root()):
        place = folder / session
        if session.endswith(".ipynb") and place.is_file():
            return place
    chapter = _chapter_of_runs()
    if chapter:
        return _named(chapter)
    raise LookupError('submit() can\'t tell which notebook this is; write its number: submit("01")')


def _named(name: str) -> Path:
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name)
    stem = Path(name).stem
    for folder in (Path.cwd(), store.project_root() / "work" / "exercises"):
        for place in sorted(folder.glob("*.ipynb")):
            if place.stem == stem or place.stem.split("_")[0] == stem.split(".")[0]:
                return place
    raise LookupError(f"there is no exercise notebook {name!r} in work/exercises")


def _chapter_of_runs() -> str | None:
    """Return the chapter whose answer cells this kernel has run, by their ids."""
    for cell in reversed(list(history.kept().by_cell)):
        number, dash, rest = cell.partition("-")
        if dash and number[:2].isdigit() and "answer" in rest:
            return number
    return None


def unsaved(cells: list[dict[str, Any]]) -> list[str]:
    """Return the exercises whose answer was run in another form than the file holds.

    Parameters
    ----------
    cells : list of dict
        Cells of the notebook on disk.
    """
    found: list[str] = []
    for cell in cells:
        about = cell.get("metadata", {}).get("ffcourse", {})
        if about.get("role") != "answer" or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        saved = source if isinstance(source, str) else "".join(source)
        ran = history.kept().latest(cell.get("id"), history.top_names(saved))
        if ran is not None and not history.same_code(ran, saved):
            found.append(str(about.get("exercise")))
    return list(dict.fromkeys(found))
