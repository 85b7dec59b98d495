"""Several activation functions side by side, at one point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ffcourse.show.instruments.activation import slope
from ffcourse.show.instruments.common import apply
from ffcourse.show.layers import Bars, Dots, Layer, Line, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Range
from ffcourse.show.style import CLASSES

_DASHES = (False, True)


def activations_compared(
    functions: Mapping[str, Callable[[Any], Any]],
    *,
    reach: float = 4.0,
    z: float = 1.0,
) -> LiveFigure:
    """Show several activations on one pair of axes, and the slope of each at the point z.

    Parameters
    ----------
    functions : mapping of str to callable
        At most six, by name; each from an array to an array, or from a number to a number.
    reach : float
        z goes from ``-reach`` to ``reach``.
    z : float
        Where the point starts.
    """
    if not 1 <= len(functions) <= 6:
        raise ValueError(f"functions: give one to six, got {len(functions)}")
    axis = np.linspace(-reach, reach, 301)
    names = list(functions)
    hues = CLASSES[: len(names)]
    curves = [apply(fn, axis, name) for name, fn in functions.items()]
    slopes = [slope(fn, axis) for fn in functions.values()]
    still = [
        Line(axis, curve, hue, dashed=i % 2 == 1, label=name)
        for i, (name, curve, hue) in enumerate(zip(names, curves, hues, strict=True))
    ]
    rows = np.arange(len(names))[::-1]

    def point(z: float) -> list[Layer]:
        at = np.array([z])
        values = [float(apply(fn, at, name)[0]) for name, fn in functions.items()]
        steep = [float(slope(fn, at)[0]) for fn in functions.values()]
        dots = [
            Dots([z], [v], role=hue, size=9, name=name)
            for name, v, hue in zip(names, values, hues, strict=True)
        ]
        numbers = [f"{s:.3f}" for s in steep]
        return [
            Line([z, z], [-1e3, 1e3], "ink", 1, dashed=True, name="z"),
            *dots,
            Bars(rows, steep, list(hues), 0.6, sideways=True, panel=1, name="slopes"),
            Text(
                np.clip(steep, 0, high) + 0.04,
                rows,
                numbers,
                size=9,
                quiet=True,
                panel=1,
                name="numbers",
            ),
        ]

    # The jump of a step has no slope to draw; its difference quotient would hide all others.
    high = max(1.0, *(min(float(s.max()), 2.0) for s in slopes))
    low = min(0.0, *(max(float(s.min()), -1.0) for s in slopes))
    left = Panel((-reach, reach), (-1.5, min(reach, 3.0)), "z", "a", layers=still, grid=True)
    right = Panel(
        (low * 1.1, high * 1.35),
        (-0.7, len(names) - 0.3),
        "slope at z",
        "activation",
        width=0.6,
        draw=lambda ax: ax.set_yticks(rows, names),
    )
    alt = f"The activations {', '.join(names)}, and the slope of each at z."
    return live(point, background=[left, right], alt=alt, z=Range(-reach, reach, 0.05, z))
