"""submit(): the notebook on disk is graded in another process, and the result shown here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ffcourse.learn import cards, locate, mine, report, store, widgets
from ffcourse.learn.checking import keep
from ffcourse.learn.emitting import ipython


def submit(notebook: str | None = None) -> None:
    """Grade this notebook as it is saved on disk: all checks, the hidden ones too.

    Parameters
    ----------
    notebook : str, optional
        A path or a number such as ``"01"``; by default the notebook that is running.

    Notes
    -----
    Nothing leaves this machine. Where a class was given no solutions, the card says that
    the hidden checks come from the teacher.
    """
    if store.testing():
        widgets.show(None, "submit", cards.card("<p>submit</p>"))
        return
    handle = _waiting()
    try:
        place = locate.notebook_path(notebook)
        notes = _notes(place)
        result = grade(place)
    except (LookupError, RuntimeError) as error:
        _show(
            handle, f"⚠ {error}", cards.card(cards.paragraphs(cards.markup(f"⚠ {error}")), "wrong")
        )
        return
    record(result, place)
    text = report.submission_text(result, notes)
    _show(handle, text, report.submission_html(result, notes))


def _waiting() -> Any:
    if ipython() is None:
        return None
    from IPython.display import display

    words = "Grading …"
    page = cards.card(f'<p role="status">{words}</p>', "ask")
    return display({"text/plain": words, "text/html": page}, raw=True, display_id=True)  # type: ignore[no-untyped-call]


def _show(handle: Any, text: str, page: str) -> None:
    if handle is None:
        print(text)
    else:
        handle.update({"text/plain": text, "text/html": page}, raw=True)


def _notes(place: Path) -> list[str]:
    """Say what the learner should know before reading the points."""
    notes = []
    if _only_visible(place):
        notes.append("Only the visible checks are graded here; hidden ones come from your teacher.")
    try:
        cells = json.loads(place.read_text(encoding="utf-8"))["cells"]
        newer = locate.unsaved(cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return notes  # the grader says what is wrong with the file
    if newer:
        which = ", ".join(newer)
        notes.insert(
            0,
            f"The saved file is older than what you ran ({which}). What is graded here is the "
            "file: save the notebook (Ctrl+S) and run this cell again.",
        )
    return notes


def _only_visible(place: Path) -> bool:
    """Say whether the class was given a bundle without solutions for this notebook."""
    from ffcourse.grade.solution import find_solution

    solution = find_solution(place.stem) or find_solution(place.stem.split("_")[0])
    return solution is not None and solution.suffix == ".json"


def grade(place: Path) -> dict[str, Any]:
    """Grade one notebook; a worker process of the grader runs and judges it.

    Raises
    ------
    RuntimeError
        If the grader cannot begin; the message is for the learner.
    """
    from ffcourse.grade import grade_submission

    tries = store.load()["exercises"]
    tiers = {key: int(entry.get("tries", 0)) for key, entry in tries.items()}
    return grade_submission(place, trusted=True, tiers=tiers)


def record(result: dict[str, Any], place: Path) -> None:
    """Keep the outcome in the progress file, and passed answers in ``work/mine.py``."""
    for exercise in result.get("exercises", []):
        keep(exercise, submitted=True)
    passed = [e["id"] for e in result.get("exercises", []) if e["status"] == "passed"]
    if passed:
        mine.export(place, passed)
