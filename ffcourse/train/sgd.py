"""Stochastic gradient descent, with momentum if wanted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ffcourse.nn.module import Array, Parameter
from ffcourse.train.optimizer import Group, Optimizer
from ffcourse.train.pieces import Piece


class SGD(Optimizer):
    r"""Step against the gradient, or against a running sum of gradients.

    Without momentum :math:`w \leftarrow w - \eta g`. With momentum :math:`\mu` the step follows a
    velocity, as a ball that rolls downhill: :math:`m \leftarrow \mu m + g` and
    :math:`w \leftarrow w - \eta m`. Nesterov's form looks ahead along the velocity:
    :math:`w \leftarrow w - \eta (g + \mu m)`.

    Parameters
    ----------
    params : iterable of Parameter, or iterable of dict
        See `Optimizer`.
    lr : float
        Learning rate :math:`\eta`.
    momentum : float
        :math:`\mu`, in [0, 1).
    nesterov : bool
        Needs ``momentum > 0``.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.

    Notes
    -----
    Momentum: B. T. Polyak (1964). The look-ahead form as used here: I. Sutskever and others, "On
    the importance of initialization and momentum in deep learning" (2013).
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-3,
        momentum: float = 0.0,
        *,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        options = {"momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
        super().__init__(params, {"lr": lr, **options})

    def state_names(self, group: Group) -> tuple[str, ...]:
        """Remember the velocity; without momentum, nothing."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def rule(self, g: Array, piece: Piece, t: int, group: Group) -> None:
        """Scale the gradient, or the velocity, by the learning rate."""
        step, lr, mu = piece.step, group["lr"], group["momentum"]
        if not mu:
            np.multiply(g, lr, out=step)
            return
        m = piece.state["momentum_buffer"]
        m *= mu
        m += g
        if group["nesterov"]:
            np.multiply(m, mu, out=piece.spare)
            np.add(g, piece.spare, out=step)
            step *= lr
        else:
            np.multiply(m, lr, out=step)
