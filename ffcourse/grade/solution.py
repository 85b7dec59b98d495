"""What a solution notebook, or a release bundle made from one, says about its exercises.

A bundle is the same JSON with the reference answers, the hidden checks and their values
left out, so one reader does for both.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ffcourse.grade.code import defined_names
from ffcourse.grade.notebook import Cell, Notebook, RejectedError, read_notebook
from ffcourse.grade.values import VALUE_MIME

_HINT = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)


class SolutionError(Exception):
    """A solution notebook cannot be used for grading; the message says what to mend."""


@dataclass
class Check:
    """One check cell: what is shown, and what is known about it."""

    exercise: str
    label: str
    source: str
    reference: list[dict[str, Any]]
    hidden: bool = False
    points: float = 1
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    hint: str | None = None
    truths: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float | None = None


@dataclass
class Answer:
    """One answer cell: the reference's source ("" in a bundle), its names, its limits."""

    exercise: str
    source: str
    names: list[str]
    forbid: list[str]
    id: str | None
    seconds: float | None = None


@dataclass
class Variant:
    """A named mistake or alternative and the payloads stored for it."""

    name: str
    message: str
    payloads: list[dict[str, Any]]


@dataclass
class Exercise:
    """One exercise of a solution notebook."""

    id: str
    title: str
    answers: list[Answer] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    mistakes: list[Variant] = field(default_factory=list)
    alternatives: list[Variant] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    stubs: list[str] = field(default_factory=list)

    @property
    def max_points(self) -> float:
        """The sum of the checks' points."""
        return _whole(sum(check.points for check in self.checks))


@dataclass
class Step:
    """A code cell of the solution in its place: given, answer or check."""

    role: str
    exercise: str
    source: str
    number: int = 0


@dataclass
class Solution:
    """A solution notebook, read."""

    key: str
    path: Path
    exercises: dict[str, Exercise]
    steps: list[Step]
    bundle: bool = False


def load_solution(path: Path) -> Solution:
    """Return the exercises of a solution notebook or release bundle.

    Raises
    ------
    SolutionError
        When the file cannot be read, or a check has no stored outputs to compare with.
    """
    try:
        notebook = read_notebook(path)
    except RejectedError as error:
        raise SolutionError(f"The solution {path.name} cannot be used. {error}") from None
    return read_solution(notebook, path)


def read_solution(notebook: Notebook, path: Path) -> Solution:
    """Return the exercises of a notebook that has been read; see `load_solution`."""
    solution = Solution(
        notebook.key or path.stem, path, {}, [], bool(notebook.course.get("bundle"))
    )
    truths: dict[str, dict[str, dict[str, Any]]] = {}
    for cell in notebook.cells:
        _take(cell, solution, truths)
    for exercise in solution.exercises.values():
        for check in exercise.checks:
            check.truths = truths.get(exercise.id, {})
    _validate(solution)
    return solution


def _take(cell: Cell, solution: Solution, truths: dict[str, dict[str, dict[str, Any]]]) -> None:
    role, key = cell.role, cell.exercise
    if role is None or key is None:
        return
    if role == "given":
        solution.steps.append(Step("given", key, cell.source))
        return
    if "." not in key:
        return
    exercise = solution.exercises.setdefault(key, Exercise(key, key))
    if role == "prompt":
        exercise.title = str(cell.course.get("title") or key)
        exercise.hints = hints_of(cell.source)
    elif role == "answer":
        solution.steps.append(Step("answer", key, cell.source, len(exercise.answers)))
        exercise.answers.append(_answer(cell, key))
    elif role == "stub":
        exercise.stubs.append(without_magic(cell.source))
    elif role == "check":
        solution.steps.append(Step("check", key, cell.source, len(exercise.checks)))
        exercise.checks.append(_check(cell, key, len(exercise.checks)))
    elif role == "truth":
        values = truths.setdefault(key, {})
        values.update({str(p.get("label")): p for p in payloads_of(cell.outputs)})
    elif role in ("mistake", "alternative"):
        variants = exercise.mistakes if role == "mistake" else exercise.alternatives
        variants.append(_variant(cell))


def _answer(cell: Cell, key: str) -> Answer:
    names = cell.course.get("names")
    return Answer(
        exercise=key,
        source=cell.source,
        names=[str(n) for n in names] if isinstance(names, list) else defined_names(cell.source),
        forbid=[str(n) for n in cell.course.get("forbid") or []],
        id=cell.id,
        seconds=cell.course.get("seconds"),
    )


def _check(cell: Cell, key: str, number: int) -> Check:
    label = cell.course.get("label")
    return Check(
        exercise=key,
        label=str(label) if label else f"check {number + 1}",
        source=cell.source,
        reference=[p for p in payloads_of(cell.outputs) if not p.get("variant")],
        hidden=bool(cell.course.get("hidden")),
        points=cell.course.get("points", 1),
        rules=dict(cell.course.get("rules") or {}),
        hint=cell.course.get("hint"),
        seconds=cell.course.get("seconds"),
    )


