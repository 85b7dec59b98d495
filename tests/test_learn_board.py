"""The progress board and the self-check."""

from __future__ import annotations

import pytest

from ffcourse.learn import board, command, selfcheck, store
from tests.learn_shell import course  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("course")


@pytest.fixture
def begun(course):  # noqa: F811
    def change(data):
        data["exercises"]["01.1"] = {"status": "passed", "points": 3, "max_points": 3}
        data["exercises"]["01.2"] = {"status": "wrong", "points": 0.5, "max_points": 1}
        data["exercises"]["01.3"] = {"status": "not_attempted"}
        data["quiz"]["01.q1"] = {"box": 1, "when": 0}
        data["quiz"]["01.q2"] = {"box": 0, "when": 0}
        data["predictions"]["01.a"] = {"answer": 1, "confidence": "certain", "right": False}
        data["predictions"]["01.b"] = {"answer": 1, "confidence": "certain", "right": True}
        data["predictions"]["01.c"] = {"answer": "x", "confidence": "certain", "right": None}

    assert store.update(change)


@pytest.mark.usefixtures("begun")
def test_the_board_shows_where_one_is(capsys):
    assert command.main(["progress"]) == 0
    out = capsys.readouterr().out
    assert "01  Tiny  ■◪□  1 of 3, 3.5 points  quiz 1 of 2" in out
    assert "Your predictions: certain: 1 of 2 right." in out
    assert "Next: exercise 01.2." in out


@pytest.mark.usefixtures("begun")
def test_the_board_is_a_table_with_words_beside_the_squares():
    data = store.load()
    page = board.as_html(board.board(data), data)
    assert '<th scope="row">01 Tiny</th>' in page
    assert 'aria-hidden="true"' in page
    assert "1 of 3, 3.5 points" in page


def test_an_empty_board_is_readable():
    data = store.load()
    assert "01  Tiny  □□□  0 of 3, 0 points" in board.as_text(board.board(data), data)


def test_damaged_entries_do_not_break_the_board():
    store.update(lambda data: data["exercises"].update({"01.1": "odd", "01.2": {"points": "x"}}))
    data = store.load()
    assert board.board(data)[0].points == 0


def test_the_self_check_names_everything():
    findings = selfcheck.all_findings()
    whats = [finding.what for finding in findings]
    assert whats[0] == "Python"
    assert {"numpy", "ipywidgets", "Sliders", "Your own copies", "Sandbox for grading"} <= {*whats}
    text = selfcheck.as_text(findings)
    assert "✔ fine" in text
    assert "<table>" in selfcheck.as_html(findings)


def test_problems_are_counted_and_advised(monkeypatch):
    monkeypatch.setattr(selfcheck, "OLDEST", (9, 0))
    monkeypatch.setattr(selfcheck, "NEEDED", ("numpy", "no-such-package-here"))
    findings = selfcheck.all_findings()
    text = selfcheck.as_text(findings)
    assert "2 things to mend" in text
    assert "ffcourse lab" in text


def test_pins_are_read_for_this_python(tmp_path):
    place = tmp_path / "requirements.txt"
    place.write_text(
        "numpy==2.4.6 ; python_full_version < '3.12'\n"
        "numpy==2.5.5 ; python_full_version >= '3.12'\n"
        "rich==15.0.0\n# a comment\n",
        encoding="utf-8",
    )
    pins = selfcheck.pins(place)
    assert pins["rich"] == "15.0.0"
    assert pins["numpy"] in ("2.4.6", "2.5.5")
    assert selfcheck.pins(tmp_path / "none.txt") == {}


def test_another_version_is_a_note(monkeypatch):
    assert selfcheck._package("numpy", "0.0.1").state == "note"
