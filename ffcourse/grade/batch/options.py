"""The options that ``ffcourse grade`` and ``ffcourse report`` share, and what they mean."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ffcourse.grade.batch.exports import FORMATS

POLICIES = ("best", "last")


def add_gradebook_options(p: argparse._ActionsContainer) -> None:
    """Add what says where the gradebook is and by which rules marks are made."""
    p.add_argument("--db", metavar="URL", help="the gradebook: a path or an SQLAlchemy URL")
    p.add_argument("--roster", type=Path, metavar="CSV", help="who is in the class")
    p.add_argument("--due", action="append", metavar="[NOTEBOOK=]TIME", help="when it was due")
    p.add_argument("--late", metavar="RULE", help="such as '10%%/day, at most 50%%'; or none")
    p.add_argument("--keep", choices=POLICIES, help="of several submissions, which one counts")


def add_export_options(p: argparse.ArgumentParser) -> None:
    """Add what says which files are written."""
    p.add_argument("--csv", type=Path, metavar="FILE", help="write one line a submission")
    p.add_argument("--format", choices=FORMATS, help="of --csv: what another program reads")
    p.add_argument("--worksheet", type=Path, metavar="CSV", help="Moodle's, to be filled in")
    p.add_argument("--columns", action="append", metavar="WHAT=HEADER", help="in the worksheet")
    p.add_argument("--title", action="append", metavar="NOTEBOOK=NAME", help="what Canvas calls it")
    p.add_argument("--feedback", type=Path, metavar="DIR", help="write a page for each student")


def pairs(values: Sequence[str] | None, option: str) -> dict[str, str]:
    """Return ``A=B`` options as a dictionary.

    Raises
    ------
    ValueError
        When one has no equals sign.
    """
    found = {}
    for value in values or ():
        name, equals, rest = value.partition("=")
        if not equals:
            raise ValueError(f"{option} {value}: write it as NAME=VALUE.")
        found[name.strip()] = rest.strip()
    return found


def rule_settings(options: argparse.Namespace) -> dict[str, str]:
    """Return the settings that the options ask for, checked.

    Raises
    ------
    ValueError
        When a time or rule cannot be read.
    """
    from ffcourse.grade.batch.late import read_due, read_rule

    settings: dict[str, str] = {}
    for text in options.due or ():
        notebook, equals, time = text.rpartition("=")
        due = "" if time.strip().lower() == "none" else str(read_due(time))
        settings[f"due:{notebook if equals else '*'}"] = due
    if options.late is not None:
        read_rule(options.late)
        settings["late"] = options.late
    if options.keep is not None:
        settings["policy"] = options.keep
    return settings


def export_fault(options: argparse.Namespace) -> str | None:
    """Say what is wrong with the export options, if anything is."""
    if options.format and not options.csv:
        return f"--format {options.format} needs --csv FILE to write to."
    if options.format == "moodle" and options.worksheet is None:
        return (
            "--format moodle needs --worksheet CSV, the grading worksheet downloaded from Moodle "
            "(in the assignment: Actions, Download grading worksheet)."
        )
    if options.worksheet is not None:
        if options.format != "moodle":
            return "--worksheet belongs to --format moodle."
        if options.csv.resolve() == options.worksheet.resolve():
            return "--csv must be another file than --worksheet, which is never changed."
    return None


def export(book: Any, options: argparse.Namespace, notebooks: list[str] | None = None) -> list[str]:
    """Write what the export options ask for; return what the teacher should know.

    Raises
    ------
    ExportError
        When it can't be made.
    """
    from ffcourse.grade.batch.marks import ReportsOf, marks

    notes: list[str] = []
    if not options.format and not options.feedback:
        return notes
    chosen = marks(book, notebooks)
    report_of = ReportsOf(book, chosen)
    if options.format:
        notes += _export(options, chosen, report_of)
    if options.feedback:
        from ffcourse.grade.batch.exports.pages import write_pages

        notes.append(write_pages(options.feedback, chosen, report_of))
    return notes


def _export(options: argparse.Namespace, chosen: list[Any], report_of: Any) -> list[str]:
    from ffcourse.grade.batch.exports import canvas, gradescope, moodle, nbgrader, pages
    from ffcourse.grade.batch.exports.text import ExportError, write
    from ffcourse.grade.batch.marks import UNKNOWN

    if options.format == "gradescope":
        text_of = gradescope.gradescope_json
        return pages.write_each(options.csv, chosen, report_of, text_of, ".json")
    notes = [
        f"Left out, since no one can tell which notebook it is: {m.name}"
        for m in chosen
        if m.notebook == UNKNOWN
    ]
    chosen = [m for m in chosen if m.notebook != UNKNOWN]
    if not chosen:
        raise ExportError(
            "There is nothing to export: no mark of any notebook is in the gradebook."
        )
    if options.format == "nbgrader":
        write(options.csv, nbgrader.nbgrader_csv(chosen))
    elif options.format == "canvas":
        titles = pairs(options.title, "--title")
        keys = {m.notebook for m in chosen}
        notes += [f"--title {t}: there is no notebook {t}." for t in titles if t not in keys]
        write(options.csv, canvas.canvas_csv(chosen, titles))
    else:
        several = sorted({m.notebook for m in chosen})
        if len(several) > 1:
            raise ExportError(
                "A worksheet of Moodle is of one assignment, but there are several notebooks: "
                "choose one with `ffcourse report --notebook` "
                f"({', '.join(several)})."
            )
        sheet = moodle.read_worksheet(options.worksheet, pairs(options.columns, "--columns"))
        text, told = moodle.moodle_csv(sheet, chosen, report_of)
        write(options.csv, text)
        notes += told
    return notes


def json_text(data: Any) -> str:
    """Return data as the JSON that is written to files."""
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
