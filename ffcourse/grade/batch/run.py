"""Grade a batch into a gradebook, and be able to go on after any interruption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ffcourse import __version__
from ffcourse.grade.batch.collect import Handed, collect, no_notebooks, notebook_files
from ffcourse.grade.batch.gradebook import Gradebook, GradebookError, Handin
from ffcourse.grade.batch.late import submitted_at, unread_stamp
from ffcourse.grade.batch.local import Request, grade_here
from ffcourse.grade.batch.names import reader
from ffcourse.grade.batch.people import Roster, Student
from ffcourse.grade.batch.plan import FAILED, Job, Plan, key_of, make_plan, merged, seed_name
from ffcourse.grade.batch.shelf import Shelf
from ffcourse.grade.batch.station import GRADER_FAILED, GradingOptions
from ffcourse.grade.batch.traces import Traces, fingerprint, traces_of
from ffcourse.grade.notebook import RejectedError, parse_notebook
from ffcourse.grade.report import rejection

MAX_TRACED = 5_000_000
GIVE_UP_AFTER = 6
ONE_PERSONS = 5  # files of one notebook; more than this are hardly one person's
SOME = 5

Reports = Generator[tuple[Request, dict[str, Any]], None, None]
Tell = Callable[[str, str, "dict[str, Any] | None"], None]


class NothingGradedError(RuntimeError):
    """Nothing can be graded here at all; the message is the first reason."""


@dataclass
class Batch:
    """What is to be graded, and how.

    Attributes
    ----------
    paths : sequence
        Files and folders.
    shelf : Shelf
        The solutions.
    names : str
        A scheme or pattern for file names.
    again : mapping
        Student id (or file name) -> why it is to be graded once more.
    tell : callable
        Called as ``tell(event, name, report)`` with the events total, known, graded,
        carried, refused.
    """

    paths: Sequence[str | Path]
    shelf: Shelf
    options: GradingOptions = field(default_factory=GradingOptions)
    jobs: int = 1
    cluster: str | None = None
    roster: Roster = field(default_factory=Roster)
    names: str = "auto"
    times: Mapping[str, datetime] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)
    tell: Tell = lambda event, name, report: None


@dataclass
class Tally:
    """What a batch did.

    `names` are the submissions in it; `refused` were not graded, and why; `notes` are
    sentences on what the teacher may have meant otherwise.
    """

    names: list[tuple[str, str]] = field(default_factory=list)
    graded: int = 0
    known: int = 0
    carried: int = 0
    rejected: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def run_batch(book: Gradebook, batch: Batch) -> Tally:
    """Grade what the gradebook does not hold yet.

    Raises
    ------
    NothingGradedError
        When every single one of the first is refused, for example for want of a sandbox.
    GradebookError
        When somebody is to be graded again who has handed in nothing here.
    """
    handed = list(collect(notebook_files(batch.paths)))
    handins, labels = _who(handed, batch)
    again = _again(handins, batch.again)
    book.add_students(batch.roster.students)
    book.add_submissions(handins)
    _keep_solutions(book, batch.shelf)
    tally = Tally([(h.name, h.sha) for h in handed], notes=_notes(handed, handins, batch))
    plan = make_plan(
        book, [h.sha for h in handed], batch.shelf, seed_name(batch.options.seed), __version__,
        again,
    )  # fmt: skip
    runner = _Runner(book, batch, tally, handed, labels)
    runner.tell_totals(plan)
    runner.without_a_run(plan)
    runner.with_a_run([job for job in plan.jobs if not job.sha.startswith("-")])
    return tally


class _Runner:
    """Carries a plan out; the only place where results are recorded."""

    def __init__(
        self, book: Gradebook, batch: Batch, tally: Tally, handed: Sequence[Handed],
        labels: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.book, self.batch, self.tally = book, batch, tally
        self.files: dict[str, list[Handed]] = {}
        for one in handed:
            self.files.setdefault(one.sha, []).append(one)
        self.labels = labels
        self.any_graded = False

    def tell_totals(self, plan: Plan) -> None:
        """Tell how many files are to be graded, and how many are known."""
        jobs = sum(len(self.files[job.sha]) for job in plan.jobs)
        known = sum(len(self.files[known.key.sha]) for known in plan.done)
        self.batch.tell("total", "", {"jobs": jobs, "known": known})

    def without_a_run(self, plan: Plan) -> None:
        """Record what needs no kernel: known results, carried ones, files that cannot be read."""
        self.book.let_count(plan.done)
        self.tally.known = sum(len(self.files[known.key.sha]) for known in plan.done)
        for key, report in plan.carried:
            self.book.record(
                key, {**report, "submission": ""}, why="carried over: the change touches none of it"
            )
            self.tally.carried += len(self.files[key.sha])
            self.batch.tell("carried", self.files[key.sha][0].name, report)
        for job in plan.jobs:
            problem = self.files[job.sha][0].problem if job.sha.startswith("-") else None
            if problem is not None:
                self._record(job, rejection(self.files[job.sha][0].name, None, problem, None))

    def with_a_run(self, jobs: Sequence[Job]) -> None:
        """Grade the rest, here or on the cluster, and record each report as it comes."""
        if not jobs:
            return
        by_sha = {job.sha: job for job in jobs}
        with closing(self._graded(self._requests(jobs))) as reports:
            for request, report in reports:
                if "refused" in report:
                    self._refuse(request, str(report["refused"]))
                else:
                    self.any_graded = True
                    self._record(by_sha[request.sha], report, self._traces(request))

    def _requests(self, jobs: Iterable[Job]) -> Iterator[Request]:
        for job in jobs:
            paths = tuple(one.path for one in self.files[job.sha])
            yield Request(job.sha, self.labels[job.sha], paths)

    def _graded(
        self, requests: Iterator[Request]
    ) -> Generator[tuple[Request, dict[str, Any]], None, None]:
        batch = self.batch
        if batch.cluster is None:
            return grade_here(requests, batch.shelf, batch.options, batch.jobs)
        from ffcourse.grade.batch.cluster import grade_on_cluster

        return grade_on_cluster(requests, batch.shelf, batch.options, batch.cluster)

    def _record(self, job: Job, report: dict[str, Any], traces: Traces | None = None) -> None:
        names = [one.name for one in self.files[job.sha]]
        # The report belongs to the bytes, which several may have handed in: no name stands in it.
        report = merged({**report, "submission": ""}, job)
        reason = str(report.get("reason") or "")
        state = FAILED if reason.startswith(GRADER_FAILED) else report["status"]
        seed = seed_name(self.batch.options.seed)
        key = key_of(report, job.sha, self.batch.shelf, seed, __version__)
        self.book.record(key, report, run=job.run, state=state, why=job.why, traces=traces)
        if report["status"] == "graded":
            self.tally.graded += len(names)
        else:
            self.tally.rejected += len(names)
        for name in names:
            self.batch.tell("graded", name, {**report, "submission": name})

    def _refuse(self, request: Request, why: str) -> None:
        for one in self.files[request.sha]:
            self.tally.refused[one.name] = why
            self.batch.tell("refused", one.name, {"reason": why})
        enough = max(GIVE_UP_AFTER, 2 * self.batch.jobs)
        if not self.any_graded and len(self.tally.refused) >= enough:
            raise NothingGradedError(why)

    def _traces(self, request: Request) -> Traces | None:
        data = request.read()
        if data is None or len(data) > MAX_TRACED:
            return None
        try:
            return traces_of(parse_notebook(data.decode("utf-8-sig")))
        except (RejectedError, UnicodeDecodeError):
            return None


def _who(handed: Sequence[Handed], batch: Batch) -> tuple[list[Handin], dict[str, str]]:
    """Return who handed in what, and by content the name to grade it under."""
    read = reader(batch.names)
    handins: list[Handin] = []
    labels: dict[str, str] = {}
    only = next(iter(batch.shelf.prints)) if len(batch.shelf.prints) == 1 else ""
    for one in handed:
        traces = read(one.name)
        student = batch.roster.find(traces)
        stem = one.path.stem
        label = traces.notebook or stem
        labels.setdefault(one.sha, label.encode("ascii", "replace").decode())
        guess = batch.shelf.key_in(label) or batch.shelf.key_in(one.name) or only
        keys = (one.name, student.id)
        time = submitted_at(one.path, one.modified, batch.times, keys)
        handins.append(
            Handin(
                one.name, one.sha, _fitting(student), guess,
                time.timestamp() if time else None, traces.late,
            )
        )  # fmt: skip
    return handins, labels


def _fitting(student: Student) -> Student:
    """Return a student whose id fits its column; only a file name's guess can be longer."""
    if len(student.id) <= 190:
        return student
    from dataclasses import replace

    return replace(student, id=student.id[:190])


