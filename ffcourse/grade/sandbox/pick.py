"""Choose the best walls that work on this machine, and say which they are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.grade.sandbox import bubblewrap, userns

KERNEL_USERS = range(61184, 65184)  # numbers that systems give to nobody


class NoWallsError(RuntimeError):
    """There is no isolation with file and network walls, and the caller did not trust."""


@dataclass(frozen=True)
class Walls:
    """One way to shut a kernel in.

    Attributes
    ----------
    name : str
        As reported: bubblewrap, userns+landlock, job-object or limits.
    closed : bool
        Whether files and network are walled off.
    own_files : bool
        Whether the kernel has a view of the file system of its own.
    user : int or None
        The user id to run under, if it is another.
    forks : bool
        Whether kernels are forked from a program that has imported everything.
    """

    name: str
    closed: bool
    own_files: bool
    user: int | None = None
    forks: bool = hasattr(os, "fork")

    def command(self, desk: Path, hidden: list[Path]) -> list[str]:
        """Return the words to put before the command that runs inside."""
        return bubblewrap.command(desk, hidden, self.user) if self.own_files else []

    def popen_options(self, desk: Path) -> dict[str, Any]:
        """Return what `subprocess.Popen` needs besides."""
        options: dict[str, Any] = {"cwd": str(desk)}
        if os.name == "posix":
            options["start_new_session"] = True
        if self.user is not None:
            os.chown(desk, self.user, self.user)
        return options

    def environment(self) -> dict[str, str]:
        """Return a clean environment: nothing of the caller's but what Windows needs."""
        return clean_environment()

    def kill(self, process: subprocess.Popen[str]) -> None:
        """End the program inside and all that it has started."""
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if stream is not None and stream is process.stdin:
                    stream.close()
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        if process.stdout is not None:
            with contextlib.suppress(OSError, ValueError):
                process.stdout.close()


def clean_environment() -> dict[str, str]:
    """Return the environment of a kernel."""
    kept = {k: os.environ[k] for k in ("SYSTEMROOT", "TEMP", "TMP") if k in os.environ}
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    return {
        **kept,
        **{f"{name}_NUM_THREADS": "1" for name in threads},
        "PATH": "/usr/local/bin:/usr/bin:/bin"
        if os.name == "posix"
        else os.environ.get("PATH", ""),
        "HOME": "/home/learner",
        "USER": "learner",
        "LOGNAME": "learner",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "MPLBACKEND": "agg",
        "FFCOURSE_NBVAL": "1",
        "FFCOURSE_GRADING": "1",
        **({"FFCOURSE_SANDBOX_DEBUG": "1"} if os.environ.get("FFCOURSE_SANDBOX_DEBUG") else {}),
    }


def choose(trusted: bool = False, name: str | None = None) -> Walls:
    """Return the best walls that work here.

    Parameters
    ----------
    trusted : bool
        Whether to make do without file and network walls.
    name : str or None
        Ask for one mechanism; for tests.

    Raises
    ------
    NoWallsError
        When there are no such walls and the code is not trusted.
    """
    if name in (None, bubblewrap.NAME):
        user = other_user()
        if user is not None and bubblewrap.works(user):
            return Walls(bubblewrap.NAME, True, True, user)
        if bubblewrap.works():
            return Walls(bubblewrap.NAME, True, True)
    if name in (None, userns.NAME) and userns.works():
        return Walls(userns.NAME, True, False)
    if not trusted:
        raise NoWallsError(
            "There is no sandbox with file and network walls on this machine. Install bubblewrap "
            "(Linux: `apt install bubblewrap`), or grade with --trusted if you trust the authors "
            "of these submissions with your files."
        )
    if name == "spawn":
        return Walls("limits", False, False, forks=False)
    return Walls("job-object" if sys.platform == "win32" else "limits", False, False)


def other_user() -> int | None:
    """Return a user id without rights, if this process is root: limits do not bind root."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    # One number for each worker, so that their process limits are counted apart.
    return KERNEL_USERS[os.getpid() % len(KERNEL_USERS)]
