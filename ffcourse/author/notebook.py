"""Notebooks as plain JSON: read, look into, and write always in the same form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ffcourse.workspace import replace, root

Cell = dict[str, Any]
Notebook = dict[str, Any]

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}


def read(path: Path) -> Notebook:
    """Read a notebook.

    Raises
    ------
    ValueError
        If the file is not a notebook of format 4.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path.name} is not a notebook: {error}") from error
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise ValueError(f"{path.name} is not a notebook of format 4")
    for cell in notebook["cells"]:
        cell["source"] = source(cell)
    return notebook


def dump(notebook: Notebook) -> str:
    """Return the JSON text of a notebook: sorted keys, sources as lists of lines."""
    cells = [
        {**cell, "source": source(cell).splitlines(keepends=True)} for cell in notebook["cells"]
    ]
    ordered = {**notebook, "cells": cells}
    return json.dumps(ordered, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write(path: Path, notebook: Notebook) -> bool:
    """Write a notebook in one step; leave the file alone if it would not change.

    Returns
    -------
    bool
        True if the file changed.
    """
    text = dump(notebook)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    replace(path, text.encode("utf-8"))
    path.chmod(0o644)
    return True


def source(cell: Cell) -> str:
    """Return a cell's source as one text."""
    found = cell.get("source", "")
    return found if isinstance(found, str) else "".join(found)


def about(cell: Cell) -> dict[str, Any]:
    """Return the course's own metadata of a cell; empty if it has none."""
    found = cell.get("metadata", {}).get("ffcourse", {})
    return found if isinstance(found, dict) else {}


def role(cell: Cell) -> str:
    """Return the role of a cell; empty if it has none."""
    return str(about(cell).get("role", ""))


def markdown(identity: str, text: str, meta: dict[str, Any] | None = None) -> Cell:
    """Make a text cell."""
    return {
        "cell_type": "markdown",
        "id": identity,
        "metadata": {"ffcourse": meta} if meta else {},
        "source": text,
    }


def code(identity: str, text: str, meta: dict[str, Any] | None = None) -> Cell:
    """Make a code cell that has not been run."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identity,
        "metadata": {"ffcourse": meta} if meta else {},
        "outputs": [],
        "source": text,
    }


def new(cells: list[Cell], meta: dict[str, Any]) -> Notebook:
    """Make a notebook."""
    return {
        "cells": cells,
        "metadata": {"ffcourse": meta, "kernelspec": KERNEL, "language_info": LANGUAGE},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def find(folder: str, names: list[str] | None = None) -> list[Path]:
    """Return the notebooks of ``chapters`` or ``solutions``, all or those asked for.

    Parameters
    ----------
    folder : str
        Folder under the course's root.
    names : list of str, optional
        Numbers or keys: ``"01"``, ``"01_neuron"``.
    """
    paths = sorted((root() / folder).glob("*.ipynb"))
    if not names:
        return paths
    return [path for path in paths if any(wanted(path.stem, name) for name in names)]


def wanted(key: str, name: str) -> bool:
    """Say whether a name, given on the command line, means a notebook."""
    name = Path(name).stem
    return key == name or key.split("_")[0] == name


def key_number(key: str) -> str:
    """Return the number of a notebook: ``"01"`` of ``"01_neuron"``."""
    return key.split("_")[0]


def outputs(notebook: Notebook) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Yield every stored output with its cell."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            yield cell, output


def mime(output: dict[str, Any], kind: str) -> str | None:
    """Return an output's text of a MIME type, or None."""
    found = output.get("data", {}).get(kind)
    if found is None or isinstance(found, dict):
        return None
    return found if isinstance(found, str) else "".join(found)
