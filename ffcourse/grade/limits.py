"""How much a submission may use. Times are of the processor, with a wall limit as a guard."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """Limits of one submission.

    Attributes
    ----------
    cell_seconds : float
        Processor time of one cell; a cell can ask for more with ``seconds`` in its metadata.
    cell_wall : float
        Seconds that one cell may wait without working. Waiting for a slow machine is not
        counted, so that it costs nobody points.
    total_seconds : float
        Wall time of one run of the notebook.
    memory_bytes, file_bytes, files, processes : int
        Of each process (memory, one file's size, open files) and in all (processes).
    """

    cell_seconds: float = 10.0
    cell_wall: float = 20.0
    total_seconds: float = 300.0
    memory_bytes: int = 1_500_000_000
    file_bytes: int = 25_000_000
    files: int = 128
    processes: int = 64

    def for_kernel(self) -> dict[str, int]:
        """Return the limits that the system can set on the kernel's processes."""
        return {
            "cpu_seconds": int(self.total_seconds * 2) + 1,
            "memory_bytes": self.memory_bytes,
            "file_bytes": self.file_bytes,
            "files": self.files,
            "processes": self.processes,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the limits as plain JSON."""
        return asdict(self)
