"""Real tables: tumours, cars and credits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.data import store
from ffcourse.data.card import Dataset
from ffcourse.data.check import Array, float_type


def load_breast_cancer(*, dtype: Any = np.float32) -> Dataset:
    """Load 569 tumours described by 30 measurements. Class 1 is malignant.

    Mind the coding: scikit-learn's function of this name has 0 for malignant.

    Parameters
    ----------
    dtype : dtype
        Floating-point type of `X`.

    Returns
    -------
    Dataset
        ``X`` (569, 30), ``y`` (569,) int64 with 0 = benign (357) and 1 = malignant (212).
    """
    return _classes("breast_cancer", dtype)


def load_auto_mpg(*, dtype: Any = np.float32) -> Dataset:
    """Load 392 cars of 1970 to 1982; the target is their fuel consumption. Regression.

    Parameters
    ----------
    dtype : dtype
        Floating-point type of `X` and `y`.

    Returns
    -------
    Dataset
        ``X`` (392, 7), ``y`` (392,) in miles per US gallon.
    """
    kind = float_type(dtype)
    described = store.sidecar("auto_mpg")
    X, y = _columns(described)
    return _dataset(described, X.astype(kind), y.astype(kind))


def load_credit(*, one_hot: bool = False, dtype: Any = np.float32) -> Dataset:
    """Load 1000 credits of a German bank, 1973 to 1975. Class 1 is a bad credit.

    Read the card first: it says what these data cannot show, above all about fairness.

    Parameters
    ----------
    one_hot : bool
        False gives the codes of the file as numbers. True gives each code that occurs a column
        of its own, 0 or 1, named like ``"housing: own"``.
    dtype : dtype
        Floating-point type of `X`.

    Returns
    -------
    Dataset
        ``X`` (1000, 20), or (1000, 71) with `one_hot`; ``y`` (1000,) int64 with 0 = good (700)
        and 1 = bad (300).
    """
    kind = float_type(dtype)
    described = store.sidecar("credit")
    X, good = _columns(described)
    if one_hot:
        X, names = _expand(X, described)
        described = {**described, "feature_names": names}
    return _dataset(described, X.astype(kind), (1 - good).astype(np.int64))


def credit_levels() -> dict[str, dict[int, str]]:
    """Return what the codes of ``load_credit`` mean: ``{"housing": {1: "free", ...}, ...}``."""
    levels = store.sidecar("credit")["levels"]
    return {name: {int(k): text for k, text in codes.items()} for name, codes in levels.items()}


def _expand(X: Array, described: dict[str, Any]) -> tuple[Array, list[str]]:
    """Give each level of each coded column a column; leave quantities as they are."""
    columns: list[Array] = []
    names: list[str] = []
    levels = credit_levels()
    for name, values in zip(described["feature_names"], X.T, strict=True):
        if name not in levels:
            columns.append(values)
            names.append(name)
            continue
        for code in np.unique(values):
            columns.append(values == code)
            names.append(f"{name}: {levels[name][int(code)]}")
    return np.column_stack(columns), names


def _classes(name: str, dtype: Any) -> Dataset:
    kind = float_type(dtype)
    described = store.sidecar(name)
    X, y = _columns(described)
    return _dataset(described, X.astype(kind), y.astype(np.int64))


def _columns(described: dict[str, Any]) -> tuple[Array, Array]:
    values = store.table(described)
    return values[:, :-1], values[:, -1]


def _dataset(described: dict[str, Any], X: Array, y: Array) -> Dataset:
    names = tuple(described["feature_names"]), tuple(described["target_names"])
    return Dataset(X, y, *names, store.card(described))
