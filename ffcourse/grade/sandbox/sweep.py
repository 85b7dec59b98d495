"""Remove what graders have left in the folder for temporary files when they were killed.

A grader removes its own folders when it ends; one that was killed from outside cannot. A later
one does it for it, at its own end, where nobody waits.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ffcourse.grade.sandbox.pick import KERNEL_USERS

# Folders as `tempfile` makes them, and after how many seconds without a change they are old. (A
# grader at work changes its own with every submission.)
_NAME = re.compile(r"ffc-(?:(run|fresh|in|solutions)-)?[a-z0-9_]{8}")
SECONDS = {None: 600.0, "run": 3600.0, "fresh": 3600.0, "in": 86_400.0, "solutions": 86_400.0}


def sweep(base: Path | None = None) -> list[Path]:
    """Remove old folders that no process works in any more; return them.

    Parameters
    ----------
    base : Path or None
        Where to look; by default where graders make theirs.
    """
    places = [base] if base else sorted({Path("/tmp"), Path(tempfile.gettempdir())})
    old = [path for place in places for path in _left_alone(place)]
    if not old:
        return []
    used = _command_lines()
    swept = [path for path in old if str(path) not in used]
    for path in swept:
        shutil.rmtree(path, ignore_errors=True)
    return swept


def _left_alone(place: Path) -> Iterator[Path]:
    """Yield this user's own folders of graders that nothing has changed for a while."""
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            name = _NAME.fullmatch(entry.name)
            if name is None:
                continue
            with contextlib.suppress(OSError):
                about = entry.stat(follow_symlinks=False)
                old = time.time() - about.st_mtime > SECONDS[name.group(1)]
                if old and stat.S_ISDIR(about.st_mode) and _is_mine(about.st_uid):
                    yield Path(entry.path)


def _is_mine(owner: int) -> bool:
    """Whether a folder is this user's, or of a user that only root's kernels run under."""
    if not hasattr(os, "getuid"):
        return True
    return owner == os.getuid() or (os.getuid() == 0 and owner in KERNEL_USERS)


def _command_lines() -> str:
    """Return the command lines of all processes: those behind walls name their folder."""
    import psutil

    found: list[str] = []
    for process in psutil.process_iter(["cmdline"]):
        found += process.info["cmdline"] or []
    return "\n".join(found)
