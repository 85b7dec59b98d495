"""Maps: a grid of values as colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Array, Layer
from ffcourse.show.palettes import indices, palette
from ffcourse.show.svg import image, png, tag

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame


@dataclass(eq=False)
class Map(Layer):
    """A grid of values as colours.

    Parameters
    ----------
    values : array_like, shape (H, W)
        Row 0 lies at the lower end of the extent, as in `Contour`; with ``upside_down=True`` at
        the upper end.
    extent : tuple of float
        ``(x0, x1, y0, y1)``: the outer edges of the map.
    palette : str
        ``"diverging"`` (zero in the middle), ``"sequential"``, or ``"classes"`` (integers).
    low, high : float, optional
        Values with the end colours; those of `values` if None. Give them where frames should be
        comparable. In a diverging map the larger one counts for both sides.
    smooth : bool
        Blend between cells; False shows each cell as a rectangle.
    upside_down : bool
        Put row 0 at the upper end of the extent.
    opacity : float
        0 to 1; less where dots lie on top.
    """

    values: Any
    extent: tuple[float, float, float, float]
    palette: str = "diverging"
    low: float | None = None
    high: float | None = None
    smooth: bool = True
    upside_down: bool = False
    opacity: float = 1.0

    def __post_init__(self) -> None:
        self.values = np.asarray(self.values)
        if self.values.ndim != 2:
            raise ValueError(f"Map: values need shape (H, W), got {self.values.shape}")
        if self.palette == "classes":
            self.smooth = False

    def _index(self) -> Array:
        """Palette entries, first row at the top."""
        finite = self.values[np.isfinite(self.values)]
        low = float(finite.min(initial=0)) if self.low is None else self.low
        high = float(finite.max(initial=0)) if self.high is None else self.high
        out = indices(self.values, self.palette, low, high)
        return out if self.upside_down else out[::-1]

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG."""
        x0, x1, y0, y1 = self.extent
        (left, right), (bottom, top) = frame.x([x0, x1]), frame.y([y0, y1])
        index = self._index()
        if bottom < top:  # an axis that runs downwards
            index, top, bottom = index[::-1], bottom, top
        if right < left:
            index, left, right = index[:, ::-1], right, left
        data = png(index, palette(self.palette))
        picture = image(data, left, top, right - left, bottom - top, self.smooth)
        return picture if self.opacity == 1 else tag("g", picture, opacity=f"{self.opacity:g}")

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib."""
        limits = ax.get_xlim(), ax.get_ylim(), ax.get_aspect()
        picture = ax.imshow(
            palette(self.palette)[self._index()][..., :3],
            extent=self.extent,
            aspect="auto",
            interpolation="bilinear" if self.smooth else "nearest",
            alpha=palette(self.palette)[self._index()][..., 3] / 255 * self.opacity,
            zorder=1.5,
        )
        ax.set(xlim=limits[0], ylim=limits[1], aspect=limits[2])
        return [picture]

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer."""
        return {"values": self.values}

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return the limits of its data."""
        return self.extent
