"""The trusted side of the walls: starts the program inside and asks it for kernels."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Protocol

from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox.inside import DESK, HOME
from ffcourse.grade.sandbox.pick import Walls
from ffcourse.grade.sandbox.usage import Usage, look

START_SECONDS = 60.0
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


class KernelStartError(RuntimeError):
    """No kernel could be started behind the walls."""


class Source(Protocol):
    """What gives kernels: a `Nursery`, or a `SpawnNursery` where nothing can fork."""

    limits: Limits
    walls: Walls

    def start(self, seed: int | None = None) -> Kernel:
        """Return a kernel that is getting ready."""

    def kernel_alive(self, kernel: Kernel) -> bool:
        """Whether a kernel has not ended by itself."""

    def end(self, kernel: Kernel) -> None:
        """Kill a kernel's whole tree."""

    def usage(self) -> Usage:
        """Return what the kernels use."""

    def close(self) -> None:
        """End everything."""


def open_source(
    walls: Walls,
    modules: list[str],
    hidden: list[Path],
    limits: Limits,
    warm: list[str] | None = None,
) -> Source:
    """Return a source of kernels of the kind that this system allows."""
    if walls.forks:
        return Nursery(walls, modules, hidden, limits, warm)
    from ffcourse.grade.sandbox.spawn import SpawnNursery

    return SpawnNursery(walls, modules, hidden, limits)


@dataclass
class Kernel:
    """A single-use kernel: how to reach it, and how to end it."""

    number: int
    connection: dict[str, Any]
    folder: Path
    nursery: Source
    ended: bool = False

    def alive(self) -> bool:
        """Whether the kernel's process still runs."""
        return not self.ended and self.nursery.kernel_alive(self)

    def kill(self) -> None:
        """End the kernel and every process that it started, and remove its folder."""
        if not self.ended:
            self.ended = True
            self.nursery.end(self)

    def usage(self) -> Usage:
        """Return what everything behind these walls uses."""
        return self.nursery.usage()


class Nursery:
    """Keeps one program behind the walls, which forks kernels on request.

    Parameters
    ----------
    walls : Walls
        Which mechanism to use.
    modules : list of str
        What to import once, before any kernel is forked.
    hidden : list of Path
        Folders that no kernel may see (solutions, submissions).
    limits : Limits
    warm : list of str
        Given cells to run once, before any kernel is forked.
    """

    def __init__(
        self,
        walls: Walls,
        modules: list[str],
        hidden: list[Path],
        limits: Limits,
        warm: list[str] | None = None,
    ) -> None:
        self.walls = walls
        self.limits = limits
        self._modules = modules
        self._warm = list(warm or [])
        self._hidden = hidden
        self._count = 0
        self._desk = Path(tempfile.mkdtemp(prefix="ffc-", dir=_short_folder()))
        self._process: subprocess.Popen[str] | None = None
        self._answers: Queue[dict[str, Any]] = Queue()
        self._nested = False
        self._begin()

    # ------------------------------------------------------------------ the program inside

    def _begin(self) -> None:
        """Start the program inside without waiting for it."""
        options = self.walls.popen_options(self._desk)
        words = self.walls.command(self._desk, self._hidden)
        words += [sys.executable, "-s", "-m", "ffcourse.grade.sandbox.inside"]
        words += [str(self.walls.user or 0), self.walls.name, str(self._desk), *self._modules]
        hidden = os.pathsep.join(map(str, self._hidden))
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
        self._answers = Queue()
        self._dead: set[int] = set()
        self._ready = False
        threading.Thread(
            target=_listen, args=(self._process.stdout, self._answers, self._dead), daemon=True
        ).start()
        if self._warm:
            with contextlib.suppress(KernelStartError):
                self._ask({"op": "warm", "id": 0, "sources": self._warm})

    def _await(self, key: str, seconds: float = START_SECONDS) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = self._answers.get(timeout=max(0.01, deadline - time.monotonic()))
            except Empty:
                answer = {"closed": True}
            if key in answer:
                return answer
            if "closed" in answer:
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
            return self._start(seed)
        except KernelStartError:
            # The program inside may have been killed (memory), or its warming up was unsafe;
            # one new try, without.
            self._warm = []
            self._stop_process()
            self._begin()
            return self._start(seed)

    def _start(self, seed: int | None) -> Kernel:
        if not self._ready:
            self._nested = bool(self._await("ready").get("nested"))
            self._ready = True
        self._count += 1
        number = self._count
        folder = self._desk / str(number)
        folder.mkdir()
        if self.walls.user is not None:
            os.chown(folder, self.walls.user, self.walls.user)
        inside, outside = self._connections(folder, number)
        _write_json(folder / "c.json", inside, self.walls.user)
        self._ask(
            {
                "op": "start",
                "id": number,
                "folder": f"/k/{number}" if self.walls.own_files else str(folder),
                "connection": self._inside(folder, number) + "/c.json",
                "home": HOME if self.walls.own_files else str(folder / "home"),
                "seed": seed,
                "limits": self.limits.for_kernel(),
            }
        )
        self._await("started")
        return Kernel(number, outside, folder, self)

    def _inside(self, folder: Path, number: int) -> str:
        if not self.walls.own_files:
            return str(folder)
        return DESK if self._nested else f"/k/{number}"

    def _connections(self, folder: Path, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        common: dict[str, Any] = {
            "transport": "ipc",
            "key": secrets.token_hex(16),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "python3",
        }
        common.update({name: i + 1 for i, name in enumerate(PORTS)})
        inside = {**common, "ip": self._inside(folder, number) + "/s"}
        return inside, {**common, "ip": str(folder / "s")}

    def kernel_alive(self, kernel: Kernel) -> bool:
        """Whether a kernel has not ended by itself."""
        if self._process is None or self._process.poll() is not None:
            return False
        return kernel.number not in self._dead

    def end(self, kernel: Kernel) -> None:
        """Kill a kernel's whole tree."""
        try:
            self._ask({"op": "kill", "id": kernel.number})
            self._await("killed", 10.0)
        except KernelStartError:
            self._stop_process()
            self._begin()
        shutil.rmtree(kernel.folder, ignore_errors=True)

    def usage(self) -> Usage:
        """Return what everything behind the walls uses."""
        return look(self._process.pid) if self._process else Usage()

    # --------------------------------------------------------------------------- the end

    def _stop_process(self) -> None:
        if self._process is not None:
            self.walls.kill(self._process)
            self._process = None

    def close(self) -> None:
        """Take the walls down: kill everything behind them, remove their folder."""
        self._stop_process()
        shutil.rmtree(self._desk, ignore_errors=True)


def _listen(stream: Any, answers: Queue[dict[str, Any]], dead: set[int]) -> None:
    with contextlib.suppress(ValueError, OSError):
        for line in stream:
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if "ended" in answer:
                dead.add(int(answer["ended"]))
            else:
                answers.put(answer)
    answers.put({"closed": True})


def _short_folder() -> str | None:
    """Return /tmp where there is one: the path of an ipc socket must be short."""
    return "/tmp" if os.path.isdir("/tmp") and os.access("/tmp", os.W_OK) else None


def _write_json(path: Path, data: dict[str, Any], user: int | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file)
    if user is not None:
        os.chown(path, user, user)
