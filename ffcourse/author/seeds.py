"""Whether the checks stay fair when a class gets inputs of its own (`grade --seed`).

A solution is run with another seed; then its reference must still meet every rule, its
alternatives must pass, and its mistakes must fail and be named.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.author.gates import judged_faults
from ffcourse.author.run import RunError, execute
from ffcourse.workspace import root

SEEDS = 20  # an accuracy bar lies under the reference's worst of so many


def seed_faults(path: Path, seed: int) -> list[str]:
    """Return what breaks when a solution's inputs are drawn with another seed.

    Parameters
    ----------
    path : Path
        The solution; it is not changed.
    seed : int
        As in ``ffcourse grade --seed``; 0 gives the stored inputs.
    """
    try:
        executed = execute(nb.read(path), path.parent, seed=seed)
    except RunError as error:
        return [f"does not run: {error}"]
    with tempfile.TemporaryDirectory(prefix="ffc-seed-") as folder:
        copy = Path(folder) / "solutions" / path.name
        copy.parent.mkdir()
        nb.write(copy, executed)
        return [*_reference_faults(copy), *judged_faults(copy)]


def _reference_faults(path: Path) -> Iterator[str]:
    """Yield checks whose rule the reference itself does not meet."""
    from ffcourse.grade.judge import judge
    from ffcourse.grade.solution import load_solution

    for exercise in load_solution(path).exercises.values():
        for check in exercise.checks:
            result = judge(check, check.reference)
            if not result.passed:
                yield f"{exercise.id}: the reference fails {check.label!r}: {result.message}"


def report(paths: list[Path], seeds: int = SEEDS) -> int:
    """Print what breaks for seeds 1 to `seeds`; return 1 if anything does."""
    broken = False
    for path in paths:
        tried = range(1, seeds + 1)
        found = [f"seed {seed}: {fault}" for seed in tried for fault in seed_faults(path, seed)]
        broken = broken or bool(found)
        place = path.relative_to(root()).as_posix()
        print(f"{place}: " + ("\n  ".join(["", *found]) if found else f"fair for {seeds} seeds"))
    return 1 if broken else 0
