"""What every exercise must keep to, told as faults in words; an empty list is a pass.

The judged gates read the values stored in the solution notebook: nbval holds elsewhere that
a fresh run gives the same ones, so no kernel is needed here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ffcourse.author import notebook as nb
from ffcourse.author.generate import generate
from ffcourse.author.leaks import leaks
from ffcourse.author.solution import KINDS, Exercise, Solution, body, load
from ffcourse.author.stubs import defined

FEWEST_MISTAKES, FEWEST_ALTERNATIVES = 3, 2
EXERCISES = range(5, 9)
MINUTES = range(45, 76)
_HINT = re.compile(r"<details>\s*<summary>Hint (\d)", re.IGNORECASE)


def exercise_faults(path: Path) -> list[str]:
    """Return every fault of a solution and its exercises, except what only a grading run shows."""
    solution = load(path)
    found = [*notebook_faults(solution), *stored_faults(solution)]
    for exercise in solution.exercises.values():
        found += form_faults(exercise)
    found += judged_faults(path)
    found += [str(leak) for leak in leaks(solution, nb.find("chapters"))]
    found += [f"exercises/{place.name} is not what generate makes" for place in _stale(path)]
    return found


def _stale(path: Path) -> list[Path]:
    return generate([path], check=True)


def notebook_faults(solution: Solution) -> Iterator[str]:
    """Yield what is wrong with the notebook as a whole: how many exercises, of which kinds."""
    exercises = list(solution.exercises.values())
    if len(exercises) not in EXERCISES:
        yield f"{len(exercises)} exercises; five to eight are wanted"
    ids = [exercise.id for exercise in exercises]
    if ids != [f"{solution.chapter}.{n}" for n in range(1, len(ids) + 1)]:
        yield f"exercises must be numbered {solution.chapter}.1 onwards, in order; they are {ids}"
    kinds = {str(exercise.about.get("kind")) for exercise in exercises}
    if "bug" not in kinds:
        yield "no exercise of kind 'bug'"
    if "predict" not in kinds:
        yield "no exercise of kind 'predict'"
    if not any("data.load_" in nb.source(cell) for cell in solution.notebook["cells"]):
        yield "no exercise uses real data (data.load_…)"
    minutes = sum(int(exercise.about.get("minutes", 0)) for exercise in exercises)
    if minutes not in MINUTES:
        yield f"the exercises take {minutes} minutes together; 45 to 75 are wanted"


def stored_faults(solution: Solution) -> Iterator[str]:
    """Yield code cells that nbval would pass unseen, or whose values nobody stored."""
    expected = 1
    for number, cell in enumerate(solution.notebook["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        if cell.get("execution_count") != expected:
            count = cell.get("execution_count")
            yield f"cell {number} has the count {count}, not {expected}: `ffcourse author run`"
            return  # those after it are out of step, too
        expected += 1
        if nb.role(cell) in ("check", "truth", "mistake", "alternative") and not cell["outputs"]:
            yield f"cell {number} ({nb.role(cell)}) has no stored values"


def form_faults(exercise: Exercise) -> Iterator[str]:
    """Yield what an exercise lacks in form."""
    about, one = exercise.about, exercise.id
    prompts = exercise.of("prompt")
    if len(prompts) != 1:
        yield f"{one}: needs one prompt cell, has {len(prompts)}"
        return
    for key in ("title", "kind", "difficulty", "minutes"):
        if key not in about:
            yield f"{one}: the prompt's metadata lacks {key!r}"
    if about.get("kind") not in KINDS:
        yield f"{one}: unknown kind {about.get('kind')!r}; kinds are {', '.join(KINDS)}"
    if about.get("difficulty") not in (1, 2, 3):
        yield f"{one}: difficulty must be 1, 2 or 3"
    if not nb.source(prompts[0]).startswith(f"## {one} "):
        yield f"{one}: the prompt must begin with '## {one} Title'"
    if _HINT.findall(nb.source(prompts[0])) != ["1", "2", "3"]:
        yield f"{one}: three folded hints are wanted, in order"
    if exercise.points < 1:
        yield f"{one}: its checks give no points"
    if not exercise.of("answer"):
        yield f"{one}: no answer"
    yield from _variant_faults(exercise)
    yield from _check_faults(exercise)


def _variant_faults(exercise: Exercise) -> Iterator[str]:
    mistakes, others = exercise.of("mistake"), exercise.of("alternative")
    if len(mistakes) < FEWEST_MISTAKES:
        yield f"{exercise.id}: {len(mistakes)} mistakes; at least {FEWEST_MISTAKES} are wanted"
    if len(others) < FEWEST_ALTERNATIVES and not is_literal(exercise):
        yield f"{exercise.id}: {len(others)} alternatives; {FEWEST_ALTERNATIVES} are wanted"
    names = [str(nb.about(cell).get("name")) for cell in [*mistakes, *others]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{exercise.id}: the variant {name!r} is there twice"
    for cell in mistakes:
        if not message(cell):
            yield f"{exercise.id}: the mistake {nb.about(cell).get('name')!r} has no message"


def is_literal(exercise: Exercise) -> bool:
    """Say whether the answer only writes down values, as in a prediction or a choice."""
    return not any(
        isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda))
        for node in ast.walk(ast.parse(exercise.answer))
    )


def message(cell: nb.Cell) -> str:
    """Return the comment at the head of a mistake: what its maker is told."""
    lines = []
    for line in body(cell).splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(lines).strip()


def _check_faults(exercise: Exercise) -> Iterator[str]:
    labels: list[str] = []
    shown: dict[bool, list[Any]] = {True: [], False: []}
    for cell in exercise.of("check"):
        about = nb.about(cell)
        hidden = bool(about.get("hidden", False))
        if hidden and not about.get("hint"):
            yield f"{exercise.id}: the hidden check {about.get('label')!r} has no written hint"
        payloads = _payloads(cell)
        labels += [str(payload["label"]) for payload in payloads]
        shown[hidden] += [p["data"] for p in payloads if p["kind"] in ("array", "list", "dict")]
    for label in sorted({label for label in labels if labels.count(label) > 1}):
        yield f"{exercise.id}: the label {label!r} is emitted twice"
    if not any(not nb.about(cell).get("hidden") for cell in exercise.of("check")):
        if not is_literal(exercise):
            yield f"{exercise.id}: no visible check"
    elif any(data in shown[False] for data in shown[True] if data):
        yield f"{exercise.id}: a hidden check shows the same values as a visible one"
    missing = set(_names(exercise)) - set(defined(exercise.answer))
    if missing:
        yield f"{exercise.id}: the answer does not define {', '.join(sorted(missing))}"


def _names(exercise: Exercise) -> list[str]:
    return [str(n) for cell in exercise.of("answer") for n in nb.about(cell).get("names", [])]


def _payloads(cell: nb.Cell) -> list[dict[str, Any]]:
    from ffcourse.grade.solution import payloads_of

    return payloads_of(cell.get("outputs", []))


def judged_faults(path: Path) -> Iterator[str]:
    """Yield alternatives that fail, mistakes that pass, and mistakes that aren't named."""
    from ffcourse.grade.solution import SolutionError, load_solution

    try:
        exercises = load_solution(path).exercises
    except SolutionError as error:
        yield str(error)
        return
    for exercise in exercises.values():
        for variant in exercise.alternatives:
            for check, result in _verdicts(exercise, variant):
                if not result.passed:
                    yield (
                        f"{exercise.id}: the alternative {variant.name!r} fails "
                        f"{check.label!r}: {result.message}"
                    )
        for variant in exercise.mistakes:
            yield from _mistake_faults(exercise, variant)


