"""The search for the first layer that made a NaN or an infinity.

Training itself looks at two small numbers per step, which is cheap. Only when one of them is not
finite, the guilty step is run once more, now looking at what every layer makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ffcourse.nn.module import Array, Module
from ffcourse.nn.summary import watch


class NonFiniteError(FloatingPointError):
    """Training made a NaN or an infinity, and stopped.

    Attributes
    ----------
    step : int
        The step in which it began, counted from 1 through all epochs.
    epoch : int
        The epoch in which training stopped, counted from 1.
    where : str
        "input", "forward", "loss", "backward" or "update"; "unknown" if it did not happen again.
    layer : str
        Path of the first layer, as in ``named_parameters``; "" if no layer is to blame.
    """

    def __init__(self, message: str, step: int, epoch: int, where: str, layer: str) -> None:
        super().__init__(message)
        self.step, self.epoch, self.where, self.layer = step, epoch, where, layer


class Origin(NamedTuple):
    """The first thing that was not finite."""

    where: str
    layer: str
    what: str  # in words


def trace_step(model: Module, loss_fn: Any, x: Array, y: Array) -> Origin | None:
    """Run one step forward and backward; return where the first non-finite number appears.

    Nothing is changed: parameters, buffers and gradients are afterwards as before.
    """
    if not is_finite(x):
        return Origin("input", "", "the input batch itself")
    grads = [(p, p.grad) for p in model.parameters()]
    state = model.state_dict()
    found: list[Origin] = []
    try:
        with np.errstate(all="ignore"), _watched(model, found):
            _run(model, loss_fn, x, y, found)
    finally:
        model.load_state_dict(state)
        for p, grad in grads:
            p.grad = grad
    return found[0] if found else None


def _run(model: Module, loss_fn: Any, x: Array, y: Array, found: list[Origin]) -> None:
    for p in model.parameters():
        p.grad = None
    output = model(x)
    loss = loss_fn(output, y)
    if found:
        return
    name = type(loss_fn).__name__
    if not np.isfinite(loss):
        largest = float(np.abs(output).max())
        found.append(Origin("loss", "", f"{name} of outputs as large as {largest:.2g}"))
        return
    grad = loss_fn.backward()
    if not is_finite(grad):
        found.append(Origin("loss", "", f"the gradient of {name}"))
        return
    model.backward_params(grad)


def trace_parameters(model: Module) -> Origin | None:
    """Judge by what the last step left behind, its gradients and the weights that it made.

    For the case that the step itself cannot be run again, since its weights are overwritten.
    """
    named = list(model.named_parameters())
    for name, p in reversed(named):  # the backward pass runs from the last layer to the first
        if not is_finite(p.grad):
            return Origin("backward", _layer(name), f"the gradient of {_described(model, name)}")
    for name, p in named:
        if not is_finite(p.data):
            return Origin("update", _layer(name), f"the new value of {_described(model, name)}")
    return None


def is_finite(a: Any) -> bool:
    """Tell whether all numbers are finite; a layer may also return a tuple, or nothing."""
    if isinstance(a, tuple):
        return all(is_finite(part) for part in a)
    if a is None:
        return True
    a = np.asarray(a)
    return a.dtype.kind != "f" or bool(np.isfinite(a).all())


@contextmanager
def _watched(model: Module, found: list[Origin]) -> Iterator[None]:
    """Let every layer of `model` report the first number that is not finite, in `found`."""
    with ExitStack() as stack:
        for method in ("forward", "backward", "backward_params"):
            see = partial(_report, method, found)
            stack.enter_context(watch(model, see, method))
        yield


def _report(method: str, found: list[Origin], name: str, module: Module, result: Any) -> None:
    if found:  # inner layers finish before outer ones, so the first report is the innermost
        return
    shown = f"`{name}` ({type(module).__name__})" if name else type(module).__name__
    if method == "forward":
        if not is_finite(result):
            found.append(Origin("forward", name, f"the output of {shown}"))
        return
    bad = [n for n, p in module.named_parameters() if not is_finite(p.grad)]
    if bad:
        found.append(Origin("backward", name, f"the gradient of `{bad[0]}` in {shown}"))
    elif not is_finite(result):
        found.append(Origin("backward", name, f"the gradient that {shown} passes down"))


def _layer(parameter: str) -> str:
    return parameter.rpartition(".")[0]


def _described(model: Module, parameter: str) -> str:
    kinds: dict[str, str] = {name: type(module).__name__ for name, module in model.named_modules()}
    return f"`{parameter}` ({kinds[_layer(parameter)]})"
