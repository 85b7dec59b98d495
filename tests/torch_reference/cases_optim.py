"""Optimizers and schedules: 50 steps of a small network under each."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.torch_reference.registry import case

STEPS = 50
SNAPSHOTS = (1, 2, 10, 50)

# name: (our class, PyTorch's class, options)
OPTIMIZERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "sgd": ("SGD", "SGD", {"lr": 0.1}),
    "sgd_decay": ("SGD", "SGD", {"lr": 0.1, "weight_decay": 0.05}),
    "sgd_momentum": ("SGD", "SGD", {"lr": 0.05, "momentum": 0.9}),
    "sgd_nesterov": (
        "SGD",
        "SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    ),
    "adagrad": ("AdaGrad", "Adagrad", {"lr": 0.1}),
    "adagrad_options": (
        "AdaGrad",
        "Adagrad",
        {
            "lr": 0.1,
            "lr_decay": 0.02,
            "weight_decay": 0.01,
            "initial_accumulator_value": 0.1,
            "eps": 1e-3,
        },
    ),
    "rmsprop": ("RMSProp", "RMSprop", {"lr": 0.01}),
    "rmsprop_momentum": (
        "RMSProp",
        "RMSprop",
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-3, "momentum": 0.7, "weight_decay": 0.01},
    ),
    "rmsprop_centered": ("RMSProp", "RMSprop", {"lr": 0.01, "centered": True, "eps": 1e-2}),
    "adam": ("Adam", "Adam", {"lr": 0.02}),
    "adam_options": (
        "Adam",
        "Adam",
        {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.05},
    ),
    "adamw": ("AdamW", "AdamW", {"lr": 0.02}),
    "adamw_decay": ("AdamW", "AdamW", {"lr": 0.02, "weight_decay": 0.3}),
}
# name: (class, options); each on SGD with momentum 0.9 and two groups
SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "step_lr": ("StepLR", {"step_size": 7, "gamma": 0.5}),
    "exponential_lr": ("ExponentialLR", {"gamma": 0.93}),
    "cosine_lr": ("CosineAnnealingLR", {"T_max": 40, "eta_min": 1e-3}),
    "linear_lr": ("LinearLR", {"start_factor": 0.1, "total_iters": 12}),
    "one_cycle": ("OneCycleLR", {"max_lr": 0.1, "total_steps": STEPS + 1}),
    "one_cycle_options": (
        "OneCycleLR",
        {
            "max_lr": 0.1,
            "total_steps": STEPS + 7,
            "pct_start": 0.4,
            "div_factor": 10.0,
            "final_div_factor": 50.0,
            "base_momentum": 0.7,
            "max_momentum": 0.9,
        },
    ),
    "warm_up_then_cosine": ("SequentialLR", {}),
}
GROUP_OPTIONS = ({"lr": 0.05}, {"lr": 0.01, "weight_decay": 0.1})


class Problem:
    """Fit 6 points with 3-4-2 tanh units; small, but not quadratic."""

    def __init__(self, torch: Any, rng: np.random.Generator, dtype: str) -> None:
        self.torch, kind = torch, getattr(torch, dtype)

        def draw(*shape: int) -> Any:
            return torch.from_numpy(rng.normal(size=shape)).to(kind)

        self.x, self.y = draw(6, 3), draw(6, 2)
        self.params = [torch.nn.Parameter(draw(*s)) for s in ((3, 4), (4,), (4, 2), (2,))]
        self.out: dict[str, Any] = {"x": self.x, "y": self.y}
        self.keep("start")

    def keep(self, when: str) -> None:
        """Store the parameters as they are now."""
        self.out |= {f"{when}.{i}": p.detach().clone() for i, p in enumerate(self.params)}

    def run(self, optimizer: Any, after_step: Any = None, trained: Any = None) -> dict[str, Any]:
        """Train; `trained(step)` says from which parameter on gradients are computed."""
        W1, b1, W2, b2 = self.params
        losses = []
        for i in range(1, STEPS + 1):
            if trained is not None:
                for k, p in enumerate(self.params):
                    p.requires_grad_(k >= trained(i))
            optimizer.zero_grad()
            output = self.torch.tanh(self.x @ W1 + b1) @ W2 + b2
            loss = ((output - self.y) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if i in SNAPSHOTS:
                self.keep(str(i))
            if after_step is not None:
                after_step()
        return {**self.out, "losses": np.array(losses)}


def _optimizer(name: str) -> None:
    _, theirs, options = OPTIMIZERS[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        problem = Problem(torch, rng, dtype)
        return problem.run(getattr(torch.optim, theirs)(problem.params, **options))


def _schedule(name: str) -> None:
    kind, options = SCHEDULES[name]

    @case(name)
    def make(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
        problem = Problem(torch, rng, dtype)
        groups = [
            {"params": problem.params[2 * i : 2 * i + 2], **g} for i, g in enumerate(GROUP_OPTIONS)
        ]
        optimizer = torch.optim.SGD(groups, momentum=0.9)
        lr = torch.optim.lr_scheduler
        if kind == "SequentialLR":
            warm_up = lr.LinearLR(optimizer, start_factor=0.05, total_iters=8)
            then = lr.CosineAnnealingLR(optimizer, T_max=30)
            last = lr.ExponentialLR(optimizer, gamma=0.9)
            schedule = lr.SequentialLR(optimizer, [warm_up, then, last], milestones=[8, 30])
        else:
            schedule = getattr(lr, kind)(optimizer, **options)
        rates: list[list[float]] = []

        def after_step() -> None:
            rates.append([g[key] for g in optimizer.param_groups for key in ("lr", "momentum")])
            schedule.step()

        out = problem.run(optimizer, after_step)
        return {**out, "rates": np.array(rates)}


for _name in OPTIMIZERS:
    _optimizer(_name)
for _name in SCHEDULES:
    _schedule(_name)


@case("unfreezing")
def unfreezing(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    """The second layer trains alone, then both, then the second alone again."""
    problem = Problem(torch, rng, dtype)
    optimizer = torch.optim.AdamW(problem.params, lr=0.02, weight_decay=0.1)
    return problem.run(optimizer, trained=lambda i: 0 if 8 < i <= 30 else 2)


@case("clipping")
def clipping(torch: Any, rng: np.random.Generator, dtype: str) -> dict[str, Any]:
    """Gradients that are longer than allowed, and the same ones cut by value."""
    out: dict[str, Any] = {}
    shapes = ((3, 4), (5,), (1, 2, 2))
    grads = [rng.normal(size=s).astype(dtype) * 10.0**i for i, s in enumerate(shapes)]
    for how in ("norm", "value", "not"):
        params = [torch.nn.Parameter(torch.zeros(s, dtype=getattr(torch, dtype))) for s in shapes]
        for p, g in zip(params, grads, strict=True):
            p.grad = torch.from_numpy(g.astype(dtype))
        if how == "value":
            torch.nn.utils.clip_grad_value_(params, 0.5)
        else:
            limit = 2.5 if how == "norm" else 1e4
            out[f"{how}.total"] = torch.nn.utils.clip_grad_norm_(params, limit)
        out |= {f"{how}.{i}": p.grad.clone() for i, p in enumerate(params)}
    return {**out, **{f"grad.{i}": g.astype(dtype) for i, g in enumerate(grads)}}
