"""The roster: who is in the class, and by which names and numbers they are known."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from ffcourse.grade.batch.names import Traces

_HEADERS = {
    "id": ("student_id", "id number", "student id", "username", "student", "login"),
    "first": ("first_name", "first name", "firstname", "given name"),
    "last": ("last_name", "last name", "lastname", "surname", "family name"),
    "email": ("email", "email address", "e-mail", "mail"),
    "canvas_id": ("canvas_id", "id"),
    "sis_id": ("sis_id", "sis user id"),
    "login": ("login", "sis login id", "username"),
    "section": ("section", "group"),
    "moodle_id": ("moodle_id", "identifier"),
    "full": ("full name", "full_name", "name", "student"),
    "due": ("due", "extension"),
}


class RosterError(ValueError):
    """A roster that cannot be used; the message says what to mend."""


@dataclass(frozen=True)
class Student:
    """One person of the class; only `id` is needed."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    canvas_id: str = ""
    sis_id: str = ""
    login: str = ""
    section: str = ""
    moodle_id: str = ""
    due: str = ""
    listed: bool = True

    @property
    def sortable(self) -> str:
        """The name as "Last, First", or the id where no name is known."""
        return ", ".join(filter(None, (self.last, self.first))) or self.id


class Roster:
    """Students, found by any of their names and numbers.

    A key that two students share finds neither.
    """

    def __init__(self, students: Iterable[Student] = ()) -> None:
        self.students = list(students)
        self._by: dict[str, dict[str, Student | None]] = {}
        for student in self.students:
            for kind, value in _keys(student):
                index = self._by.setdefault(kind, {})
                same = index.get(value, student)
                index[value] = student if same is student else None

    def find(self, traces: Traces) -> Student:
        """Return whom a file name speaks of; someone not listed where nobody fits."""
        for kind, value in traces.keys:
            found = self._find(kind, value)
            if found is not None:
                return found
        kind, value = traces.keys[0] if traces.keys else ("student", "unknown")
        if kind == "moodle":
            name = next((v for k, v in traces.keys if k == "name"), "")
            first, _, last = name.rpartition(" ")
            return Student(value, first=first, last=last, moodle_id=value, listed=False)
        if kind == "canvas":
            login = next((v for k, v in traces.keys if k == "student"), "")
            return Student(login or value, canvas_id=value, listed=False)
        return Student(value, listed=False)

    def _find(self, kind: str, value: str) -> Student | None:
        if kind == "words":
            return self._by_words(value)
        for index in _WHERE.get(kind, ()):
            found = self._by.get(index, {}).get(_fold(value))
            if found is not None:
                return found
        return None

    def _by_words(self, name: str) -> Student | None:
        """Look for exactly one student whose id is a word of a file name."""
        found = set()
        for word in re.split(r"[^\w.@+-]+|_", name.removesuffix(".ipynb")):
            for index in ("id", "email", "login", "sis"):
                student = self._by.get(index, {}).get(_fold(word))
                if student is not None:
                    found.add(student)
        return found.pop() if len(found) == 1 else None


_WHERE = {
    "student": ("id", "login", "email", "sis", "squeezed", "name"),
    "canvas": ("canvas",),
    "moodle": ("moodle",),
    "email": ("email",),
    "name": ("name",),
}


def _keys(student: Student) -> list[tuple[str, str]]:
    first, last = student.first, student.last
    keys = [
        ("id", student.id), ("email", student.email), ("canvas", student.canvas_id),
        ("moodle", student.moodle_id), ("login", student.login), ("sis", student.sis_id),
        ("email", student.email.partition("@")[0]),
        ("name", f"{first} {last}"), ("name", f"{last} {first}"), ("name", f"{last}, {first}"),
        ("squeezed", re.sub(r"\W", "", f"{last}{first}")),
    ]  # fmt: skip
    return [(kind, folded) for kind, value in keys if (folded := _fold(value))]


def _fold(value: str) -> str:
    return " ".join(value.split()).casefold().strip(", ")


def read_roster(path: Path) -> Roster:
    """Return the roster in a CSV file.

    Parameters
    ----------
    path : Path
        UTF-8, with a header. Known columns: student_id, first_name, last_name, email,
        section, login, sis_id, canvas_id, moodle_id, due; a gradebook exported from Canvas
        and a participants' list exported from Moodle will do as they are.

    Raises
    ------
    RosterError
        When it cannot be read, has no column with an id, or an id stands there twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RosterError(f"--roster {path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise RosterError(f"--roster {path}: is not UTF-8; save it as CSV UTF-8.") from None
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    if not rows:
        raise RosterError(f"--roster {path}: is empty; a header and a line a student are needed.")
    places = _places(rows[0])
    students = [_student(row, places) for row in rows[1:] if any(cell.strip() for cell in row)]
    kept = [s for s in students if s.id and "points possible" not in s.id.lower()]
    if not kept:
        raise RosterError(
            f"--roster {path}: no student found; a column student_id (or email) is needed."
        )
    twice = [key for key, n in Counter(s.id for s in kept).items() if n > 1]
    if twice:
        raise RosterError(f"--roster {path}: {twice[0]!r} is there twice.")
    return Roster(kept)


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _places(header: list[str]) -> dict[str, int]:
    folded = [_fold(cell) for cell in header]
    canvas = "sis login id" in folded or "sis user id" in folded
    places: dict[str, int] = {}
    for field, names in _HEADERS.items():
        for name in names:
            if name in folded and not (canvas and field == "id" and name == "student"):
                places[field] = folded.index(name)
                break
    if not canvas and "canvas_id" in places and "id" not in places and "canvas_id" not in folded:
        places["id"] = places.pop("canvas_id")
    return places


def _student(row: list[str], places: dict[str, int]) -> Student:
    cells = {f: row[i].strip() for f, i in places.items() if i < len(row)}
    full = cells.pop("full", "")
    if full and not cells.get("last"):
        last, comma, first = full.partition(",")
        if not comma:
            first, _, last = full.rpartition(" ")
        cells |= {"first": first.strip(), "last": last.strip()}
    if cells.get("moodle_id"):
        cells["moodle_id"] = re.sub(r"\D", "", cells["moodle_id"])
    for other in ("login", "sis_id", "email", "canvas_id", "moodle_id"):
        cells["id"] = cells.get("id") or cells.get(other, "")
    if "points possible" in full.lower():
        cells["id"] = "Points Possible"
    known = {f.name for f in fields(Student)}
    return Student(**{key: value for key, value in cells.items() if key in known})  # type: ignore[arg-type]
