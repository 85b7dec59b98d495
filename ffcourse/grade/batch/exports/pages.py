"""One file for each submission: feedback to give back, or what another program reads."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ffcourse.grade.batch.exports.text import number, write
from ffcourse.grade.batch.marks import Mark

ReportOf = Callable[[Mark], "dict[str, Any] | None"]
LONGEST = 80
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # names that Windows keeps


def write_pages(folder: Path, marks: Sequence[Mark], report_of: ReportOf) -> str:
    """Write a page of feedback for each student and notebook; return a sentence about it.

    ``index.html`` beside them says whose each is: it is for the teacher alone.
    """
    from ffcourse.grade.feedback import html_page

    made = _write(folder, marks, report_of, lambda report: html_page([report]), ".html")
    write(folder / "index.html", _index(made))
    pages = "1 page" if len(made) == 1 else f"{len(made)} pages"
    return f"{pages} of feedback are in {folder}; index.html, which is for you, says whose."


def write_each(
    path: Path, marks: Sequence[Mark], report_of: ReportOf, text_of: Callable[[Any], str], end: str
) -> list[str]:
    """Write one submission to a file, or several into a folder of that name."""
    graded = [m for m in marks if m.result_id is not None]
    if len(graded) == 1:
        report = report_of(graded[0])
        write(path, text_of(report))
        return []
    made = _write(path, graded, report_of, text_of, end)
    return [f"{len(made)} files are in {path}."]


def _write(
    folder: Path, marks: Sequence[Mark], report_of: ReportOf, text_of: Callable[[Any], str],
    end: str,
) -> list[tuple[str, Mark]]:  # fmt: skip
    made: list[tuple[str, Mark]] = []
    used: set[str] = {"index"}
    for mark in marks:
        report = report_of(mark)
        if report is None:
            continue
        stem = file_stem(f"{mark.student.id}_{mark.notebook}")
        name, count = stem, 2
        while name.casefold() in used:
            name, count = f"{stem}-{count}", count + 1
        used.add(name.casefold())
        write(folder / (name + end), text_of(report))
        made.append((name + end, mark))
    return made


def file_stem(text: str) -> str:
    """Return a file name for any system, in which letters of all scripts stay as they are."""
    plain = unicodedata.normalize("NFC", text)
    plain = re.sub(r"[^\w.@+-]+", "_", plain).strip("._-") or "submission"
    while len(plain.encode()) > 200 or len(plain) > LONGEST:
        plain = plain[:-1]
    return f"_{plain}" if _RESERVED.match(plain) else plain


def _index(made: Sequence[tuple[str, Mark]]) -> str:
    """Return a table of whose page is which."""
    rows = "".join(
        f'<tr><td class="w"><a href="{quote(name)}">{html.escape(mark.student.sortable)}</a></td>'
        f'<td class="w">{html.escape(mark.student.id)}</td><td>{html.escape(mark.notebook)}</td>'
        f'<td class="n">{_points(mark)}</td><td class="w">{html.escape(mark.name)}</td></tr>'
        for name, mark in sorted(made, key=lambda m: (m[1].student.sortable.casefold(), m[0]))
    )
    head = "".join(f'<th scope="col">{h}</th>' for h in ("Student", "Id", "Notebook"))
    from ffcourse.grade.batch.page import document

    return document(
        "Pages of feedback",
        "<p>Whose page is which. This list is for you; give each student their own page only.</p>"
        f'<div class="wide"><table><thead><tr>{head}<th scope="col" class="n">Points</th>'
        f'<th scope="col">Handed in as</th></tr></thead><tbody>{rows}</tbody></table></div>',
    )


def _points(mark: Mark) -> str:
    if mark.status != "graded":
        return "could not be graded"
    return f"{number(mark.score)} of {number(mark.max_score)}"
