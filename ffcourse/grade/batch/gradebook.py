"""The gradebook: what is known about a class, kept so that a kill at any moment loses nothing.

Every result is one short transaction of the one process that writes. What was recorded is
never graded again, since results are keyed by the hashes of submission and solution, the
seed and the version; what was not is graded when the same command is given again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, delete, func, select, update
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    IntegrityError,
    NoSuchModuleError,
)
from sqlalchemy.orm import Session

from ffcourse.grade.batch.database import connect, first_line, shown, sqlite_file, trouble
from ffcourse.grade.batch.people import Student
from ffcourse.grade.batch.tables import (
    LAYOUT,
    Base,
    ContentRow,
    OverrideRow,
    ResultRow,
    SettingRow,
    SolutionRow,
    StudentRow,
    SubmissionRow,
)
from ffcourse.grade.batch.traces import Traces

DEFAULT = "gradebook.sqlite"
CHUNK = 400
_RESULTS, _CONTENTS, _SUBMISSIONS = (
    cast(Table, row.__table__) for row in (ResultRow, ContentRow, SubmissionRow)
)
_COUNT = _CONTENTS.update().where(_CONTENTS.c.sha == bindparam("of"))
_NAME = _SUBMISSIONS.update().where(_SUBMISSIONS.c.sha == bindparam("of"))


class GradebookError(RuntimeError):
    """A gradebook that can't be opened; the message says why."""


@dataclass(frozen=True)
class Key:
    """Under what a result is kept: equal keys mean that nothing needs to be graded again."""

    sha: str
    solution_sha: str
    seed: str
    version: str


@dataclass(frozen=True)
class Known:
    """A result that is in the gradebook, without its report."""

    id: int
    key: Key
    run: int
    state: str
    notebook: str


@dataclass(frozen=True)
class Handin:
    """A submission as it is to be recorded."""

    name: str
    sha: str
    student: Student
    notebook: str
    submitted: float | None
    late: bool


