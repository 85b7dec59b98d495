"""Dropout: switch units off at random, so that none can be relied upon."""

from __future__ import annotations

import numpy as np

from ffcourse.nn.checks import check_gradient, number
from ffcourse.nn.module import Array, Module


class Dropout(Module):
    """In training, set each value to zero with probability `p`; scale the rest by ``1 / (1 - p)``.

    The scaling keeps the expected value, so that evaluation needs none: there, and only there,
    everything passes unchanged.

    Parameters
    ----------
    p : float
        In [0, 1].
    rng : numpy.random.Generator, optional
        Draws the masks.

    Raises
    ------
    ValueError
        If `p` is out of range.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
    Journal of Machine Learning Research 15, 2014.
    """

    __slots__ = ("_mask", "p", "rng")

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        self.p = number(p, "Dropout: p", 0, 1)
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Array) -> Array:
        """Return an array of the same shape as `x`."""
        self._mask: Array | None = None
        if not self.training or self.p == 0:
            return x
        self._mask = self._draw(x)
        return x * self._mask

    def _draw(self, x: Array) -> Array:
        """Zeros where a value is dropped, ``1 / (1 - p)`` where it stays."""
        kept = self.rng.random(x.shape, dtype=np.float32) >= self.p
        mask = kept.astype(x.dtype)
        if self.p < 1:
            mask *= 1 / (1 - self.p)
        return mask

    def backward(self, grad: Array) -> Array:
        """Return `grad` where values were kept: what was dropped had no effect."""
        if self._mask is None:
            return grad
        check_gradient(self, grad, self._mask.shape)
        return grad * self._mask

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"p={self.p}"
