"""What every layer has in common."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ffcourse.show.style import INK, colour

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from ffcourse.show.frame import Frame

Array = NDArray[Any]


@dataclass(eq=False)
class Layer:
    """One thing that moves in a live figure: numbers that can be drawn in two ways.

    Parameters
    ----------
    panel : int
        Index of the panel that it is drawn in.
    name : str
        What tests and ``fig["name"]`` call it; the default is its label or its kind.
    label : str
        Its entry in the legend; empty for none.
    clip : bool
        Cut off what lies outside the panel.
    spoken : str
        What a screen reader says for it; empty for what `words` finds.
    gaps : bool
        NaN is meant, as a gap; without this, tests take it for a mistake.
    """

    _: KW_ONLY
    panel: int = 0
    name: str = ""
    label: str = ""
    clip: bool = True
    spoken: str = ""
    gaps: bool = False

    def to_svg(self, frame: Frame) -> str:
        """Return the layer as SVG elements, in points of the picture."""
        raise NotImplementedError

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the layer with Matplotlib; return the artists, so that they can be removed."""
        raise NotImplementedError

    def numbers(self) -> dict[str, Array]:
        """Return the numbers behind the layer, by name."""
        raise NotImplementedError

    def words(self) -> str:
        """Return what a reader who cannot see the layer should hear; empty for nothing."""
        return self.spoken

    def proxy(self) -> Artist | None:
        """Return a Matplotlib artist that stands for the layer in a legend."""
        return None

    def limits(self) -> tuple[float, float, float, float] | None:
        """Return ``(x0, x1, y0, y1)`` of its data, for panels without limits; None for none."""
        return None


def floats(values: Any) -> Array:
    """Return `values` as a flat float64 array."""
    return np.atleast_1d(np.asarray(values, np.float64)).ravel()


def same_length(layer: Layer, **arrays: Array) -> None:
    """Raise ValueError unless all arrays have the same length."""
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        kind = type(layer).__name__
        raise ValueError(f"{kind}: these need the same length, but {text}")


def one_number(layer: Layer, name: str) -> float:
    """Return the attribute `name` as a float; raise TypeError unless it is one number."""
    value = getattr(layer, name)
    if np.ndim(value) != 0 or not isinstance(value, (int, float, np.number)):
        kind = type(layer).__name__
        raise TypeError(f"{kind}: {name} is one number for all of them, got {value!r}")
    return float(value)


def paint(role: str) -> str:
    """Return the colour of `role` for SVG: ink follows the colour of the page's text."""
    c = colour(role)
    return "currentColor" if c == INK else c


def box(x: Array, y: Array) -> tuple[float, float, float, float] | None:
    """Return the limits of the finite points."""
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        return None
    x, y = x[good], y[good]
    return float(x.min()), float(x.max()), float(y.min()), float(y.max())
