"""The trusted side of the walls: starts the program inside and asks it for kernels."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import Any, Protocol

from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox import wire
from ffcourse.grade.sandbox.inside import DESK, HOME
from ffcourse.grade.sandbox.pick import Walls
from ffcourse.grade.sandbox.usage import Usage, look

START_SECONDS, HELLO_SECONDS = 60.0, 5.0


class KernelStartError(RuntimeError):
    """No kernel could be started behind the walls."""


class Source(Protocol):
    """What gives kernels: a `Nursery`, or a `SpawnNursery` where nothing can fork."""

    limits: Limits
    walls: Walls
    hidden: list[Path]

    def prepare(self, modules: list[str], warm: list[str]) -> None:
        """Get kernels ready for a solution: what it imports, and its given cells."""

    def start(self, seed: int | None = None) -> Kernel:
        """Return a kernel that is getting ready."""

    def kernel_alive(self, kernel: Kernel) -> bool:
        """Whether a kernel has not ended by itself."""

    def interrupt(self, kernel: Kernel) -> None:
        """Interrupt what a kernel runs, where that can be done."""

    def end(self, kernel: Kernel) -> None:
        """Kill a kernel's whole tree."""

    def usage(self) -> Usage:
        """Return what the kernel in use needs."""

    def close(self) -> None:
        """End everything."""


def open_source(walls: Walls, hidden: list[Path], limits: Limits) -> Source:
    """Return a source of kernels of the kind that this system allows."""
    if walls.forks:
        return Nursery(walls, hidden, limits)
    from ffcourse.grade.sandbox.spawn import SpawnNursery

    return SpawnNursery(walls, hidden, limits)


@dataclass
class Kernel:
    """A single-use kernel: how to reach it, and how to end it.

    Attributes
    ----------
    listener : socket
        Where the kernel calls when it is ready; its first message is `key`.
    """

    number: int
    listener: socket.socket
    key: str
    folder: Path
    nursery: Source
    ended: bool = False

    def __post_init__(self) -> None:
        weakref.finalize(self, self.listener.close)

    def alive(self) -> bool:
        """Whether the kernel's process still runs."""
        return not self.ended and self.nursery.kernel_alive(self)

    def line(self) -> wire.Line:
        """Return the line to the kernel as soon as it is ready.

        Raises
        ------
        KernelStartError
            When it ends first, or takes too long.
        """
        end = time.monotonic() + START_SECONDS
        self.listener.settimeout(0.1)
        while time.monotonic() < end and self.alive():
            with contextlib.suppress(TimeoutError):
                line = wire.Line(self.listener.accept()[0])
                if self._is_mine(line):
                    self.listener.close()
                    return line
                line.close()
        raise KernelStartError("The kernel did not get ready.")

    def _is_mine(self, line: wire.Line) -> bool:
        """Whether this kernel has called, and not something else that found the address."""
        end = time.monotonic() + HELLO_SECONDS
        while not line.closed and time.monotonic() < end:
            for message, _ in line.receive(0.1):
                said = str(message.get("hello")).encode("utf-8", "replace")
                return compare_digest(said, self.key.encode())
        return False

    def interrupt(self) -> None:
        """Interrupt what the kernel runs."""
        self.nursery.interrupt(self)

    def kill(self) -> None:
        """End the kernel and every process that it started, and remove its folder."""
        if not self.ended:
            self.ended = True
            self.listener.close()
            self.nursery.end(self)

    def usage(self) -> Usage:
        """Return what everything behind these walls uses."""
        return self.nursery.usage()


