"""Fair comparison: the contenders take turns, so that all meet the same weather."""

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
        """Return this time over the other's, round by round: median and both quartiles."""
        ratios = [a / b for a, b in zip(self.rounds, other.rounds, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return middle, low, high


def take_turns(
    run: Mapping[str, Callable[[int], float]],
    first: Mapping[str, float],
    rounds: int,
    budget: float = 0.03,
    pause: float = 0.0,
) -> dict[str, Timing]:
    """Time every contender in every round, each round beginning with another one.

    Parameters
    ----------
    run : mapping of str to function
        Makes so many calls, returns the seconds of one.
    first : mapping of str to float
        Rough seconds per call.
    rounds : int
        How many times each is measured.
    budget : float
        Seconds that a contender works in a round.
    pause : float
        Seconds between turns, for threads to fall asleep.
    """
    names = list(run)
    times: dict[str, list[float]] = {name: [] for name in names}
    for i in range(rounds):
        turn = i % len(names)
        for name in names[turn:] + names[:turn]:
            time.sleep(pause)
            times[name].append(run[name](max(1, round(budget / first[name]))))
    return {name: Timing(seconds) for name, seconds in times.items()}
