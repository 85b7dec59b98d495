"""submit(): the notebook on disk is graded in another process, and the result shown here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ffcourse.learn import cards, locate, mine, report, store, widgets
from ffcourse.learn.checking import keep
from ffcourse.learn.emitting import ipython
from ffcourse.learn.judgement import package_folder

_WAIT = 900  # seconds; the grader has its own, much smaller limits


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
    return display({"text/plain": words, "text/html": page}, raw=True, display_id=True)


def _show(handle: Any, text: str, page: str) -> None:
    if handle is None:
        print(text)
    else:
        handle.update({"text/plain": text, "text/html": page}, raw=True)


def _notes(place: Path) -> list[str]:
    """Say what the learner should know before reading the points."""
    try:
        cells = json.loads(place.read_text(encoding="utf-8"))["cells"]
        newer = locate.unsaved(cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # the grader says what is wrong with the file
    if not newer:
        return []
    which = ", ".join(newer)
    return [
        f"The saved file is older than what you ran ({which}). What is graded here is the file: "
        "save the notebook (Ctrl+S) and run this cell again."
    ]


def grade(place: Path) -> dict[str, Any]:
    """Grade one notebook in a process of its own.

    Raises
    ------
    RuntimeError
        If the grader gives no result; the message is for the learner.
    """
    environment = {**os.environ, "FFCOURSE_ROOT": str(store.project_root())}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [package_folder(), os.environ.get("PYTHONPATH")])
    )
    code = "import sys; from ffcourse.grade.command import main; sys.exit(main(sys.argv[1:]))"
    with tempfile.TemporaryDirectory(prefix="ffcourse-") as folder:
        out = Path(folder) / "result.json"
        command = [sys.executable, "-c", code, str(place), "--trusted", "--json", str(out)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                env=environment,
                cwd=folder,
                timeout=_WAIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"grading took more than {_WAIT // 60} minutes") from None
        if not out.is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise RuntimeError(f"the grader gave no result: {last}")
        found = json.loads(out.read_text(encoding="utf-8"))
    result: dict[str, Any] = found["submissions"][0] if "submissions" in found else found
    return result


def record(result: dict[str, Any], place: Path) -> None:
    """Keep the outcome in the progress file, and passed answers in ``work/mine.py``."""
    for exercise in result.get("exercises", []):
        keep(exercise, submitted=True)
    passed = [e["id"] for e in result.get("exercises", []) if e["status"] == "passed"]
    if passed:
        mine.export(place, passed)
