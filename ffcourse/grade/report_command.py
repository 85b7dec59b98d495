"""``ffcourse report``: a class at a glance, from its gradebook."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ffcourse.grade.batch.options import (
    add_export_options,
    add_gradebook_options,
    export,
    export_fault,
    json_text,
    pairs,
    rule_settings,
)

DONE, WRONG_CALL = 0, 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``ffcourse report``."""
    p = argparse.ArgumentParser(
        prog="ffcourse report",
        description="Scores, mistakes by name, the hardest checks and suspiciously similar "
        "answers of a class that was graded with `ffcourse grade`.",
    )
    p.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    p.add_argument("--html", type=Path, metavar="FILE", help="write the report as one page")
    p.add_argument("--notebook", action="append", metavar="KEY", help="only this one")
    p.add_argument("--student", metavar="ID", help="show one student's feedback instead")
    p.add_argument("--no-names", action="store_true", help="leave out who has which mark")
    p.add_argument("--forget", metavar="ID", help="delete all that is kept about a student")
    add_gradebook_options(p)
    add_export_options(p)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 2 for a wrong call."""
    try:
        options = parser().parse_args(argv)
        pairs(options.title, "--title")
        settings = rule_settings(options)
    except SystemExit as stop:
        return int(stop.code or 0)
    except ValueError as error:
        return _wrong(error)
    fault = export_fault(options)
    if fault is None and options.csv and not options.format:
        fault = "--csv needs --format canvas, moodle, nbgrader or gradescope here."
    if fault:
        return _wrong(fault)
    return _run(options, settings)


def _wrong(words: object) -> int:
    print(f"ffcourse report: {words}", file=sys.stderr)
    return WRONG_CALL


def _run(options: argparse.Namespace, settings: dict[str, str]) -> int:
    from ffcourse.grade.batch.exports.text import ExportError
    from ffcourse.grade.batch.gradebook import DEFAULT, Gradebook, GradebookError
    from ffcourse.grade.batch.people import RosterError, read_roster

    try:
        with Gradebook(options.db or DEFAULT, create=False) as book:
            book.set_settings(settings)
            if options.roster:
                book.add_students(read_roster(options.roster).students)
            if options.forget:
                print(f"Deleted: {book.forget(options.forget)} submissions of {options.forget}.")
                return DONE
            if options.student:
                return _one(book, options.student)
            _class(book, options)
    except (GradebookError, RosterError, ExportError, OSError) as error:
        return _wrong(error)
    return DONE


def _class(book: Any, options: argparse.Namespace) -> None:
    from ffcourse.grade.batch.exports.text import write
    from ffcourse.grade.batch.overview import class_report
    from ffcourse.grade.batch.show import print_class

    notes = export(book, options, options.notebook)
    if not options.csv or options.json or options.html:
        data = class_report(book, options.notebook, names=not options.no_names)
        print_class(data)
        if options.json:
            write(options.json, json_text(data))
        if options.html:
            from ffcourse.grade.batch.page import class_page

            write(options.html, class_page(data))
    for note in notes:
        print(note)


def _one(book: Any, student: str) -> int:
    from ffcourse.grade.batch.marks import marked_report, marks
    from ffcourse.grade.feedback import print_report

    mine = [m for m in marks(book) if m.student.id == student and m.result_id is not None]
    if not mine:
        return _wrong(f"there is nothing graded of a student {student!r}.")
    for mark in mine:
        report = marked_report(book, mark)
        if report is not None:
            print_report(report)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
