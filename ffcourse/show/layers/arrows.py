"""Straight pieces: arrows, and the weighted links of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer, box, floats, paint, same_length
from ffcourse.show.style import BLUE, RUST, colour
from ffcourse.show.svg import num, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame


@dataclass(eq=False)
class Arrow(Layer):
    """Arrows from one point to another, or straight segments if `head` is 0.

    Parameters
    ----------
    x0, y0, x1, y1 : float or array_like, shape (N,)
        Tails and tips.
    role : str
        As in `Line`.
    width : float
        In points.
    head : float
        Length of the head in points.
    dashed : bool
        Dashes.
    """

    x0: Any
    y0: Any
    x1: Any
    y1: Any
    role: str = "gradient"
    width: float = 2.2
    head: float = 8.0
    dashed: bool = False

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "x1", "y1"):
            setattr(self, name, floats(getattr(self, name)))
        same_length(self, x0=self.x0, y0=self.y0, x1=self.x1, y1=self.y1)

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        x0, y0 = frame.x(self.x0), frame.y(self.y0)
        x1, y1 = frame.x(self.x1), frame.y(self.y1)
        length = np.hypot(x1 - x0, y1 - y0)
        shaft, heads = [], []
        rows = np.stack([x0, y0, x1, y1, length], 1)
        for a, b, c, d, size in rows[np.isfinite(rows).all(1)].tolist():
            # A head longer than its arrow would point backwards.
            h = min(self.head, size)
            ux, uy = ((c - a) / size, (d - b) / size) if size else (0.0, 0.0)
            bx, by = c - 0.9 * h * ux, d - 0.9 * h * uy
            shaft.append(f"M{num(a)},{num(b)}L{num(bx)},{num(by)}")
            if h:
                wx, wy = -0.42 * h * uy, 0.42 * h * ux
                bx, by = c - h * ux, d - h * uy
                heads.append(
                    f"M{num(c)},{num(d)}L{num(bx + wx)},{num(by + wy)}"
                    f"L{num(bx - wx)},{num(by - wy)}z"
                )
        c = paint(self.role)
        dash = "6 4" if self.dashed else None
        look = {"stroke": c, "stroke_width": num(self.width), "stroke_dasharray": dash}
        out = tag("path", d="".join(shaft), fill="none", **look)
        return out + (tag("path", d="".join(heads), fill=c) if heads else "")

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        if not self.head:
            look: dict[str, Any] = {"color": colour(self.role), "linewidth": self.width}
            look |= {"linestyle": "--" if self.dashed else "-", "clip_on": self.clip}
            x, y = np.stack([self.x0, self.x1]), np.stack([self.y0, self.y1])
            return list(ax.plot(x, y, **look))
        props = {"arrowstyle": f"-|>,head_length={self.head / 15},head_width={self.head / 32}"}
        more = {"color": colour(self.role), "lw": self.width, "shrinkA": 0, "shrinkB": 0}
        props |= more | {"mutation_scale": 15}  # type: ignore[arg-type]
        ends = zip(self.x0, self.y0, self.x1, self.y1, strict=True)
        return [
            ax.annotate("", (c, d), (a, b), arrowprops=props, annotation_clip=False)
            for a, b, c, d in ends
        ]

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x0": self.x0, "y0": self.y0, "x1": self.x1, "y1": self.y1}

    def proxy(self) -> Artist:
        """Return its entry in a legend."""
        from matplotlib.lines import Line2D

        return Line2D([], [], color=colour(self.role), linewidth=self.width, label=self.label)

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        return box(np.concatenate([self.x0, self.x1]), np.concatenate([self.y0, self.y1]))


@dataclass(eq=False)
class Links(Layer):
    """Segments with signed values: thickness for size, blue below zero, rust above, dashed below.

    Parameters
    ----------
    x0, y0, x1, y1 : array_like, shape (N,)
        Ends.
    values : array_like, shape (N,)
        One weight a segment.
    reach : float, optional
        The absolute value drawn thickest; the largest of `values` if None.
    width : float
        Thickest width in points.
    """

    x0: Any
    y0: Any
    x1: Any
    y1: Any
    values: Any
    reach: float | None = None
    width: float = 5.0

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "x1", "y1", "values"):
            setattr(self, name, floats(getattr(self, name)))
        same_length(self, x0=self.x0, y0=self.y0, x1=self.x1, y1=self.y1, values=self.values)

    def _looks(self) -> list[tuple[str, float, bool]]:
        finite = np.abs(self.values[np.isfinite(self.values)])
        reach = self.reach or float(finite.max(initial=0.0)) or 1.0
        share = np.clip(np.nan_to_num(np.abs(self.values) / reach), 0, 1)
        widths = np.round(0.4 + (self.width - 0.4) * share, 1)
        signs = (self.values < 0).tolist()
        return [(BLUE if s else RUST, w, s) for w, s in zip(widths.tolist(), signs, strict=True)]

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        ends = np.stack([frame.x(self.x0), frame.y(self.y0), frame.x(self.x1), frame.y(self.y1)], 1)
        out = []
        for (a, b, c, d), (hue, w, negative) in zip(ends.tolist(), self._looks(), strict=True):
            look = {"stroke": hue, "stroke_width": num(w), "stroke_opacity": "0.85"}
            dash = f"{num(3 + w)} {num(2 + w / 2)}" if negative else None
            path = f"M{num(a)},{num(b)}L{num(c)},{num(d)}"
            out.append(tag("path", d=path, stroke_dasharray=dash, **look))
        return "".join(out)

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        out: list[Artist] = []
        for i, (hue, w, negative) in enumerate(self._looks()):
            x, y = [self.x0[i], self.x1[i]], [self.y0[i], self.y1[i]]
            dash: Any = (0, ((3 + w) / w, (2 + w / 2) / w)) if negative else "-"
            out += ax.plot(x, y, color=hue, linewidth=w, alpha=0.85, linestyle=dash)
        return out

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"values": self.values}
