"""The report on a class, and the hint that answers are alike."""

from __future__ import annotations

import json
import random
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from ffcourse.grade.batch.exports.pages import file_stem
from ffcourse.grade.batch.gradebook import Gradebook, Handin, Key
from ffcourse.grade.batch.marks import ReportsOf, marks
from ffcourse.grade.batch.overview import class_report
from ffcourse.grade.batch.page import class_page, rules_in_words
from ffcourse.grade.batch.people import Student
from ffcourse.grade.batch.show import print_class
from ffcourse.grade.batch.similar import pairs, similar
from ffcourse.grade.batch.traces import fingerprint, normalised_tokens
from ffcourse.grade.report_command import main
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
    guess = more.pop("guess", "90_fake")
    book.add_submissions([Handin(f"{student}.ipynb", sha, person, guess, 0.0, False)])
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


def test_nothing_is_there_yet(book: Gradebook, tmp_path: Path, capsys: Any) -> None:
    where = str(tmp_path / "book.sqlite")
    out = tmp_path / "class.html"
    assert main(["--db", where, "--html", str(out)]) == 0
    assert "Nothing was handed in yet; 0 students are known." in capsys.readouterr().out
    assert "Nothing was handed in yet." in out.read_text(encoding="utf-8")
    assert main(["--db", where, "--csv", str(tmp_path / "x.csv"), "--format", "canvas"]) == 2
    assert "There is nothing to export" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--notebook", "90_fale"], "--notebook 90_fale: there is 90_fake."),
        (["--student", "absnt"], "nothing graded of a student 'absnt'. Is absent meant?"),
        (["--forget", "nobody"], "--forget nobody: nobody has this id."),
        (["--no-names", "--csv", "x.csv", "--format", "canvas"], "--no-names goes with"),
        (["--due", "90_fake=soon"], "'soon' is not a time"),
        (["--roster", "none.csv"], "--roster none.csv: cannot be read"),
    ],
)
def test_wrong_calls(graded: Gradebook, tmp_path: Path, capsys: Any, words: Any, told: str) -> None:
    assert main(["--db", str(tmp_path / "book.sqlite"), *words]) == 2
    assert told in capsys.readouterr().err


def test_a_file_of_no_known_notebook_is_in_no_column(
    graded: Gradebook, tmp_path: Path, capsys: Any
) -> None:
    add(graded, "lost", report("x", None), guess="", listed=False)
    where, out = str(tmp_path / "book.sqlite"), tmp_path / "x.csv"
    assert main(["--db", where, "--csv", str(out), "--format", "canvas"]) == 0
    assert capsys.readouterr().out == (
        "Left out, since no one can tell which notebook it is: lost.ipynb\n"
    )
    text = out.read_text(encoding="utf-8")
    assert text.startswith(
        "Student,ID,SIS User ID,SIS Login ID,Section,90_fake\n    Points Possible,,,,,10\n"
    )
    assert "lost" not in text
    page = class_page(class_report(graded))
    assert "No known notebook" in page
    assert "The file is not a notebook; not on the roster" in page


def test_the_rules_and_who_could_not_be_graded_are_told(graded: Gradebook, capsys: Any) -> None:
    graded.set_settings({"due:*": "2026-03-01T22:59:00+00:00 Europe/Berlin", "late": "10%/day"})
    words = rules_in_words(class_report(graded)["rules"])
    assert words == (
        "Due: 2026-03-01 23:59 (Europe/Berlin). For late ones: 10%/day. Of several submissions "
        "the best one counts."
    )
    graded.set_settings({"due:90_fake": "2026-03-02T12:00Z UTC", "late": "none"})
    words = rules_in_words(class_report(graded)["rules"])
    assert "90_fake 2026-03-02 12:00 (UTC); all others 2026-03-01 23:59 (Europe/Berlin)" in words
    print_class(class_report(graded))
    told = capsys.readouterr().out
    assert "Could not be graded:\n  <i>eve</i>.ipynb" in told
    assert "Wrong in a way that has no name yet" in told


