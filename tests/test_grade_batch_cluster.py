"""A Dask cluster grades the same folder with the same results, even if a worker is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ffcourse.grade.batch.cluster import ClusterError
from ffcourse.grade.batch.gradebook import Gradebook
from ffcourse.grade.batch.marks import marks
from tests.batch_runner import run
from tests.conftest import ROOT
from tests.fake_grader import solution_bytes, submission

distributed = pytest.importorskip("distributed", reason="Dask is in the test extras")
CommClosedError = pytest.importorskip("distributed.comm").CommClosedError

pytestmark = [
    # Dask leaves sockets and loops to the garbage collector when a worker dies.
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.slow,
]
COUNT = 30


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("FAKE_GRADER_SECONDS", "0.15")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
            silence_logs=50, memory_limit=0,
        )  # fmt: skip
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def handed(tmp_path: Path) -> Path:
    for number in range(COUNT):
        path = tmp_path / "handed" / f"s{number}" / "90_fake.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(submission(number), encoding="utf-8")
    (tmp_path / "handed" / "junk.ipynb").write_text("not a notebook", encoding="utf-8")
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "90_fake.ipynb").write_bytes(solution_bytes())
    return tmp_path / "handed"


def results(book: Gradebook) -> dict[str, Any]:
    found = {}
    for mark in marks(book):
        report = book.report(mark.result_id or 0)
        found[mark.student.id] = {k: v for k, v in report.items() if k != "seconds"}
    return found


def test_same_results_with_a_worker_killed_half_way(
    cluster: Any, handed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solutions = tmp_path / "solutions"
    with Gradebook(str(tmp_path / "there.sqlite")) as there:
        killer = threading.Thread(target=_kill_one, args=(cluster, there), daemon=True)
        killer.start()
        tally = run(there, handed, solutions, cluster=cluster.scheduler_address)
        killer.join()
        assert tally.refused == {}
        assert (tally.graded, tally.rejected) == (COUNT, 1)
        assert there.counts()["results"] == COUNT + 1
        spread = results(there)
    monkeypatch.setenv("FAKE_GRADER_SECONDS", "0")
    with Gradebook(str(tmp_path / "here.sqlite")) as here:
        run(here, handed, solutions)
        assert results(here) == spread


def _kill_one(cluster: Any, book: Gradebook) -> None:
    """Kill a worker, as a crash would, once something is graded."""
    deadline = time.monotonic() + 60
    while book.counts()["results"] < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process = next(iter(cluster.workers.values())).process.process
    os.kill(process.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def test_no_cluster_at_the_address(
    handed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ffcourse.grade.batch.cluster.CONNECT_SECONDS", 0.5)
    with (
        Gradebook(str(tmp_path / "book.sqlite")) as book,
        pytest.raises(ClusterError, match="no Dask scheduler answers"),
    ):
        run(book, handed, tmp_path / "solutions", cluster="tcp://127.0.0.1:1")


def test_a_scheduler_that_is_gone_and_a_cluster_without_workers(
    handed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    class Gone:
        def nthreads(self) -> dict[str, int]:
            return {}

        def register_plugin(self, plugin: Any, name: str) -> None:
            pass

        def close(self) -> None:
            raise TimeoutError

    def stream(*_: Any) -> Iterator[Any]:
        raise CommClosedError("the scheduler was killed")
        yield

    monkeypatch.setattr("ffcourse.grade.batch.cluster._connect", lambda address: Gone())
    monkeypatch.setattr("ffcourse.grade.batch.cluster._stream", stream)
    with (
        Gradebook(str(tmp_path / "book.sqlite")) as book,
        pytest.raises(ClusterError, match=r"the scheduler is gone\. What was graded is kept"),
    ):
        run(book, handed, tmp_path / "solutions", cluster="tcp://here:1")
    assert "no workers yet; waiting" in capsys.readouterr().err
