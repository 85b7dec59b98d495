"""Activation functions and their derivatives, as plain functions of arrays.

Every one is stable: no overflow, no ``log(0)``, whatever the size of the input. Derivatives take
``z``, the value *before* the activation, so that ``sigmoid_derivative(z)`` is the slope at ``z``.
Integers become float32; floats keep their type; NaN stays NaN.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from ffcourse.nn.module import Array
from ffcourse.nn.reductions import row_maxima, row_sums

SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715  # Hendrycks and Gimpel (2016)
BLOCK = 32768  # numbers; a few arrays of this size fit into a core's own cache


def as_float(z: Any) -> Array:
    """Return `z` as a floating-point array: floats keep their type, other numbers get float32."""
    z = np.asarray(z)
    if z.dtype.kind == "f":
        return z
    if z.dtype.kind not in "iub":
        raise TypeError(f"z must hold real numbers, got dtype {z.dtype}.")
    return z.astype(np.float32)


def step(z: Array) -> Array:
    """1 where ``z >= 0``, else 0: the perceptron's threshold."""
    z = as_float(z)
    return np.heaviside(z, z.dtype.type(1))


def sigmoid(z: Array) -> Array:
    """``1 / (1 + exp(-z))``, in (0, 1).

    Where the exponential would overflow, it is kept at the largest number: the result is as
    close to zero as it can be.
    """
    z = as_float(z)
    e = np.negative(z, out=np.empty_like(z))  # one array (of a number, too), worked on in place
    np.minimum(e, _largest_exponent(z.dtype), out=e)
    np.exp(e, out=e)
    e += 1
    return np.reciprocal(e, out=e)


@cache
def _largest_exponent(dtype: Any) -> float:
    """Whole number below which exp does not overflow: 88 in float32, 709 in float64."""
    return math.floor(np.log(np.finfo(dtype).max))


def sigmoid_derivative(z: Array) -> Array:
    """``sigmoid(z) * (1 - sigmoid(z))``: at most 1/4, at zero."""
    e = np.exp(-np.abs(as_float(z)))  # the derivative is even, and e never overflows
    return e / np.square(1 + e)


def tanh(z: Array) -> Array:
    """Hyperbolic tangent, in (-1, 1)."""
    return np.tanh(as_float(z))


def tanh_derivative(z: Array) -> Array:
    """``1 - tanh(z)**2``: at most 1, at zero."""
    return 1 - np.square(np.tanh(as_float(z)))


def relu(z: Array) -> Array:
    """``max(z, 0)``."""
    return np.maximum(as_float(z), 0)


def relu_derivative(z: Array) -> Array:
    """1 where ``z > 0``, else 0. At the kink, 0 is the usual choice."""
    z = as_float(z)
    return (z > 0).astype(z.dtype)


def leaky_relu(z: Array, negative_slope: float = 0.01) -> Array:
    """``z`` where it is positive, ``negative_slope * z`` elsewhere."""
    z = as_float(z)
    return np.maximum(z, 0) + negative_slope * np.minimum(z, 0)


def leaky_relu_derivative(z: Array, negative_slope: float = 0.01) -> Array:
    """1 where ``z > 0``, else `negative_slope`."""
    active = relu_derivative(z)
    return active + negative_slope * (1 - active)


def silu(z: Array) -> Array:
    """``z * sigmoid(z)``, also called swish."""
    z = as_float(z)
    return z * sigmoid(z)


def silu_derivative(z: Array) -> Array:
    """Slope of `silu`: ``s + z * s * (1 - s)`` with ``s = sigmoid(z)``."""
    z = as_float(z)
    s = sigmoid(z)
    return s * (1 + z * (1 - s))


def gelu(z: Array, approximate: str = "none") -> Array:
    """``z * Phi(z)``, where Phi is the standard normal distribution function.

    Parameters
    ----------
    z : ndarray
        Any shape.
    approximate : {"none", "tanh"}
        "tanh" is the formula with which GPT-2 was trained; it is off by less than 5e-4.
    """
    return gelu_and_slope(z, approximate)[0]


