"""Run a batch with the fake grader in a process of its own, so that a test can kill it."""

from __future__ import annotations

import sys
from pathlib import Path

from ffcourse.grade.batch.gradebook import Gradebook
from ffcourse.grade.batch.run import Batch, Tally, run_batch
from ffcourse.grade.batch.shelf import read_shelf
from ffcourse.grade.batch.station import GradingOptions

FAKE = "tests.fake_grader:FakeGrader"


def run(book: Gradebook, folder: Path, solutions: Path, jobs: int = 2, **more: object) -> Tally:
    """Grade a folder with the fake grader."""
    options = GradingOptions(engine=FAKE)
    return run_batch(book, Batch([folder], read_shelf(solutions), options, jobs, **more))  # type: ignore[arg-type]


if __name__ == "__main__":
    with Gradebook(sys.argv[1]) as made:
        run(made, Path(sys.argv[2]), Path(sys.argv[3]))
