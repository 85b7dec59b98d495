"""Whether two values are the same, for a teacher's purpose, and if not, how they differ.

Shapes are strict; dtypes are free unless a rule declares one. Floats are compared to a
relative tolerance (1e-6, or 1e-4 when either side is float32) plus an absolute one that is
scaled to the reference, so that a 1e-17 left over from cancellation is as good as 0.
Whole numbers, booleans and text are compared exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ffcourse.grade.patterns import Same, without_values
from ffcourse.grade.values import ErrorValue
from ffcourse.grade.words import how_numbers_differ, noun, show

RTOL = {2: 5e-3, 4: 1e-4, 8: 1e-6}
FLOOR = {2: 1e-4, 4: 1e-7, 8: 1e-12}


def difference(expected: Any, got: Any, rule: Mapping[str, Any] | None = None) -> str | None:
    """Return None when two decoded values agree, else one or two sentences that tell how not.

    Parameters
    ----------
    expected, got : decoded values (see `ffcourse.grade.values.decode`)
    rule : mapping or None
        ``rule`` ("close" or "exact"), ``rtol``, ``atol``, ``dtype``.
    """
    rule = rule or {}
    if isinstance(got, ErrorValue) and not isinstance(expected, ErrorValue):
        return f"Your code raised {got}."
    numbers = as_numbers(expected), as_numbers(got)
    if numbers[0] is not None:
        if numbers[1] is None:
            return f"Expected {noun(expected)}, got {noun(got)}."
        return _dtype(rule, got) or _numbers(numbers[0], numbers[1], rule)
    return _other(expected, got, rule)


def alike(expected: Any, got: Any, rule: Mapping[str, Any] | None = None) -> bool:
    """Return whether `difference` would be None, without looking for words."""
    rule = rule or {}
    if isinstance(expected, (np.ndarray, np.generic)) and not rule.get("dtype"):
        a, b = as_numbers(expected), as_numbers(got)
        if a is not None and b is not None:
            return a.shape == b.shape and bool(close(a, b, rule).all())
    return difference(expected, got, rule) is None


def told_of_hidden(expected: Any, got: Any, rule: Mapping[str, Any]) -> str | None:
    """Return a sentence about two values that gives neither away, or None."""
    a, b = as_numbers(expected), as_numbers(got)
    if a is None or b is None or rule.get("rule", "close") not in ("close", "exact"):
        return None
    return without_values(a, b, _alike(rule))


def as_numbers(value: Any) -> np.ndarray | None:
    """Return a value as a numeric array if it is a number, an array, or a list of numbers."""
    if isinstance(value, (bool, int, float, np.generic)) and not isinstance(value, str):
        if isinstance(value, int) and abs(value) >= 2**63:
            return np.array(float(value)) if abs(value) < 1e300 else np.array(np.inf)
        return np.asarray(value)
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind in "biuf" else None
    if isinstance(value, list) and value and not any(isinstance(v, (str, dict)) for v in value):
        rows = [as_numbers(item) for item in value]
        if (
            all(row is not None for row in rows)
            and len({r.shape for r in rows if r is not None}) == 1
        ):
            return np.array(rows)
    return None


def _dtype(rule: Mapping[str, Any], got: Any) -> str | None:
    wanted = rule.get("dtype")
    actual = str(getattr(got, "dtype", type(got).__name__))
    return None if wanted is None or actual == wanted else f"Expected dtype {wanted}, got {actual}."


def _other(expected: Any, got: Any, rule: Mapping[str, Any]) -> str | None:
    if isinstance(expected, ErrorValue):
        same = isinstance(got, ErrorValue) and expected.type == got.type
        return None if same else f"Expected {noun(expected)}, got {noun(got)}."
    if isinstance(expected, str):
        return _text(expected, got)
    if expected is None:
        return None if got is None else f"Expected None, got {noun(got)}."
    if isinstance(expected, list):
        return _list(expected, got, rule)
    if isinstance(expected, dict):
        return _dict(expected, got, rule)
    return _text_array(expected, got)


def _text(expected: str, got: Any) -> str | None:
    if not isinstance(got, str):
        return f"Expected {noun(expected)}, got {noun(got)}."
    if expected == got:
        return None
    near = expected.strip().casefold() == got.strip().casefold()
    also = " They differ only in capital letters or spaces." if near else ""
    return f"Expected {show(expected)}, got {show(got)}.{also}"


def _list(expected: list[Any], got: Any, rule: Mapping[str, Any]) -> str | None:
    if isinstance(got, np.ndarray) and got.ndim:
        got = list(got)
    if not isinstance(got, list):
        return f"Expected {noun(expected)}, got {noun(got)}."
    if len(expected) != len(got):
        return f"Expected a list of {len(expected)}, got a list of {len(got)}."
    for i, (a, b) in enumerate(zip(expected, got, strict=True)):
        words = difference(a, b, rule)
        if words:
            return f"Item {i} of the list: {words}"
    return None


def _dict(expected: dict[str, Any], got: Any, rule: Mapping[str, Any]) -> str | None:
    if not isinstance(got, dict):
        return f"Expected {noun(expected)}, got {noun(got)}."
    missing = [k for k in expected if k not in got]
    extra = [k for k in got if k not in expected]
    if missing:
        return f"The dict has no entry {show(missing[0])}."
    if extra:
        return f"The dict has an entry {show(extra[0])} that was not expected."
    for key, value in expected.items():
        words = difference(value, got[key], rule)
        if words:
            return f"Entry {show(key)}: {words}"
    return None


def _text_array(expected: Any, got: Any) -> str | None:
    texts = isinstance(got, list) and all(isinstance(item, str) for item in got)
    other = np.asarray(got) if texts else got
    if not isinstance(other, np.ndarray) or other.dtype.kind != "U":
        return f"Expected {noun(expected)}, got {noun(got)}."
    if other.shape != expected.shape:
        return f"Expected shape {expected.shape}, got {other.shape}."
    if bool((other == expected).all()):
        return None
    i = tuple(int(n) for n in np.argwhere(other != expected)[0])
    return f"At index {list(i)}: expected {show(str(expected[i]))}, got {show(str(other[i]))}."


def _numbers(a: np.ndarray, b: np.ndarray, rule: Mapping[str, Any]) -> str | None:
    if a.shape == b.shape:
        wrong = ~close(a, b, rule)
        if not wrong.any():
            return None
    else:
        wrong = None
    return how_numbers_differ(a, b, wrong, _alike(rule))


def _alike(rule: Mapping[str, Any]) -> Same:
    def same(x: np.ndarray, y: np.ndarray) -> bool:
        return x.shape == y.shape and bool(close(x, y, {**rule, "rule": "close"}).all())

    return same


def close(expected: np.ndarray, got: np.ndarray, rule: Mapping[str, Any]) -> np.ndarray:
    """Return where two arrays of one shape agree, element by element."""
    exact = rule.get("rule") == "exact" or expected.dtype.kind in "biu"
    if exact and expected.dtype.kind in "biu" and got.dtype.kind in "biu":
        return np.asarray(expected == got)
    size = min(_size(expected), _size(got))
    a, b = expected.astype(np.float64), got.astype(np.float64)
    rtol = float(rule.get("rtol", 1e-9 if exact else RTOL[size]))
    atol = float(rule.get("atol", 0.0 if exact else _atol(a, rtol, size)))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(a - b) <= atol + rtol * np.abs(a)
    finite = np.isfinite(a) & np.isfinite(b)
    return np.asarray(np.where(finite, near, (a == b) | (np.isnan(a) & np.isnan(b))))


def _size(array: np.ndarray) -> int:
    """Bytes of the float type that limits the precision; whole numbers are as good as float64."""
    return min(array.dtype.itemsize, 8) if array.dtype.kind == "f" else 8


@np.errstate(over="ignore")
def _atol(a: np.ndarray, rtol: float, size: int) -> float:
    """Return rtol times a typical magnitude, but never less than the rounding noise."""
    magnitudes = np.abs(a[np.isfinite(a) & (a != 0)])
    if magnitudes.size == 0:
        return FLOOR[size]
    noise = 64 * {2: 1e-3, 4: 1.2e-7, 8: 2.2e-16}[size] * float(magnitudes.max())
    typical = rtol * float(np.median(magnitudes))
    return max(min(typical, rtol), noise, FLOOR[size] * min(1.0, float(magnitudes.max())))
