"""Which chapters are ready, as the course map in chapter 00 and the README's table tell it."""

from __future__ import annotations

import re
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.workspace import replace, root

_BOX = re.compile(r'\b(\w+)\["(\d\w+) ')
_COMING = re.compile(r"^( *class )\S+( coming)$", re.MULTILINE)
_OPEN = re.compile(r"^\*\*Open now:\*\*.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (\d\d\w?) \| (.+?) \| .+? \|$", re.MULTILINE)


def numbers(folder: str) -> set[str]:
    """Return the numbers of the notebooks in a folder, such as ``{"00", "00b", "01"}``."""
    return {nb.key_number(path.stem) for path in nb.find(folder)}


def filled_map(text: str, links: list[str]) -> str:
    """Return the text of the map's cell with the boxes and links of what is ready.

    Parameters
    ----------
    text : str
        A Mermaid flow chart whose boxes begin with a chapter's number, one line that gives
        some of them the class ``coming``, and a paragraph that begins with "Open now".
    links : list of str
        What that paragraph should name.
    """
    ready = numbers("chapters")
    coming = ",".join(box for box, number in _BOX.findall(text) if number not in ready)
    text = _COMING.sub(lambda found: f"{found[1]}{coming or 'none'}{found[2]}", text)
    return _OPEN.sub(lambda _: "**Open now:** " + " ·\n".join(links) + ".", text)


def filled_table(text: str) -> str:
    """Return the README's text with the state of each chapter in its table."""
    chapters, exercises = numbers("chapters"), numbers("solutions")

    def row(found: re.Match[str]) -> str:
        state = "ready" if found[1] in chapters else "coming"
        state += ", with exercises" if found[1] in exercises else ""
        return f"| {found[1]} | {found[2]} | {state} |"

    return _ROW.sub(row, text)


def update_readme(*, check: bool = False) -> list[Path]:
    """Write the README's table; return the README if it changed (or would)."""
    place = root() / "README.md"
    if not place.is_file():
        return []
    old = place.read_text(encoding="utf-8")
    new = filled_table(old)
    if new == old:
        return []
    if not check:
        replace(place, new.encode("utf-8"))
    return [place]
