"""What this kernel has run, cell by cell, to see whether the file on disk is older."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from ffcourse.learn.emitting import ipython


@dataclass
class History:
    """The latest source that was run in each cell, by the id that the front end gives."""

    by_cell: dict[str, str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)

    def note(self, info: Any) -> None:
        """Remember a cell that is about to run; called by IPython."""
        if not getattr(info, "store_history", True):
            return
        source = str(info.raw_cell)
        if cell := getattr(info, "cell_id", None):
            self.by_cell[cell] = source
        self.runs.append(source)

    def latest(self, cell: str | None, names: set[str]) -> str | None:
        """Return what was last run in a cell, or last defined some of its names.

        Parameters
        ----------
        cell : str or None
            Id of the cell.
        names : set of str
            Names that the cell defines, for front ends that send no ids.
        """
        if cell and cell in self.by_cell:
            return self.by_cell[cell]
        if self.by_cell or not names:
            return None
        return next((run for run in reversed(self.runs) if names & top_names(run)), None)


_kept = History()


def watch() -> None:
    """Begin to remember what is run; once a kernel."""
    shell = ipython()
    if shell is not None and not getattr(shell, "_ffcourse_history", None):
        shell._ffcourse_history = _kept
        shell.events.register("pre_run_cell", _kept.note)


def kept() -> History:
    """Return this kernel's history."""
    return _kept


def top_names(source: str) -> set[str]:
    """Return the names that a cell defines at its top level; none if it is not Python."""
    from ffcourse.grade.code import defined_names

    try:
        return set(defined_names(source))
    except (ValueError, SyntaxError):
        return set()


def same_code(one: str, other: str) -> bool:
    """Say whether two cells differ at most in layout and comments."""
    if one.strip() == other.strip():
        return True
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError):
        return False
