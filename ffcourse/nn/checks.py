"""Checks that many layers share: one clear sentence each, naming what was wanted and what came.

They stand where something enters: sizes and options when a layer is built, the gradient when
``backward`` is called from outside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ffcourse.nn.module import Array, Module, Parameter


def whole(value: Any, name: str, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`; `name` is for the message."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    return int(value)


def number(value: Any, name: str, least: float = -math.inf, most: float = math.inf) -> float:
    """Return `value` if it is a number from `least` to `most`; NaN is none."""
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        wanted = "be a number"
        if math.isfinite(most):
            wanted = f"lie in [{least:g}, {most:g}]"
        elif math.isfinite(least):
            wanted += f" of at least {least:g}"
        raise ValueError(f"{name} must {wanted}, got {value!r}.")
    result: float = value
    return result


def parameter_list(given: Any, name: str) -> list[Parameter]:
    """Return `given` as a list of parameters, or tell who passed the model itself, or arrays."""
    if not isinstance(given, Iterable) or isinstance(given, str | bytes | Parameter | Module):
        raise TypeError(
            f"{name}: expected a list of Parameter objects, such as model.parameters(), "
            f"got {type(given).__name__}"
        )
    params = list(given)
    for p in params:
        if not isinstance(p, Parameter):
            raise TypeError(f"{name}: expected Parameter objects, got {type(p).__name__}")
    return params


def check_gradient(layer: Module, grad: Any, shape: tuple[int, ...]) -> None:
    """Raise one clear error unless `grad` has the `shape` of what `layer` made."""
    if getattr(grad, "shape", None) != shape:
        raise wrong_gradient(layer, grad, shape)


def wrong_gradient(layer: Module, grad: Any, shape: tuple[int, ...]) -> Exception:
    """Make the error for a gradient that does not have the `shape` of the output of `layer`."""
    asked = (
        f"{type(layer).__name__}: backward takes the gradient of the loss with respect to the "
        f"output, an array of shape {shape},"
    )
    if not isinstance(grad, np.ndarray):
        return TypeError(
            f"{asked} got {type(grad).__name__}; after loss = loss_fn(model(x), target), call "
            "model.backward(loss_fn.backward())."
        )
    return ValueError(
        f"{asked} got {grad.shape}; if the shape is right, another batch went through since."
    )


def check_linear(layer: Any, name: str, wanted: type) -> None:
    """Raise unless `layer` is a Linear layer, as those that adapt one need."""
    if not isinstance(layer, wanted):
        got = layer.__name__ if isinstance(layer, type) else type(layer).__name__
        raise TypeError(f"{name}: expected a {wanted.__name__} layer, got {got}.")


def as_array(value: Any, name: str) -> Array:
    """Return `value` as an array of floating-point numbers."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise TypeError(f"{name} must hold floating-point numbers, got dtype {array.dtype}.")
    return array
