"""Standardisation: mean 0 and standard deviation 1, measured on the training data alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.data.check import Array, as_rows


class Standardizer:
    """Shift and scale every column to mean 0 and standard deviation 1.

    ``fit`` measures on the training data; ``transform`` applies the same numbers to any data.
    Measuring on test data too would tell the model something about them: that is leakage.
    A column that is constant in training has no spread to divide by; it is only shifted.

    Attributes
    ----------
    mean, std : ndarray, shape (D, ...)
        Set by ``fit``; `std` is 1 for constant columns. The population form (division by N).

    Examples
    --------
    >>> scaler = Standardizer().fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> scaler.transform(np.array([[4.0, 6.0]]))
    array([[2., 1.]])
    """

    mean: Array | None = None
    std: Array | None = None

    def fit(self, X: Any) -> Standardizer:
        """Measure mean and standard deviation of each column of `X`, shape (N, D)."""
        X = _finite_numbers(X)
        # float64 sums: a float32 mean over many large values loses digits.
        wide = X.astype(np.float64)
        self.mean = wide.mean(axis=0)
        std = wide.std(axis=0)
        # The mean of equal values can be off by rounding, so std may not be exactly zero.
        constant = wide.max(axis=0) == wide.min(axis=0)
        self.std = np.where(constant, 1.0, std)
        return self

    def transform(self, X: Any) -> Array:
        """Return ``(X - mean) / std``; floats keep their type, integers become float64."""
        mean, std = self._fitted()
        X = self._same_columns(X)
        scaled: Array = ((X - mean) / std).astype(_float_of(X), copy=False)
        return scaled

    def inverse_transform(self, X: Any) -> Array:
        """Return ``X * std + mean``: back to the original units."""
        mean, std = self._fitted()
        X = self._same_columns(X)
        original: Array = (X * std + mean).astype(_float_of(X), copy=False)
        return original

    def fit_transform(self, X: Any) -> Array:
        """Fit on `X` and transform it. For training data only."""
        return self.fit(X).transform(X)

    def _fitted(self) -> tuple[Array, Array]:
        if self.mean is None or self.std is None:
            raise RuntimeError("This Standardizer has measured nothing yet: call fit(X_train).")
        return self.mean, self.std

    def _same_columns(self, values: Any) -> Array:
        X: Array = np.asarray(values)
        mean, _ = self._fitted()
        _refuse_other_types(X)
        if X.shape[1:] != mean.shape or X.ndim == 0:
            raise ValueError(
                f"X must have rows of shape {mean.shape}, as in fit, but X has shape {X.shape}."
            )
        return X

    def __repr__(self) -> str:
        if self.mean is None:
            return "Standardizer(not fitted)"
        return f"Standardizer(fitted, columns of shape {self.mean.shape})"


def _finite_numbers(values: Any) -> Array:
    X = as_rows(values, "X")
    _refuse_other_types(X)
    if not np.isfinite(X).all():
        raise ValueError("X holds NaN or infinite values. Remove or replace them before fit.")
    return X


def _refuse_other_types(X: Array) -> None:
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X must hold numbers, but its dtype is {X.dtype}.")


def _float_of(X: Array) -> np.dtype[Any]:
    return X.dtype if np.issubdtype(X.dtype, np.floating) else np.dtype(np.float64)
