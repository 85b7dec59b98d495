"""The JSON of one submission, and the words of its feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ffcourse.grade.code import defined_names

if TYPE_CHECKING:  # whoever only starts a grader need not wait for NumPy
    from ffcourse.grade.assemble import Attempt
    from ffcourse.grade.outcome import Outcome
    from ffcourse.grade.solution import Exercise, Solution, Variant

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
    exercise = outcome.exercise
    status = overall_status([r.outcome for r in outcome.results])
    found = _mistakes(outcome) if status in ("wrong", "error") else []
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
        "mistake": found[0].name if len(found) == 1 else None,
        "mistakes": [mistake.name for mistake in found],
        "feedback": feedback_text(
            exercise,
            status,
            checks,
            _told(outcome, attempt),
            _in_words(found),
            shown_hints,
        ),
    }


def _mistakes(outcome: Outcome) -> list[Variant]:
    """Return the named mistakes that were made: one that explains all, or several together."""
    from ffcourse.grade.mistakes import named_mistake
    from ffcourse.grade.together import mistakes_together

    for shown in (outcome.emitted, outcome.emitted_again):
        one = named_mistake(outcome.exercise, shown)
        if one is not None:
            return [one]
    for shown in (outcome.emitted, outcome.emitted_again):
        several = mistakes_together(outcome.exercise, shown)
        if several:
            return several
    return []


def _in_words(found: list[Variant]) -> str | None:
    if not found:
        return None
    if len(found) == 1:
        return found[0].message
    count = {2: "Two", 3: "Three"}.get(len(found), "Several")
    return "\n".join([f"{count} things are wrong here:", *(f"- {m.message}" for m in found)])


def _told(outcome: Outcome, attempt: Attempt) -> str | None:
    """Return the sentence for the exercise as a whole; if need be, which name is not defined."""
    if outcome.message is not None:
        return printable(outcome.message)
    own = [name for source in attempt.sources for name in defined_names(source)]
    wanted = [name for answer in outcome.exercise.answers for name in answer.names]
    raised = [p.get("data") for shown in outcome.emitted.values() for p in shown]
    messages = [str(data.get("message")) for data in raised if isinstance(data, dict)]
    for name in wanted:
        if name not in own and f"name '{name}' is not defined" in messages:
            what = ", ".join(f"`{other}`" for other in own[:6]) or "no name"
            return printable(f"The answer must define `{name}`; this one defines {what}.")
    return None


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