def gelu_derivative(z: Array, approximate: str = "none") -> Array:
    """Slope of `gelu`; the product rule on ``z * gate(z)``."""
    return gelu_and_slope(z, approximate)[1]


def gelu_and_slope(z: Array, approximate: str = "none") -> tuple[Array, Array]:
    """Return `gelu` and its derivative, which are made of the same parts."""
    if approximate not in ("none", "tanh"):
        raise ValueError(f'gelu: approximate must be "none" or "tanh", got {approximate!r}.')
    return _blockwise(_gelu_tanh if approximate == "tanh" else _gelu_exact, as_float(z))


def _gelu_exact(z: Array) -> tuple[Array, Array]:
    return _product(z, *_normal_cdf(z))


def _gelu_tanh(z: Array) -> tuple[Array, Array]:
    return _product(z, *_tanh_gate(z))


def _product(z: Array, gate: Array, slope: Array) -> tuple[Array, Array]:
    """Return ``z * gate`` and its derivative ``gate + z * slope``, in the arrays given."""
    slope *= z
    slope += gate
    gate *= z
    return gate, slope


def _tanh_gate(z: Array) -> tuple[Array, Array]:
    """Return ``(1 + tanh(u)) / 2`` and its slope, with ``u = sqrt(2/pi) (z + 0.044715 z^3)``."""
    t = z * z
    slope = t * (3 * SQRT_2_OVER_PI * GELU_CUBIC)
    slope += SQRT_2_OVER_PI  # the derivative of u
    t *= SQRT_2_OVER_PI * GELU_CUBIC
    t += SQRT_2_OVER_PI
    t *= z
    np.tanh(t, out=t)
    gate = t * 0.5
    gate += 0.5
    t *= t  # the slope of tanh is 1 - tanh^2
    np.subtract(1, t, out=t)
    t *= 0.5
    slope *= t
    return gate, slope


def normal_cdf(z: Array) -> tuple[Array, Array]:
    """Return Phi(z) and its slope phi(z), the standard normal density.

    NumPy has no error function. But the ratio ``R(a) = Phi(-a) / phi(a)`` (Mills') falls smoothly
    and slowly, so that a short polynomial in ``u = (a - 3) / (a + 3)`` gives it to rounding. Its
    coefficients come from the standard library's ``math.erfc``, in `_mills_polynomial`.
    """
    return _blockwise(_normal_cdf, as_float(z))


@np.errstate(over="ignore")  # where a^2 overflows, the density is zero
def _normal_cdf(z: Array) -> tuple[Array, Array]:
    a = np.abs(z)
    density = a * a
    density *= -0.5
    np.exp(density, out=density)
    density *= 1 / math.sqrt(2 * math.pi)
    u = np.add(a, 3, out=a)
    np.divide(6, u, out=u)
    np.subtract(1, u, out=u)  # 1 - 6 / (a + 3) is (a - 3) / (a + 3)
    *coefficients, highest = _mills_polynomial(18 if z.dtype.itemsize >= 8 else 7)
    tail = u * highest
    tail += coefficients.pop()
    while coefficients:  # Horner's rule, in place
        tail *= u
        tail += coefficients.pop()
    tail *= density  # Phi(-|z|)
    cdf = u
    cdf[...] = z > 0
    cdf -= tail
    return np.abs(cdf, out=cdf), density  # |0 - tail| where z < 0, and |1 - tail| elsewhere


def _blockwise(function: Callable[[Array], tuple[Array, Array]], z: Array) -> tuple[Array, Array]:
    """Apply `function` to parts of `z` that stay in the processor's cache.

    It makes several arrays on the way; when they are large, fetching them from memory takes
    several times as long as the arithmetic.
    """
    flat = z.reshape(-1)
    if z.size <= BLOCK:
        value, slope = function(flat)
    else:
        value, slope = np.empty_like(flat), np.empty_like(flat)
        for start in range(0, z.size, BLOCK):
            part = slice(start, start + BLOCK)
            value[part], slope[part] = function(flat[part])
    return value.reshape(z.shape)[()], slope.reshape(z.shape)[()]  # [()]: a number for a number


