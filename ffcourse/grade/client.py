"""Talk to one kernel the way nbval expects, but believe nothing and wait for nothing for ever.

`GuardedKernel` stands in for nbval's ``RunningKernel``. It notices at once when the kernel
dies, counts processor time instead of wall time, and bounds what it holds in memory.
"""

from __future__ import annotations

import contextlib
import time
from queue import Empty
from typing import Any

from ffcourse.grade.sandbox.nursery import Kernel
from ffcourse.grade.sandbox.usage import Usage
from ffcourse.grade.sandbox.wire import LineClosedError
from ffcourse.grade.values import VALUE_MIME

# What a submission shows is held in memory, so each of these has an end. Sizes are what a
# message takes up when it has been read, which for many short values is far more than its text.
MAX_KEPT = 24_000_000  # of the outputs of a cell
MAX_VALUES = 60_000_000  # of all values of a run; small ones always fit
SMALL = 500_000
MAX_MESSAGES = 5_000
LOOK = 0.2
INTERRUPT_WALL, INTERRUPT_CPU = 3.0, 0.3


class CellTimeoutError(Exception):
    """A cell used up its time; `line` is where it was, if the kernel still told."""

    def __init__(
        self,
        message: str,
        traceback: list[str] | None = None,
        waited: bool = False,
        starved: bool = False,
    ) -> None:
        super().__init__(message)
        self.traceback = traceback or []
        self.waited = waited
        self.starved = starved


class KernelDiedError(Exception):
    """The kernel's process ended while a cell ran."""


class _Watch:
    """Tells when a cell has had its time: by work done, by waiting, or by the whole run's end."""

    def __init__(self, wall: float, cpu: float | None, deadline: float) -> None:
        self.wall, self.cpu, self.deadline = wall, cpu, deadline
        self.last = time.monotonic()
        self.started_at: float | None = None
        self.previous = 0.0
        self.waiting = 0.0

    def due(self) -> bool:
        """Whether it is time for a look. Looking is not free: a short cell is never looked at."""
        return time.monotonic() > self.last + LOOK

    def verdict(self, usage: Usage) -> tuple[str, bool, bool] | None:
        """Return why the cell must end: words, whether it waited, whether it was starved."""
        now = time.monotonic()
        if self.started_at is None:  # taken to have worked all the time before the first look
            self.started_at = self.previous = usage.cpu - LOOK
        idle = not usage.busy and usage.cpu - self.previous < 0.1 * LOOK
        self.waiting = self.waiting + (now - self.last) if idle else 0.0
        self.previous, self.last = usage.cpu, now
        if self.cpu is not None and usage.cpu - self.started_at > self.cpu:
            return f"It was still running after {self.cpu:g} seconds.", False, False
        if self.waiting > self.wall:
            return f"It was not done after {self.wall:g} seconds.", True, False
        if now > self.deadline:
            return "It was not done when the time for the whole notebook was over.", False, True
        return None


