"""How two values differ, in words that tell a learner where to look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.grade.values import ErrorValue

Same = Callable[[np.ndarray, np.ndarray], bool]

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
        return _shapes(expected, got, same)
    if expected.ndim == 0:
        sentence = f"Expected {show(expected)}, got {show(got)}."
    else:
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        count = f"{int(wrong.sum())} of {wrong.size} values differ"
        sentence = (
            f"{count}; the first at index {list(index)}: "
            f"expected {show(expected[index])}, got {show(got[index])}."
        )
        if expected.size <= 6:
            sentence = f"Expected {show(expected)}, got {show(got)}; {count}."
    return " ".join(filter(None, [sentence, _pattern(expected, got, same)]))


def _shapes(expected: np.ndarray, got: np.ndarray, same: Same) -> str:
    sentence = f"Expected {_shape(expected)}, got {_shape(got)}."
    if expected.ndim == got.ndim == 2 and expected.shape == got.shape[::-1]:
        if same(expected, got.T):
            return sentence + " The values are right, but transposed (rows and columns swapped)."
        return sentence + " It looks transposed (rows and columns swapped)."
    if expected.size == got.size and same(expected.ravel(), got.ravel()):
        return sentence + " The values are right; only the shape is not."
    if expected.ndim == 0:
        for name, value in (("sum", got.sum()), ("mean", got.mean() if got.size else 0.0)):
            if got.size and same(expected, np.asarray(value)):
                return sentence + f" The {name} of your values is what was expected."
    if got.ndim == expected.ndim + 1 and got.shape[1:] == expected.shape:
        return sentence + " A sum or mean over the first axis (the batch) may be missing."
    if expected.ndim == got.ndim + 1 and expected.shape[1:] == got.shape:
        return sentence + " The first axis (the batch) is missing."
    return sentence


def _shape(array: np.ndarray) -> str:
    return "a single number" if array.ndim == 0 else f"shape {array.shape}"


def _pattern(expected: np.ndarray, got: np.ndarray, same: Same) -> str | None:
    """One sentence when the difference has a telling form."""
    a, b = expected.astype(np.float64), got.astype(np.float64)
    if np.isnan(b).any() and not np.isnan(a).any():
        return "Your result contains NaN (not a number): a 0/0, log(0), or inf - inf?"
    if np.isinf(b).any() and not np.isinf(a).any():
        return "Your result contains infinity: an overflow, or a division by zero?"
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or a.size == 0:
        return None
    if got.dtype.kind == "b" or expected.dtype.kind == "b":
        return "It is the opposite everywhere." if a.size > 1 and same(a, 1 - b) else None
    return _order(a, b, same) or _scale(a, b, same) or _small(a, b)


def _order(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    if a.size < 2:
        return None
    if a.ndim == 2 and a.shape[0] == a.shape[1] and same(a, b.T):
        return "It looks transposed (rows and columns swapped)."
    if same(a, b[::-1]):
        return "The values are right, but in reverse order."
    if same(np.sort(a.ravel()), np.sort(b.ravel())):
        return "The values are right, but in another order."
    return None


def _scale(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    if not np.any(b):
        return "Your result is zero everywhere." if a.size > 1 else None
    if a.size > 1 and same(a, -b):  # one number of the other sign may be chance
        return "The sign is flipped."
    if a.size == 1 and a.ndim == 0:
        return _ratio_of_scalars(float(a), float(b))
    nonzero = np.abs(a) > 1e-12
    if nonzero.sum() >= 2:
        factor = float(np.median(b[nonzero] / a[nonzero]))
        if factor != 0 and np.isfinite(factor) and same(a, b / factor):
            return _factor(factor, a.shape)
    if a.size > 2:
        shift = float(np.median(b - a))
        if same(a, b - shift):
            return (
                f"All values are off by the same amount: {show(shift)}. A term left out or added?"
            )
    return None


def _ratio_of_scalars(a: float, b: float) -> str | None:
    if a == 0:
        return None
    for factor, words in (
        (2.0, "twice"),
        (0.5, "half"),
        (-2.0, "minus twice"),
        (-0.5, "minus half"),
    ):
        if abs(b / a - factor) < 1e-6:
            return f"It is {words} the expected value."
    return None


def _factor(factor: float, shape: tuple[int, ...]) -> str:
    size = int(np.prod(shape))
    for n, what in [(shape[0], "the number of rows"), (size, "the number of values")]:
        if n > 1 and abs(factor - n) < 1e-6 * n:
            return f"All values are {n} times too large; {n} is {what}: is a mean meant, not a sum?"
        if n > 1 and abs(factor * n - 1) < 1e-6:
            return f"All values are {n} times too small; {n} is {what}: is a sum meant, not a mean?"
    return f"All values are off by the same factor, {show(factor)}."


def _small(a: np.ndarray, b: np.ndarray) -> str | None:
    scale = float(np.abs(a).max())
    if scale > 0 and float(np.abs(a - b).max()) < 1e-2 * scale:
        return "It is close, but not within the tolerance: a rounding, or an extra small constant?"
    return None
