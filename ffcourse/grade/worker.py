"""The grader's own process: reads requests, grades, answers in JSON lines.

Trusted: it reads solutions and judges. The learner's code never runs in it, only in the
kernels behind the walls.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from pathlib import Path
from typing import Any, TextIO

from ffcourse.grade.assemble import likeness
from ffcourse.grade.code import parse, without_figures
from ffcourse.grade.engine import Engine
from ffcourse.grade.limits import Limits
from ffcourse.grade.notebook import Notebook, RejectedError, read_notebook
from ffcourse.grade.report import rejection
from ffcourse.grade.sandbox.nursery import KernelStartError, Source, open_source
from ffcourse.grade.sandbox.pick import NoWallsError
from ffcourse.grade.solution import (
    Solution,
    SolutionError,
    cached_solution,
    find_solution,
    solution_paths,
)
from ffcourse.grade.start import Start, hides


class Worker:
    """Keeps what several submissions share: the walls, a nursery, solutions read."""

    def __init__(self, options: dict[str, Any], start: Start) -> None:
        self.options = options
        self.limits = Limits(**options["limits"])
        self.base = Path(options["solutions"]) if options["solutions"] else None
        self.walls, self.nursery = start.walls, start.nursery
        self.modules: list[str] | None = None
        self._fresh: dict[Path, Solution] = {}
        if self.base is not None and self.base.is_file():
            self._prepare(cached_solution(self.base))

    def _prepare(self, solution: Solution) -> Source:
        """Get the kernels ready for a solution; new walls if it must be hidden from them."""
        modules = given_modules(solution)
        if not hides(self.nursery.hidden, solution.path.parent):
            self.nursery.close()
            hidden = [*self.nursery.hidden, solution.path.parent]
            self.nursery, self.modules = open_source(self.walls, hidden, self.limits), None
        if self.modules is None or not set(modules) <= set(self.modules):
            self.modules = sorted({*(self.modules or []), *modules})
            given = [step.source for step in solution.steps if step.role == "given"]
            self.nursery.prepare(self.modules, [without_figures(source) for source in given])
        return self.nursery

    def grade(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the report of one request."""
        path = Path(request["path"])
        try:
            if path.is_symlink() and not self.options["trusted"]:
                raise RejectedError("The file is a symbolic link. Hand in the file itself.")
            submission = read_notebook(path)
            if not submission.cells:
                raise RejectedError(
                    "The notebook has no cells. Hand in your copy from work/exercises."
                )
            solution = self._solution(submission, path, request.get("solution"))
        except RejectedError as error:
            return rejection(path.name, None, str(error), self.walls.name)
        nursery = self._prepare(solution)
        _load()
        engine = Engine(solution, nursery, self.limits, self.options["seed"])
        return engine.grade(path, request.get("tiers"))

    def _solution(self, submission: Notebook, path: Path, given: str | None) -> Solution:
        where = self._where(submission, path, given)
        if self.options["seed"] is None:
            return cached_solution(where)
        if where not in self._fresh:
            from ffcourse.grade.fresh import fresh_solution

            stored = cached_solution(where)
            self._fresh[where] = fresh_solution(
                stored, self._prepare(stored), self.limits, int(self.options["seed"])
            )
        return self._fresh[where]

    def _where(self, submission: Notebook, path: Path, given: str | None) -> Path:
        if given:
            return Path(given)
        if self.base is not None and self.base.is_file():
            return self.base
        for key in notebook_keys(submission, path):
            found = find_solution(key, self.base)
            if found:
                return found
        found = self._most_alike(submission)
        if found:
            return found
        keys = ", ".join(notebook_keys(submission, path)) or path.stem
        raise RejectedError(
            f"This notebook ({keys}) cannot be graded: none of its exercises was found among the "
            "solutions. Hand in a notebook from the course's exercises."
        )

    def _most_alike(self, submission: Notebook) -> Path | None:
        """Return the solution that a notebook without our metadata has most in common with."""
        scores: dict[Path, int] = {}
        for path in solution_paths(self.base):
            with contextlib.suppress(SolutionError):
                scores[path] = likeness(submission, cached_solution(path))
        best = max(scores, key=lambda path: scores[path], default=None)
        return best if best is not None and scores[best] > 0 else None

    @property
    def ready(self) -> bool:
        """Whether the kernels get ready already, since there is one solution only."""
        return self.modules is not None


def notebook_keys(submission: Notebook, path: Path) -> list[str]:
    """Return under which names a solution may be found: metadata, exercises, file name."""
    keys = [submission.key] if submission.key else []
    chapters = [c.exercise.split(".")[0] for c in submission.cells if c.exercise]
    keys += list(dict.fromkeys(chapters))
    digits = path.stem[:2]
    return keys + ([path.stem, digits] if digits.isdigit() and not keys else [])


def given_modules(solution: Solution) -> list[str]:
    """Return the modules that the given cells import, to be imported before kernels fork."""
    import ast

    modules: set[str] = set()
    for step in solution.steps:
        tree = parse(step.source) if step.role == "given" else None
        for node in getattr(tree, "body", []):
            if isinstance(node, ast.Import):
                modules |= {item.name for item in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules |= {node.module}
                if node.module == "ffcourse":
                    modules |= {f"ffcourse.{item.name}" for item in node.names}
    return sorted(modules - {"torch"})


def _answer(worker: Worker, line: str) -> dict[str, Any]:
    request = json.loads(line)
    try:
        return worker.grade(request)
    except (SolutionError, NoWallsError, KernelStartError) as error:
        return {"refused": str(error)}
    except Exception as error:
        traceback.print_exc()
        reason = f"The grader itself failed on this file ({type(error).__name__}: {error})."
        return rejection(Path(request["path"]).name, None, reason, None)


def _load() -> None:
    """Import what is slow to import (half a second), while the kernels get ready."""
    import ffcourse.grade.client
    import ffcourse.grade.plugin  # noqa: F401


def _waits(lines: TextIO) -> bool:
    """Whether a line is there already, so that it should be looked at first."""
    import select

    try:
        return bool(select.select([lines], [], [], 0)[0])
    except (OSError, ValueError):  # Windows cannot tell for a pipe
        return False


def serve(start: Start, lines: TextIO, out: TextIO) -> None:
    """Answer each line of requests with a line; the first of them holds the options."""
    worker: Worker | None = None
    refused: str | None = None
    try:
        if not _waits(lines):
            _load()
        first = lines.readline()
        if not first:
            return
        try:
            worker = Worker(json.loads(first), start)
        except SolutionError as error:
            refused = str(error)
        if worker is not None and worker.ready:
            _load()
        while line := lines.readline():
            answer = {"refused": refused} if worker is None else _answer(worker, line)
            out.write(json.dumps(answer, default=str) + "\n")
            out.flush()
    finally:
        (start if worker is None else worker).nursery.close()
