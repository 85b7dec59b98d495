"""The few Linux system calls that Python has no function for, through ctypes."""

from __future__ import annotations

import ctypes
import os
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND = 1, 2, 4, 4096
MS_REMOUNT, MS_REC, MS_PRIVATE, MS_RELATIME = 32, 16384, 1 << 18, 1 << 21

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 1, 4, 38, 24
PR_SET_CHILD_SUBREAPER = 36


def libc() -> Any:
    """Return the C library."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """Return the result of a call, or raise the OSError that it stands for."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave some of the namespaces that the process shares with its parent."""
    check(libc().unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str = "") -> None:
    """Mount a file system; see mount(2)."""
    arguments = [source.encode(), target.encode(), kind.encode() if kind else None]
    check(libc().mount(*arguments, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def mount_flags(place: str) -> int:
    """Return the flags of a mounted folder that must be given again to mount it anew."""
    have = os.statvfs(place).f_flag
    same = have & (os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME)  # the numbers of mount(2)
    return same | (MS_RELATIME if have & os.ST_RELATIME else 0)


def prctl(option: int, value: int) -> None:
    """Set a property of the process; see prctl(2)."""
    check(libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def die_with_parent() -> None:
    """Ask the kernel of the system to kill this process when its parent ends."""
    import signal

    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def map_ids(uid: int, gid: int) -> None:
    """Keep the same user and group numbers inside a new user namespace."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        try:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        except OSError:
            if name != "setgroups":
                raise


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)

    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]

    class Data(ctypes.Structure):
        _fields_ = [
            ("effective", ctypes.c_uint32),
            ("permitted", ctypes.c_uint32),
            ("inheritable", ctypes.c_uint32),
        ]

    header = Header(0x20080522, 0)  # version 3: two data blocks
    check(libc().capset(ctypes.byref(header), ctypes.byref((Data * 2)())), "capset")
