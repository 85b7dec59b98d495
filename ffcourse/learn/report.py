"""A graded exercise or notebook as a card: text for the terminal, HTML for the notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from ffcourse.learn import cards

Result = Mapping[str, Any]

_HINT = re.compile(r"Hint \d+: ")


def points(value: Any) -> str:
    """Return points without a needless ``.0``."""
    number = float(value)
    return f"{number:.0f}" if number.is_integer() else f"{number:.3g}"


def exercise_text(result: Result) -> str:
    """Return one exercise's result as plain text."""
    status = str(result["status"])
    lines = [f"{cards.SIGNS[status]} {result['id']}: {cards.WORDS[status]}{_score(result)}"]
    lines += [f"    {_check_line(check)}" for check in _shown_checks(result)]
    told, hint = split_feedback(result)
    lines += [f"    {line}" for line in [*told, hint] if line]
    return "\n".join(lines)


def exercise_html(result: Result) -> str:
    """Return one exercise's result as the inside of a card."""
    return f"<p><strong>{_head(result)}</strong>{_score(result)}</p>{details_html(result)}"


def details_html(result: Result) -> str:
    """Return the checks and the feedback of one exercise, the hint folded."""
    items = "".join(f"<li>{html.escape(_check_line(c))}</li>" for c in _shown_checks(result))
    listed = f'<ul style="list-style:none;padding-left:.6em">{items}</ul>' if items else ""
    told, hint = split_feedback(result)
    name, _, text = hint.partition(": ")
    folded = cards.folded(html.escape(name), cards.paragraphs(cards.markup(text))) if hint else ""
    return listed + cards.paragraphs(*map(cards.markup, told)) + folded


def _head(result: Result) -> str:
    status = str(result["status"])
    title = f" {result['title']}" if result.get("title") else ""
    name = html.escape(f"{result['id']}{title}")
    return f"{cards.SIGNS[status]} {name}: {cards.WORDS[status]}"


def split_feedback(result: Result) -> tuple[list[str], str]:
    """Return the lines of feedback that say something new, and the hint (or nothing)."""
    lines = str(result.get("feedback") or "").splitlines()
    said = ("All checks passed.", "Not attempted yet.", "")
    told = [line for line in lines if line not in said and not _HINT.match(line)]
    return told, next((line for line in lines if _HINT.match(line)), "")


def _shown_checks(result: Result) -> list[Result]:
    """Return the checks of an exercise that was begun; else they say nothing."""
    if result["status"] in ("not_attempted", "missing"):
        return []
    return list(result.get("checks", []))


def _score(result: Result) -> str:
    if result.get("max_points") is None:
        return ""
    return f" ({points(result.get('points', 0))} of {points(result['max_points'])} points)"


def _check_line(check: Result) -> str:
    sign, word = ("✔", "right") if check["passed"] else ("✘", "not yet")
    return f"{sign} {check['label']}{' (hidden)' if check.get('hidden') else ''}: {word}"


def kind(status: str) -> str:
    """Return the kind of card that goes with a status."""
    return {"passed": "right", "not_attempted": ""}.get(status, "wrong")


def submission_text(result: Result, notes: list[str]) -> str:
    """Return a graded notebook as plain text."""
    lines = [*(f"⚠ {note}" for note in [*notes, *_repairs(result)]), _headline(result)]
    lines += [exercise_text(exercise) for exercise in result.get("exercises", [])]
    if tip := what_next(result):
        lines.append(tip)
    return "\n".join(lines)


def submission_html(result: Result, notes: list[str]) -> str:
    """Return a graded notebook as a card: the score, one folded part an exercise, what next."""
    told = [*notes, *_repairs(result)]
    warnings = cards.paragraphs(*(f"⚠ {cards.markup(note)}" for note in told))
    head = f"<p><strong>{html.escape(_headline(result))}</strong></p>"
    parts = [_part(exercise) for exercise in result.get("exercises", [])]
    tip = cards.paragraphs(html.escape(what_next(result)))
    done = result.get("status") == "graded" and result.get("score") == result.get("max_score")
    return cards.card(warnings + head + "".join(parts) + tip, "right" if done else "ask", "Grade")


def _part(exercise: Result) -> str:
    """One exercise, open when there is something to mend."""
    inner = details_html(exercise)
    if not inner:
        return f"<p>{_head(exercise)}{_score(exercise)}</p>"
    is_open = " open" if exercise["status"] not in ("passed", "not_attempted") else ""
    head = f"{_head(exercise)}{_score(exercise)}"
    return f"<details{is_open}><summary>{head}</summary>{inner}</details>"


def _repairs(result: Result) -> list[str]:
    return [str(repair) for repair in result.get("repairs", [])]


def _headline(result: Result) -> str:
    if result.get("status") != "graded":
        return f"This notebook could not be graded: {result.get('reason') or 'no reason given'}"
    score, most = points(result["score"]), points(result["max_score"])
    return f"{result.get('notebook', '')}: {score} of {most} points"


def what_next(result: Result) -> str:
    """Say what to try next; empty when nothing could be graded."""
    exercises = list(result.get("exercises", []))
    if result.get("status") != "graded" or not exercises:
        return ""
    started = ("wrong", "error", "timed_out", "crashed")
    for statuses, advice in (
        (started, "Try next: {id}. Its hints are folded under the task."),
        (("missing",), "The answer cell of {id} is gone; `ffcourse reset {id}` brings it back."),
        (("not_attempted",), "Try next: {id}, not begun yet."),
    ):
        for exercise in exercises:
            if exercise["status"] in statuses:
                return advice.format(id=exercise["id"])
    return "All right. On to the next chapter."
