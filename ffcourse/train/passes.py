"""One pass over data: mini-batches from arrays or a loader, and averages that are fair to all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ffcourse.data import Dataset, batches
from ffcourse.nn.module import Array, Module
from ffcourse.train.checks import check_batches

Batches = Iterable[tuple[Array, Array]]


def as_arrays(data: Any) -> tuple[Array, Array] | None:
    """Return ``(X, y)`` if `data` is whole arrays; None if it is a loader of batches."""
    if isinstance(data, Dataset):
        return data.X, data.y
    return data if isinstance(data, tuple) and len(data) == 2 else None


def walk(data: Any, batch_size: int, rng: np.random.Generator | None) -> Batches:
    """Return the batches of one epoch; whole arrays are cut, and shuffled if there is an `rng`."""
    arrays = as_arrays(data)
    if arrays is not None:
        return batches(arrays[0], arrays[1], batch_size, rng)
    if isinstance(data, Iterator):
        raise TypeError(
            "expected a DataLoader or (X, y), which can be walked once per epoch; "
            f"got {type(data).__name__}, which is used up after one walk"
        )
    check_batches(data)
    loader: Batches = data
    return loader


def number_of_batches(data: Any, batch_size: int) -> int | None:
    """Count the batches of one epoch, if that can be known."""
    arrays = as_arrays(data)
    if arrays is not None:
        return math.ceil(len(arrays[0]) / batch_size)
    return len(data) if hasattr(data, "__len__") else None


def rows_of_batch(data: Any, batch_size: int) -> int:
    """Return how many rows a batch brings into a matrix product: its examples, or their tokens.

    A loader's own ``batch_size`` counts.
    """
    size = int(getattr(data, "batch_size", batch_size))
    arrays = as_arrays(data)
    X = np.asarray(getattr(data, "X", []) if arrays is None else arrays[0])
    features = 1 if X.dtype.kind == "f" else 0  # tokens, which are integers, have no such axis
    return size * math.prod(X.shape[1 : X.ndim - features])


class Means:
    """Means over mini-batches in which every example counts the same.

    The last batch is often smaller; without weights its examples would count for more.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, float] = {}

    def add(self, size: int, values: dict[str, float]) -> None:
        """Add the mean `values` of a batch of `size` examples."""
        self.count += size
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + size * float(value)

    def result(self, prefix: str = "") -> dict[str, float]:
        """Return the means; an epoch without batches is an error."""
        if self.count == 0:
            raise ValueError("there was no batch in this epoch; was the loader used up before?")
        return {prefix + name: total / self.count for name, total in self._sums.items()}


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Put `model` into evaluation mode, and back each of its layers as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
