"""Adam and AdamW: momentum, and a step size for each weight."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ffcourse.nn.module import Array, Parameter
from ffcourse.train.optimizer import Group, Optimizer
from ffcourse.train.pieces import Piece


class Adam(Optimizer):
    r"""Follow the running mean of the gradient, divided by its running size.

    :math:`m \leftarrow \beta_1 m + (1 - \beta_1) g` and
    :math:`v \leftarrow \beta_2 v + (1 - \beta_2) g^2`. Both start at zero, hence too small;
    dividing by :math:`1 - \beta^t` in step t corrects that bias:

    .. math:: w \leftarrow w - \eta\,
        \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    params : iterable of Parameter, or iterable of dict
        See `Optimizer`.
    lr : float
        Learning rate :math:`\eta`: about the size of a step, whatever the size of the gradient.
    betas : (float, float)
        :math:`\beta_1` and :math:`\beta_2`: how much of each mean is kept.
    eps : float
        Keeps the division from 0 / 0.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient. `AdamW` decays the weights themselves.

    Notes
    -----
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization" (2015).
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, options)

    def state_names(self, group: Group) -> tuple[str, ...]:
        """Remember two running means, under the names that PyTorch gives them."""
        return ("exp_avg", "exp_avg_sq")

    def rule(self, g: Array, piece: Piece, t: int, group: Group) -> None:
        """Update both means, then divide one by the root of the other."""
        step, spare = piece.step, piece.spare
        m, v = piece.state["exp_avg"], piece.state["exp_avg_sq"]
        beta1, beta2 = group["betas"]
        m *= beta1
        np.multiply(g, 1 - beta1, out=spare)
        m += spare
        v *= beta2
        np.multiply(g, g, out=step)
        step *= 1 - beta2
        v += step
        # lr * (m / c1) / (sqrt(v) / c2 + eps), with the constants drawn together: one pass less.
        c1, c2 = 1 - beta1**t, math.sqrt(1 - beta2**t)
        np.sqrt(v, out=spare)
        spare += group["eps"] * c2
        np.divide(m, spare, out=step)
        step *= group["lr"] * c2 / c1


class AdamW(Adam):
    r"""Adam with decoupled weight decay: first :math:`w \leftarrow (1 - \eta\lambda) w`.

    In `Adam` the penalty's gradient is divided by :math:`\sqrt{v}` like any other, so that weights
    with large gradients hardly decay. Here all weights decay alike.

    Parameters
    ----------
    params : iterable of Parameter, or iterable of dict
        See `Optimizer`.
    lr, betas, eps
        See `Adam`.
    weight_decay : float
        :math:`\lambda`.

    Notes
    -----
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization" (2019).
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def decay(self, g: Array, piece: Piece, group: Group) -> Array:
        """Shrink the weights; leave the gradient alone."""
        keep = 1 - group["lr"] * group["weight_decay"]
        for p, rows, _, _ in piece.slots:
            w = p.data if rows is None else p.data[rows]
            w *= keep
        return g
