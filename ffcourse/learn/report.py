"""A graded exercise or notebook as a card: text for the terminal, HTML for the notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from ffcourse.learn import cards

Result = Mapping[str, Any]


def points(value: Any) -> str:
    """Return points without a needless ``.0``."""
    number = float(value)
    return f"{number:.0f}" if number.is_integer() else f"{number:.3g}"


def exercise_text(result: Result) -> str:
    """Return one exercise's result as plain text."""
    status = str(result["status"])
    lines = [f"{cards.SIGNS[status]} {result['id']}: {cards.WORDS[status]}{_score(result)}"]
    for check in result.get("checks", []):
        sign = "✔" if check["passed"] else "✘"
        lines.append(f"    {sign} {_check_name(check)}")
        if not check["passed"] and check.get("message"):
            lines.append(f"      {check['message']}")
    if result.get("feedback"):
        lines.append(f"    → {result['feedback']}")
    return "\n".join(lines)


def exercise_html(result: Result) -> str:
    """Return one exercise's result as the inside of a card."""
    status = str(result["status"])
    head = (
        f"<strong>{cards.SIGNS[status]} {html.escape(str(result['id']))}: "
        f"{cards.WORDS[status]}</strong>{_score(result)}"
    )
    items = "".join(f"<li>{_check_html(check)}</li>" for check in result.get("checks", []))
    feedback = cards.markup(str(result["feedback"])) if result.get("feedback") else ""
    listed = f'<ul style="list-style:none;padding-left:.6em">{items}</ul>' if items else ""
    return cards.paragraphs(head) + listed + cards.paragraphs(feedback and f"→ {feedback}")


def _score(result: Result) -> str:
    if result.get("max_points") is None:
        return ""
    return f" ({points(result.get('points', 0))} of {points(result['max_points'])} points)"


def _check_name(check: Result) -> str:
    return f"{check['label']}{' (hidden)' if check.get('hidden') else ''}"


def _check_html(check: Result) -> str:
    sign, word = ("✔", "right") if check["passed"] else ("✘", "not yet")
    name = f"{sign} {html.escape(_check_name(check))}: {word}"
    if check["passed"] or not check.get("message"):
        return name
    return f"{name}<br>{cards.markup(str(check['message']))}"


def kind(status: str) -> str:
    """Return the kind of card that goes with a status."""
    return {"passed": "right", "not_attempted": ""}.get(status, "wrong")


def submission_text(result: Result, notes: list[str]) -> str:
    """Return a graded notebook as plain text."""
    lines = [*(f"⚠ {note}" for note in notes), _headline(result)]
    lines += [exercise_text(exercise) for exercise in result.get("exercises", [])]
    if tip := what_next(result):
        lines.append(tip)
    return "\n".join(lines)


def submission_html(result: Result, notes: list[str]) -> str:
    """Return a graded notebook as a card: the score, one folded part an exercise, what next."""
    warnings = cards.paragraphs(*(f"⚠ {cards.markup(note)}" for note in notes))
    head = f"<p><strong>{html.escape(_headline(result))}</strong></p>"
    parts = [_part(exercise) for exercise in result.get("exercises", [])]
    tip = cards.paragraphs(html.escape(what_next(result)))
    done = result.get("status") == "graded" and result.get("score") == result.get("max_score")
    return cards.card(warnings + head + "".join(parts) + tip, "right" if done else "ask", "Grade")


def _part(exercise: Result) -> str:
    """One exercise, open when there is something to do."""
    status = str(exercise["status"])
    name = f"{cards.SIGNS[status]} {html.escape(str(exercise['id']))}: {cards.WORDS[status]}"
    inner = exercise_html(exercise).split("</p>", 1)[1]
    if not inner:
        return f"<p>{name}{_score(exercise)}</p>"
    is_open = " open" if status not in ("passed", "not_attempted") else ""
    return f"<details{is_open}><summary>{name}{_score(exercise)}</summary>{inner}</details>"


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
