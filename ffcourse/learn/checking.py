"""check("01.2"): answers at once, on the visible checks only."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any

from ffcourse.learn import cards, history, report, store, widgets
from ffcourse.learn.judgement import JudgeError, Payloads, visible_verdict
from ffcourse.learn.magics import run_checks


def check(exercise: str) -> None:
    """Run the visible checks of an exercise on what this notebook has defined.

    Parameters
    ----------
    exercise : str
        Exercise id, such as ``"01.2"``.

    Notes
    -----
    The values that your code gives are judged in another process. Hidden checks run only
    when you hand in.
    """
    if store.testing():
        widgets.show(None, f"check {exercise}", cards.card(f"<p>check {exercise}</p>"))
        return
    try:
        result = visible_verdict(
            str(exercise), lambda bodies: _run(exercise, bodies), answer_run(exercise)
        )
    except JudgeError as error:
        widgets.show(None, f"⚠ {error}", cards.card(cards.paragraphs(f"⚠ {error}"), "wrong"))
        return
    result["feedback"] = "\n".join(filter(None, [result.get("feedback"), *_wheres]))
    keep(result, submitted=False)
    text, page = _shown(result)
    widgets.show(None, text, page)


def _run(exercise: str, bodies: list[str]) -> list[Payloads]:
    if not bodies:
        raise JudgeError(f"{exercise} has no visible checks: it is judged when you hand in")
    records = [run_checks(exercise, [body]) for body in bodies]
    errors = [record.error for record in records]
    _wheres[:] = dict.fromkeys(filter(None, [*map(where, errors), not_run(errors)]))
    return [record.payloads for record in records]


_wheres: list[str] = []


def where(error: BaseException | None) -> str:
    """Say in which line of the learner's own code an exception was raised; "" if elsewhere."""
    if error is None or isinstance(error, NotImplementedError):
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_cell(frame)]
    if not frames:
        return ""
    last = frames[-1]
    return f"It was raised in `{last.name}`, line {last.lineno} of its cell: `{last.line}`"


def not_run(errors: Sequence[BaseException | None]) -> str:
    """Say which names the checks themselves looked for and did not find; "" if none.

    They come from cells of the notebook that have not been run since the kernel started.
    """
    unknown = [e for e in errors if isinstance(e, NameError) and e.name and not where(e)]
    names = dict.fromkeys(f"`{e.name}`" for e in unknown)
    if not names:
        return ""
    return (
        f"Not yet defined in this notebook: {', '.join(names)}. Run the cells above this one first "
        "(menu Run, Run All Above Selected Cell)."
    )


def _is_cell(frame: traceback.FrameSummary) -> bool:
    """Say whether a frame belongs to a notebook cell and not to a check or a package."""
    return "ipykernel" in frame.filename or frame.filename.startswith("<ipython-input")


def _shown(result: dict[str, Any]) -> tuple[str, str]:
    """Return the text and the card of a visible verdict."""
    status = str(result["status"])
    visible = {key: value for key, value in result.items() if key not in ("points", "max_points")}
    more = "Hidden checks run when you hand in, with submit()." if status == "passed" else ""
    text = "\n".join(filter(None, [report.exercise_text(visible), more]))
    body = report.exercise_html(visible) + cards.paragraphs(
        f"<small>{more}</small>" if more else ""
    )
    return text, cards.card(body, report.kind(status), f"Check of {result['id']}")


def keep(result: dict[str, Any], *, submitted: bool) -> None:
    """Remember how an exercise went; a pass is not forgotten by a later visible check."""

    def change(data: dict[str, Any]) -> None:
        before = data["exercises"].get(result["id"], {})
        entry = dict(before) if isinstance(before, dict) else {}
        entry["visible" if not submitted else "status"] = result["status"]
        if submitted:
            entry["points"] = result.get("points", 0)
            entry["max_points"] = result.get("max_points", 0)
            entry["mistake"] = result.get("mistake")
            failed = result["status"] in ("wrong", "error", "timed_out", "crashed")
            entry["tries"] = int(entry.get("tries", 0)) + failed  # each earns the next hint
        data["exercises"][result["id"]] = entry

    store.update(change)


def answer_run(exercise: str) -> str | None:
    """Return what was last run in an exercise's answer cell, if the front end tells cells apart."""
    return history.kept().by_cell.get(f"{exercise.replace('.', '-')}-answer")
