"""Scratch arrays that a layer keeps from one step to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.nn.module import Array

# For the other arrays: Linux's malloc hands a large one back to the operating system as soon as it
# is freed, and the next step would fetch its pages again. It keeps what is smaller than the largest
# array freed so far, up to 32 MB. So free one of 16 MB, whose pages nobody has touched.
np.empty(16_000_000, np.uint8)


class Buffers:
    """Arrays by name, made when first asked for and handed out again while the shape stays.

    Training repeats the same shapes thousands of times. A large new array can cost more than the
    arithmetic done in it, because the operating system must find and clear its pages each time.
    Only for what stays inside a layer: arrays that are returned are always new.
    """

    __slots__ = ("_arrays",)

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return the array `name`; its values are whatever was last written there."""
        old = self._arrays.get(name)
        if old is None or old.shape != shape or old.dtype != dtype:
            self._arrays[name] = old = np.empty(shape, dtype)
        return old

    def last(self, name: str) -> Array:
        """Return the array `name` as it is."""
        return self._arrays[name]
