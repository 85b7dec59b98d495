"""Argument checks shared by the data functions: one clear sentence each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator | int | None


def as_rng(rng: Rng) -> np.random.Generator:
    """Return a generator: one that was given, one seeded by an integer, or a fresh one for None."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        return np.random.default_rng()
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
        raise TypeError(
            "rng must be a NumPy Generator or an integer seed, for example "
            f"np.random.default_rng(0), but got {type(rng).__name__}."
        )
    if rng < 0:
        raise ValueError(f"rng must be a seed of at least 0, or a NumPy Generator, but got {rng}.")
    return np.random.default_rng(int(rng))


def as_rows(value: Any, name: str) -> Array:
    """Return `value` as an array with at least one row."""
    array = np.asarray(value)
    if array.ndim == 0:
        raise ValueError(f"{name} must have rows (at least one dimension), but it is a scalar.")
    if len(array) == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}. Give at least one row.")
    return array


def same_length(X: Array, y: Array) -> None:
    """Raise unless `X` and `y` have the same number of rows."""
    if len(X) != len(y):
        raise ValueError(
            f"X and y must have one row per example each, but X has {len(X)} rows and y has "
            f"{len(y)}."
        )


def fraction(value: float, name: str) -> float:
    """Return `value` if it lies strictly between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name} must be a fraction such as 0.2, but got {value!r}.")
    if not 0 < float(value) < 1:
        raise ValueError(f"{name} must be a fraction between 0 and 1, such as 0.2, got {value}.")
    return float(value)


def whole(value: int, name: str, at_least: int = 1) -> int:
    """Return `value` if it is an integer of at least `at_least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, but got {value!r}.")
    if value < at_least:
        raise ValueError(f"{name} must be at least {at_least}, but got {value}.")
    return int(value)


def not_negative(value: float, name: str) -> float:
    """Return `value` if it is a finite number of at least 0."""
    if not np.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a number of at least 0, but got {value}.")
    return float(value)


def float_type(dtype: Any) -> np.dtype[Any]:
    """Return `dtype` if it is a floating-point type."""
    kind: np.dtype[Any] = np.dtype(dtype)
    if not np.issubdtype(kind, np.floating):
        raise ValueError(f"dtype must be a floating-point type such as np.float32, got {kind}.")
    return kind
