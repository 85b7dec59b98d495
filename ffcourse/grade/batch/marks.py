"""Which mark each student has: which submission counts, what lateness costs, what a person set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ffcourse.grade.batch.gradebook import Gradebook
from ffcourse.grade.batch.late import LateRule, due_for, read_rule, read_time
from ffcourse.grade.batch.people import Student
from ffcourse.grade.batch.tables import ContentRow, ResultRow, SubmissionRow

UNKNOWN = "(unknown)"
POLICIES = ("best", "last")


@dataclass
class Mark:
    """The mark of one student for one notebook.

    Attributes
    ----------
    status : str
        graded, rejected, waiting (handed in, not graded) or none (nothing handed in).
    raw, score : float
        Before and after what was taken off for lateness.
    overrides : dict
        By exercise ("" for the whole notebook), what a person set, and why.
    versions : int
        How many submissions there were.
    marked_late : bool
        Whether the platform's file name says that it was late.
    """

    student: Student
    notebook: str
    status: str = "none"
    name: str = ""
    sha: str = ""
    result_id: int | None = None
    submitted: float | None = None
    due: float | None = None
    raw: float = 0.0
    max_score: float = 0.0
    penalty: float = 0.0
    versions: int = 0
    marked_late: bool = False
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """The points that count."""
        return round(max(0.0, self.raw - self.penalty), 4)

    @property
    def late(self) -> bool:
        """Whether it came after it was due."""
        if self.due is None or self.submitted is None:
            return self.marked_late
        return self.submitted > self.due


@dataclass(frozen=True)
class Rules:
    """The class's rules, as they stand in the gradebook's settings."""

    due: dict[str, datetime]
    late: LateRule
    policy: str

    def due_of(self, student: Student, notebook: str) -> datetime | None:
        """Return when a notebook was due for a student."""
        return due_for(student.due, self.due.get(notebook) or self.due.get("*"))


def rules_of(book: Gradebook) -> Rules:
    """Return the rules that the gradebook holds."""
    settings = book.settings()
    due = {
        name.removeprefix("due:"): read_time(value)
        for name, value in settings.items()
        if name.startswith("due:")
    }
    return Rules(due, read_rule(settings.get("late", "none")), settings.get("policy", "best"))


def marks(book: Gradebook, notebooks: Iterable[str] | None = None) -> list[Mark]:
    """Return the mark of every student for every notebook, sorted by notebook and name.

    Parameters
    ----------
    notebooks : iterable of str or None
        Only these; by default all that anything was handed in for.

    Notes
    -----
    Changing a due date, a rule or an override changes marks at once: nothing is graded again.
    """
    students, rules = book.students(), rules_of(book)
    found: dict[tuple[str, str], Mark] = {}
    for candidate in _candidates(book, students, rules):
        key = (candidate.notebook, candidate.student.id)
        now = found.get(key)
        if now is None or _better(candidate, now, rules.policy):
            candidate.versions = now.versions if now else 0
            found[key] = candidate
        found[key].versions += 1
    wanted = list(notebooks) if notebooks is not None else sorted({n for n, _ in found})
    most = max_scores(book)
    listed = any(s.listed for s in students.values())
    for notebook in wanted:
        for student in students.values():
            if student.listed or not listed or (notebook, student.id) in found:
                mark = found.setdefault((notebook, student.id), Mark(student, notebook))
                mark.max_score = mark.max_score or most.get(notebook, 0.0)
    chosen = [m for (notebook, _), m in found.items() if notebook in set(wanted)]
    return sorted(chosen, key=lambda m: (m.notebook, m.student.sortable.casefold(), m.student.id))


def max_scores(book: Gradebook) -> dict[str, float]:
    """Return each notebook's points, by the solution seen last."""
    return {
        notebook: float(sum(prints["max_points"].values()))
        for notebook, prints, _ in book.solutions().values()
    }


def _better(new: Mark, old: Mark, policy: str) -> bool:
    """Whether a submission counts rather than another one of the same student."""
    if (new.status == "graded") != (old.status == "graded"):
        return new.status == "graded"
    when = (new.submitted or 0.0) >= (old.submitted or 0.0)
    if policy == "last" or new.score == old.score:
        return when
    return new.score > old.score


