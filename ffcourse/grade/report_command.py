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
    if fault is None and options.no_names and (options.csv or options.feedback or options.student):
        fault = "--no-names goes with --html and --json; the other files are of names by nature."
    if fault:
        return _wrong(fault)
    return _run(options, settings)


def _wrong(words: object) -> int:
    print(f"ffcourse report: {words}", file=sys.stderr)
    return WRONG_CALL


def _run(options: argparse.Namespace, settings: dict[str, str]) -> int:
    from sqlalchemy.exc import SQLAlchemyError

    from ffcourse.grade.batch.database import trouble
    from ffcourse.grade.batch.exports.text import ExportError
    from ffcourse.grade.batch.gradebook import DEFAULT, Gradebook, GradebookError
    from ffcourse.grade.batch.late import LateRuleError
    from ffcourse.grade.batch.people import RosterError, read_roster

    try:
        with Gradebook(options.db or DEFAULT, create=False) as book:
            book.set_settings(settings)
            if options.roster:
                book.add_students(read_roster(options.roster).students)
            if options.forget:
                return _forget(book, options.forget)
            known = _notebooks(book)
            unknown = next((key for key in options.notebook or () if key not in known), None)
            if unknown is not None:
                return _wrong(f"--notebook {unknown}: there is {', '.join(known) or 'none yet'}.")
            if options.student:
                return _one(book, options)
            _class(book, options)
    except (GradebookError, RosterError, LateRuleError, ExportError) as error:
        return _wrong(error)
    except SQLAlchemyError as error:
        return _wrong(trouble(error, options.db or DEFAULT))
    except OSError as error:
        about = f" ({error.filename})" if error.filename else ""
        return _wrong(f"{error.strerror or error}{about}")
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
    for note in [*unknown_dues(book), *notes]:
        print(note)


def _notebooks(book: Any) -> list[str]:
    """Return the notebooks that marks can be of."""
    from ffcourse.grade.batch.marks import marks

    keys = {key for key, _, _ in book.solutions().values()}
    return sorted(keys | {m.notebook for m in marks(book)})


def unknown_dues(book: Any) -> list[str]:
    """Say which due dates are of notebooks that there are not."""
    keys = {key for key, _, _ in book.solutions().values()}
    dues = [
        name.removeprefix("due:")
        for name, value in book.settings().items()
        if name.startswith("due:") and value
    ]
    return [
        f"--due {name}=…: no solution that was graded with is called {name}."
        for name in dues
        if name != "*" and keys and name not in keys
    ]


def _forget(book: Any, student: str) -> int:
    if student not in book.students():
        return _wrong(f"--forget {student}: nobody has this id.{_nearly(book, student)}")
    print(
        f"Deleted: {book.forget(student)} submissions of {student}. Files, exports and pages are "
        "where they were; a file that stays in the folder comes back with the next grading."
    )
    return DONE


def _nearly(book: Any, student: str) -> str:
    """Say whom somebody may have meant."""
    from difflib import get_close_matches

    about = {s.id: s.id for s in book.students().values()}
    for one in book.students().values():
        about |= {name: one.id for name in (one.email, one.login, one.last) if name}
    found = dict.fromkeys(about[name] for name in get_close_matches(student, about, 3, 0.75))
    return f" Is {' or '.join(found)} meant?" if found else ""


def _one(book: Any, options: argparse.Namespace) -> int:
    """Show, and write if asked to, what one student is told."""
    from ffcourse.grade.batch.exports.text import write
    from ffcourse.grade.batch.marks import ReportsOf, marks
    from ffcourse.grade.feedback import html_page, print_report

    student = options.student
    mine = [
        m for m in marks(book, options.notebook)
        if m.student.id == student and m.result_id is not None
    ]  # fmt: skip
    if not mine:
        near = "" if student in book.students() else _nearly(book, student)
        return _wrong(f"there is nothing graded of a student {student!r}.{near}")
    report_of = ReportsOf(book, mine)
    reports = [report for m in mine if (report := report_of(m)) is not None]
    for report in reports:
        print_report(report)
    if options.json:
        write(options.json, json_text({"schema": 1, "submissions": reports}))
    if options.html:
        write(options.html, html_page(reports))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