def _variant(cell: Cell) -> Variant:
    first, _, body = cell.source.partition("\n")
    words = first.split()
    name = str(cell.course.get("name") or (words[2] if len(words) > 2 else "unnamed"))
    lines: list[str] = []
    for line in body.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#").strip())
    return Variant(name, " ".join(lines).strip(), payloads_of(cell.outputs))


def payloads_of(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the value payloads among a cell's outputs, in order."""
    found = []
    for output in outputs:
        data = output.get("data")
        payload = data.get(VALUE_MIME) if isinstance(data, dict) else None
        if isinstance(payload, dict):
            found.append(payload)
    return found


def hints_of(markdown: str) -> list[str]:
    """Return the texts of the folded hints of a prompt, in order of their tiers."""
    return [
        " ".join(body.split())
        for summary, body in _HINT.findall(markdown)
        if "hint" in summary.lower()
    ]


def without_magic(source: str) -> str:
    """Return a cell's source without its first line if that is a cell magic."""
    first, newline, rest = source.partition("\n")
    return rest if first.startswith("%%") else first + newline + rest


def _validate(solution: Solution) -> None:
    if not solution.exercises:
        raise SolutionError(f"The solution {solution.path.name} holds no exercises.")
    for exercise in solution.exercises.values():
        for check in exercise.checks:
            if not check.reference:
                raise SolutionError(
                    f"{solution.path.name}: {exercise.id}, {check.label}, has no stored values to "
                    "compare with. Run `ffcourse author run` on the solution."
                )


def _whole(points: float) -> float:
    return int(points) if float(points).is_integer() else points


# ----------------------------------------------------------------------------- where they are


def find_solution(key: str, folder: Path | None = None) -> Path | None:
    """Return the solution (or else the bundle) of a notebook key or chapter number.

    Parameters
    ----------
    key : str
        ``01_neuron``, or only the chapter: ``01``.
    folder : Path or None
        Where to look; by default FFCOURSE_SOLUTIONS, else ``solutions`` of the project,
        else its ``bundles``.
    """
    for path in solution_paths(folder):
        if path.stem == key or path.stem.split("_")[0] == key:
            return path
    return None


def solution_paths(folder: Path | None = None) -> list[Path]:
    """Return the solutions, then the bundles, of a folder or of the project."""
    places = [folder] if folder else _default_folders()
    return [
        p for place in places for kind in ("ipynb", "json") for p in sorted(place.glob(f"*.{kind}"))
    ]


def _default_folders() -> list[Path]:
    set_by_hand = os.environ.get("FFCOURSE_SOLUTIONS")
    if set_by_hand:
        return [Path(set_by_hand)]
    from ffcourse.workspace import root

    base = root()
    return [base / "solutions", base / "bundles"]


@lru_cache(maxsize=64)
def _cached(path: str, stamp: tuple[int, int]) -> Solution:
    return load_solution(Path(path))


def cached_solution(path: Path) -> Solution:
    """Return `load_solution(path)`, read again only when the file has changed."""
    try:
        stat = path.stat()
    except OSError:
        raise SolutionError(f"The solution {path.name} does not exist.") from None
    return _cached(str(path), (stat.st_mtime_ns, stat.st_size))


def as_bundle(path: Path) -> dict[str, Any]:
    """Return a solution as a bundle: no answers, no hidden checks, visible references only.

    The result is a notebook in JSON, with ``"bundle": true`` in its metadata.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    solution = load_solution(path)
    visible = {
        key: {str(p["label"]) for c in ex.checks if not c.hidden for p in c.reference}
        for key, ex in solution.exercises.items()
    }
    cells = []
    for cell in data["cells"]:
        kept = _bundle_cell(cell, visible)
        if kept is not None:
            cells.append(kept)
    data["cells"] = cells
    data["metadata"].setdefault("ffcourse", {})["bundle"] = True
    return dict(data)


def _bundle_cell(cell: dict[str, Any], visible: dict[str, set[str]]) -> dict[str, Any] | None:
    course = cell.get("metadata", {}).get("ffcourse", {})
    role, key = course.get("role"), course.get("exercise")
    if role in ("truth", "alternative") or (role == "check" and course.get("hidden")):
        return None
    source = "".join(cell["source"])
    if role == "answer":
        meta = {**course, "names": course.get("names") or defined_names(source)}
        return {**cell, "metadata": {"ffcourse": meta}, "source": "", "outputs": []}
    if role == "mistake":
        lines = source.splitlines()
        head = lines[:1] + [line for line in lines[1:] if line.startswith("#")]
        outputs = [
            o
            for o in cell.get("outputs", [])
            if o.get("data", {}).get(VALUE_MIME, {}).get("label") in visible.get(key, set())
        ]
        return {**cell, "source": "\n".join(head), "outputs": outputs}
    return dict(cell)
