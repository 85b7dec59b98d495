"""Find a learner's answers in a notebook that may have been edited in any way.

Only answer cells count: found by our metadata, else by cell id, else by what they define
and where they stand. Everything else in the submission (checks, outputs, the kernel's
name, other cells) is ignored, and every repair is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from ffcourse.grade.code import (
    SyntaxFault,
    defined_names,
    forbidden_use,
    import_lines,
    is_stub,
    parse,
)
from ffcourse.grade.notebook import Cell, Notebook, RejectedError
from ffcourse.grade.solution import Answer, Exercise, Solution

_HEADING = re.compile(r"^#{1,4}[ \t]*(?:Exercise[ \t]+)?(\d\d\.\d{1,4})\b", re.MULTILINE)
_CALLS = re.compile(r"^[ \t]*(?:check|submit)\(", re.MULTILINE)


@dataclass
class Attempt:
    """A learner's answer to one exercise.

    Attributes
    ----------
    sources : list of str
        One for each answer cell of the solution.
    state : str
        ready, missing, not_attempted or broken (cannot be run).
    message : str or None
        Why it is not ready.
    """

    exercise: str
    sources: list[str]
    state: str = "ready"
    message: str | None = None


@dataclass
class Assembly:
    """All answers of a submission, and what had to be repaired to find them."""

    attempts: dict[str, Attempt]
    repairs: list[str] = field(default_factory=list)
    other_names: dict[str, int] = field(default_factory=dict)


def assemble(submission: Notebook, solution: Solution) -> Assembly:
    """Return a submission's answers, matched to the exercises of a solution.

    Raises
    ------
    RejectedError
        When the notebook is another one, or holds no answer cell at all.
    """
    _reject_other(submission, solution)
    finder = _Finder(submission, solution)
    assembly = Assembly({}, finder.repairs)
    given = import_lines([s.source for s in solution.steps if s.role == "given"])
    for exercise in solution.exercises.values():
        cells = [finder.find(exercise, number) for number in range(len(exercise.answers))]
        assembly.attempts[exercise.id] = _attempt(exercise, cells, given)
    assembly.other_names = finder.names_elsewhere()
    return assembly


def _reject_other(submission: Notebook, solution: Solution) -> None:
    key = submission.key
    ids = {c.exercise for c in submission.cells if c.exercise and "." in c.exercise}
    known = bool(ids & set(solution.exercises))
    if key is not None and key != solution.key and not known:
        raise RejectedError(
            f"This is the notebook {key}, not {solution.key}. "
            f"Hand in exercises/{solution.key}.ipynb."
        )
    chapters = {str(i).split(".")[0] for i in ids}
    if ids and not known:
        named = ", ".join(sorted(chapters))
        raise RejectedError(
            f"The exercises in this notebook are of chapter {named}, not of {solution.key}. "
            f"Hand in exercises/{solution.key}.ipynb."
        )
    if key is None and not ids and not likeness(submission, solution):
        raise RejectedError(
            f"This does not look like {solution.key}: none of its exercises was found. "
            f"Hand in exercises/{solution.key}.ipynb."
        )


def likeness(submission: Notebook, solution: Solution) -> int:
    """Return how many traces of a solution's exercises a notebook without metadata has."""
    markdown = [c.source for c in submission.cells if c.kind == "markdown"]
    headings = {h for source in markdown for h in _HEADING.findall(source)}
    answers = [a for e in solution.exercises.values() for a in e.answers]
    ids = {a.id for a in answers if a.id} & {c.id for c in submission.cells}
    names = {n for a in answers for n in a.names}
    code = [c for c in submission.cells if c.kind == "code"]
    defined = names & {n for c in code for n in defined_names(c.source)}
    return len(headings & set(solution.exercises)) + len(ids) + len(defined)


