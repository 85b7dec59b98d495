"""The telling forms that a difference between two arrays of numbers can have.

Each form is a guess at what was done: a sign, a factor, a transposition, a mean for a sum.
A sentence is given only when the form explains every value within the check's tolerance,
so that it is right about the numbers even where it guesses the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Same = Callable[[np.ndarray, np.ndarray], bool]

NAN = "Your result contains NaN (not a number): a 0/0, log(0), or inf - inf?"
INFINITE = "Your result contains infinity: an overflow, or a division by zero?"
TRANSPOSED = "It looks transposed (rows and columns swapped)."
FLIPPED = "The sign is flipped."


@np.errstate(all="ignore")
def without_values(expected: Any, got: Any, same: Same) -> str | None:
    """Return a sentence that may be told about a hidden check, or None.

    Only fixed sentences, and only about what the learner's own values are (not a number), or
    where finding out would take the right values already: to hear that a whole array is
    transposed, or of the other sign, one must have handed in that array. A factor or an
    amount would be another matter: a learner who hands in ones could read the values off it.
    """
    if not (isinstance(expected, np.ndarray) and isinstance(got, np.ndarray)):
        return None
    a, b = expected, got
    if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return None
    if not np.isfinite(b).all() and np.isfinite(a).all():
        return NAN if np.isnan(b).any() else INFINITE
    if not np.isfinite(a).all() or np.unique(np.abs(a)).size < 3:
        return None  # few values could be guessed
    if a.ndim == 2 and a.shape == b.shape[::-1] and same(a, b.T):
        return TRANSPOSED
    if a.shape == b.shape and same(a, -b.astype(np.float64)):
        return FLIPPED
    return None


# ------------------------------------------------------------------------- other shapes


@np.errstate(all="ignore")
def shape_pattern(expected: np.ndarray, got: np.ndarray, same: Same) -> str | None:
    """Return a sentence about two arrays of different shapes."""
    if expected.ndim == got.ndim == 2 and expected.shape == got.shape[::-1]:
        if same(expected, got.T):
            return "The values are right, but transposed (rows and columns swapped)."
        return TRANSPOSED
    if expected.size == got.size and same(expected.ravel(), got.ravel()):
        return "The values are right; only the shape is not."
    if expected.ndim == 0:
        for name, value in (("sum", got.sum()), ("mean", got.mean() if got.size else 0.0)):
            if got.size and same(expected, np.asarray(value)):
                return f"The {name} of your values is what was expected."
    if got.ndim == 0 and expected.size:
        for name, total in (("sum", expected.sum()), ("mean", expected.mean())):
            if same(np.asarray(total), got):
                return f"Yours is the {name} of what was expected: one value for each is meant."
    return _cut(expected, got, same) or _axes(expected, got, same)


def _cut(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    """About some entries too few or too many along the first axis."""
    if a.ndim != b.ndim or a.ndim == 0 or a.shape[1:] != b.shape[1:]:
        return None
    n, m = len(a), len(b)
    if 0 < m < n:
        if same(a[:m], b):
            what = "last one is" if n - m == 1 else f"last {n - m} are"
            return f"The {what} missing; the others are right."
        if same(a[n - m :], b):
            what = "first one is" if n - m == 1 else f"first {n - m} are"
            return f"The {what} missing; the others are right."
    if 0 < n < m:
        if same(a, b[:n]):
            return f"There are {m - n} too many at the end; the others are right."
        if same(a, b[m - n :]):
            return f"There are {m - n} too many at the beginning; the others are right."
    return None


def _axes(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    """About an axis too many or too few."""
    n = max(a.size, 1)
    if b.shape == (n, n) and a.shape in ((n,), (n, 1)) and n > 1:
        return (
            f"A square: arrays of shapes ({n},) and ({n}, 1) were combined somewhere, and "
            f"broadcast to ({n}, {n})."
        )
    if b.ndim == a.ndim + 1:
        if b.shape[1:] == a.shape and len(b):
            for name, value in (("sum", b.sum(axis=0)), ("mean", b.mean(axis=0))):
                if same(a, np.asarray(value)):
                    return f"The {name} of yours over the first axis is what was expected."
            return "A sum or mean over the first axis (the batch) may be missing."
        if b.shape[:-1] == a.shape and b.shape[-1]:
            return "A sum or mean over the last axis may be missing."
    if a.ndim == b.ndim + 1 and a.shape[1:] == b.shape:
        return f"The first axis, of length {len(a)}, is missing: was it summed over, or lost?"
    return None


# ------------------------------------------------------------------------ the same shape


@np.errstate(all="ignore")
def pattern(
    expected: np.ndarray, got: np.ndarray, wrong: np.ndarray | None, same: Same
) -> str | None:
    """Return a sentence when the difference of two arrays of one shape has a telling form."""
    a, b = expected.astype(np.float64), got.astype(np.float64)
    if np.isnan(b).any() and not np.isnan(a).any():
        return NAN
    if np.isinf(b).any() and not np.isinf(a).any():
        return INFINITE
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or a.size == 0:
        return None
    if got.dtype.kind == "b" or expected.dtype.kind == "b":
        return "It is the opposite everywhere." if a.size > 1 and same(a, 1 - b) else None
    if a.ndim == 0:
        return _of_numbers(float(a), float(b)) or _digits(a, b, same)
    return (
        _order(a, b, same)
        or _scale(a, b, same)
        or _digits(a, b, same)
        or _function(a, b, same)
        or _by_column(a, b, same)
        or _place(a, b, wrong)
        or _small(a, b)
    )


def _order(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    if a.size < 2:
        return None
    if a.ndim == 2 and a.shape[0] == a.shape[1] and same(a, b.T):
        return TRANSPOSED
    if np.isin(a, (0, 1)).all():  # nearly everything is another order of these
        return "0 and 1 are exchanged everywhere." if same(a, 1 - b) else None
    if same(a, b[::-1]):
        return "The values are right, but in reverse order."
    if a.ndim == 2 and same(a, b[:, ::-1]):
        return "The values are right, but the columns are in reverse order."
    if same(np.sort(a.ravel()), np.sort(b.ravel())):
        return "The values are right, but in another order."
    return None


def _scale(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    if not np.any(b):
        return "Your result is zero everywhere." if a.size > 1 else None
    if a.size > 1 and same(a, -b):  # one number of the other sign may be chance
        return FLIPPED
    nonzero = np.abs(a) > 1e-12
    if nonzero.sum() >= 2:
        factor = float(np.median(b[nonzero] / a[nonzero]))
        if factor != 0 and np.isfinite(factor) and same(a, b / factor):
            return _factor(factor, a.shape)
    if a.size > 2:
        shift = float(np.median(b - a))
        if same(a, b - shift):
            return f"All values are off by the same amount: {shift:.6g}. A term left out or added?"
    return None


def _factor(factor: float, shape: tuple[int, ...]) -> str:
    size = int(np.prod(shape))
    if factor < 0:
        return f"All values are off by the same factor, {factor:.6g}: the sign is flipped, too."
    for n, what in [(shape[0], "the number of rows"), (size, "the number of values")]:
        if n > 1 and _is(factor, n):
            return f"All values are {n} times too large; {n} is {what}: is a mean meant, not a sum?"
        if n > 1 and _is(factor, 1 / n):
            return f"All values are {n} times too small; {n} is {what}: is a sum meant, not a mean?"
        for power in (0.5, 1.0):
            if n > 2 and (
                _is(factor, ((n - 1) / n) ** power) or _is(factor, (n / (n - 1)) ** power)
            ):
                return (
                    f"All values are off by the same factor, {factor:.6g}: that is N - 1 in the "
                    f"place of N, or the reverse, for N = {n} (`ddof`)."
                )
    for value, words in (
        (1 / np.log(2), "a logarithm to base 2 where the natural one is meant?"),
        (1 / np.log(10), "a logarithm to base 10 where the natural one is meant?"),
        (100.0, "percent where a share is meant?"),
    ):
        if _is(factor, float(value)):
            return f"All values are off by the same factor, {factor:.6g}: {words}"
    return f"All values are off by the same factor, {factor:.6g}."


def _is(x: float, y: float) -> bool:
    return abs(x - y) < 1e-6 * abs(y)


def _of_numbers(a: float, b: float) -> str | None:
    """About one number: only forms that are hardly met by chance."""
    if a == 0 or b == 0:
        return None
    whole = a.is_integer() and b.is_integer()
    if whole and abs(b - a) == 1:  # 2 for 1 is a miscount sooner than a factor
        return "It is one too many." if b > a else "It is one too few."
    small = whole and max(abs(a), abs(b)) < 10  # 6 for 3 may be chance
    for factor, words in ((2.0, "twice"), (0.5, "half"), (-2.0, "minus twice"),
                          (-0.5, "minus half"), (100.0, "100 times"),
                          (0.01, "a hundredth of")):  # fmt: skip
        if _is(b / a, factor) and not small:
            return f"It is {words} the expected value."
    if whole:
        return FLIPPED if a == -b and abs(a) > 1 else None
    for form, words in ((-a, "the expected value with the other sign"),
                        (a * a, "the square of the expected value"),
                        (abs(a) ** 0.5, "the square root of the expected value"),
                        (1 / a, "1 divided by the expected value"),
                        (1 - a, "1 minus the expected value")):  # fmt: skip
        if _is(b, form):
            return f"It is {words}."
    return None


def _digits(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    """About values that were cut or rounded, which a tolerance does not forgive."""
    whole = np.rint(b) == b
    if whole.all() and not (np.rint(a) == a).all():
        if (np.trunc(a) == b).all():
            if not b[np.rint(a) != a].any():  # only zeros in their place: perhaps a written 0
                return (
                    "Yours is 0 wherever a fraction is expected: a 0 that you wrote, or digits "
                    "cut off by an array of integers, `//` or int()?"
                )
            return (
                "Your values are whole numbers, with the digits after the point cut off: an array "
                "of integers, `//` or int()?"
            )
        if (np.floor(a) == b).all() or (np.rint(a) == b).all():
            return "Your values are whole numbers: rounded, or `//`?"
    for digits in (1, 2, 3, 4, 5):
        if (np.round(a, digits) == np.round(b, 12)).all() and not same(a, b):
            return f"Your values are rounded to {digits} digits; give all of them."
    return None


def _function(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    """About a well-known function too many or too few."""
    if np.unique(a).size < 2:
        return None
    forms: list[tuple[np.ndarray, str]] = [
        (np.abs(a), "the absolute values of what was expected: the signs are lost"),
        (np.maximum(a, 0), "what was expected with a ReLU on top: values below 0 became 0"),
        (a * a, "the squares of what was expected"),
        (np.sqrt(a), "the square roots of what was expected"),
        (np.exp(a), "the exponentials of what was expected"),
        (np.log(a), "the logarithms of what was expected"),
        (1 / a, "1 divided by what was expected"),
        (1 - a, "1 minus what was expected"),
        (1 / (1 + np.exp(-a)), "what was expected with a sigmoid on top"),
        (np.tanh(a), "what was expected with a tanh on top"),
        (np.cumsum(a.ravel()).reshape(a.shape), "the running sums of what was expected"),
    ]
    for form, words in forms:
        if np.isfinite(form).all() and np.unique(form).size > 1 and same(form, b):
            return f"Yours are {words}."
    labels = np.isin(a, (0, 1)).all()
    if not labels and (b < 0).any() and np.unique(b).size > 1 and same(np.maximum(b, 0), a):
        return "Yours with max(0, ...) on top are what was expected: is a ReLU missing?"
    return None


def _by_column(a: np.ndarray, b: np.ndarray, same: Same) -> str | None:
    """About a term or a factor that is another one in each column (or row)."""
    if a.ndim != 2 or min(a.shape) < 2:
        return None
    for axis, name in ((0, "column"), (1, "row")):
        shift = np.median(b - a, axis=axis, keepdims=True)
        if np.unique(np.round(shift, 9)).size > 1 and same(a, b - shift):
            return (
                f"Within each {name} all values are off by the same amount: is something that "
                f"belongs to the {name}s, such as a bias or a mean, missing or wrong?"
            )
        factor = np.median(np.where(np.abs(a) > 1e-12, b / a, np.nan), axis=axis, keepdims=True)
        if np.isfinite(factor).all() and (factor != 0).all() and same(a, b / factor):
            return (
                f"Within each {name} all values are off by the same factor: are the {name}s "
                "divided or multiplied by the wrong numbers?"
            )
    return None


def _place(a: np.ndarray, b: np.ndarray, wrong: np.ndarray | None) -> str | None:
    """About where the values differ, if that is somewhere special."""
    if wrong is None or wrong.sum() < 2 or wrong.all():
        return None
    wanted, came = np.unique(a[wrong]), np.unique(b[wrong])
    if wanted.size == came.size == 1:
        return f"Wherever they differ, {wanted[0]:.6g} is expected and yours is {came[0]:.6g}."
    if wanted.size == 1 and not (a[~wrong] == wanted[0]).any():
        return f"They differ wherever {wanted[0]:.6g} is expected; the others are right."
    if came.size == 1:
        return f"Wherever they differ, yours is {came[0]:.6g}."
    for side, name in ((a < 0, "negative"), (a > 0, "positive")):
        if (side == wrong).all():
            return f"They differ wherever a {name} value is expected; the others are right."
    if a.ndim == 2:
        for axis, name in ((0, "column"), (1, "row")):
            lines = np.flatnonzero(wrong.any(axis=axis))
            if lines.size == 1:
                return f"They differ in {name} {lines[0]} only (counted from 0)."
    return None


def _small(a: np.ndarray, b: np.ndarray) -> str | None:
    scale = float(np.abs(a).max())
    if scale > 0 and float(np.abs(a - b).max()) < 1e-2 * scale:
        return "It is close, but not within the tolerance: a rounding, or an extra small constant?"
    return None
