"""The grader's own process: reads requests, grades, answers in JSON lines.

Trusted: it reads solutions and judges. The learner's code never runs in it, only in the
kernels behind the walls.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from ffcourse.grade.assemble import likeness
from ffcourse.grade.code import parse
from ffcourse.grade.engine import Engine
from ffcourse.grade.limits import Limits
from ffcourse.grade.notebook import Notebook, RejectedError, read_notebook
from ffcourse.grade.report import rejection
from ffcourse.grade.sandbox.nursery import KernelStartError, Source, open_source
from ffcourse.grade.sandbox.pick import NoWallsError, Walls, choose
from ffcourse.grade.solution import (
    Solution,
    SolutionError,
    cached_solution,
    find_solution,
    solution_paths,
)


class Worker:
    """Keeps what several submissions share: the walls, a nursery, solutions read."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.limits = Limits(**options["limits"])
        self.base = Path(options["solutions"]) if options["solutions"] else None
        self.walls: Walls = choose(bool(options["trusted"]), options.get("sandbox"))
        self.nursery: Source | None = None
        self.modules: list[str] = []
        self._fresh: dict[Path, Solution] = {}
        if self.base is not None and self.base.is_file():
            self._prepare(cached_solution(self.base))
        # Slow to import (a second), while the nursery gets ready in its own process.
        import ffcourse.grade.client
        import ffcourse.grade.plugin  # noqa: F401

    def _prepare(self, solution: Solution) -> Source:
        """Put up the walls for a solution; again only if it needs other modules."""
        modules = given_modules(solution)
        if self.nursery is None or not set(modules) <= set(self.modules):
            if self.nursery is not None:
                self.nursery.close()
            self.modules = sorted({*self.modules, *modules})
            hidden = [solution.path.parent]
            warm = [step.source for step in solution.steps if step.role == "given"]
            self.nursery = open_source(self.walls, self.modules, hidden, self.limits, warm)
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
        engine = Engine(solution, self._prepare(solution), self.limits, self.options["seed"])
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

    def close(self) -> None:
        """Take the walls down."""
        if self.nursery is not None:
            self.nursery.close()


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


def main(argv: list[str]) -> int:
    """Serve until the input ends. The one argument is the options in JSON."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing printed here may look like an answer
    refused: str | None = None
    worker: Worker | None = None
    try:
        worker = Worker(json.loads(argv[0]))
    except (SolutionError, NoWallsError, KernelStartError) as error:
        refused = str(error)
    try:
        for line in sys.stdin:
            answer = {"refused": refused} if worker is None else _answer(worker, line)
            out.write(json.dumps(answer, default=str) + "\n")
            out.flush()
    finally:
        if worker is not None:
            worker.close()
        with contextlib.suppress(OSError):
            out.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
