"""Optimizers: equal to PyTorch over 50 steps, whatever the cut; groups, freezing, state."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse import nn, train
from ffcourse.nn import Parameter
from ffcourse.train import pieces
from tests.nn_checks import assert_parity
from tests.torch_reference import cases_optim, registry

ALL = list(cases_optim.OPTIMIZERS)


def build(name: str, params: Any) -> train.Optimizer:
    kind, _, options = cases_optim.OPTIMIZERS[name]
    return getattr(train, kind)(params, **options)


class Problem:
    """The network of the stored references."""

    def __init__(self, reference: dict[str, np.ndarray]) -> None:
        self.reference = reference
        dtype = reference["x"].dtype
        self.model = nn.Sequential(
            nn.Linear(3, 4, dtype=dtype), nn.Tanh(), nn.Linear(4, 2, dtype=dtype)
        )
        self.params = self.ordered()
        for i, p in enumerate(self.params):
            p.data[...] = reference[f"start.{i}"]
        self.loss_fn = nn.MSELoss()

    def ordered(self) -> list[Parameter]:
        named = dict(self.model.named_parameters())
        return [named[f"{i}.{kind}"] for i in (0, 2) for kind in ("weight", "bias")]

    def step(self, optimizer: train.Optimizer) -> float:
        loss = self.loss_fn(self.model(self.reference["x"]), self.reference["y"])
        self.model.zero_grad()
        self.model.backward(self.loss_fn.backward())
        optimizer.step()
        return loss

    def check(self, when: int, dtype: str) -> None:
        for i, p in enumerate(self.params):
            if f"{when}.{i}" in self.reference:
                assert_parity(p.data, self.reference[f"{when}.{i}"], dtype, f"{when}.{i}")


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("name", ALL)
def test_50_steps_are_pytorchs(name: str, dtype: str) -> None:
    problem = Problem(registry.reference("optim", name, dtype))
    optimizer = build(name, problem.params)
    losses = []
    for i in range(1, cases_optim.STEPS + 1):
        losses.append(problem.step(optimizer))
        problem.check(i, dtype)
    assert_parity(np.array(losses), problem.reference["losses"], dtype, "losses")


@pytest.mark.parametrize("dtype", registry.DTYPES)
def test_unfreezing_is_pytorchs(dtype: str) -> None:
    problem = Problem(registry.reference("optim", "unfreezing", dtype))
    optimizer = train.AdamW(problem.params, lr=0.02, weight_decay=0.1)
    for i in range(1, cases_optim.STEPS + 1):
        first = problem.model[0]
        first.unfreeze() if 8 < i <= 30 else first.freeze()
        problem.step(optimizer)
        problem.check(i, dtype)


def random_parameters(rng: np.random.Generator, dtype: Any = np.float64) -> list[Parameter]:
    shapes: list[tuple[int, ...]] = [(7, 5), (5,), (), (1, 30), (4, 2, 3), (6, 6)]
    return [Parameter(rng.normal(size=s).astype(dtype)) for s in shapes]


def run(optimizer: train.Optimizer, params: list[Parameter], seed: int, steps: int = 4) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for p in params:
            p.grad = np.asarray(rng.normal(size=p.shape), dtype=p.data.dtype)
        optimizer.step()


@pytest.mark.parametrize("name", ALL)
@given(piece=st.integers(1, 100), seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_the_cut_into_pieces_changes_nothing(name: str, piece: int, seed: int) -> None:
    whole, cut = (random_parameters(np.random.default_rng(seed), np.float32) for _ in "ab")
    run(build(name, whole), whole, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", piece)
        run(build(name, cut), cut, seed)
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_left_as_they_were(name: str) -> None:
    rng = np.random.default_rng(0)
    params = random_parameters(rng)
    grads = [rng.normal(size=p.shape) for p in params]
    for piece in (8, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pieces, "PIECE", piece)
            for p, g in zip(params, grads, strict=True):
                p.grad = np.array(g)
            build(name, params).step()
        for p, g in zip(params, grads, strict=True):
            np.testing.assert_array_equal(p.grad, g)


def test_memory_layout_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    value, grad = rng.normal(size=(6, 8)), rng.normal(size=(6, 8))
    plain, turned = Parameter(value.copy()), Parameter(np.asfortranarray(value))
    plain.grad, turned.grad = grad.copy(), np.asfortranarray(grad)
    for piece in (8, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pieces, "PIECE", piece)
            for p in (plain, turned):
                train.Adam([p], weight_decay=0.1).step()
    np.testing.assert_array_equal(plain.data, turned.data)
    assert not np.array_equal(plain.data, value)


@pytest.mark.parametrize("name", ALL)
def test_parameters_without_gradient_or_frozen_stay(name: str) -> None:
    params = random_parameters(np.random.default_rng(0))
    before = [p.data.copy() for p in params]
    params[1].requires_grad = False
    optimizer = build(name, params)
    for p in params[1:]:
        p.grad = np.ones_like(p.data)
    optimizer.step()
    for i, (p, old) in enumerate(zip(params, before, strict=True)):
        assert np.array_equal(p.data, old) == (i < 2)
    params[0].grad = np.ones_like(params[0].data)
    optimizer.step()
    assert not np.array_equal(params[0].data, before[0])


@pytest.mark.parametrize("name", ["sgd_nesterov", "adam", "adamw_decay", "rmsprop_centered"])
def test_after_the_first_step_nothing_is_allocated(name: str) -> None:
    rng = np.random.default_rng(0)
    params = [
        Parameter(rng.normal(size=s).astype(np.float32)) for s in ((300, 300), (300,), (9, 9))
    ]
    for p in params:
        p.grad = np.ones_like(p.data)
    optimizer = build(name, params)
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        tracemalloc.reset_peak()
        now = tracemalloc.get_traced_memory()[0]
        optimizer.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - now < 10_000  # bytes; the parameters have 360,000


def test_groups_have_their_own_options() -> None:
    a, b = Parameter(np.ones(3)), Parameter(np.ones(3))
    optimizer = train.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    a.grad, b.grad = np.ones(3), np.ones(3)
    optimizer.step()
    np.testing.assert_allclose(a.data, 0.9)
    np.testing.assert_allclose(b.data, 0.5)
    c = Parameter(np.ones(2))
    optimizer.add_param_group({"params": [c], "lr": 2.0, "weight_decay": 1.0})
    c.grad = np.ones(2)
    optimizer.step()
    np.testing.assert_allclose(c.data, -3.0)
    assert "group 2: 1 parameters, lr=2.0" in repr(optimizer)


def test_a_tied_weight_is_updated_once() -> None:
    p = Parameter(np.zeros(2))
    p.grad = np.ones(2)
    train.SGD([p, p], lr=1.0).step()
    np.testing.assert_array_equal(p.data, [-1, -1])


def test_options_may_change_between_steps() -> None:
    p, q = Parameter(np.zeros(1)), Parameter(np.zeros(1))
    optimizer, other = train.SGD([p], lr=1.0), train.SGD([q], lr=1.0, momentum=0.5)
    p.grad, q.grad = np.ones(1), np.ones(1)
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.5
    for o in (optimizer, optimizer, other, other, other):
        o.step()
    np.testing.assert_allclose(p.data, [-1 - 1 - 1.5])
    np.testing.assert_allclose(q.data, [-1 - 1.5 - 1.75])


def test_zero_grad_forgets() -> None:
    p = Parameter(np.zeros(1))
    p.grad = np.ones(1)
    train.SGD([p]).zero_grad()
    assert p.grad is None


@pytest.mark.parametrize("name", ALL)
def test_state_goes_to_another_optimizer_to_the_bit(name: str) -> None:
    rng = np.random.default_rng(3)
    ours = random_parameters(rng, np.float32)
    first = build(name, ours)
    run(first, ours, seed=1)
    theirs = [Parameter(p.data.copy()) for p in ours]
    saved = first.state_dict()
    copy = {i: {k: np.copy(v) for k, v in s.items()} for i, s in saved["state"].items()}
    second = build(name, theirs)
    second.load_state_dict(saved)
    run(first, ours, seed=2)
    run(second, theirs, seed=2)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
    for i, state in copy.items():  # what was saved is a copy, and stays
        for key, value in state.items():
            np.testing.assert_array_equal(saved["state"][i][key], value)


@pytest.mark.torch
@pytest.mark.parametrize("name", ALL)
def test_state_has_pytorchs_layout(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    _, theirs, options = cases_optim.OPTIMIZERS[name]
    rng = np.random.default_rng(0)
    params = random_parameters(rng)
    copies = [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in params]
    ours, torchs = build(name, params), getattr(torch.optim, theirs)(copies, **options)
    run(ours, params, seed=5)
    rng = np.random.default_rng(5)
    for _ in range(4):
        for p in copies:
            p.grad = torch.from_numpy(np.asarray(rng.normal(size=tuple(p.shape))))
        torchs.step()
    state, expected = ours.state_dict()["state"], torchs.state_dict()["state"]
    for i, arrays in expected.items():
        for key, value in arrays.items():
            np.testing.assert_allclose(state[i][key], np.asarray(value), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: train.SGD([]), "params: expected at least one Parameter"),
        (lambda p: train.SGD([np.ones(2)]), "expected Parameter objects, got ndarray"),
        (lambda p: train.SGD([p], lr=-1), "lr: expected a number that is not negative, got -1"),
        (lambda p: train.SGD([p], lr=float("nan")), "lr: expected"),
        (lambda p: train.SGD([p], momentum=1.0), r"momentum: expected a number in \[0, 1\)"),
        (lambda p: train.SGD([p], nesterov=True), "nesterov: expected momentum > 0"),
        (lambda p: train.SGD([p], weight_decay=-0.1), "weight_decay: expected"),
        (lambda p: train.Adam([p], betas=(0.9, 1.0)), r"betas: expected two numbers in \[0, 1\)"),
        (lambda p: train.Adam([p], betas=(-0.1, 0.9)), "betas: expected"),
        (lambda p: train.Adam([p], eps=-1e-8), "eps: expected"),
        (lambda p: train.RMSProp([p], alpha=1.5), "alpha: expected"),
        (lambda p: train.AdaGrad([p], lr_decay=-1), "lr_decay: expected"),
        (lambda p: train.AdaGrad([p], initial_accumulator_value=-1), "initial_accumulator_value"),
        (lambda p: train.SGD([{"params": [p], "beta": 1}]), "SGD has no option 'beta'"),
        (lambda p: train.SGD([{"params": [p]}, {"params": [p]}]), "stands in two groups"),
    ],
)
def test_bad_arguments_are_named(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make(Parameter(np.ones(2)))


def test_centered_rmsprop_remembers_the_mean_gradient_with_its_sign() -> None:
    p = Parameter(np.ones(2))
    optimizer = train.RMSProp([p], alpha=0.75, centered=True)
    p.grad = np.array([4.0, -8.0])
    optimizer.step()
    np.testing.assert_allclose(optimizer.state_dict()["state"][0]["grad_avg"], [1.0, -2.0])


def test_the_edges_of_what_is_allowed() -> None:
    p = Parameter(np.ones(2))
    train.Adam([p], lr=0, betas=(0.0, 0.0), eps=0, weight_decay=0)
    train.SGD([p], momentum=0)
    train.RMSProp([p], alpha=0)


def test_state_of_another_model_is_refused() -> None:
    small = train.Adam([Parameter(np.ones(2))])
    large = train.Adam([Parameter(np.ones(2)), Parameter(np.ones(3))])
    with pytest.raises(ValueError, match=r"expected \[1\] parameters per group, got \[2\]"):
        small.load_state_dict(large.state_dict())
    p = Parameter(np.ones(3))
    p.grad = np.ones(3)
    other = train.Adam([p])
    other.step()
    with pytest.raises(ValueError, match=r"state 0, exp_avg: expected shape \(2,\), got \(3,\)"):
        small.load_state_dict(other.state_dict())


def test_the_base_class_has_no_rule() -> None:
    p = Parameter(np.ones(1))
    p.grad = np.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer has no rule"):
        train.Optimizer([p], {"lr": 0.1, "weight_decay": 0.0}).step()


DEFAULTS = {
    "SGD": {"lr": 1e-3, "momentum": 0, "nesterov": False, "weight_decay": 0},
    "AdaGrad": {
        "lr": 1e-2,
        "lr_decay": 0,
        "weight_decay": 0,
        "initial_accumulator_value": 0,
        "eps": 1e-10,
    },
    "RMSProp": {
        "lr": 1e-2,
        "alpha": 0.99,
        "eps": 1e-8,
        "weight_decay": 0,
        "momentum": 0,
        "centered": False,
    },
    "Adam": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0},
    "AdamW": {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2},
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults(kind: str) -> None:
    group = getattr(train, kind)([Parameter(np.ones(1))]).param_groups[0]
    assert {k: v for k, v in group.items() if k != "params"} == DEFAULTS[kind]


@pytest.mark.torch
@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults_are_pytorchs(kind: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = getattr(torch.optim, {"AdaGrad": "Adagrad", "RMSProp": "RMSprop"}.get(kind, kind))
    defaults = theirs([torch.nn.Parameter(torch.ones(1))]).defaults
    assert {name: defaults[name] for name in DEFAULTS[kind]} == DEFAULTS[kind]


@given(
    sizes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=8),
    limit=st.integers(1, 30),
)
@settings(max_examples=50, deadline=None)
def test_pieces_hold_every_number_once_and_are_no_longer_than_allowed(
    sizes: list[tuple[int, int]], limit: int
) -> None:
    params = [Parameter(np.zeros(s)) for s in sizes]
    state = {p: {"m": np.full(p.shape, float(i))} for i, p in enumerate(params)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", limit)
        made = pieces.make_pieces(params, state)
    for piece in made:
        rows = [s.step.size // len(s.step) for s in piece.slots if s.rows is not None]
        assert 0 < len(piece.step) <= max([limit, *rows])
        if rows and piece.slots[0].rows.stop < len(piece.slots[0].parameter.data):
            assert len(piece.step) + rows[0] > limit  # as many rows as may be
        assert piece.step.shape == piece.spare.shape == piece.state["m"].shape
        for slot in piece.slots:
            slot.parameter.data[slot.rows if slot.rows else ...] += 1
            slot.step[...] = 7
        assert (piece.step == 7).all()
    for before, after in itertools.pairwise(made):  # as few as can be
        if all(s.rows is None for s in (*before.slots, *after.slots)):
            assert len(before.step) + after.slots[0].step.size > limit
    for i, p in enumerate(params):
        np.testing.assert_array_equal(p.data, 1)
        np.testing.assert_array_equal(state[p]["m"], i)
    for piece in made:
        piece.state["m"] += 100
    for i, p in enumerate(params):
        np.testing.assert_array_equal(state[p]["m"], 100 + i)
