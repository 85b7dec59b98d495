"""The columns of ``nbgrader export``: a row for every assignment and student."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ffcourse.grade.batch.exports.text import plain, table
from ffcourse.grade.batch.marks import Mark

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def nbgrader_csv(marks: Sequence[Mark]) -> str:
    """Return the CSV. Times are UTC; who handed nothing in has 0 and no time, as there."""
    rows: list[Sequence[str]] = [COLUMNS]
    for mark in marks:
        student = mark.student
        rows.append(
            (
                mark.notebook,
                _time(mark.due.time.timestamp() if mark.due else None),
                _time(mark.submitted),
                plain(student.id),
                plain(student.last),
                plain(student.first),
                plain(student.email),
                str(float(mark.raw)),
                str(float(mark.penalty)),
                str(float(mark.score)),
                str(float(mark.max_score)),
            )
        )
    return table(rows)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")
