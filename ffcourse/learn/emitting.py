"""Checks show values; they never judge. `emit` puts one value on show for the judge outside.

A check cell runs inside `recording`: what the learner prints or displays there is thrown
away, and every emitted value is collected and published when the cell is over, so that
output of the learner's code cannot come between.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import TextIOBase
from typing import Any

import numpy as np

from ffcourse.grade.values import VALUE_MIME, encode, error_payload, text

__all__ = ["VALUE_MIME", "Recording", "check_rng", "emit", "publish", "recording"]


@dataclass
class Recording:
    """The values that one run of an exercise's checks has emitted so far.

    Attributes
    ----------
    exercise : str
        Exercise id, such as ``"01.2"``.
    variant : str or None
        None for the answer itself; ``"mistake:name"``, ``"alternative:name"`` or ``"truth"``.
    payloads : list of dict
        One value payload per call of `emit`, in order.
    error : exception or None
        What the code raised last.
    """

    exercise: str
    variant: str | None = None
    payloads: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None

    def add_error(self, error: BaseException) -> None:
        """Record that the code raised instead of giving its next value."""
        self.error = error
        self.payloads.append(error_payload(error, exercise=self.exercise, variant=self.variant))


class _Nowhere(TextIOBase):
    """Swallows what is printed, without holding it: a learner may print without end."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


_active: list[Recording] = []


@contextmanager
def recording(exercise: str, variant: str | None = None) -> Iterator[Recording]:
    """Collect what `emit` is given; discard prints and displays of the code inside."""
    record = Recording(exercise, variant)
    _active.append(record)
    try:
        with redirect_stdout(_Nowhere()), redirect_stderr(_Nowhere()), _no_displays():
            yield record
    finally:
        _active.remove(record)


@contextmanager
def _no_displays() -> Iterator[None]:
    """Drop rich displays (figures, tables) made inside a check."""
    shell = ipython()
    if shell is None:
        yield
        return
    from IPython.core.displaypub import DisplayPublisher

    class Dropping(DisplayPublisher):
        def publish(self, *args: Any, **kwargs: Any) -> None:
            """Show nothing, keep nothing."""

        def clear_output(self, wait: bool = False) -> None:
            """Clear nothing."""

    kept = shell.display_pub
    shell.display_pub = Dropping(shell=shell)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        shell.display_pub = kept


def ipython() -> Any:
    """Return the running IPython shell, or None in plain Python."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None


def emit(label: str, value: Any) -> None:
    """Show a value to the judge.

    Parameters
    ----------
    label : str
        Name of the value, unique within its exercise's check.
    value : array_like, number, bool, str, list, tuple, dict or None
        What the learner's code gave back. Raw material, not a verdict: the judge
        computes every metric itself.

    Raises
    ------
    TypeError
        If `value` is of a kind that cannot be compared, such as a function.
    ValueError
        If `value` holds more than 200,000 elements.

    Notes
    -----
    Outside a check cell the value is only displayed.
    """
    if not isinstance(label, str) or not label:
        raise TypeError(f"emit(label, value) needs a non-empty text label, got {label!r}")
    record = _active[-1] if _active else None
    if record is None:
        publish([encode(value, label=label, exercise=None)])
        return
    payload = encode(value, label=label, exercise=record.exercise, variant=record.variant)
    record.payloads.append(payload)


def publish(payloads: list[dict[str, Any]]) -> None:
    """Display each payload: our MIME type for the judge, one line of text for people."""
    if ipython() is None:
        print(*(text(payload) for payload in payloads), sep="\n")
        return
    from IPython.display import display

    for payload in payloads:
        display({VALUE_MIME: payload, "text/plain": text(payload)}, raw=True)  # type: ignore[no-untyped-call]


def check_rng(key: str) -> np.random.Generator:
    """Random numbers for a check's inputs: the same for the same `key` and grading seed.

    Parameters
    ----------
    key : str
        Usually the exercise id; a hidden check takes another key than the visible one.

    Returns
    -------
    numpy.random.Generator
        Seeded by the environment variable FFCOURSE_SEED (0 if unset) and `key`.
    """
    if not isinstance(key, str):
        raise TypeError(f"check_rng(key) needs a text such as '01.2', got {key!r}")
    seed = os.environ.get("FFCOURSE_SEED", "").strip() or "0"
    if not seed.isdigit():
        raise ValueError(f"FFCOURSE_SEED must be a whole number, 0 or more; got {seed!r}")
    return np.random.default_rng([int(seed), *key.encode("utf-8")])
