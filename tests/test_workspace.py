"""The learner's copies: brought in, renewed while untouched, never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffcourse import workspace


def notebook(*sources: str, outputs: str = "", exercise: str = "01.1") -> str:
    """Return a small notebook whose cells are answer cells."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{i}",
            "metadata": {"ffcourse": {"exercise": exercise, "role": "answer"}},
            "source": source,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": outputs}],
            "execution_count": None,
        }
        for i, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty course with one chapter and one exercise."""
    monkeypatch.setenv("FFCOURSE_ROOT", str(tmp_path))
    (tmp_path / "chapters").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "chapters/01_neuron.ipynb").write_text(notebook("1"), encoding="utf-8")
    (tmp_path / "exercises/01_neuron.ipynb").write_text(notebook("stub"), encoding="utf-8")
    return tmp_path


def sources_of(path: Path) -> list[str]:
    """Return the cell sources of a notebook."""
    return [cell["source"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def test_first_sync_copies_everything(course: Path) -> None:
    update = workspace.sync()
    assert update.new == ["chapters/01_neuron.ipynb", "exercises/01_neuron.ipynb"]
    assert sources_of(course / "work/exercises/01_neuron.ipynb") == ["stub"]


def test_copies_have_no_outputs_that_give_a_prediction_away(course: Path) -> None:
    (course / "chapters/01_neuron.ipynb").write_text(notebook("1", outputs="42"), encoding="utf-8")
    workspace.sync()
    copy = (course / "work/chapters/01_neuron.ipynb").read_text(encoding="utf-8")
    assert "42" not in copy
    assert json.loads(copy)["cells"][0]["outputs"] == []


def test_an_untouched_copy_is_renewed_even_if_it_was_run(course: Path) -> None:
    workspace.sync()
    copy = course / "work/chapters/01_neuron.ipynb"
    copy.write_text(notebook("1", outputs="run by the learner"), encoding="utf-8")
    (course / "chapters/01_neuron.ipynb").write_text(notebook("2"), encoding="utf-8")
    update = workspace.sync()
    assert update.renewed == ["chapters/01_neuron.ipynb"]
    assert sources_of(copy) == ["2"]


def test_a_copy_with_an_answer_in_it_is_kept_and_the_learner_is_told(course: Path) -> None:
    workspace.sync()
    copy = course / "work/exercises/01_neuron.ipynb"
    copy.write_text(notebook("my answer"), encoding="utf-8")
    (course / "exercises/01_neuron.ipynb").write_text(notebook("new stub"), encoding="utf-8")
    for _ in range(2):  # and told again at the next start
        update = workspace.sync()
        assert update.kept == ["exercises/01_neuron.ipynb"]
        assert sources_of(copy) == ["my answer"]
        assert "reset 01" in update.sentences()[0]


def test_a_copy_that_was_thrown_away_stays_away_until_there_is_a_new_version(course: Path) -> None:
    workspace.sync()
    copy = course / "work/chapters/01_neuron.ipynb"
    copy.unlink()
    workspace.sync()
    assert not copy.exists()
    (course / "chapters/01_neuron.ipynb").write_text(notebook("2"), encoding="utf-8")
    workspace.sync()
    assert sources_of(copy) == ["2"]


def test_a_broken_manifest_costs_no_answers(course: Path) -> None:
    workspace.sync()
    copy = course / "work/exercises/01_neuron.ipynb"
    copy.write_text(notebook("my answer"), encoding="utf-8")
    (course / "work/.copies.json").write_text("{broken", encoding="utf-8")
    workspace.sync()
    assert sources_of(copy) == ["my answer"]


def test_files_of_the_learner_are_not_touched(course: Path) -> None:
    workspace.sync()
    own = course / "work/chapters/notes.md"
    own.write_text("mine", encoding="utf-8")
    workspace.sync()
    assert own.read_text(encoding="utf-8") == "mine"


def test_resetting_one_exercise_keeps_the_old_answer_below(course: Path) -> None:
    workspace.sync()
    copy = course / "work/exercises/01_neuron.ipynb"
    copy.write_text(notebook("my answer"), encoding="utf-8")
    assert "your old answer stands below" in workspace.reset("01.1")
    cells = json.loads(copy.read_text(encoding="utf-8"))["cells"]
    assert [(c["cell_type"], c["source"]) for c in cells] == [
        ("code", "stub"),
        ("raw", "my answer"),
    ]


def test_resetting_a_notebook_keeps_the_old_one_beside(course: Path) -> None:
    workspace.sync()
    copy = course / "work/exercises/01_neuron.ipynb"
    for number in (1, 2):
        copy.write_text(notebook(f"answer {number}"), encoding="utf-8")
        workspace.reset("01")
        assert sources_of(copy) == ["stub"]
        assert sources_of(copy.with_name(f"01_neuron.old-{number}.ipynb")) == [f"answer {number}"]


@pytest.mark.parametrize("what", ["99", "01.9"])
def test_resetting_what_is_not_there_says_so(course: Path, what: str) -> None:
    workspace.sync()
    with pytest.raises(LookupError, match=f"no exercise.*'{what}'"):
        workspace.reset(what)


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = course / "precious.json"
    target.write_text("old", encoding="utf-8")

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workspace.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        workspace.replace(target, b"new")
    assert target.read_text(encoding="utf-8") == "old"
    assert not list(course.glob(".precious*"))
