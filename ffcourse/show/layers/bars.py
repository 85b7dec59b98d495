"""Bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer, floats, paint, same_length
from ffcourse.show.style import colour
from ffcourse.show.svg import num, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame


@dataclass(eq=False)
class Bars(Layer):
    """Bars from `base` to `heights`.

    Parameters
    ----------
    x : array_like, shape (N,)
        Middle of each bar.
    heights : array_like, shape (N,)
        Value of each bar.
    role : str or sequence of str
        One for all or one each; ``"signed"`` paints by sign, blue below zero and rust above.
    width : float
        In data coordinates.
    base : float
        Where bars start; on a logarithmic axis give a small positive number.
    sideways : bool
        Bars run along x; then `x` is where they stand on the y axis.
    """

    x: Any
    heights: Any
    role: Any = "prediction"
    width: float = 0.7
    base: float = 0.0
    sideways: bool = False

    def __post_init__(self) -> None:
        self.x, self.heights = floats(self.x), floats(self.heights)
        same_length(self, x=self.x, heights=self.heights)

    def _roles(self) -> list[str]:
        if isinstance(self.role, str) and self.role == "signed":
            return ["negative" if h < 0 else "positive" for h in self.heights.tolist()]
        return [self.role] * len(self.x) if isinstance(self.role, str) else list(self.role)

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        along, across = (frame.x, frame.y) if self.sideways else (frame.y, frame.x)
        ends, start = along(self.heights), float(along(self.base))
        one, two = across(self.x - self.width / 2), across(self.x + self.width / 2)
        low, size = np.minimum(ends, start), np.abs(ends - start)
        left, thick = np.minimum(one, two), np.abs(two - one)
        out = []
        rows = np.stack([left, low, thick, size], 1).tolist()
        for (a, b, w, h), role in zip(rows, self._roles(), strict=True):
            if h == h:
                x, y, dx, dy = (b, a, h, w) if self.sideways else (a, b, w, h)
                at = {"x": num(x), "y": num(y), "width": num(dx), "height": num(dy)}
                out.append(tag("rect", **at, fill=paint(role), fill_opacity="0.85"))
        return "".join(out)

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        shift = self.heights - self.base
        look: dict[str, Any] = {"color": [colour(r) for r in self._roles()], "alpha": 0.85}
        if self.sideways:
            bars = ax.barh(self.x, shift, self.width, left=self.base, **look)
        else:
            bars = ax.bar(self.x, shift, self.width, bottom=self.base, **look)
        return list(bars)

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x": self.x, "heights": self.heights}

    def proxy(self) -> Artist:
        """Return its entry in a legend."""
        from matplotlib.patches import Patch

        return Patch(color=colour(self._roles()[0]), label=self.label)

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        if not len(self.x):
            return None
        half = self.width / 2
        low, high = float(min(self.base, self.heights.min())), float(self.heights.max())
        x0, x1 = float(self.x.min()) - half, float(self.x.max()) + half
        return (low, high, x0, x1) if self.sideways else (x0, x1, low, high)
