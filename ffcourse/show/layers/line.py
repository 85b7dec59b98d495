"""Lines, the area between two lines, and the level lines of a grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer, box, floats, paint, same_length
from ffcourse.show.style import colour
from ffcourse.show.svg import num, polyline, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame


@dataclass(eq=False)
class Line(Layer):
    """A line through points.

    Parameters
    ----------
    x, y : array_like, shape (N,)
        The points; a point that is not finite leaves a gap.
    role : str
        A role of `ffcourse.show.style`, ``"class 1"``, or a colour.
    width : float
        In points.
    dashed : bool
        Dashes, for what is a reference or a guess.
    """

    x: Any
    y: Any
    role: str = "prediction"
    width: float = 2.2
    dashed: bool = False

    def __post_init__(self) -> None:
        self.x, self.y = floats(self.x), floats(self.y)
        same_length(self, x=self.x, y=self.y)

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        return tag(
            "path",
            d=polyline(frame.x(self.x), frame.y(self.y)),
            fill="none",
            stroke=paint(self.role),
            stroke_width=float(self.width),
            stroke_linejoin="round",
            stroke_linecap=None if self.dashed else "round",
            stroke_dasharray="6 4" if self.dashed else None,
        )

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        return list(ax.plot(self.x, self.y, **self._look()))

    def _look(self) -> dict[str, Any]:
        return {
            "color": colour(self.role),
            "linewidth": self.width,
            "linestyle": (0, (6 / self.width, 4 / self.width)) if self.dashed else "-",
            "clip_on": self.clip,
        }

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x": self.x, "y": self.y}

    def proxy(self) -> Artist:
        """Return its entry in a legend."""
        from matplotlib.lines import Line2D

        return Line2D([], [], label=self.label, **self._look())

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        return box(self.x, self.y)


@dataclass(eq=False)
class Area(Layer):
    """The area between two lines over the same x.

    Parameters
    ----------
    x, low, high : array_like, shape (N,)
        `low` and `high` may be numbers.
    role : str
        As in `Line`.
    opacity : float
        0 to 1.
    """

    x: Any
    low: Any
    high: Any
    role: str = "prediction"
    opacity: float = 0.25

    def __post_init__(self) -> None:
        self.x = floats(self.x)
        self.low = floats(np.broadcast_to(self.low, self.x.shape))
        self.high = floats(np.broadcast_to(self.high, self.x.shape))

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        x = frame.x(np.concatenate([self.x, self.x[::-1]]))
        y = frame.y(np.concatenate([self.high, self.low[::-1]]))
        return tag("path", d=polyline(x, y), fill=paint(self.role), fill_opacity=f"{self.opacity}")

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        look: dict[str, Any] = {"color": colour(self.role), "alpha": self.opacity, "linewidth": 0}
        return [ax.fill_between(self.x, self.low, self.high, **look)]

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x": self.x, "low": self.low, "high": self.high}

    def proxy(self) -> Artist:
        """Return its entry in a legend."""
        from matplotlib.patches import Patch

        return Patch(color=colour(self.role), alpha=self.opacity, label=self.label)


@dataclass(eq=False)
class Contour(Layer):
    """The lines along which a grid of values has given levels, such as a decision boundary.

    Parameters
    ----------
    values : array_like, shape (H, W)
        Values on an even grid; row 0 lies at the bottom.
    extent : tuple of float
        ``(x0, x1, y0, y1)`` of the first and last column and row.
    levels : sequence of float
        One line or set of lines for each.
    role, width, dashed
        As in `Line`.
    """

    values: Any
    extent: tuple[float, float, float, float]
    levels: Any = (0.5,)
    role: str = "ink"
    width: float = 1.6
    dashed: bool = False
    paths: list[Array] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from contourpy import contour_generator

        self.values = np.asarray(self.values, np.float64)
        if self.values.ndim != 2:
            raise ValueError(f"Contour: values need shape (H, W), got {self.values.shape}")
        self.levels = floats(self.levels)
        h, w = self.values.shape
        x0, x1, y0, y1 = self.extent
        # contourpy wants finite values; a masked point cuts the line, as a gap in Line does.
        z = np.ma.masked_invalid(self.values)
        generator = contour_generator(np.linspace(x0, x1, w), np.linspace(y0, y1, h), z)
        found: list[Array] = []
        for level in self.levels:
            found += [np.asarray(path) for path in generator.lines(float(level))]
        self.paths = found

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        d = "".join(polyline(frame.x(p[:, 0]), frame.y(p[:, 1])) for p in self.paths)
        return tag(
            "path",
            d=d,
            fill="none",
            stroke=paint(self.role),
            stroke_width=num(self.width),
            stroke_dasharray="6 4" if self.dashed else None,
        )

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        look: dict[str, Any] = {"color": colour(self.role), "linewidth": self.width}
        look["linestyle"] = "--" if self.dashed else "-"
        return [artist for p in self.paths for artist in ax.plot(p[:, 0], p[:, 1], **look)]

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"values": self.values}

    def proxy(self) -> Artist:
        """Return its entry in a legend."""
        return Line([], [], self.role, self.width, self.dashed, label=self.label).proxy()
