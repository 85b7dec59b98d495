"""Eight bits a weight instead of thirty-two: quantised Linear layers, for use after training."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ffcourse.nn.checks import as_array, check_gradient, check_linear
from ffcourse.nn.containers import replace_modules
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, check_float_batch

LEVELS = 127  # -127 ... 127: symmetric, so that zero stays exactly zero


def quantize_int8(weight: Array) -> tuple[Array, Array]:
    """Return whole numbers and scales with ``weight ≈ numbers * scale``, column by column.

    Parameters
    ----------
    weight : ndarray, shape (in, out)
        Each output channel, a column, gets its own scale, so that one large weight does not cost
        the other channels their precision.

    Returns
    -------
    numbers : ndarray of int8, shape (in, out)
    scale : ndarray, shape (out,)
        The rounding error is at most half of it.
    """
    weight = as_array(weight, "quantize_int8: weight")
    if weight.ndim != 2 or weight.size == 0 or not np.isfinite(weight).all():
        raise ValueError(
            "quantize_int8: weight must be a matrix (in, out) of finite numbers, "
            f"got shape {weight.shape}."
        )
    largest = np.abs(weight).max(axis=0)
    scale = np.where(largest > 0, largest, 1) / weight.dtype.type(LEVELS)
    return np.rint(weight / scale).astype(np.int8), scale


class QuantizedLinear(Module):
    """A Linear layer whose weights are stored as int8, with one scale per output channel.

    ``y = (x @ numbers) * scale + bias``. A quarter of float32's memory. It has nothing to train,
    but passes gradients on to its input.

    Parameters
    ----------
    linear : Linear
        The trained layer; it is not changed.
    """

    __slots__ = ("bias", "in_features", "out_features", "scale", "weight")
    buffer_names: ClassVar[tuple[str, ...]] = ("weight", "scale", "bias")

    def __init__(self, linear: Linear) -> None:
        check_linear(linear, "QuantizedLinear", Linear)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.scale = quantize_int8(linear.weight.data)
        zeros = np.zeros(self.out_features, self.scale.dtype)
        self.bias = zeros if linear.bias is None else linear.bias.data.copy()

    def forward(self, x: Array) -> Array:
        """(..., in_features) -> (..., out_features)."""
        # BLAS knows no int8, so the numbers become floats for the product, and only for it.
        y: Array = x.reshape(-1, self.in_features).dot(self.weight.astype(self.scale.dtype))
        y *= self.scale
        y += self.bias
        return y.reshape(*x.shape[:-1], self.out_features)

    def backward(self, grad: Array) -> Array:
        """(..., out_features) -> (..., in_features)."""
        check_gradient(self, grad, (*np.shape(grad)[:-1], self.out_features))
        scaled = grad.reshape(-1, self.out_features) * self.scale
        dx: Array = scaled.dot(self.weight.T.astype(self.scale.dtype))
        return dx.reshape(*grad.shape[:-1], self.in_features)

    def dequantize(self) -> Array:
        """Return the weights as they are used, shape (in, out)."""
        out: Array = self.weight * self.scale
        return out

    @property
    def nbytes(self) -> int:
        """Memory of numbers, scales and biases."""
        return int(self.weight.nbytes + self.scale.nbytes + self.bias.nbytes)

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers of shape (..., in_features)."""
        return check_float_batch(x, "QuantizedLinear", self.in_features, self.scale.dtype)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.in_features}, {self.out_features}, int8"


def quantize_model(model: Module) -> dict[str, Module]:
    """Put a QuantizedLinear in the place of every Linear layer of `model`, which is changed.

    Returns
    -------
    dict of str to Module
        The new layers by name.

    Raises
    ------
    ValueError
        If there is no Linear layer below `model`.
    """
    new = replace_modules(model, lambda _name, m: QuantizedLinear(m) if type(m) is Linear else None)
    if not new:
        raise ValueError(
            f"{type(model).__name__} contains no Linear layer to quantise; a single layer is "
            "quantised with QuantizedLinear(layer)."
        )
    return new
