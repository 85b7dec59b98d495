"""How two values differ, in words that tell a learner where to look."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.grade.patterns import Same, pattern, shape_pattern
from ffcourse.grade.values import ErrorValue

LONGEST = 120


def show(value: Any) -> str:
    """Return a short text for a value."""
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    if isinstance(value, np.generic):
        return str(value)
    if isinstance(value, np.ndarray):
        return _show_array(value)
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _show_array(value: np.ndarray) -> str:
    if value.ndim == 0:
        return show(value.item())
    with np.printoptions(precision=4, threshold=12, edgeitems=3, suppress=True, linewidth=1000):
        text = np.array2string(value, separator=", ")
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def noun(value: Any) -> str:
    """Return what kind of thing a value is, with its shape where it has one."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, ErrorValue):
        return f"an exception ({value.type})"
    if isinstance(value, str):
        return f"the text {show(value)}"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float, np.generic)):
        return f"the number {show(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"a dict with the keys {show(list(value))}"
    return type(value).__name__


def how_numbers_differ(
    expected: np.ndarray, got: np.ndarray, wrong: np.ndarray | None, same: Same
) -> str:
    """Return the sentences for two numeric arrays that do not agree.

    Parameters
    ----------
    expected, got : ndarray
    wrong : ndarray of bool or None
        Where they differ; None when the shapes do.
    same : callable
        Whether two arrays agree within the tolerance of the check.
    """
    if wrong is None:
        sentence = f"Expected {_shape(expected)}, got {_shape(got)}."
        return " ".join(filter(None, [sentence, shape_pattern(expected, got, same)]))
    if expected.ndim == 0:
        sentence = f"Expected {show(expected)}, got {show(got)}."
    else:
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        count = f"{int(wrong.sum())} of {wrong.size} values differ"
        sentence = (
            f"{count}; the first at index {list(index)}: "
            f"expected {show(expected[index])}, got {show(got[index])}."
        )
        if expected.size <= 6 and show(expected) != show(got):  # 1e-18 and 0 look alike there
            sentence = f"Expected {show(expected)}, got {show(got)}; {count}."
    return " ".join(filter(None, [sentence, pattern(expected, got, wrong, same)]))


def _shape(array: np.ndarray) -> str:
    return "a single number" if array.ndim == 0 else f"shape {array.shape}"
