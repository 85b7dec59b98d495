"""What a tree of processes uses: processor time, memory, and whether it works or waits."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def look(pid: int, without: int | None = None) -> Usage:
    """Return what a process and all below it use; nothing for one that has ended.

    Parameters
    ----------
    without : int or None
        The id of a process, as the program inside knows it, that is left out with all below it.
    """
    import psutil

    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
        if without is not None:
            tree = _pruned(tree, without)
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


def _pruned(tree: list[Any], without: int) -> list[Any]:
    """Leave out a process and all below it."""
    import psutil

    parents = {}
    for process in tree:
        with contextlib.suppress(psutil.Error):
            parents[process.pid] = process.ppid()
    known = {process.pid: _own_ids(process.pid) for process in tree[1:]}
    # A learner's process may have the same number, but further in: it has more of them.
    same = sorted((len(ids), pid) for pid, ids in known.items() if ids[-1] == without)
    out = {pid for _, pid in same[:1]}
    for _ in range(len(tree)):
        more = {pid for pid, parent in parents.items() if parent in out} - out
        if not more:
            break
        out |= more
    return [process for process in tree if process.pid not in out]


def _own_ids(pid: int) -> list[int]:
    """Return a process's ids, as each process namespace around it knows it, outermost first."""
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        for line in text.splitlines():
            if line.startswith("NSpid:"):
                return [int(number) for number in line.split()[1:]]
    return [pid]


def _own_memory(process: object) -> int:
    """Proportional memory where it can be told: forked processes share most of theirs."""
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return int(process.memory_info().rss)
