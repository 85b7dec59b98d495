"""Read a notebook as plain JSON, and say clearly why one cannot be graded.

No nbformat here: importing it costs seconds, and its validator refuses files that can
still be graded. A submission is only ever read, never changed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 20_000_000
MAX_PARTS = 1_000_000
MAX_CELLS = 5_000
MAX_SOURCE = 50_000  # of one cell: its syntax tree takes up a thousand times its length

_SAVE_AGAIN = "Open it in JupyterLab, save it, and hand in the saved .ipynb file."


class RejectedError(Exception):
    """A submission cannot be graded; the message says why and what to do."""


@dataclass
class Cell:
    """One cell, with the parts that grading looks at.

    Attributes
    ----------
    index : int
        Position in the notebook, from 0.
    kind : str
        "code", "markdown" or "raw".
    source : str
    id : str or None
        nbformat cell id.
    course : dict
        The cell's ``ffcourse`` metadata.
    outputs : list of dict
        Stored outputs (used for solutions only).
    executed : bool
        Whether an execution count is stored.
    """

    index: int
    kind: str
    source: str
    id: str | None = None
    course: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    executed: bool = False

    @property
    def role(self) -> str | None:
        """The cell's role in the course, if it has one."""
        return _text(self.course.get("role"))

    @property
    def exercise(self) -> str | None:
        """The exercise that the cell belongs to, if it has one."""
        return _text(self.course.get("exercise"))


@dataclass
class Notebook:
    """A notebook's cells and its ``ffcourse`` metadata."""

    cells: list[Cell]
    course: dict[str, Any]

    @property
    def key(self) -> str | None:
        """The name of the notebook in the course, such as ``01_neuron``."""
        return _text(self.course.get("notebook"))


def read_notebook(path: Path) -> Notebook:
    """Return the notebook in a file.

    Raises
    ------
    RejectedError
        When the file is missing, too large, empty, not UTF-8, not JSON, not a notebook,
        or in a notebook format before 4.
    """
    return parse_notebook(_read_text(path))


def parse_notebook(text: str) -> Notebook:
    """Return the notebook in a JSON text; see `read_notebook`."""
    return _notebook(_load(text))


def _read_text(path: Path) -> str:
    try:
        if path.is_dir():
            raise RejectedError("This is a folder, not a notebook. Hand in the .ipynb file.")
        if not path.is_file():
            raise RejectedError("The file does not exist, or is not a regular file.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RejectedError(
                f"The file has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. "
                "Clear its outputs (Edit, Clear Outputs of All Cells), save it, and hand it in "
                "again."
            )
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RejectedError(f"The file cannot be read: {reason}.") from None
    return _decode(raw)


def _decode(raw: bytes) -> str:
    if not raw.strip(b" \t\r\n\0"):
        raise RejectedError("The file is empty. " + _SAVE_AGAIN)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RejectedError(
            f"The file is not UTF-8 text (byte {error.start}), so Jupyter did not write it. "
            + _SAVE_AGAIN
        ) from None


def _load(text: str) -> dict[str, Any]:
    parts = sum(text.count(mark) for mark in "{[,")
    if parts > MAX_PARTS:  # each takes up to a hundred times its length when it has been read
        raise RejectedError(
            f"The file has {parts:,} parts, far more than a notebook with answers. Clear its "
            "outputs (Edit, Clear Outputs of All Cells), save it, and hand it in again."
        )
    try:
        data = json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise RejectedError("The file is nested too deeply to be a notebook.") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise RejectedError(
            f"The file is not a notebook: it is not valid JSON{where}. It may have been cut off or "
            "edited by hand. " + _SAVE_AGAIN
        ) from None
    if not isinstance(data, dict):
        raise RejectedError("The file is JSON, but not a notebook. " + _SAVE_AGAIN)
    return data


def _notebook(data: dict[str, Any]) -> Notebook:
    major = data.get("nbformat")
    if major is None and "cells" not in data:
        raise RejectedError("The file is JSON, but not a notebook: it has no cells. " + _SAVE_AGAIN)
    if not isinstance(major, int) or isinstance(major, bool):
        raise RejectedError("The notebook does not say its format (nbformat). " + _SAVE_AGAIN)
    if major < 4:
        raise RejectedError(
            f"The notebook has the old format {major}; format 4 is needed. Open it in JupyterLab, "
            "which brings it up to date, save it, and hand it in again."
        )
    if major > 4:
        raise RejectedError(
            f"The notebook has format {major}, newer than this grader knows (4). Save it with the "
            "JupyterLab that `python3 -m ffcourse lab` opens."
        )
    cells = data.get("cells")
    if not isinstance(cells, list):
        raise RejectedError("The notebook has no list of cells. " + _SAVE_AGAIN)
    if len(cells) > MAX_CELLS:
        raise RejectedError(f"The notebook has {len(cells)} cells, more than {MAX_CELLS}.")
    read = [_cell(i, cell) for i, cell in enumerate(cells) if isinstance(cell, dict)]
    return Notebook(read, _course(data))


def _cell(index: int, data: dict[str, Any]) -> Cell:
    outputs = data.get("outputs")
    return Cell(
        index=index,
        kind=_text(data.get("cell_type")) or "raw",
        source=_source(data.get("source")),
        id=_text(data.get("id")),
        course=_course(data),
        outputs=[o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else [],
        executed=isinstance(data.get("execution_count"), int),
    )


def _source(source: Any) -> str:
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    text = source if isinstance(source, str) else ""
    # Lone surrogates are legal JSON and would break every later write.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"\r\n?", "\n", text).replace("\u2028", "\n")


def _course(data: dict[str, Any]) -> dict[str, Any]:
    metadata = data.get("metadata")
    course = metadata.get("ffcourse") if isinstance(metadata, dict) else None
    return course if isinstance(course, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
