"""Fill in the grading worksheet that a teacher downloaded from Moodle.

Its headers are in the language of whoever downloaded it, and Moodle takes it back only with the
same headers. So nothing of it is changed but the two cells that are ours: grade and feedback.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.grade.batch.exports.text import ExportError, number, table
from ffcourse.grade.batch.marks import Mark
from ffcourse.grade.batch.sheets import Sheet, SheetError, read_sheet

_NUMBER = re.compile(r"^\s*\d+(?:[.,]\d+)?\s*$")
_NUMBER_OR_NOTHING = re.compile(r"^\s*(?:-|\d+(?:[.,]\d+)?)?\s*$")
_ID = re.compile(r"(\d+)\s*$")
_ENGLISH = {"id": "identifier", "name": "full name", "email": "email address", "grade": "grade",
            "most": "maximum grade", "feedback": "feedback comments"}  # fmt: skip
COLUMNS = tuple(_ENGLISH)


@dataclass
class Worksheet:
    """A worksheet that was read, and where in it what stands."""

    sheet: Sheet
    places: dict[str, int]

    @property
    def rows(self) -> list[list[str]]:
        """Its header, and a row for each student."""
        return self.sheet.rows

    @property
    def comma(self) -> bool:
        """Whether numbers in it are written with a decimal comma."""
        at = self.places.get("most")
        return at is not None and any("," in row[at] for row in self.rows[1:] if at < len(row))


def read_worksheet(path: Path, columns: Mapping[str, str] | None = None) -> Worksheet:
    """Return a downloaded worksheet.

    Parameters
    ----------
    columns : mapping or None
        Which header is the grade's, the feedback's and so on, where that can't be told.

    Raises
    ------
    ExportError
        When it cannot be read, or its columns cannot be told.
    """
    try:
        sheet = read_sheet(path, "--worksheet")
    except SheetError as error:
        raise ExportError(str(error)) from None
    if len(sheet.rows) < 2:
        raise ExportError(f"--worksheet {path}: has no students in it.")
    return Worksheet(sheet, _places(sheet.rows, columns or {}))


def _places(rows: list[list[str]], named: Mapping[str, str]) -> dict[str, int]:
    header = [cell.strip() for cell in rows[0]]
    places: dict[str, int] = {}
    for what, title in named.items():
        if what not in COLUMNS or title not in header:
            raise ExportError(
                f"--columns {what}={title}: write {', '.join(COLUMNS)} = one of the worksheet's "
                f"headers ({', '.join(header)})."
            )
        places[what] = header.index(title)
    folded = [cell.casefold() for cell in header]
    for what, title in _ENGLISH.items():
        if title in folded:
            places.setdefault(what, folded.index(title))
    _guess(rows, header, places)
    for what in ("id", "grade", "feedback"):
        if what not in places:
            raise ExportError(
                f"The worksheet's column of the {what} can't be told from its headers "
                f"({', '.join(header)}); name it: --columns {what}=HEADER."
            )
    return places


def _guess(rows: list[list[str]], header: list[str], places: dict[str, int]) -> None:
    """Tell columns by what stands in them and by Moodle's order, which no language changes."""
    body = rows[1:]
    columns = [[row[i].strip() if i < len(row) else "" for row in body] for i in range(len(header))]
    if "id" not in places:
        found = [i for i, c in enumerate(columns) if c[0] and all(map(_ID.search, c))]
        found = [i for i in found if not all(map(_NUMBER.match, columns[i]))] or found
        if found and found[0] == 0:
            places["id"] = 0
    if "email" not in places:
        found = [i for i, c in enumerate(columns) if any("@" in cell for cell in c)]
        if len(found) == 1:
            places["email"] = found[0]
    if "most" not in places:
        taken = set(places.values())
        found = [
            i for i, c in enumerate(columns)
            if i not in taken and len(set(c)) == 1 and _NUMBER.match(c[0])
        ]  # fmt: skip
        # The grade stands left of the maximum; graded all alike, both look like one.
        found = [
            i for i in found if i > 0 and all(not x or _NUMBER.match(x) for x in columns[i - 1])
        ]
        if len(found) == 1:
            places["most"] = found[0]
    if "grade" not in places and "most" in places:
        places["grade"] = places["most"] - 1
    last = len(header) - 1
    if "feedback" not in places and last > max(places.values(), default=0):
        dates = sum(bool(re.search(r"\d{4}.*\d\d:\d\d", cell)) for cell in columns[last])
        if not dates:
            places["feedback"] = last


