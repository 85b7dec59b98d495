"""What runs on the workers of a Dask cluster.

Learners' bytes come in as bytes and reports go out as JSON in bytes; nothing that came from
a learner is ever unpickled. Solutions arrive once, with a plugin that the scheduler also gives
to workers that join later, or that start again after a crash.
"""
# Dask is an extra: where it isn't installed, mypy sees Any instead of its classes.
# mypy: disable-error-code="misc, no-untyped-call"

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from ffcourse import __version__
from ffcourse.grade.batch.shelf import Shelf
from ffcourse.grade.batch.station import SOLUTIONS, GradingOptions, Stations


class Classroom(WorkerPlugin):
    """Holds one batch's solutions and graders on a worker.

    Parameters
    ----------
    name : str
        Tells batches apart.
    files : dict
        The solutions' names and bytes.
    single : str or None
    options : GradingOptions
    """

    def __init__(
        self, name: str, files: dict[str, bytes], single: str | None, options: GradingOptions
    ) -> None:
        self.name = name
        self.files = files
        self.single = single
        self.options = options
        self.stations: Stations | None = None
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def setup(self, worker: Worker) -> None:
        """Unpack the solutions."""
        self.folder = tempfile.TemporaryDirectory(prefix=SOLUTIONS, ignore_cleanup_errors=True)
        base = Shelf(self.files, self.single).write(Path(self.folder.name))
        self.stations = Stations(self.options, base)

    def teardown(self, worker: Worker) -> None:
        """End the graders and remove the solutions."""
        if self.stations is not None:
            self.stations.close()
        if self.folder is not None:
            self.folder.cleanup()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "stations": None, "folder": None}


def grade_bytes(name: str, label: str, data: bytes) -> bytes:
    """Grade one submission on a worker; return its report, or why not, as JSON."""
    classroom: Any = get_worker().plugins.get(name)
    if classroom is None or classroom.stations is None:
        report: dict[str, Any] = {"refused": "The worker does not have the solutions."}
    else:
        report = classroom.stations.grade(label, data)
    return json.dumps({"version": __version__, "report": report}, default=str).encode()