class Nursery:
    """Keeps one program behind the walls, which forks kernels on request.

    While one kernel is in use, the next one gets ready: its start costs no submission time.

    Parameters
    ----------
    walls : Walls
        Which mechanism to use.
    hidden : list of Path
        Folders that no kernel may see (solutions, submissions).
    limits : Limits
    """

    def __init__(self, walls: Walls, hidden: list[Path], limits: Limits) -> None:
        self.walls = walls
        self.limits = limits
        self.hidden = hidden
        self._modules: list[str] = []
        self._warm: list[str] = []
        self._count = 0
        self._desk = Path(tempfile.mkdtemp(prefix="ffc-", dir=_short_folder()))
        self._process: subprocess.Popen[str] | None = None
        self._told = Told()
        self._spare: tuple[int | None, Kernel] | None = None
        self._begin()

    # ------------------------------------------------------------------ the program inside

    def _begin(self) -> None:
        """Start the program inside without waiting for it."""
        options = self.walls.popen_options(self._desk)
        words = self.walls.command(self._desk, self.hidden)
        words += [sys.executable, "-s", "-m", "ffcourse.grade.sandbox.inside"]
        words += [str(self.walls.user or 0), self.walls.name, str(self._desk)]
        hidden = os.pathsep.join(map(str, self.hidden))
        debug = os.environ.get("FFCOURSE_SANDBOX_DEBUG")
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if debug else subprocess.DEVNULL,
            env={**self.walls.environment(), "FFCOURSE_HIDDEN": hidden},
            text=True,
            encoding="utf-8",
            **options,
        )
        self._told = Told()
        threading.Thread(
            target=self._told.listen, args=(self._process.stdout,), daemon=True
        ).start()

    def prepare(self, modules: list[str], warm: list[str]) -> None:
        """Get kernels ready for a solution: what it imports, and its given cells.

        This does not wait; the first spare kernel is forked as soon as it can be.
        """
        self._modules = sorted({*self._modules, *modules})
        self._warm = list(warm)
        self._drop_spare()
        with contextlib.suppress(KernelStartError):
            self._prepare()

    def _prepare(self) -> None:
        self._ask({"op": "prepare", "modules": self._modules, "sources": self._warm})

    def order(self, seed: int | None = None) -> None:
        """Let a spare kernel get ready, where one submission cannot reach the next one's."""
        with contextlib.suppress(KernelStartError):
            self._wait(lambda: self._told.nested is not None)
            if self._spare is None and (self._told.nested or not self.walls.closed):
                self._spare = seed, self._launch(seed)

    def _drop_spare(self) -> None:
        if self._spare is not None:
            kernel, self._spare = self._spare[1], None
            kernel.kill()

    def _wait(self, done: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        if not self._told.wait(done, seconds):
            raise KernelStartError(
                f"The kernel could not be started in the sandbox {self.walls.name!r}."
            )

    def _ask(self, request: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise KernelStartError(f"The sandbox {self.walls.name!r} has ended.") from None

    # ------------------------------------------------------------------------- kernels

    def start(self, seed: int | None = None) -> Kernel:
        """Return a fresh kernel, which may still be getting ready."""
        try:
            kernel = self._start(seed)
        except KernelStartError:
            # The program inside may have been killed (memory), or its warming up was unsafe;
            # one new try, without.
            self._warm = []
            self._renew()
            kernel = self._start(seed)
        self.order(seed)
        return kernel

    def _start(self, seed: int | None) -> Kernel:
        spare, self._spare = self._spare, None
        if spare is not None and spare[0] == seed:
            self._wait(lambda: spare[1].number in self._told.pids)
            if spare[1].alive():
                return spare[1]
        if spare is not None:
            spare[1].kill()
        self._wait(lambda: self._told.nested is not None)
        kernel = self._launch(seed)
        self._wait(lambda: kernel.number in self._told.pids)
        return kernel

    def _renew(self) -> None:
        self._spare = None
        self._stop_process()
        self._begin()
        self._prepare()

    def _launch(self, seed: int | None) -> Kernel:
        self._count += 1
        number = self._count
        folder = self._desk / str(number)
        folder.mkdir()
        if self.walls.user is not None:
            os.chown(folder, self.walls.user, self.walls.user)
        listener = wire.listen(folder, self.walls.user)
        kernel = Kernel(number, listener, secrets.token_hex(16), folder, self)
        self._ask(
            {
                "op": "start",
                "id": number,
                "folder": f"/k/{number}" if self.walls.own_files else str(folder),
                "address": self._inside(folder, number) + "/s",
                "key": kernel.key,
                "home": HOME if self.walls.own_files else str(folder / "home"),
                "seed": seed,
                "limits": self.limits.for_kernel(),
            }
        )
        return kernel

    def _inside(self, folder: Path, number: int) -> str:
        """Return a kernel's folder as it sees it itself."""
        if not self.walls.own_files:
            return str(folder)
        return DESK if self._told.nested else f"/k/{number}"

    def kernel_alive(self, kernel: Kernel) -> bool:
        """Whether a kernel has not ended by itself."""
        if self._process is None or self._process.poll() is not None:
            return False
        return kernel.number not in self._told.dead

    def interrupt(self, kernel: Kernel) -> None:
        """Interrupt what a kernel runs."""
        with contextlib.suppress(KernelStartError):
            self._ask({"op": "interrupt", "id": kernel.number})

    def end(self, kernel: Kernel) -> None:
        """Kill a kernel's whole tree."""
        try:
            self._ask({"op": "kill", "id": kernel.number})
            self._wait(lambda: kernel.number in self._told.killed, 10.0)
        except KernelStartError:
            self._renew()
        shutil.rmtree(kernel.folder, ignore_errors=True)

    def usage(self) -> Usage:
        """Return what everything behind the walls uses, but for the spare kernel."""
        if self._process is None:
            return Usage()
        spare = self._told.pids.get(self._spare[1].number) if self._spare else None
        return look(self._process.pid, spare)

    # --------------------------------------------------------------------------- the end

    def _stop_process(self) -> None:
        if self._process is not None:
            self.walls.kill(self._process)
            self._process = None

    def close(self) -> None:
        """Take the walls down: end everything behind them, remove their folder."""
        process = self._process
        if process is not None and process.stdin is not None:
            # Asked first, so that what all kernels have used is taken in; then made sure of.
            with contextlib.suppress(OSError, ValueError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2.0)
        self._stop_process()
        shutil.rmtree(self._desk, ignore_errors=True)


class Told:
    """What the program inside has said so far."""

    def __init__(self) -> None:
        self.nested: bool | None = None  # None: not ready yet
        self.pids: dict[int, int] = {}
        self.dead: set[int] = set()
        self.killed: set[int] = set()
        self.closed = False
        self._changed = threading.Condition()

    def listen(self, stream: Any) -> None:
        """Take in what is said, until the stream ends."""
        with contextlib.suppress(ValueError, OSError):
            for line in stream:
                with contextlib.suppress(ValueError, TypeError):
                    self._take(json.loads(line))
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _take(self, answer: dict[str, Any]) -> None:
        with self._changed:
            if "ready" in answer:
                self.nested = bool(answer.get("nested"))
            elif "started" in answer:
                self.pids[int(answer["started"])] = int(answer["pid"])
            elif "ended" in answer:
                self.dead.add(int(answer["ended"]))
            elif "killed" in answer:
                self.killed.add(int(answer["killed"]))
            self._changed.notify_all()

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until something was said; return whether it was before the end."""
        with self._changed:
            self._changed.wait_for(lambda: done() or self.closed, seconds)
            return done()


def _short_folder() -> str | None:
    """Return /tmp where there is one: the path of an ipc socket must be short."""
    return "/tmp" if os.path.isdir("/tmp") and os.access("/tmp", os.W_OK) else None
