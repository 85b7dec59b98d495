"""Limits that every POSIX system can set on a process; elsewhere this does nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

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
    wanted = {name: value for name, value in limits.items() if name in _NAMES}
    for name, value in wanted.items():
        number = getattr(resource, _NAMES[name], None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        value = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(number, (value, value))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
