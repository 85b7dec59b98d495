"""Gradient clipping: what mends exploding gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ffcourse.nn.checks import parameter_list
from ffcourse.nn.module import Array, Parameter
from ffcourse.train.checks import positive


def clip_grad_norm(params: Iterable[Parameter], max_norm: float) -> float:
    """Scale all gradients by one factor, so that together they are no longer than `max_norm`.

    The direction of the step stays the same. Call it between ``backward`` and ``step``.

    Parameters
    ----------
    params : iterable of Parameter
        Those without a gradient are passed over.
    max_norm : float
        Largest length allowed; an infinite one only measures.

    Returns
    -------
    float
        The length before clipping. If it is not finite, nothing was changed: no factor mends that.

    Notes
    -----
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks"
    (2013).
    """
    positive("max_norm", max_norm)
    grads = _grads(params)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = math.hypot(*(_length(g) for g in grads))
    # PyTorch's small constant; a norm just over the limit is clipped to just under it.
    factor = max_norm / (norm + 1e-6)
    if factor < 1 and math.isfinite(norm):
        for g in grads:
            g *= factor
    return norm


def clip_grad_value(params: Iterable[Parameter], clip_value: float) -> None:
    """Cut each number of each gradient to between ``-clip_value`` and ``clip_value``.

    Unlike `clip_grad_norm`, this changes the direction of the step.

    Parameters
    ----------
    params : iterable of Parameter
        Those without a gradient are passed over.
    clip_value : float
        Largest size allowed.
    """
    positive("clip_value", clip_value)
    for g in _grads(params):
        np.clip(g, -clip_value, clip_value, out=g)


def _grads(params: Iterable[Parameter]) -> list[Array]:
    given = dict.fromkeys(parameter_list(params, "params"))  # a shared parameter only once
    return [p.grad for p in given if p.grad is not None]


def _length(g: Array) -> float:
    flat = g.ravel()
    square = float(flat.dot(flat))
    if math.isfinite(square):
        return math.sqrt(square)
    return float(np.linalg.norm(flat.astype(np.float64)))  # 1e20 squared is too much for float32
