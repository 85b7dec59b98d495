"""Grade one submission: assemble, run, judge, tell. This is the trusted side's whole course.

A part that fails cannot cost a later one its points: the later parts that failed are run
once more in a fresh kernel, where the failed part's names are bound to the reference
answer after its checks. From that run only a *pass* is taken, never a message, so that the
reference's source, which stands in that kernel, cannot be shown to the learner. A first run has
references in it, too, where a part is missing; see `ffcourse.grade.guard`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ffcourse.grade.assemble import Assembly, assemble
from ffcourse.grade.code import (
    SyntaxFault,
    import_lines,
    imported_names,
    keeps,
    only_defines,
    parse,
    without_figures,
)
from ffcourse.grade.guard import withhold
from ffcourse.grade.judge import CheckResult, failed, judge
from ffcourse.grade.limits import Limits
from ffcourse.grade.notebook import RejectedError, read_notebook
from ffcourse.grade.outcome import Outcome
from ffcourse.grade.passes import Piece, run_pieces
from ffcourse.grade.report import exercise_report, rejection, submission_report
from ffcourse.grade.sandbox.nursery import Source
from ffcourse.grade.solution import Check, Solution
from ffcourse.grade.trouble import CRASHED, describe
from ffcourse.grade.values import ERROR_LABEL, encode_error

MAX_RUNS = 8


class Engine:
    """Grades submissions of one solution, with one nursery of kernels.

    Parameters
    ----------
    solution : Solution
    nursery : Source
    limits : Limits
    seed : int or None
        Draws fresh inputs; the solution's references must be of the same seed.
    """

    def __init__(
        self, solution: Solution, nursery: Source, limits: Limits, seed: int | None = None
    ) -> None:
        self.solution = solution
        self.nursery = nursery
        self.limits = limits
        self.seed = seed
        self.imports = import_lines([s.source for s in solution.steps if s.role == "given"])
        imports = parse(self.imports)
        self.names = set() if isinstance(imports, SyntaxFault) else imported_names(imports)

    def grade(self, path: Path, tiers: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Return the JSON of one submission.

        Parameters
        ----------
        tiers : mapping or None
            By exercise, how many hints the learner has been shown before.
        """
        began = time.perf_counter()
        try:
            assembly = assemble(read_notebook(path), self.solution)
        except RejectedError as error:
            return rejection(path.name, self.solution.key, str(error), self.nursery.walls.name)
        outcomes = self._outcomes(assembly)
        exercises = [
            exercise_report(o, assembly.attempts[key], (tiers or {}).get(key, 0))
            for key, o in outcomes.items()
        ]
        return submission_report(
            path.name, self.solution, exercises, assembly.repairs,
            time.perf_counter() - began, self.nursery.walls.name, self.seed,
        )  # fmt: skip

    # ---------------------------------------------------------------------------- running

    def _outcomes(self, assembly: Assembly) -> dict[str, Outcome]:
        outcomes = {key: Outcome(ex) for key, ex in self.solution.exercises.items()}
        for key, attempt in assembly.attempts.items():
            if attempt.state != "ready":
                kind = {"broken": "error"}.get(attempt.state, attempt.state)
                self._fail_all(outcomes[key], kind, attempt.message or "")
        ready = [key for key, a in assembly.attempts.items() if a.state == "ready"]
        with tempfile.TemporaryDirectory(prefix="ffc-run-") as folder:
            runner = _Runner(self, assembly, outcomes, Path(folder))
            runner.run_all(ready)
            runner.second_chance(ready)
        return outcomes

    @staticmethod
    def _fail_all(outcome: Outcome, kind: str, message: str) -> None:
        outcome.message = message
        outcome.results = [failed(c, kind, message, public=True) for c in outcome.exercise.checks]


