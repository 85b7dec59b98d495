"""A convolution, one window at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ffcourse.show.instruments.common import Array, whole_ticks
from ffcourse.show.layers import Boxes, Layer, Map, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Range

KERNELS: Mapping[str, Any] = {
    "vertical edge": [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
    "horizontal edge": [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
    "blur": [[1 / 9] * 3] * 3,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
}


def convolution_steps(image: Any, kernels: Mapping[str, Any] | None = None) -> LiveFigure:
    """Show how a window moves over a picture and fills the output, as `Conv2d` does.

    It is the cross-correlation that deep learning calls convolution: the kernel is not flipped.

    Parameters
    ----------
    image : array_like, shape (H, W)
        At most 12 by 12, so that the numbers can be read.
    kernels : mapping of str to array_like, optional
        Square kernels of one size, by name; edges, blur and sharpen if None.
    """
    picture = np.asarray(image, np.float64)
    if picture.ndim != 2 or max(picture.shape) > 12:
        raise ValueError(f"image must have shape (H, W), at most 12 by 12, got {picture.shape}")
    tables = {name: np.asarray(k, np.float64) for name, k in (kernels or KERNELS).items()}
    sizes = {k.shape for k in tables.values()}
    if len(sizes) != 1 or len(next(iter(sizes))) != 2 or len(set(next(iter(sizes)))) != 1:
        raise ValueError(f"kernels must be square and of one size, got {sorted(sizes)}")
    size = next(iter(sizes))[0]
    reach = (
        1.5 * max(float(np.abs(convolve(picture, k, 1, 1)).max()) for k in tables.values()) or 1.0
    )
    high = 1.5 * float(np.abs(picture).max()) or 1.0  # so that numbers stay legible

    def slide(kernel: str, stride: int, padding: int, step: int) -> list[Layer]:
        padded = np.pad(picture, padding)
        full = convolve(picture, tables[kernel], stride, padding)
        k = min(step, full.size - 1)
        i, j = divmod(k, full.shape[1])
        window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
        filled = np.where(np.arange(full.size).reshape(full.shape) <= k, full, 0.0)
        row, column = i * stride - padding, j * stride - padding
        middle = column + (size - 1) / 2, row + (size - 1) / 2
        total = float((window * tables[kernel]).sum())
        words = f"sum of window × kernel = {total:.2f}; output {full.shape[0]}×{full.shape[1]}"
        return [
            *_matrix(picture, high, 0, "input", len(picture)),
            Boxes(*middle, size, size, "weight", 2.6, 0.0, clip=False, name="window"),
            *_matrix(filled, reach, 1, "output", full.size if full.size <= 144 else 0, k),
            Boxes(j, i, 1, 1, "weight", 2.6, 0.0, panel=1, clip=False, name="cell"),
            Text(0, 1.06, words, fraction=True, name="sum"),
            *_matrix(tables[kernel], 1.5 * float(np.abs(tables[kernel]).max()), 2, "kernel", size),
        ]

    h, w = picture.shape
    most = convolve(picture, tables[next(iter(tables))], 1, 1).shape
    if min(most) < 1:
        raise ValueError(f"image {picture.shape} is smaller than the kernel ({size}, {size})")
    return live(
        slide,
        background=[
            _panel("input column", "row", h, w, 1.0, " "),
            _panel("output column", "row", most[0], most[1], 1.0, ""),
            _panel("kernel", "row", size, size, 0.45, ""),
        ],
        alt="A kernel slides over a picture, and each window gives one number of the output.",
        play="step",
        interval=0.15,
        kernel=Choice(*tables),
        stride=Choice(1, 2),
        padding=Choice(0, 1),
        step=Range(0, most[0] * most[1] - 1, 1, 0),
    )


def convolve(x: Array, kernel: Array, stride: int, padding: int) -> Array:
    """Return the cross-correlation of `x` (H, W) with `kernel` (k, k)."""
    k = len(kernel)
    x = np.pad(x, padding)
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k))[::stride, ::stride]
    out: Array = np.einsum("hwij,ij->hw", windows, kernel)
    return out


def _matrix(
    values: Array, reach: float, panel: int, name: str, texts: int, last: int | None = None
) -> list[Layer]:
    """Return a map with its numbers; of those only up to entry `last`."""
    h, w = values.shape
    extent = (-0.5, w - 0.5, -0.5, h - 0.5)
    out: list[Layer] = [
        Map(values, extent, low=-reach, high=reach, smooth=False, panel=panel, name=name)
    ]
    if texts and max(h, w) <= 12:
        i, j = (v.ravel() for v in np.indices(values.shape))
        shown = [
            _short(v) if last is None or n <= last else ""
            for n, v in enumerate(values.ravel().tolist())
        ]
        look: dict[str, Any] = {"anchor": "center", "quiet": True, "panel": panel}
        out.append(Text(j, i, shown, size=7.5, name=f"{name} numbers", **look))
    return out


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0").replace("-", "−")


def _panel(xlabel: str, ylabel: str, h: int, w: int, width: float, title: str) -> Panel:
    limits = (-1.6, w + 0.6), (h + 0.6, -1.6)
    return Panel(*limits, xlabel, ylabel, title, equal=True, width=width, draw=whole_ticks)
