"""What is measured: the rows of the table, and how each contender's step is built."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from tests.benchmarks import mlp
from tests.benchmarks.timing import Step

CONTENDERS = ("ours", "pytorch", "sklearn", "bare")
SIZES = {
    "MLP 64-32-10, batch 32": ([64, 32, 10], 32),
    "MLP 64-128-64-10, batch 64": ([64, 128, 64, 10], 64),
    "MLP 64-512-512-10, batch 128": ([64, 512, 512, 10], 128),
    "MLP 64-1024x3-10, batch 256": ([64, 1024, 1024, 1024, 10], 256),
}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    name : str
        Model, batch and optimizer.
    steps : dict of str to function
        For each contender, what builds its training step.
    goal : float
        How many times faster than PyTorch it should be.
    products : function or None
        Builds the matrix products of our step alone, for the wide rows.
    largest : int
        Multiplications in the largest of our matrix products.
    """

    name: str
    steps: dict[str, Callable[[], Step]]
    goal: float = 1.0
    products: Callable[[], Step] | None = None
    largest: int = 0

    @property
    def shared(self) -> bool:
        """Whether ``Trainer.fit`` would let threads share our matrix products."""
        from ffcourse.train.threads import WORTH_SHARING  # not in the other contenders' processes

        return self.largest >= WORTH_SHARING


def all_rows() -> list[Row]:
    """List the rows: MLPs with two optimizers, then the models of `models_seq`."""
    rows = []
    for name, (sizes, size) in SIZES.items():
        for optimizer in ("sgd", "adam"):
            steps = {c: partial(getattr(mlp, c), sizes, size, optimizer) for c in CONTENDERS}
            goal = 3.0 if max(sizes[1:]) <= 128 else 1.0
            products = partial(mlp.products, sizes, size) if max(sizes) >= 512 else None
            largest = size * max(a * b for a, b in pairwise(sizes))
            rows.append(Row(f"{name}, {optimizer}", steps, goal, products, largest))
    return rows + [Row(**row) for row in _sequence_rows()]


def _sequence_rows() -> list[dict[str, Any]]:
    if importlib.util.find_spec("tests.benchmarks.models_seq") is None:
        return []
    from tests.benchmarks import models_seq

    return list(models_seq.rows())
