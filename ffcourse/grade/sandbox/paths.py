"""What a kernel may read: the system, Python, and the installed package; nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/etc/localtime", "/etc/fonts", "/nix/store",
)  # fmt: skip


def system_paths() -> list[Path]:
    """Return the parts of the system that programs need."""
    return [Path(name) for name in _SYSTEM if Path(name).exists()]


def readable_paths() -> list[Path]:
    """Return the folders of this Python and of the package that the system's do not cover."""
    package = Path(__file__).resolve().parents[2]
    wanted = [
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(sys.executable).resolve().parent,
        package,
    ]
    found: list[Path] = []
    for path in sorted(set(wanted)):
        covered = [*system_paths(), *found]
        if not any(path.is_relative_to(other) for other in covered) and path != Path("/"):
            found.append(path)
    return found
