"""A batch: resumable, never twice, never stopped by one file, and only the mended regraded."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from ffcourse.grade.batch import run as run_module
from ffcourse.grade.batch.database import trouble
from ffcourse.grade.batch.gradebook import Gradebook, GradebookError
from ffcourse.grade.batch.marks import marks
from ffcourse.grade.batch.run import NothingGradedError
from tests.batch_runner import run
from tests.conftest import ROOT
from tests.fake_grader import solution_bytes, submission


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log.txt"
    path.touch()
    monkeypatch.setenv("FAKE_GRADER_LOG", str(path))
    return path


@pytest.fixture
def solutions(tmp_path: Path) -> Path:
    folder = tmp_path / "solutions"
    folder.mkdir()
    (folder / "90_fake.ipynb").write_bytes(solution_bytes())
    return folder


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    folder = tmp_path / "handed"
    folder.mkdir()
    for number in range(4):
        put(folder, f"s{number}", submission(number))
    return folder


@pytest.fixture
def book(tmp_path: Path) -> Any:
    with Gradebook(str(tmp_path / "book.sqlite")) as made:
        yield made


def put(folder: Path, student: str, text: str, name: str = "90_fake") -> Path:
    path = folder / student / f"{name}.ipynb"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def lines(log: Path) -> int:
    return len(log.read_text(encoding="utf-8").splitlines())


def scores(book: Gradebook) -> dict[str, float]:
    return {m.student.id: m.score for m in marks(book)}


def test_nothing_is_graded_twice(book: Gradebook, handed: Path, solutions: Path, log: Path) -> None:
    tally = run(book, handed, solutions)
    assert (tally.graded, tally.known, lines(log)) == (4, 0, 4)
    assert scores(book) == {"s0": 5, "s1": 6, "s2": 7, "s3": 8}
    put(handed, "s4", submission(4))
    again = run(book, handed, solutions)
    assert (again.graded, again.known, lines(log)) == (1, 4, 5)


def test_equal_bytes_are_graded_once_and_both_have_a_mark(
    book: Gradebook, handed: Path, solutions: Path, log: Path
) -> None:
    put(handed, "twin", submission(3))
    tally = run(book, handed, solutions)
    assert (tally.graded, lines(log)) == (5, 4)
    assert scores(book)["twin"] == 8


def test_one_broken_submission_never_stops_the_batch(
    book: Gradebook, handed: Path, solutions: Path, log: Path
) -> None:
    put(handed, "boom", "break the grader")
    put(handed, "junk", "not a notebook")
    put(handed, "wild", submission(1, "no sandbox"))
    tally = run(book, handed, solutions)
    assert (tally.graded, tally.rejected) == (4, 2)
    assert tally.refused == {"wild/90_fake.ipynb": "There is no sandbox here."}
    status = {m.student.id: m.status for m in marks(book)}
    assert status["boom"] == status["junk"] == "rejected"
    assert status["wild"] == "waiting"
    before = lines(log)
    run(book, handed, solutions)
    # A grader that failed, and a refusal, are tried again; a rejection stands.
    assert lines(log) - before == 3


def test_nothing_can_be_graded_at_all(book: Gradebook, tmp_path: Path, solutions: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    for number in range(20):
        put(folder, f"s{number}", submission(number, "no sandbox"))
    with pytest.raises(NothingGradedError, match="There is no sandbox here"):
        run(book, folder, solutions)


def test_killed_at_any_moment_and_resumed(
    handed: Path, solutions: Path, log: Path, tmp_path: Path
) -> None:
    for number in range(4, 24):
        put(handed, f"s{number}", submission(number))
    where = tmp_path / "killed.sqlite"
    words = [sys.executable, "-m", "tests.batch_runner", str(where), str(handed), str(solutions)]
    environment = {**os.environ, "FAKE_GRADER_SECONDS": "0.04", "TMPDIR": str(tmp_path)}
    for enough in (3, 11):
        process = subprocess.Popen(words, cwd=ROOT, env=environment)
        deadline = time.monotonic() + 60
        while lines(log) < enough and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
    with Gradebook(str(where)) as book:
        kept = book.counts()["results"]
        assert 1 <= kept < 24, "it was killed half-way"
        before = lines(log)
        tally = run(book, handed, solutions)
        assert tally.known == kept
        assert lines(log) - before == 24 - kept, "what was recorded is not graded again"
        assert scores(book) == {f"s{n}": float(n + 5) for n in range(24)}
        assert book.counts()["results"] == 24


def test_a_mended_check_regrades_only_its_exercise(
    book: Gradebook, handed: Path, solutions: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(book, handed, solutions)
    assert lines(log) == 4
    # The check of 90.2 is mended, and from now on the fake gives everybody one point more in
    # 90.1, as a flaky exercise might. Only 90.2 may take what is new.
    (solutions / "90_fake.ipynb").write_bytes(solution_bytes({"90.2": "emit('x', y)"}))
    from tests import fake_grader

    old = fake_grader.report

    def other(name: str, points: float | None, status: str = "wrong") -> dict[str, Any]:
        made = old(name, None if points is None else points + 1, status)
        for e in made["exercises"]:
            if e["id"] == "90.2":
                e["points"] = 2
        return made

    monkeypatch.setattr(fake_grader, "report", other)
    tally = run(book, handed, solutions)
    assert (tally.graded, tally.carried, lines(log)) == (4, 0, 8)
    assert scores(book) == {"s0": 2, "s1": 3, "s2": 4, "s3": 5}


def test_a_change_that_touches_nothing_is_carried_over(
    book: Gradebook, handed: Path, solutions: Path, log: Path
) -> None:
    run(book, handed, solutions)
    path = solutions / "90_fake.ipynb"
    path.write_bytes(path.read_bytes() + b"\n")
    tally = run(book, handed, solutions)
    assert (tally.graded, tally.carried, lines(log)) == (0, 4, 4)
    assert run(book, handed, solutions).known == 4


def test_which_exercises_a_change_touches(tmp_path: Path, solutions: Path) -> None:
    from ffcourse.grade.batch.shelf import read_shelf

    old = read_shelf(solutions).prints["90_fake"].as_dict()

    def touched(data: bytes) -> set[str]:
        (solutions / "90_fake.ipynb").write_bytes(data)
        return read_shelf(solutions).prints["90_fake"].touched_since(old)

    assert touched(solution_bytes()) == set()
    assert touched(solution_bytes({"90.1": "emit('x', x + 0)"})) == {"90.1"}
    assert touched(solution_bytes({"90.2": "emit('x', y + 0)"})) == {"90.2"}
    # Later parts may have run with the reference answer in place of a failed one.
    assert touched(solution_bytes(answer="x = 2 - 1")) == {"90.1", "90.2"}
    assert touched(solution_bytes().replace(b"import math", b"import cmath")) == {"90.1", "90.2"}


def test_another_seed_and_another_version_are_graded_anew(
    book: Gradebook, handed: Path, solutions: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(book, handed, solutions)
    monkeypatch.setattr(run_module, "__version__", "99.0")
    run(book, handed, solutions)
    assert lines(log) == 8
    monkeypatch.undo()


def test_an_appeal_is_rerun_with_its_reason(
    book: Gradebook, handed: Path, solutions: Path, log: Path
) -> None:
    run(book, handed, solutions)
    tally = run(book, handed, solutions, again={"s2": "appeal of 3 May"})
    assert (tally.graded, tally.known, lines(log)) == (1, 3, 5)
    [mark] = [m for m in marks(book) if m.student.id == "s2"]
    history = book.known([mark.sha])[mark.sha]
    assert [k.run for k in history] == [0, 1]
    assert mark.result_id == history[-1].id


def test_best_or_last_of_several_submissions(
    book: Gradebook, handed: Path, solutions: Path
) -> None:
    first = put(handed, "s9", submission(4), "90_fake_try1")
    last = put(handed, "s9", submission(2), "90_fake_try2")
    os.utime(first, (1_000_000, 1_000_000))
    os.utime(last, (2_000_000, 2_000_000))
    run(book, handed, solutions)
    assert scores(book)["s9"] == 9
    book.set_settings({"policy": "last"})
    assert scores(book)["s9"] == 7
    [mark] = [m for m in marks(book) if m.student.id == "s9"]
    assert mark.versions == 2


def test_late_rules_apply_without_grading_again(
    book: Gradebook, handed: Path, solutions: Path, log: Path
) -> None:
    for name in ("s2", "s3"):
        os.utime(handed / name / "90_fake.ipynb", (2_000_000, 2_000_000))
    run(book, handed, solutions)
    due = "1970-01-23T00:00:00+00:00"  # 99,200 s before
    book.set_settings({"due:*": due, "late": "10%/day"})
    assert scores(book)["s3"] == pytest.approx(8 * 0.8)
    book.set_settings({"due:90_fake": "1970-01-25T00:00:00+00:00"})
    assert scores(book)["s3"] == 8
    assert lines(log) == 4


def test_overrides_hold_with_their_reason_and_can_be_taken_back(
    book: Gradebook, handed: Path, solutions: Path
) -> None:
    run(book, handed, solutions)
    [mark] = [m for m in marks(book) if m.student.id == "s2"]
    book.override("s2", "90_fake", mark.sha, "90.1", 5.0, "the text was ambiguous", "pb")
    assert scores(book)["s2"] == 10
    book.override("s2", "90_fake", mark.sha, "", 1.5, "oral examination")
    assert scores(book)["s2"] == 1.5
    book.override("s2", "90_fake", mark.sha, "", None, "mistaken")
    run(book, handed, solutions)
    [mark] = [m for m in marks(book) if m.student.id == "s2"]
    assert mark.score == 10
    assert mark.overrides["90.1"]["reason"] == "the text was ambiguous"


def test_somebody_can_be_forgotten(
    book: Gradebook, handed: Path, solutions: Path, tmp_path: Path
) -> None:
    put(handed, "twin", submission(3))
    put(handed, "zzz-alone", submission(9))
    run(book, handed, solutions, again={})
    run(book, handed, solutions, again={"s3": "s3 says it is right"})
    assert book.forget("s3") == 1
    book.forget("zzz-alone")
    book.engine.dispose()
    kept = (tmp_path / "book.sqlite").read_bytes()
    assert b"twin/90_fake.ipynb" in kept
    assert b"s3" not in kept, "not in reports of equal files, nor in pages that are free again"
    assert b"zzz-alone" not in kept
    assert scores(book) == {"s0": 5, "s1": 6, "s2": 7, "twin": 8}
    book.forget("twin")
    assert book.counts()["results"] == 3
    assert book.counts()["contents"] == 3


def test_a_file_that_changes_meanwhile_is_not_graded_under_its_old_hash(tmp_path: Path) -> None:
    from ffcourse.grade.batch.local import Request

    path = tmp_path / "x.ipynb"
    path.write_text("new", encoding="utf-8")
    assert Request("0" * 64, "x", (path,)).read() is None


def test_who_is_who_can_be_mended(book: Gradebook, tmp_path: Path, solutions: Path) -> None:
    """Taken for one person's at first, and told so; right with the next run, without a ghost."""
    folder = tmp_path / "handed"
    for number in range(7):
        (folder / "week1" / f"s{number}").mkdir(parents=True)
        put(folder / "week1", f"s{number}", submission(number))
    tally = run(book, folder, solutions)
    assert tally.notes == [
        "7 files are taken for one person's, week1. If they are several people's, say who is "
        "who: --roster, --names."
    ]
    tally = run(book, folder, solutions, names="week1/{student}/{any}.ipynb")
    assert tally.notes == []
    assert sorted(scores(book)) == [f"s{number}" for number in range(7)]
    assert (tally.graded, tally.known) == (0, 7)