def test_marks_by_hand_are_checked(graded: Gradebook, tmp_path: Path, capsys: Any) -> None:
    from ffcourse.grade.command import main as grade

    for text, told in (
        ("s0:90.9=3", "there is no 90.9 to set a mark for"),
        ("s0:90_other=3", "(exercises 90.1, 90.2)"),
        ("s0:90.1=nan", "write STUDENT:EXERCISE=POINTS"),
        ("s0:90.1=-1", "write STUDENT:EXERCISE=POINTS"),
        ("s0:90.1=", "no mark was set by hand there"),
        ("absent:90.1=1", "absent has handed in nothing"),
    ):
        words = ["--db", str(tmp_path / "book.sqlite"), "--override", text, "--reason", "asked"]
        assert grade(words) == 2
        assert told in capsys.readouterr().err
    words = [*words[:3], "s1:90.1=4,5", "--override", "<i>eve</i>:90_fake=50", *words[4:]]
    assert grade(words) == 0
    told = capsys.readouterr().out
    assert "s1, 90.1: set to 4.5 of 5 (asked)\n" in told
    assert "set to 50 of 10 (asked); that is more than there are" in told
    scores = {m.student.id: (m.status, m.score, m.max_score) for m in marks(graded)}
    assert scores["s1"] == ("graded", 9.5, 10)
    assert scores["<i>eve</i>"] == ("graded", 50, 10), "out of what the notebook has"


def test_pages_of_feedback_can_be_told_apart(graded: Gradebook, tmp_path: Path) -> None:
    people = [("李雷", 5), ("李 雷", 4), ("a/../../b", 3), ("CON", 2), ("x" * 300, 1), ("index", 0)]
    for who, points in people:
        add(graded, who, report("x", points))
    folder = tmp_path / "pages"
    where = str(tmp_path / "book.sqlite")
    assert main(["--db", where, "--feedback", str(folder), "--late", "none"]) == 0
    names = {path.name for path in folder.iterdir()}
    assert {"李雷_90_fake.html", "李_雷_90_fake.html", "a_.._.._b_90_fake.html"} <= names
    assert all(len(name.encode()) < 230 for name in names)
    index = _Page()
    index.feed((folder / "index.html").read_text(encoding="utf-8"))
    assert {unquote(link) for link in index.links} == names - {"index.html"}
    page = (folder / "李雷_90_fake.html").read_text(encoding="utf-8")
    assert "<title>90_fake, 李雷</title>" in page
    assert file_stem("con.x") == "_con.x"
    assert file_stem("///") == "submission"


def test_one_students_page_and_json(graded: Gradebook, tmp_path: Path, capsys: Any) -> None:
    where, out = str(tmp_path / "book.sqlite"), tmp_path / "one.html"
    told = tmp_path / "one.json"
    assert main(["--db", where, "--student", "s1", "--html", str(out), "--json", str(told)]) == 0
    assert "8 of 10 points" in capsys.readouterr().out
    assert "90_fake: 8 of 10 points" in out.read_text(encoding="utf-8")
    [one] = json.loads(told.read_text(encoding="utf-8"))["submissions"]
    assert one["student"] == {"id": "s1", "name": "s1"}


def test_lateness_is_no_repair(graded: Gradebook) -> None:
    rules = {"due:*": "1969-12-31T23:00Z UTC", "late": "10%/hour"}
    graded.set_settings(rules)
    [mark] = [m for m in marks(graded) if m.student.id == "s0"]
    made = ReportsOf(graded, [mark])(mark)
    assert made is not None
    assert (made["repairs"], made["notes"]) == ([], ["Handed in late: 1 points were taken off."])
    assert (made["score"], made["max_score"]) == (9, 10)
    graded.set_settings({"due:*": ""})
    [mark] = [m for m in marks(graded) if m.student.id == "s0"]
    assert (mark.due, mark.score) == (None, 10)
