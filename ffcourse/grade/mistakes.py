"""Which named mistake did a learner make? Only told when exactly one fits everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ffcourse.grade.judge import agree
from ffcourse.grade.rules import meets
from ffcourse.grade.solution import Check, Exercise, Variant
from ffcourse.grade.values import ERROR_LABEL, ErrorValue, decode

Payloads = Sequence[Mapping[str, Any]]


def named_mistake(
    exercise: Exercise,
    emitted: Mapping[int, Payloads],
    only: Sequence[int] | None = None,
) -> Variant | None:
    """Return the one stored mistake whose values or exceptions are the learner's, or None.

    Where a rule leaves room (2.3 for 2.303), it does so here: a value that is right and another
    that is right are alike, and so are two wrong ones that the rule could not tell apart.

    Parameters
    ----------
    exercise : Exercise
    emitted : mapping from check number to payloads
        What the learner's code showed.
    only : sequence of int or None
        The checks to look at; by default all of the exercise.
    """
    numbers = list(range(len(exercise.checks))) if only is None else list(only)
    if not numbers or any(number not in emitted for number in numbers):
        return None
    fits = [
        variant
        for variant in exercise.mistakes
        if _fits(split_by_check(variant.payloads, exercise.checks), emitted, numbers, exercise)
    ]
    return fits[0] if len(fits) == 1 else None


def _fits(
    parts: Mapping[int, Payloads],
    emitted: Mapping[int, Payloads],
    numbers: Sequence[int],
    exercise: Exercise,
) -> bool:
    return all(_alike(exercise.checks[n], emitted[n], parts.get(n, ())) for n in numbers)


def _alike(check: Check, shown: Payloads, stored: Payloads) -> bool:
    if len(shown) != len(stored):
        return False
    return all(
        agree([mine], [theirs]) or _alike_by_rule(check, mine, theirs)
        for mine, theirs in zip(shown, stored, strict=True)
    )


def _alike_by_rule(check: Check, shown: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    label = str(shown.get("label"))
    rule = check.rules.get(label)
    wanted = [p for p in check.reference if p.get("label") == label]
    if rule is None or label != stored.get("label") or not wanted:
        return False
    try:
        mine, theirs, right = decode(shown), decode(stored), decode(wanted[0])
        if isinstance(mine, ErrorValue) or isinstance(theirs, ErrorValue):
            return False
        if all(meets(rule, right, value, check.truths) for value in (mine, theirs)):
            return True
        return rule.get("rule", "close") == "close" and meets(rule, theirs, mine, check.truths)
    except Exception:  # an odd value is like no other; it must not end the grading
        return False


def split_by_check(payloads: Payloads, checks: Sequence[Check]) -> dict[int, Payloads]:
    """Return the payloads of a variant's run by the number of the check they belong to.

    A single exception with nothing else was raised by the answer itself: it stands for every
    check.
    """
    if len(payloads) == 1 and len(checks) > 1 and payloads[0].get("label") == ERROR_LABEL:
        return dict.fromkeys(range(len(checks)), payloads)
    parts: dict[int, Payloads] = {}
    rest = list(payloads)
    for number, check in enumerate(checks):
        labels = {str(p.get("label")) for p in check.reference}
        part: list[Mapping[str, Any]] = []
        while rest and rest[0].get("label") in labels:
            part.append(rest.pop(0))
        if rest and rest[0].get("label") == ERROR_LABEL and len(part) < len(check.reference):
            part.append(rest.pop(0))
        parts[number] = part
    return parts
