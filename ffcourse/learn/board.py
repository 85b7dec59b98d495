"""Where a learner is: the progress board, how good their predictions are, and where to start."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.learn import bank, cards, quizzes, report, store, widgets
from ffcourse.learn.prompts import CONFIDENCE


@dataclass(frozen=True)
class Row:
    """One chapter of the board."""

    number: str
    title: str
    exercises: tuple[str, ...]
    states: dict[str, str]  # of each exercise: done, begun or open
    points: float
    quiz_right: int
    quiz_asked: int

    @property
    def done(self) -> int:
        """Number of exercises with full marks."""
        return sum(state == "done" for state in self.states.values())


def progress() -> None:
    """Show the progress board: exercises, points, quizzes and predictions so far."""
    data = store.load()
    rows = board(data)
    widgets.show(None, as_text(rows, data), as_html(rows, data))


def board(data: dict[str, Any]) -> list[Row]:
    """Return one row for each chapter or exercise notebook that is here.

    Parameters
    ----------
    data : dict
        What `store.load` returned.
    """
    rows = []
    for number, title, exercises in _course():
        states = {key: _state(data["exercises"].get(key)) for key in exercises}
        earned = sum(_number(data["exercises"].get(key), "points") for key in exercises)
        asked = [entry for key, entry in data["quiz"].items() if key.split(".")[0] == number]
        right = sum(_number(entry, "box") > 0 for entry in asked)
        rows.append(Row(number, title, exercises, states, earned, right, len(asked)))
    return rows


def _course() -> list[tuple[str, str, tuple[str, ...]]]:
    """Return number, title and exercise ids of each chapter, in order."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    root = store.project_root()
    paths = [p for name in ("chapters", "exercises") for p in sorted((root / name).glob("*.ipynb"))]
    for path in paths:
        number = path.stem.split("_")[0]
        title, exercises = _facts(path)
        before = found.get(number, ("", ()))
        found[number] = (before[0] or title, before[1] or exercises)
    return [(number, title, exercises) for number, (title, exercises) in sorted(found.items())]


def _facts(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        title = str(notebook["metadata"].get("ffcourse", {}).get("title") or path.stem)
        abouts = [cell["metadata"].get("ffcourse", {}) for cell in notebook["cells"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return path.stem, ()
    keys = [str(about["exercise"]) for about in abouts if about.get("role") == "prompt"]
    return title, tuple(dict.fromkeys(keys))


def _state(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "open"
    if entry.get("status") == "passed":
        return "done"
    statuses = {entry.get("status"), entry.get("visible")}
    return "begun" if statuses - {None, "not_attempted", "missing"} else "open"


def _number(entry: Any, key: str) -> float:
    value = entry.get(key, 0) if isinstance(entry, dict) else 0
    return float(value) if isinstance(value, (int, float)) else 0.0


_SIGNS = {"done": "■", "begun": "◪", "open": "□"}


def as_text(rows: list[Row], data: dict[str, Any]) -> str:
    """Return the board as plain text."""
    lines = ["Your progress (■ done, ◪ begun, □ open)"]
    width = max((len(row.title) for row in rows), default=0)
    for row in rows:
        squares = "".join(_SIGNS[state] for state in row.states.values())
        parts = [f"{row.number:<3} {row.title:<{width}}  {squares}"]
        if row.exercises:
            parts.append(f"{row.done} of {len(row.exercises)}, {report.points(row.points)} points")
        if row.quiz_asked:
            parts.append(f"quiz {row.quiz_right} of {row.quiz_asked}")
        lines.append("  ".join(parts).rstrip())
    lines += [cards.plain(line) for line in [_calibration(data), _next(rows)] if line]
    return "\n".join(lines)


def as_html(rows: list[Row], data: dict[str, Any]) -> str:
    """Return the board as a table."""
    body = "".join(
        f'<tr><th scope="row">{html.escape(row.number)} {html.escape(row.title)}</th>'
        f"<td>{_squares(row)}</td><td>{_quiz(row)}</td></tr>"
        for row in rows
    )
    names = "".join(f'<th scope="col">{name}</th>' for name in ("Chapter", "Exercises", "Quiz"))
    head = f"<tr>{names}</tr>"
    lines = cards.paragraphs(*(cards.markup(x) for x in (_calibration(data), _next(rows)) if x))
    legend = "<p><strong>Your progress</strong> (■ done, ◪ begun, □ open)</p>"
    table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>" if rows else ""
    return cards.card(legend + table + lines, "ask", "Your progress")


def _squares(row: Row) -> str:
    if not row.exercises:
        return "–"
    marks = "".join(
        f'<span title="{html.escape(key)}: {state}">{_SIGNS[state]}</span>'
        for key, state in row.states.items()
    )
    return (
        f'<span aria-hidden="true">{marks}</span> {row.done} of {len(row.exercises)}, '
        f"{report.points(row.points)} points"
    )


def _quiz(row: Row) -> str:
    return f"{row.quiz_right} of {row.quiz_asked} right" if row.quiz_asked else "–"


def _calibration(data: dict[str, Any]) -> str:
    """Say how often predictions were right, by how sure the reader was."""
    scored = [entry for entry in data["predictions"].values() if isinstance(entry, dict)]
    parts = []
    for level in CONFIDENCE:
        kept = [e["right"] for e in scored if e.get("confidence") == level and "right" in e]
        judged = [right for right in kept if right is not None]
        if judged:
            parts.append(f"{level}: {sum(judged)} of {len(judged)} right")
    return f"Your predictions: {'; '.join(parts)}." if parts else ""


def _next(rows: list[Row]) -> str:
    for row in rows:
        for key, state in row.states.items():
            if state != "done":
                return f"Next: exercise {key}."
    return ""


def placement() -> None:
    """Ask one question a chapter, at most eight, and say where to start.

    The questions are those of the chapters' own quizzes; nothing is kept.
    """
    items = placement_items()
    quizzes.show_items(items, "Where should you start?", lambda tries: _advice(items, tries))


def placement_items() -> list[bank.Item]:
    """Return the first question of up to eight chapters, spread over the course."""
    firsts = [bank.load(number)[0] for number in bank.chapters() if number[:2] != "00"]
    if len(firsts) <= 8:
        return firsts
    return [firsts[round(k * (len(firsts) - 1) / 7)] for k in range(8)]


def _advice(items: list[bank.Item], tries: dict[str, bool]) -> str:
    missed = next((item for item in items if not tries.get(item.id, False)), None)
    if missed is None:
        return "You knew all of it: take the exercises of any chapter, or the later chapters."
    return f"<strong>Start with chapter {html.escape(missed.chapter)}.</strong>"
