"""Name the two or three mistakes that a learner made together.

They are told when they show in different values: each wrong value is that of one stored mistake,
every value which that mistake spoils is spoilt in its way, and no other stored mistake fits.
Of mistakes that work upon each other nothing is told: their values cannot be taken apart.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ffcourse.grade.code import SyntaxFault, parse
from ffcourse.grade.compare import as_numbers
from ffcourse.grade.judge import agree
from ffcourse.grade.mistakes import split_by_check
from ffcourse.grade.rules import meets
from ffcourse.grade.solution import Exercise, Variant
from ffcourse.grade.values import ValueFormatError, decode

Payload = Mapping[str, Any]
Payloads = Sequence[Payload]
Place = tuple[int, str]  # the number of a check, and a label in it
MOST_TOGETHER = 3


def mistakes_together(exercise: Exercise, emitted: Mapping[int, Payloads]) -> list[Variant]:
    """Return the two or three stored mistakes that together explain every value, or none.

    Parameters
    ----------
    exercise : Exercise
    emitted : mapping from check number to payloads
        What the learner's code showed.
    """
    got = _by_place(exercise, emitted)
    if got is None or len(got) < 2:
        return []
    wrong = {place for place, payload in got.items() if not _right(exercise, place, payload)}
    if len(wrong) < 2:
        return []
    literal = _is_literal(exercise)
    fits: list[tuple[Variant, set[Place]]] = []
    for variant in exercise.mistakes:
        theirs = _by_place(exercise, split_by_check(variant.payloads, exercise.checks))
        if theirs is None:
            continue
        spoilt = {place for place in theirs if not _right(exercise, place, theirs[place])}
        fit = spoilt and all(agree([got[p]], [theirs[p]]) for p in spoilt)
        if fit and (literal or any(_telling(got[p]) for p in spoilt)):
            fits.append((variant, spoilt))
    covered = [place for _, spoilt in fits for place in spoilt]
    if not 2 <= len(fits) <= MOST_TOGETHER or len(covered) != len(set(covered)):
        return []
    return [variant for variant, _ in fits] if set(covered) == wrong else []


def _by_place(exercise: Exercise, parts: Mapping[int, Payloads]) -> dict[Place, Payload] | None:
    """Return every value by its place; None unless each is there once, and no exception."""
    found: dict[Place, Payload] = {}
    for number, check in enumerate(exercise.checks):
        payloads = parts.get(number, ())
        labels = [str(p.get("label")) for p in payloads]
        if sorted(labels) != sorted(str(p.get("label")) for p in check.reference):
            return None
        if len(set(labels)) != len(labels):
            return None
        found |= {(number, label): p for label, p in zip(labels, payloads, strict=True)}
    return found


def _right(exercise: Exercise, place: Place, payload: Payload) -> bool:
    number, label = place
    check = exercise.checks[number]
    reference = next(p for p in check.reference if str(p.get("label")) == label)
    try:
        rule = check.rules.get(label, {})
        return meets(rule, decode(reference), decode(payload), check.truths)
    except ValueFormatError:
        return False


def _is_literal(exercise: Exercise) -> bool:
    """Whether an answer only writes values down, so that each is a claim of its own."""
    forms = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.Call)
    trees = [parse(answer.source) for answer in exercise.answers if answer.source]
    return bool(trees) and not any(
        isinstance(tree, SyntaxFault) or any(isinstance(n, forms) for n in ast.walk(tree))
        for tree in trees
    )


def _telling(payload: Payload) -> bool:
    """Whether a value is hardly met by chance: not just a 0, a small number or a yes."""
    try:
        numbers = as_numbers(decode(payload))
    except ValueFormatError:
        return False
    if numbers is None or numbers.dtype.kind == "b":
        return False
    finite = numbers[np.isfinite(numbers)]
    if numbers.dtype.kind == "f" and bool((finite != np.rint(finite)).any()):
        return True
    return bool(np.unique(finite).size >= 3)