def _mistake_faults(exercise: Any, variant: Any) -> Iterator[str]:
    from ffcourse.grade.mistakes import named_mistake

    verdicts = _verdicts(exercise, variant)
    if all(result.passed or not check.points for check, result in verdicts):
        yield f"{exercise.id}: the mistake {variant.name!r} gets full marks"
        return
    named = named_mistake(exercise, dict(enumerate(_split(exercise, variant))))
    if named is None or named.name != variant.name:
        yield (
            f"{exercise.id}: the mistake {variant.name!r} is not named; another gives the "
            "same values, or its values can't be told apart"
        )


def _verdicts(exercise: Any, variant: Any) -> list[tuple[Any, Any]]:
    from ffcourse.grade.judge import judge

    parts = _split(exercise, variant)
    return [(c, judge(c, part)) for c, part in zip(exercise.checks, parts, strict=True)]


def _split(exercise: Any, variant: Any) -> list[list[dict[str, Any]]]:
    """Return a variant's payloads by check, as if a learner's answer had shown them."""
    from ffcourse.grade.mistakes import split_by_check

    plain = [{**payload, "variant": None} for payload in variant.payloads]
    parts = split_by_check(plain, exercise.checks)
    return [[dict(p) for p in parts.get(n, [])] for n in range(len(exercise.checks))]
