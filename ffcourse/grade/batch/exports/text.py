"""What the exports share: writing files whole, cells that no spreadsheet runs, numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from ffcourse.workspace import replace


class ExportError(ValueError):
    """An export that can't be made; the message says what is missing."""


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    replace(path, text.encode())


def table(rows: Iterable[Sequence[str]], delimiter: str = ",", end: str = "\n") -> str:
    """Return rows as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    return out.getvalue()


def plain(text: str) -> str:
    """Return a learner's own text so that a spreadsheet takes it for text, not for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def number(value: float, places: int = 2) -> str:
    """Return a number without needless zeros."""
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
