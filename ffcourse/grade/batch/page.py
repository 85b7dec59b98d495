"""The report on a class as one HTML file: no script, nothing loaded, readable without colours."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

STYLE = """
:root { color-scheme: light dark }
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem }
table { border-collapse: collapse; margin: 0 0 1.5rem; width: 100% }
caption { text-align: left; font-weight: 600; padding: .5rem 0 }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8888;
         vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.bar { display: inline-block; height: .8em; background: #2b6cb0; vertical-align: baseline }
nav a { margin-right: 1rem }
:focus-visible { outline: 3px solid #2b6cb0; outline-offset: 2px }
@media print { nav { display: none } }
"""
SHOWN_CHECKS = 15


def class_page(data: Mapping[str, Any], title: str = "Report on the class") -> str:
    """Return the report of `class_report` as a page.

    Parameters
    ----------
    data : mapping
        From `ffcourse.grade.batch.overview.class_report`.
    """
    parts = [_summary(data)]
    parts += [_notebook(n, i) for i, n in enumerate(data["notebooks"])]
    parts += [_similar(data), _marks(data)]
    links = [f'<a href="#n{i}">{_e(n["notebook"])}</a>' for i, n in enumerate(data["notebooks"])]
    if "marks" in data:
        links += ['<a href="#similar">Similar answers</a>', '<a href="#marks">Marks</a>']
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{_e(title)}</title><style>{STYLE}</style></head><body>"
        f'<header><h1>{_e(title)}</h1><nav aria-label="Contents">{"".join(links)}</nav></header>'
        f"<main>{''.join(parts)}</main></body></html>\n"
    )


def _summary(data: Mapping[str, Any]) -> str:
    rows = [
        (n["notebook"], n["handed_in"], n["graded"], sum(r["count"] for r in n["rejected"]),
         n["late"], _number(n["scores"]["mean"]), _number(n["scores"]["median"]), n["max_score"])
        for n in data["notebooks"]
    ]  # fmt: skip
    head = ("Notebook", "Handed in", "Graded", "Rejected", "Late", "Mean", "Median", "Of")
    text = f"<p>{data['students']} students.</p>"
    strangers = data["not_on_the_roster"]
    if strangers and not isinstance(strangers, int):
        text += f"<p>Not on the roster: {_e(', '.join(strangers))}.</p>"
    return text + _table("Notebooks", head, rows, numeric=range(1, 8))


def _notebook(n: Mapping[str, Any], i: int) -> str:
    parts = [f'<section aria-labelledby="n{i}"><h2 id="n{i}">{_e(n["notebook"])}</h2>']
    if n["scores"]["bins"]:
        parts.append(_histogram(n["scores"]["bins"]))
    rejected = [(r["reason"], r["count"]) for r in n["rejected"]]
    parts.append(_table("Could not be graded", ("Reason", "Files"), rejected, numeric=(1,)))
    mistakes = [(m["exercise"], m["mistake"], m["count"]) for m in n["mistakes"]]
    parts.append(
        _table("Mistakes by name", ("Exercise", "Mistake", "Students"), mistakes, numeric=(2,))
    )
    unnamed = [(m["exercise"], m["count"]) for m in n["unnamed"]]
    parts.append(_table("Wrong in a way that has no name yet", ("Exercise", "Students"), unnamed,
                        numeric=(1,)))  # fmt: skip
    hardest = [
        (c["exercise"], c["check"] + (" (hidden)" if c["hidden"] else ""), c["failed"], c["tried"],
         f"{100 * c['part']:.0f} %")
        for c in n["checks"][:SHOWN_CHECKS] if c["failed"]
    ]  # fmt: skip
    head = ("Exercise", "Check", "Failed", "Of those who tried", "Part")
    parts.append(_table("Hardest checks", head, hardest, numeric=(2, 3, 4)))
    states = [
        (e["exercise"], e["title"], ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in
                                              e["statuses"].items()))
        for e in n["exercises"]
    ]  # fmt: skip
    parts.append(_table("Exercises", ("Exercise", "Title", "How they ended"), states))
    return "".join(parts) + "</section>"


def _histogram(bins: Sequence[Mapping[str, int]]) -> str:
    most = max(b["count"] for b in bins) or 1
    rows = "".join(
        f'<tr><th scope="row">{b["from"]} to {b["to"]} %</th><td class="n">{b["count"]}</td>'
        f'<td aria-hidden="true" style="width:60%">'
        f'<span class="bar" style="width:{100 * b["count"] / most:.0f}%"></span></td></tr>'
        for b in bins
    )
    return (
        "<table><caption>Scores</caption><thead><tr>"
        '<th scope="col">Part of the points</th><th scope="col" class="n">Students</th>'
        f'<td aria-hidden="true"></td></tr></thead><tbody>{rows}</tbody></table>'
    )


def _similar(data: Mapping[str, Any]) -> str:
    if "similar" not in data:
        return ""
    rows = [
        (a["notebook"], ", ".join(a["students"]),
         "the same but for names and layout" if a["same"] else f"{100 * a['alike']:.0f} %",
         a["shared"])
        for a in data["similar"]
    ]  # fmt: skip
    note = (
        "<p>A hint, not a verdict: these share code that hardly anybody else has. Look at both "
        "before you draw any conclusion; people learn together, and short answers look alike.</p>"
    )
    head = ("Notebook", "Students", "Alike", "Rare pieces shared")
    body = _table("Suspiciously similar answers", head, rows, numeric=(3,)) or "<p>None.</p>"
    return f'<section><h2 id="similar">Similar answers</h2>{note if rows else ""}{body}</section>'


def _marks(data: Mapping[str, Any]) -> str:
    if "marks" not in data:
        return ""
    rows = [
        (m["student_id"], m["name"], m["notebook"], m["status"], _number(m["score"]),
         _number(m["max_score"]), _remarks(m))
        for m in data["marks"]
    ]  # fmt: skip
    head = ("Student", "Name", "Notebook", "State", "Score", "Of", "Remarks")
    return f'<section><h2 id="marks">Marks</h2>{_table("Marks", head, rows, (4, 5))}</section>'


def _remarks(mark: Mapping[str, Any]) -> str:
    words = []
    if mark["late_penalty"]:
        words.append(f"late: {mark['late_penalty']:g} off")
    elif mark["late"]:
        words.append("late")
    if mark["versions"] > 1:
        words.append(f"{mark['versions']} submissions")
    for exercise, about in mark["overrides"].items():
        what = exercise or "the mark"
        words.append(f"{what} set to {about['points']:g} by hand: {about['reason']}")
    return "; ".join(words)


def _table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Any]], numeric: Iterable[int] = ()
) -> str:
    if not rows:
        return ""
    right = set(numeric)
    kind = [' class="n"' if i in right else "" for i in range(len(head))]
    top = "".join(f'<th scope="col"{kind[i]}>{_e(h)}</th>' for i, h in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{kind[i]}>{_e(c)}</td>" for i, c in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f"<table><caption>{_e(caption)}</caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _e(text: object) -> str:
    return html.escape(str(text), quote=True)
