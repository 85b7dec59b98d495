"""Linux without bubblewrap: namespaces against the network, Landlock against the files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ffcourse.grade.sandbox import landlock, linux
from ffcourse.grade.sandbox.paths import readable_paths, system_paths

NAME = "userns+landlock"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SERVICES = ("/run", "/var")  # sockets of services lie here; Landlock does not guard those


def enter(desk: str, hidden: list[str]) -> None:
    """Shut this process in: no network, no files but Python's and the desk.

    Parameters
    ----------
    desk : str
        The only folder that can be written to.
    hidden : list of str
        Folders that must not even be seen.
    """
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(
        linux.CLONE_NEWUSER
        | linux.CLONE_NEWNET
        | linux.CLONE_NEWNS
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS
    )
    linux.map_ids(uid, gid)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    needed = [*readable_paths(), Path(desk)]
    for place in (*_SERVICES, *filter(None, hidden)):
        if os.path.isdir(place) and not any(p.is_relative_to(place) for p in needed):
            linux.mount("tmpfs", place, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_RDONLY)
    # /proc stays writable until a kernel has named its users there; then that ends too.
    landlock.restrict(_readable(), [desk, "/proc", *_DEVICES])


def narrow(folder: str) -> None:
    """Within these walls, keep a kernel to its own folder on the desk."""
    landlock.restrict([*_readable(), "/proc"], [folder, *_DEVICES])


def _readable() -> list[str]:
    return [str(path) for path in (*system_paths(), *readable_paths())]


def works() -> bool:
    """Whether this system lets us do that."""
    if sys.platform != "linux":
        return False
    code = "from ffcourse.grade.sandbox import userns; userns.enter('/dev/null', [])"
    package = str(Path(__file__).resolve().parents[3])
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-c", code],
            capture_output=True,
            timeout=20,
            check=False,
            env={"PYTHONPATH": package},
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
