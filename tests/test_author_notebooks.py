"""Generating, running, navigating, releasing: idempotent, atomic, clear about faults."""

from __future__ import annotations

import json

import pytest

from ffcourse.author import command, course_map, glossary, navigation
from ffcourse.author import notebook as nb
from ffcourse.author import run as running
from ffcourse.author.generate import exercise_notebook, generate, target
from ffcourse.author.new import create
from ffcourse.author.solution import load
from tests.learn_shell import FIXTURE, course  # noqa: F401  (a fixture)

SOLUTION = "solutions/01_tiny.ipynb"


def edit(place, change):
    notebook = json.loads(place.read_text(encoding="utf-8"))
    change(notebook)
    place.write_text(json.dumps(notebook), encoding="utf-8")


def test_the_fixture_is_what_generate_makes(course):  # noqa: F811
    assert generate([course / SOLUTION], check=True) == []


def test_generating_is_idempotent_and_notices_every_difference(course):  # noqa: F811
    place = course / SOLUTION
    assert generate([place]) == []
    exercise = target(place)
    edit(exercise, lambda n: n["cells"].pop())
    assert generate([place], check=True) == [exercise]
    assert generate([place]) == [exercise]
    assert generate([place], check=True) == []


def test_an_exercise_holds_no_answer_check_or_mistake():
    made = exercise_notebook(load(FIXTURE / SOLUTION))
    roles = [nb.role(cell) for cell in made["cells"]]
    assert roles[:4] == ["intro", "nav", "given", "prompt"]
    assert not {"truth", "mistake", "alternative", "stub"} & set(roles)
    text = nb.dump(made)
    assert "X @ w + b" not in text
    assert "%%" not in text
    assert "Try three columns" not in text
    assert "forgot-bias" not in text
    ids = [cell["id"] for cell in made["cells"]]
    assert len(ids) == len(set(ids))
    assert all(not cell.get("outputs") for cell in made["cells"])


def test_facts_stand_under_the_heading():
    made = exercise_notebook(load(FIXTURE / SOLUTION))
    prompt = next(cell for cell in made["cells"] if cell["id"] == "01-1-prompt")
    lines = prompt["source"].splitlines()
    assert lines[2] == "**3 points** · difficulty ●○○ (1 of 3) · about 5 minutes"


def test_a_written_stub_takes_the_place_of_the_generated_one():
    made = exercise_notebook(load(FIXTURE / SOLUTION))
    cell = next(cell for cell in made["cells"] if cell["id"] == "01-3-answer")
    assert "w - (y_i" in cell["source"]


def test_without_visible_checks_there_is_no_check_cell():
    ids = [cell["id"] for cell in exercise_notebook(load(FIXTURE / SOLUTION))["cells"]]
    assert "01-1-check" in ids
    assert "01-2-check" not in ids


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["metadata"].pop("ffcourse"), "needs ffcourse metadata"),
        (lambda c: c["metadata"]["ffcourse"].update(role="chek"), "unknown role 'chek'"),
        (lambda c: c["metadata"]["ffcourse"].update(exercise="01.9"), "must begin with"),
    ],
)
def test_a_cell_that_would_be_misread_is_named(course, change, words):  # noqa: F811
    edit(course / SOLUTION, lambda n: change(n["cells"][4]))
    with pytest.raises(ValueError, match=r"01_tiny\.ipynb, cell 5.*") as error:
        load(course / SOLUTION)
    assert words in str(error.value)


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    place = tmp_path / "01_x.ipynb"
    for content in ("", "[]", '{"nbformat": 3}'):
        place.write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=r"01_x\.ipynb is not a notebook"):
            nb.read(place)


def chapter(course, *cells):  # noqa: F811
    place = course / "chapters" / "02_small.ipynb"
    nb.write(place, nb.new([nb.markdown("x", "# Small"), *cells], {}))
    return place


@pytest.mark.slow
def test_a_run_stores_tidy_outputs_and_is_idempotent(course):  # noqa: F811
    noisy = "import sys\nprint('a')\nprint('b', file=sys.stdout)\n2 + 2"
    nb.write(course / "chapters" / "00_welcome.ipynb", nb.new([nb.markdown("t", "# W")], {}))
    place = chapter(course, nb.code("one", noisy), nb.code("two", "  "))
    assert running.run(place)
    stored = nb.read(place)
    assert stored["metadata"]["ffcourse"]["title"] == "Small"
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1]
    assert [o["output_type"] for o in code[0]["outputs"]] == ["stream", "execute_result"]
    assert code[0]["id"] == "02-code"
    assert nb.role(stored["cells"][1]) == "nav"
    before = place.read_bytes()
    assert not running.run(place)
    assert place.read_bytes() == before


@pytest.mark.slow
def test_a_run_that_raises_or_warns_stores_nothing(course, capsys):  # noqa: F811
    place = chapter(course, nb.code("one", "1 / 0"))
    before = place.read_bytes()
    assert command.main(["run", "02"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert place.read_bytes() == before


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ({"output_type": "stream", "name": "stderr", "text": "Warning!"}, "mend the cause"),
        (
            {"output_type": "execute_result", "data": {"text/plain": "<f at 0x7fc29b57d440>"}},
            "memory address",
        ),
    ],
)
def test_outputs_that_change_are_refused(output, words):
    with pytest.raises(running.RunError, match=words):
        running.normalised([output], "cell 1")


