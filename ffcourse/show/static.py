"""Pictures that need no kernel: PNG with a text beside it, and the same layers by Matplotlib."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ffcourse.show.style import DPI, RC

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ffcourse.show.layers.base import Layer
    from ffcourse.show.panels import Stage

Bundle = tuple[dict[str, Any], dict[str, Any]]


def png_of(figure: Figure) -> bytes:
    """Return the figure as a PNG of at most 256 colours and twice the page's density."""
    from PIL import Image

    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, transparent=True)
    small = io.BytesIO()
    with Image.open(raw) as picture:
        # A third of the size, and notebooks stay small; no difference that an eye finds.
        few = picture.convert("RGBA").quantize(256, method=Image.Quantize.FASTOCTREE)
        few.save(small, "PNG", optimize=True)
    return min(small.getvalue(), raw.getvalue(), key=len)


def bundle(figure: Figure, alt: str) -> Bundle:
    """Return ``(data, metadata)`` for IPython's display: the PNG, and `alt` as plain text."""
    data = {"image/png": base64.b64encode(png_of(figure)).decode("ascii"), "text/plain": alt}
    w, h = figure.get_size_inches()
    size = {"width": round(float(w) * 96), "height": round(float(h) * 96), "alt": alt}
    return data, {"image/png": size}


def picture(stage: Stage, layers: Sequence[Layer], alt: str) -> Bundle:
    """Return the display of a live figure's present state, drawn by Matplotlib."""
    import matplotlib as mpl

    artists = []
    with mpl.rc_context(RC):
        limits = [(ax.get_xlim(), ax.get_ylim()) for ax in stage.axes]
        for layer in layers:
            artists += layer.draw(stage.axes[layer.panel])
        for ax, (x, y) in zip(stage.axes, limits, strict=True):
            ax.set(xlim=x, ylim=y)
        try:
            return bundle(stage.figure, alt)
        finally:
            for artist in artists:
                artist.remove()
