"""How an optimizer cuts the parameters into pieces, so that a step is quick.

Every update rule of this package is elementwise: what happens to one weight depends on that weight,
its gradient and its own state alone. So it does not matter for the result how the numbers are cut
into arrays, and they can be cut for speed. Small parameters are packed into one vector, because a
call of NumPy costs more than the arithmetic on a bias of ten numbers. Large ones are walked through
some rows at a time, so that the ten passes that Adam makes over each number stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ffcourse.nn.module import Array, Parameter

PIECE = 32_768  # numbers in a piece at most, a row being the smallest cut; 128 kB in float32

Cut = list[tuple[Parameter, slice | None]]
State = dict[Parameter, dict[str, Array]]


class Slot(NamedTuple):
    """One parameter, or some of its rows, and the place of its numbers in the working arrays."""

    parameter: Parameter
    rows: slice | None  # None: the whole parameter
    step: Array  # its part of ``Piece.step``, in its own shape
    spare: Array  # its part of ``Piece.spare``, in its own shape


class Piece(NamedTuple):
    """What one call of an update rule works on: vectors of one length."""

    slots: list[Slot]
    step: Array  # what the rule writes: the step to subtract from the weights
    spare: Array  # room for intermediate results
    state: dict[str, Array]  # what the rule remembers of these numbers from step to step


def make_pieces(params: Sequence[Parameter], state: State) -> list[Piece]:
    """Cut `params`, all of one dtype, and lay their state out to match.

    The arrays in `state` are replaced by views of the packed ones, with equal values.

    Raises
    ------
    ValueError
        If a gradient does not have the shape of its parameter: assignment would stretch it.
    """
    for p in params:
        if p.grad is not None and np.shape(p.grad) != p.shape:
            raise ValueError(
                f"grad: expected the shape of its parameter, {p.shape}, got {np.shape(p.grad)}"
            )
    cuts = list(_cuts(params))
    longest = max(sum(_size(p, rows) for p, rows in cut) for cut in cuts)
    work = np.empty((2, longest), dtype=params[0].data.dtype)  # shared: one piece at a time
    return [_piece(cut, work, state) for cut in cuts]


def gradient(piece: Piece) -> Array:
    """Return the gradient as one vector: that of rows where it lies, that of a pack collected."""
    p, rows, _, _ = piece.slots[0]
    if rows is not None:
        assert p.grad is not None
        return p.grad[rows].ravel()
    for p, _, step, _ in piece.slots:
        step[...] = p.grad
    return piece.step


def _cuts(params: Sequence[Parameter]) -> Iterator[Cut]:
    pack: Cut = []
    packed = 0
    for p in params:
        if p.data.size > PIECE:
            n = max(1, PIECE * len(p.data) // p.data.size)
            for first in range(0, len(p.data), n):
                yield [(p, slice(first, first + n))]
            continue
        if packed + p.data.size > PIECE:
            yield pack
            pack, packed = [], 0
        pack.append((p, None))
        packed += p.data.size
    if pack:
        yield pack


def _size(p: Parameter, rows: slice | None) -> int:
    return p.data.size if rows is None else p.data[rows].size


def _piece(cut: Cut, work: Array, state: State) -> Piece:
    slots = []
    end = 0
    for p, rows in cut:
        start, end = end, end + _size(p, rows)
        shape = p.shape if rows is None else p.data[rows].shape
        step, spare = (a[start:end].reshape(shape) for a in work)
        slots.append(Slot(p, rows, step, spare))
    return Piece(slots, work[0, :end], work[1, :end], _lay_out_state(cut, state))


def _lay_out_state(cut: Cut, state: State) -> dict[str, Array]:
    names = state[cut[0][0]]
    p, rows = cut[0]
    if rows is not None:
        return {name: state[p][name][rows].reshape(-1) for name in names}
    packed = {name: np.concatenate([state[p][name].ravel() for p, _ in cut]) for name in names}
    end = 0
    for p, _ in cut:
        start, end = end, end + p.data.size
        for name, flat in packed.items():
            state[p][name] = flat[start:end].reshape(p.shape)
    return packed
