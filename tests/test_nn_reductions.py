"""Quick sums and maxima are the same as NumPy's plain ones."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from ffcourse.nn import reductions

SHAPES = [(1, 1), (1, 7), (7, 1), (5, 3), (3, 47), (3, 48), (3, 49), (200, 100)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_numpy_does_it(shape: tuple[int, int], dtype: type) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, *shape)).astype(dtype)
    pairs = [
        (reductions.row_sums(x), x.sum(axis=1)),
        (reductions.column_sums(x), x.sum(axis=0)),
        (reductions.row_maxima(x), x.max(axis=1, keepdims=True)),
        (reductions.row_products(x, y), (x * y).sum(axis=1)),
        (reductions.column_products(x, y), (x * y).sum(axis=0)),
    ]
    for quick, plain in pairs:
        assert quick.dtype == dtype
        assert quick.shape == plain.shape
        np.testing.assert_allclose(quick, plain, rtol=1e-4, atol=1e-5)
    quick[...] = 0  # the results are the caller's own
    np.testing.assert_allclose(reductions.column_sums(x), x.sum(axis=0), rtol=1e-4, atol=1e-5)
    turned = np.asfortranarray(x)
    np.testing.assert_array_equal(reductions.row_maxima(turned), x.max(axis=1, keepdims=True))
    np.testing.assert_allclose(reductions.row_sums(turned), x.sum(axis=1), rtol=1e-4, atol=1e-5)


def test_ones_that_are_kept_cannot_be_spoilt() -> None:
    ones = reductions._ones(3, np.float32)
    assert ones is reductions._ones(3, np.float32)
    with pytest.raises(ValueError, match="read-only"):
        ones += 1


def test_long_rows_are_not_copied() -> None:
    x = np.ones((400, 1000), np.float32)
    tracemalloc.start()
    try:
        reductions.row_maxima(x)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < x.nbytes / 50
