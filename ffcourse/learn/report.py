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
    lines = [f"{_head(result)}{_score(result)}"]
    lines += [f"    {line}" for line in check_lines(result)]
    told, hint = split_feedback(result)
    lines += [f"    {line}" for line in [*told, hint] if line]
    return "\n".join(lines)


def exercise_html(result: Result) -> str:
    """Return one exercise's result as the inside of a card."""
    head = html.escape(_head(result))
    return f"<p><strong>{head}</strong>{_score(result)}</p>{details_html(result)}"


def details_html(result: Result) -> str:
    """Return the checks and the feedback of one exercise, the hint folded."""
    items = "".join(f"<li>{cards.markup(line)}</li>" for line in check_lines(result))
    listed = f'<ul style="list-style:none;padding-left:0">{items}</ul>' if items else ""
    told, hint = split_feedback(result)
    name, _, text = hint.partition(": ")
    folded = cards.folded(html.escape(name), cards.paragraphs(cards.markup(text))) if hint else ""
    return listed + cards.paragraphs(*map(cards.markup, told)) + folded


def _head(result: Result) -> str:
    status = str(result["status"])
    title = f" {result['title']}" if result.get("title") not in (None, result["id"]) else ""
    return f"{cards.SIGNS[status]} {result['id']}{title} · {cards.WORDS[status]}"


def check_lines(result: Result) -> list[str]:
    """Return one line a check, with what it says; of an exercise not begun, nothing.

    What several checks say in the same words is said once.
    """
    if result["status"] in ("not_attempted", "missing"):
        return []
    lines = []
    said: set[str] = set()
    for check in result.get("checks", []):
        name = f"{check['label']}{' (hidden)' if check.get('hidden') else ''}"
        message = "" if check["passed"] else str(check.get("message") or "")
        words = message.removeprefix(f"{check['label']}: ")
        if check["passed"]:
            lines.append(f"✔ {name}: right")
        else:
            lines.append(f"✘ {name}: {'not yet' if message in said or not message else words}")
        said.add(message)
    return lines


def split_feedback(result: Result) -> tuple[list[str], str]:
    """Return the feedback that the checks have not said yet, and the hint (or nothing)."""
    said = {"All checks passed.", "Not attempted yet.", ""}
    for check in result.get("checks", []):
        message, label = check.get("message"), check["label"]
        said |= {str(message), f"{label}: {message}", f"{label} (hidden check): {message}"}
    lines = str(result.get("feedback") or "").splitlines()
    told = [line for line in lines if line not in said and not _HINT.match(line)]
    return told, next((line for line in lines if _HINT.match(line)), "")


def _score(result: Result) -> str:
    if result.get("max_points") is None:
        return ""
    return f" ({points(result.get('points', 0))} of {points(result['max_points'])} points)"


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
    head = f"{html.escape(_head(exercise))}{_score(exercise)}"
    if not inner:
        return f"<p>{head}</p>"
    is_open = " open" if exercise["status"] not in ("passed", "not_attempted") else ""
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
