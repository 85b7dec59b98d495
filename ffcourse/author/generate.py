"""Make an exercise notebook from its solution: always the same bytes from the same source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ffcourse.author import notebook as nb
from ffcourse.author.navigation import exercise_line
from ffcourse.author.solution import Exercise, Solution, body, load
from ffcourse.author.stubs import make_stub

HAND_IN = (
    "## Hand in\n\nSave the notebook first (Ctrl+S, on a Mac ⌘S), then run the next cell. "
    "Everything is graded on your own machine; hidden checks run only now. "
    "You can hand in as often as you like."
)


def exercise_notebook(solution: Solution) -> nb.Notebook:
    """Return the exercise notebook of a solution: prompts, given code, stubs, visible checks."""
    cells: list[nb.Cell] = []
    counts: dict[tuple[str, str], int] = {}
    open_check = ""
    for cell in solution.notebook["cells"]:
        about, role = nb.about(cell), nb.role(cell)
        identity = str(about.get("exercise", solution.chapter))
        if open_check and _leaves(role, identity, open_check):
            cells += _check_cell(solution, open_check, counts)
            open_check = ""
        if role in ("", "intro", "given", "prompt", "answer"):
            cells += _copied(cell, role, identity, solution, counts)
        if role == "answer":
            open_check = identity
    if open_check:
        cells += _check_cell(solution, open_check, counts)
    cells += _hand_in(solution, counts)
    meta = {**solution.notebook["metadata"].get("ffcourse", {}), "schema": 1}
    return nb.new(_with_navigation(cells, solution), {**meta, "notebook": solution.key})


def _leaves(role: str, identity: str, open_check: str) -> bool:
    """Say whether the answer cells of an exercise are over, so that its check can follow."""
    return identity != open_check or role not in ("answer", "stub", "given")


def _copied(
    cell: nb.Cell, role: str, identity: str, solution: Solution, counts: dict[tuple[str, str], int]
) -> list[nb.Cell]:
    place = _id(identity, role or "text", counts)
    if role == "answer":
        exercise = solution.exercises[identity]
        stub = _stub(exercise, cell)
        return [nb.code(place, stub, {"exercise": identity, "role": "answer"})]
    if cell["cell_type"] == "code":
        return [nb.code(place, nb.source(cell), {"exercise": identity, "role": role})]
    meta: dict[str, Any] = {"exercise": identity, "role": role} if role else {}
    text = nb.source(cell)
    if role == "prompt":
        text = with_facts(text, solution.exercises[identity])
    return [nb.markdown(place, text, meta)]


def _stub(exercise: Exercise, cell: nb.Cell) -> str:
    """Return the written stub of an answer cell, or a generated one."""
    written, answers = exercise.of("stub"), exercise.of("answer")
    number = next(index for index, answer in enumerate(answers) if answer is cell)
    if written:
        return body(written[number]).rstrip("\n") if number < len(written) else ""
    return make_stub(nb.source(cell), exercise.id, nb.about(cell).get("names"))


def with_facts(prompt: str, exercise: Exercise) -> str:
    """Put the line of points, difficulty and minutes under a prompt's heading."""
    about = exercise.about
    level = int(about.get("difficulty", 1))
    dots = "●" * level + "○" * (3 - level)
    points = f"{exercise.points} point{'' if exercise.points == 1 else 's'}"
    minutes = about.get("minutes", "?")
    line = f"**{points}** · difficulty {dots} ({level} of 3) · about {minutes} minutes"
    heading, _, rest = prompt.partition("\n")
    return f"{heading}\n\n{line}\n\n{rest.lstrip()}".rstrip("\n")


def _check_cell(
    solution: Solution, identity: str, counts: dict[tuple[str, str], int]
) -> list[nb.Cell]:
    visible = [
        cell
        for cell in solution.exercises[identity].of("check")
        if not nb.about(cell).get("hidden", False)
    ]
    if not visible:
        return []
    meta = {"exercise": identity, "role": "check"}
    return [nb.code(_id(identity, "check", counts), f'check("{identity}")', meta)]


def _hand_in(solution: Solution, counts: dict[tuple[str, str], int]) -> list[nb.Cell]:
    number = solution.chapter
    return [
        nb.markdown(
            _id(number, "hand-in", counts), HAND_IN, {"exercise": number, "role": "hand-in"}
        ),
        nb.code(_id(number, "submit", counts), "submit()", {"exercise": number, "role": "submit"}),
    ]


def _with_navigation(cells: list[nb.Cell], solution: Solution) -> list[nb.Cell]:
    """Put the navigation line under the title; each run replaces it."""
    line = nb.markdown(f"{solution.chapter}-nav", exercise_line(solution.key), {"role": "nav"})
    return [*cells[:1], line, *cells[1:]]


def _id(identity: str, role: str, counts: dict[tuple[str, str], int]) -> str:
    """Return a cell id that stays the same from one generation to the next."""
    number = counts.get((identity, role), 0) + 1
    counts[identity, role] = number
    tail = "" if number == 1 else f"-{number}"
    return f"{identity.replace('.', '-')}-{role}{tail}"


def target(path: Path) -> Path:
    """Return the exercise notebook's place for a solution's."""
    return path.parent.parent / "exercises" / path.name


def generate(paths: list[Path], *, check: bool = False) -> list[Path]:
    """Write the exercise notebooks of solutions.

    Parameters
    ----------
    paths : list of Path
        Solution notebooks.
    check : bool
        Only look whether anything would change.

    Returns
    -------
    list of Path
        The exercise notebooks that changed (or would).
    """
    changed = []
    for path in paths:
        made = exercise_notebook(load(path))
        place = target(path)
        if check:
            same = place.is_file() and place.read_text(encoding="utf-8") == nb.dump(made)
            if not same:
                changed.append(place)
        elif nb.write(place, made):
            changed.append(place)
    return changed
