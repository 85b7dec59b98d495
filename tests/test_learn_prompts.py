"""Predictions are kept, revealed and scored; nothing is written while notebooks are tested."""

from __future__ import annotations

import json

import pytest

from ffcourse.learn import cards, prompts, store, widgets
from ffcourse.learn.prompts import predict, reveal
from tests.learn_shell import Shell, course, shell  # noqa: F401  (fixtures)

pytestmark = pytest.mark.usefixtures("course")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(prompts, "_asked", {})
    monkeypatch.setattr(prompts, "_in_memory", {})


@pytest.fixture
def panels(monkeypatch):
    """Show controls as in JupyterLab, and collect the panels."""
    made = []
    monkeypatch.setattr(widgets, "interactive", lambda: True)
    monkeypatch.setattr(widgets, "show", lambda panel, text, html: made.append((panel, text, html)))
    return made


def parts(panel):
    """Return answer field, confidence, button and note of a prompt's panel."""
    _, _, field, sure, row = panel.children
    field = field.children[0] if hasattr(field, "children") else field
    return field, sure, *row.children


def test_a_choice_is_kept_and_scored(panels, course):  # noqa: F811
    predict("01.a", "Which?", choices=["one", "two"])
    field, sure, button, note = parts(panels[0][0])
    field.value, sure.value = "two", "certain"
    button.click()
    assert "Kept" in note.value
    kept = json.loads((course / "work" / ".progress").read_text(encoding="utf-8"))
    assert kept["predictions"]["01.a"]["answer"] == "two"
    reveal("01.a", "one", because="so it is")
    assert panels[1][1].startswith("✘ Not this time. You were certain")
    assert "so it is" in panels[1][2]
    assert store.load()["predictions"]["01.a"]["right"] is False


def test_a_prediction_cannot_be_changed_after_the_answer(panels):
    predict("01.a", "Which?", choices=["one", "two"])
    field, sure, button, _ = parts(panels[0][0])
    field.value, sure.value = "one", "a guess"
    button.click()
    reveal("01.a", "one")
    predict("01.a", "Which?", choices=["one", "two"])
    field, _, button, note = parts(panels[2][0])
    assert field.value == "one"
    assert field.disabled
    assert button.disabled
    assert "You have seen the answer" in note.value


@pytest.mark.parametrize(
    ("typed", "right"), [("0.5", True), ("0,51", True), ("0.6", False), ("−0.5", False)]
)
def test_a_number_is_right_within_the_tolerance(panels, typed, right):
    predict("01.n", "How much?", unit="%")
    field, sure, button, _ = parts(panels[0][0])
    field.value, sure.value = typed, "fairly sure"
    button.click()
    reveal("01.n", 0.5)
    assert panels[1][1].startswith("✔ Right" if right else "✘ Not this time")
    reveal("01.n", 0.5, tolerance=2)
    assert panels[2][1].startswith("✔ Right")


def test_words_are_compared_by_the_reader(panels):
    predict("01.w", "Why?", text=True)
    field, sure, button, _ = parts(panels[0][0])
    field.value, sure.value = "because <b>", "a guess"
    button.click()
    reveal("01.w", "it turns")
    assert panels[1][1].startswith("Compare your words")
    assert "<b>" not in panels[1][2]


def test_what_is_missing_is_asked_for(panels):
    predict("01.n", "How much?")
    field, _, button, note = parts(panels[0][0])
    field.value = "a lot"
    button.click()
    assert "Type a number" in note.value
    field.value = "3"
    button.click()
    assert "how sure" in note.value
    assert store.load()["predictions"] == {}


def test_without_a_prediction_the_answer_stays_folded(panels):
    reveal("01.none", "this", because="that")
    _, text, page = panels[0]
    assert text == "Answer: this\nWhy: that"
    assert "<details><summary>Show the answer</summary>" in page


def test_an_answer_that_is_no_choice_is_refused():
    predict("01.a", "Which?", choices=["one", "two"])
    with pytest.raises(ValueError, match="not among"):
        reveal("01.a", "three")


@pytest.mark.parametrize("choices", [["one"], ["one", "one"]])
def test_bad_choices_are_refused(choices):
    with pytest.raises(ValueError, match="two or more different"):
        predict("01.a", "Which?", choices=choices)


def test_bad_calls_are_refused():
    with pytest.raises(TypeError, match="key"):
        predict("", "Which?")
    with pytest.raises(ValueError, match="not both"):
        predict("01.a", "Which?", choices=["a", "b"], text=True)


def test_in_tests_the_display_is_static_and_nothing_is_kept(shell, course, monkeypatch):  # noqa: F811
    monkeypatch.setenv("FFCOURSE_NBVAL", "1")
    shell.run("from ffcourse.learn import predict, reveal")
    (shown,) = shell.run("predict('01.a', 'What is $w_1$?', choices=['`a`', 'b'])")
    assert shown["text/plain"] == "Predict first: What is w₁?\n  ( ) a\n  ( ) b"
    assert set(shown) == {"text/plain", "text/html"}
    shell.run("reveal('01.a', '`a`')")
    assert not (course / "work" / ".progress").exists()


def test_a_damaged_progress_file_is_set_aside(course):  # noqa: F811
    place = course / "work" / ".progress"
    place.write_text("{broken", encoding="utf-8")
    assert store.load()["predictions"] == {}
    assert (course / "work" / ".progress.damaged").is_file()
    assert store.remember("predictions", "01.a", {"answer": "one"})
    assert store.load()["predictions"] == {"01.a": {"answer": "one"}}
    assert [p.name for p in place.parent.glob(".progress.*")] == [".progress.damaged"]


def test_nothing_is_kept_without_a_work_folder(course, monkeypatch):  # noqa: F811
    monkeypatch.setenv("FFCOURSE_ROOT", str(course / "chapters"))
    assert not store.remember("predictions", "01.a", {})


def test_a_lock_left_behind_does_not_block(course):  # noqa: F811
    (course / "work" / ".progress.lock").write_text("", encoding="utf-8")
    assert store.remember("quiz", "01.q1", {"box": 1})


def test_sections_of_a_wrong_kind_are_begun_afresh(course):  # noqa: F811
    (course / "work" / ".progress").write_text('{"quiz": [1], "other": 2}', encoding="utf-8")
    assert store.load() == {"schema": 1, **{name: {} for name in store.SECTIONS}}


@pytest.mark.parametrize(
    ("marked", "plain", "html"),
    [
        ("`x < 1` is **so**", "x < 1 is so", "<code>x &lt; 1</code> is <strong>so</strong>"),
        (r"$w \ge 0$", "w ≥ 0", r"$w \ge 0$"),
        (r"$x_{ij}^2$ and $\frac{1}{2}$", r"xᵢⱼ² and $\frac{1}{2}$", None),
        ("5 * 3 and *this*", "5 * 3 and *this*", "5 * 3 and <em>this</em>"),
    ],
)
def test_marks_become_signs_or_html(marked, plain, html):
    assert cards.plain(marked) == plain
    if html is not None:
        assert cards.markup(marked) == html
