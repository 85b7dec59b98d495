"""Which mark each student has: which submission counts, what lateness costs, what a person set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ffcourse.grade.batch.gradebook import CHUNK, Gradebook
from ffcourse.grade.batch.late import Due, LateRule, due_for, read_due, read_rule
from ffcourse.grade.batch.people import Student
from ffcourse.grade.batch.tables import ContentRow, ResultRow, SubmissionRow
from ffcourse.grade.report import whole

UNKNOWN = "(unknown)"
MOST_KEPT = 5_000  # reports in memory
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
    due: Due | None = None
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
        return self.submitted > self.due.time.timestamp()


@dataclass(frozen=True)
class Rules:
    """The class's rules, as they stand in the gradebook's settings."""

    due: dict[str, Due]
    late: LateRule
    policy: str

    def due_of(self, student: Student, notebook: str) -> Due | None:
        """Return when a notebook was due for a student."""
        return due_for(student.due, self.due.get(notebook) or self.due.get("*"))


def rules_of(book: Gradebook) -> Rules:
    """Return the rules that the gradebook holds."""
    settings = book.settings()
    due = {
        name.removeprefix("due:"): read_due(value)
        for name, value in settings.items()
        if name.startswith("due:") and value
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
    most = _most(book, found.values())
    for mark in found.values():
        mark.max_score = mark.max_score or most.get(mark.notebook, 0.0)
    listed = any(s.listed for s in students.values())
    for notebook in wanted:
        for student in students.values() if notebook != UNKNOWN else ():
            if student.listed or not listed:
                nothing = Mark(student, notebook, max_score=most.get(notebook, 0.0))
                nothing.due = rules.due_of(student, notebook)
                found.setdefault((notebook, student.id), nothing)
    chosen = [m for (notebook, _), m in found.items() if notebook in set(wanted)]
    return sorted(
        chosen,
        key=lambda m: (
            m.notebook == UNKNOWN, m.notebook, m.student.sortable.casefold(), m.student.id
        ),
    )  # fmt: skip


def _most(book: Gradebook, found: Iterable[Mark]) -> dict[str, float]:
    """Return each notebook's points: by what was graded last, else by the solution."""
    most = {
        notebook: float(sum(prints["max_points"].values()))
        for notebook, prints, _ in book.solutions().values()
    }
    graded = [m for m in found if m.max_score and m.result_id is not None]
    for mark in sorted(graded, key=lambda m: m.result_id or 0):
        most[mark.notebook] = mark.max_score
    return most


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
        mark.due = rules.due_of(mark.student, mark.notebook)
        mark.overrides = overrides.get((student_id, mark.notebook, sha), {})
        made.append(mark)
        if mark.overrides:
            changed.append(mark)
        else:
            _take_off(mark, rules)
    _set_by_hand(book, changed, rules)
    return made


def _take_off(mark: Mark, rules: Rules) -> None:
    seconds, on_the_clock = 0.0, None
    if mark.due is not None and mark.submitted is not None:
        seconds = mark.submitted - mark.due.time.timestamp()
        on_the_clock = mark.due.on_the_clock(mark.submitted) if seconds > 0 else None
    elif mark.marked_late:
        seconds = rules.late.grace + 1.0
    mark.penalty = round(mark.raw * rules.late.penalty(seconds, on_the_clock), 4)


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


class ReportsOf:
    """The reports behind marks, with what was set by hand standing in them.

    Read some hundred at a time, in the order of the marks.

    Parameters
    ----------
    book : Gradebook
    marks : sequence of Mark
        Those whose reports will be asked for.
    """

    def __init__(self, book: Gradebook, marks: Sequence[Mark]) -> None:
        self._book = book
        self._order = list(dict.fromkeys(m.result_id for m in marks if m.result_id is not None))
        self._place = {id_: place for place, id_ in enumerate(self._order)}
        self._kept: dict[int, dict[str, Any]] = {}

    def __call__(self, mark: Mark) -> dict[str, Any] | None:
        """Return the report behind a mark; None where there is none."""
        if mark.result_id is None:
            return None
        if mark.result_id not in self._kept:
            if len(self._kept) > MOST_KEPT:
                self._kept.clear()
            start = self._place[mark.result_id]
            self._kept.update(self._book.reports(self._order[start : start + CHUNK]))
        return with_marks(self._kept[mark.result_id], mark)


def with_marks(report: dict[str, Any], mark: Mark) -> dict[str, Any]:
    """Return a report with its file's name, and with overrides and lateness told in it."""
    notes: list[str] = []
    exercises = [dict(exercise) for exercise in report["exercises"]]
    for exercise in exercises:
        about = mark.overrides.get(exercise["id"])
        if about:
            exercise["points"] = whole(about["points"])
            exercise["feedback"] += f"\nSet by the teacher: {about['points']:g}. {about['reason']}"
    ids = {exercise["id"] for exercise in exercises}
    for key, about in mark.overrides.items():
        if key and key not in ids:
            notes.append(f"The teacher set {key}: {about['points']:g}. {about['reason']}")
    if "" in mark.overrides:
        about = mark.overrides[""]
        notes.append(f"The teacher set the mark: {about['points']:g}. {about['reason']}")
    elif mark.penalty:
        notes.append(f"Handed in late: {mark.penalty:g} points were taken off.")
    marked = {
        **report,
        "submission": mark.name,
        "student": {"id": mark.student.id, "name": mark.student.sortable},
        "exercises": exercises,
        "notes": notes,
    }
    if mark.status == "graded":
        marked["score"], marked["max_score"] = whole(mark.score), whole(mark.max_score)
    return marked
