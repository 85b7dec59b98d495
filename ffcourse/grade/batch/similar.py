"""Answers that are suspiciously alike. A hint to look at both, never a verdict.

Short right answers are alike by nature. So only what is rare counts: code that the solution
or the stub contains, or that many hand in, is left out before anything is compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from ffcourse.grade.batch.gradebook import Gradebook
from ffcourse.grade.batch.marks import Mark
from ffcourse.grade.batch.tables import ContentRow
from ffcourse.grade.batch.traces import unpack

if TYPE_CHECKING:
    import numpy as np

MANY = 12  # a piece of code in more different submissions than this is common knowledge
LEAST_SHARED = 12  # rare pieces; about forty tokens
LEAST_ALIKE = 0.5
HINTS = 50


@dataclass(frozen=True)
class Alike:
    """Students whose submissions share much code that nobody else has.

    Attributes
    ----------
    alike : float
        From 0 to 1: the shared part of the smaller one's rare code.
    shared : int
        How many rare pieces are shared.
    same : bool
        Whether they are the same but for names, layout and comments.
    """

    notebook: str
    students: tuple[str, ...]
    alike: float
    shared: int
    same: bool


def similar(book: Gradebook, marks: Sequence[Mark]) -> list[Alike]:
    """Return who handed in suspiciously similar code, most similar first; at most 50.

    Parameters
    ----------
    marks : sequence of Mark
        Whose submissions to compare.
    """
    by_notebook: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        if mark.status == "graded" and mark.sha:
            by_notebook[mark.notebook].append(mark)
    common = {notebook: blob for notebook, _, blob in book.solutions().values()}
    found: list[Alike] = []
    for notebook, ones in by_notebook.items():
        found += _in_one(book, notebook, ones, common.get(notebook, b""))
    found.sort(key=lambda a: (-a.alike, -a.shared, a.students))
    return found[:HINTS]


def _in_one(book: Gradebook, notebook: str, marks: list[Mark], common: bytes) -> list[Alike]:
    """Compare the submissions of one notebook; equal ones are compared once."""
    groups: dict[str, list[str]] = defaultdict(list)
    traces: dict[str, bytes] = {}
    rows = _rows(book, {m.sha for m in marks})
    for mark in marks:
        exact, hashes = rows.get(mark.sha, ("", b""))
        if exact:
            groups[exact].append(mark.student.id)
            traces[exact] = hashes
    keys = sorted(groups)
    rare = _rare([unpack(traces[key]) for key in keys], unpack(common))
    found = [
        Alike(notebook, tuple(sorted(groups[key])), 1.0, len(rare[i]), True)
        for i, key in enumerate(keys)
        if 1 < len(groups[key]) <= MANY and len(rare[i]) >= LEAST_SHARED
    ]
    for (i, j), shared in pairs(rare, LEAST_SHARED).items():
        alike = shared / min(len(rare[i]), len(rare[j]))
        if alike >= LEAST_ALIKE:
            students = tuple(sorted((groups[keys[i]][0], groups[keys[j]][0])))
            found.append(Alike(notebook, students, round(alike, 3), shared, False))
    return found


def _rows(book: Gradebook, shas: set[str]) -> dict[str, tuple[str, bytes]]:
    query = select(ContentRow.sha, ContentRow.exact, ContentRow.traces)
    with Session(book.engine) as session:
        rows = session.execute(query.where(ContentRow.exact != ""))
        return {sha: (exact, traces) for sha, exact, traces in rows if sha in shas}


def _rare(documents: list[np.ndarray], common: np.ndarray) -> list[np.ndarray]:
    """Return of each document the fingerprints that few others have, and no solution has."""
    import numpy as np

    if not documents:
        return []
    values, owners = _flat(documents)
    unique, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    rare = (counts <= MANY) & ~np.isin(unique, common)
    kept = rare[place]
    sizes = np.bincount(owners[kept], minlength=len(documents))
    return np.split(values[kept], np.cumsum(sizes)[:-1])


def _flat(documents: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return all fingerprints one after the other, and whose each is."""
    import numpy as np

    owners = np.repeat(np.arange(len(documents)), [len(d) for d in documents])
    return np.concatenate(documents), owners


def pairs(documents: list[np.ndarray], least: int = 1) -> dict[tuple[int, int], int]:
    """Return how many fingerprints each two documents share, where they share `least`.

    Each fingerprint is in at most a dozen documents, so the work grows with the number of
    documents, not with its square.
    """
    import numpy as np

    if not documents:
        return {}
    values, owners = _flat(documents)
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    found: list[np.ndarray] = []
    for step in range(1, min(MANY, len(values))):
        same = values[step:] == values[:-step]
        if not same.any():
            break
        found.append(owners[:-step][same] * len(documents) + owners[step:][same])
    if not found:
        return {}
    both, counts = np.unique(np.concatenate(found), return_counts=True)
    enough = counts >= least
    return {
        (int(b) // len(documents), int(b) % len(documents)): int(n)
        for b, n in zip(both[enough], counts[enough], strict=True)
    }
