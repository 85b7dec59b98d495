"""Windows: a Job Object bounds memory and processes, and ends all of them with itself."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from ffcourse.grade.limits import Limits

_PROCESS_LIMIT, _MEMORY_LIMIT, _KILL_ON_CLOSE = 0x8, 0x100, 0x2000
_EXTENDED_LIMITS = 9
_SET_QUOTA_AND_TERMINATE = 0x0100 | 0x0001


class _Basic(ctypes.Structure):
    _fields_ = [
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    ]


class _Extended(ctypes.Structure):
    _fields_ = [
        ("Basic", _Basic),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    ]


def limits_block(limits: Limits) -> Any:
    """Return the structure that describes the limits of a job."""
    block = _Extended()
    block.Basic.LimitFlags = _PROCESS_LIMIT | _MEMORY_LIMIT | _KILL_ON_CLOSE
    block.Basic.ActiveProcessLimit = limits.processes
    block.ProcessMemoryLimit = limits.memory_bytes
    return block


def enclose(pid: int, limits: Limits) -> Any:
    """Put a process into a new job; return the job, or None where there are none."""
    if sys.platform == "win32":
        kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel32.CreateJobObjectW.restype = ctypes.c_void_p
        kernel32.OpenProcess.restype = ctypes.c_void_p
        job = ctypes.c_void_p(kernel32.CreateJobObjectW(None, None))
        block = limits_block(limits)
        size = ctypes.sizeof(block)
        kernel32.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(block), size)
        process = ctypes.c_void_p(kernel32.OpenProcess(_SET_QUOTA_AND_TERMINATE, False, pid))
        kernel32.AssignProcessToJobObject(job, process)
        kernel32.CloseHandle(process)
        return job
    return None


def close(job: Any) -> None:
    """Close a job, which ends every process in it."""
    if sys.platform == "win32" and job is not None:
        ctypes.WinDLL("kernel32").CloseHandle(job)
