"""``python -m ffcourse.grade.visible``: judges the visible checks for ``check("01.2")``.

Two steps, one JSON object a line, so that no expected value enters the learner's kernel:

1. in: ``{"exercise": "01.2"}``; out: ``{"checks": [{"label", "source"}, ...]}``
2. in: ``{"emitted": [[payload, ...], ...], "answer": source or null}``; out: the exercise's
   result as in the JSON of a submission

Anything that cannot be answered is ``{"error": sentence}``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from ffcourse.grade.assemble import Attempt
from ffcourse.grade.code import SyntaxFault, forbidden_use, import_lines, is_stub, parse
from ffcourse.grade.judge import CheckResult, failed, judge
from ffcourse.grade.mistakes import split_by_check
from ffcourse.grade.outcome import Outcome
from ffcourse.grade.report import exercise_report
from ffcourse.grade.solution import (
    Exercise,
    Solution,
    SolutionError,
    cached_solution,
    find_solution,
    without_magic,
)


class VisibleError(Exception):
    """There is nothing to judge with; the message is for the learner."""


def visible_part(exercise: str, folder: Path | None = None) -> tuple[Solution, Exercise]:
    """Return an exercise with its visible checks only.

    Raises
    ------
    VisibleError
        When there is no such exercise, or nothing to compare with.
    """
    chapter = exercise.split(".")[0]
    path = find_solution(chapter, folder)
    if path is None:
        raise VisibleError(f"There are no exercises for chapter {chapter} in this course.")
    try:
        solution = cached_solution(path)
    except SolutionError as error:
        raise VisibleError(str(error)) from None
    found = solution.exercises.get(exercise)
    if found is None:
        known = ", ".join(solution.exercises)
        raise VisibleError(f"There is no exercise {exercise}; this notebook has {known}.")
    for variant in (*found.mistakes, *found.alternatives):
        parts = split_by_check(variant.payloads, found.checks)
        visible = [n for n, check in enumerate(found.checks) if not check.hidden]
        variant.payloads = [dict(p) for n in visible for p in parts.get(n, ())]
    found.checks = [check for check in found.checks if not check.hidden]
    return solution, found


def card(
    solution: Solution, exercise: Exercise, emitted: list[list[dict[str, Any]]], answer: str | None
) -> dict[str, Any]:
    """Return the result of one exercise from what its visible checks showed."""
    outcome = Outcome(exercise)
    words = _before_running(solution, exercise, answer)
    for number, check in enumerate(exercise.checks):
        payloads = emitted[number] if number < len(emitted) else []
        outcome.emitted[number] = payloads
        if words is not None:
            result: CheckResult = failed(check, words[0], words[1])
        else:
            result = judge(check, payloads)
        outcome.results.append(result)
    outcome.message = words[1] if words else None
    return exercise_report(outcome, Attempt(exercise.id, [answer or ""]), 0)


def _before_running(
    solution: Solution, exercise: Exercise, answer: str | None
) -> tuple[str, str] | None:
    if answer is None:
        return None
    if is_stub(answer, exercise.stubs):
        return "not_attempted", "Not written yet."
    tree = parse(answer)
    if isinstance(tree, SyntaxFault):
        return "error", str(tree)
    given = import_lines([s.source for s in solution.steps if s.role == "given"])
    forbidden = [name for a in exercise.answers for name in a.forbid]
    used = forbidden_use(answer, forbidden, given)
    if used:
        return "error", f"The answer uses `{used}`, which this exercise asks you to do without."
    return None


def main() -> int:
    """Hold the conversation of one exercise."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    folder = os.environ.get("FFCOURSE_SOLUTIONS")

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        request = json.loads(sys.stdin.readline())
        solution, exercise = visible_part(
            str(request["exercise"]), Path(folder) if folder else None
        )
        checks = [{"label": c.label, "source": without_magic(c.source)} for c in exercise.checks]
        say({"checks": checks})
        line = sys.stdin.readline()
        if line.strip():
            reply = json.loads(line)
            say(card(solution, exercise, reply["emitted"], reply.get("answer")))
    except VisibleError as error:
        say({"error": str(error)})
    except (ValueError, KeyError, TypeError) as error:
        say({"error": f"The judge was asked in a way it does not know ({error!r})."})
    return 0


if __name__ == "__main__":
    sys.exit(main())
