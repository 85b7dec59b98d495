"""What of a batch is still to do: everything that the gradebook does not already hold.

After a solution was mended, only what the change touches is graded again: results whose
exercises are all untouched are carried over as they are, and of the others only the touched
exercises take new marks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ffcourse.grade.batch.gradebook import Gradebook, Key, Known
from ffcourse.grade.batch.shelf import Shelf
from ffcourse.grade.report import whole

FAILED = "failed"


@dataclass
class Job:
    """A content to be graded.

    Attributes
    ----------
    sha : str
    run : int
        0, or which repetition this is (an appeal, a grader that had failed).
    why : str
        The reason of a repetition.
    keep : dict or None
        An older report, of which the untouched exercises are kept.
    touched : set of str
    """

    sha: str
    run: int = 0
    why: str = ""
    keep: dict[str, Any] | None = None
    touched: set[str] = field(default_factory=set)


@dataclass
class Plan:
    """What is to do, what is done, and what needs no run to be carried over."""

    jobs: list[Job] = field(default_factory=list)
    done: list[Known] = field(default_factory=list)
    carried: list[tuple[Key, dict[str, Any]]] = field(default_factory=list)


def seed_name(seed: int | None) -> str:
    """Return how a seed stands in the gradebook."""
    return "stored" if seed is None else str(seed)


def key_of(report: Mapping[str, Any], sha: str, shelf: Shelf, seed: str, version: str) -> Key:
    """Return the key of a fresh report: by its solution, or by all of them if none was used."""
    prints = shelf.prints.get(report.get("notebook") or "")
    return Key(sha, prints.sha if prints else shelf.sha, seed, version)


def make_plan(
    book: Gradebook,
    shas: Sequence[str],
    shelf: Shelf,
    seed: str,
    version: str,
    again: Mapping[str, str] | None = None,
) -> Plan:
    """Return what is to do for some contents.

    Parameters
    ----------
    again : mapping or None
        Contents to be graded once more whatever is known, with the reason.
    """
    plan, again = Plan(), again or {}
    known = book.known(shas)
    older = _older_prints(book)
    mended: list[tuple[Known, set[str]]] = []
    for sha in dict.fromkeys(shas):
        results = known.get(sha, [])
        current = [k for k in results if k.key == _wanted(k, shelf, seed, version)]
        if sha in again:
            plan.jobs.append(Job(sha, 1 + max((k.run for k in current), default=-1), again[sha]))
        elif current and current[-1].state != FAILED:
            plan.done.append(current[-1])
        elif current:
            plan.jobs.append(Job(sha, current[-1].run + 1, "the grader had failed"))
        else:
            before = _before(results, shelf, seed, version, older)
            if before is None:
                plan.jobs.append(Job(sha))
            else:
                touched = shelf.prints[before.notebook].touched_since(
                    older[before.key.solution_sha]
                )
                mended.append((before, touched))
    _add_mended(plan, book, mended, shelf)
    return plan


def _older_prints(book: Gradebook) -> dict[str, dict[str, Any]]:
    return {sha: prints for sha, (_, prints, _) in book.solutions().items()}


def _wanted(result: Known, shelf: Shelf, seed: str, version: str) -> Key:
    prints = shelf.prints.get(result.notebook)
    return Key(result.key.sha, prints.sha if prints else shelf.sha, seed, version)


def _before(
    results: Sequence[Known], shelf: Shelf, seed: str, version: str, older: Collection[str]
) -> Known | None:
    """Return the latest result that differs from what is wanted by its solution alone."""
    for known in reversed(results):
        same = known.key.seed == seed and known.key.version == version
        if same and known.state == "graded" and known.notebook in shelf.prints:
            return known if known.key.solution_sha in older else None
    return None


def _add_mended(
    plan: Plan, book: Gradebook, mended: list[tuple[Known, set[str]]], shelf: Shelf
) -> None:
    touched_of = {known.id: (known, touched) for known, touched in mended}
    for id_, report in book.reports(touched_of):
        known, touched = touched_of[id_]
        if touched:
            plan.jobs.append(Job(known.key.sha, keep=report, touched=touched))
        else:
            sha = shelf.prints[known.notebook].sha
            key = Key(known.key.sha, sha, known.key.seed, known.key.version)
            plan.carried.append((key, report))


def merged(fresh: dict[str, Any], job: Job) -> dict[str, Any]:
    """Return a fresh report in which untouched exercises stand as they stood before."""
    if job.keep is None or fresh["status"] != "graded" or job.keep["status"] != "graded":
        return fresh
    old = {e["id"]: e for e in job.keep["exercises"]}
    exercises = [
        e if e["id"] in job.touched or e["id"] not in old else old[e["id"]]
        for e in fresh["exercises"]
    ]
    return {
        **fresh,
        "exercises": exercises,
        "score": whole(sum(e["points"] for e in exercises)),
        "max_score": whole(sum(e["max_points"] for e in exercises)),
    }