@cache
def _mills_polynomial(degree: int) -> list[float]:
    """Coefficients in u of Mills' ratio ``R(a) = Phi(-a) / phi(a)``, lowest first.

    Fitted for a from 0 to 9; beyond, Phi(-a) is below 1e-18, and R hardly matters.
    """
    u_max = (9 - 3) / (9 + 3)

    def ratio(t: Array) -> Any:
        u = (t + 1) / 2 * (u_max + 1) - 1  # chebinterpolate asks for t from -1 to 1
        a = (3 * (1 + u) / (1 - u)).tolist()
        return np.array([math.erfc(v / math.sqrt(2)) * math.exp(0.5 * v * v) for v in a])

    fit = chebyshev.Chebyshev(chebyshev.chebinterpolate(ratio, degree), domain=[-1, u_max])
    polynomial = fit.convert(kind=np.polynomial.Polynomial, domain=[-1, 1])
    return [float(c) * math.sqrt(math.pi / 2) for c in polynomial.coef]


def softmax(z: Array, dim: int = -1) -> Array:
    """``exp(z) / sum(exp(z))`` along the axis `dim`: positive, and adds up to 1.

    Subtracting the maximum changes nothing, since it cancels, and keeps exp from overflowing.
    """
    z = as_float(z)
    e = z - _maxima(z, dim)
    np.exp(e, out=e)
    e /= _sums(e, dim)
    return e


def _maxima(z: Array, dim: int) -> Array:
    """``z.max(axis=dim, keepdims=True)``, quick on the last axis."""
    if z.ndim == 0:
        raise ValueError("softmax: z must have an axis of classes, got a single number.")
    if dim not in (-1, z.ndim - 1):
        return z.max(axis=dim, keepdims=True)
    return row_maxima(z.reshape(-1, z.shape[-1])).reshape(*z.shape[:-1], 1)


def _sums(z: Array, dim: int) -> Array:
    """``z.sum(axis=dim, keepdims=True)``, quick on the last axis."""
    if dim not in (-1, z.ndim - 1):
        return z.sum(axis=dim, keepdims=True)
    return row_sums(z.reshape(-1, z.shape[-1])).reshape(*z.shape[:-1], 1)


def softmax_backward(grad: Array, y: Array, dim: int = -1) -> Array:
    """Return d loss / d z for ``y = softmax(z)``: ``y * (grad - sum(grad * y))``."""
    product: Array = grad * y
    return product - y * _sums(product, dim)


def log_softmax(z: Array, dim: int = -1) -> Array:
    """``log(softmax(z))`` without ever taking the logarithm of zero."""
    z = as_float(z)
    shifted = z - _maxima(z, dim)
    shifted -= np.log(_sums(np.exp(shifted), dim))
    return shifted


def log_softmax_backward(grad: Array, y: Array, dim: int = -1) -> Array:
    """Return d loss / d z for ``y = log_softmax(z)``: ``grad - softmax(z) * sum(grad)``."""
    out: Array = grad - np.exp(y) * _sums(grad, dim)
    return out


def one_hot(labels: Any, classes: int, dtype: Any = np.float32) -> Array:
    """Return an array with a 1 at each label's place.

    Parameters
    ----------
    labels : array_like of int, shape (...)
        Numbers from 0 to ``classes - 1``.
    classes : int
        How many there are.
    dtype : dtype
        Of the result.

    Returns
    -------
    ndarray, shape (..., classes)

    Raises
    ------
    ValueError
        If a label is out of range.
    """
    labels = np.asarray(labels)
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"labels must lie between 0 and {classes - 1}, got {labels.min()} to {labels.max()}."
        )
    return np.eye(classes, dtype=dtype)[labels]
