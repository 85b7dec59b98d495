"""Penalties on the weights, added to the loss: L1 and L2."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ffcourse.nn.checks import number, parameter_list
from ffcourse.nn.module import Parameter


class _Penalty:
    """Base class: a list of parameters and a strength."""

    __slots__ = ("parameters", "strength")

    def __init__(self, parameters: Iterable[Parameter], strength: float) -> None:
        name = type(self).__name__
        self.parameters = parameter_list(parameters, f"{name}: parameters")
        self.strength = number(strength, f"{name}: strength", 0)

    def __call__(self) -> float:
        """Return the penalty."""
        return self.forward()

    def forward(self) -> float:
        """Return the penalty."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters)} parameters, {self.strength})"


class L2Penalty(_Penalty):
    """``strength / 2 * sum(w**2)``: pulls every weight towards zero in proportion to its size.

    With plain gradient descent this is weight decay: the gradient is ``strength * w``.

    Parameters
    ----------
    parameters : iterable of Parameter
        Usually the weights and not the biases.
    strength : float
        Not negative.
    """

    __slots__ = ()

    def forward(self) -> float:
        """Return the penalty."""
        return self.strength / 2 * sum(float(np.square(p.data).sum()) for p in self.parameters)

    def backward(self) -> None:
        """Add ``strength * w`` to the gradients."""
        for p in self.parameters:
            p.accumulate(self.strength * p.data)


class L1Penalty(_Penalty):
    """``strength * sum(|w|)``: pulls all weights equally hard, so that small ones reach zero.

    Parameters
    ----------
    parameters : iterable of Parameter
        Usually the weights and not the biases.
    strength : float
        Not negative.
    """

    __slots__ = ()

    def forward(self) -> float:
        """Return the penalty."""
        return self.strength * sum(float(np.abs(p.data).sum()) for p in self.parameters)

    def backward(self) -> None:
        """Add ``strength * sign(w)`` to the gradients."""
        for p in self.parameters:
            p.accumulate(self.strength * np.sign(p.data))
