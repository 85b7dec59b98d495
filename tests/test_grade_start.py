"""What gets ready before it is needed: workers, walls, and the next kernel."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ffcourse.grade import service
from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox.nursery import Nursery
from ffcourse.grade.sandbox.paths import readable_paths
from ffcourse.grade.sandbox.pick import NoWallsError
from ffcourse.grade.service import Grader, end_ahead, start_ahead
from ffcourse.grade.start import begin, hides
from tests.submissions.kinds import FULL, SOLUTIONS, filled

LIMITS = Limits(cell_seconds=2.0, cell_wall=5.0)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    options = {"solutions": str(SOLUTIONS), "trusted": False, "limits": LIMITS.as_dict()}
    try:
        source = begin({**options, "sandbox": None}).nursery
    except NoWallsError:
        pytest.skip("there is no sandbox here")
    assert isinstance(source, Nursery)
    yield source
    source.close()


def test_walls_hide_what_could_be_read(tmp_path: Path) -> None:
    package = readable_paths()[-1]
    assert hides([], tmp_path) or any(tmp_path.is_relative_to(p) for p in readable_paths())
    assert not hides([], package / "solutions")
    assert hides([package / "solutions"], package / "solutions" / "deeper")


def test_the_next_kernel_gets_ready_meanwhile(nursery: Nursery) -> None:
    nursery.prepare(["numpy"], ["import numpy as np"])
    first = nursery.start()
    if nursery._spare is None:
        pytest.skip("kernels cannot be kept apart here, so there is no spare one")
    spare = nursery._spare[1]
    lines = [kernel.line() for kernel in (first, spare)]  # then all their processes are there
    assert nursery._process is not None
    below = psutil.Process(nursery._process.pid).children(recursive=True)
    spare_pid = nursery._told.pids[spare.number]
    counted = service_tree(nursery, spare_pid)
    assert len(counted) < len(below) + 1, "the spare kernel's processes are left out"
    first.kill()
    second = nursery.start()
    assert second.number == spare.number
    assert second.alive()
    second.kill()
    for line in lines:
        line.close()


def service_tree(nursery: Nursery, spare: int) -> list[psutil.Process]:
    """Return the processes whose use counts while there is a spare kernel."""
    from ffcourse.grade.sandbox.usage import _pruned

    assert nursery._process is not None
    root = psutil.Process(nursery._process.pid)
    return _pruned([root, *root.children(recursive=True)], spare)


def test_a_spare_of_another_seed_is_not_used(nursery: Nursery) -> None:
    nursery.start(seed=1).kill()
    if nursery._spare is None:
        pytest.skip("kernels cannot be kept apart here, so there is no spare one")
    spare = nursery._spare[1]
    other = nursery.start(seed=2)
    assert other.number != spare.number
    assert spare.ended
    other.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux processes")
def test_the_dead_do_not_pile_up(nursery: Nursery) -> None:
    for _ in range(4):
        nursery.start().kill()
    assert nursery._process is not None
    for _ in range(100):
        below = psutil.Process(nursery._process.pid).children(recursive=True)
        dead = [p for p in below if p.is_running() and p.status() == psutil.STATUS_ZOMBIE]
        if len(dead) <= 1:
            break
        time.sleep(0.02)
    assert len(dead) <= 1


def test_a_process_started_ahead_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "s.ipynb"
    path.write_text(json.dumps(filled()), encoding="utf-8")
    start_ahead(2, SOLUTIONS, trusted=True, limits=LIMITS)
    ahead = [worker for _, worker in service._ahead]
    try:
        with Grader(SOLUTIONS, trusted=True, limits=LIMITS) as grader:
            assert grader._worker is ahead[0]
            assert grader.grade(path)["score"] == FULL
        with Grader(SOLUTIONS, trusted=True) as other:
            assert other._worker is not ahead[1], "one with other limits will not do"
    finally:
        end_ahead()
    assert all(worker.poll() is not None for worker in ahead)
