"""Small pieces of SVG: numbers, points, paths, and a palette PNG to lie under them."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

__all__ = ["escape", "image", "num", "png", "polyline", "stroke_dots", "tag"]


def num(value: float) -> str:
    """Return `value` with one decimal: a tenth of a point is finer than any screen's pixel."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def tag(name: str, body: str = "", /, **attributes: object) -> str:
    """Return one element; ``stroke_width=2`` becomes ``stroke-width="2"``, None is left out."""
    parts = [
        f' {key.rstrip("_").replace("_", "-")}="{num(v) if isinstance(v, float) else v}"'
        for key, v in attributes.items()
        if v is not None
    ]
    return f"<{name}{''.join(parts)}>{body}</{name}>" if body else f"<{name}{''.join(parts)}/>"


def polyline(x: Points, y: Points) -> str:
    """Return path data through the points; values that are not finite leave a gap."""
    good = np.isfinite(x) & np.isfinite(y)
    if good.all():
        return _run(x, y)
    edges = np.flatnonzero(np.diff(good.astype(np.int8))) + 1
    runs = [s for s in np.split(np.arange(len(x)), edges) if len(s) > 1 and good[s[0]]]
    return "".join(_run(x[s], y[s]) for s in runs)


def _run(x: Points, y: Points) -> str:
    if len(x) == 0:
        return ""
    return "M" + " ".join([f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)])


def stroke_dots(x: Points, y: Points) -> str:
    """Return path data of one mark a point, the shortest there is: a line of no length."""
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    return "".join([f"M{a:.1f},{b:.1f}h0" for a, b in pairs if a == a and b == b])


def shapes(x: Points, y: Points, outline: str) -> str:
    """Return path data of the relative path `outline` at each point."""
    pairs = zip(x.tolist(), y.tolist(), strict=True)
    return "".join([f"M{a:.1f},{b:.1f}{outline}" for a, b in pairs if a == a and b == b])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(index: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Return a palette PNG.

    Parameters
    ----------
    index : ndarray of uint8, shape (H, W)
        Entry of the palette, first row at the top.
    palette : ndarray of uint8, shape (256, 4)
        Red, green, blue, opacity.
    """
    h, w = index.shape
    rows = np.zeros((h, w + 1), np.uint8)  # a leading 0 per row: no filter
    rows[:, 1:] = index
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette[:, :3].tobytes()),
            _chunk(b"tRNS", palette[:, 3].tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)),
            _chunk(b"IEND", b""),
        )
    )


def image(data: bytes, x: float, y: float, width: float, height: float, smooth: bool) -> str:
    """Return an ``<image>`` element that holds the PNG `data`, stretched over the rectangle."""
    href = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return tag(
        "image",
        x=float(x),
        y=float(y),
        width=float(width),
        height=float(height),
        preserveAspectRatio="none",
        style=None if smooth else "image-rendering:pixelated",
        href=href,
    )


def join(parts: Iterable[str]) -> str:
    """Return the parts in one string."""
    return "".join(parts)
