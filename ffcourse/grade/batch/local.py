"""Grade on this computer, in several workers at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ffcourse.grade.batch.shelf import Shelf
from ffcourse.grade.batch.station import SOLUTIONS, GradingOptions, Stations


@dataclass(frozen=True)
class Request:
    """A content to grade and the files that held it when they were read."""

    sha: str
    label: str
    paths: tuple[Path, ...]

    def read(self) -> bytes | None:
        """Return the bytes, or None when no file holds them any more."""
        for path in self.paths:
            try:
                data = path.read_bytes()
            except OSError:
                continue
            if hashlib.sha256(data).hexdigest() == self.sha:
                return data
        return None


GONE = "The file has changed or gone since the batch began; run the same command again."


def grade_here(
    requests: Iterable[Request], shelf: Shelf, options: GradingOptions, jobs: int
) -> Generator[tuple[Request, dict[str, Any]], None, None]:
    """Yield each request with its report, or with ``{"refused": why}``, as they get ready."""
    with TemporaryDirectory(prefix=SOLUTIONS, ignore_cleanup_errors=True) as folder:
        stations = Stations(options, shelf.write(Path(folder)))

        def grade(request: Request) -> dict[str, Any]:
            data = request.read()
            return {"refused": GONE} if data is None else stations.grade(request.label, data)

        todo = iter(requests)
        pool = ThreadPoolExecutor(jobs)
        try:
            pending: dict[Future[dict[str, Any]], Request] = {}
            while True:
                for request in islice(todo, 2 * jobs - len(pending)):
                    pending[pool.submit(grade, request)] = request
                if not pending:
                    return
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    yield pending.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            stations.close()
            pool.shutdown(wait=True)
            stations.close()
