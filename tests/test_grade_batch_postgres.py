"""The gradebook in PostgreSQL: the same as in SQLite, against a real server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ffcourse.grade.batch.gradebook import Gradebook, Handin, Key
from ffcourse.grade.batch.marks import marks
from ffcourse.grade.batch.people import Student
from ffcourse.grade.batch.traces import fingerprint
from tests.batch_runner import run
from tests.fake_grader import report, solution_bytes, submission

HOW = "PostgreSQL was not found (Debian: apt install postgresql), so this was skipped"


def _program(name: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name) or next(
        (found for place in places if (found := shutil.which(name, path=str(place)))), None
    )


def _as_postgres() -> dict[str, Any]:
    """Return how to start a server: never as root, which it refuses."""
    if sys.platform == "win32" or os.getuid() != 0:
        return {}
    import pwd

    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server of our own in a folder of its own; give its URL."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        pytest.skip(HOW)
    pytest.importorskip("psycopg", reason="the driver psycopg[binary] is in the dev extra")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="ffc-pg-", dir="/tmp"))
    user = _as_postgres()
    if user:
        os.chown(folder, user["user"], user["group"])
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
    data = str(folder / "data")
    words = [initdb, "-D", data, "-U", "teacher", "--auth=trust", "-E", "UTF8", "--locale=C"]
    subprocess.run([*words, "--no-sync"], check=True, **quiet)
    options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", str(folder)]
    process = subprocess.Popen([postgres, "-D", data, "-p", str(port), *options], **quiet)
    try:
        _wait(port, process)
        yield f"postgresql://teacher@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        try:
            psycopg.connect(f"postgresql://teacher@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_a_batch_into_postgresql(server: str, tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / "handed" / f"s{number}" / "90_fake.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(submission(number), encoding="utf-8")
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "90_fake.ipynb").write_bytes(solution_bytes())
    with Gradebook(server) as book:
        assert run(book, tmp_path / "handed", tmp_path / "solutions").graded == 5
        assert run(book, tmp_path / "handed", tmp_path / "solutions").known == 5
        book.set_settings({"late": "10%"})
        [mark] = [m for m in marks(book) if m.student.id == "s2"]
        book.override("s2", "90_fake", mark.sha, "90.1", 5.0, "why not — 好", "pb")
    with Gradebook(server) as book:  # what was written is there for the next process
        scores = {m.student.id: m.score for m in marks(book)}
        assert scores == {"s0": 5, "s1": 6, "s2": 10, "s3": 8, "s4": 9}
        assert book.forget("s4") == 1


def test_learners_texts_that_databases_dislike(server: str) -> None:
    odd = report("x", 1)
    odd["exercises"][0]["feedback"] = "nul \0, half a pair \ud800, quote ' ; DROP TABLE results; --"
    with Gradebook(server) as book:
        book.add_submissions([Handin("odd", "f" * 64, Student("odd"), "90_fake", None, False)])
        assert book.record(Key("f" * 64, "s", "stored", "1"), odd, traces=fingerprint(["x = 1"]))
        [mark] = [m for m in marks(book) if m.student.id == "odd"]
        assert book.report(mark.result_id or 0)["exercises"] == odd["exercises"]


def test_two_processes_record_the_same_and_one_result_stays(server: str) -> None:
    key = Key("e" * 64, "s", "stored", "1")
    with Gradebook(server) as one, Gradebook(server) as two:
        one.add_submissions([Handin("same", key.sha, Student("same"), "90_fake", None, False)])
        assert one.record(key, report("x", 1))
        assert not two.record(key, report("x", 2))
        assert len(one.known([key.sha])[key.sha]) == 1
