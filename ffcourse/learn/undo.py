"""Undo what a wrong answer did to the notebook's namespace.

A mistake runs in the real namespace, not in a copy of it: only there do the other
functions of the answer call the mistaken one. Afterwards every name is bound as before,
and arrays that were changed in place get their values back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_LARGEST_KEPT = 64_000_000  # bytes of an array that are worth copying


@contextmanager
def undone(namespace: dict[str, Any]) -> Iterator[None]:
    """Restore names, and the values of arrays, when the block ends.

    Parameters
    ----------
    namespace : dict
        The globals of the notebook. Changed inside the block, as before afterwards.
    """
    before = dict(namespace)
    arrays = {
        name: value.copy()
        for name, value in before.items()
        if isinstance(value, np.ndarray)
        and value.flags.writeable
        and value.dtype != object
        and value.nbytes <= _LARGEST_KEPT
    }
    try:
        yield
    finally:
        for name in namespace.keys() - before.keys():
            del namespace[name]
        namespace.update(before)
        for name, kept in arrays.items():
            if before[name].shape == kept.shape:
                before[name][...] = kept
