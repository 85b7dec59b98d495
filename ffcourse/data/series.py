"""A real time series, and how to cut it into inputs and targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.data import store
from ffcourse.data.card import Dataset
from ffcourse.data.check import Array, as_rows, float_type, whole


def load_sunspots(*, dtype: Any = np.float32) -> Dataset:
    """Load the yearly sunspot numbers from 1700 to 2008.

    Parameters
    ----------
    dtype : dtype
        Floating-point type.

    Returns
    -------
    Dataset
        ``X`` (309, 1) the years, ``y`` (309,) the sunspot numbers, in the order of time.
    """
    kind = float_type(dtype)
    described = store.sidecar("sunspots")
    values = store.table(described).astype(kind)
    names = tuple(described["feature_names"]), tuple(described["target_names"])
    return Dataset(values[:, :1], values[:, 1], *names, store.card(described))


def windows(series: Any, width: int, *, horizon: int = 1) -> tuple[Array, Array]:
    """Cut a series into stretches of `width` values, each with the value that follows.

    Parameters
    ----------
    series : array_like, shape (T,) or (T, D)
        Values in the order of time.
    width : int
        Values in one input.
    horizon : int
        How many steps after the input's last value the target lies.

    Returns
    -------
    X : ndarray, shape (N, width) or (N, width, D)
        N is T - width - horizon + 1. Copies, not views.
    y : ndarray, shape (N,) or (N, D)
        ``y[i]`` is ``series[i + width + horizon - 1]``.

    Examples
    --------
    >>> X, y = windows([1, 2, 3, 4, 5], 3)
    >>> X
    array([[1, 2, 3],
           [2, 3, 4]])
    >>> y
    array([4, 5])
    """
    values = as_rows(series, "series")
    reach = whole(width, "width") + whole(horizon, "horizon") - 1
    if len(values) <= reach:
        raise ValueError(
            f"width={width} and horizon={horizon} need a series of at least {reach + 1} values, "
            f"but it has {len(values)}."
        )
    start = np.arange(len(values) - reach)[:, None]
    return values[start + np.arange(width)], values[reach:].copy()
