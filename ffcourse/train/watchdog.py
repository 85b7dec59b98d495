"""The watch over a training: when a number is no longer finite, stop and say where it began."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ffcourse.nn.module import Array, Module, Parameter
from ffcourse.train.gradcheck import generators
from ffcourse.train.nonfinite import NonFiniteError, Origin, is_finite, trace_parameters, trace_step

WHERE = {
    "input": "before the network",
    "forward": "in the forward pass",
    "loss": "in the loss",
    "backward": "in the backward pass",
    "update": "in the optimizer's update",
}


class Step(NamedTuple):
    """What is known about the step under watch."""

    number: int  # from 1, through all epochs
    epoch: int  # from 1
    x: Array
    y: Array
    lr: float


class Watchdog:
    """Looks at two small things in each step: the loss, and the gradient that is made last."""

    def __init__(self, model: Module, loss_fn: Any) -> None:
        self.model, self.loss_fn = model, loss_fn
        self.canary = canary(model)
        self.generators = generators(model)
        self._random: list[tuple[np.random.Generator, Any]] = []

    def before_step(self) -> None:
        """Note the random states, so that dropout can be run again with the same mask."""
        self._random = [(g, g.bit_generator.state) for g in self.generators]

    def check_loss(self, loss: float, step: Step) -> None:
        """Raise NonFiniteError if the loss is not finite; call it before ``zero_grad``."""
        if math.isfinite(loss):
            return
        symptom = f"the loss is {loss}"
        if all(is_finite(p.data) for p in self.model.parameters()):
            self._stop(symptom, step, step.number, self._replay(step))
        # The weights were spoilt before: the gradients of the step before this one are still here.
        self._stop(symptom, step, step.number - 1, trace_parameters(self.model))

    def check_gradients(self, step: Step) -> None:
        """Raise NonFiniteError if the gradient that was made last is not finite."""
        grad = None if self.canary is None else self.canary.grad
        if grad is None or math.isfinite(grad.sum()) or is_finite(grad):
            return
        self._stop("the gradient is not finite", step, step.number, self._replay(step))

    def _replay(self, step: Step) -> Origin | None:
        for generator, state in self._random:
            generator.bit_generator.state = state
        return trace_step(self.model, self.loss_fn, step.x, step.y)

    def _stop(self, symptom: str, step: Step, began: int, origin: Origin | None) -> None:
        told = f"Training stopped in step {step.number} (epoch {step.epoch}): {symptom}."
        if origin is None:
            where, layer = "unknown", ""
            told += " The layer could not be found: when the step was run again, all was finite."
        else:
            where, layer = origin.where, origin.layer
            told += (
                f" It began in step {began}, {WHERE[where]}: {origin.what} was the first number "
                f"that is not finite. {_advice(where, step.lr)}"
            )
        raise NonFiniteError(told, began, step.epoch, where, layer)


def canary(model: Module) -> Parameter | None:
    """Choose the parameter whose gradient tells about the whole backward pass.

    A NaN spreads to everything that the backward pass reaches later. So the first trained layer,
    which it reaches last, has it too; there the smallest parameter is the quickest to look at.
    """
    for module in model.modules():
        own = [p for _, p in module.named_parameters() if p.requires_grad]
        is_leaf = not any(True for _ in module.named_children())
        if own and is_leaf:
            return min(own, key=lambda p: p.data.size)
    return None


def _advice(where: str, lr: float) -> str:
    if where == "input":
        return "Clean the data: np.isfinite(X).all() must be true."
    if where == "loss":
        return f"Look at the targets, and try a smaller learning rate (it is {lr:g})."
    return f"Try a smaller learning rate (it is {lr:g}), clip_norm=1.0, or smaller initial weights."
