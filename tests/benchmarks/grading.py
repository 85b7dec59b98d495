"""How fast submissions are graded, in alternation with nbgrader where that is installed.

Run ``python -m tests.benchmarks.grading``. nbgrader is looked for in this environment and at
``--nbgrader PYTHON`` (or FFCOURSE_NBGRADER), the interpreter of an environment that has it and
NumPy. Both grade the same answers with the same deadline for a cell, a round each in turn, once
without and once with submissions that loop; nbgrader has no ``--jobs``, so ours is told both
with one worker and with as many as there are processors.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from ffcourse.grade.service import Grader
from ffcourse.grade.solution import without_magic
from tests.conftest import ROOT

TINY = ROOT / "tests" / "submissions" / "tiny" / "solutions" / "90_tiny.ipynb"
MIME = "application/vnd.ffcourse.value+json"
WITHOUT = (
    "nbgrader is not installed, so the comparison was left out: make an environment with it "
    "(python -m venv /tmp/nbg; /tmp/nbg/bin/pip install nbgrader numpy matplotlib) and give its "
    "interpreter with --nbgrader /tmp/nbg/bin/python."
)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def main() -> int:
    options = _parser().parse_args()
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    notebook = json.loads(options.solution.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="ffc-bench-") as folder:
        base = Path(folder)
        one_by_one(options, notebook, base)
        python = _nbgrader(options.nbgrader)
        if python is None:
            print(WITHOUT)
        for share in sorted({0.0, options.looping}):
            told = []
            for count in options.submissions:
                looping = max(1, round(share * count)) if share else 0
                told.append(against(options, notebook, base, count, looping, python))
            further(options.submissions, told)
    return 0


def _parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m tests.benchmarks.grading", description=__doc__)
    p.add_argument("--solution", type=Path, default=TINY)
    p.add_argument("--submissions", type=int, nargs="+", default=[10, 30], help="sizes of a batch")
    p.add_argument("--looping", type=float, default=0.1, help="their share, the second time")
    p.add_argument("--seconds", type=float, default=10.0, help="the deadline of a cell")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--nbgrader", default=os.environ.get("FFCOURSE_NBGRADER"))
    return p


def _nbgrader(python: str | None) -> str | None:
    """Return an interpreter that has nbgrader."""
    for candidate in filter(None, (python, sys.executable)):
        words = [candidate, "-c", "import nbgrader"]
        found = shutil.which(candidate) is not None
        if found and subprocess.run(words, check=False, **QUIET).returncode == 0:
            return candidate
    return None


# ------------------------------------------------------------------------ the same answers


def about(cell: dict[str, Any]) -> dict[str, Any]:
    return dict(cell.get("metadata", {}).get("ffcourse", {}))


def looped(source: str) -> str:
    """Return an answer in which a function never returns; others stay as they are."""
    head, colon, _ = source.partition(":\n")
    return head + colon + "    while True:\n        pass\n" if head.startswith("def ") else source


def submission(notebook: dict[str, Any], number: int, loops: bool) -> dict[str, Any]:
    """Return the right answers, with a comment so that no two files are equal."""
    made, todo = [], loops
    for cell in notebook["cells"]:
        if about(cell).get("role") in ("answer", "given"):
            source = "".join(cell["source"])
            if about(cell)["role"] == "answer":
                changed = looped(source) if todo else source
                todo = todo and changed == source
                source = f"{changed}\n# {number}\n"
            made.append({**cell, "source": source, "outputs": [], "execution_count": None})
    return {**notebook, "cells": made}


def write_ours(folder: Path, notebook: dict[str, Any], count: int, looping: int) -> None:
    for number in range(count):
        path = folder / f"s{number:03}" / "01_neuron.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(submission(notebook, number, number < looping)), "utf-8")


# ------------------------------------------------------------------------ one by one


def one_by_one(options: argparse.Namespace, notebook: dict[str, Any], base: Path) -> None:
    """Print the seconds of a first and of later submissions, and the memory of a worker."""
    write_ours(base / "single", notebook, 10, 0)
    paths = sorted((base / "single").rglob("*.ipynb"))
    watch = Watch(memory=True)
    began = time.perf_counter()
    with Grader(options.solution) as grader:
        first = grader.grade(paths[0])
        cold = time.perf_counter() - began
        warm = []
        used = below()
        for path in paths[1:]:
            began = time.perf_counter()
            grader.grade(path)
            warm.append(time.perf_counter() - began)
        each = (below() - used) / len(warm)
        highest = watch.stop().memory
    print(f"{first['score']} of {first['max_score']} points, sandbox {first['sandbox']}")
    low, middle, high = statistics.quantiles(warm, n=4)
    print(
        f"cold: {cold:.2f} s; warm: {middle:.2f} s a submission (quartiles {low:.2f}, {high:.2f})"
    )
    print(f"processor: {used:.2f} s for the first, {each:.2f} s for each later one")
    print(f"a worker with its kernels: {highest:.0f} MB at most (proportional set size)")


def below() -> float:
    """Return the processor seconds of all processes below this one, ended ones included."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.Error:
            continue
    return total


