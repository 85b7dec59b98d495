"""What a tree of processes uses: processor time, memory, and whether it works or waits."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

FEW = 4  # processes of walls and kernel themselves


@dataclass(frozen=True)
class Usage:
    """A look at a process and all below it.

    Attributes
    ----------
    cpu : float
        Processor seconds so far, those of ended children included.
    busy : bool
        Whether any of them runs, or would run if the machine had time for it. A process
        that only waits for something is not busy, however slow the machine is.
    memory : int
        Bytes, counted only when there are more processes than a kernel needs.
    """

    cpu: float = 0.0
    busy: bool = False
    memory: int = 0


def look(pid: int) -> Usage:
    """Return what a process and all below it use; nothing for one that has ended."""
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return Usage()
    cpu, busy, memory = 0.0, False, 0
    for process in tree:
        with contextlib.suppress(psutil.Error):
            cpu += sum(process.cpu_times()[:4])
            busy = busy or process.status() in (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)
            if len(tree) > FEW + 2:
                memory += _own_memory(process)
    return Usage(cpu, busy, memory)


def _own_memory(process: object) -> int:
    """Proportional memory where it can be told: forked processes share most of theirs."""
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return int(process.memory_info().rss)
