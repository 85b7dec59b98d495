"""What is known about one exercise of one submission."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ffcourse.grade.judge import CheckResult
from ffcourse.grade.solution import Exercise


@dataclass
class Outcome:
    """The verdicts on an exercise's checks, and what they showed.

    Attributes
    ----------
    emitted : dict
        By check number, the payloads that came.
    emitted_again : dict
        The same from the run in which earlier failed parts were bound to the reference; only
        to name a mistake by, never to be told.
    fatal : str or None
        Set when the kernel ended here: timed_out, crashed, or "again" for one more try.
    message : str or None
        A sentence for the exercise as a whole.
    """

    exercise: Exercise
    results: list[CheckResult] = field(default_factory=list)
    emitted: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    emitted_again: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    fatal: str | None = None
    message: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every check was passed."""
        return bool(self.results) and all(r.passed for r in self.results)
