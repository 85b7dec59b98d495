"""Limits that every POSIX system can set on a process; elsewhere this does nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

_NAMES = {
    "cpu_seconds": "RLIMIT_CPU",
    "memory_bytes": "RLIMIT_DATA",
    "file_bytes": "RLIMIT_FSIZE",
    "files": "RLIMIT_NOFILE",
    "processes": "RLIMIT_NPROC",
}


def apply_limits(limits: Mapping[str, int]) -> None:
    """Set resource limits on this process and all that it starts.

    Parameters
    ----------
    limits : mapping
        Any of ``cpu_seconds``, ``memory_bytes``, ``file_bytes``, ``files``, ``processes``.
    """
    try:
        import resource
    except ImportError:  # Windows has the job object instead
        return
    wanted = {_NAMES[name]: value for name, value in limits.items() if name in _NAMES}
    mapped = _mapped()
    if mapped and "memory_bytes" in limits:
        # Shared memory is no "data": only the limit on all that is mapped holds it.
        wanted["RLIMIT_AS"] = mapped + 2 * limits["memory_bytes"]
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        value = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(number, (value, value))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _mapped() -> int:
    """Return how many bytes are mapped into this process already; 0 where that is not told."""
    with contextlib.suppress(OSError, ValueError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0
