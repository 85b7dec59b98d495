"""How a reader gets about: the line under a notebook's title, and the map's list of chapters."""

from __future__ import annotations

import re
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.author.course_map import filled_map
from ffcourse.workspace import root


def chapter_keys() -> list[str]:
    """Return the keys of all chapters, in reading order."""
    return [path.stem for path in nb.find("chapters")]


def chapter_line(key: str) -> str:
    """Return a chapter's navigation: the one before, the map, its exercises, the one after."""
    keys = chapter_keys()
    place = keys.index(key)
    parts = []
    if place > 0:
        parts.append(f"← [{label(keys[place - 1])}]({keys[place - 1]}.ipynb)")
    if place > 0:
        parts.append(f"[Course map]({keys[0]}.ipynb)")
    if (root() / "solutions" / f"{key}.ipynb").is_file():
        parts.append(f"[Exercises {nb.key_number(key)}](../exercises/{key}.ipynb)")
    if place + 1 < len(keys):
        parts.append(f"[{label(keys[place + 1])}]({keys[place + 1]}.ipynb) →")
    return " · ".join(parts)


def exercise_line(key: str) -> str:
    """Return an exercise notebook's navigation: its chapter, the map, the next exercises."""
    number = nb.key_number(key)
    chapters = {nb.key_number(found): found for found in chapter_keys()}
    parts = []
    if number in chapters:
        parts.append(f"← [{label(chapters[number])}](../chapters/{chapters[number]}.ipynb)")
    if "00" in chapters:
        parts.append(f"[Course map](../chapters/{chapters['00']}.ipynb)")
    later = [path.stem for path in nb.find("solutions") if path.stem > key]
    if later:
        parts.append(f"[Exercises {nb.key_number(later[0])}]({later[0]}.ipynb) →")
    return " · ".join(parts) or f"Exercises {number}"


def open_now(map_key: str) -> list[str]:
    """Return links to every chapter but the map's own, to its exercises, and to the glossary."""
    links = []
    for key in chapter_keys():
        if key == map_key:
            continue
        links.append(f"[{label(key)}]({key}.ipynb)")
        if (root() / "solutions" / f"{key}.ipynb").is_file():
            links[-1] += f", [exercises](../exercises/{key}.ipynb)"
    return [*links, "the [glossary](glossary.md), in English and Chinese"]


def label(key: str) -> str:
    """Return a chapter's number and title, as its metadata says, else from its file name."""
    path = root() / "chapters" / f"{key}.ipynb"
    title = nb.read(path)["metadata"].get("ffcourse", {}).get("title", "")
    number, _, topic = key.partition("_")
    return f"{number} {title or topic.replace('_', ' ').capitalize()}"


def update(path: Path, *, check: bool = False) -> bool:
    """Write a notebook's navigation line under its title, and the map where it has one.

    Returns
    -------
    bool
        True if the notebook changed (or would).
    """
    notebook = nb.read(path)
    cells = notebook["cells"]
    line = (chapter_line if path.parent.name == "chapters" else exercise_line)(path.stem)
    if not cells or not line:
        return False
    rest = [cell for cell in cells if nb.role(cell) != "nav"]
    identity = re.sub(r"[^a-zA-Z0-9-]", "-", nb.key_number(path.stem)) + "-nav"
    notebook["cells"] = [rest[0], nb.markdown(identity, line, {"role": "nav"}), *rest[1:]]
    for cell in rest:
        if nb.role(cell) == "map":
            cell["source"] = filled_map(nb.source(cell), open_now(path.stem))
    if check:
        return path.read_text(encoding="utf-8") != nb.dump(notebook)
    return nb.write(path, notebook)
