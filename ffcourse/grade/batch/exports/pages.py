"""One file for each submission: feedback to give back, or what another program reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ffcourse.grade.batch.exports.text import write
from ffcourse.grade.batch.marks import Mark
from ffcourse.grade.batch.station import safe_name

ReportOf = Callable[[Mark], "dict[str, Any] | None"]


def write_pages(folder: Path, marks: Sequence[Mark], report_of: ReportOf) -> str:
    """Write a page of feedback for each student and notebook; return a sentence about it."""
    from ffcourse.grade.feedback import html_page

    made = _write(folder, marks, report_of, lambda report: html_page([report]), ".html")
    return f"{len(made)} pages of feedback are in {folder}."


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
) -> list[str]:  # fmt: skip
    used: set[str] = set()
    for mark in marks:
        report = report_of(mark)
        if report is None:
            continue
        stem = safe_name(f"{mark.student.id}_{mark.notebook}").removesuffix(".ipynb")
        name, number = stem, 2
        while name.casefold() in used:
            name, number = f"{stem}-{number}", number + 1
        used.add(name.casefold())
        write(folder / (name + end), text_of(report))
    return sorted(used)
