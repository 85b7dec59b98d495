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
