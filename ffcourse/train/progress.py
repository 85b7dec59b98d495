"""The progress bar: there for a person at a terminal, silent for everyone else."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Self


class ProgressBar:
    """A rich progress bar over all steps of a training, or nothing.

    Parameters
    ----------
    done, goal : int
        Epochs already done, and epochs when all is done.
    show : bool, optional
        By default only in a terminal: in a notebook the bar would be stored with the outputs.
        Under nbval it is never shown.
    """

    def __init__(self, done: int, goal: int, show: bool | None = None) -> None:
        wanted = sys.stderr.isatty() if show is None else show
        self.shown = wanted and not os.environ.get("FFCOURSE_NBVAL")
        self.done, self.goal = done, goal
        self._bar: Any = None
        self._task: Any = None
        self._next = 0.0

    def __enter__(self) -> Self:
        if self.shown:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
            # Standard error: the output of a script stays clean for its reader.
            self._bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
            self._task = self._bar.add_task("starting", total=self.goal - self.done)
            self._bar.start()
        return self

    def update(self, epoch: int, share: float, loss: float) -> None:
        """Show that `share` of `epoch` (from 1) is done; at most ten times a second."""
        if self._bar is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.1
        self._bar.update(
            self._task,
            completed=epoch - 1 - self.done + share,
            description=f"epoch {epoch}/{self.goal}  loss {loss:.4g}",
        )
        self._bar.refresh()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.stop()
