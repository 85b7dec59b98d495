"""``ffcourse grade`` for classes: everything goes through the gradebook."""

from __future__ import annotations

import argparse
import contextlib
import math
import signal
import sys
from collections.abc import Mapping
from typing import Any

from ffcourse.grade.batch.cluster import ClusterError
from ffcourse.grade.batch.database import trouble
from ffcourse.grade.batch.exports.text import ExportError
from ffcourse.grade.batch.gradebook import DEFAULT, Gradebook, GradebookError
from ffcourse.grade.batch.late import LateRuleError, read_times
from ffcourse.grade.batch.marks import UNKNOWN, Mark, marks
from ffcourse.grade.batch.names import PatternError, reader
from ffcourse.grade.batch.options import export, rule_settings
from ffcourse.grade.batch.people import Roster, RosterError, read_roster
from ffcourse.grade.batch.run import Batch, NothingGradedError, Tally, run_batch
from ffcourse.grade.batch.sheets import SheetError
from ffcourse.grade.batch.shelf import read_shelf
from ffcourse.grade.batch.show import Progress, print_tally
from ffcourse.grade.batch.station import GradingOptions
from ffcourse.grade.report import rejection
from ffcourse.grade.report_command import unknown_dues

WRONG_CALLS = (RosterError, PatternError, LateRuleError, GradebookError, ExportError, SheetError)


def grade_class(options: argparse.Namespace) -> int:
    """Grade into the gradebook; return the exit status."""
    from sqlalchemy.exc import SQLAlchemyError

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
            tally.notes += unknown_dues(book)
            print_tally(tally, where if "://" not in where else "the gradebook")
    except WRONG_CALLS as error:
        print(f"ffcourse grade: {error}", file=sys.stderr)
        return WRONG_CALL
    except (NothingGradedError, ClusterError) as error:
        print(f"ffcourse grade: {error}", file=sys.stderr)
        return SOME_REJECTED
    except SQLAlchemyError as error:
        print(f"ffcourse grade: {trouble(error, where)}", file=sys.stderr)
        return SOME_REJECTED
    except OSError as error:
        about = f" ({error.filename})" if error.filename else ""
        print(
            f"ffcourse grade: {error.strerror or error}{about}. What was graded is kept; when "
            "that is mended, the same command goes on from here.",
            file=sys.stderr,
        )
        return SOME_REJECTED
    except KeyboardInterrupt:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending already
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
    mine = {sha for _, sha in tally.names if sha in counting}
    found = dict(book.reports(counting[sha].id for sha in mine))
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
            value, equals = None, ""
        if not colon or not equals or not (value is None or 0 <= value < math.inf):
            raise GradebookError(
                f"--override {text}: write STUDENT:EXERCISE=POINTS, for example bergann:01.2=3 "
                "(or STUDENT:NOTEBOOK=POINTS; without points it is taken back)."
            )
        mark, exercise, most = _meant(book, chosen, student, what)
        if value is None and exercise not in mark.overrides:
            raise GradebookError(f"--override {text}: no mark was set by hand there.")
        book.override(student, mark.notebook, mark.sha, exercise, value, options.reason, options.by)
        told = "taken back" if value is None else f"set to {value:g} of {most:g}"
        above = "; that is more than there are" if value is not None and value > most else ""
        print(f"{student}, {what}: {told} ({options.reason}){above}")


def _meant(book: Gradebook, chosen: list[Mark], student: str, what: str) -> tuple[Mark, str, float]:
    """Return whose submission is meant, which exercise ("" for all), and its points."""
    mine = [m for m in chosen if m.student.id == student and m.sha and m.notebook != UNKNOWN]
    known: list[str] = []
    for mark in mine:
        if mark.notebook == what:
            return mark, "", mark.max_score
        points = _points_of(book, mark)
        if what in points:
            return mark, what, points[what]
        known += points
    handed = ", ".join(m.notebook for m in mine) or "nothing of a known notebook"
    there = f" (exercises {', '.join(known)})" if known else ""
    raise GradebookError(
        f"--override: {student} has handed in {handed}{there}; there is no {what} to set a mark "
        "for."
    )


def _points_of(book: Gradebook, mark: Mark) -> dict[str, float]:
    """Return each exercise's points: as they were graded, else as the solutions have them."""
    if mark.result_id is not None:
        exercises = book.report(mark.result_id)["exercises"]
        if exercises:
            return {e["id"]: float(e["max_points"]) for e in exercises}
    found: dict[str, float] = {}
    for notebook, prints, _ in book.solutions().values():
        if notebook == mark.notebook:
            found |= prints["max_points"]
    return found
