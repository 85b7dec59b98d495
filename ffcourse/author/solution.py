"""A solution notebook taken apart: for each exercise its prompt, answer, checks and variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ffcourse.author import notebook as nb

ROLES = (
    "intro",
    "nav",
    "given",
    "prompt",
    "answer",
    "stub",
    "check",
    "truth",
    "mistake",
    "alternative",
    "submit",
)
KINDS = ("code", "predict", "bug", "order", "choice", "experiment", "challenge")


@dataclass
class Exercise:
    """The cells of one exercise, by role."""

    id: str
    cells: dict[str, list[nb.Cell]] = field(default_factory=dict)

    def of(self, role: str) -> list[nb.Cell]:
        """Return the cells of a role, in order."""
        return self.cells.get(role, [])

    @property
    def about(self) -> dict[str, Any]:
        """What the prompt says of itself: title, kind, difficulty, minutes."""
        prompts = self.of("prompt")
        return nb.about(prompts[0]) if prompts else {}

    @property
    def points(self) -> int:
        """Sum of the points of its checks."""
        return sum(int(nb.about(cell).get("points", 0)) for cell in self.of("check"))

    @property
    def answer(self) -> str:
        """The reference answer: all answer cells together."""
        return "\n\n".join(nb.source(cell) for cell in self.of("answer"))


@dataclass
class Solution:
    """A whole solution notebook."""

    path: Path
    notebook: nb.Notebook
    exercises: dict[str, Exercise]

    @property
    def key(self) -> str:
        """Key of the notebook, such as ``01_neuron``."""
        return self.path.stem

    @property
    def chapter(self) -> str:
        """Number of the notebook, such as ``01``."""
        return nb.key_number(self.key)


def load(path: Path) -> Solution:
    """Read a solution notebook.

    Raises
    ------
    ValueError
        If a cell's role or exercise is wrong; the message names the cell.
    """
    notebook = nb.read(path)
    exercises: dict[str, Exercise] = {}
    for number, cell in enumerate(notebook["cells"], 1):
        where = f"{path.name}, cell {number}"
        _hold(cell, where)
        about = nb.about(cell)
        if "." in str(about.get("exercise", "")):
            identity = str(about["exercise"])
            exercise = exercises.setdefault(identity, Exercise(identity))
            exercise.cells.setdefault(nb.role(cell), []).append(cell)
    return Solution(path, notebook, exercises)


def _hold(cell: nb.Cell, where: str) -> None:
    """Refuse a cell that the tools would misread."""
    about, role = nb.about(cell), nb.role(cell)
    if cell["cell_type"] == "code" and not role:
        raise ValueError(f"{where}: a code cell needs ffcourse metadata with a role")
    if role and role not in ROLES:
        raise ValueError(f"{where}: unknown role {role!r}; roles are {', '.join(ROLES)}")
    magics = {"stub": 1, "check": 1, "truth": 1, "mistake": 2, "alternative": 2}
    if role not in magics:
        return
    words = nb.source(cell).split("\n", 1)[0].split()
    expected = [f"%%{role}", str(about.get("exercise"))]
    if magics[role] == 2:
        expected.append(str(about.get("name")))
    if words != expected:
        raise ValueError(f"{where}: must begin with {' '.join(expected)!r}, begins {words}")


def body(cell: nb.Cell) -> str:
    """Return a cell's source without its magic line."""
    text = nb.source(cell)
    return text.split("\n", 1)[1] if text.startswith("%%") and "\n" in text else text


def solutions(names: list[str] | None = None) -> list[Path]:
    """Return the solution notebooks, all or those asked for."""
    return nb.find("solutions", names)
