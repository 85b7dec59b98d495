"""The roster: who is in the class, and by which names and numbers they are known."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from ffcourse.grade.batch.late import LateRuleError, check_extension
from ffcourse.grade.batch.names import Traces
from ffcourse.grade.batch.sheets import SheetError, read_sheet

_HEADERS = {
    "id": ("student_id", "id number", "student id", "username", "student", "login",
           "matrikelnummer", "id-nummer", "numéro d'identification", "número de id", "学号"),
    "first": ("first_name", "first name", "firstname", "given name", "vorname", "prénom",
              "nombre", "名"),
    "last": ("last_name", "last name", "lastname", "surname", "family name", "nachname", "nom",
             "nom de famille", "apellido(s)", "apellidos", "姓"),
    "email": ("email", "email address", "e-mail", "mail", "e-mail-adresse", "adresse de courriel",
              "dirección de correo", "电子邮件地址", "邮箱"),
    "canvas_id": ("canvas_id", "id"),
    "sis_id": ("sis_id", "sis user id"),
    "login": ("login", "sis login id", "username"),
    "section": ("section", "group"),
    "moodle_id": ("moodle_id", "identifier"),
    "full": ("full name", "full_name", "name", "student", "姓名"),
    "due": ("due", "extension"),
}  # fmt: skip
_PARTICIPANT = re.compile(r"^(\D*\D)\s*(\d+)$")


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
    """Return a name so that equal ones are equal, however they were typed or unpacked."""
    plain = unicodedata.normalize("NFKC", value)
    return " ".join(plain.split()).casefold().strip(", ")


def read_roster(path: Path) -> Roster:
    """Return the roster in a CSV file.

    Parameters
    ----------
    path : Path
        With a header; see `ffcourse.grade.batch.sheets`. Known columns: student_id, first_name,
        last_name, email, section, login, sis_id, canvas_id, moodle_id, due; a gradebook exported
        from Canvas and a worksheet or participants' list exported from Moodle will do as they are.

    Raises
    ------
    RosterError
        When it cannot be read, has no column with an id, or an id stands there for two people.
    """
    try:
        rows = read_sheet(path, "--roster").rows
    except SheetError as error:
        raise RosterError(str(error)) from None
    if not rows:
        raise RosterError(f"--roster {path}: is empty; a header and a line a student are needed.")
    places = _as_worksheet(rows) or _places(rows[0])
    students = [_student(row, places) for row in rows[1:]]
    named = [s for s in students if s.id and "points possible" not in s.id.lower()]
    kept = list(dict.fromkeys(named))  # the same line twice is no harm
    if not kept:
        raise RosterError(
            f"--roster {path}: no student found; a column student_id (or email) is needed."
        )
    twice = [key for key, n in Counter(s.id for s in kept).items() if n > 1]
    if twice:
        more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
        raise RosterError(
            f"--roster {path}: the id {twice[0]!r} stands there for two people{more}."
        )
    for student in kept:
        try:
            check_extension(student.due)
        except LateRuleError as error:
            raise RosterError(f"--roster {path}: due of {student.id}: {error}") from None
    return Roster(kept)


def _as_worksheet(rows: list[list[str]]) -> dict[str, int] | None:
    """Tell a grading worksheet of Moodle by its first column, in whatever language it is."""
    found = [_PARTICIPANT.match(row[0].strip()) for row in rows[1:]]
    words = {match[1] for match in found if match}
    if not found or None in found or len(words) > 1 or len(rows[0]) < 3 or "@" in words.pop():
        return None
    mails = {i for row in rows[1:] for i, cell in enumerate(row) if "@" in cell}
    by_header = _places(rows[0])
    email = min(mails) if len(mails) == 1 else by_header.get("email")
    if email is None and "full" not in by_header:
        return None
    more = {} if email is None else {"email": email}
    return {"moodle_id": 0, "full": by_header.get("full", 1), **more}


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
