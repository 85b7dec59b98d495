"""Where the weights start: zeros, normal, Xavier, He.

All functions change a parameter (or an array) in place and return it, as in PyTorch, where the
trailing underscore says so. Two-dimensional weights are ``(in, out)``; convolution kernels are
``(out, in, height, width)``.

In all of them, `tensor` is a Parameter, such as ``layer.weight``, or a floating-point array;
anything else is a TypeError. `rng`, a Generator or a seed, draws the numbers.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from ffcourse.nn.checks import number
from ffcourse.nn.module import Array, Parameter

Tensor = TypeVar("Tensor", Parameter, Array)


def _values(tensor: Any) -> Array:
    values = tensor.data if isinstance(tensor, Parameter) else tensor
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f":
        got = f"dtype {values.dtype}" if isinstance(values, np.ndarray) else type(tensor).__name__
        raise TypeError(
            "nn.init changes a Parameter, such as layer.weight, or a floating-point array in "
            f"place; got {got}."
        )
    return values


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs each output sums over, and how many outputs each input feeds.

    Raises
    ------
    ValueError
        If `shape` has fewer than two dimensions, or one of them is 0.
    """
    if len(shape) < 2 or 0 in shape:
        raise ValueError(
            f"fan-in and fan-out need at least two dimensions, none of them 0, got shape {shape}."
        )
    if len(shape) == 2:
        return shape[0], shape[1]
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that makes up for what an activation takes from the spread.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu"}
        Which activation follows.
    param : float, optional
        The negative slope of leaky ReLU; 0.01 if left out.

    Raises
    ------
    ValueError
        If `nonlinearity` is none of these.
    """
    slope = 0.01 if param is None else number(param, "the negative slope")
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + slope * slope)),
    }
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity must be one of {sorted(gains)}, got {nonlinearity!r}.")
    return gains[nonlinearity]


def constant_(tensor: Tensor, value: float) -> Tensor:
    """Fill with one value. Weights that are all equal stay equal: use it for biases."""
    _values(tensor)[...] = number(value, "value")
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Draw from a normal distribution with this `mean` and standard deviation `std`."""
    values = _values(tensor)
    mean, std = number(mean, "mean"), number(std, "std", 0)
    values[...] = np.random.default_rng(rng).normal(mean, std, values.shape)
    return tensor


def uniform_(
    tensor: Tensor,
    low: float = 0.0,
    high: float = 1.0,
    *,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Draw evenly between `low` and `high`."""
    values = _values(tensor)
    low = number(low, "low")
    high = number(high, "high", low)
    values[...] = np.random.default_rng(rng).uniform(low, high, values.shape)
    return tensor


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, *, rng: np.random.Generator | None = None
) -> Tensor:
    """Draw evenly, with variance ``gain**2 * 2 / (fan_in + fan_out)``.

    A compromise that keeps the spread of both activations and gradients: X. Glorot and Y. Bengio,
    "Understanding the difficulty of training deep feedforward neural networks" (2010).
    """
    fan_in, fan_out = fans(_values(tensor).shape)
    # The variance is bound**2 / 3.
    bound = number(gain, "gain", 0) * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound, rng=rng)


def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, *, rng: np.random.Generator | None = None
) -> Tensor:
    """Draw from a normal distribution, with variance ``gain**2 * 2 / (fan_in + fan_out)``."""
    std = number(gain, "gain", 0) * math.sqrt(2.0 / sum(fans(_values(tensor).shape)))
    return normal_(tensor, 0.0, std, rng=rng)


def _he_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'mode must be "fan_in" or "fan_out", got {mode!r}.')
    fan = fans(_values(tensor).shape)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Draw evenly, with variance ``gain**2 / fan``: He's initialisation for ReLU.

    Half of a ReLU's inputs become zero; twice the variance makes up for it: K. He, X. Zhang, S. Ren
    and J. Sun, "Delving deep into rectifiers" (2015).

    Parameters
    ----------
    tensor : Parameter or ndarray
        Of two dimensions or more.
    a : float
        The negative slope of the (leaky) ReLU that follows.
    mode : {"fan_in", "fan_out"}
        Whether the spread of activations or that of gradients is kept.
    nonlinearity : str
        Which activation follows; see `calculate_gain`.
    rng : numpy.random.Generator, optional
        Draws the values.
    """
    bound = math.sqrt(3.0) * _he_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, rng=rng)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """Draw from a normal distribution, with variance ``gain**2 / fan``: He's initialisation.

    Parameters as for `kaiming_uniform_`.
    """
    return normal_(tensor, 0.0, _he_std(tensor, a, mode, nonlinearity), rng=rng)


he_uniform_ = kaiming_uniform_
he_normal_ = kaiming_normal_
