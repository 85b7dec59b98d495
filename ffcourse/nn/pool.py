"""Pooling: each window of an image becomes one number, its maximum or its mean.

The windows are never cut out. For a 2×2 window, the four images made of "all upper left pixels",
"all upper right pixels", … are views of the input, and the pooled image is their element-wise
maximum or mean. Backward, each of the four receives its share. As in `Conv2d`, the batch is the
last axis inside the layer: (C, H, W, N).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ffcourse.nn.checks import check_gradient
from ffcourse.nn.conv import Size, check_image_batch, pair
from ffcourse.nn.module import Array, Module


class Pool2d(Module):
    """What both kinds of pooling share: the geometry of the windows.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the windows.
    stride : int or (int, int), optional
        Step between windows; default: the size of the windows, so that they tile the image.
        Rows and columns at the far edge that fill no window are left out.

    Notes
    -----
    (N, C, H, W) -> (N, C, OH, OW), OH = (H - kh) // stride + 1.
    """

    __slots__ = ("_disjoint", "_out", "_x", "kernel_size", "stride")

    _x: Array
    _out: Array

    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        self.kernel_size = pair(kernel_size, "kernel_size", 1)
        self.stride = self.kernel_size if stride is None else pair(stride, "stride", 1)
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        self._disjoint = sh >= kh and sw >= kw

    def check_input(self, x: Any) -> Array:
        """Return `x` as a batch of images (N, C, H, W), or raise one clear error."""
        return check_image_batch(x, type(self).__name__, None, self.kernel_size)

    def _shifted(self, x: Array) -> Iterator[Array]:
        """Yield, for each place (i, j) in a window, that pixel of all windows: (C, OH, OW, N)."""
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        rows, cols = x.shape[1] - kh, x.shape[2] - kw
        for i in range(kh):
            for j in range(kw):
                yield x[:, i : i + rows + 1 : sh, j : j + cols + 1 : sw]

    def _out_shape(self) -> tuple[int, ...]:
        """(N, C, OH, OW) of the last forward pass."""
        (kh, kw), (sh, sw), (C, H, W, N) = self.kernel_size, self.stride, self._x.shape
        return N, C, (H - kh) // sh + 1, (W - kw) // sw + 1

    def extra_repr(self) -> str:
        """Kernel size and stride."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


class MaxPool2d(Pool2d):
    """Keep the largest value of each window."""

    __slots__ = ()

    def forward(self, x: Array) -> Array:
        """(N, C, H, W) -> (N, C, OH, OW)."""
        self._x = x.transpose(1, 2, 3, 0)
        pixels = self._shifted(self._x)
        self._out = next(pixels).copy(order="K")
        for pixel in pixels:
            np.maximum(self._out, pixel, out=self._out)
        return self._out.transpose(3, 0, 1, 2)

    def backward(self, grad: Array) -> Array:
        """(N, C, OH, OW) -> (N, C, H, W): the gradient goes to the pixel that won.

        Where several pixels share the maximum, the first one in reading order gets it, as in
        PyTorch. After ReLU this happens often: a window of zeros.
        """
        check_gradient(self, grad, self._out_shape())
        dx = np.zeros_like(self._x)  # same order in memory as x
        g = grad.transpose(1, 2, 3, 0)
        if g.strides != self._out.strides:  # arrays in different orders multiply slowly
            g = np.empty_like(self._out, dtype=g.dtype)
            g[...] = grad.transpose(1, 2, 3, 0)
        free = np.ones_like(self._out, dtype=bool)  # windows whose gradient nobody has got yet
        for pixel, dpixel in zip(self._shifted(self._x), self._shifted(dx), strict=True):
            won = pixel == self._out
            won &= free
            free ^= won
            share = won.astype(g.dtype)  # quicker than multiplying floats by booleans
            share *= g
            if self._disjoint:
                dpixel[...] = share
            else:
                dpixel += share
        return dx.transpose(3, 0, 1, 2)


class AvgPool2d(Pool2d):
    """Take the mean of each window."""

    __slots__ = ()

    def forward(self, x: Array) -> Array:
        """(N, C, H, W) -> (N, C, OH, OW)."""
        self._x = x.transpose(1, 2, 3, 0)
        pixels = self._shifted(self._x)
        out = next(pixels).copy(order="K")
        for pixel in pixels:
            out += pixel
        out /= self.kernel_size[0] * self.kernel_size[1]
        return out.transpose(3, 0, 1, 2)

    def backward(self, grad: Array) -> Array:
        """(N, C, OH, OW) -> (N, C, H, W): every pixel of a window gets an equal share."""
        check_gradient(self, grad, self._out_shape())
        dx = np.zeros_like(self._x)  # same order in memory as x
        share = grad.transpose(1, 2, 3, 0) / (self.kernel_size[0] * self.kernel_size[1])
        for dpixel in self._shifted(dx):
            dpixel += share
        return dx.transpose(3, 0, 1, 2)