class _Runner:
    """The runs that one submission needs: usually one."""

    def __init__(
        self, engine: Engine, assembly: Assembly, outcomes: dict[str, Outcome], folder: Path
    ) -> None:
        self.engine = engine
        self.assembly = assembly
        self.outcomes = outcomes
        self.folder = folder
        self.runs = 0
        self.order = list(engine.solution.exercises)
        self.retried: set[str] = set()

    def run_all(self, ready: list[str]) -> None:
        """Run every answer; after a loop or a crash, the rest in a fresh kernel."""
        todo = list(ready)
        bound: set[str] = set()
        while todo and self.runs < MAX_RUNS + len(ready):
            stopped = self._run(todo, bound)
            if stopped is None:
                return
            if stopped in self.retried or self.outcomes[stopped].fatal != "again":
                todo = todo[todo.index(stopped) + 1 :]
            else:
                self.retried.add(stopped)
                todo = todo[todo.index(stopped) :]
            done = [k for k in ready if k not in todo]
            bound = {k for k in done if not self.outcomes[k].passed}
            bound |= {k for k in self.order if k not in ready}
        for key in todo:
            self.engine._fail_all(self.outcomes[key], "timed_out", "The submission ran too long.")

    def second_chance(self, ready: list[str]) -> None:
        """Run failed parts again with the failed parts before them bound to the reference."""
        failing = [k for k in self.order if not self.outcomes[k].passed]
        if not failing or self.engine.solution.bundle:
            return
        first = self.order.index(failing[0])
        again = [k for k in ready if k in failing and self.order.index(k) > first]
        again = [k for k in again if self._may_depend(k, failing)]
        fresh = {k: Outcome(self.outcomes[k].exercise) for k in again}
        kept, self.outcomes = self.outcomes, {**self.outcomes, **fresh}
        todo = list(again)
        while todo and self.runs < MAX_RUNS + 2 * len(ready):
            stopped = self._run(todo, set(failing))
            if stopped is None:
                break
            todo = todo[todo.index(stopped) + 1 :]
        for key, outcome in fresh.items():
            _take_passes(kept[key], outcome)
        self.outcomes.update(kept)

    def _may_depend(self, key: str, failing: list[str]) -> bool:
        """Whether an earlier failed part may be why this one failed."""
        outcome = self.outcomes[key]
        own = [*self._sources(key), *(c.source for c in outcome.exercise.checks)]
        before = failing[: failing.index(key)]
        names = [n for k in before for a in self.outcomes[k].exercise.answers for n in a.names]
        if any(name in text for name in names for text in own):
            return True
        run_before = [k for k in before if self.assembly.attempts[k].state == "ready"]
        meddled = any(not only_defines(s) for k in run_before for s in self._sources(k))
        return meddled and outcome.fatal is None

    def _sources(self, key: str) -> list[str]:
        return self.assembly.attempts[key].sources

    def _run(self, todo: list[str], bound: set[str]) -> str | None:
        """Run once; judge what was run. Return the exercise at which the kernel ended."""
        self.runs += 1
        pieces = self._pieces(todo, bound)
        engine = self.engine
        records = run_pieces(pieces, engine.nursery, engine.limits, engine.seed, self.folder)
        for key in todo:
            own = [(p, records[i]) for i, p in enumerate(pieces) if p.exercise == key]
            stop = self._judge(self.outcomes[key], own)
            first = next(i for i, p in enumerate(pieces) if p.exercise == key)
            if any(p.role == "bind" for p in pieces[:first]):  # a reference stood in that kernel
                withhold(self.outcomes[key], self._sources(key))
            if stop:
                return key
        return None

    def _pieces(self, todo: list[str], bound: set[str]) -> list[Piece]:
        """Return the cells of one run: answers and checks of `todo`, then what is bound."""
        pieces: list[Piece] = []
        kept = True
        last_check = {
            s.exercise: i for i, s in enumerate(self.engine.solution.steps) if s.role == "check"
        }
        for i, step in enumerate(self.engine.solution.steps):
            key = step.exercise
            if step.role == "given":
                pieces.append(Piece("given", "", without_figures(step.source)))
                continue
            exercise = self.outcomes[key].exercise
            if step.role == "answer":
                answer = exercise.answers[step.number]
                mine = key in todo or key not in bound
                ready = self.assembly.attempts[key].state == "ready"
                source = self._sources(key)[step.number] if mine and ready else answer.source
                role = "answer" if mine and ready else "bind"
                kept = kept and (role == "bind" or keeps(source, self.engine.names))
                pieces.append(Piece(role, key, source, step.number, seconds=answer.seconds))
            elif key in todo:
                check = exercise.checks[step.number]
                # Whoever overwrites np or emit by accident has not lost later points by it.
                before = "" if kept else self.engine.imports
                pieces.append(
                    Piece("check", key, step.source, step.number, check, check.seconds, before)
                )
            if key in todo and key in bound and last_check.get(key) == i:
                pieces += [Piece("bind", "", a.source) for a in exercise.answers]
        return pieces

    # ---------------------------------------------------------------------------- judging

    def _judge(self, outcome: Outcome, own: list[tuple[Piece, Any]]) -> bool:
        """Judge one exercise's records. Return whether the kernel ended in it."""
        outcome.results, outcome.message, outcome.fatal = [], None, None
        broken = next((r for p, r in own if p.role == "answer" and r.outcome != "done"), None)
        for piece, record in own:
            if piece.role != "check" or piece.check is None:
                continue
            if broken is not None:
                result, shown = self._from_answer(piece.check, broken)
            else:
                result, shown = self._from_check(piece.check, record)
            outcome.results.append(result)
            outcome.emitted[piece.number] = shown
        ended = next((r for _, r in own if r.outcome in ("timed_out", "crashed")), None)
        if ended is not None:
            # A crash may come late, from an earlier part's doing: it gets a second try, too.
            again = ended.starved or ended.outcome == "crashed"
            outcome.fatal = "again" if again else ended.outcome
            outcome.message = describe(ended, self.assembly.other_names)
        elif any(r.outcome == "not_run" for _, r in own):  # Python ended between two cells
            outcome.fatal, outcome.message = "again", CRASHED
            checks = [(p.check, r) for p, r in own if p.role == "check" and p.check is not None]
            for i, (check, record) in enumerate(checks):
                if record.outcome == "not_run":
                    outcome.results[i] = failed(check, "crashed", CRASHED, public=True)
        return outcome.fatal is not None

    def _from_answer(self, check: Check, record: Any) -> tuple[CheckResult, list[dict[str, Any]]]:
        words = describe(record, self.assembly.other_names)
        kind = record.outcome if record.outcome in ("timed_out", "crashed") else "error"
        if record.outcome == "not_run":
            kind, words = "crashed", CRASHED
        error = record.error or {}
        if kind == "error" and error.get("ename") == "NotImplementedError":
            kind, words = "not_attempted", "Not written yet."
        payload = encode_error(str(error.get("ename")), str(error.get("evalue")))
        shown = [{"schema": 1, "label": ERROR_LABEL, "exercise": check.exercise, **payload}]
        return failed(check, kind, words, public=True), shown

    def _from_check(self, check: Check, record: Any) -> tuple[CheckResult, list[dict[str, Any]]]:
        if record.outcome in ("timed_out", "crashed"):
            words = describe(record, self.assembly.other_names)
            return failed(check, record.outcome, words, public=True), record.payloads
        if record.outcome == "not_run":
            words = "Not run, since the code before it did not end."
            return failed(check, "error", words, public=True), []
        result = judge(check, record.payloads)
        if result.passed and record.outcome == "error":
            result = failed(check, "error", describe(record, self.assembly.other_names))
        elif result.outcome == "error" and not check.hidden:
            result.message = describe(record, self.assembly.other_names) or result.message
        return result, record.payloads


def _take_passes(kept: Outcome, fresh: Outcome) -> None:
    """Take from a second run the checks that passed; keep the first run's words otherwise."""
    kept.emitted_again = fresh.emitted
    for i, result in enumerate(fresh.results):
        if result.passed and i < len(kept.results) and not kept.results[i].passed:
            kept.results[i] = result
    if kept.passed:
        kept.message = kept.fatal = None