def moodle_csv(
    sheet: Worksheet, marks: Sequence[Mark], report_of: Callable[[Mark], dict[str, Any] | None]
) -> tuple[str, list[str]]:
    """Return the worksheet filled in, and sentences on what could not be done as meant.

    Marks are scaled to the worksheet's maximum grade. Rows of others stay as they are.

    Raises
    ------
    ExportError
        When the assignment's grades are words of a scale.
    """
    if _scale(sheet):
        raise ExportError(
            "The worksheet's maximum grade is no number, so the assignment is graded by a scale. "
            "Set its grade to points in Moodle, and download the worksheet again."
        )
    above: list[str] = []
    index = _index(marks)
    used: set[str] = set()
    rows = [list(sheet.rows[0])]
    for old in sheet.rows[1:]:
        row = list(old)
        mark = _find(row, sheet.places, index)
        if mark is not None and mark.status not in ("none", "waiting"):
            used.add(mark.student.id)
            row += [""] * (len(sheet.rows[0]) - len(row))
            row[sheet.places["grade"]] = _grade(row, sheet, mark)
            if _number(row[sheet.places["grade"]]) > _maximum(row, sheet):
                above.append(mark.name)
            row[sheet.places["feedback"]] = feedback_html(mark, report_of(mark))
        rows.append(row)
    handed = [m for m in marks if m.status not in ("none", "waiting")]
    notes = [f"Not in the worksheet: {m.name}" for m in handed if m.student.id not in used]
    notes += [f"Above the maximum, which Moodle passes over: {name}" for name in above]
    how = sheet.sheet
    if how.delimiter != ",":
        sign = {";": "semicolon", "\t": "tab"}[how.delimiter]
        notes.append(f"When you upload it, choose the separator {sign} and the encoding UTF-8.")
    return ("\ufeff" if how.mark else "") + table(rows, how.delimiter, how.end), notes


def _scale(sheet: Worksheet) -> bool:
    at = sheet.places.get("most")
    cells = [row[at].strip() for row in sheet.rows[1:] if at is not None and at < len(row)]
    return any(cells) and not any(map(_NUMBER.match, cells))


def _number(text: str) -> float:
    return float(text.replace(",", ".")) if _NUMBER.match(text) else 0.0


def _maximum(row: list[str], sheet: Worksheet) -> float:
    at = sheet.places.get("most")
    return (_number(row[at]) if at is not None and at < len(row) else 0.0) or float("inf")


def _index(marks: Sequence[Mark]) -> dict[tuple[str, str], Mark | None]:
    index: dict[tuple[str, str], Mark | None] = {}
    for mark in marks:
        student = mark.student
        names = {f"{student.first} {student.last}", f"{student.last} {student.first}"}
        keys = {("id", student.moodle_id), ("email", student.email.casefold())}
        for key in keys | {("name", name.strip().casefold()) for name in names}:
            if key[1]:
                index[key] = None if key in index and index[key] is not mark else mark
    return index


def _find(
    row: list[str], places: Mapping[str, int], index: Mapping[tuple[str, str], Mark | None]
) -> Mark | None:
    cells = {what: row[i].strip() for what, i in places.items() if i < len(row)}
    number_in = _ID.search(cells.get("id", ""))
    keys = [
        ("id", number_in[1] if number_in else ""),
        ("email", cells.get("email", "").casefold()),
        ("name", cells.get("name", "").casefold()),
    ]
    return next((found for key in keys if (found := index.get(key)) is not None), None)


def _grade(row: list[str], sheet: Worksheet, mark: Mark) -> str:
    score = mark.score
    most = _maximum(row, sheet)
    if most < float("inf") and mark.max_score:
        score = score * most / mark.max_score
    text = number(score)
    return text.replace(".", ",") if sheet.comma else text


def feedback_html(mark: Mark, report: dict[str, Any] | None) -> str:
    """Return the feedback as the little HTML that Moodle shows; a learner's text is escaped."""
    if report is None:
        return ""
    said = [*report.get("notes", []), *report.get("repairs", [])]
    notes = [html.escape(str(note)) for note in said]
    if report["status"] != "graded":
        return "<br>".join([html.escape(str(report["reason"])), *notes])
    parts = [f"<b>{number(mark.score)} / {number(mark.max_score)}</b>", *notes]
    for exercise in report["exercises"]:
        title = html.escape(f"{exercise['id']} {exercise.get('title') or ''}".strip())
        points = f"{number(exercise['points'])} / {number(exercise['max_points'])}"
        text = html.escape(str(exercise["feedback"])).replace("\n", "<br>")
        parts.append(f"<b>{title}</b> ({points}): {text}")
    return "<br>".join(parts)
