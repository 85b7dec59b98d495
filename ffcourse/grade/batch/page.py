"""The report on a class as one HTML file: no script, nothing loaded, readable without colours."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ffcourse.grade.batch.marks import UNKNOWN

STYLE = """
:root { color-scheme: light dark; --line: #c9ced6; --quiet: #57606a; --bar: #2b6cb0;
        --link: #0a58a8; --band: #f4f6f8; --alarm: #a4262c }
@media (prefers-color-scheme: dark) {
  :root { --line: #444c56; --quiet: #a5adb8; --bar: #6ea8e0; --link: #8cc0f5; --band: #22272e;
          --alarm: #ff9a94 }
}
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 64rem;
       margin: 1.5rem auto; padding: 0 1rem }
h1 { margin-bottom: .25rem; line-height: 1.2 }
h2 { margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 2px solid var(--line) }
h1, h2, p { overflow-wrap: anywhere }
td.w { overflow-wrap: anywhere; min-width: 7rem }
tbody th { white-space: nowrap }
a { color: var(--link) }
.quiet { color: var(--quiet); margin: .25rem 0 }
.wide { overflow-x: auto; margin: 0 0 1.5rem }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; font-weight: 600; padding: .75rem 0 .25rem }
th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line);
         vertical-align: top; min-width: 3rem }
thead th { color: var(--quiet); font-weight: 600; vertical-align: bottom }
tbody tr:hover { background: var(--band) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal }
td.n + td:not(.n), th.n + th:not(.n) { padding-left: 1rem }
td.bars { width: 60%; min-width: 8rem }
.bar { display: block; height: .9em; min-width: 1px; background: var(--bar); border-radius: 2px;
       margin-top: .3em }
.alarm { color: var(--alarm) }
nav { margin: .75rem 0 }
nav a { display: inline-block; margin: 0 1rem .25rem 0 }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px }
@media print { nav { display: none } .wide { overflow: visible } }
"""
SHOWN_CHECKS = 15
SHOWN_NAMES = 40
STATES = {"graded": "graded", "rejected": "not gradable", "waiting": "not graded yet",
          "none": "nothing handed in"}  # fmt: skip


def document(title: str, body: str, nav: str = "") -> str:
    """Return a whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(title)}</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{_e(title)}</h1>{nav}</header><main>{body}</main></body></html>\n"
    )


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
    links = [
        f'<a href="#n{i}">{_e(_title(n["notebook"]))}</a>' for i, n in enumerate(data["notebooks"])
    ]
    if "marks" in data:
        links += ['<a href="#similar">Similar answers</a>', '<a href="#marks">Marks</a>']
    return document(title, "".join(parts), f'<nav aria-label="Contents">{"".join(links)}</nav>')


def _summary(data: Mapping[str, Any]) -> str:
    rows = [
        (_title(n["notebook"]), n["handed_in"], n["graded"], sum(r["count"] for r in n["rejected"]),
         n["late"], n["nothing_handed_in"], _number(n["scores"]["mean"]),
         _number(n["scores"]["median"]), _number(n["max_score"] or None))
        for n in data["notebooks"]
    ]  # fmt: skip
    head = ("Notebook", "Handed in", "Graded", "Not gradable", "Late", "Handed in nothing",
            "Mean", "Median", "Of")  # fmt: skip
    text = f'<p class="quiet">{_count(data["students"], "student")}. Made {_e(data["made"])}.</p>'
    text += f'<p class="quiet">{_e(rules_in_words(data["rules"]))}</p>'
    if not rows:
        text += "<p>Nothing was handed in yet.</p>"
    strangers = data["not_on_the_roster"]
    if strangers:
        named = strangers if isinstance(strangers, int) else ", ".join(strangers[:SHOWN_NAMES])
        if not isinstance(strangers, int) and len(strangers) > SHOWN_NAMES:
            named = f"{named} and {len(strangers) - SHOWN_NAMES} more, marked below"
        text += f'<p><strong class="alarm">Not on the roster:</strong> {_e(named)}.</p>'
    return text + _table("Notebooks", head, rows, numeric=range(1, 9))


def _title(notebook: str) -> str:
    return "No known notebook" if notebook == UNKNOWN else notebook


def rules_in_words(rules: Mapping[str, Any]) -> str:
    """Return the rules by which marks are made, in sentences."""
    dues = [
        f"{'all others' if name == '*' and len(rules['due']) > 1 else name} {_when(due)}"
        if name != "*" or len(rules["due"]) > 1
        else _when(due)
        for name, due in sorted(rules["due"].items(), key=lambda d: (d[0] == "*", d[0]))
    ]
    due = f"Due: {'; '.join(dues)}." if dues else "No due date is set."
    late = "nothing is taken off" if rules["late"].lower() in ("none", "") else rules["late"]
    counts = "best" if rules["keep"] == "best" else "last"
    return f"{due} For late ones: {late}. Of several submissions the {counts} one counts."


def _when(due: str) -> str:
    from ffcourse.grade.batch.late import read_due

    kept = read_due(due)
    return f"{kept.local:%Y-%m-%d %H:%M} ({kept.zone or 'UTC'})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _notebook(n: Mapping[str, Any], i: int) -> str:
    parts = [f'<section aria-labelledby="n{i}"><h2 id="n{i}">{_e(_title(n["notebook"]))}</h2>']
    parts.append(f'<p class="quiet">{_e(_facts(n))}</p>')
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


