"""A report for people: in the terminal (rich), and as an HTML page of its own."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {
    "passed": ("✓", "green", "passed"),
    "wrong": ("✗", "red", "not right yet"),
    "error": ("✗", "red", "raised an error"),
    "timed_out": ("✗", "red", "did not end in time"),
    "crashed": ("✗", "red", "ended Python"),
    "not_attempted": ("·", "yellow", "not attempted"),
    "missing": ("?", "yellow", "answer cell missing"),
}
_COLOURS = {"green": "#1b7f4b", "red": "#b3362b", "yellow": "#8a6100"}


def print_report(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report of one submission, exercise by exercise."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    console.print(Text(headline(report), style="bold"))
    for repair in report.get("repairs", []):
        console.print(Text(f"  repaired: {repair}", style="yellow"))
    if report["status"] == "rejected":
        console.print(Text(f"  {report['reason']}", style="red"))
        return
    for exercise in report["exercises"]:
        mark, colour, words = MARKS[exercise["status"]]
        points = f"{exercise['points']}/{exercise['max_points']}"
        console.print(
            Text.assemble((f"  {mark} ", colour), f"{exercise['id']}  {points:>7}  {words}")
        )
        if exercise["status"] != "passed":
            for line in str(exercise["feedback"]).splitlines():
                console.print(Text(f"      {line}"))


def headline(report: Mapping[str, Any]) -> str:
    """Return one line: which file, how many points."""
    if report["status"] == "rejected":
        return f"{report['submission']}: could not be graded"
    return (
        f"{report['submission']}: {report['score']} of {report['max_score']} points "
        f"({report['notebook']}, {report['seconds']} s, sandbox: {report['sandbox']})"
    )


def html_card(report: Mapping[str, Any]) -> str:
    """Return one submission's report as an HTML fragment; everything in it is escaped."""
    rows = "".join(_row(exercise) for exercise in report["exercises"])
    reason = f"<p>{_escape(report['reason'])}</p>" if report["reason"] else ""
    repairs = "".join(f"<li>{_escape(text)}</li>" for text in report.get("repairs", []))
    repairs = f"<p>Repaired:</p><ul>{repairs}</ul>" if repairs else ""
    return (
        '<section class="ffcourse-report" style="font-family:system-ui,sans-serif">'
        f"<h2>{_escape(headline(report))}</h2>{reason}{repairs}"
        f'<div role="list">{rows}</div></section>'
    )


def _row(exercise: Mapping[str, Any]) -> str:
    mark, colour, words = MARKS[exercise["status"]]
    lines = "".join(f"<p>{_escape(line)}</p>" for line in str(exercise["feedback"]).splitlines())
    if exercise["status"] == "passed":
        lines = ""
    return (
        f'<div role="listitem" style="border-left:4px solid {_COLOURS[colour]};'
        'padding:0.2em 0.8em;margin:0.6em 0">'
        f"<strong>{mark} {_escape(exercise['id'])} {_escape(exercise['title'])}</strong> "
        f"— {exercise['points']} of {exercise['max_points']} points, {words}{lines}</div>"
    )


def html_page(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return a whole HTML page with the reports of some submissions."""
    body = "".join(html_card(report) for report in reports)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<title>Graded exercises</title></head>"
        f'<body style="max-width:48em;margin:2em auto">{body}</body></html>\n'
    )


def _escape(text: object) -> str:
    return html.escape(str(text), quote=True)
