"""Words and numbers in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer, floats, paint
from ffcourse.show.style import colour
from ffcourse.show.svg import escape, num, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame

_SVG_ANCHOR = {"left": "start", "center": "middle", "right": "end"}


@dataclass(eq=False)
class Text(Layer):
    """One text, or a text at each of several points.

    Parameters
    ----------
    x, y : float or array_like, shape (N,)
        Where; in data coordinates, or fractions of the panel if `fraction` is true.
    text : str or sequence of str
        What; one for all points or one each. Plain text, no TeX.
    role : str
        As in `Line`.
    size : float
        In points.
    anchor : str
        ``"left"``, ``"center"`` or ``"right"``: which end of the text lies at `x`.
        The middle of its height lies at `y`.
    fraction : bool
        (0, 0) is the panel's bottom left corner, (1, 1) its top right one.
    bold : bool
        Heavy letters.
    halo : bool
        Keep lines that pass below away from the letters.
    quiet : bool
        Leave it out of what screen readers hear.
    """

    x: Any
    y: Any
    text: Any
    role: str = "ink"
    size: float = 10.0
    anchor: str = "left"
    fraction: bool = False
    bold: bool = False
    halo: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        self.clip = False
        self.x, self.y = floats(self.x), floats(self.y)
        self.x, self.y = np.broadcast_arrays(self.x, self.y)
        texts = [self.text] * len(self.x) if isinstance(self.text, str) else list(self.text)
        if len(texts) != len(self.x):
            raise ValueError(f"Text: {len(self.x)} points need as many texts, got {len(texts)}")
        if self.anchor not in _SVG_ANCHOR:
            raise ValueError(f"Text: anchor must be left, center or right, got {self.anchor!r}")
        self.texts = [str(t) for t in texts]

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        if self.fraction:
            x, y = frame.at(self.x, self.y)
        else:
            x, y = frame.x(self.x), frame.y(self.y)
        anchor = None if self.anchor == "left" else _SVG_ANCHOR[self.anchor]
        out = [
            tag("text", escape(t), x=num(a), y=num(b + 0.36 * self.size))
            for a, b, t in zip(x.tolist(), y.tolist(), self.texts, strict=True)
            if t and a == a and b == b
        ]
        weight = "600" if self.bold else None
        look = {"fill": paint(self.role), "font_size": num(self.size), "font_weight": weight}
        if self.halo:
            look["class_"] = "ffc-halo"
        return tag("g", "".join(out), text_anchor=anchor, **look)

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        look: dict[str, Any] = {"color": colour(self.role), "fontsize": self.size}
        look |= {"ha": self.anchor, "va": "center_baseline", "parse_math": False}
        look |= {"weight": "bold" if self.bold else "normal"}
        if self.fraction:
            look["transform"] = ax.transAxes
        points = zip(self.x.tolist(), self.y.tolist(), self.texts, strict=True)
        return [ax.text(a, b, t, **look) for a, b, t in points if a == a and b == b]

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"x": self.x, "y": self.y, "text": np.asarray(self.texts)}

    def words(self) -> str:
        """Return the layer in words."""
        if self.quiet or self.spoken:
            return self.spoken
        return " ".join(t if t.endswith((".", ":", ",")) else t + "." for t in self.texts[:6] if t)