class GuardedKernel:
    """A client of a kernel behind walls, with nbval's ``RunningKernel`` interface.

    Parameters
    ----------
    kernel : Kernel
    cell_wall : float
        Seconds that a cell may wait without working; its processor seconds are given to
        `await_reply`.
    deadline : float
        `time.monotonic` time at which the whole run must end.
    """

    def __init__(self, kernel: Kernel, cell_wall: float, deadline: float) -> None:
        self.kernel = kernel
        self.cell_wall = cell_wall
        self.deadline = deadline
        self.language = "python"
        self.before = ""  # code to run ahead of the next cells, whose outputs do not matter
        self.overflowed = False
        self.timeout: CellTimeoutError | None = None
        self.died = False
        self._buffer: list[dict[str, Any]] = []
        self._kept = 0
        self._values = 0
        self._cell = 0
        self._line = kernel.line()

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send code to the kernel, and `before` ahead of it; return the number of the request."""
        self._buffer, self._kept, self.overflowed = [], 0, False
        for code in filter(None, (self.before, cell_input or "\n")):
            self._cell += 1
            with contextlib.suppress(LineClosedError):  # noticed while waiting for the reply
                self._line.send({"cell": self._cell, "code": code})
        return str(self._cell)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait until the cell is done, keeping its outputs.

        Parameters
        ----------
        timeout : float
            Processor seconds; the wall limit and the run's deadline hold as well.

        Raises
        ------
        CellTimeoutError, KernelDiedError
        """
        watch = _Watch(self.cell_wall, timeout, self.deadline)
        while not self._poll(0.05):
            if self._line.closed or not self.kernel.alive():
                self._poll(0.0)
                self.died = True
                raise KernelDiedError("The kernel's process ended.")
            if watch.due():
                usage = self.kernel.usage()
                if usage.memory > 1.5 * self.kernel.nursery.limits.memory_bytes:
                    self.died = True
                    raise KernelDiedError("The memory of the submission's processes ran out.")
                verdict = watch.verdict(usage)
                if verdict:
                    self._give_up(*verdict)

    def _poll(self, seconds: float) -> bool:
        """Take in what has arrived; return whether the cell is done."""
        done = False
        for message, size in self._line.receive(seconds):
            if message.get("cell") == self._cell and not done:
                done = self._keep(message, size)
        if self._line.lost:
            self._line.lost, self.overflowed = 0, True
        return done

    def _keep(self, message: dict[str, Any], size: int) -> bool:
        """Buffer one output in the form that nbval knows; return whether the cell is done."""
        if message.get("done") is True:
            self._add("status", {"execution_state": "idle"})
            return True
        kind = "error" if "error" in message else "display_data"
        content = message.get("error", message.get("value"))
        if not isinstance(content, dict):
            return False
        if not self._has_room(size, kind):
            self.overflowed = True
        elif kind == "display_data":
            data = {VALUE_MIME: content}
            self._add(kind, {"data": data, "metadata": {}, "execution_count": None})
        elif _is_error(content):
            self._add(kind, content)
        return False

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        header = {"msg_id": str(self._cell)}
        self._buffer.append({"msg_type": kind, "parent_header": header, "content": content})

    def _has_room(self, size: int, kind: str) -> bool:
        """Whether one more output can be held, and if so, count it."""
        if self._kept + size > MAX_KEPT or len(self._buffer) > MAX_MESSAGES:
            return kind == "error" and size < SMALL
        if size > SMALL and kind == "display_data":
            if self._values + size > MAX_VALUES:
                return False
            self._values += size
        self._kept += size
        return True

    def _give_up(self, words: str, waited: bool, starved: bool) -> None:
        """Interrupt once, to learn where the code was; then report the time-out."""
        self.kernel.interrupt()
        end = time.monotonic() + INTERRUPT_WALL
        cpu = self.kernel.usage().cpu + INTERRUPT_CPU
        while time.monotonic() < end and self.kernel.alive() and self.kernel.usage().cpu < cpu:
            if self._poll(0.05):
                break
        traceback: list[str] = []
        for message in self._buffer:
            if message["msg_type"] == "error":
                traceback = [str(t) for t in message["content"].get("traceback") or []]
        self.timeout = CellTimeoutError(words, traceback, waited, starved)
        raise self.timeout

    # ------------------------------------------------------------- what else nbval asks for

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """Return the next buffered output of the cell that has run."""
        if not self._buffer:
            raise Empty
        return self._buffer.pop(0)

    def await_idle(self, parent_id: str, timeout: float) -> None:
        """Forget the rest of the cell's outputs."""
        self._buffer = []

    def is_alive(self) -> bool:
        """Whether cells can still be run."""
        return not self.died and self.timeout is None and self.kernel.alive()

    def interrupt(self) -> None:
        """Do nothing: `await_reply` has interrupted already."""

    def restart(self) -> None:
        """Refuse: a kernel is used once."""
        raise RuntimeError("a kernel is used once")

    def stop(self) -> None:
        """Kill the kernel and hang up."""
        self.kernel.kill()
        self._line.close()


def _is_error(content: dict[str, Any]) -> bool:
    """Whether an error has the fields that nbval takes for granted, of the right types."""
    traceback = content.get("traceback")
    names = isinstance(content.get("ename"), str) and isinstance(content.get("evalue"), str)
    return names and isinstance(traceback, list) and all(isinstance(t, str) for t in traceback)
