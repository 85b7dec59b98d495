"""The gradebook's tables. Plain columns only, so that any SQLAlchemy database will do.

Times are seconds since 1970 in UTC. Reports are JSON in ASCII, so that no byte of a learner's
text (a NUL, half a surrogate pair) can trouble a database.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LAYOUT = "1"


class Base(DeclarativeBase):
    """The tables' common ground."""


class SettingRow(Base):
    """A setting of the class: due dates, late rule, which of several submissions counts."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class StudentRow(Base):
    """Someone on the roster, or known from a file's name only."""

    __tablename__ = "students"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    about: Mapped[str] = mapped_column(Text)
    listed: Mapped[bool] = mapped_column()


class SolutionRow(Base):
    """A solution that something was graded with; `prints` tells what later changed in it."""

    __tablename__ = "solutions"
    sha: Mapped[str] = mapped_column(String(64), primary_key=True)
    notebook: Mapped[str] = mapped_column(String(200))
    prints: Mapped[str] = mapped_column(Text)
    common: Mapped[bytes] = mapped_column(LargeBinary)


class ContentRow(Base):
    """The bytes of one or more submissions, which result counts for them, and their traces."""

    __tablename__ = "contents"
    sha: Mapped[str] = mapped_column(String(64), primary_key=True)
    result_id: Mapped[int | None] = mapped_column(default=None)
    tokens: Mapped[int] = mapped_column(default=0)
    exact: Mapped[str] = mapped_column(String(64), default="")
    traces: Mapped[bytes] = mapped_column(LargeBinary, default=b"")


class SubmissionRow(Base):
    """One file that someone handed in."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("name", "sha"), Index("by_student", "student_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(500))
    sha: Mapped[str] = mapped_column(String(64), ForeignKey("contents.sha"), index=True)
    student_id: Mapped[str] = mapped_column(String(200), ForeignKey("students.id"))
    notebook: Mapped[str] = mapped_column(String(200), default="")
    submitted: Mapped[float | None] = mapped_column(default=None)
    marked_late: Mapped[bool] = mapped_column(default=False)


class ResultRow(Base):
    """One grading. The unique key keeps anything from being graded twice."""

    __tablename__ = "results"
    __table_args__ = (UniqueConstraint("sha", "solution_sha", "seed", "version", "run"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    sha: Mapped[str] = mapped_column(String(64), index=True)
    solution_sha: Mapped[str] = mapped_column(String(64))
    seed: Mapped[str] = mapped_column(String(32))
    version: Mapped[str] = mapped_column(String(32))
    run: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))
    notebook: Mapped[str] = mapped_column(String(200), default="")
    score: Mapped[float] = mapped_column(default=0.0)
    max_score: Mapped[float] = mapped_column(default=0.0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    graded: Mapped[float] = mapped_column()
    why: Mapped[str] = mapped_column(Text, default="")
    report: Mapped[str] = mapped_column(Text)


class OverrideRow(Base):
    """A mark set by a person. Rows are only ever added; the latest counts."""

    __tablename__ = "overrides"
    id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[str] = mapped_column(String(200), index=True)
    notebook: Mapped[str] = mapped_column(String(200))
    sha: Mapped[str] = mapped_column(String(64))
    exercise: Mapped[str] = mapped_column(String(32), default="")
    points: Mapped[float | None] = mapped_column()
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[float] = mapped_column()
