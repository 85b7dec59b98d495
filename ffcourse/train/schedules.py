"""Learning-rate schedules: the learning rate as a function of how far training has come.

Each schedule is a formula, ``lr_at(t, base)``, so it can be drawn before it is used. ``t`` counts
calls of ``step()``: one per epoch or one per batch, as you like, but always the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ffcourse.train.checks import at_least, expect, not_negative
from ffcourse.train.optimizer import Optimizer


class Schedule:
    """Base class: sets ``lr`` of every parameter group, starting at once with that of t = 0.

    Parameters
    ----------
    optimizer : Optimizer
        The learning rates that it has now are the base that the formula scales.

    Attributes
    ----------
    last_epoch : int
        t, the number of calls of ``step()`` so far; named as in PyTorch.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        self.last_epoch = 0
        self.apply()

    def lr_at(self, t: int, base: float) -> float:
        """Learning rate after `t` steps of a group that began with `base`."""
        raise NotImplementedError(f"{type(self).__name__} has no formula")

    def apply(self) -> None:
        """Write the learning rates of the present t into the optimizer's groups."""
        for group in self.optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])  # a group may have been added since
            group["lr"] = self.lr_at(self.last_epoch, group["initial_lr"])

    def step(self) -> None:
        """Go one step on. Call it after ``optimizer.step()``."""
        self.last_epoch += 1
        self.apply()

    def get_last_lr(self) -> list[float]:
        """Return the present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def preview(self, steps: int) -> list[float]:
        """Return the learning rates of the first group for t = 0 ... steps - 1; changes nothing."""
        base = self.optimizer.param_groups[0]["initial_lr"]
        return [self.lr_at(t, base) for t in range(steps)]

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on; the base learning rates are in the optimizer's state."""
        return {"last_epoch": self.last_epoch}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the schedule that made `state_dict` stopped."""
        self.last_epoch = int(state_dict["last_epoch"])
        self.apply()

    def __repr__(self) -> str:
        hidden = ("optimizer", "last_epoch")
        options = [f"{name}={value}" for name, value in vars(self).items() if name not in hidden]
        return f"{type(self).__name__}({', '.join(options)}; t={self.last_epoch})"


class StepLR(Schedule):
    """Multiply by `gamma` every `step_size` steps: a staircase.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are the base.
    step_size : int
        How many steps a stair is long, at least 1.
    gamma : float
        Not negative; below 1 the stairs go down.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = at_least("step_size", step_size)
        self.gamma = not_negative("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, t: int, base: float) -> float:
        """Return ``base * gamma ** (t // step_size)``."""
        return base * self.gamma ** (t // self.step_size)


class ExponentialLR(Schedule):
    """Multiply by `gamma` at every step.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are the base.
    gamma : float
        Not negative; just below 1.
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = not_negative("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, t: int, base: float) -> float:
        """Return ``base * gamma ** t``."""
        return base * self.gamma**t


class CosineAnnealingLR(Schedule):
    """Fall along half a cosine, from the base to `eta_min` in `T_max` steps: slow, fast, slow.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are the base.
    T_max : int
        Steps down to the end, at least 1. After them the curve goes up again.
    eta_min : float
        The learning rate at the end, the same for all groups.

    Notes
    -----
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017),
    without the restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = at_least("T_max", T_max)
        self.eta_min = not_negative("eta_min", eta_min)
        super().__init__(optimizer)

    def lr_at(self, t: int, base: float) -> float:
        """Return ``eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2``."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class LinearLR(Schedule):
    """Go in a straight line from ``start_factor * base`` to ``end_factor * base``, and stay there.

    This is linear warm-up: it starts small and grows, since Adam's first estimates are poor and
    early gradients large. `SequentialLR` puts another schedule behind it.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are the base.
    start_factor, end_factor : float
        Where the line starts and ends, as factors of the base.
    total_iters : int
        Steps from start to end.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = expect(
            "start_factor", start_factor, "a number in (0, 1]", lambda v: 0 < v <= 1
        )
        self.end_factor = not_negative("end_factor", end_factor)
        self.total_iters = at_least("total_iters", total_iters)
        super().__init__(optimizer)

    def lr_at(self, t: int, base: float) -> float:
        """Return `base` times the height of the line."""
        way = min(t, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * way)


class SequentialLR(Schedule):
    """One schedule after another, each counting from its own start; so warm-up composes.

    Parameters
    ----------
    optimizer : Optimizer
        The one that all `schedulers` were made for.
    schedulers : sequence of Schedule
        In order, for instance ``[LinearLR(...), CosineAnnealingLR(...)]``.
    milestones : sequence of int
        Where the second, third ... begins; one fewer than schedulers.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[Schedule], milestones: Sequence[int]
    ) -> None:
        if not schedulers or not all(isinstance(s, Schedule) for s in schedulers):
            raise TypeError(f"schedulers: expected a list of schedules, got {list(schedulers)}")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"milestones: expected {len(schedulers) - 1} for {len(schedulers)} schedulers, "
                f"got {len(milestones)}"
            )
        for milestone in milestones:
            at_least("milestones", milestone, 0)
        if list(milestones) != sorted(milestones):
            raise ValueError(f"milestones: expected a growing sequence, got {list(milestones)}")
        if any(s.optimizer is not optimizer for s in schedulers):
            raise ValueError("schedulers: expected all of them to be made for this optimizer")
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        super().__init__(optimizer)

    def lr_at(self, t: int, base: float) -> float:
        """Ask the schedule whose turn it is."""
        turn = sum(t >= m for m in self.milestones)
        start = self.milestones[turn - 1] if turn else 0
        return self.schedulers[turn].lr_at(t - start, base)
