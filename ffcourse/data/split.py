"""Splits into training, validation and test data, with no example in two parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.data.check import Array, Rng, as_rng, as_rows, fraction, same_length, whole

Split = tuple[Array, Array, Array, Array]
ThreeWay = tuple[Array, Array, Array, Array, Array, Array]


def train_test_split(
    X: Any, y: Any, test: float = 0.2, *, rng: Rng, stratify: bool | None = None
) -> Split:
    """Split examples at random; rows of `X` and `y` stay together.

    Parameters
    ----------
    X : array_like, shape (N, ...)
        Examples, one a row.
    y : array_like, shape (N,)
        Answers.
    test : float
        Share of the rows that go into the test part, between 0 and 1.
    rng : Generator or int
        Where the shuffle comes from; the same seed gives the same split.
    stratify : bool, optional
        True keeps the shares of the classes equal in both parts. The default does so
        when `y` holds class labels, and not when it holds floats.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        New arrays, in the order that scikit-learn's function of this name has too.

    Raises
    ------
    ValueError
        Empty or unequal lengths, `test` outside 0..1, a part that would be empty, or a class
        with a single member when stratifying.

    Notes
    -----
    Rows that belong together (one patient, one writer, neighbours in time) must not be
    separated by a random split; see ``chronological_split`` for time series.
    """
    X, y = as_rows(X, "X"), as_rows(y, "y")
    same_length(X, y)
    share = fraction(test, "test")
    rest, part = _divide(y, share, as_rng(_given(rng)), _wants_strata(y, stratify), "test")
    return X[rest], X[part], y[rest], y[part]


def train_val_test_split(
    X: Any,
    y: Any,
    val: float = 0.2,
    test: float = 0.2,
    *,
    rng: Rng,
    stratify: bool | None = None,
) -> ThreeWay:
    """Split examples into training, validation and test data.

    Parameters
    ----------
    X, y : array_like, shape (N, ...)
        Examples and answers.
    val, test : float
        Shares of all rows; together under 1.
    rng : Generator or int
        Where the shuffle comes from.
    stratify : bool, optional
        As in ``train_test_split``.

    Returns
    -------
    X_train, X_val, X_test, y_train, y_val, y_test : ndarray
        Choose on the validation part; look at the test part once, at the end.
    """
    X, y = as_rows(X, "X"), as_rows(y, "y")
    same_length(X, y)
    if fraction(val, "val") + fraction(test, "test") >= 1:
        raise ValueError(f"val + test must be under 1, but {val} + {test} leaves no training data.")
    generator, strata = as_rng(_given(rng)), _wants_strata(y, stratify)
    rest, last = _divide(y, test, generator, strata, "test")
    inner, middle = _divide(y[rest], val / (1 - test), generator, strata, "val")
    first, middle = rest[inner], rest[middle]
    return X[first], X[middle], X[last], y[first], y[middle], y[last]


def chronological_split(X: Any, y: Any, test: float = 0.2, *, gap: int = 0) -> Split:
    """Split a time series: the past trains, the future tests. Nothing is shuffled.

    Parameters
    ----------
    X, y : array_like, shape (N, ...)
        Rows in the order of time.
    test : float
        Share of the rows, at the end, that tests.
    gap : int
        Rows left out between the two parts. With ``windows(..., horizon=h)`` a gap of ``h - 1``
        lets no training target lie later than the last input of the first test window.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Copies.
    """
    X, y = as_rows(X, "X"), as_rows(y, "y")
    same_length(X, y)
    n_test = _rounded(len(X), fraction(test, "test"), "test")
    border = len(X) - n_test
    stop = border - whole(gap, "gap", at_least=0)
    if stop < 1:
        raise ValueError(f"gap={gap} leaves no training rows: only {border} lie before the test.")
    return X[:stop].copy(), X[border:].copy(), y[:stop].copy(), y[border:].copy()


def _given(rng: Rng) -> Rng:
    if rng is None:
        raise TypeError(
            "rng must be a NumPy Generator or an integer seed: a split that differs at every run "
            "cannot be compared with anything."
        )
    return rng


def _wants_strata(y: Array, stratify: bool | None) -> bool:
    labels = y.ndim == 1 and y.dtype.kind in "iubUS"
    if stratify and not labels:
        raise ValueError(
            "stratify=True needs one class label per row (integers, booleans or strings), but y "
            f"has dtype {y.dtype} and shape {y.shape}. Pass stratify=False for regression."
        )
    if stratify is None and y.dtype.kind == "O":
        raise TypeError(
            "y must hold numbers or strings, but its dtype is object, as of mixed or missing "
            "values. Clean it, or pass stratify=False."
        )
    return labels if stratify is None else bool(stratify)


def _rounded(n: int, share: float, name: str) -> int:
    count = int(np.floor(n * share + 0.5))
    if not 0 < count < n:
        empty = name if count == 0 else "training"
        raise ValueError(f"{name}={share:g} of {n} rows leaves the {empty} part empty.")
    return count


def _divide(
    y: Array, share: float, rng: np.random.Generator, strata: bool, name: str
) -> tuple[Array, Array]:
    """Return the row numbers of the two parts, each in a random order."""
    count = _rounded(len(y), share, name)
    if not strata:
        order = rng.permutation(len(y))
        return order[count:], order[:count]
    labels, groups = np.unique(y, return_inverse=True)
    sizes = np.bincount(groups)
    if sizes.min() < 2:
        alone = labels[sizes.argmin()].item()
        raise ValueError(
            f"Class {alone!r} has a single member, so it cannot be in both parts. "
            "Give it more members, or pass stratify=False."
        )
    quota = _quotas(sizes, share, count, rng)
    chosen = [rng.permutation(np.flatnonzero(groups == k))[:q] for k, q in enumerate(quota)]
    inside = np.zeros(len(y), dtype=bool)
    inside[np.concatenate(chosen)] = True
    return rng.permutation(np.flatnonzero(~inside)), rng.permutation(np.flatnonzero(inside))


def _quotas(sizes: Array, share: float, count: int, rng: np.random.Generator) -> Array:
    """Share out `count` places over classes: at least one place in each part for each class.

    Largest remainders first, ties broken at random, so that no class is favoured by its number.
    """
    if count < len(sizes) or sizes.sum() - count < len(sizes):
        raise ValueError(
            f"A stratified split of {sizes.sum()} rows into {sizes.sum() - count} and {count} "
            f"has no room for {len(sizes)} classes in each part. Choose another share, "
            "or pass stratify=False."
        )
    wanted = sizes * share
    quota = np.clip(np.floor(wanted).astype(np.int64), 1, sizes - 1)
    while quota.sum() != count:
        step = 1 if quota.sum() < count else -1
        free = (quota + step >= 1) & (quota + step <= sizes - 1)
        need = np.where(free, (wanted - quota) * step, -np.inf)
        best = np.flatnonzero(need == need.max())
        quota[rng.choice(best)] += step
    return quota
