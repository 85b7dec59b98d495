"""Grade from any process: a worker of its own does the work, and is watched from here."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.report import rejection


class GraderError(RuntimeError):
    """Grading could not begin: no sandbox, or a solution that cannot be used."""


class Grader:
    """One worker process, which grades one submission after another.

    Parameters
    ----------
    solutions : Path or None
        A solution notebook, a bundle, or a folder of them; by default the project's.
    seed : int or None
        A seed for fresh inputs (and fresh references).
    trusted : bool
        Whether a sandbox without file and network walls will do.
    limits : Limits or None
    sandbox : str or None
        Ask for one mechanism instead of the best.

    Notes
    -----
    Use it as a context manager. The worker starts in the background at once; several
    submissions then cost little more than their own run.
    """

    def __init__(
        self,
        solutions: Path | None = None,
        *,
        seed: int | None = None,
        trusted: bool = False,
        limits: Limits | None = None,
        sandbox: str | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._options = {
            "solutions": str(solutions.resolve()) if solutions else None,
            "seed": seed,
            "trusted": trusted,
            "limits": self.limits.as_dict(),
            "sandbox": sandbox,
        }
        self._worker: subprocess.Popen[str] | None = None
        self._answers: Queue[dict[str, Any] | None] = Queue()
        self._start()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment.pop("PYTEST_ADDOPTS", None)
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "ffcourse.grade.worker", json.dumps(self._options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        self._answers = Queue()
        threading.Thread(
            target=_listen, args=(self._worker.stdout, self._answers), daemon=True
        ).start()

    def grade(
        self, path: Path, *, solution: Path | None = None, tiers: Mapping[str, int] | None = None
    ) -> dict[str, Any]:
        """Return the JSON of one submission; never raises for what is in it.

        Parameters
        ----------
        path : Path
            The submitted notebook.
        solution : Path or None
            Its solution, where it should not be looked up by the notebook's name.
        tiers : mapping or None
            By exercise, how many hints have been shown before.

        Raises
        ------
        GraderError
            When nothing can be graded: no sandbox, or an unusable solution.
        """
        request = {
            "path": str(path.absolute()),
            "solution": str(solution.resolve()) if solution else None,
            "tiers": dict(tiers or {}),
        }
        answer = self._ask(request)
        if answer is None:
            self.close()
            self._start()
            words = (
                "The grader itself failed on this file; please report it to the course's authors."
            )
            return rejection(path.name, None, words, None)
        if "refused" in answer:
            raise GraderError(str(answer["refused"]))
        return answer

    def _ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        worker = self._worker
        assert worker is not None
        assert worker.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            worker.stdin.write(json.dumps(request) + "\n")
            worker.stdin.flush()
        try:
            return self._answers.get(timeout=self.limits.total_seconds * 4 + 120)
        except Empty:
            return None

    def close(self) -> None:
        """End the worker and all that it has started."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        with contextlib.suppress(OSError, ValueError):
            if worker.stdin is not None:
                worker.stdin.close()
        try:
            worker.wait(timeout=10)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _listen(stream: Any, answers: Queue[dict[str, Any] | None]) -> None:
    with contextlib.suppress(ValueError, OSError):
        for line in stream:
            answers.put(json.loads(line))
    answers.put(None)
    with contextlib.suppress(ValueError, OSError):
        stream.close()


def grade_submission(
    path: Path | str,
    solution_path: Path | str | None = None,
    *,
    seed: int | None = None,
    trusted: bool = False,
    limits: Limits | None = None,
    tiers: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Grade one notebook and return its JSON (see the page on the grader).

    Parameters
    ----------
    path : path
        The submitted notebook.
    solution_path : path or None
        Its solution or bundle; by default found by the notebook's name in ``solutions/``.
    seed, trusted, limits
        See `Grader`.
    tiers : mapping or None
        By exercise, how many hints have been shown before.
    """
    solution = Path(solution_path) if solution_path else None
    with Grader(solution, seed=seed, trusted=trusted, limits=limits) as grader:
        return grader.grade(Path(path), tiers=tiers)
