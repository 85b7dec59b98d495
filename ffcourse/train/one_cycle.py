"""The one-cycle schedule: up once, then down for the rest of the training."""

from __future__ import annotations

import math

from ffcourse.train.checks import at_least, expect, positive
from ffcourse.train.optimizer import Group, Optimizer
from ffcourse.train.schedules import Schedule


class OneCycleLR(Schedule):
    """One rise to a large learning rate and a long fall to almost nothing; step it per batch.

    The momentum (or Adam's first beta) goes the other way: low while the learning rate is high.

    Parameters
    ----------
    optimizer : Optimizer
        Its own learning rate is not used.
    max_lr : float
        The peak.
    total_steps : int
        Batches in the whole training; to step on after them is an error.
    pct_start : float
        The part of them that rises.
    div_factor, final_div_factor : float
        The start is ``max_lr / div_factor``, the end is the start divided by `final_div_factor`.
    cycle_momentum : bool
        False leaves the momentum alone.
    base_momentum, max_momentum : float
        Momentum at the peak of the learning rate, and at both ends.

    Notes
    -----
    L. N. Smith and N. Topin, "Super-Convergence" (2019).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float,
        total_steps: int,
        *,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
    ) -> None:
        expect("pct_start", pct_start, "a number between 0 and 1", lambda v: 0 < v < 1)
        self.total_steps = at_least("total_steps", total_steps)
        self.max_lr = positive("max_lr", max_lr)
        self.peak = pct_start * total_steps - 1
        if self.peak <= 0:
            raise ValueError(
                f"pct_start: {pct_start} of {total_steps} steps leaves none to rise in"
            )
        self.start_lr = max_lr / positive("div_factor", div_factor)
        self.end_lr = self.start_lr / positive("final_div_factor", final_div_factor)
        for name, value in (("base_momentum", base_momentum), ("max_momentum", max_momentum)):
            expect(name, value, "a number in [0, 1)", lambda v: 0 <= v < 1)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer: expected an Optimizer, got {type(optimizer).__name__}")
        self.momenta = (base_momentum, max_momentum) if cycle_momentum else None
        if cycle_momentum and not all(_has_momentum(g) for g in optimizer.param_groups):
            raise ValueError(
                "cycle_momentum: expected an optimizer with momentum above zero; give it one, "
                "or pass cycle_momentum=False"
            )
        for group in optimizer.param_groups:
            group["initial_lr"] = self.start_lr
        super().__init__(optimizer)

    def lr_at(self, t: int, base: float) -> float:
        """Cosine from the start to the peak, and from the peak to the end; `base` has no say."""
        return self._between(t, self.start_lr, self.max_lr, self.end_lr)

    def _between(self, t: int, start: float, peak: float, end: float) -> float:
        if t > self.total_steps:
            raise ValueError(
                f"OneCycleLR: step {t} of {self.total_steps}; total_steps must be the number of "
                "batches in the whole training, epochs * batches per epoch"
            )
        if t <= self.peak:
            return _cosine(start, peak, t / self.peak)
        # A step after the last batch is allowed, and changes nothing any more.
        return _cosine(peak, end, min(1.0, (t - self.peak) / (self.total_steps - 1 - self.peak)))

    def apply(self) -> None:
        """Set the learning rate and the momentum."""
        super().apply()
        if self.momenta is None:
            return
        low, high = self.momenta
        momentum = self._between(self.last_epoch, high, low, high)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, group["betas"][1])
            else:
                group["momentum"] = momentum


def _cosine(start: float, end: float, way: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * way)) / 2


def _has_momentum(group: Group) -> bool:
    return "betas" in group or group.get("momentum", 0) > 0
