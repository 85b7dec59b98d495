"""A neuron with two inputs, and the line along which it changes its mind."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.show.instruments.common import (
    Array,
    Extent,
    blank,
    extent_of,
    grid,
    notes,
    points,
    similar,
    straight,
    weighted,
)
from ffcourse.show.layers import Arrow, Dots, Layer, Line, Map
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Range

_CELLS = 40


def neuron_line(
    X: Any,
    y: Any,
    *,
    w1: float = 1.0,
    w2: float = 1.0,
    b: float = 0.0,
    reach: float = 3.0,
    names: tuple[str, str] = ("x1", "x2"),
) -> LiveFigure:
    """Show two-dimensional data and the decision line ``w1 x1 + w2 x2 + b = 0``.

    Points on the wrong side are ringed; the arrow is the weight vector, and the tint is z, blue
    below zero and rust above. The perceptron loss is the mean of ``max(0, -s z)`` with s = 1 for
    class 1 and -1 for class 0.

    Parameters
    ----------
    X : array_like, shape (N, 2)
        Points; best standardised.
    y : array_like of int, shape (N,)
        Class of each point, 0 or 1.
    w1, w2, b : float
        Weights and bias to start with.
    reach : float
        Sliders go from ``-reach`` to ``reach``.
    names : tuple of str
        What the two features are called.
    """
    X, y = points(X, y)
    extent = extent_of(X)
    cells = grid(extent, _CELLS)
    sign = np.where(y == 1, 1.0, -1.0)

    def neuron(w1: float, w2: float, b: float) -> list[Layer]:
        w = np.array([w1, w2])
        z = X @ w + b  # (N, 2) @ (2,) -> (N,)
        wrong = (z > 0) != (y == 1)
        loss = float(np.maximum(0, -sign * z).mean())
        tint = (cells @ w + b).reshape(_CELLS, _CELLS)
        return [
            Map(tint, extent, low=-reach, high=reach, opacity=0.4, name="z"),
            Dots(X[:, 0], X[:, 1], y, wrong, name="data"),
            Line(*straight(w1, w2, b, extent), "ink", 2.4, name="line"),
            _arrow(w, b, extent),
            *notes(
                1,
                ("formula", f"z = {weighted([w1, w2], names, b)}", "ink"),
                ("errors", f"{wrong.sum()} of {len(X)} wrong", "ink"),
                ("loss", f"perceptron loss {loss:.3f}", "loss"),
            ),
        ]

    x0, x1, y0, y1 = extent
    panel = Panel((x0, x1), (y0, y1), *names, equal=similar(extent))
    start = {"w1": w1, "w2": w2, "b": b}
    knobs: dict[str, Any] = {n: Range(-reach, reach, 0.05, v) for n, v in start.items()}
    return live(
        neuron,
        background=[panel, blank(0.9 if similar(extent) else 0.5)],
        alt=f"{len(X)} points of two classes and the decision line of one neuron.",
        **knobs,
    )


def _arrow(w: Array, b: float, extent: Extent) -> Arrow:
    """Return the weight vector, from the decision line's point that is nearest the middle."""
    middle = np.array([(extent[0] + extent[1]) / 2, (extent[2] + extent[3]) / 2])
    square = float(w @ w)
    foot = middle - w * float(w @ middle + b) / square if square else middle
    tip = foot + w
    return Arrow(foot[0], foot[1], tip[0], tip[1], "weight", name="weights")
