"""Where processes cannot fork (Windows): every kernel is a new process of its own, over TCP."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox import jobobject, wire
from ffcourse.grade.sandbox.nursery import Kernel
from ffcourse.grade.sandbox.pick import Walls
from ffcourse.grade.sandbox.usage import Usage, look


class SpawnNursery:
    """Gives kernels as `Nursery` does, without a program that forks them.

    Parameters
    ----------
    walls : Walls
    hidden : list of Path
        Not used: these walls hide no files.
    limits : Limits
    """

    def __init__(self, walls: Walls, hidden: list[Path], limits: Limits) -> None:
        self.walls = walls
        self.hidden = hidden
        self.limits = limits
        self._desk = Path(tempfile.mkdtemp(prefix="ffc-"))
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._jobs: dict[int, Any] = {}
        self._count = 0

    def prepare(self, modules: list[str], warm: list[str]) -> None:
        """Do nothing: nothing is shared between the kernels."""

    def start(self, seed: int | None = None) -> Kernel:
        """Return a kernel that is getting ready."""
        self._count += 1
        number, folder = self._count, self._desk / str(self._count)
        (folder / "home").mkdir(parents=True)
        listener = wire.listen(folder)
        kernel = Kernel(number, listener, secrets.token_hex(16), folder, self)
        name = listener.getsockname()
        request = {
            "home": str(folder / "home"),
            "address": name if isinstance(name, str) else name[1],
            "key": kernel.key,
            "seed": seed,
            "limits": self.limits.for_kernel(),
        }
        options: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}
        self._processes[number] = subprocess.Popen(
            [
                sys.executable,
                "-s",
                "-m",
                "ffcourse.grade.sandbox.inside",
                "once",
                json.dumps(request),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **self.walls.environment(),
                "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
            },
            cwd=str(folder / "home"),
            **options,
        )
        self._jobs[number] = jobobject.enclose(self._processes[number].pid, self.limits)
        return kernel

    def kernel_alive(self, kernel: Kernel) -> bool:
        """Whether a kernel has not ended by itself."""
        process = self._processes.get(kernel.number)
        return process is not None and process.poll() is None

    def interrupt(self, kernel: Kernel) -> None:
        """Interrupt what a kernel runs; Windows cannot, so there it is only ended."""
        process = self._processes.get(kernel.number)
        if process is not None and os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)

    def end(self, kernel: Kernel) -> None:
        """Kill a kernel and every process below it."""
        process = self._processes.pop(kernel.number, None)
        if process is not None:
            _kill_tree(process.pid)
            process.wait()
        jobobject.close(self._jobs.pop(kernel.number, None))
        shutil.rmtree(kernel.folder, ignore_errors=True)

    def usage(self) -> Usage:
        """Return what the kernels use."""
        looks = [look(process.pid) for process in self._processes.values()]
        return Usage(
            sum(u.cpu for u in looks), any(u.busy for u in looks), sum(u.memory for u in looks)
        )

    def close(self) -> None:
        """End every kernel."""
        for process in self._processes.values():
            _kill_tree(process.pid)
            process.wait()
        for job in self._jobs.values():
            jobobject.close(job)
        shutil.rmtree(self._desk, ignore_errors=True)


def _kill_tree(pid: int) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.Error):
                process.kill()
