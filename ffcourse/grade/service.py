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
        self._worker = worker = _taken(self._options) or _process(self._options)
        self._answers = Queue()
        threading.Thread(target=_listen, args=(worker.stdout, self._answers), daemon=True).start()
        _write(worker, self._options)

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
        assert self._worker is not None
        _write(self._worker, request)
        try:
            return self._answers.get(timeout=self.limits.total_seconds * 4 + 120)
        except Empty:
            return None

    def close(self) -> None:
        """End the worker and all that it has started."""
        worker, self._worker = self._worker, None
        if worker is not None:
            _end(worker)


# ------------------------------------------------------------------------- the processes

_Worker = subprocess.Popen[str]
_ahead: list[tuple[str, _Worker]] = []


def start_ahead(
    count: int, solutions: Path | None, *, trusted: bool = False, limits: Limits | None = None
) -> None:
    """Let processes get ready that graders made later will take, while other things are done."""
    options = {
        "solutions": str(solutions.resolve()) if solutions else None,
        "trusted": trusted,
        "limits": (limits or Limits()).as_dict(),
        "sandbox": None,
    }
    _ahead.extend((_kind(options), _process(options)) for _ in range(count))


def end_ahead() -> None:
    """End the processes that no grader has taken."""
    left = [worker for _, worker in _ahead]
    _ahead.clear()
    for worker in left:
        _close_input(worker)  # all of them first: each takes a moment to end
    for worker in left:
        _end(worker)
        if worker.stdout is not None:
            worker.stdout.close()


def _taken(options: Mapping[str, Any]) -> _Worker | None:
    for i, (kind, _) in enumerate(_ahead):
        if kind == _kind(options):
            return _ahead.pop(i)[1]
    return None


def _kind(options: Mapping[str, Any]) -> str:
    return json.dumps([options[name] for name in ("trusted", "limits", "sandbox")])


def _process(options: Mapping[str, Any]) -> _Worker:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(
        [sys.executable, "-m", "ffcourse.grade.start", json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
    )


def _write(worker: _Worker, message: Mapping[str, Any]) -> None:
    assert worker.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        worker.stdin.write(json.dumps(message) + "\n")
        worker.stdin.flush()


def _close_input(worker: _Worker) -> None:
    with contextlib.suppress(OSError, ValueError):
        if worker.stdin is not None:
            worker.stdin.close()


def _end(worker: _Worker) -> None:
    _close_input(worker)
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
