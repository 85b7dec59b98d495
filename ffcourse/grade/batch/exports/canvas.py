"""A CSV that Canvas's gradebook imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ffcourse.grade.batch.exports.text import number, plain, table
from ffcourse.grade.batch.marks import Mark
from ffcourse.grade.batch.people import Student

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS = "    Points Possible"  # with the spaces that Canvas writes itself


def canvas_csv(marks: Sequence[Mark], titles: Mapping[str, str] | None = None) -> str:
    """Return the CSV: a row of points possible, then a row for each student.

    Parameters
    ----------
    titles : mapping or None
        What an assignment is called in Canvas, by notebook: ``One neuron (4711)``, as its
        export has it; otherwise Canvas offers to make a new assignment.

    Notes
    -----
    Who handed nothing in has an empty cell, which changes nothing in Canvas.
    """
    notebooks = sorted({m.notebook for m in marks})
    students: dict[str, Student] = {m.student.id: m.student for m in marks}
    by_key = {(m.student.id, m.notebook): m for m in marks}
    most = {n: max((m.max_score for m in marks if m.notebook == n), default=0) for n in notebooks}
    rows: list[Sequence[str]] = [
        (*COLUMNS, *((titles or {}).get(n, n) for n in notebooks)),
        (POINTS, "", "", "", "", *(number(most[n]) for n in notebooks)),
    ]
    for student in sorted(students.values(), key=lambda s: (s.sortable.casefold(), s.id)):
        known = student.canvas_id or student.sis_id or student.login
        login = student.login if known else student.id
        about = (student.sortable, student.canvas_id, student.sis_id, login, student.section)
        scores = [_score(by_key.get((student.id, n))) for n in notebooks]
        rows.append((*(plain(cell) for cell in about), *scores))
    return table(rows)


def _score(mark: Mark | None) -> str:
    return "" if mark is None or mark.status in ("none", "waiting") else number(mark.score)
