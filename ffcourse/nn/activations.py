"""Activations as layers: elementwise functions, and softmax.

Each keeps what its derivative needs: the input where the slope depends on it, the output where
that makes the slope cheaper (``1 - y**2`` for tanh). Slopes are worked out in place: a new large
array for every step of a formula costs more than the step.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

import numpy as np

from ffcourse.nn import functional
from ffcourse.nn.checks import check_gradient, number, wrong_gradient
from ffcourse.nn.module import Array, Module


class Identity(Module):
    """Pass everything through unchanged."""

    __slots__ = ()

    def forward(self, x: Array) -> Array:
        """Return `x`."""
        return x

    def backward(self, grad: Array) -> Array:
        """Return `grad`."""
        return grad


class Step(Module):
    """1 where ``x >= 0``, else 0.

    The slope is zero wherever it exists, so no gradient passes: that is why networks that learn
    by gradient descent use smooth or piecewise linear activations instead.
    """

    __slots__ = ()

    def forward(self, x: Array) -> Array:
        """Return an array of ones and zeros, same shape as `x`."""
        return functional.step(x)

    def backward(self, grad: Array) -> Array:
        """Return zeros."""
        return np.zeros_like(grad)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``."""

    __slots__ = ("_y",)

    def forward(self, x: Array) -> Array:
        """Return values in (0, 1), same shape as `x`."""
        self._y = functional.sigmoid(x)
        return self._y

    def backward(self, grad: Array) -> Array:
        """Multiply `grad` by the slope ``y * (1 - y)``."""
        check_gradient(self, grad, self._y.shape)
        slope = 1 - self._y
        slope *= self._y
        slope *= grad
        return slope


class Tanh(Module):
    """Hyperbolic tangent."""

    __slots__ = ("_y",)

    def forward(self, x: Array) -> Array:
        """Return values in (-1, 1), same shape as `x`."""
        self._y = np.tanh(x)
        return self._y

    def backward(self, grad: Array) -> Array:
        """Multiply `grad` by the slope ``1 - y**2``."""
        check_gradient(self, grad, self._y.shape)
        slope = 1 - np.square(self._y)
        slope *= grad
        return slope


class ReLU(Module):
    """``max(x, 0)``."""

    __slots__ = ("_y", "_zeros")

    def __init__(self) -> None:
        self._zeros = np.zeros(0)

    def forward(self, x: Array) -> Array:
        """Return values >= 0, same shape as `x`."""
        # NumPy compares two arrays three times as quickly as an array and a number.
        if self._zeros.shape != x.shape or self._zeros.dtype != x.dtype:
            self._zeros = np.zeros_like(x)
        self._y = np.maximum(x, self._zeros)
        return self._y

    def backward(self, grad: Array) -> Array:
        """Let `grad` pass where the unit was active."""
        if getattr(grad, "shape", None) != self._y.shape:
            raise wrong_gradient(self, grad, self._y.shape)
        # Converting the mask first is twice as quick as multiplying floats by booleans.
        active = (self._y > 0).astype(grad.dtype)
        active *= grad
        return active


class LeakyReLU(Module):
    """``x`` where it is positive, ``negative_slope * x`` elsewhere: a unit can't die."""

    __slots__ = ("_x", "negative_slope")

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = number(negative_slope, "LeakyReLU: negative_slope")

    def forward(self, x: Array) -> Array:
        """Return an array of the same shape as `x`."""
        self._x = x
        return functional.leaky_relu(x, self.negative_slope)

    def backward(self, grad: Array) -> Array:
        """Scale `grad` by the slope on each side of zero."""
        check_gradient(self, grad, self._x.shape)
        return grad * functional.leaky_relu_derivative(self._x, self.negative_slope)

    def extra_repr(self) -> str:
        """Show the slope."""
        return f"negative_slope={self.negative_slope}"


class SiLU(Module):
    """``x * sigmoid(x)``."""

    __slots__ = ("_s", "_x")

    def forward(self, x: Array) -> Array:
        """Return an array of the same shape as `x`."""
        self._x, self._s = x, functional.sigmoid(x)
        return x * self._s

    def backward(self, grad: Array) -> Array:
        """Multiply `grad` by the slope ``s * (1 + x * (1 - s))``."""
        check_gradient(self, grad, self._x.shape)
        slope = 1 - self._s
        slope *= self._x
        slope += 1
        slope *= self._s
        slope *= grad
        return slope


class GELU(Module):
    """``x * Phi(x)``: each value times the probability that a normal variable lies below it.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "tanh" is the cheaper formula that GPT-2 was trained with.

    Raises
    ------
    ValueError
        If `approximate` is neither.
    """

    __slots__ = ("_slope", "approximate")

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f'approximate must be "none" or "tanh", got {approximate!r}.')
        self.approximate = approximate

    def forward(self, x: Array) -> Array:
        """Return an array of the same shape as `x`."""
        y, self._slope = functional.gelu_and_slope(x, self.approximate)
        return y

    def backward(self, grad: Array) -> Array:
        """Multiply `grad` by the slope, which ``forward`` got almost for nothing."""
        check_gradient(self, grad, self._slope.shape)
        return grad * self._slope

    def extra_repr(self) -> str:
        """Show which formula is used."""
        return f"approximate={self.approximate!r}"


class Softmax(Module):
    """``exp(x) / sum(exp(x))`` along the axis `dim`.

    For training a classifier, leave it out: `CrossEntropyLoss` takes the logits.
    """

    __slots__ = ("_y", "dim")

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Array) -> Array:
        """Return probabilities, same shape as `x`."""
        self._y = functional.softmax(x, self.dim)
        return self._y

    def backward(self, grad: Array) -> Array:
        """Apply the Jacobian, ``diag(y) - y y^T``, without building it."""
        check_gradient(self, grad, self._y.shape)
        return functional.softmax_backward(grad, self._y, self.dim)

    def extra_repr(self) -> str:
        """Show the axis."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """Logarithm of softmax along the axis `dim`, computed without ``log(0)``."""

    __slots__ = ("_y", "dim")

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: Array) -> Array:
        """Return log-probabilities, same shape as `x`."""
        self._y = functional.log_softmax(x, self.dim)
        return self._y

    def backward(self, grad: Array) -> Array:
        """Take each class's share of the total away from `grad`."""
        check_gradient(self, grad, self._y.shape)
        return functional.log_softmax_backward(grad, self._y, self.dim)

    def extra_repr(self) -> str:
        """Show the axis."""
        return f"dim={self.dim}"
