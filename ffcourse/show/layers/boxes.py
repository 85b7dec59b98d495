"""Rectangles, such as the nodes of a graph or the window of a convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer, box, floats, one_number, paint
from ffcourse.show.style import colour
from ffcourse.show.svg import num, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame


@dataclass(eq=False)
class Boxes(Layer):
    """Rectangles around points.

    Parameters
    ----------
    x, y : float or array_like, shape (N,)
        Middles.
    width, height : float
        In data coordinates, the same for all.
    role : str
        Colour of outline and fill, as in `Line`.
    line : float
        Width of the outline in points.
    opacity : float
        Of the fill; 0 leaves the boxes empty.
    """

    x: Any
    y: Any
    width: float = 1.0
    height: float = 1.0
    role: str = "ink"
    line: float = 1.2
    opacity: float = 0.08

    def __post_init__(self) -> None:
        self.x, self.y = floats(self.x), floats(self.y)
        self.x, self.y = np.broadcast_arrays(self.x, self.y)
        self.width, self.height = one_number(self, "width"), one_number(self, "height")

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        one, two = frame.x(self.x - self.width / 2), frame.x(self.x + self.width / 2)
        top, low = frame.y(self.y + self.height / 2), frame.y(self.y - self.height / 2)
        left, right = np.minimum(one, two), np.maximum(one, two)
        top, low = np.minimum(top, low), np.maximum(top, low)
        rows = np.stack([left, top, right - left, low - top], 1)
        rects = [
            tag("rect", x=num(a), y=num(b), width=num(w), height=num(h), rx=3)
            for a, b, w, h in rows[np.isfinite(rows).all(1)].tolist()
        ]
        look = {"stroke": paint(self.role), "stroke_width": num(self.line)}
        fill = {"fill": paint(self.role), "fill_opacity": f"{self.opacity:g}"}
        return tag("g", "".join(rects), **look, **fill)

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        from matplotlib.colors import to_rgba
        from matplotlib.patches import Rectangle

        hue = colour(self.role)
        look: dict[str, Any] = {"edgecolor": hue, "facecolor": to_rgba(hue, self.opacity)}
        look |= {"linewidth": self.line, "clip_on": self.clip}
        corner = (self.width / 2, self.height / 2)
        return [
            ax.add_patch(Rectangle((a - corner[0], b - corner[1]), self.width, self.height, **look))
            for a, b in zip(self.x.tolist(), self.y.tolist(), strict=True)
        ]

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x": self.x, "y": self.y}

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        found = box(self.x, self.y)
        if found is None:
            return None
        dx, dy = self.width / 2, self.height / 2
        return found[0] - dx, found[1] + dx, found[2] - dy, found[3] + dy
