"""Linux with bubblewrap: no network, an own view of the files, own processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ffcourse.grade.sandbox.inside import DESK, HOME
from ffcourse.grade.sandbox.paths import readable_paths, system_paths

NAME = "bubblewrap"


# As root, bubblewrap needs no user namespace, and the program inside changes to another user.
_ALL = ["--unshare-all"]
_AS_ROOT = [
    *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
    *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
]
_PROBE = (
    "import os, sys; n = int(sys.argv[1]); n and (os.setgroups([]), os.setgid(n), os.setuid(n))"
)


def command(desk: Path, hidden: list[Path], user: int | None) -> list[str]:
    """Return the words to put before a command, to run it behind the walls.

    Parameters
    ----------
    desk : Path
        The only host folder that can be written to; it is ``/k`` inside.
    hidden : list of Path
        Folders that must not be seen even if they lie under a readable one.
    user : int or None
        The user that the program inside will change to, if this process is root.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise FileNotFoundError("bwrap")
    words = [program, *(_ALL if user is None else _AS_ROOT), "--die-with-parent", "--new-session"]
    # First the empty /tmp, then the folders on the way to what may be read: the course or its
    # environment may themselves lie below /tmp.
    words += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]
    words += _parents([*readable_paths(), Path(HOME), Path(DESK)])
    for path in system_paths():
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        else:
            words += ["--ro-bind-try", str(path), str(path)]
    for path in readable_paths():
        words += ["--ro-bind", str(path), str(path)]
    readable = [*system_paths(), *readable_paths()]
    for path in hidden:
        if any(path.is_relative_to(seen) for seen in readable) and path.is_dir():
            words += ["--tmpfs", str(path)]
    words += [
        "--perms",
        "0755",
        "--dir",
        DESK,
        "--perms",
        "1777",
        "--tmpfs",
        HOME,
        "--bind",
        str(desk),
        "/k",
    ]
    return [*words, "--chdir", HOME, "--"]


def _parents(paths: list[Path]) -> list[str]:
    """Make the folders above some paths; bubblewrap's own would be closed to other users."""
    folders = {parent for path in paths for parent in path.parents} - {Path("/")}
    return [word for f in sorted(folders) for word in ("--perms", "0755", "--dir", str(f))]


def works(user: int | None = None) -> bool:
    """Whether bubblewrap is installed and allowed to do its work, as root with another user."""
    if shutil.which("bwrap") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="ffc-") as desk:
        words = command(Path(desk), [], user)
        words += [sys.executable, "-I", "-S", "-c", _PROBE, str(user or 0)]
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return False
    return done.returncode == 0
