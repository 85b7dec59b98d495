"""Where a panel lies in the picture, and how its data coordinates map to the picture's points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FAR = 1e5  # points; what lies further out is outside every screen, and SVG wants finite numbers


@dataclass(frozen=True)
class Frame:
    """The rectangle of one panel, in points from the top left corner, and its axis limits."""

    left: float
    top: float
    width: float
    height: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    xlog: bool = False
    ylog: bool = False

    @classmethod
    def of(cls, ax: Axes) -> Frame:
        """Read the frame off Matplotlib axes that have been drawn."""
        figure = ax.get_figure()
        assert figure is not None
        w, h = (float(v) * 72 for v in figure.get_size_inches())  # type: ignore[union-attr]
        box = ax.get_position()
        return cls(
            box.x0 * w,
            (1 - box.y1) * h,
            box.width * w,
            box.height * h,
            ax.get_xlim(),
            ax.get_ylim(),
            ax.get_xscale() == "log",
            ax.get_yscale() == "log",
        )

    def x(self, values: Any) -> NDArray[np.float64]:
        """Map data x to points from the left edge of the picture; same shape."""
        return self.left + self.width * _unit(values, self.xlim, self.xlog)

    def y(self, values: Any) -> NDArray[np.float64]:
        """Map data y to points from the top edge of the picture; same shape."""
        return self.top + self.height * (1 - _unit(values, self.ylim, self.ylog))

    def at(self, fx: Any, fy: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Map fractions of the panel (0 left or bottom, 1 right or top) to points."""
        return (
            self.left + self.width * np.asarray(fx, float),
            self.top + self.height * (1 - np.asarray(fy, float)),
        )


def _unit(values: Any, limits: tuple[float, float], log: bool) -> NDArray[np.float64]:
    v = np.asarray(values, np.float64)
    low, high = limits
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            v = np.log10(v)
        low, high = float(np.log10(low)), float(np.log10(high))
    out = (v - low) / (high - low)
    return np.clip(out, -_FAR, _FAR)