class _Finder:
    """Looks for answer cells, each used once, and writes down what it repaired."""

    def __init__(self, submission: Notebook, solution: Solution) -> None:
        self.code = [c for c in submission.cells if c.kind == "code"]
        self.sections = _sections(submission)
        self.repairs: list[str] = []
        self.used: set[int] = set()
        self.solution = solution
        self.left_over: list[Cell] = []  # duplicates that were not graded
        self.order = {c.index: n for n, c in enumerate(c for c in self.code if c.role == "answer")}
        self.last = -1
        self._retyped(submission)

    def _retyped(self, submission: Notebook) -> None:
        for cell in submission.cells:
            if cell.kind != "code" and cell.role == "answer" and cell.source.strip():
                self.repairs.append(
                    f"{cell.exercise}: the answer cell had become a {cell.kind} cell; "
                    "it was read as code."
                )
                self.code.append(cell)
        self.code.sort(key=lambda cell: cell.index)

    def find(self, exercise: Exercise, number: int) -> Cell | None:
        """Return the cell that answers an exercise, or None."""
        answer = exercise.answers[number]
        tagged = self._tagged(exercise, number)
        cell = self._choose(exercise, answer, tagged)
        if cell is None:
            cell = self._by_id(exercise, answer) or self._by_place(exercise, answer)
        if cell is not None:
            self.used.add(cell.index)
            self._note_moved(exercise, cell)
        return cell

    def _tagged(self, exercise: Exercise, number: int) -> list[Cell]:
        cells = [c for c in self.code if c.role == "answer" and c.exercise == exercise.id]
        count = len(exercise.answers)
        if count == 1:
            return cells
        # Several answer cells: tell them apart by cell id, then by the names they define.
        answer = exercise.answers[number]
        mine = [c for c in cells if answer.id and c.id == answer.id]
        mine = mine or [c for c in cells if set(answer.names) & set(defined_names(c.source))]
        if mine:
            return mine
        return [cells[number]] if len(cells) == count else []

    def _choose(self, exercise: Exercise, answer: Answer, cells: list[Cell]) -> Cell | None:
        cells = [c for c in cells if c.index not in self.used]
        if not cells:
            return None
        filled = [c for c in cells if c.source.strip()]
        written = [c for c in filled if not is_stub(c.source, exercise.stubs)]
        chosen = (written or filled or cells)[-1]
        if len(cells) == 1:
            return chosen
        self.used.update(c.index for c in cells)
        whole = _joined(written, answer)
        if whole is not None:
            self.repairs.append(
                f"{exercise.id}: the answer was spread over {len(written)} cells; they were put "
                "together."
            )
            return whole
        self.left_over += [c for c in written if c is not chosen]
        self.repairs.append(
            f"{exercise.id}: {len(cells)} answer cells were found; the last one that is not "
            "empty was graded."
        )
        return chosen

    def _by_id(self, exercise: Exercise, answer: Answer) -> Cell | None:
        cells = [c for c in self.code if answer.id and c.id == answer.id]
        cells = [c for c in cells if c.index not in self.used and c.role in (None, "answer")]
        if cells:
            self.repairs.append(f"{exercise.id}: the answer cell was found by its cell id.")
            return cells[-1]
        return None

    def _by_place(self, exercise: Exercise, answer: Answer) -> Cell | None:
        free = [
            c for c in self.code if c.role is None and c.index not in self.used and c.source.strip()
        ]
        names = set(answer.names)
        defining = [c for c in free if names and names <= set(defined_names(c.source))]
        if defining:
            self.repairs.append(
                f"{exercise.id}: the answer cell was found by what it defines "
                f"({', '.join(answer.names)})."
            )
            return defining[-1]
        here = [
            c for c in free
            if self.sections.get(c.index) == exercise.id and not _CALLS.search(c.source)
        ]  # fmt: skip
        if here:
            self.repairs.append(f"{exercise.id}: the answer cell was found under its heading.")
            return here[-1]
        return None

    def _note_moved(self, exercise: Exercise, cell: Cell) -> None:
        place = self.order.get(cell.index)
        if place is not None:
            if place < self.last:
                self.repairs.append(f"{exercise.id}: the answer cell had been moved.")
            self.last = max(self.last, place)

    def names_elsewhere(self) -> dict[str, int]:
        """Return the names that only ignored cells define, with the cell's position."""
        names: dict[str, int] = {}
        ignored = [c for c in self.code if c.index not in self.used and c.role in (None, "given")]
        for cell in [*ignored, *self.left_over]:
            names.update(dict.fromkeys(defined_names(cell.source), cell.index))
        return names


def _joined(cells: list[Cell], answer: Answer) -> Cell | None:
    """Return one cell made of those that a learner has split an answer into, or None.

    Only where each defines something else, and the last one alone not all that is asked for.
    """
    if not 2 <= len(cells) <= 20:
        return None
    names = [set(defined_names(c.source)) for c in cells]
    together = set().union(*names)
    wanted = set(answer.names)
    if wanted <= names[-1] or not wanted <= together or sum(map(len, names)) > len(together):
        return None
    return replace(cells[-1], source="\n\n".join(c.source for c in cells))


def _sections(notebook: Notebook) -> dict[int, str]:
    """Return for each cell the exercise whose heading it stands under."""
    found: dict[int, str] = {}
    current: str | None = None
    for cell in notebook.cells:
        if cell.kind == "markdown":
            headings = _HEADING.findall(cell.source)
            current = headings[-1] if headings else current
        elif current:
            found[cell.index] = current
    return found


def _attempt(exercise: Exercise, cells: list[Cell | None], given: str) -> Attempt:
    sources = [cell.source if cell else "" for cell in cells]
    attempt = Attempt(exercise.id, sources)
    if all(cell is None for cell in cells):
        attempt.state = "missing"
        attempt.message = (
            f"The answer cell of {exercise.id} is missing. `ffcourse reset {exercise.id}` "
            "brings it back."
        )
    elif all(is_stub(source, exercise.stubs) for source in sources):
        attempt.state, attempt.message = "not_attempted", "Not written yet."
    else:
        for source, answer in zip(sources, exercise.answers, strict=True):
            fault = _fault(source, answer, given)
            if fault:
                attempt.state, attempt.message = "broken", fault
                break
    return attempt


def _fault(source: str, answer: Answer, given: str) -> str | None:
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return str(tree)
    used = forbidden_use(source, answer.forbid, given)
    if used:
        return f"The answer uses `{used}`, which this exercise asks you to do without."
    return None
