"""AdaGrad: a learning rate for each weight, that shrinks with the gradients seen so far."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ffcourse.nn.module import Array, Parameter
from ffcourse.train.optimizer import Group, Optimizer
from ffcourse.train.pieces import Piece


class AdaGrad(Optimizer):
    r"""Divide each weight's step by the root of the sum of its squared gradients.

    :math:`s \leftarrow s + g^2` and :math:`w \leftarrow w - \eta g / (\sqrt{s} + \epsilon)`.
    Weights with rare gradients keep large steps. The sum only grows, so all steps shrink in the
    end, which RMSProp mends.

    Parameters
    ----------
    params : iterable of Parameter, or iterable of dict
        See `Optimizer`.
    lr : float
        Learning rate :math:`\eta`.
    lr_decay : float
        Divides the learning rate by ``1 + (t - 1) * lr_decay`` in step t.
    weight_decay : float
        Adds ``weight_decay * w`` to the gradient.
    initial_accumulator_value : float
        What :math:`s` starts from.
    eps : float
        Keeps the division from 0 / 0.

    Notes
    -----
    J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization" (2011).
    """

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[Group],
        lr: float = 1e-2,
        *,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        options = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
        }
        super().__init__(params, options)

    def state_names(self, group: Group) -> tuple[str, ...]:
        """Remember the sum of squared gradients."""
        return ("sum",)

    def start_value(self, name: str, group: Group) -> float:
        """Let the sum start above zero if wanted, which makes the first steps smaller."""
        return float(group["initial_accumulator_value"])

    def rule(self, g: Array, piece: Piece, t: int, group: Group) -> None:
        """Scale each gradient by its own history."""
        step, spare, s = piece.step, piece.spare, piece.state["sum"]
        np.multiply(g, g, out=spare)
        s += spare
        np.sqrt(s, out=spare)
        spare += group["eps"]
        np.divide(g, spare, out=step)
        step *= group["lr"] / (1 + (t - 1) * group["lr_decay"])
