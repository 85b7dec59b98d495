"""What a data set is: the numbers, their names, and a card that says where they come from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ffcourse.data.check import Array


@dataclass(frozen=True)
class DataCard:
    """Where a data set comes from, and what is known to be wrong with it.

    Attributes
    ----------
    title : str
        Name of the set.
    source : str
        Where the file was taken from.
    authors : str
        Who collected the data.
    year : str
        When they were published.
    licence : str
        What others may do with them.
    size : str
        How many rows of what.
    faults : tuple of str
        Known faults and limits. Read them before you trust a score.
    note : str
        How the set is coded here, and what it is used for in the course.
    """

    title: str
    source: str
    authors: str
    year: str
    licence: str
    size: str
    faults: tuple[str, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        rows = [(name, getattr(self, name)) for name in ("source", "authors", "year", "licence")]
        rows += [("size", self.size), ("note", self.note)]
        rows += [("fault" if i else "faults", text) for i, text in enumerate(self.faults)]
        lines = [self.title]
        lines += [_row(name, text) for name, text in rows if text]
        return "\n".join(lines)

    __repr__ = __str__


def _row(name: str, text: str) -> str:
    start = f"  {name + ':':<9}"
    return textwrap.fill(text, 88, initial_indent=start, subsequent_indent=" " * 11)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples `X`, answers `y`, and their card. ``X, y = dataset`` unpacks it.

    Attributes
    ----------
    X : ndarray, shape (N, ...)
        One example a row: float features, or strings for text.
    y : ndarray, shape (N,)
        Class numbers (int64), or float targets in regression.
    feature_names : tuple of str
        Names of the columns of `X`; empty where columns have none.
    target_names : tuple of str
        Names of the classes 0, 1, ...; or the one name of the target in regression.
    card : DataCard
        Source, licence, known faults.
    """

    X: Array
    y: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    card: DataCard

    def __iter__(self) -> Iterator[Array]:
        yield self.X
        yield self.y

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        shapes = f"  X:       {self.X.shape} {self.X.dtype}\n  y:       {self._answers()}"
        return f"{self.card}\n{shapes}"

    def _answers(self) -> str:
        start = f"{self.y.shape} {self.y.dtype}"
        if np.issubdtype(self.y.dtype, np.floating):
            return f"{start}, {', '.join(self.target_names)}"
        counts = np.bincount(self.y, minlength=len(self.target_names))
        labels = (
            name if name == str(i) else f"{i} = {name}" for i, name in enumerate(self.target_names)
        )
        named = (f"{label} ({n})" for label, n in zip(labels, counts, strict=True))
        return f"{start}: {', '.join(named)}"
