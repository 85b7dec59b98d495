"""The benchmarks still run, and their arithmetic is right; nothing is timed here."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from ffcourse import nn
from ffcourse.train import threads
from tests.benchmarks import mlp, rows
from tests.benchmarks.__main__ import line_of
from tests.benchmarks.child import Child
from tests.benchmarks.timing import Timing, take_turns

ROWS = {row.name: row for row in rows.all_rows()}


@pytest.mark.parametrize("name", [name for name in ROWS if "1024" not in name])
def test_our_steps_run(name: str) -> None:
    step = ROWS[name].steps["ours"]()
    step()
    step()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_bare_loop_learns(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be no comparison if it computed something else."""
    monkeypatch.setattr(mlp, "LR", 0.1 if optimizer == "sgd" else 0.01)
    step = mlp.bare([64, 32, 10], 32, optimizer)
    losses = [step() for _ in range(60)]
    assert losses[0] == pytest.approx(np.log(10), abs=0.7)
    assert losses[-1] < 0.5 * losses[0]


def test_products_are_those_of_a_step() -> None:
    assert ROWS["MLP 64-512-512-10, batch 128, adam"].products is not None
    mlp.products([6, 5, 4], 3)()


def test_our_products_have_the_threads_that_trainer_gives_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(threads, "_controller", lambda: asked.append("one thread"))
    for name, (sizes, size) in rows.SIZES.items():
        asked.clear()
        layers = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)]
        with threads.sensible_threads(nn.Sequential(*layers), size):
            assert ROWS[f"{name}, sgd"].shared is not bool(asked)
    assert ROWS["LSTM 64-64, 20 steps, batch 32, adam"].shared
    assert not ROWS["RNN 64-64, 20 steps, batch 32, adam"].shared


def test_ratios_are_taken_round_by_round() -> None:
    ours, theirs = Timing([1.0, 10.0, 2.0]), Timing([3.0, 30.0, 8.0])
    assert theirs.median == 8.0
    assert theirs.over(ours) == (3.0, 3.0, 4.0)
    row = rows.Row("MLP", {"ours": lambda: print, "pytorch": lambda: print}, goal=3.5)
    line = line_of(row, {"ours": ours, "pytorch": theirs})
    assert line == "| MLP | 2,000,000 µs | 3.00 (3.00-4.00) ✗ |  |  |  |"


def test_everyone_gets_a_turn() -> None:
    log: list[tuple[str, int]] = []

    def contender(name: str, seconds: float) -> Callable[[int], float]:
        def run(calls: int) -> float:
            log.append((name, calls))
            return seconds

        return run

    run = {"a": contender("a", 1.0), "b": contender("b", 2.0)}
    times = take_turns(run, {"a": 0.01, "b": 0.5}, rounds=2, budget=0.1)
    assert log == [("a", 10), ("b", 1), ("b", 1), ("a", 10)]
    assert times["b"].rounds == [2.0, 2.0]


def test_a_child_answers() -> None:
    with Child("ours", 1) as child:
        first = child.ask("build", row="MLP 64-32-10, batch 32, adam")
        assert 0 < child.ask("run", calls=2) < 10
        assert 0 < first < 10
        now, peak = child.ask("memory")
        assert 1 < now <= peak * 1.01
