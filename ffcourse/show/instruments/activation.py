"""An activation function and its derivative, with a point to move along them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.show.instruments.common import Array, apply
from ffcourse.show.layers import Dots, Layer, Line, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Range

Function = Callable[[Any], Any]


def slope(fn: Function, z: Array, step: float = 1e-4) -> Array:
    """Return the central difference quotient of `fn` at `z`, same shape."""
    up, down = apply(fn, z + step, "activation"), apply(fn, z - step, "activation")
    return (up - down) / (2 * step)


def activation(
    fn: Function,
    derivative: Function | None = None,
    *,
    name: str = "",
    reach: float = 6.0,
    z: float = 1.0,
) -> LiveFigure:
    """Show ``a = fn(z)`` and its slope; the slider moves a point along both.

    Parameters
    ----------
    fn : callable
        The activation, from an array to an array; also one that takes a single number.
    derivative : callable, optional
        Its derivative with respect to z; computed by differences if None.
    name : str
        What it is called; the function's name if empty.
    reach : float
        z goes from ``-reach`` to ``reach``.
    z : float
        Where the point starts.
    """
    name = name or getattr(fn, "__name__", type(fn).__name__)
    axis = np.linspace(-reach, reach, 401)
    curve = apply(fn, axis, name)
    slopes = slope(fn, axis) if derivative is None else apply(derivative, axis, "derivative")

    def point(z: float) -> list[Layer]:
        at = np.array([z])
        a = float(apply(fn, at, name)[0])
        s = float((slope(fn, at) if derivative is None else apply(derivative, at, "derivative"))[0])
        run = np.array([-1.0, 1.0])
        return [
            Line(z + run, a + s * run, "gradient", 2, name="tangent"),
            Dots([z], [a], size=10, role="prediction", name="point"),
            Text(0.04, 0.93, f"a = {a:.4f}", "prediction", fraction=True, name="value"),
            Line([z, z], [0, s], "gradient", 1.2, dashed=True, panel=1, name="drop"),
            Dots([z], [s], size=10, role="gradient", panel=1, name="slope point"),
            Text(0.04, 0.93, f"slope = {s:.4f}", "gradient", fraction=True, panel=1, name="slope"),
        ]

    still = Line(axis, curve, "prediction"), Line(axis, slopes, "gradient")
    return live(
        point,
        background=[
            Panel((-reach, reach), _room(curve), "z", "a", name, layers=still[:1], grid=True),
            Panel(
                (-reach, reach), _room(slopes), "z", "da/dz", "slope", layers=still[1:], grid=True
            ),
        ],
        alt=f"The activation {name} and its derivative, with a point at z.",
        z=Range(-reach, reach, 0.05, z),
    )


def _room(values: Array) -> tuple[float, float]:
    """Return limits with room for a line of text above."""
    finite = values[np.isfinite(values)]
    low, high = min(0.0, float(finite.min())), max(0.0, float(finite.max()))
    span = (high - low) or 1.0
    return low - 0.08 * span, high + 0.25 * span
