"""Checks of what a training is put together from: one clear sentence each, before it starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ffcourse.nn.module import Module


def expect(name: str, value: Any, wanted: str, fits: Callable[[float], bool]) -> float:
    """Return `value` if it is a number that `fits`; the error says what was `wanted`."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool) or not fits(value):
        raise ValueError(f"{name}: expected {wanted}, got {value!r}")
    result: float = value
    return result


def positive(name: str, value: Any) -> float:
    """Return `value` if it is a number above zero."""
    return expect(name, value, "a number above zero", lambda v: v > 0)


def not_negative(name: str, value: Any) -> float:
    """Return `value` if it is a finite number of at least zero."""
    return expect(name, value, "a number that is not negative", lambda v: 0 <= v < np.inf)


def at_least(name: str, value: Any, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`."""
    wanted = f"a whole number of at least {least}"
    return int(expect(name, value, wanted, lambda v: v >= least and not isinstance(v, float)))


def check_parts(model: Any, loss_fn: Any, optimizer: Any, scheduler: Any = None) -> None:
    """Raise unless these are a model, a loss, an optimizer and its own schedule, as objects."""
    parts = (
        ("model", model, isinstance(model, Module), "a Module, such as Sequential(...)"),
        ("loss_fn", loss_fn, callable(loss_fn) and hasattr(loss_fn, "backward"),
         "a loss, such as CrossEntropyLoss()"),
        ("optimizer", optimizer, hasattr(optimizer, "step") and hasattr(optimizer, "param_groups"),
         "an optimizer, such as SGD(model.parameters(), lr=0.1)"),
    )  # fmt: skip
    for name, part, fits, wanted in parts:
        if isinstance(part, type) or not fits:
            raise TypeError(f"{name}: expected {wanted}, got {_named(part)}")
    if scheduler is not None:
        if isinstance(scheduler, type) or not hasattr(scheduler, "step"):
            raise TypeError(
                f"scheduler: expected a schedule, such as StepLR(optimizer, 10), "
                f"got {_named(scheduler)}"
            )
        if getattr(scheduler, "optimizer", optimizer) is not optimizer:
            raise ValueError(
                "scheduler: it was made for another optimizer, whose learning rate it would "
                "change; make it for this one"
            )


def check_trains(model: Module, optimizer: Any) -> None:
    """Raise if not one parameter of the model is in the hands of the optimizer."""
    own = set(model.parameters())
    if not any(p in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            "optimizer: expected one made for this model, got one that holds none of its "
            "parameters, so nothing would be learned; make it anew with model.parameters()"
        )


def check_extras(metrics: Any, penalties: Any, callbacks: Any = ()) -> None:
    """Raise unless these are a dict of functions, a list of penalties and a list of callbacks."""
    if not isinstance(metrics, Mapping) or not all(callable(f) for f in metrics.values()):
        raise TypeError(
            'metrics: expected functions with their names, such as {"accuracy": train.accuracy}, '
            f"got {metrics!r}"
        )
    for name, items, method in (
        ("penalties", penalties, "backward"),
        ("callbacks", callbacks, "on_epoch_end"),
    ):
        if not isinstance(items, Sequence) or not all(
            hasattr(item, method) and not isinstance(item, type) for item in items
        ):
            raise TypeError(
                f"{name}: expected a list of {name}, also of a single one, got {items!r}"
            )


def check_batches(data: Any) -> None:
    """Raise unless `data`, which is not (X, y), can be a collection of (x, y) batches."""
    told = "expected (X, y), a Dataset or a DataLoader, which yields (x, y) batches"
    if isinstance(data, np.ndarray):
        raise TypeError(f"{told}; got an array of shape {data.shape} alone, without its answers")
    if not isinstance(data, Iterable):
        raise TypeError(f"{told}; got {data!r}")
    if isinstance(data, list | tuple):
        for batch in data:
            if not isinstance(batch, list | tuple) or len(batch) != 2:
                raise TypeError(f"{told}; got a {type(data).__name__} of {len(data)} parts, of "
                                f"which one is no (x, y) pair but {_named(batch)}")  # fmt: skip


def _named(part: Any) -> str:
    if isinstance(part, type):
        return f"the class {part.__name__}, not an object of it: the parentheses are missing"
    return type(part).__name__
