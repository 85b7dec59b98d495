"""A report for people: in the terminal (rich), and as an HTML page of its own."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ffcourse.grade.report import printable

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
_CODE = re.compile(r"`([^`\n]+)`")
STYLE = """
:root { color-scheme: light dark; --line: #c9ced6; --quiet: #57606a; --band: #f4f6f8;
        --green: #1b7f4b; --red: #b3362b; --yellow: #8a6100 }
@media (prefers-color-scheme: dark) {
  :root { --line: #444c56; --quiet: #a5adb8; --band: #22272e;
          --green: #56c78a; --red: #ff8b7e; --yellow: #e0b040 }
}
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 46rem;
       margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { line-height: 1.2; margin-bottom: .25rem }
h2 { font-size: 1.05rem; margin: 0 }
p { margin: .35rem 0; white-space: pre-wrap }
.quiet { color: var(--quiet); font-size: .9rem }
.note { background: var(--band); padding: .4rem .8rem; border-radius: 4px }
article { border-left: 4px solid var(--line); padding: .1rem 0 .1rem .9rem; margin: 1.1rem 0 }
article.green { border-color: var(--green) } .green h2 span { color: var(--green) }
article.red { border-color: var(--red) } .red h2 span { color: var(--red) }
article.yellow { border-color: var(--yellow) } .yellow h2 span { color: var(--yellow) }
code { background: var(--band); padding: 0 .25em; border-radius: 3px }
section + section { border-top: 2px solid var(--line); margin-top: 2.5rem }
@media print { article { break-inside: avoid } }
"""


def print_report(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the report of one submission, exercise by exercise."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    console.print(Text(headline(report), style="bold"))
    for note in report.get("notes", []):
        console.print(Text(f"  {note}", style="yellow"))
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
        for line in _lines(exercise):
            console.print(Text(f"      {line}"))


def headline(report: Mapping[str, Any]) -> str:
    """Return one line: which file, how many points."""
    name = printable(str(report["submission"])).replace("\n", "\\n")
    if report["status"] == "rejected":
        return f"{name}: could not be graded"
    return (
        f"{name}: {report['score']} of {report['max_score']} points "
        f"({report['notebook']}, {report['seconds']} s, sandbox: {report['sandbox']})"
    )


def html_card(report: Mapping[str, Any]) -> str:
    """Return one submission's report as an HTML fragment; everything in it is escaped."""
    if report["status"] == "rejected":
        head = "This notebook could not be graded"
    else:
        head = f"{report['notebook']}: {report['score']} of {report['max_score']} points"
    about = [*_whose(report), str(report["submission"])]
    if report["status"] != "rejected":
        passed = sum(e["status"] == "passed" for e in report["exercises"])
        about.append(f"{passed} of {len(report['exercises'])} exercises passed")
        about.append(f"Graded in {report['seconds']} s, sandbox: {report['sandbox']}")
    notes = "".join(f'<p class="note">{_text(note)}</p>' for note in report.get("notes", []))
    reason = f'<p class="note">{_text(report["reason"])}</p>' if report["reason"] else ""
    repairs = "".join(f"<li>{_text(text)}</li>" for text in report.get("repairs", []))
    if repairs:
        told = "What had to be repaired before it could be graded:"
        repairs = f'<div class="note"><p>{told}</p><ul>{repairs}</ul></div>'
    rows = "".join(_row(exercise) for exercise in report["exercises"])
    return (
        f"<section><h1>{_escape(head)}</h1>"
        f'<p class="quiet">{_escape(". ".join(about))}.</p>{notes}{reason}{repairs}{rows}</section>'
    )


def _whose(report: Mapping[str, Any]) -> list[str]:
    """Return the student's name and id, where they are known."""
    student = report.get("student")
    if not student:
        return []
    name, key = student["name"], student["id"]
    return [key if name == key else f"{name} ({key})"]


def _row(exercise: Mapping[str, Any]) -> str:
    mark, colour, words = MARKS[exercise["status"]]
    text = "".join(f"<p>{_text(line)}</p>" for line in _lines(exercise))
    return (
        f'<article class="{colour}"><h2><span aria-hidden="true">{mark}</span> '
        f"{_escape(exercise['id'])} {_escape(exercise['title'])}</h2>"
        f'<p class="quiet">{exercise["points"]} of {exercise["max_points"]} points, {words}'
        f"{_checks(exercise)}</p>{text}</article>"
    )


def _lines(exercise: Mapping[str, Any]) -> list[str]:
    """Return the lines of the feedback; of a passed exercise only what a teacher added."""
    lines = [line for line in str(exercise["feedback"]).splitlines() if line.strip()]
    passed = exercise["status"] == "passed"
    return [line for line in lines if not (passed and line == "All checks passed.")]


def _checks(exercise: Mapping[str, Any]) -> str:
    """Return which checks passed, where some did and some did not."""
    checks = exercise["checks"]
    if exercise["status"] not in ("wrong", "error") or len(checks) < 2:
        return ""
    told = [
        f"{'✓' if c['passed'] else '✗'} {_escape(c['label'])}{' (hidden)' if c['hidden'] else ''}"
        for c in checks
    ]
    return f". Checks: {', '.join(told)}"


def html_page(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return a whole HTML page with the reports of some submissions."""
    body = "".join(html_card(report) for report in reports)
    title = "Graded exercises"
    if len(reports) == 1:
        title = ", ".join([str(reports[0]["notebook"] or title), *_whose(reports[0])])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _text(text: object) -> str:
    """Return a text escaped, with what stands in backticks as code."""
    return _CODE.sub(r"<code>\1</code>", _escape(text))


def _escape(text: object) -> str:
    return html.escape(str(text), quote=True)
