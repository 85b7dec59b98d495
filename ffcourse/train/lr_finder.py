"""The learning-rate finder: try them all in one short training, from tiny to absurd."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ffcourse.data.check import as_rng
from ffcourse.nn.module import Module
from ffcourse.train.checks import at_least, check_parts, check_trains, expect
from ffcourse.train.gradcheck import generators
from ffcourse.train.optimizer import Optimizer
from ffcourse.train.passes import Batches, walk


@dataclass(frozen=True)
class LRRange:
    """What a range test saw.

    Attributes
    ----------
    lrs : list of float
        Learning rates, growing by a constant factor.
    losses : list of float
        The loss of the mini-batch at each, smoothed.
    suggestion : float
        A tenth of the rate at which the loss was lowest: far enough from where it explodes.
    """

    lrs: list[float]
    losses: list[float]
    suggestion: float

    def __repr__(self) -> str:
        lo, hi = self.lrs[0], self.lrs[-1]
        return (
            f"LRRange({len(self.lrs)} rates from {lo:.1e} to {hi:.1e}, try {self.suggestion:.1e})"
        )


def find_lr(
    model: Module,
    loss_fn: Any,
    optimizer: Optimizer,
    train: Any,
    *,
    lr_min: float = 1e-6,
    lr_max: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    smoothing: float = 0.9,
    rng: np.random.Generator | None = None,
) -> LRRange:
    """Train with a learning rate that grows from step to step, until the loss explodes.

    Afterwards weights, buffers, optimizer and random states are as before.

    Parameters
    ----------
    model, loss_fn, optimizer
        As for `Trainer`.
    train : DataLoader, or (X, y)
        Walked as often as needed.
    lr_min, lr_max : float
        Where the rates start and end. Groups keep the ratio of their rates.
    steps : int
        Number of mini-batches from one to the other.
    batch_size : int
        For plain arrays.
    smoothing : float
        How much of the running mean of the loss is kept at each step.
    rng : Generator, optional
        Shuffles plain arrays; by default seeded with 0.

    Returns
    -------
    LRRange

    Notes
    -----
    L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017), section 3.3.
    """
    check_parts(model, loss_fn, optimizer)
    check_trains(model, optimizer)
    if not 0 < lr_min < lr_max < math.inf:
        raise ValueError(f"expected 0 < lr_min < lr_max, got lr_min={lr_min}, lr_max={lr_max}")
    at_least("steps", steps, 10)  # fewer show no slope
    expect("smoothing", smoothing, "a number in [0, 1)", lambda v: 0 <= v < 1)
    rng = as_rng(0 if rng is None else rng)
    before = _Snapshot(model, optimizer, train)
    try:
        rates, losses = _range_test(
            model, loss_fn, optimizer, _endless(train, batch_size, rng),
            np.geomspace(lr_min, lr_max, steps).tolist(), smoothing,
        )  # fmt: skip
    finally:
        before.restore()
    return LRRange(rates, losses, rates[int(np.argmin(losses))] / 10)


def _range_test(
    model: Module,
    loss_fn: Any,
    optimizer: Optimizer,
    stream: Batches,
    rates: list[float],
    smoothing: float,
) -> tuple[list[float], list[float]]:
    largest = max(group["lr"] for group in optimizer.param_groups) or 1.0
    ratios = [group["lr"] / largest for group in optimizer.param_groups]
    used: list[float] = []
    losses: list[float] = []
    mean = 0.0
    model.train()
    with np.errstate(over="ignore", invalid="ignore"):  # to explode is what it is for
        for i, (rate, (x, y)) in enumerate(zip(rates, stream, strict=False), start=1):
            loss = float(loss_fn(model(x), y))
            if not math.isfinite(loss) or (losses and loss > 4 * min(losses)):
                break
            mean = smoothing * mean + (1 - smoothing) * loss
            used.append(rate)
            losses.append(mean / (1 - smoothing**i))  # corrected for its start at 0, as in Adam
            for group, ratio in zip(optimizer.param_groups, ratios, strict=True):
                group["lr"] = rate * ratio
            optimizer.zero_grad()
            model.backward_params(loss_fn.backward())
            optimizer.step()
    if not losses:
        raise ValueError("the loss is not finite before the first step; look at data and weights")
    return used, losses


def _endless(train: Any, batch_size: int, rng: np.random.Generator) -> Batches:
    while True:
        empty = True
        for batch in walk(train, batch_size, rng):
            empty = False
            yield batch
        if empty:  # or this would go on for ever
            raise ValueError("train: expected at least one batch, the loader has none")


class _Snapshot:
    """Everything that a training changes, to be put back."""

    def __init__(self, model: Module, optimizer: Optimizer, train: Any) -> None:
        self.model, self.optimizer = model, optimizer
        self.weights, self.state = model.state_dict(), optimizer.state_dict()
        self.grads = [(p, p.grad) for p in model.parameters()]
        self.modes = [(module, module.training) for module in model.modules()]
        loader = getattr(train, "rng", None)
        sources = generators(model) + ([loader] if loader is not None else [])
        self.random = [(g, g.bit_generator.state) for g in sources]

    def restore(self) -> None:
        self.model.load_state_dict(self.weights)
        self.optimizer.load_state_dict(self.state)
        for p, grad in self.grads:
            p.grad = grad
        for module, mode in self.modes:
            module.training = mode
        for generator, state in self.random:
            generator.bit_generator.state = state