def _candidates(book: Gradebook, students: dict[str, Student], rules: Rules) -> list[Mark]:
    overrides = book.overrides()
    query = (
        select(
            SubmissionRow.name, SubmissionRow.sha, SubmissionRow.student_id,
            SubmissionRow.notebook, SubmissionRow.submitted, SubmissionRow.marked_late,
            ContentRow.result_id, ResultRow.state, ResultRow.notebook, ResultRow.score,
            ResultRow.max_score,
        )
        .join(ContentRow, ContentRow.sha == SubmissionRow.sha)
        .outerjoin(ResultRow, ResultRow.id == ContentRow.result_id)
        .order_by(SubmissionRow.id)
    )  # fmt: skip
    with Session(book.engine) as session:
        rows = session.execute(query).all()
    made: list[Mark] = []
    changed: list[Mark] = []
    for name, sha, student_id, guess, submitted, marked, result, state, key, score, most in rows:
        mark = Mark(
            students[student_id], key or guess or UNKNOWN, state or "waiting", name, sha,
            result, submitted, raw=score or 0.0, max_score=most or 0.0, marked_late=marked,
        )  # fmt: skip
        mark.status = "rejected" if state == "failed" else mark.status
        due = rules.due_of(mark.student, mark.notebook)
        mark.due = due.timestamp() if due else None
        mark.overrides = overrides.get((student_id, mark.notebook, sha), {})
        made.append(mark)
        if mark.overrides:
            changed.append(mark)
        else:
            _take_off(mark, rules)
    _set_by_hand(book, changed, rules)
    return made


def _take_off(mark: Mark, rules: Rules) -> None:
    seconds = 0.0
    if mark.due is not None and mark.submitted is not None:
        seconds = mark.submitted - mark.due
    elif mark.marked_late:
        seconds = rules.late.grace + 1.0
    mark.penalty = round(mark.raw * rules.late.penalty(seconds), 4)


def _set_by_hand(book: Gradebook, changed: list[Mark], rules: Rules) -> None:
    """Let overrides count: of the whole notebook as the final mark, of an exercise in the sum."""
    reports = dict(book.reports(m.result_id for m in changed if m.result_id is not None))
    for mark in changed:
        report = reports.get(mark.result_id or -1, {})
        exercises = {e["id"]: float(e["points"]) for e in report.get("exercises", [])}
        for key, about in mark.overrides.items():
            if key:
                exercises[key] = float(about["points"])
        mark.raw = sum(exercises.values())
        _take_off(mark, rules)
        if "" in mark.overrides:
            mark.raw, mark.penalty = float(mark.overrides[""]["points"]), 0.0
        if mark.status != "graded":
            mark.status = "graded"


def marked_report(book: Gradebook, mark: Mark) -> dict[str, Any] | None:
    """Return the report behind a mark, with what was set by hand standing in it."""
    if mark.result_id is None:
        return None
    report = book.report(mark.result_id)
    return with_marks(report, mark)


def with_marks(report: dict[str, Any], mark: Mark) -> dict[str, Any]:
    """Return a report with its file's name, and with overrides and lateness told in it."""
    report = json.loads(json.dumps(report))
    report["submission"] = mark.name
    for exercise in report["exercises"]:
        about = mark.overrides.get(exercise["id"])
        if about:
            exercise["points"] = about["points"]
            exercise["feedback"] += f"\nSet by the teacher: {about['points']}. {about['reason']}"
    notes = report.setdefault("repairs", [])
    if "" in mark.overrides:
        about = mark.overrides[""]
        notes.append(f"The teacher set the mark: {about['points']}. {about['reason']}")
    elif mark.penalty:
        notes.append(f"Handed in late: {mark.penalty:g} points were taken off.")
    if mark.status == "graded" and report["status"] == "graded":
        report["score"] = int(mark.score) if float(mark.score).is_integer() else mark.score
    return dict(report)