class Gradebook:
    """A class's gradebook in a database.

    Parameters
    ----------
    where : str
        A path (SQLite) or an SQLAlchemy URL.
    create : bool
        Whether to make it when it does not exist.

    Raises
    ------
    GradebookError
        When it can't be opened, or was written by a newer version.
    """

    def __init__(self, where: str = DEFAULT, create: bool = True) -> None:
        file = sqlite_file(where)
        if file is not None and not create and not file.is_file():
            raise GradebookError(
                f"There is no gradebook {where}; `ffcourse grade FOLDER` makes one, "
                "and --db names another."
            )
        if file is not None and not file.parent.is_dir():
            raise GradebookError(
                f"The gradebook {where} can't be opened: there is no folder {file.parent}."
            )
        try:
            self.engine = connect(where)
            Base.metadata.create_all(self.engine)
            layout = self.setting("layout")
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise GradebookError(
                f"The gradebook {shown(where)} can't be opened: {first_line(error)}"
            ) from None
        except DatabaseError as error:
            raise GradebookError(trouble(error, where, opening=True)) from None
        if layout is None:
            self.set_settings({"layout": LAYOUT})
        elif layout != LAYOUT:
            raise GradebookError(f"The gradebook {shown(where)} has layout {layout}, not {LAYOUT}.")

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ----------------------------------------------------------------------- settings

    def setting(self, name: str) -> str | None:
        """Return a setting, or None."""
        with Session(self.engine) as session:
            row = session.get(SettingRow, name)
            return row.value if row else None

    def settings(self) -> dict[str, str]:
        """Return all settings."""
        with Session(self.engine) as session:
            return {row.name: row.value for row in session.scalars(select(SettingRow))}

    def set_settings(self, values: dict[str, str]) -> None:
        """Keep some settings."""
        with Session(self.engine) as session, session.begin():
            for name, value in values.items():
                session.merge(SettingRow(name=name, value=value))

    # ----------------------------------------------------------------------- handing in

    def add_students(self, students: Iterable[Student]) -> None:
        """Add or renew students; what a roster says goes before what a file name says."""
        with Session(self.engine) as session, session.begin():
            known = {row.id: row for row in session.scalars(select(StudentRow))}
            for student in students:
                row = known.get(student.id)
                about = json.dumps(
                    {k: v for k, v in asdict(student).items() if k != "listed" and v}
                )
                if row is None:
                    row = StudentRow(id=student.id, about=about, listed=student.listed)
                    session.add(row)
                    known[student.id] = row
                elif student.listed or not row.listed:
                    row.about, row.listed = about, student.listed or row.listed

    def students(self) -> dict[str, Student]:
        """Return all students by id."""
        with Session(self.engine) as session:
            rows = session.scalars(select(StudentRow).order_by(StudentRow.id))
            return {r.id: Student(**{**json.loads(r.about), "listed": r.listed}) for r in rows}

    def add_submissions(self, handins: Sequence[Handin]) -> None:
        """Record what was handed in; a file that is known under its name stays one row."""
        self.add_students({h.student.id: h.student for h in handins}.values())
        with Session(self.engine) as session, session.begin():
            contents = set(session.scalars(select(ContentRow.sha)))
            rows = {(r.name, r.sha): r for r in session.scalars(select(SubmissionRow))}
            for sha in {h.sha for h in handins} - contents:
                session.add(ContentRow(sha=sha))
            session.flush()
            for handin in handins:
                key = (_short(handin.name), handin.sha)
                row = rows.get(key)
                if row is None:
                    row = SubmissionRow(name=key[0], sha=key[1], student_id=handin.student.id)
                    session.add(row)
                    rows[key] = row
                row.student_id = handin.student.id
                row.notebook = row.notebook or handin.notebook
                row.submitted = handin.submitted
                row.marked_late = handin.late
            session.flush()
            # Whoever was only a guess from a file's name, and has lost all files to somebody else.
            having = select(SubmissionRow.student_id)
            ghosts = StudentRow.listed.is_(False) & StudentRow.id.not_in(having)
            session.execute(delete(StudentRow).where(ghosts))

    # ----------------------------------------------------------------------- results

    def known(self, shas: Iterable[str]) -> dict[str, list[Known]]:
        """Return the results of some contents, oldest first, by the content's hash."""
        found: dict[str, list[Known]] = {}
        r = ResultRow
        columns = (r.id, r.sha, r.solution_sha, r.seed, r.version, r.run, r.state, r.notebook)
        with Session(self.engine) as session:
            for part in _chunks(sorted(set(shas))):
                query = select(*columns).where(ResultRow.sha.in_(part)).order_by(ResultRow.id)
                for id_, sha, solution, seed, version, run, state, notebook in session.execute(
                    query
                ):
                    key = Key(sha, solution, seed, version)
                    found.setdefault(sha, []).append(Known(id_, key, run, state, notebook))
        return found

    def counting(self) -> dict[str, Known]:
        """Return the result that counts for each content, by the content's hash."""
        r = ResultRow
        columns = (r.id, r.sha, r.solution_sha, r.seed, r.version, r.run, r.state, r.notebook)
        query = select(*columns).join(ContentRow, ContentRow.result_id == r.id)
        with Session(self.engine) as session:
            rows = session.execute(query).all()
        return {row[1]: Known(row[0], Key(*row[1:5]), *row[5:]) for row in rows}

    def record(
        self,
        key: Key,
        report: dict[str, Any],
        *,
        run: int = 0,
        state: str | None = None,
        why: str = "",
        traces: Traces | None = None,
    ) -> bool:
        """Keep one result, and let it count. Return whether it was new.

        Where another process was faster, its result stays and counts.
        """
        notebook = report.get("notebook") or ""
        row = {
            **vars(key), "run": run, "state": state or report["status"], "why": why,
            "notebook": notebook, "score": report["score"], "max_score": report["max_score"],
            "seconds": report["seconds"], "graded": time.time(),
            "report": json.dumps(report, default=str),
        }  # fmt: skip
        about = {} if traces is None else _columns_of(traces)
        try:
            with self.engine.begin() as connection:  # plain statements: a third of the work
                made = connection.execute(_RESULTS.insert(), row).inserted_primary_key
                self._count(connection, key.sha, made[0] if made else 0, notebook, about)
        except IntegrityError:
            same = [k for k in self.known([key.sha]).get(key.sha, []) if k.key == key]
            if not same:
                raise
            self.let_count([same[-1]])
            return False
        return True

    def let_count(self, results: Iterable[Known]) -> None:
        """Let results that are already there be the ones that count for their contents."""
        wanted = {k.key.sha: k for k in results}
        with Session(self.engine) as session, session.begin():
            for part in _chunks(sorted(wanted)):
                query = select(ContentRow.sha, ContentRow.result_id).where(ContentRow.sha.in_(part))
                for sha, now in session.execute(query).all():
                    if now != wanted[sha].id:
                        self._count(session, sha, wanted[sha].id, wanted[sha].notebook)

    @staticmethod
    def _count(
        connection: Connection | Session, sha: str, result_id: int, notebook: str,
        about: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        content = {"of": sha, "result_id": result_id, **(about or {})}
        connection.execute(_COUNT, content)
        if notebook:
            connection.execute(_NAME, {"of": sha, "notebook": notebook})

    def reports(self, ids: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield results' reports by their ids, a few hundred in memory at a time."""
        for part in _chunks(sorted(set(ids))):
            with Session(self.engine) as session:
                query = select(ResultRow.id, ResultRow.report).where(ResultRow.id.in_(part))
                rows = session.execute(query).all()
            for id_, text in rows:
                yield id_, json.loads(text)

    def report(self, result_id: int) -> dict[str, Any]:
        """Return the report of one result."""
        return next(report for _, report in self.reports([result_id]))

    # ----------------------------------------------------------------------- solutions

    def add_solution(self, sha: str, notebook: str, prints: dict[str, Any], common: bytes) -> None:
        """Keep the fingerprints of a solution that is graded with."""
        with Session(self.engine) as session, session.begin():
            if session.get(SolutionRow, sha) is None:
                text = json.dumps(prints)
                session.add(SolutionRow(sha=sha, notebook=notebook, prints=text, common=common))

    def solutions(self) -> dict[str, tuple[str, dict[str, Any], bytes]]:
        """Return notebook, prints and common traces of each solution by its hash."""
        with Session(self.engine) as session:
            rows = session.scalars(select(SolutionRow))
            return {r.sha: (r.notebook, json.loads(r.prints), r.common) for r in rows}

    # ----------------------------------------------------------------------- overrides

    def override(
        self, student_id: str, notebook: str, sha: str, exercise: str,
        points: float | None, reason: str, by: str = "",
    ) -> None:  # fmt: skip
        """Set a mark by hand, or with ``points=None`` take that back."""
        row = OverrideRow(
            student_id=student_id, notebook=notebook, sha=sha, exercise=exercise,
            points=points, reason=reason, by=by, at=time.time(),
        )  # fmt: skip
        with Session(self.engine) as session, session.begin():
            session.add(row)

    def overrides(self) -> dict[tuple[str, str, str], dict[str, dict[str, Any]]]:
        """Return what holds: (student, notebook, content) -> exercise ("" for all) -> override."""
        found: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}
        with Session(self.engine) as session:
            for row in session.scalars(select(OverrideRow).order_by(OverrideRow.id)):
                about = {"points": row.points, "reason": row.reason, "by": row.by, "at": row.at}
                one = found.setdefault((row.student_id, row.notebook, row.sha), {})
                one[row.exercise] = about
        return {
            key: kept
            for key, one in found.items()
            if (kept := {e: a for e, a in one.items() if a["points"] is not None})
        }

    def forget(self, student_id: str) -> int:
        """Delete all that is kept about one person; return how many submissions that were."""
        with Session(self.engine) as session, session.begin():
            mine = list(
                session.scalars(select(SubmissionRow).where(SubmissionRow.student_id == student_id))
            )
            shas = {row.sha for row in mine}
            for row in mine:
                session.delete(row)
            session.flush()
            shared = select(SubmissionRow.sha).where(SubmissionRow.sha.in_(shas))
            both = set(session.scalars(shared))
            own = shas - both
            session.execute(update(ResultRow).where(ResultRow.sha.in_(both)).values(why=""))
            session.execute(delete(ResultRow).where(ResultRow.sha.in_(own)))
            session.execute(delete(ContentRow).where(ContentRow.sha.in_(own)))
            session.execute(delete(OverrideRow).where(OverrideRow.student_id == student_id))
            session.execute(delete(StudentRow).where(StudentRow.id == student_id))
            return len(mine)

    def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with Session(self.engine) as session:
            return {
                name: session.scalar(select(func.count()).select_from(table)) or 0
                for name, table in Base.metadata.tables.items()
            }


def _columns_of(traces: Traces) -> dict[str, Any]:
    return {"tokens": traces.tokens, "exact": traces.exact, "traces": traces.hashes}


def _short(name: str) -> str:
    """Return a name that fits its column, and is still its own."""
    if len(name) <= 500:
        return name
    import hashlib

    return name[:460] + "~" + hashlib.sha256(name.encode()).hexdigest()[:32]


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
