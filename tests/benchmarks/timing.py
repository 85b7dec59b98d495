"""Fair comparison of several functions: in alternation, so that all meet the same weather."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Step = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds per call of one contender, in each round."""

    rounds: list[float]

    @property
    def median(self) -> float:
        """Median over the rounds."""
        return statistics.median(self.rounds)

    def over(self, other: Timing) -> tuple[float, float, float]:
        """Median, lower and upper quartile of this time over the other's, round by round."""
        ratios = [a / b for a, b in zip(self.rounds, other.rounds, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return middle, low, high


def alternate(steps: Mapping[str, Step], rounds: int = 15, budget: float = 0.02) -> dict[str, Timing]:
    """Time every step in every round, starting each round with another one.

    Parameters
    ----------
    steps : mapping of str to function
        The contenders.
    rounds : int
        How many times each is measured.
    budget : float
        Seconds that a contender works in a round, at least; so fast ones are called often.
    """
    calls = {name: _calls_for(step, budget) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    for i in range(rounds):
        turn = i % len(names)
        for name in names[turn:] + names[:turn]:
            times[name].append(_seconds(steps[name], calls[name]))
    return {name: Timing(seconds) for name, seconds in times.items()}


def _calls_for(step: Step, budget: float) -> int:
    for _ in range(3):  # warm up: buffers, caches, lazy initialisation
        step()
    return max(1, round(budget / _seconds(step, 3)))


def _seconds(step: Step, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - started) / calls