def memory_below() -> float:
    """Return the bytes that all processes below this one hold, shared ones in proportion."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            info = process.memory_full_info()
            total += getattr(info, "pss", info.uss)
        except psutil.Error:
            continue
    return total


class Watch:
    """Watches the memory and processor seconds of all processes below this one.

    Seconds are looked at while the processes live, since the sandbox does not hand on what ran in
    it when it ends: the last tenth of a second may be missing.
    """

    def __init__(self, memory: bool = False) -> None:
        self.memory = 0.0
        self.seconds = 0.0
        self._with_memory = memory
        self._ended = _processor_seconds()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            if self._with_memory:
                self.memory = max(self.memory, memory_below() / 1e6)
            self.seconds = max(self.seconds, below())

    def stop(self) -> Watch:
        """Take the last look."""
        self._done.set()
        self._thread.join()
        self.seconds = max(self.seconds, _processor_seconds() - self._ended)
        return self


def _processor_seconds() -> float:
    """Return what all ended child processes have used."""
    used = os.times()
    return used.children_user + used.children_system


# ------------------------------------------------------------------------ against nbgrader


Told = dict[str, tuple[float, float]]


def against(
    options: argparse.Namespace, notebook: dict[str, Any], base: Path, count: int, looping: int,
    python: str | None,
) -> Told:  # fmt: skip
    """Print submissions a minute, a round each in turn; return seconds, processor seconds."""
    place = base / f"of{count}-loops{looping}"
    write_ours(place / "ours", notebook, count, looping)
    course = None
    if python:
        course = Course(place / "theirs", python, notebook, options, count, looping)
    rounds: dict[str, list[tuple[float, float]]] = {}
    for turn in range(options.rounds):
        for jobs in sorted({1, options.jobs}):
            one = ours(options, place, jobs, turn)
            rounds.setdefault(f"ffcourse --jobs {jobs}", []).append(one)
        if course is not None:
            rounds.setdefault("nbgrader", []).append(course.autograde())
    print(f"{count} submissions, {looping} of them looping, {options.seconds:g} s a cell:")
    told: Told = {}
    for name, each in rounds.items():
        told[name] = (statistics.median(s for s, _ in each), statistics.median(c for _, c in each))
        words = f"  {name}: {60 * count / told[name][0]:.1f} a minute, "
        words += f"{told[name][1] / count:.2f} processor seconds each"
        if "nbgrader" in rounds and name != "nbgrader":
            ratios = [b[0] / a[0] for a, b in zip(each, rounds["nbgrader"], strict=True)]
            words += f", {statistics.median(ratios):.1f} times nbgrader"
            words += f" (from {min(ratios):.1f} to {max(ratios):.1f})"
        print(words, flush=True)
    if course is not None:
        print(f"  nbgrader's scores: {course.scores()}", flush=True)
    return told


def further(counts: list[int], told: list[Told]) -> None:
    """Print what each further submission costs, from the smallest and the largest batch."""
    n = max(counts) - min(counts)
    if n == 0:
        return
    small, large = told[counts.index(min(counts))], told[counts.index(max(counts))]
    rates = {name: n / max(large[name][0] - small[name][0], 1e-9) for name in large}
    print(f"each further one, from {min(counts)} to {max(counts)}:")
    for name, rate in rates.items():
        cost = (large[name][1] - small[name][1]) / n
        words = f"  {name}: {60 * rate:.1f} a minute, {cost:.2f} processor seconds each"
        if "nbgrader" in rates and name != "nbgrader":
            words += f", {rate / rates['nbgrader']:.1f} times nbgrader"
        print(words, flush=True)


def ours(options: argparse.Namespace, place: Path, jobs: int, turn: int) -> tuple[float, float]:
    """Grade all of them; return the seconds and processor seconds that it took."""
    watch, began = Watch(), time.perf_counter()
    words = [sys.executable, "-m", "ffcourse", "grade", str(place / "ours"), "--quiet",
             "--solutions", str(options.solution), "--seconds", str(options.seconds),
             "--jobs", str(jobs), "--db", str(place / f"book{jobs}-{turn}.sqlite")]  # fmt: skip
    done = subprocess.run(words, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
    assert done.returncode == 0
    return time.perf_counter() - began, watch.stop().seconds


class Course:
    """The same exercises and answers as a course of nbgrader."""

    def __init__(
        self, folder: Path, python: str, notebook: dict[str, Any],
        options: argparse.Namespace, count: int, looping: int,
    ) -> None:  # fmt: skip
        self.folder, self.python = folder, python
        source = folder / "source" / "ps1" / "ps1.ipynb"
        source.parent.mkdir(parents=True)
        source.write_text(json.dumps(nbgrader_notebook(notebook)), "utf-8")
        (folder / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            f"c.CourseDirectory.root = {str(folder)!r}\n"
            f"c.ExecutePreprocessor.timeout = {round(options.seconds)}\n"
            f"c.Execute.timeout = {round(options.seconds)}\n"
        )
        self._run("generate_assignment", "ps1")
        for number in range(count):
            path = folder / "submitted" / f"s{number:03}" / "ps1" / "ps1.ipynb"
            path.parent.mkdir(parents=True)
            self._submit(path, notebook, number, number < looping)

    def _run(self, *words: str) -> int:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        folder = Path(self.python).parent
        environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
        command = shutil.which("nbgrader", path=str(folder)) or "nbgrader"
        log = (self.folder / "log.txt").open("ab")
        with log:
            return subprocess.run(
                [command, *words], cwd=self.folder, env=environment, check=False,
                stdout=log, stderr=log,
            ).returncode  # fmt: skip

    def _submit(self, path: Path, notebook: dict[str, Any], number: int, loops: bool) -> None:
        released = json.loads((self.folder / "release/ps1/ps1.ipynb").read_text("utf-8"))
        answers = iter(
            "".join(c["source"])
            for c in submission(notebook, number, loops)["cells"]
            if about(c).get("role") == "answer"
        )
        for cell in released["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("solution"):
                cell["source"] = next(answers)
        path.write_text(json.dumps(released), "utf-8")

    def autograde(self) -> tuple[float, float]:
        """Grade all of them; return the seconds and processor seconds that it took."""
        shutil.rmtree(self.folder / "autograded", ignore_errors=True)
        watch, began = Watch(), time.perf_counter()
        self._run("autograde", "ps1", "--force")
        return time.perf_counter() - began, watch.stop().seconds

    def scores(self) -> str:
        """Return the different scores and how many have them."""
        self._run("export", "--to", "grades.csv")
        path = self.folder / "grades.csv"
        if not path.exists():
            return "none: see its log\n" + (self.folder / "log.txt").read_text("utf-8")[-2000:]
        lines = path.read_text("utf-8").splitlines()
        at = lines[0].split(",").index("raw_score")
        found = [line.split(",")[at] for line in lines[1:]]
        return ", ".join(f"{found.count(s)} with {s}" for s in sorted(set(found)))


def nbgrader_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the solution as a source notebook of nbgrader: answers, and tests with values."""
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        role, source = about(cell).get("role"), "".join(cell["source"])
        if role == "given":
            cells.append(_code(source + "\n" + HELPERS))
        elif role == "answer":
            cells.append(_code(source, grade=False, solution=True, locked=False))
        elif role == "check":
            stored = [o["data"][MIME] for o in cell["outputs"] if MIME in o.get("data", {})]
            values = json.dumps([v.get("data") for v in stored])
            body = f"seen.clear()\n{without_magic(source)}\ncompare({values!r})"
            points = about(cell).get("points", 1)
            cells.append(_code(body, grade=True, solution=False, locked=True, points=points))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] = f"id{number}"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}


HELPERS = '''
import json as _json
seen = []
def emit(label, value):
    seen.append(value)
def compare(text):
    """A test as one writes them for nbgrader: as many values as stored, and all close."""
    wanted = _json.loads(text)
    assert len(seen) == len(wanted)
    for got, want in zip(seen, wanted):
        if np.asarray(want).dtype.kind in "fi":
            got = np.ravel(np.asarray(got, float))
            assert np.allclose(got, np.ravel(want), rtol=1e-4, atol=1e-8)
'''


def _code(source: str, **meta: Any) -> dict[str, Any]:
    about_it = {"schema_version": 3, "task": False, **meta}
    metadata = {"nbgrader": about_it} if meta else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [],
            "execution_count": None}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
