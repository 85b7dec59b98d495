"""Normalisation: give every example's features, or every feature in the batch, a steady spread.

All three use the same gradient. With ``n = (x - mean) / std`` over m values, and `g` the gradient
with respect to n, a shift of all x or a stretch of all x changes nothing in n; so those two
directions are taken out of the gradient::

    dx = (g - mean(g) - n * mean(g * n)) / std
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ffcourse.nn.checks import check_gradient, number, whole
from ffcourse.nn.module import Array, Module, Parameter, check_float_batch
from ffcourse.nn.reductions import column_products, column_sums, row_products, row_sums


class LayerNorm(Module):
    """Normalise each example over its last axes, then scale and shift.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of the last axes.
    eps : float
        Keeps the division finite.
    elementwise_affine : bool
        False leaves out `weight` and `bias`.
    bias : bool
        False leaves out `bias`.
    dtype : dtype
        Of the parameters.

    Raises
    ------
    ValueError
        If a size or `eps` is out of range, or the last axes of the input have other sizes.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450, 2016.
    """

    __slots__ = ("normalized_shape", "eps", "weight", "bias", "_normal", "_rstd", "_shape")  # noqa: RUF023

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.normalized_shape = as_shape(normalized_shape, "LayerNorm")
        self.eps = number(eps, "LayerNorm: eps", 0)
        self.weight: Parameter | None = None
        self.bias: Parameter | None = None
        if elementwise_affine:
            self.weight = Parameter(np.ones(self.normalized_shape, dtype))
            self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if bias else None

    def forward(self, x: Array) -> Array:
        """(..., *normalized_shape) -> the same shape."""
        rows: Array = x.reshape(-1, math.prod(self.normalized_shape))
        n = rows.shape[1]
        centred = rows - (row_sums(rows) / n)[:, None]
        variance = row_products(centred, centred) / n
        self._rstd = 1 / np.sqrt(variance + self.eps)[:, None]
        centred *= self._rstd
        self._normal, self._shape = centred, x.shape
        y = centred.reshape(x.shape)
        if self.weight is not None:
            y = y * self.weight.data
        if self.bias is not None:
            y += self.bias.data
        return y

    def backward(self, grad: Array) -> Array:
        """Return d loss / d x; add to the gradients of weight and bias."""
        check_gradient(self, grad, self._shape)
        g = grad.reshape(self._normal.shape)
        if self.bias is not None and self.bias.requires_grad:
            self.bias.accumulate(column_sums(g).reshape(self.normalized_shape))
        if self.weight is not None:
            if self.weight.requires_grad:
                dw = column_products(g, self._normal)
                self.weight.accumulate(dw.reshape(self.normalized_shape))
            g = g * self.weight.data.ravel()
        n = g.shape[1]
        dx = self._normal * (row_products(g, self._normal) / -n)[:, None]
        dx -= (row_sums(g) / n)[:, None]
        dx += g
        dx *= self._rstd
        return dx.reshape(grad.shape)

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers of shape (..., *normalized_shape)."""
        return check_last_axes(x, "LayerNorm", self.normalized_shape)

    def extra_repr(self) -> str:
        """Show shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}"


class RMSNorm(Module):
    """Divide each example by its root mean square over the last axes, then scale: no centring.

    ``y = x / sqrt(mean(x**2) + eps) * weight``

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Sizes of the last axes.
    eps : float, optional
        Keeps the division finite; left out, the rounding unit of the input's dtype.
    elementwise_affine : bool
        False leaves out `weight`.
    dtype : dtype
        Of the parameter.

    Raises
    ------
    ValueError
        If a size or `eps` is out of range, or the last axes of the input have other sizes.

    References
    ----------
    B. Zhang and R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.
    """

    __slots__ = ("_normal", "_rrms", "_shape", "eps", "normalized_shape", "weight")

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.normalized_shape = as_shape(normalized_shape, "RMSNorm")
        self.eps = None if eps is None else number(eps, "RMSNorm: eps", 0)
        self.weight: Parameter | None = None
        if elementwise_affine:
            self.weight = Parameter(np.ones(self.normalized_shape, dtype))

    def forward(self, x: Array) -> Array:
        """(..., *normalized_shape) -> the same shape."""
        rows: Array = x.reshape(-1, math.prod(self.normalized_shape))
        eps = np.finfo(x.dtype).eps if self.eps is None else self.eps
        mean_square = row_products(rows, rows) / rows.shape[1]
        self._rrms = 1 / np.sqrt(mean_square + eps)[:, None]
        self._normal, self._shape = rows * self._rrms, x.shape
        y = self._normal.reshape(x.shape)
        return y if self.weight is None else y * self.weight.data

    def backward(self, grad: Array) -> Array:
        """Return d loss / d x; add to the gradient of weight."""
        check_gradient(self, grad, self._shape)
        g = grad.reshape(self._normal.shape)
        if self.weight is not None:
            if self.weight.requires_grad:
                dw = column_products(g, self._normal)
                self.weight.accumulate(dw.reshape(self.normalized_shape))
            g = g * self.weight.data.ravel()
        # A shift does change y here, so only the stretch is taken out.
        dx = self._normal * (row_products(g, self._normal) / -g.shape[1])[:, None]
        dx += g
        dx *= self._rrms
        return dx.reshape(grad.shape)

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers of shape (..., *normalized_shape)."""
        return check_last_axes(x, "RMSNorm", self.normalized_shape)

    def extra_repr(self) -> str:
        """Show shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}"


def as_shape(size: int | tuple[int, ...], name: str) -> tuple[int, ...]:
    """Return the sizes as a tuple, also a single one; `name` is for the message."""
    sizes = tuple(size) if isinstance(size, tuple | list) and size else (size,)
    return tuple(whole(n, f"{name}: normalized_shape") for n in sizes)


def check_last_axes(x: Any, name: str, shape: tuple[int, ...]) -> Array:
    """Return `x` as floating-point array whose last axes have this shape, or raise."""
    x = check_float_batch(x, name)
    if x.shape[-len(shape) :] != shape:
        sizes = ", ".join(map(str, shape))
        raise ValueError(f"{name}: x must have shape (..., {sizes}), got {x.shape}.")
    return x
