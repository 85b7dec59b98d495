"""Schedules: equal to PyTorch's, and composable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import train
from ffcourse.nn import Parameter
from tests.nn_checks import assert_parity
from tests.test_train_optimizers import Problem
from tests.torch_reference import cases_optim, registry


def sgd(lr: float = 0.5, momentum: float = 0.9) -> train.SGD:
    return train.SGD([Parameter(np.zeros(1))], lr=lr, momentum=momentum)


def build(name: str, optimizer: train.Optimizer) -> train.Schedule:
    kind, options = cases_optim.SCHEDULES[name]
    if kind == "SequentialLR":
        warm_up = train.LinearLR(optimizer, start_factor=0.05, total_iters=8)
        then = train.CosineAnnealingLR(optimizer, T_max=30)
        last = train.ExponentialLR(optimizer, gamma=0.9)
        return train.SequentialLR(optimizer, [warm_up, then, last], milestones=[8, 30])
    return getattr(train, kind)(optimizer, **options)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", cases_optim.SCHEDULES)
def test_50_steps_are_pytorchs(name: str, dtype: str) -> None:
    reference = registry.reference("optim", name, dtype)
    problem = Problem(reference)
    groups = [
        {"params": problem.params[2 * i : 2 * i + 2], **g}
        for i, g in enumerate(cases_optim.GROUP_OPTIONS)
    ]
    optimizer = train.SGD(groups, momentum=0.9)
    schedule = build(name, optimizer)
    for i, expected in enumerate(reference["rates"], start=1):
        rates = [g[key] for g in optimizer.param_groups for key in ("lr", "momentum")]
        assert_parity(np.array(rates), expected, "float64", f"step {i}")
        assert schedule.get_last_lr() == rates[::2]
        problem.step(optimizer)
        problem.check(i, dtype)
        schedule.step()


@pytest.mark.parametrize("name", cases_optim.SCHEDULES)
def test_preview_tells_what_will_come(name: str) -> None:
    optimizer = sgd()
    schedule = build(name, optimizer)
    seen = []
    told = schedule.preview(20)
    for _ in range(20):
        seen.append(schedule.get_last_lr()[0])
        schedule.step()
    assert told == seen


@pytest.mark.parametrize("name", cases_optim.SCHEDULES)
def test_state_goes_to_another_schedule(name: str) -> None:
    first, second = sgd(), sgd()
    ours, theirs = build(name, first), build(name, second)
    for _ in range(11):
        ours.step()
    second.load_state_dict(first.state_dict())
    theirs.load_state_dict(ours.state_dict())
    for _ in range(5):
        assert first.param_groups[0]["lr"] == second.param_groups[0]["lr"]
        assert first.param_groups[0]["momentum"] == second.param_groups[0]["momentum"]
        ours.step()
        theirs.step()


def test_loading_a_schedule_sets_the_rate_at_once() -> None:
    optimizer = sgd()
    schedule = train.ExponentialLR(optimizer, 0.5)
    base = optimizer.param_groups[0]["initial_lr"]
    schedule.load_state_dict({"last_epoch": 3})
    assert schedule.get_last_lr()[0] == optimizer.param_groups[0]["lr"] == base / 8


@settings(deadline=None)
@given(base=st.floats(1e-4, 10), steps=st.integers(1, 50), t=st.integers(0, 100))
def test_warm_up_starts_small_and_never_falls(base: float, steps: int, t: int) -> None:
    schedule = train.LinearLR(sgd(base), start_factor=0.1, total_iters=steps)
    rates = schedule.preview(100)
    assert rates[0] == pytest.approx(0.1 * base)
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(base)
    assert schedule.lr_at(t + steps, base) == pytest.approx(base)


def test_one_cycle_moves_the_first_beta_of_adam() -> None:
    optimizer = train.Adam([Parameter(np.zeros(1))], betas=(0.5, 0.999))
    schedule = train.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    seen = []
    for _ in range(10):
        seen.append(optimizer.param_groups[0]["betas"])
        schedule.step()
    assert seen[0] == pytest.approx((0.95, 0.999))
    assert seen[2] == pytest.approx((0.85, 0.999))
    assert seen[9] == pytest.approx((0.95, 0.999))


def test_one_cycle_can_leave_the_momentum_alone() -> None:
    optimizer = sgd(momentum=0.0)
    train.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, cycle_momentum=False).step()
    assert optimizer.param_groups[0]["momentum"] == 0.0


def test_one_cycle_may_rise_in_a_single_step() -> None:
    schedule = train.OneCycleLR(sgd(), max_lr=2.0, total_steps=10, pct_start=0.2)
    schedule.step()
    assert schedule.get_last_lr() == [2.0]


def test_one_cycle_ends() -> None:
    schedule = train.OneCycleLR(sgd(), max_lr=1.0, total_steps=10)
    for _ in range(9):
        schedule.step()
    end = schedule.get_last_lr()[0]
    assert end == pytest.approx(1 / 25 / 1e4)
    schedule.step()  # what the loop does after the last batch
    assert schedule.get_last_lr()[0] == end
    with pytest.raises(ValueError, match="step 11 of 10; total_steps must be"):
        schedule.step()


def test_a_group_that_joins_later_has_its_own_base() -> None:
    optimizer = sgd(1.0)
    schedule = train.ExponentialLR(optimizer, gamma=0.5)
    schedule.step()
    optimizer.add_param_group({"params": [Parameter(np.zeros(1))], "lr": 8.0})
    schedule.step()
    assert schedule.get_last_lr() == [0.25, 2.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: train.StepLR(o, 0), "step_size: expected a whole number of at least 1, got 0"),
        (lambda o: train.CosineAnnealingLR(o, 0), "T_max: expected"),
        (lambda o: train.LinearLR(o, total_iters=0), "total_iters: expected"),
        (lambda o: train.LinearLR(o, start_factor=0.0), "start_factor: expected"),
        (lambda o: train.LinearLR(o, start_factor=1.1), "start_factor: expected"),
        (lambda o: train.OneCycleLR(o, 1.0, 0), "total_steps: expected"),
        (lambda o: train.OneCycleLR(o, 1.0, 3), "pct_start: 0.3 of 3 steps leaves none"),
        (lambda o: train.OneCycleLR(o, 1.0, 10, pct_start=0.1), "leaves none to rise in"),
        (lambda o: train.OneCycleLR(o, 1.0, 9, pct_start=1.0), "pct_start: expected"),
        (lambda o: train.OneCycleLR(o, 1.0, 9, pct_start=0.0), "pct_start: expected"),
        (lambda o: train.OneCycleLR(sgd(momentum=0.0), 1.0, 9), "cycle_momentum: expected"),
        (
            lambda o: train.OneCycleLR(train.AdaGrad([Parameter(np.zeros(1))]), 1.0, 9),
            "cycle_momentum: expected",
        ),
        (lambda o: train.ExponentialLR("SGD", 0.9), "optimizer: expected an Optimizer, got str"),
        (
            lambda o: train.SequentialLR(o, [train.ExponentialLR(o, 0.9)], [3]),
            "milestones: expected 0 for 1 schedulers, got 1",
        ),
        (
            lambda o: train.SequentialLR(o, [train.ExponentialLR(o, 0.9)] * 3, [5, 3]),
            "milestones: expected a growing sequence",
        ),
        (
            lambda o: train.SequentialLR(o, [train.ExponentialLR(sgd(), 0.9)], []),
            "schedulers: expected all of them",
        ),
        (lambda o: train.Schedule(o), "Schedule has no formula"),
    ],
)
def test_bad_arguments_are_named(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        make(sgd())


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (lambda o: train.StepLR(o, 3), lambda o: train.StepLR(o, 3, gamma=0.1)),
        (
            lambda o: train.CosineAnnealingLR(o, 9),
            lambda o: train.CosineAnnealingLR(o, 9, eta_min=0),
        ),
        (
            lambda o: train.LinearLR(o),
            lambda o: train.LinearLR(o, start_factor=1 / 3, end_factor=1.0, total_iters=5),
        ),
        (
            lambda o: train.OneCycleLR(o, 2.0, 19),
            lambda o: train.OneCycleLR(
                o,
                2.0,
                19,
                pct_start=0.3,
                div_factor=25.0,
                final_div_factor=1e4,
                cycle_momentum=True,
                base_momentum=0.85,
                max_momentum=0.95,
            ),
        ),
    ],
)
def test_defaults(short: Any, long: Any) -> None:
    """The long forms spell PyTorch's defaults out."""
    a, b = sgd(), sgd()
    one, other = short(a), long(b)
    for _ in range(15):
        assert a.param_groups[0]["lr"] == b.param_groups[0]["lr"]
        assert a.param_groups[0]["momentum"] == b.param_groups[0]["momentum"]
        one.step()
        other.step()