def _notes(handed: Sequence[Handed], handins: Sequence[Handin], batch: Batch) -> list[str]:
    """Say what is odd about a batch and would show nowhere else."""
    notes = []
    passed = no_notebooks(batch.paths)
    if passed:
        notes.append(f"{passed}.")
    files = Counter((h.student.id, h.notebook) for h in handins if not h.student.listed)
    for (student, _), count in files.items():
        if count > ONE_PERSONS and batch.names == "auto":
            notes.append(
                f"{count} files are taken for one person's, {student}. If they are several "
                "people's, say who is who: --roster, --names."
            )
    if batch.times:
        theirs = {key for h in handins for key in (h.name, h.student.id)}
        lost = [key for key in batch.times if key not in theirs]
        if lost:
            notes.append(f"--times: nothing handed in belongs to {_some(lost)}.")
    stamps = [one for one in handed if unread_stamp(one.path) is not None]
    if stamps:
        said = unread_stamp(stamps[0].path)
        names = _some([one.name for one in stamps])
        notes.append(
            f"The timestamp.txt beside {names} can't be read ({said!r}); the file's own time "
            "is taken."
        )
    return notes


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SOME} more" if len(names) > SOME else ""
    return ", ".join(names[:SOME]) + more


def _again(handins: Sequence[Handin], wanted: Mapping[str, str]) -> dict[str, str]:
    theirs = {key for h in handins for key in (h.name, h.student.id)}
    for key in wanted:
        if key not in theirs:
            raise GradebookError(
                f"--again {key}: nobody with this id, and no file of this name, is in this batch."
            )
    return {
        h.sha: wanted.get(h.student.id) or wanted[h.name]
        for h in handins
        if h.student.id in wanted or h.name in wanted
    }


def _keep_solutions(book: Gradebook, shelf: Shelf) -> None:
    """Keep each solution's fingerprints, and what its answers share with everybody's."""
    known = book.solutions()
    for key, prints in shelf.prints.items():
        if prints.sha not in known:
            exercises = shelf.solutions[key].exercises.values()
            sources = [a.source for e in exercises for a in e.answers]
            common = fingerprint([*sources, *(stub for e in exercises for stub in e.stubs)])
            book.add_solution(prints.sha, key, prints.as_dict(), common.hashes)
