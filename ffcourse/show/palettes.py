"""Colour maps with transparency, so that the page shows through and both themes work.

A diverging map goes from blue (negative) through nothing at all (zero) to rust (positive); a
sequential one from nothing to violet. The same 256 colours serve the SVG and Matplotlib.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ffcourse.show.style import BLUE, CLASSES, PINK, RUST, VIOLET

Palette = NDArray[np.uint8]


def rgb(hex_colour: str) -> tuple[int, int, int]:
    """Return ``(r, g, b)`` in 0..255 for ``"#RRGGBB"``."""
    return tuple(int(hex_colour[i : i + 2], 16) for i in (1, 3, 5))  # type: ignore[return-value]


@cache
def palette(name: str) -> Palette:
    """Return the palette `name`, shape (256, 4): red, green, blue, opacity.

    Names: ``"diverging"`` (zero in the middle), ``"sequential"``, ``"loss"`` (for level lines:
    never quite transparent), ``"classes"`` (entry k is the tint of class k).
    """
    t = np.linspace(0, 1, 256)
    table = np.zeros((256, 4), np.uint8)
    if name == "diverging":
        # Odd number of steps around an exact centre: index 128 is zero, 0 and 255 the extremes.
        signed = (np.arange(256) - 128) / 127.5
        table[:, :3] = np.where(signed[:, None] < 0, rgb(BLUE), rgb(RUST))
        table[:, 3] = np.round(215 * np.clip(np.abs(signed), 0, 1) ** 0.8)
    elif name == "sequential":
        table[:, :3] = rgb(VIOLET)
        table[:, 3] = np.round(230 * t**0.9)
    elif name == "loss":
        table[:, :3] = rgb(PINK)
        table[:, 3] = np.round(60 + 195 * t)
    elif name == "classes":
        for k in range(256):
            table[k, :3] = rgb(CLASSES[k % len(CLASSES)])
        table[:, 3] = 80
    else:
        raise ValueError(f"unknown palette {name!r}: use 'diverging', 'sequential' or 'classes'")
    return table


def indices(
    values: NDArray[np.floating | np.integer], name: str, low: float, high: float
) -> NDArray[np.uint8]:
    """Return the palette entry of each of `values`, same shape; values that are not finite get 0.

    For ``"diverging"``, zero has the middle entry and ``max(|low|, |high|)`` is the extreme on
    both sides. For ``"classes"``, the value is the entry.
    """
    if name == "classes":
        return np.asarray(values, np.uint8)
    if name == "diverging":
        reach = max(abs(low), abs(high)) or 1.0
        scaled = 128 + np.asarray(values) * (127.5 / reach)
    else:
        scaled = (np.asarray(values) - low) * (255 / ((high - low) or 1.0))
    out: Palette = np.nan_to_num(np.clip(np.rint(scaled), 0, 255), nan=0.0).astype(np.uint8)
    return out


def hex_of(values: NDArray[np.floating], reach: float) -> list[tuple[str, float]]:
    """Return ``(colour, opacity)`` of each signed value, from the diverging palette."""
    table = palette("diverging")[indices(np.asarray(values), "diverging", -reach, reach)]
    return [(f"#{r:02X}{g:02X}{b:02X}", round(a / 255, 2)) for r, g, b, a in table.tolist()]


def register() -> None:
    """Give Matplotlib the palettes as ``"ffcourse.diverging"`` and ``"ffcourse.sequential"``."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    for name in ("diverging", "sequential", "loss"):
        full = f"ffcourse.{name}"
        if full not in mpl.colormaps:
            mpl.colormaps.register(ListedColormap((palette(name) / 255).tolist(), name=full))
