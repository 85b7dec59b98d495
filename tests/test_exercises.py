"""The gates that every exercise must pass, over all solution notebooks found.

Most are judged from the values stored in the solutions (`tests/test_notebooks.py` holds that
a fresh run gives the same ones); three gradings a notebook go the whole way.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from ffcourse.author import mutation
from ffcourse.author import notebook as nb
from ffcourse.author.gates import exercise_faults
from ffcourse.author.seeds import seed_faults
from ffcourse.author.solution import Solution, body, load, solutions
from ffcourse.author.stubs import defined
from ffcourse.grade import Grader

SOLUTIONS = solutions()
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)


def test_there_are_exercises() -> None:
    assert SOLUTIONS


@each_solution
def test_form_variants_leaks_and_generation(path: Path) -> None:
    """Form, alternatives that pass, mistakes that are named, no leaks, exercises in step."""
    assert exercise_faults(path) == []


@pytest.mark.slow
@each_solution
@pytest.mark.parametrize("seed", [1, 2])
def test_other_inputs_are_as_fair(path: Path, seed: int) -> None:
    """What `grade --seed` draws; `ffcourse author seeds` tries twenty."""
    assert seed_faults(path, seed) == []


@cache
def fates(path: Path) -> list[mutation.Fate]:
    return mutation.fates(path)


@pytest.mark.slow
@each_solution
def test_mutants_are_killed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = fates(path)
    with capsys.disabled():
        print(f"\n{path.stem}: {mutation.summary(found)}")
    assert mutation.rate(found) >= 0.9


@pytest.mark.slow
def test_mutants_of_all_notebooks_together(capsys: pytest.CaptureFixture[str]) -> None:
    found = [fate for path in SOLUTIONS for fate in fates(path)]
    with capsys.disabled():
        print(f"\nall notebooks: {mutation.summary(found).splitlines()[0]}")
    assert mutation.rate(found) >= mutation.GOAL


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(trusted=True) as made:
        yield made


def submission(solution: Solution, folder: Path, mistaken: Sequence[str] = ()) -> Path:
    """Fill an exercise notebook with the references, or where asked with the first mistake."""
    exercise = nb.read(solution.path.parent.parent / "exercises" / solution.path.name)
    answers = {
        key: [nb.source(cell) for cell in found.of("answer")]
        for key, found in solution.exercises.items()
    }
    for cell in exercise["cells"]:
        if nb.role(cell) != "answer":
            continue
        key = str(nb.about(cell)["exercise"])
        cell["source"] = answers[key].pop(0)
        if key in mistaken and not answers[key]:
            cell["source"] += "\n\n" + body(solution.exercises[key].of("mistake")[0])
    place = folder / solution.path.name
    place.write_text(json.dumps(exercise), encoding="utf-8")
    return place


def independent(solution: Solution) -> list[list[str]]:
    """Return the exercises in groups in which none builds on another's answer.

    Of two mistakes one after the other only the first can be named for certain.
    """
    groups: list[list[str]] = []
    below: dict[str, set[str]] = {}
    for key, exercise in solution.exercises.items():
        cells = [*exercise.of("answer"), *exercise.of("check"), *exercise.of("mistake")[:1]]
        used = {
            node.id
            for cell in cells
            for node in ast.walk(ast.parse(body(cell)))
            if isinstance(node, ast.Name)
        }
        direct = [k for k in below if used & set(defined(solution.exercises[k].answer))]
        below[key] = {*direct, *(deeper for k in direct for deeper in below[k])}
        group = next((g for g in groups if not below[key] & set(g)), None)
        if group is None:
            groups.append(group := [])
        group.append(key)
    return groups


@pytest.mark.slow
@each_solution
def test_the_reference_gets_full_marks(path: Path, grader: Grader, tmp_path: Path) -> None:
    solution = load(path)
    report = grader.grade(submission(solution, tmp_path))
    statuses = {e["id"]: (e["status"], e["feedback"]) for e in report["exercises"]}
    assert {status for status, _ in statuses.values()} == {"passed"}, statuses
    assert (
        report["score"] == report["max_score"] == sum(e.points for e in solution.exercises.values())
    )
    assert report["repairs"] == []


@pytest.mark.slow
@each_solution
def test_the_stubs_get_nothing_and_are_not_attempted(path: Path, grader: Grader) -> None:
    report = grader.grade(path.parent.parent / "exercises" / path.name)
    assert {e["status"] for e in report["exercises"]} == {"not_attempted"}
    assert report["score"] == 0


@pytest.mark.slow
@each_solution
def test_first_mistakes_fail_and_are_named(path: Path, grader: Grader, tmp_path: Path) -> None:
    """Each by its name, and none costs a point in another exercise."""
    solution = load(path)
    for group in independent(solution):
        report = grader.grade(submission(solution, tmp_path, group))
        found = {e["id"]: e for e in report["exercises"]}
        assert {key: e["mistake"] for key, e in found.items()} == {
            key: nb.about(exercise.of("mistake")[0])["name"] if key in group else None
            for key, exercise in solution.exercises.items()
        }
        for key, exercise in found.items():
            assert (exercise["points"] < exercise["max_points"]) == (key in group), key
