"""RMSProp: AdaGrad with a memory that fades."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ffcourse.nn.module import Array, Parameter
from ffcourse.train.optimizer import Group, Optimizer
from ffcourse.train.pieces import Piece


class RMSProp(Optimizer):
    r"""Divide each weight's step by the root of a running mean of its squared gradients.

    :math:`v \leftarrow \alpha v + (1 - \alpha) g^2` and
    :math:`w \leftarrow w - \eta g / (\sqrt{v} + \epsilon)`.

    Parameters
    ----------
    params : iterable of Parameter, or iterable of dict
        See `Optimizer`.
    lr : float
        Learning rate :math:`\eta`.
    alpha : float
        How much of the mean is kept in each step.
    eps : float
        Keeps the division from 0 / 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.
    momentum : float
        The scaled gradients are summed up as in `SGD`.
    centered : bool
        Divide by the running standard deviation: subtract the square of the mean gradient from v.

    Notes
    -----
    T. Tieleman and G. Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012).
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        options = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
        }
        super().__init__(params, options)

    def state_names(self, group: Group) -> tuple[str, ...]:
        """Remember the mean of squares, and what the options ask for."""
        centered = ("grad_avg",) if group["centered"] else ()
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *centered, *momentum)

    def rule(self, g: Array, piece: Piece, t: int, group: Group) -> None:
        """Scale each gradient by its recent size."""
        step, spare, alpha = piece.step, piece.spare, group["alpha"]
        v = piece.state["square_avg"]
        v *= alpha
        np.multiply(g, g, out=spare)
        spare *= 1 - alpha
        v += spare
        if group["centered"]:
            mean = piece.state["grad_avg"]
            mean *= alpha
            np.multiply(g, 1 - alpha, out=spare)
            mean += spare
            np.multiply(mean, mean, out=spare)
            np.subtract(v, spare, out=spare)
            np.sqrt(spare, out=spare)
        else:
            np.sqrt(v, out=spare)
        spare += group["eps"]
        np.divide(g, spare, out=step)
        if group["momentum"]:
            m = piece.state["momentum_buffer"]
            m *= group["momentum"]
            m += step
            step[...] = m
        step *= group["lr"]
