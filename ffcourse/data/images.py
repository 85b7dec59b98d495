"""Handwritten digits, and small changes that leave a digit the digit that it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.data import store
from ffcourse.data.card import Dataset
from ffcourse.data.check import Array, Rng, as_rng, as_rows, float_type, not_negative, whole


def load_digits(*, images: bool = False, dtype: Any = np.float32) -> Dataset:
    """Load 1797 handwritten digits of 8 by 8 pixels, values 0 to 16.

    Parameters
    ----------
    images : bool
        False gives rows of 64 pixels, (1797, 64); True gives what a convolution takes,
        (1797, 1, 8, 8): example, channel, row, column.
    dtype : dtype
        Floating-point type of `X`.

    Returns
    -------
    Dataset
        ``X``, and ``y`` (1797,) int64 with the digits 0 to 9.
    """
    kind = float_type(dtype)
    described = store.sidecar("digits")
    values = store.table(described)
    X, y = values[:, :-1].astype(kind), values[:, -1].astype(np.int64)
    if images:
        X = X.reshape(-1, 1, 8, 8)
    names = tuple(described["feature_names"]), tuple(described["target_names"])
    return Dataset(X, y, *names, store.card(described))


def augment(
    images: Any,
    rng: Rng,
    *,
    shift: int = 1,
    rotate: float = 10.0,
    noise: float = 0.0,
) -> Array:
    """Return changed copies of images: rotated a little, then shifted, then with noise.

    Every image gets its own random change. What moves in from outside is 0 (paper).
    For training data only: a test set is measured as it is.

    Parameters
    ----------
    images : array_like, shape (N, 64), (N, H, W) or (N, C, H, W)
        Rows of 64 pixels count as 8 by 8 images.
    rng : Generator, int or None
        Where the randomness comes from.
    shift : int
        Largest shift in pixels, each way, down and across.
    rotate : float
        Largest angle in degrees, each way.
    noise : float
        Standard deviation of the noise, in the unit of the pixels. Values are kept inside the
        range that the given images span.

    Returns
    -------
    ndarray
        Same shape; the same type for floats, float32 otherwise. The input is not changed.
    """
    X = as_rows(images, "images")
    grid = _as_grid(X)
    largest = whole(shift, "shift", at_least=0)
    if largest >= min(grid.shape[-2:]):
        raise ValueError(f"shift must be under the image size {grid.shape[-2:]}, got {shift}.")
    generator = as_rng(rng)
    angle = np.deg2rad(generator.uniform(-1, 1, len(grid)) * not_negative(rotate, "rotate"))
    move = generator.integers(-largest, largest + 1, (len(grid), 2))
    changed = _resample(grid, angle, move)
    if not_negative(noise, "noise") > 0:
        changed += generator.normal(0, noise, changed.shape)
        np.clip(changed, grid.min(), grid.max(), out=changed)
    kind = X.dtype if np.issubdtype(X.dtype, np.floating) else np.dtype(np.float32)
    return changed.reshape(X.shape).astype(kind)


def _as_grid(X: Array) -> Array:
    """View `X` as (N, C, H, W)."""
    if X.dtype.kind not in "fiub":
        raise TypeError(f"images must hold numbers, but the dtype is {X.dtype}.")
    if X.ndim == 2 and X.shape[1] == 64:
        return X.reshape(-1, 1, 8, 8)
    if X.ndim == 3:
        return X[:, None]
    if X.ndim == 4:
        return X
    raise ValueError(
        "images must have shape (N, 64), (N, H, W) or (N, C, H, W), but the shape is "
        f"{X.shape}. A single image needs a first axis: image[None]."
    )


def _resample(grid: Array, angle: Array, move: Array) -> Array:
    """Look up, for every new pixel, the old place it came from, between four old pixels."""
    height, width = grid.shape[-2:]
    down, across = np.mgrid[:height, :width]
    # Undo the shift, then the rotation about the centre of the image.
    down = down - (height - 1) / 2 - move[:, 0, None, None]  # (N, H, W)
    across = across - (width - 1) / 2 - move[:, 1, None, None]
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    row = cos * down + sin * across + (height - 1) / 2
    column = cos * across - sin * down + (width - 1) / 2
    return _between(grid.astype(np.float64), row, column)


def _between(grid: Array, row: Array, column: Array) -> Array:
    """Bilinear values of `grid` (N, C, H, W) at fractional places (N, H, W); 0 outside."""
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    low, right = row - top, column - left
    value = np.zeros(grid.shape)
    for step_down, weight_down in ((0, 1 - low), (1, low)):
        for step_across, weight_across in ((0, 1 - right), (1, right)):
            part = _pixel(grid, top + step_down, left + step_across)
            value += part * (weight_down * weight_across)[:, None]
    return value


def _pixel(grid: Array, row: Array, column: Array) -> Array:
    """Return the pixels at whole places, (N, C, H, W); 0 where the place is outside."""
    height, width = grid.shape[-2:]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    row, column = row.clip(0, height - 1), column.clip(0, width - 1)
    example = np.arange(len(grid))[:, None, None]
    found = grid[example, :, row, column]  # (N, H, W, C)
    pixels: Array = np.moveaxis(found, -1, 1) * inside[:, None]
    return pixels