def test_a_widget_gives_way_to_its_picture():
    widget = {"application/vnd.jupyter.widget-view+json": {}, "image/png": "x"}
    (kept,) = running.normalised([{"output_type": "display_data", "data": widget}], "cell 1")
    assert list(kept["data"]) == ["image/png"]


def test_navigation_leads_to_the_neighbours(course):  # noqa: F811
    for key in ("00_welcome", "01_tiny", "02_more"):
        meta = {"title": key[3:].title()}
        nb.write(course / "chapters" / f"{key}.ipynb", nb.new([nb.markdown("t", "# T")], meta))
    assert navigation.chapter_line("01_tiny") == (
        "← [00 Welcome](00_welcome.ipynb) · [Course map](00_welcome.ipynb) · "
        "[Exercises 01](../exercises/01_tiny.ipynb) · [02 More](02_more.ipynb) →"
    )
    assert navigation.exercise_line("01_tiny") == (
        "← [01 Tiny](../chapters/01_tiny.ipynb) · [Course map](../chapters/00_welcome.ipynb)"
    )
    assert command.main(["nav", "--check"]) == 1
    assert command.main(["nav"]) == 0
    assert command.main(["nav", "--check"]) == 0
    assert generate([course / SOLUTION], check=True) == []


MAP = """```mermaid
flowchart TD
    N1["01 Tiny"] --> N2["02 Later"]
    classDef coming stroke-dasharray: 4 4
    class N1,N2 coming
```

**Open now:** nothing
at all.

More."""


def test_the_map_and_the_readme_say_what_is_ready(course):  # noqa: F811
    chapters = course / "chapters"
    cells = [nb.markdown("t", "# T"), nb.markdown("m", MAP, {"role": "map"})]
    nb.write(chapters / "00_welcome.ipynb", nb.new(cells, {"title": "Welcome"}))
    nb.write(chapters / "01_tiny.ipynb", nb.new([nb.markdown("t", "# T")], {"title": "Tiny"}))
    readme = course / "README.md"
    readme.write_text("| 00 | Welcome | coming |\n| 01 | A | x |\n| 02 | B | ready |\n", "utf-8")
    assert command.main(["nav"]) == 0
    text = nb.read(chapters / "00_welcome.ipynb")["cells"][2]["source"]
    assert "class N2 coming\n" in text
    assert (
        "**Open now:** [01 Tiny](01_tiny.ipynb), [exercises](../exercises/01_tiny.ipynb) ·\n"
        "the [glossary](glossary.md), in English and Chinese.\n\nMore." in text
    )
    assert readme.read_text("utf-8") == (
        "| 00 | Welcome | ready |\n| 01 | A | ready, with exercises |\n| 02 | B | coming |\n"
    )
    assert command.main(["nav", "--check"]) == 0
    nb.write(chapters / "02_later.ipynb", nb.new([nb.markdown("t", "# T")], {"title": "Later"}))
    assert navigation.update(chapters / "00_welcome.ipynb", check=True)
    assert course_map.update_readme(check=True) == [readme]


def test_a_new_chapter_has_every_part(course, capsys):  # noqa: F811
    assert command.main(["new", "07_mlp"]) == 0
    assert "solutions/07_mlp.ipynb" in capsys.readouterr().out
    made = load(course / "solutions" / "07_mlp.ipynb")
    assert list(made.exercises) == ["07.1"]
    assert exercise_notebook(made)["cells"]
    with pytest.raises(FileExistsError):
        create("07_mlp")
    with pytest.raises(ValueError, match="looks like 03_layer"):
        create("seven")


def test_a_release_holds_no_answers(course, tmp_path):  # noqa: F811
    out = tmp_path / "class"
    for _ in range(2):
        assert command.main(["release", str(out)]) == 0
    assert (out / "exercises" / "01_tiny.ipynb").is_file()
    assert not (out / "solutions").exists()
    text = (out / "bundles" / "01_tiny.json").read_text(encoding="utf-8")
    assert "X @ w + b" not in text
    assert "random rows" not in text
    assert "two rows" in text


def test_a_release_into_the_course_or_out_of_step_is_refused(course, tmp_path, capsys):  # noqa: F811
    assert command.main(["release", str(course / "chapters" / "x")]) == 1
    assert "folder of its own" in capsys.readouterr().err
    edit(course / "exercises" / "01_tiny.ipynb", lambda n: n["cells"].pop())
    assert command.main(["release", str(tmp_path / "out")]) == 1
    assert "author generate" in capsys.readouterr().err


def test_asking_for_a_notebook_that_is_not_there(course, capsys):  # noqa: F811
    assert command.main(["generate", "44"]) == 1
    assert "no notebook 44" in capsys.readouterr().err


def test_glossary_links_are_held_to_first_use(course):  # noqa: F811
    text = '<a id="bias"></a>**bias** 偏置\n\n### Weighted sum\n'
    (course / "chapters" / "glossary.md").write_text(text, encoding="utf-8")
    place = chapter(
        course,
        nb.markdown("a", "you will"),
        nb.markdown("b", "The bias comes `weight` first."),
        nb.markdown("c", "A [bias](glossary.md#bias), a [weighted sum](glossary.md#weighted-sum)."),
        nb.markdown("d", "A [slope](glossary.md#slope)."),
    )
    assert glossary.link_faults(place) == [
        "cell 4: 'bias' is linked here, but used first in cell 3",
        "cell 5: the glossary has no term #slope",
    ]
