"""Databases: from what was typed to a connection, and what goes wrong in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

WAIT_SECONDS = 60  # for another process that is writing

_WORDS = (
    ("database is locked", "is in use by another program, perhaps a viewer with changes that were "
     "not saved. Close it"),
    ("disk is full", "can't grow: the disk is full. Free some space"),
    ("disk i/o error", "can't be written: the disk reports an error, or is full"),
    ("readonly database", "can't be written: it, or its folder, is read-only. Change that"),
    ("no space left", "can't grow: the database's disk is full. Free some space"),
)  # fmt: skip
_GO_ON = ", and give the same command again. What was recorded is kept."


def url_of(text: str) -> str:
    """Return the database URL for what was typed: a URL, or the path of an SQLite file."""
    if "://" not in text:
        return "sqlite:///" + Path(text).as_posix()
    for short in ("postgresql://", "postgres://"):
        if text.startswith(short):
            return "postgresql+psycopg://" + text.removeprefix(short)
    return text


def sqlite_file(text: str) -> Path | None:
    """Return the file of an SQLite gradebook; None for other databases, and for one in memory."""
    url = url_of(text)
    path = url.removeprefix("sqlite:///")
    return None if path in (url, "", ":memory:") else Path(path)


def connect(text: str) -> Engine:
    """Return the engine for what was typed; nothing is opened yet."""
    url = url_of(text)
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # The rollback journal with full syncs: safe against a kill and a power cut, and, unlike
    # write-ahead logging, right on network folders too. What is deleted is overwritten.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")


def shown(where: str) -> str:
    """Return what was typed without the password in it."""
    head, at, tail = where.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else where


def first_line(error: BaseException) -> str:
    """Return the first line of what the database said."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0] if said else type(error).__name__


def trouble(error: SQLAlchemyError, where: str, opening: bool = False) -> str:
    """Say what is wrong with a gradebook, and what to do."""
    said = first_line(error)
    for piece, words in _WORDS:
        if piece in said.lower():
            return f"The gradebook {shown(where)} {words}{_GO_ON}"
    if "not a database" in said:
        return f"{shown(where)} is no gradebook but a file of another kind; name another with --db."
    if "malformed" in said or "corrupt" in said:
        return (
            f"The gradebook {shown(where)} is damaged ({said}). Put a copy in its place, or "
            "move it away and grade again."
        )
    if opening:
        return f"The gradebook {shown(where)} can't be opened: {said}"
    return f"The gradebook {shown(where)} does not answer: {said}{_GO_ON}"
