"""Geometry that several instruments share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ffcourse.show.layers import Layer, Text
from ffcourse.show.panels import Panel

Array = NDArray[Any]
Extent = tuple[float, float, float, float]


def points(X: Any, y: Any = None) -> tuple[Array, Array | None]:
    """Return `X` as (N, 2) floats and `y` as (N,) integers; raise ValueError otherwise."""
    X = np.asarray(X, np.float64)
    if X.ndim != 2 or X.shape[1] != 2 or not len(X):
        raise ValueError(f"X must have shape (N, 2) with N > 0, got {X.shape}")
    if y is None:
        return X, None
    y = np.asarray(y).ravel()
    if len(y) != len(X):
        raise ValueError(f"X has {len(X)} rows, but y has {len(y)} labels")
    return X, y.astype(int)


def extent_of(X: Array, margin: float = 0.12) -> Extent:
    """Return ``(x0, x1, y0, y1)`` around the points, shape (N, 2)."""
    low, high = X.min(0), X.max(0)
    pad = margin * np.where(high > low, high - low, 1.0)
    x0, y0 = (low - pad).tolist()
    x1, y1 = (high + pad).tolist()
    return x0, x1, y0, y1


def grid(extent: Extent, n: int = 100) -> Array:
    """Return the points of an even n by n grid, shape (n*n, 2); the bottom row comes first.

    The points are the middles of the cells, so that a `Map` over `extent` shows each value where
    it was computed.
    """
    x0, x1, y0, y1 = extent
    u = (np.arange(n) + 0.5) / n
    xx, yy = np.meshgrid(x0 + (x1 - x0) * u, y0 + (y1 - y0) * u)
    return np.stack([xx.ravel(), yy.ravel()], 1)


def middles(extent: Extent, n: int) -> Extent:
    """Return the extent of the grid's points, for a `Contour` over the values of `grid`."""
    x0, x1, y0, y1 = extent
    dx, dy = (x1 - x0) / n / 2, (y1 - y0) / n / 2
    return x0 + dx, x1 - dx, y0 + dy, y1 - dy


def straight(w1: float, w2: float, b: float, extent: Extent) -> tuple[Array, Array]:
    """Return the ends of ``w1 x + w2 y + b = 0`` within the extent, as x (2,) and y (2,).

    Both are empty where the line misses the extent, or the weights are zero.
    """
    x0, x1, y0, y1 = extent
    found: list[tuple[float, float]] = []
    if w2:
        found += [(x, y) for x in (x0, x1) if y0 <= (y := -(w1 * x + b) / w2) <= y1]
    if w1:
        found += [(x, y) for y in (y0, y1) if x0 <= (x := -(w2 * y + b) / w1) <= x1]
    ends = sorted(found)
    if len(ends) < 2:
        return np.empty(0), np.empty(0)
    first, last = ends[0], ends[-1]
    return np.array([first[0], last[0]]), np.array([first[1], last[1]])


def apply(fn: Callable[[Any], Any], x: Any, name: str) -> Array:
    """Return ``fn(x)`` as an array of the shape of `x`; fall back to one value at a time.

    Raises
    ------
    ValueError
        If `fn` returns another number of values.
    """
    x = np.asarray(x, np.float64)
    try:
        out = np.asarray(fn(x.copy()), np.float64)
    except (TypeError, ValueError):  # "if z > 0" and the like work on single numbers only
        out = np.empty(())
    if out.ndim == 0:
        out = np.array([fn(v) for v in x.ravel().tolist()], np.float64)
        out = out.reshape(x.shape) if out.size == x.size else out
    if out.shape != x.shape:
        message = f"{name} must return one value for each input: {x.shape} in, {out.shape} out"
        raise ValueError(message)
    return out


def similar(extent: Extent) -> bool:
    """Whether both sides of the extent are of like size, so that equal units make sense."""
    x0, x1, y0, y1 = extent
    return 1 / 3 < (x1 - x0) / (y1 - y0) < 3


def notes(panel: int, *lines: tuple[str, str, str], top: float = 0.94) -> list[Layer]:
    """Return a column of text: ``(name, text, role)`` for each line."""
    return [
        Text(0.0, top - 0.1 * i, text, role, fraction=True, name=name, panel=panel)
        for i, (name, text, role) in enumerate(lines)
    ]


def blank(width: float = 0.6) -> Panel:
    """Return a panel without axes, for notes."""
    return Panel((0, 1), (0, 1), axes=False, width=width)


def check_choice(name: str, value: str, options: Sequence[str]) -> None:
    """Raise ValueError unless `value` is one of `options`."""
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")


def whole_ticks_x(ax: Any) -> None:
    """Put ticks at whole numbers of x only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def whole_ticks(ax: Any) -> None:
    """Put ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    whole_ticks_x(ax)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))


def weighted(weights: Sequence[float], names: Sequence[str], bias: float) -> str:
    """Return ``"1.00·x1 − 0.50·x2 + 0.20"``."""
    out = ""
    for value, name in [*zip(weights, names, strict=True), (bias, "")]:
        sign = "−" if value < 0 else "+" if out else ""
        gap = " " if out else ""
        out += f"{gap}{sign}{gap}{abs(value):.2f}" + (f"·{name}" if name else "")
    return out
