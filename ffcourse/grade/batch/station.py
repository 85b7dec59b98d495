"""Where one submission after another is graded: bytes in, a report in plain JSON out.

The same on this computer and on a cluster's workers, so that results cannot differ. The bytes
are written to a folder of their own under a harmless name, so that no file name, and no
change of a file while it is graded, can matter.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.report import rejection

ENGINE = "ffcourse.grade.service:Grader"
PER_WORKER = 250
INPUTS, SOLUTIONS = "ffc-in-", "ffc-solutions-"
GRADER_FAILED = "The grader itself failed"


@dataclass(frozen=True)
class GradingOptions:
    """How submissions are graded; plain values, so that they can be sent to other computers."""

    seed: int | None = None
    trusted: bool = False
    limits: dict[str, Any] = field(default_factory=lambda: asdict(Limits()))
    engine: str = ENGINE


class Station:
    """A grader with a worker of its own, which is renewed now and then to give back memory.

    Parameters
    ----------
    options : GradingOptions
    solutions : Path
    """

    def __init__(self, options: GradingOptions, solutions: Path) -> None:
        self.options = options
        self.solutions = solutions
        self._grader: Any = None
        self._count = 0
        self._closed = False

    def grade(self, label: str, data: bytes) -> dict[str, Any]:
        """Return the report of one submission, or ``{"refused": why}``; never raises for it."""
        if self._closed:
            return {"refused": "Grading was stopped."}
        with tempfile.TemporaryDirectory(prefix=INPUTS, ignore_cleanup_errors=True) as folder:
            path = Path(folder, safe_name(label))
            path.write_bytes(data)
            report = self._try(path)
            if str(report.get("reason") or "").startswith(GRADER_FAILED) and not self._closed:
                self.renew()
                report = self._try(path)
        self._count += 1
        if self._count >= PER_WORKER:
            self.renew()
        return report

    def _try(self, path: Path) -> dict[str, Any]:
        try:
            if self._grader is None:
                self._grader = self._make()
            report: dict[str, Any] = self._grader.grade(path)
            return report
        except RuntimeError as error:  # GraderError: nothing can be graded with this solution
            return {"refused": str(error)}
        except Exception as error:
            words = f"{GRADER_FAILED} on this file ({type(error).__name__}: {error})."
            return rejection(path.name, None, words, None)

    def _make(self) -> Any:
        module, _, name = self.options.engine.partition(":")
        make: Callable[..., Any] = vars(importlib.import_module(module))[name]
        return make(
            self.solutions,
            seed=self.options.seed,
            trusted=self.options.trusted,
            limits=Limits(**self.options.limits),
        )

    def renew(self) -> None:
        """End the worker; the next submission starts another."""
        grader, self._grader, self._count = self._grader, None, 0
        if grader is not None:
            with contextlib.suppress(Exception):
                grader.close()

    def close(self) -> None:
        """End the worker for good."""
        self._closed = True
        self.renew()


class Stations:
    """As many stations as are in use at the same time, each used by one thread at a time."""

    def __init__(self, options: GradingOptions, solutions: Path) -> None:
        self._options, self._solutions = options, solutions
        self._all: list[Station] = []
        self._free: list[Station] = []
        self._lock = threading.Lock()

    def grade(self, label: str, data: bytes) -> dict[str, Any]:
        """Grade at a free station, or at a new one."""
        with self._lock:
            if self._free:
                station = self._free.pop()
            else:
                station = Station(self._options, self._solutions)
                self._all.append(station)
        try:
            return station.grade(label, data)
        finally:
            with self._lock:
                self._free.append(station)

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            stations = list(self._all)
        if stations:  # each takes a moment to end
            with ThreadPoolExecutor(len(stations)) as pool:
                list(pool.map(Station.close, stations))


def safe_name(label: str) -> str:
    """Return a file name of plain letters that still begins as the label does."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", label.removesuffix(".ipynb"))[:60].strip("_")
    return (stem or "submission") + ".ipynb"
