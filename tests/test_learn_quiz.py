"""Quizzes: which questions come, what their answers say, and where to start."""

from __future__ import annotations

import json

import pytest

from ffcourse.learn import bank, board, quizzes, store, widgets
from tests.learn_shell import course  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("course")
DAY = 86_400


def ids(chapter, history=None, now=0.0):
    return [item.id for item in bank.pick(chapter, history or {}, now)]


def test_three_of_its_own_and_two_from_different_earlier_chapters():
    assert ids("03") == ["03.q1", "03.q2", "03.q3", "02.q5", "01.q5"]


def test_the_first_chapter_asks_five_of_its_own():
    assert ids("01") == [f"01.q{k}" for k in range(1, 6)]


def test_what_was_wrong_comes_back_first_and_what_was_right_rests():
    history = {"01.q2": {"box": 0, "when": 0}, "02.q5": {"box": 1, "when": 0}}
    assert ids("03", history, now=0.5 * DAY)[3:] == ["01.q2", "01.q5"]
    assert ids("03", history, now=2 * DAY)[3:] == ["01.q2", "02.q5"]
    history["02.q5"]["box"] = 3
    assert ids("03", history, now=2 * DAY)[3:] == ["01.q2", "01.q5"]


def test_own_questions_not_yet_known_come_first():
    history = {"01.q1": {"box": 1, "when": 0}}
    assert ids("02", history)[:3] == ["02.q1", "02.q2", "02.q3"]
    assert ids("01", history) == ["01.q2", "01.q3", "01.q4", "01.q5", "01.q1"]


def test_an_unknown_quiz_names_the_known_ones():
    with pytest.raises(LookupError, match="01, 02, 03"):
        bank.load("77")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda q: q["choices"][0].update(right=True, because="x"), "exactly one"),
        (lambda q: q["choices"][2].update(because=" "), "reason"),
        (lambda q: q.pop("question"), "needs 'id'"),
        (lambda q: q.update(id="01.q2"), "same id"),
    ],
)
def test_a_faulty_file_is_named(course, change, words):  # noqa: F811
    place = course / "chapters" / "quiz" / "01.json"
    questions = json.loads(place.read_text(encoding="utf-8"))
    change(questions[0])
    place.write_text(json.dumps(questions), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        bank.load("01")


def test_without_a_kernel_each_choice_unfolds_its_reason():
    items = bank.pick("02", {}, 0.0)
    page = quizzes.as_html(items, "Quiz 02")
    assert page.count("<details>") == 15
    assert "✔ Right. second" in page
    assert "✘ No. third" in page
    text = quizzes.as_text(items, "Quiz 02")
    assert "a) a" in text
    assert "Right" not in text


@pytest.fixture
def panel(monkeypatch):
    made = []
    monkeypatch.setattr(widgets, "interactive", lambda: True)
    monkeypatch.setattr(widgets, "show", lambda panel, text, html: made.append(panel))
    quizzes.quiz("02")
    return made[0]


def blocks(panel):
    """Return (radio, button, feedback) of each question, and the summary."""
    parts = panel.children[2:-1]
    return [(r, *row.children) for _, r, row in zip(*[iter(parts)] * 3, strict=True)], (
        panel.children[-1]
    )


def test_a_wrong_choice_gets_its_reason_and_another_try(panel):
    questions, summary = blocks(panel)
    radio, button, feedback = questions[0]
    button.click()
    assert "Choose an answer" in feedback.value
    radio.index = 2
    button.click()
    assert "third" in feedback.value
    radio.index = 1
    button.click()
    assert "✔ Right. second" in feedback.value
    assert store.load()["quiz"]["02.q1"]["box"] == 0
    assert summary.value == ""


def test_at_the_end_first_tries_are_counted(panel):
    questions, summary = blocks(panel)
    for number, (radio, button, _) in enumerate(questions):
        if number == 0:
            radio.index = 2
            button.click()
        for index in (0, 1):
            radio.index = index
            button.click()
    assert "right at the first try" in summary.value
    kept = store.load()["quiz"]
    assert len(kept) == 5
    assert {entry["box"] for entry in kept.values()} <= {0, 1}


def test_placement_says_where_to_start():
    items = board.placement_items()
    assert [item.id for item in items] == ["01.q1", "02.q1", "03.q1"]
    tries = {"01.q1": True, "02.q1": False, "03.q1": True}
    assert "chapter 02" in board._advice(items, tries)
    assert "You knew all" in board._advice(items, dict.fromkeys(tries, True))
