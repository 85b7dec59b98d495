"""Links to the glossary: every link has its term, every term its link at first use.

The glossary is ``chapters/glossary.md``. Each term has an anchor, either its own
(``<a id="bias"></a>``) or that of a heading (``### Bias``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.workspace import root

_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./chapters/)?glossary\.md#([^)\s]+)\)")


def place() -> Path:
    """Return the glossary's place; it need not exist yet."""
    return root() / "chapters" / "glossary.md"


def anchors(text: str) -> set[str]:
    """Return every anchor that a Markdown text offers."""
    return {*re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text), *map(slug, terms(text))}


def terms(text: str) -> list[str]:
    """Return the headings of a glossary, in order."""
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def slug(heading: str) -> str:
    """Return the anchor that Markdown viewers give to a heading."""
    plain = re.sub(r"<[^>]+>|[`*]", "", heading).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-")


def links(notebook: nb.Notebook) -> Iterator[tuple[int, str, str]]:
    """Yield cell number, words and anchor of each link to the glossary."""
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "markdown":
            for words, anchor in _LINK.findall(nb.source(cell)):
                yield number, words, anchor


def link_faults(path: Path) -> list[str]:
    """Return links without a term, and terms that are linked only after their first use.

    Nothing is held as long as there is no glossary.
    """
    if not place().is_file():
        return []
    notebook = nb.read(path)
    known = anchors(place().read_text(encoding="utf-8"))
    faults = []
    seen: set[str] = set()
    for number, words, anchor in links(notebook):
        if anchor not in known:
            faults.append(f"cell {number}: the glossary has no term #{anchor}")
        if anchor in seen:
            continue
        seen.add(anchor)
        earlier = _first_use(notebook, words, number)
        if earlier:
            faults.append(
                f"cell {number}: {words!r} is linked here, but used first in cell {earlier}"
            )
    return faults


def _first_use(notebook: nb.Notebook, words: str, before: int) -> int | None:
    """Return the text cell before `before` that uses a term in running text, if there is one.

    The title and the promise under it may name what is to come.
    """
    term = re.compile(rf"(?<![\w-]){re.escape(words.strip('*`'))}(?![\w-])", re.IGNORECASE)
    for number, cell in enumerate(notebook["cells"][: before - 1], 1):
        if number <= 2 or cell["cell_type"] != "markdown":
            continue
        plain = re.sub(
            r"```.*?```|`[^`]*`|\$[^$]*\$|^#.*$", " ", nb.source(cell), flags=re.S | re.M
        )
        if term.search(plain):
            return number
    return None
