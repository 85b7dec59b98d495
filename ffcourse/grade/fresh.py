"""Fresh references for a seed: the solution itself is run, behind the same walls."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.notebook import read_notebook
from ffcourse.grade.passes import Piece, run_pieces
from ffcourse.grade.sandbox.nursery import Source
from ffcourse.grade.solution import Exercise, Solution, SolutionError

_RUN = ("given", "answer", "check", "truth", "mistake", "alternative")


def fresh_solution(stored: Solution, nursery: Source, limits: Limits, seed: int) -> Solution:
    """Return a solution whose references, truths and mistakes are of another seed.

    Raises
    ------
    SolutionError
        When the solution is a bundle, or does not run.
    """
    if stored.bundle:
        raise SolutionError("Fresh inputs (--seed) need the solutions; a bundle has no answers.")
    cells = [c for c in read_notebook(stored.path).cells if c.role in _RUN and c.exercise]
    pieces = [Piece(str(c.role), str(c.exercise), c.source) for c in cells]
    with tempfile.TemporaryDirectory(prefix="ffc-fresh-") as folder:
        generous = Limits(**{**limits.as_dict(), "cell_seconds": 120.0, "cell_wall": 300.0})
        records = run_pieces(pieces, nursery, generous, seed, Path(folder))
    solution = copy.deepcopy(stored)
    for i, piece in enumerate(pieces):
        _check_ran(stored, piece, records[i])
    for exercise in solution.exercises.values():
        own = [(p, records[i].payloads) for i, p in enumerate(pieces) if p.exercise == exercise.id]
        _replace(exercise, own)
    return solution


def _check_ran(solution: Solution, piece: Piece, record: Any) -> None:
    if record.outcome != "done":
        error = record.error or {}
        raise SolutionError(
            f"{solution.path.name} does not run with this seed: {piece.role} of {piece.exercise}: "
            f"{record.outcome} {error.get('ename', '')} {error.get('evalue', '')}"
        )


def _replace(exercise: Exercise, own: list[tuple[Piece, list[dict[str, Any]]]]) -> None:
    by_role: dict[str, list[list[dict[str, Any]]]] = {}
    for piece, payloads in own:
        by_role.setdefault(piece.role, []).append(payloads)
    truths = {str(p["label"]): p for payloads in by_role.get("truth", []) for p in payloads}
    for check, payloads in zip(exercise.checks, by_role.get("check", []), strict=True):
        check.reference = [p for p in payloads if not p.get("variant")]
        check.truths = truths
    for variants, role in ((exercise.mistakes, "mistake"), (exercise.alternatives, "alternative")):
        for variant, payloads in zip(variants, by_role.get(role, []), strict=True):
            variant.payloads = payloads
