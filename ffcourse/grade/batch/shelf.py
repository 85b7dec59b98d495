"""The solutions of one batch, read once: what is graded does not change while it is graded.

Each exercise has fingerprints, so that after a check was mended it is known whose marks can
have changed: those of that exercise, and of nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ffcourse.grade.notebook import Notebook, RejectedError, parse_notebook
from ffcourse.grade.solution import Solution, SolutionError, _default_folders, read_solution

ALL = "*"


@dataclass
class Prints:
    """Fingerprints of one solution.

    Attributes
    ----------
    sha : str
        Of the whole file.
    notebook : str
        Its key, such as ``01_neuron``.
    given : str
        Of the cells that all exercises share.
    answers, checks : dict
        By exercise: of the reference answer; of everything that judges it.
    max_points : dict
        By exercise.
    """

    sha: str
    notebook: str
    given: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)
    max_points: dict[str, float] = field(default_factory=dict)

    @property
    def max_score(self) -> float:
        """The points of the whole notebook."""
        return sum(self.max_points.values())

    def touched_since(self, old: Mapping[str, Any]) -> set[str]:
        """Return the exercises whose marks may differ from those under an older solution.

        Parameters
        ----------
        old : mapping
            `as_dict` of the older one.
        """
        ids = list(self.checks)
        if old["given"] != self.given or list(old["checks"]) != ids:
            return set(ids)
        touched = {k for k in ids if old["checks"][k] != self.checks[k]}
        changed = [i for i, k in enumerate(ids) if old["answers"].get(k) != self.answers.get(k)]
        # A failed part is bound to the reference answer for the later parts' second chance.
        return touched | set(ids[changed[0] :] if changed else [])

    def as_dict(self) -> dict[str, Any]:
        """Return the fingerprints as plain JSON."""
        return {"given": self.given, "answers": self.answers, "checks": self.checks,
                "max_points": self.max_points}  # fmt: skip


@dataclass
class Shelf:
    """All solutions of a batch.

    Attributes
    ----------
    files : dict
        File name -> bytes.
    single : str or None
        The file's name where one file was named instead of a folder.
    prints : dict
        By notebook key.
    faults : list of str
        A sentence for each solution that cannot be used.
    """

    files: dict[str, bytes]
    single: str | None = None
    prints: dict[str, Prints] = field(default_factory=dict)
    solutions: dict[str, Solution] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def sha(self) -> str:
        """A hash of all solutions, for what no single one explains."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            digest.update(name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        return digest.hexdigest()

    def write(self, folder: Path) -> Path:
        """Write the solutions into a folder; return what a grader is to be given."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        return folder / self.single if self.single else folder

    def key_in(self, text: str | None) -> str | None:
        """Return the notebook that a file's name speaks of, if it is exactly one of ours."""
        words = (text or "").lower()
        found = [key for key in self.prints if key.lower() in words]
        return found[0] if len(found) == 1 else None


def read_shelf(base: Path | None) -> Shelf:
    """Return the solutions in a folder, or in one file; by default the project's."""
    if base is not None and base.is_file():
        shelf = Shelf({base.name: base.read_bytes()}, base.name)
    else:
        shelf = Shelf({})
        folders = [base] if base else [f for f in _default_folders() if f.is_dir()]
        for folder in folders:
            for path in sorted([*folder.glob("*.ipynb"), *folder.glob("*.json")]):
                shelf.files.setdefault(path.name, path.read_bytes())
    for name, data in shelf.files.items():
        _take(shelf, name, data)
    return shelf


def _take(shelf: Shelf, name: str, data: bytes) -> None:
    try:
        notebook = parse_notebook(data.decode("utf-8-sig"))
        solution = read_solution(notebook, Path(name))
    except (RejectedError, SolutionError, UnicodeDecodeError) as error:
        shelf.faults.append(f"The solution {name} cannot be used: {error}")
        return
    if solution.key not in shelf.prints:
        shelf.solutions[solution.key] = solution
        shelf.prints[solution.key] = _prints(notebook, solution, data)


def _prints(notebook: Notebook, solution: Solution, data: bytes) -> Prints:
    given: list[Any] = []
    answers: dict[str, list[Any]] = {key: [] for key in solution.exercises}
    checks: dict[str, list[Any]] = {key: [] for key in solution.exercises}
    for cell in notebook.cells:
        key, role = cell.exercise, cell.role
        if role == "given":
            given.append([cell.source, key])
        elif key in checks:
            shown = [output.get("data", {}) for output in cell.outputs]
            part = [role, cell.source, cell.course, shown]
            (answers if role == "answer" else checks)[key].append(part)
    return Prints(
        sha=hashlib.sha256(data).hexdigest(),
        notebook=solution.key,
        given=_digest(given),
        answers={key: _digest(parts) for key, parts in answers.items()},
        checks={key: _digest(parts) for key, parts in checks.items()},
        max_points={key: e.max_points for key, e in solution.exercises.items()},
    )


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
