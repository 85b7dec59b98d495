"""How many threads matrix products get: small ones are quicker with one.

NumPy's matrix products use all cores. To share out a product and collect it again costs some
microseconds, more than a small product takes; and where other programs want the cores too, the
threads wait for one another, which can make a step a hundred times slower. Measured on two cores:
with fewer than 2 million multiplications one thread is quicker, with more than 8 million, two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from ffcourse.nn.module import Module

WORTH_SHARING = 8_000_000  # multiplications in one product


@contextmanager
def sensible_threads(model: Module, rows: int) -> Iterator[None]:
    """Give matrix products one thread while the block runs, if this model's are small.

    The largest product is taken to be a batch times the largest weight; the batch has so many
    `rows`, one for each example or token. Needs the package ``threadpoolctl``, which comes with
    scikit-learn; without it nothing is changed, and the environment variable
    ``OPENBLAS_NUM_THREADS=1``, set before Python starts, does the same (``ffcourse lab`` sets it
    for its kernels, unless the user has chosen).
    """
    largest = max((p.data.size for p in model.parameters() if p.data.ndim > 1), default=0)
    controller = _controller() if rows * largest < WORTH_SHARING else None
    with controller.limit(limits=1, user_api="blas") if controller else nullcontext():
        yield


@cache
def _controller() -> Any:
    """Look the libraries up once, which takes a millisecond."""
    try:
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
    except ImportError:
        return None
    return ThreadpoolController()
