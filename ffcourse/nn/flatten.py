"""Flatten: from images to the vectors that a Linear layer takes."""

from __future__ import annotations

import math

from ffcourse.nn.checks import check_gradient
from ffcourse.nn.module import Array, Module


class Flatten(Module):
    """Join all axes but the first: (N, C, H, W) -> (N, C·H·W)."""

    __slots__ = ("_shape",)

    def forward(self, x: Array) -> Array:
        """(N, ...) -> (N, product of the rest); a view where the order in memory allows."""
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad: Array) -> Array:
        """(N, product of the rest) -> (N, ...)."""
        rows = self._shape[0]
        check_gradient(self, grad, (rows, math.prod(self._shape[1:])))
        return grad.reshape(self._shape)
