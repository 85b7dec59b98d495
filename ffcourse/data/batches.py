"""Mini-batches: the same shuffle for inputs and answers, a new one each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ffcourse.data.check import Array, Rng, as_rng, as_rows, same_length, whole


def batches(
    X: Any,
    y: Any,
    batch_size: int = 32,
    rng: Rng = None,
    drop_last: bool = False,
) -> Iterator[tuple[Array, Array]]:
    """Yield ``(X_batch, y_batch)`` pairs that cover every example exactly once.

    Call it again for each epoch: with the same generator as `rng`, each call shuffles anew.

    Parameters
    ----------
    X : array_like, shape (N, ...)
        Inputs.
    y : array_like, shape (N, ...)
        Answers; rows are shuffled together with those of `X`.
    batch_size : int
        Rows in a batch; the last batch may be smaller.
    rng : Generator, int or None
        None keeps the order of the rows, which is right for evaluation. An integer seed gives
        the same order at every call, so training wants a generator.
    drop_last : bool
        Leave out a last batch that is smaller than `batch_size`.

    Raises
    ------
    ValueError
        Empty input, different lengths, a batch size under 1, or no batch left by `drop_last`.
    """
    X, y = as_rows(X, "X"), as_rows(y, "y")
    same_length(X, y)
    whole(batch_size, "batch_size")
    if drop_last and batch_size > len(X):
        raise ValueError(
            f"drop_last=True leaves no batch: batch_size is {batch_size}, X has {len(X)} rows."
        )
    order = None if rng is None else as_rng(rng).permutation(len(X))
    # Checked above and not in the generator, so that a mistake is told at the call.
    return _walk(X, y, batch_size, order, drop_last)


def _walk(
    X: Array, y: Array, size: int, order: Array | None, drop_last: bool
) -> Iterator[tuple[Array, Array]]:
    stop = len(X) - len(X) % size if drop_last else len(X)
    for start in range(0, stop, size):
        end = min(start + size, stop)
        rows: Any = slice(start, end) if order is None else order[start:end]
        yield X[rows], y[rows]


class DataLoader:
    """A collection of mini-batches that can be walked again and again, once per epoch.

    Parameters
    ----------
    X, y : array_like, shape (N, ...)
        Inputs and answers.
    batch_size : int
        Rows in a batch.
    shuffle : bool
        True draws a new order each epoch.
    rng : Generator, int or None
        Where the orders come from. An integer seeds one generator for all epochs.
    drop_last : bool
        Leave out a last, smaller batch.

    Examples
    --------
    >>> loader = DataLoader(np.eye(5), np.arange(5), batch_size=2, shuffle=False)
    >>> [len(y_batch) for _, y_batch in loader]
    [2, 2, 1]
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        batch_size: int = 32,
        *,
        shuffle: bool = True,
        rng: Rng = None,
        drop_last: bool = False,
    ) -> None:
        self.X, self.y = as_rows(X, "X"), as_rows(y, "y")
        same_length(self.X, self.y)
        self.batch_size = whole(batch_size, "batch_size")
        self.rng = as_rng(rng) if shuffle else None
        self.drop_last = drop_last
        self._refuse_no_batch()

    def _refuse_no_batch(self) -> None:
        batches(self.X, self.y, self.batch_size, None, self.drop_last)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return batches(self.X, self.y, self.batch_size, self.rng, self.drop_last)

    def __len__(self) -> int:
        """Count the batches of one epoch."""
        full, rest = divmod(len(self.X), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __repr__(self) -> str:
        shuffled = "shuffled" if self.rng is not None else "in order"
        return f"DataLoader({len(self)} batches of {self.batch_size}, {shuffled}, N={len(self.X)})"