def _facts(n: Mapping[str, Any]) -> str:
    scores = n["scores"]
    words = []
    if scores["mean"] is not None:
        words.append(
            f"Mean {_number(scores['mean'])}, median {_number(scores['median'])}, from "
            f"{_number(scores['lowest'])} to {_number(scores['highest'])} of "
            f"{_number(n['max_score'])} points."
        )
    if n["waiting"]:
        words.append(f"{n['waiting']} wait to be graded: give the same command again.")
    if n["set_by_hand"]:
        words.append(f"{_count(n['set_by_hand'], 'mark')} set by hand.")
    if n["repaired"]:
        words.append(f"{_count(n['repaired'], 'notebook')} had to be repaired; the pages say how.")
    if n["sandboxes"]:
        boxes = ", ".join(f"{name} ({k})" for name, k in n["sandboxes"].items())
        words.append(f"Sandbox: {boxes}.")
    seeds = [s for s in n["seeds"] if s != "stored"]
    if seeds:
        words.append(f"Fresh inputs, seed {', '.join(seeds)}.")
    return " ".join(words)


def _histogram(bins: Sequence[Mapping[str, int]]) -> str:
    most = max(b["count"] for b in bins) or 1
    rows = "".join(
        f'<tr><th scope="row">{_range(b)}</th><td class="n">{b["count"]}</td>'
        f'<td aria-hidden="true" class="bars">'
        f'<span class="bar" style="width:{100 * b["count"] / most:.0f}%"></span></td></tr>'
        for b in bins
    )
    return (
        '<div class="wide"><table><caption>Scores</caption><thead><tr>'
        '<th scope="col">Part of the points</th><th scope="col" class="n">Students</th>'
        f'<td aria-hidden="true"></td></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _range(b: Mapping[str, int]) -> str:
    return f"{b['from']} to {b['to']} %" if b["to"] == 100 else f"{b['from']} to under {b['to']} %"


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
    body = _table("Suspiciously similar answers", head, rows, (3,), (1,)) or "<p>None.</p>"
    return f'<section><h2 id="similar">Similar answers</h2>{note if rows else ""}{body}</section>'


def _marks(data: Mapping[str, Any]) -> str:
    if "marks" not in data:
        return ""
    rows = [
        (m["student_id"], m["name"], _title(m["notebook"]), STATES[m["status"]],
         _number(m["score"]) if m["status"] == "graded" else "", _number(m["max_score"] or None),
         _remarks(m))
        for m in data["marks"]
    ]  # fmt: skip
    head = ("Student", "Name", "Notebook", "State", "Score", "Of", "Remarks")
    across = _across(data["marks"])
    return (
        f'<section><h2 id="marks">Marks</h2>{across}'
        f"{_table('Each mark', head, rows, (4, 5), (0, 1))}</section>"
    )


def _across(marks: Sequence[Mapping[str, Any]]) -> str:
    """Return a table with a row for each student, where there are several notebooks."""
    keys = sorted({m["notebook"] for m in marks if m["max_score"]})
    if len(keys) < 2:
        return ""
    people: dict[str, str] = {m["student_id"]: m["name"] for m in marks}
    score = {(m["student_id"], m["notebook"]): m["score"] for m in marks if m["status"] == "graded"}
    rows = [
        (who, name, *(_number(score.get((who, key))) for key in keys),
         _number(round(sum(score.get((who, key), 0.0) for key in keys), 4)))
        for who, name in people.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (row[1].casefold(), row[0]))
    return _table(
        "All notebooks", ("Student", "Name", *keys, "Sum"), rows, range(2, len(keys) + 3), (0, 1)
    )


def _remarks(mark: Mapping[str, Any]) -> str:
    words = [mark["reason"].rstrip(".")] if mark["reason"] else []
    if not mark["listed"]:
        words.append("not on the roster")
    if mark["late_penalty"]:
        words.append(f"late: {mark['late_penalty']:g} off")
    elif mark["late"] and mark["status"] == "graded":
        words.append("late, nothing off")
    if mark["versions"] > 1:
        words.append(f"{mark['versions']} submissions")
    for exercise, about in mark["overrides"].items():
        what = exercise or "the mark"
        words.append(f"{what} set to {about['points']:g} by hand: {about['reason']}")
    return "; ".join(words)


def _table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[Any]],
    numeric: Iterable[int] = (),
    names: Iterable[int] = (),
) -> str:
    """Return a table; numbers stand to the right, and names may be broken anywhere."""
    if not rows:
        return ""
    classes = dict.fromkeys(numeric, "n") | dict.fromkeys(names, "w")
    kind = [f' class="{classes[i]}"' if i in classes else "" for i in range(len(head))]
    top = "".join(f'<th scope="col"{kind[i]}>{_e(h)}</th>' for i, h in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{kind[i]}>{_e(c)}</td>" for i, c in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><caption>{_e(caption)}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _e(text: object) -> str:
    return html.escape(str(text), quote=True)
