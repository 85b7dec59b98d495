"""Records what happens inside a network while it is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.nn import Linear, Module
from ffcourse.nn.summary import watch
from ffcourse.show.instruments.common import Array
from ffcourse.train.callbacks import Callback


class Recorder(Callback):
    """A callback of `Trainer`: after each epoch, measures gradients and activations on a batch.

    Parameters
    ----------
    x, y : array_like
        The batch to measure on, for instance the first 200 training examples.

    Attributes
    ----------
    layers : list of str
        Names of the modules with weights.
    gradients : list of ndarray, shape (L,)
        For each epoch: root mean square of the gradient of each layer's weights.
    activations : list of ndarray, shape (L,)
        For each epoch: standard deviation of each layer's output.
    """

    def __init__(self, x: Any, y: Any) -> None:
        self.x, self.y = np.asarray(x), np.asarray(y)
        self.layers: list[str] = []
        self.gradients: list[Array] = []
        self.activations: list[Array] = []
        self.history: Any = None

    def on_epoch_end(self, trainer: Any) -> None:
        """Measure."""
        self.history = trainer.history
        self.layers, grads, acts = probe(trainer.model, trainer.loss_fn, self.x, self.y)
        self.gradients.append(grads)
        self.activations.append(acts)


def probe(model: Module, loss_fn: Any, x: Array, y: Array) -> tuple[list[str], Array, Array]:
    """Return names, gradient sizes (L,) and activation spreads (L,) of the layers with weights.

    One forward and one backward pass in evaluation mode; the parameters' gradients are put back.
    """
    named = {name: m for name, m in model.named_modules() if isinstance(m, Linear)}
    outputs: dict[str, float] = {}

    def see(name: str, module: Module, result: Any) -> None:
        if name in named:
            outputs[name] = float(np.asarray(result, np.float64).std())

    modes = [(m, m.training) for m in model.modules()]
    kept = [(p, p.grad) for p in model.parameters()]
    try:
        model.eval()
        model.zero_grad()
        with watch(model, see):
            loss_fn(model(x), y)
        model.backward(loss_fn.backward())
        sizes = [_rms(m.weight.grad) for m in named.values()]
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, grad in kept:
            parameter.grad = grad
    return list(named), np.array(sizes), np.array([outputs[name] for name in named])


def _rms(grad: Array | None) -> float:
    return 0.0 if grad is None else float(np.sqrt(np.mean(np.asarray(grad, np.float64) ** 2)))
