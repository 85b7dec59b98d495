"""What a learner has predicted, answered and passed: one JSON file in ``work/.progress``.

Written atomically, so that two notebooks open at once lose nothing, and not at all while
notebooks are being tested or where no ``work`` folder has been made.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SECTIONS = ("predictions", "quiz", "exercises")
_STALE_LOCK = 5.0  # seconds after which a lock left by a killed kernel is ignored


def project_root() -> Path:
    """Return the folder that holds chapters/, exercises/ and work/."""
    from ffcourse.workspace import root

    return Path(root())


def testing() -> bool:
    """Say whether a test runs this notebook: then nothing is written or remembered."""
    return os.environ.get("FFCOURSE_NBVAL", "") not in ("", "0")


def path() -> Path | None:
    """Return the progress file's place, or None where nothing must be written."""
    work = project_root() / "work"
    return None if testing() or not work.is_dir() else work / ".progress"


def load() -> dict[str, Any]:
    """Return everything remembered; empty sections where there is nothing yet.

    A damaged file is set aside as ``.progress.damaged`` and a fresh one is begun.
    """
    place = path()
    found: Any = {}
    if place is not None and place.is_file():
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                os.replace(place, place.with_name(".progress.damaged"))
    if not isinstance(found, dict):
        found = {}
    sections = {name: found.get(name) for name in SECTIONS}
    kept = {name: value if isinstance(value, dict) else {} for name, value in sections.items()}
    return {"schema": 1, **kept}


def update(change: Callable[[dict[str, Any]], None]) -> bool:
    """Read the file, let `change` alter it in place, write it back.

    Returns
    -------
    bool
        False when nothing could be kept (a test, no work folder, a read-only disk).
    """
    place = path()
    if place is None:
        return False
    try:
        with _locked(place.with_name(".progress.lock")):
            data = load()
            change(data)
            write_json(place, data)
    except OSError:
        return False
    return True


def remember(section: str, key: str, entry: Any) -> bool:
    """Keep `entry` under `key` of one section."""

    def change(data: dict[str, Any]) -> None:
        data[section][key] = entry

    return update(change)


def write_json(place: Path, data: Any) -> None:
    """Write JSON to `place` in one step: the old file or the new one, never half of it."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=place.name, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            json.dump(data, file, ensure_ascii=False, indent=1, sort_keys=True)
            file.write("\n")
        os.replace(name, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@contextlib.contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Keep other kernels out for a moment; never wait long, a prompt must not hang."""
    deadline = time.monotonic() + 1.0
    held = False
    while not held and time.monotonic() < deadline:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            held = True
        except FileExistsError:
            with contextlib.suppress(OSError):
                if time.time() - lock.stat().st_mtime > _STALE_LOCK:
                    lock.unlink()
            time.sleep(0.01)
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(OSError):
                lock.unlink()
