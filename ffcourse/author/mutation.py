"""Do the checks notice a wrong answer that nobody thought of? Mutants, run and judged.

The mutants of a solution run in one child process, `mutant_worker`; their values are judged
here, against the references stored in the solution notebook.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.author import notebook as nb
from ffcourse.author.mutators import mutants
from ffcourse.author.run import kernel_environment
from ffcourse.author.solution import Exercise, body, load
from ffcourse.workspace import root

MOST = 48  # mutants an exercise; of more, an even selection
GOAL = 0.95


@dataclass(frozen=True)
class Fate:
    """What became of one mutant."""

    exercise: str
    name: str
    source: str
    fate: str  # "killed", "survived" or "same": no input was found that tells it apart


def fates(path: Path) -> list[Fate]:
    """Run and judge the mutants of every exercise of a solution notebook.

    Parameters
    ----------
    path : Path
        The solution, with stored outputs.
    """
    from ffcourse.grade.judge import judge
    from ffcourse.grade.solution import load_solution

    references = load_solution(path).exercises
    found = []
    for line in _worker(_job(path)):
        checks = references[line["exercise"]].checks
        passed = "emitted" in line and all(
            judge(check, emitted).passed
            for check, emitted in zip(checks, line["emitted"], strict=True)
        )
        fate = "killed" if not passed else "same" if line["same"] else "survived"
        found.append(Fate(line["exercise"], line["name"], line["source"], fate))
    return found


def _job(path: Path) -> dict[str, Any]:
    """Return what the worker needs: the notebook's cells in order, and the mutants."""
    solution = load(path)
    steps = []
    for cell in solution.notebook["cells"]:
        if nb.role(cell) in ("given", "answer"):
            exercise = str(nb.about(cell)["exercise"])
            steps.append({"role": nb.role(cell), "exercise": exercise, "source": nb.source(cell)})
    exercises = {
        key: {
            "checks": [body(cell) for cell in exercise.of("check")],
            "mutants": [
                {"name": mutant.name, "source": mutant.source} for mutant in _selection(exercise)
            ],
        }
        for key, exercise in solution.exercises.items()
    }
    return {"steps": steps, "exercises": exercises}


def _selection(exercise: Exercise) -> list[Any]:
    """Return the mutants of an exercise, without those that its author has explained."""
    explained = {
        str(entry.get("mutant"))
        for cell in exercise.of("answer")
        for entry in nb.about(cell).get("equivalent", [])
    }
    found = [mutant for mutant in mutants(exercise.answer) if mutant.name not in explained]
    if len(found) <= MOST:
        return found
    return [found[round(k * (len(found) - 1) / (MOST - 1))] for k in range(MOST)]


def _worker(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the job in a child process; return one line a mutant."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "ffcourse.author.mutant_worker"],
        input=json.dumps(job),
        capture_output=True,
        encoding="utf-8",
        env={**kernel_environment(), "MPLBACKEND": "agg"},
        cwd=root(),
        timeout=600,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the mutants' worker failed: {done.stderr.strip()[-800:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def rate(found: Sequence[Fate]) -> float:
    """Return the share of killed mutants among those that can be told from the reference."""
    counted = [fate for fate in found if fate.fate != "same"]
    return sum(fate.fate == "killed" for fate in counted) / len(counted) if counted else 1.0


def summary(found: Sequence[Fate]) -> str:
    """Return the kill rate in words, and the survivors."""
    counted = [fate for fate in found if fate.fate != "same"]
    killed = sum(fate.fate == "killed" for fate in counted)
    lines = [
        f"{killed} of {len(counted)} mutants killed ({100 * rate(found):.0f} %), "
        f"{len(found) - len(counted)} not told apart by any input tried"
    ]
    lines += [f"  survived: {f.exercise} {f.name}" for f in found if f.fate == "survived"]
    return "\n".join(lines)


def report(paths: Sequence[Path]) -> int:
    """Print the kill rate of each solution; return 1 if one is under the goal."""
    low = False
    for path in paths:
        found = fates(path)
        low = low or rate(found) < GOAL
        print(f"{path.name}: {summary(found)}", flush=True)
    return 1 if low else 0
