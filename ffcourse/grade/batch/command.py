"""``ffcourse grade`` for classes: everything goes through the gradebook."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from ffcourse.grade.batch.cluster import ClusterError
from ffcourse.grade.batch.exports.text import ExportError
from ffcourse.grade.batch.gradebook import DEFAULT, Gradebook, GradebookError
from ffcourse.grade.batch.late import LateRuleError, read_times
from ffcourse.grade.batch.marks import Mark, marks
from ffcourse.grade.batch.names import PatternError, reader
from ffcourse.grade.batch.options import export, rule_settings
from ffcourse.grade.batch.people import Roster, RosterError, read_roster
from ffcourse.grade.batch.run import Batch, NothingGradedError, Tally, run_batch
from ffcourse.grade.batch.shelf import read_shelf
from ffcourse.grade.batch.show import Progress, print_tally
from ffcourse.grade.batch.station import GradingOptions
from ffcourse.grade.report import rejection

WRONG_CALLS = (RosterError, PatternError, LateRuleError, GradebookError, ExportError, OSError)


def grade_class(options: argparse.Namespace) -> int:
    """Grade into the gradebook; return the exit status."""
    from ffcourse.grade.command import GRADED, SOME_REJECTED, WRONG_CALL

    where = options.db or DEFAULT
    try:
        with Gradebook(where) as book:
            book.set_settings(rule_settings(options))
            if options.override:
                override(book, options)
            if not options.paths:
                _tell(export(book, options))
                return GRADED
            tally = _grade(book, options)
            all_graded = _write(book, options, tally)
            print_tally(tally, where if "://" not in where else "the gradebook")
    except WRONG_CALLS as error:
        print(f"ffcourse grade: {error}", file=sys.stderr)
        return WRONG_CALL
    except (NothingGradedError, ClusterError) as error:
        print(f"ffcourse grade: {error}", file=sys.stderr)
        return SOME_REJECTED
    except KeyboardInterrupt:
        print(
            "\nStopped. What was graded is kept; the same command goes on from here.",
            file=sys.stderr,
        )
        return SOME_REJECTED
    return GRADED if all_graded else SOME_REJECTED


def _grade(book: Gradebook, options: argparse.Namespace) -> Tally:
    from ffcourse.grade.command import limits_of, processors

    shelf = read_shelf(options.solutions)
    if not shelf.prints:
        raise NothingGradedError((shelf.faults or ["There are no solutions to grade with."])[0])
    for fault in shelf.faults:
        print(f"ffcourse grade: {fault}", file=sys.stderr)
    reader(options.names or "auto")
    again = dict.fromkeys(options.again or (), options.reason)
    before = {(m.student.id, m.notebook): m.score for m in marks(book)} if again else {}
    with Progress(options.quiet) as progress:
        batch = Batch(
            options.paths,
            shelf,
            GradingOptions(options.seed, options.trusted, limits_of(options).as_dict()),
            jobs=options.jobs or processors(),
            cluster=options.cluster,
            roster=read_roster(options.roster) if options.roster else known_roster(book),
            names=options.names or "auto",
            times=read_times(options.times) if options.times else {},
            again=again,
            tell=progress.tell,
        )
        tally = run_batch(book, batch)
    _tell_changes(book, again, before)
    return tally


def known_roster(book: Gradebook) -> Roster:
    """Return the roster of an earlier call, so that it need not be named again."""
    return Roster(s for s in book.students().values() if s.listed)


def _tell_changes(
    book: Gradebook, again: Mapping[str, str], before: Mapping[tuple[str, str], float]
) -> None:
    for mark in marks(book) if again else ():
        if mark.student.id in again and mark.status != "none":
            old = before.get((mark.student.id, mark.notebook))
            was = "not graded before" if old is None else f"{old:g} before"
            print(f"{mark.student.id}, {mark.notebook}: {was}, {mark.score:g} now")


def reports_of(book: Gradebook, tally: Tally) -> list[dict[str, Any]]:
    """Return a report for every file of a batch, in order; a reason for those not graded."""
    counting = book.counting()
    found = dict(book.reports(known.id for known in counting.values()))
    reports = []
    for name, sha in tally.names:
        if name in tally.refused or sha not in counting:
            why = tally.refused.get(name, "It was not graded.")
            reports.append(rejection(name, None, why, None))
        else:
            reports.append({**found[counting[sha].id], "submission": name})
    return reports


def _write(book: Gradebook, options: argparse.Namespace, tally: Tally) -> bool:
    """Write what was asked for; return whether every file of the batch was graded."""
    from ffcourse.grade.command import write_outputs

    if options.json or options.html or (options.csv and not options.format):
        write_outputs(options, reports_of(book, tally))
    counting = book.counting()
    mine = [counting[sha] for _, sha in tally.names if sha in counting]
    keys = sorted({known.notebook for known in mine if known.notebook})
    _tell(export(book, options, keys or None))
    all_there = len(mine) == len(tally.names) and not tally.refused
    return all_there and all(known.state == "graded" for known in mine)


def _tell(notes: list[str]) -> None:
    for note in notes:
        print(note)


def override(book: Gradebook, options: argparse.Namespace) -> None:
    """Set or take back marks by hand.

    Raises
    ------
    GradebookError
        When nobody and nothing in the gradebook is meant by one.
    """
    chosen = marks(book)
    for text in options.override:
        student, colon, rest = text.rpartition(":")
        what, equals, points = rest.partition("=")
        try:
            value = float(points.replace(",", ".")) if points.strip() else None
        except ValueError:
            equals = ""
        if not colon or not equals:
            raise GradebookError(
                f"--override {text}: write STUDENT:EXERCISE=POINTS, for example bergann:01.2=3 "
                "(or STUDENT:NOTEBOOK=POINTS; without points it is taken back)."
            )
        mark, exercise = _meant(chosen, student, what)
        book.override(student, mark.notebook, mark.sha, exercise, value, options.reason, options.by)
        told = "taken back" if value is None else f"set to {value:g}"
        print(f"{student}, {what}: {told} ({options.reason})")


def _meant(chosen: list[Mark], student: str, what: str) -> tuple[Mark, str]:
    mine = [m for m in chosen if m.student.id == student and m.sha]
    for mark in mine:
        if mark.notebook == what:
            return mark, ""
        if mark.notebook.split("_")[0] == what.split(".")[0] and "." in what:
            return mark, what
    handed = ", ".join(m.notebook for m in mine) or "nothing"
    raise GradebookError(
        f"--override: {student} has handed in {handed}; there is no {what} to set a mark for."
    )
