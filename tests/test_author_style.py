"""Each limit of style is really held: one faulty chapter a limit."""

from __future__ import annotations

import pytest

from ffcourse.author import notebook as nb
from ffcourse.author import style
from ffcourse.author.navigation import update
from tests.learn_shell import course  # noqa: F401  (a fixture)

PNG = {"image/png": "x", "text/plain": "A line that falls from left to right."}


def display(data, kind="display_data"):
    made = {"output_type": kind, "data": data, "metadata": {}}
    return made | ({"execution_count": 1} if kind == "execute_result" else {})


def good():
    """Return the cells of a chapter without fault."""
    sections = []
    for k in range(1, 5):
        text = f"## {k} · A question\n\nSymptom, cause, cure; a baseline."
        live = display(PNG, "execute_result")
        sections += [
            nb.markdown(f"t{k}", text),
            nb.code(f"p{k}", f'predict("02.{k}", "What?", choices=["a", "b"])'),
            nb.code(f"f{k}", "data.load_digits()") | {"outputs": [live]},
            nb.code(f"r{k}", f'reveal("02.{k}", "a")'),
        ]
    opening = "# Teach it\n\nYou will do, learn and need little. 10 minutes."
    close = "## Summary\n\n- One.\n\n## Conventions\n\n## Exercises\n\n## Sources\n\nA book, 1990."
    cells = [
        nb.markdown("t", opening),
        nb.code("i", "from ffcourse import data"),
        *sections,
        nb.markdown("close", close),
        nb.code("q", 'quiz("02")'),
    ]
    for count, cell in enumerate((c for c in cells if c["cell_type"] == "code"), 1):
        cell["execution_count"] = count
    return cells


def faults(course, change=lambda cells: None):  # noqa: F811
    cells = good()
    change(cells)
    place = course / "chapters" / "02_small.ipynb"
    nb.write(place, nb.new(cells, {"notebook": "02_small"}))
    update(place)
    return style.chapter_faults(place)


def test_a_good_chapter_has_no_faults(course):  # noqa: F811
    assert faults(course) == []


def put(index, text):
    return lambda cells: cells[index].update(source=text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (put(4, "\n".join("x = 1" for _ in range(21))), "21 lines of code"),
        (put(2, "## 1 · A\n\n" + "word " * 121), "123 words"),
        (put(2, "## 1 · A\n\nThis is simply so."), "'simply'"),
        (put(2, "## 1 · A\n\n![](a.png)"), "without alt text"),
        (put(4, "from numpy import *"), "star"),
        (put(4, "!pip install x"), "installs"),
        (put(4, "import os"), "one import cell"),
        (put(0, "Teach it. You will do, learn, need. Minutes."), "must begin with a title"),
        (put(0, "# Teach it"), "'minutes'"),
        (put(2, "# Second\n\n## 1 · A"), "2 titles"),
        (put(2, "no section"), "3 numbered sections"),
        (put(-2, "## Summary\n\n" + "- a\n" * 6), "more than five bullets"),
        (put(-2, "## Summary"), "no part '## Sources'"),
        (put(-1, "1"), "no quiz"),
        (put(5, "1"), "only one of predict and reveal"),
        (put(5, 'reveal("02.9", "a")'), "only one of predict and reveal"),
        (lambda cells: cells[4].update(source='reveal("02.1", "a")'), "there twice"),
        (lambda cells: [c.update(outputs=[]) for c in cells if "outputs" in c], "live figures"),
        (lambda cells: cells[4].update(execution_count=None), "has the count None"),
        (
            lambda cells: cells[4]["outputs"].append(
                display({"image/png": "x", "text/plain": "<Figure>"})
            ),
            "use show.figure",
        ),
        (
            lambda cells: cells[4]["outputs"].append(
                {"output_type": "stream", "name": "stderr", "text": "W"}
            ),
            "warns",
        ),
        (
            lambda cells: cells[4]["outputs"].append(
                {"output_type": "stream", "name": "stdout", "text": "<f at 0x7fc29b57d440>"}
            ),
            "memory address",
        ),
        (
            lambda cells: cells[4]["outputs"].append(display({"image/png": "x" * 700_000})),
            "KB",
        ),
    ],
)
def test_each_limit_is_held(course, change, words):  # noqa: F811
    found = faults(course, change)
    assert any(words in fault for fault in found), found


def test_words_are_what_is_read_as_running_text():
    text = "One `two three` $four + five$ [six](seven) \n| eight |\n```\nnine\n```\nten"
    assert style.words(text) == len(["One", "code", "formula", "six", "ten"])
    assert style.words("## Sources\n\n- " + "book " * 300) == 0
    assert style.words("<details><summary>x</summary>\n\nmany words\n</details>") == 0


def test_an_old_navigation_line_is_a_fault(course):  # noqa: F811
    assert faults(course) == []
    nb.write(
        course / "chapters" / "03_next.ipynb", nb.new([nb.markdown("t", "# Next")], {"title": "N"})
    )
    place = course / "chapters" / "02_small.ipynb"
    assert any("navigation" in fault for fault in style.chapter_faults(place))


def test_the_placeholder_of_a_new_chapter_is_no_title(course):  # noqa: F811
    place = course / "chapters" / "02_small.ipynb"
    nb.write(place, nb.new(good(), {"notebook": "02_small", "title": "Title"}))
    assert any("no title for links" in fault for fault in style.chapter_faults(place))
