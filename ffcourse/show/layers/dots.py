"""Dots: data points with a shape for each class, errors ringed, and the units of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer, box, floats, paint, same_length
from ffcourse.show.palettes import hex_of
from ffcourse.show.style import INK, MARKERS, class_colour, class_shape, colour
from ffcourse.show.svg import num, shapes, stroke_dots, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame


def _triangle(r: float) -> str:
    return f"m0,{num(-1.1 * r)}l{num(r)},{num(1.9 * r)}h{num(-2 * r)}z"


def _diamond(r: float) -> str:
    w, h = num(r), num(1.2 * r)
    return f"m0,-{h}l{w},{h}l-{w},{h}l-{w},-{h}z"


def _circle(r: float) -> str:
    n = num(r)
    return f"m-{n},0a{n},{n} 0 1 0 {num(2 * r)},0a{n},{n} 0 1 0 {num(-2 * r)},0z"


@dataclass(eq=False)
class Dots(Layer):
    """Data points.

    Parameters
    ----------
    x, y : array_like, shape (N,)
        The points.
    classes : array_like of int, shape (N,), optional
        Class of each point: decides its colour and its shape.
    errors : array_like of bool, shape (N,), optional
        Points to ring, such as those on the wrong side.
    role : str
        Colour of points without classes.
    size : float
        Diameter in points.
    """

    x: Any
    y: Any
    classes: Any = None
    errors: Any = None
    role: str = "data"
    size: float = 5.0

    def __post_init__(self) -> None:
        self.x, self.y = floats(self.x), floats(self.y)
        same_length(self, x=self.x, y=self.y)
        if self.classes is not None:
            self.classes = np.asarray(self.classes).ravel().astype(int)
            same_length(self, x=self.x, classes=self.classes)
        if self.errors is not None:
            self.errors = np.asarray(self.errors).ravel().astype(bool)
            same_length(self, x=self.x, errors=self.errors)

    def _groups(self) -> list[tuple[Array, str, str]]:
        """Return ``(mask, role or colour, shape)`` for each class."""
        if self.classes is None:
            return [(np.ones(len(self.x), bool), self.role, "circle")]
        present = np.unique(self.classes).tolist()
        return [(self.classes == k, class_colour(k), class_shape(k)) for k in present]

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        x, y = frame.x(self.x), frame.y(self.y)
        out = [self._marks(x[m], y[m], paint(c), shape) for m, c, shape in self._groups()]
        if self.errors is not None and self.errors.any():
            rings = shapes(x[self.errors], y[self.errors], _circle(0.5 * self.size + 1.9))
            out.append(tag("path", d=rings, fill="none", stroke="currentColor", stroke_width="1.2"))
        return "".join(out)

    def _marks(self, x: Array, y: Array, c: str, shape: str) -> str:
        if shape in ("circle", "square"):
            cap, width = ("round", self.size) if shape == "circle" else ("square", 0.88 * self.size)
            look = {"stroke": c, "stroke_width": num(width), "stroke_linecap": cap}
            return tag("path", d=stroke_dots(x, y), fill="none", **look)
        outline = _triangle(0.62 * self.size) if shape == "triangle" else _diamond(0.55 * self.size)
        return tag("path", d=shapes(x, y, outline), fill=c)

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        out: list[Artist] = []
        for mask, c, shape in self._groups():
            look = {"markersize": self.size, "markeredgewidth": 0, "clip_on": self.clip}
            fmt = MARKERS[shape]
            x, y = self.x[mask], self.y[mask]
            out += ax.plot(x, y, fmt, color=colour(c), **look)  # type: ignore[arg-type]
        if self.errors is not None and self.errors.any():
            x, y = self.x[self.errors], self.y[self.errors]
            ring = self.size + 3.8
            out += ax.plot(x, y, "o", mfc="none", mec=INK, markersize=ring, mew=1.2)
        return out

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        out = {"x": self.x, "y": self.y}
        if self.classes is not None:
            out["classes"] = self.classes
        if self.errors is not None:
            out["errors"] = self.errors
        return out

    def words(self) -> str:
        """Return the layer in words."""
        if self.spoken or self.errors is None:
            return self.spoken
        return f"{int(self.errors.sum())} of {len(self.x)} points ringed as errors."

    def proxy(self) -> Artist:
        """Return its entry in a legend."""
        from matplotlib.lines import Line2D

        return Line2D([], [], ls="", marker="o", color=colour(self.role), label=self.label)

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        return box(self.x, self.y)


@dataclass(eq=False)
class Discs(Layer):
    """Round units of a network, filled by a signed value: blue below zero, rust above.

    Parameters
    ----------
    x, y : array_like, shape (N,)
        Centres.
    values : array_like, shape (N,)
        The fill; None leaves the discs empty.
    radius : float
        In points.
    reach : float, optional
        The value with the full colour; the largest of `values` if None.
    chosen : int, optional
        Index of a unit to draw with a thick outline.
    """

    x: Any
    y: Any
    values: Any = None
    radius: float = 12.0
    reach: float | None = None
    chosen: int | None = None

    def __post_init__(self) -> None:
        self.x, self.y = floats(self.x), floats(self.y)
        self.values = np.zeros(len(self.x)) if self.values is None else floats(self.values)
        same_length(self, x=self.x, y=self.y, values=self.values)

    def _fills(self) -> list[tuple[str, float]]:
        finite = np.abs(self.values[np.isfinite(self.values)])
        reach = self.reach or float(finite.max(initial=0.0)) or 1.0
        return hex_of(self.values, reach)

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        out = []
        points = zip(frame.x(self.x).tolist(), frame.y(self.y).tolist(), strict=True)
        for i, ((x, y), (c, opacity)) in enumerate(zip(points, self._fills(), strict=True)):
            at = {"cx": num(x), "cy": num(y), "r": num(self.radius)}
            # An opaque disc in the page's colour first, so that links end at its edge.
            out.append(tag("circle", **at, fill="var(--jp-layout-color0, #fff)"))
            width = 3 if i == self.chosen else 1.1
            look = {"fill": c, "fill_opacity": opacity, "stroke": "currentColor"}
            out.append(tag("circle", **at, **look, stroke_width=width))
        return "".join(out)

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        out: list[Artist] = []
        for i, (c, opacity) in enumerate(self._fills()):
            x, y = [self.x[i]], [self.y[i]]
            size = 2 * self.radius
            mew = 3 if i == self.chosen else 1.1
            out += ax.plot(x, y, "o", color="white", markersize=size, mew=0)
            face = (*_unit_rgb(c), opacity)
            out += ax.plot(x, y, "o", mfc=face, mec=INK, markersize=size, mew=mew)
        return out

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x": self.x, "y": self.y, "values": self.values}

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        return box(self.x, self.y)


def _unit_rgb(hex_colour: str) -> tuple[float, float, float]:
    r, g, b = (int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return r, g, b
