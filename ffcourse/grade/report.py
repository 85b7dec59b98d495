"""The JSON of one submission, and the words of its feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # whoever only starts a grader need not wait for NumPy
    from ffcourse.grade.assemble import Attempt
    from ffcourse.grade.outcome import Outcome
    from ffcourse.grade.solution import Exercise, Solution

SCHEMA = 1
_ORDER = ("crashed", "timed_out", "missing", "error", "wrong", "not_attempted")


def rejection(name: str, key: str | None, reason: str, sandbox: str | None) -> dict[str, Any]:
    """Return the JSON of a submission that could not be graded."""
    return {
        "schema": SCHEMA,
        "submission": name,
        "notebook": key,
        "status": "rejected",
        "reason": printable(reason),
        "score": 0,
        "max_score": 0,
        "seconds": 0.0,
        "sandbox": sandbox,
        "exercises": [],
        "repairs": [],
    }


def submission_report(
    name: str,
    solution: Solution,
    exercises: list[dict[str, Any]],
    repairs: list[str],
    seconds: float,
    sandbox: str,
    seed: int | None,
) -> dict[str, Any]:
    """Return the JSON of a graded submission."""
    return {
        "schema": SCHEMA,
        "submission": name,
        "notebook": solution.key,
        "status": "graded",
        "reason": None,
        "score": whole(sum(e["points"] for e in exercises)),
        "max_score": whole(sum(e["max_points"] for e in exercises)),
        "seconds": round(seconds, 2),
        "sandbox": sandbox,
        "exercises": exercises,
        "repairs": [printable(text) for text in repairs],
        "seed": seed,
    }


def exercise_report(outcome: Outcome, attempt: Attempt, shown_hints: int) -> dict[str, Any]:
    """Return the JSON of one exercise."""
    from ffcourse.grade.mistakes import named_mistake

    exercise = outcome.exercise
    status = overall_status([r.outcome for r in outcome.results])
    mistake = None
    if status in ("wrong", "error"):
        mistake = named_mistake(exercise, outcome.emitted)
        mistake = mistake or named_mistake(exercise, outcome.emitted_again)
    checks = [
        {
            "label": r.label,
            "hidden": r.hidden,
            "passed": r.passed,
            "message": None if r.passed else printable(r.message or ""),
            "points": whole(r.points),
            "max_points": whole(c.points),
        }
        for r, c in zip(outcome.results, exercise.checks, strict=True)
    ]
    return {
        "id": exercise.id,
        "title": exercise.title,
        "points": whole(sum(r.points for r in outcome.results)),
        "max_points": exercise.max_points,
        "status": status,
        "checks": checks,
        "mistake": mistake.name if mistake else None,
        "feedback": feedback_text(
            exercise,
            status,
            checks,
            printable(outcome.message) if outcome.message else None,
            mistake.message if mistake else None,
            shown_hints,
        ),
    }


def overall_status(outcomes: list[str]) -> str:
    """Return the status of an exercise from the outcomes of its checks."""
    wrong = [o for o in outcomes if o != "passed"]
    if not wrong:
        return "passed" if outcomes else "missing"
    for kind in _ORDER[:-1]:
        if kind in wrong:
            return kind
    # Only parts that are not written: not attempted, unless other parts already passed.
    return "not_attempted" if len(wrong) == len(outcomes) else "wrong"


def feedback_text(
    exercise: Exercise,
    status: str,
    checks: list[dict[str, Any]],
    message: str | None,
    mistake: str | None,
    shown_hints: int,
) -> str:
    """Return the feedback: expected and came, then the named mistake, then the next hint."""
    if status == "passed":
        return "All checks passed."
    if status == "missing":
        return message or "The answer cell is missing."
    lines: list[str] = []
    if status == "not_attempted":
        lines.append("Not attempted yet.")
    elif message:
        lines.append(message)
    if status != "not_attempted":
        lines += _failures(checks, message)
    if mistake:
        lines.append(mistake)
    hint = next_hint(exercise, checks, shown_hints)
    if hint and not mistake:
        lines.append(hint)
    return "\n".join(lines)


def _failures(checks: list[dict[str, Any]], message: str | None) -> list[str]:
    """One line for each different failure, visible ones first."""
    lines: list[str] = []
    said = {message}
    for check in sorted(checks, key=lambda c: c["hidden"]):
        text = check["message"]
        if check["passed"] or text in said:
            continue
        said.add(text)
        hidden = " (hidden check)" if check["hidden"] else ""
        lines.append(f"{check['label']}{hidden}: {text}")
    return lines


def next_hint(exercise: Exercise, checks: list[dict[str, Any]], shown: int) -> str | None:
    """Return the next hint: the first that was not shown, or one further if part is right."""
    if not exercise.hints:
        return None
    tier = shown + (1 if any(c["passed"] for c in checks) else 0)
    tier = min(tier, len(exercise.hints) - 1)
    return f"Hint {tier + 1}: {exercise.hints[tier]}"


def printable(text: str) -> str:
    """Return a text without control characters: a terminal would obey them."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def whole(number: float) -> float:
    """Return a number without a needless ``.0``."""
    return int(number) if float(number).is_integer() else round(float(number), 4)


def totals(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON of several submissions."""
    return {"schema": SCHEMA, "submissions": list(reports)}