def test_whoever_is_to_be_graded_again_must_be_there(
    book: Gradebook, handed: Path, solutions: Path
) -> None:
    with pytest.raises(GradebookError, match="--again nobody: nobody with this id"):
        run(book, handed, solutions, again={"nobody": "asked"})
    assert book.counts()["submissions"] == 0


def test_notes_on_times(book: Gradebook, handed: Path, solutions: Path) -> None:
    (handed / "s1" / "timestamp.txt").write_text("yesterday", encoding="utf-8")
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    tally = run(book, handed, solutions, times={"s0": noon, "s9": noon})
    assert tally.notes == [
        "--times: nothing handed in belongs to s9.",
        "The timestamp.txt beside s1/90_fake.ipynb can't be read ('yesterday'); the file's own "
        "time is taken.",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_is_left_to_the_parent() -> None:
    """In a terminal it reaches the workers, too: they must neither stop nor print a traceback."""
    options = {"solutions": None, "trusted": False, "limits": {}, "sandbox": "none such"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ffcourse.grade.start", json.dumps(options)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("{}\n{}\n")
    process.stdin.flush()
    assert "refused" in process.stdout.readline()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        process.stdin.write("{}\n")
        process.stdin.flush()
        assert "refused" in process.stdout.readline()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_what_is_wrong_with_a_gradebook_is_said_in_words(
    tmp_path: Path, handed: Path, solutions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = str(tmp_path / "book.sqlite")
    monkeypatch.setattr("ffcourse.grade.batch.database.WAIT_SECONDS", 0.1)
    with Gradebook(where) as book:
        locker = sqlite3.connect(where)
        locker.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SQLAlchemyError) as caught:
            run(book, handed, solutions)
        assert "is in use by another program" in trouble(caught.value, where)
        locker.rollback()
        locker.close()
        assert run(book, handed, solutions).graded == 4
        with book.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        event.listen(
            book.engine, "connect",
            lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages}"),
        )  # fmt: skip
        book.engine.dispose()
        with pytest.raises(SQLAlchemyError) as caught:
            book.set_settings({"much": "x" * 100_000})
        assert "the disk is full. Free some space" in trouble(caught.value, where)
    with Gradebook(where) as book:
        assert run(book, handed, solutions).known == 4, "what was recorded is kept"


def test_gradebooks_that_cannot_be_opened(tmp_path: Path) -> None:
    text = tmp_path / "marks.csv"
    text.write_text("student_id,mark\n" * 100, encoding="utf-8")
    with pytest.raises(GradebookError, match=r"marks.csv is no gradebook but a file of another"):
        Gradebook(str(text))
    with pytest.raises(GradebookError, match="there is no folder"):
        Gradebook(str(tmp_path / "none" / "book.sqlite"))
    assert text.read_text(encoding="utf-8").startswith("student_id")
    with pytest.raises(GradebookError, match="can't be opened"):
        Gradebook(str(tmp_path))
    with pytest.raises(GradebookError, match="There is no gradebook"):
        Gradebook(str(tmp_path / "none.sqlite"), create=False)
    with pytest.raises(GradebookError, match="can't be opened") as caught:
        Gradebook("nosuchdatabase://me:secret@nowhere/x")
    assert "secret" not in str(caught.value)
