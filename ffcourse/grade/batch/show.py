"""Batches and classes in the terminal: progress where somebody watches, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ffcourse.grade.batch.run import Tally

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 10


class Progress:
    """Tells how a batch goes on; a bar only where the output is a terminal.

    Parameters
    ----------
    quiet : bool
        Print no line for each submission.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Progress:
        if sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(),
                       TimeRemainingColumn(), TextColumn("left"))  # fmt: skip
            self.bar = Bar(*columns)
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self.bar is not None:
            self.bar.stop()

    def tell(self, event: str, name: str, report: dict[str, Any] | None) -> None:
        """Take one event of a batch; see `ffcourse.grade.batch.run.Batch`."""
        about = report or {}
        if event == "total":
            if about["known"] and not self.quiet:
                self._line(f"{about['known']} are in the gradebook already.")
            if self.bar is not None:
                self.task = self.bar.add_task("grading", total=about["jobs"])
            return
        if self.task is not None and event in ("graded", "refused"):
            self.bar.advance(self.task)
        if not self.quiet:
            self._line(line_of(event, name, about))

    def _line(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, flush=True)


def line_of(event: str, name: str, report: Mapping[str, Any]) -> str:
    """Return the one line about one submission."""
    if event == "refused":
        return f"{name}: not graded: {report['reason']}"
    if report["status"] == "rejected":
        return f"{name}: could not be graded: {report['reason']}"
    note = " (unchanged, carried over)" if event == "carried" else ""
    return f"{name}: {report['score']} of {report['max_score']} points{note}"


def print_tally(tally: Tally, where: str) -> None:
    """Print what a batch did, and where it is kept."""
    words = [f"{tally.graded} graded"]
    if tally.known:
        words.append(f"{tally.known} known already")
    if tally.carried:
        words.append(f"{tally.carried} carried over")
    if tally.rejected:
        words.append(f"{tally.rejected} could not be graded")
    if tally.refused:
        words.append(f"{len(tally.refused)} not graded this time")
    print(f"{', '.join(words)}. Kept in {where}.")
    for reason in sorted(set(tally.refused.values()))[:SHOWN]:
        print(f"Not graded: {reason}")
    for note in tally.notes:
        print(f"Note: {note}")


def print_class(data: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report on a class."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console(soft_wrap=True)
    if not data["notebooks"]:
        console.print(f"Nothing was handed in yet; {data['students']} students are known.")
        return
    for n in data["notebooks"]:
        scores = n["scores"]
        nothing = f", {n['nothing_handed_in']} handed in nothing" if n["nothing_handed_in"] else ""
        late = f", {n['late']} late" if n["late"] else ""
        head = f"{n['notebook']}: {n['handed_in']} handed in{late}, {n['graded']} graded{nothing}"
        console.print(Text(head, style="bold"))
        if scores["mean"] is not None:
            console.print(
                Text(
                    f"  mean {scores['mean']:g}, median {scores['median']:g}, from "
                    f"{scores['lowest']:g} to {scores['highest']:g} of {n['max_score']:g} points"
                )
            )
        _print_notebook(console, n)
    _print_rejected(console, data)
    _print_similar(console, data)
    strangers = data["not_on_the_roster"]
    if strangers:
        told = strangers if isinstance(strangers, int) else _some(strangers)
        console.print(Text(f"Not on the roster: {told}"))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _print_notebook(console: Console, n: Mapping[str, Any]) -> None:
    from rich.table import Table

    for reason in n["rejected"]:
        console.print(
            f"  could not be graded: {reason['count']} ({reason['reason']})", markup=False
        )
    for title, head, rows in (
        ("Mistakes by name", ("exercise", "mistake", "students"),
         [(m["exercise"], m["mistake"], str(m["count"])) for m in n["mistakes"]]),
        ("Wrong in a way that has no name yet", ("exercise", "students"),
         [(m["exercise"], str(m["count"])) for m in n["unnamed"]]),
        ("Hardest checks", ("exercise", "check", "failed", "tried"),
         [(c["exercise"], c["check"] + (" (hidden)" if c["hidden"] else ""), str(c["failed"]),
           str(c["tried"])) for c in n["checks"] if c["failed"]]),
    ):  # fmt: skip
        if rows:
            table = Table(*head, title=title, title_justify="left", box=None)
            for row in rows[:SHOWN]:
                table.add_row(*(_plain(cell) for cell in row))
            console.print(table)
            if len(rows) > SHOWN:
                console.print(f" and {len(rows) - SHOWN} more; --html has all of them")


def _print_rejected(console: Console, data: Mapping[str, Any]) -> None:
    files = [m["submission"] for m in data.get("marks", ()) if m["status"] == "rejected"]
    if files:
        console.print("Could not be graded:")
        for name in files[:SHOWN]:
            console.print(f"  {name}", markup=False, highlight=False)
        if len(files) > SHOWN:
            console.print(f"  and {len(files) - SHOWN} more; --html has all of them")


def _print_similar(console: Console, data: Mapping[str, Any]) -> None:
    if not data.get("similar"):
        return
    console.print("Similar answers (a hint only; look at both before you conclude anything):")
    for one in data["similar"][:SHOWN]:
        how = "the same but for names and layout" if one["same"] else f"{100 * one['alike']:.0f} %"
        people = ", ".join(one["students"])
        console.print(f"  {one['notebook']}: {people}: {how}", markup=False, highlight=False)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
