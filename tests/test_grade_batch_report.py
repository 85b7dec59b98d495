"""The report on a class, and the hint that answers are alike."""

from __future__ import annotations

import json
import random
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ffcourse.grade.batch.gradebook import Gradebook, Handin, Key
from ffcourse.grade.batch.marks import marks
from ffcourse.grade.batch.overview import class_report
from ffcourse.grade.batch.page import class_page
from ffcourse.grade.batch.people import Student
from ffcourse.grade.batch.similar import pairs, similar
from ffcourse.grade.batch.traces import fingerprint, normalised_tokens
from tests.fake_grader import report

LOOP = '''
def forward(X, W, b):
    """Docstring."""
    total = []
    for row in X:  # each row
        value = sum(w * x for w, x in zip(W, row))
        total.append(value + b if value > 0.5 else -b)
    return np.array(total) * 1.0
'''


@pytest.fixture
def book(tmp_path: Path) -> Any:
    with Gradebook(str(tmp_path / "book.sqlite")) as made:
        yield made


def add(book: Gradebook, student: str, made: dict[str, Any], code: str = "", **more: Any) -> None:
    sha = f"{len(book.students()):064d}"
    person = Student(student, listed=more.pop("listed", True))
    book.add_submissions([Handin(f"{student}.ipynb", sha, person, "90_fake", 0.0, False)])
    book.record(Key(sha, "s", "stored", "1"), made, traces=fingerprint([code]))


def test_names_layout_and_comments_do_not_count() -> None:
    other = LOOP.replace("total", "out").replace("row", "r").replace("    ", "  ")
    other = other.replace('"""Docstring."""', "'''Other.'''").replace("# each row", "# all")
    assert fingerprint([LOOP]).exact == fingerprint([other]).exact
    assert fingerprint([LOOP]).exact != fingerprint([LOOP.replace("sum(", "max(")]).exact
    assert normalised_tokens("def f(a):\n    return np.dot(a, 2)") == [
        "def", "v", "(", "v", ")", ":", "return", "v", ".", "dot", "(", "v", ",", "0", ")"
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["", "'''", "\0\x01 \ud800", "((((" * 5000, "'" * 9999, "é" * 99])
def test_no_code_breaks_the_scanner(code: str) -> None:
    assert fingerprint([code, code]).tokens <= 2 * 20_000


def test_alike_is_told_and_common_knowledge_is_not(book: Gradebook) -> None:
    chosen = random.Random(1)
    own = [
        "\n".join(
            f"x{chosen.choice('abc')} = np.f{chosen.randrange(300)}(y {chosen.choice('+-*/')} z)"
            for _ in range(40)
        )
        for _ in range(30)
    ]
    for number, code in enumerate(own):
        add(book, f"s{number}", report("x", 3), LOOP + code)
    add(book, "copier", report("x", 3), LOOP + own[7].replace("y", "data") + "\nextra = 1")
    add(book, "twin", report("x", 3), "\n# mine\n" + LOOP + own[9])
    found = {a.students: a for a in similar(book, marks(book))}
    assert set(found) == {("copier", "s7"), ("s9", "twin")}
    assert found["s9", "twin"].same
    assert found["copier", "s7"].alike > 0.9
    assert not found["copier", "s7"].same


def test_pairs_are_counted_without_comparing_all_with_all() -> None:
    documents = [np.array(d, dtype=np.uint64) for d in ([1, 2, 3], [2, 3, 4], [9], [3, 9], [])]
    assert pairs(documents) == {(0, 1): 2, (0, 3): 1, (1, 3): 1, (2, 3): 1}
    assert pairs([]) == {}


@pytest.fixture
def graded(book: Gradebook) -> Gradebook:
    book.add_solution("s", "90_fake", {"max_points": {"90.1": 5, "90.2": 5}}, b"")
    for number, points in enumerate((5, 3, 1)):
        add(book, f"s{number}", report("x", points))
    unnamed = report("x", 0)
    unnamed["exercises"][0]["mistake"] = None
    add(book, "s3", unnamed)
    add(book, "<i>eve</i>", report("x", None), listed=False)
    book.add_students([Student("absent", "Al", "Away")])
    return book


def test_a_class_in_numbers(graded: Gradebook) -> None:
    data = class_report(graded)
    [notebook] = data["notebooks"]
    assert json.loads(json.dumps(data)) == data
    assert (notebook["handed_in"], notebook["graded"], notebook["nothing_handed_in"]) == (5, 4, 1)
    assert notebook["rejected"] == [{"reason": "The file is not a notebook.", "count": 1}]
    assert notebook["scores"]["mean"] == 7.25
    assert notebook["scores"]["median"] == 7
    assert sum(b["count"] for b in notebook["scores"]["bins"]) == 4
    assert notebook["mistakes"] == [{"exercise": "90.1", "mistake": "off-by-one", "count": 2}]
    assert notebook["unnamed"] == [{"exercise": "90.1", "count": 1}]
    assert notebook["checks"][0] == {"exercise": "90.1", "check": "values", "hidden": False,
                                     "tried": 4, "failed": 3, "part": 0.75}  # fmt: skip
    assert data["not_on_the_roster"] == ["<i>eve</i>"]
    assert {m["student_id"]: m["score"] for m in data["marks"]}["absent"] == 0


def test_without_names(graded: Gradebook) -> None:
    text = json.dumps(class_report(graded, names=False))
    for name in ("s0", "absent", "eve"):
        assert name not in text.replace("scores", "")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tables_without_caption = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if self.tags and self.tags[-1] == "table" and tag != "caption":
            self.tables_without_caption += 1
        self.tags.append(tag)
        self.links += [str(about[a]) for a in ("href", "src") if a in about]
        self.ids += [str(about["id"])] if "id" in about else []


def test_the_page_stands_alone_and_can_be_read_aloud(graded: Gradebook) -> None:
    text = class_page(class_report(graded))
    page = _Page()
    page.feed(text)
    assert "script" not in page.tags
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert page.tables_without_caption == 0
    assert page.tags.count("h1") == 1
    assert '<html lang="en">' in text
    assert "<i>eve" not in text
    assert "&lt;i&gt;eve" in text
    assert "off-by-one" in text


def test_rosters_and_rules_can_come_later(graded: Gradebook, tmp_path: Path, capsys: Any) -> None:
    from ffcourse.grade.report_command import main

    where = str(tmp_path / "book.sqlite")
    out = tmp_path / "class.html"
    assert main(["--db", where, "--html", str(out), "--json", str(tmp_path / "class.json")]) == 0
    told = capsys.readouterr().out
    assert "off-by-one" in told
    assert "mean 7.25" in told
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["--db", where, "--student", "s1"]) == 0
    assert "Count from <0> & up." in capsys.readouterr().out
    assert main(["--db", where, "--forget", "s1"]) == 0
    assert main(["--db", where, "--student", "s1"]) == 2
    assert main(["--db", str(tmp_path / "none.sqlite")]) == 2
    assert main(["--db", where, "--csv", "x.csv"]) == 2
    assert main(["--db", where, "--late", "a bit"]) == 2
    told = capsys.readouterr().err
    assert "nothing graded of a student 's1'" in told
    assert "There is no gradebook" in told
    assert "--late 'a bit' is not understood" in told
