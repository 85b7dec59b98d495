"""Cross-entropy over many classes, straight from the logits."""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ffcourse.nn.checks import number
from ffcourse.nn.losses import Loss
from ffcourse.nn.module import Array
from ffcourse.nn.reductions import row_maxima, row_sums


class CrossEntropyLoss(Loss):
    """``-log(softmax(logits)[label])``, averaged over the examples.

    The classes are on the last axis, however many axes come before it. (PyTorch has them on the
    second axis; for two-dimensional logits that is the same.)

    Parameters
    ----------
    weight : array_like, shape (classes,), optional
        How much each class counts. The mean is weighted, too, as in PyTorch.
    ignore_index : int
        Examples with this label don't count; used for padding.
    reduction : {"mean", "sum"}
        Whether the terms are averaged or added up.
    label_smoothing : float
        Share of the target that is spread evenly over all classes, in [0, 1].

    Raises
    ------
    ValueError
        If the shapes don't fit, a label is out of range, or nothing is left to average.
    TypeError
        If labels are not integers or logits not floating-point.
    """

    __slots__ = (
        "_e",
        "_places",
        "_shape",
        "_soft",
        "_total",
        "ignore_index",
        "label_smoothing",
        "weight",
    )

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.weight: Array | None = None if weight is None else np.asarray(weight)
        if self.weight is not None and not (
            self.weight.dtype.kind in "fiub" and self.weight.ndim == 1 and (self.weight >= 0).all()
        ):
            raise ValueError(
                "CrossEntropyLoss: weight must hold a number of at least 0 for each class, "
                f"got {weight!r}."
            )
        self.ignore_index = ignore_index
        self.label_smoothing = number(label_smoothing, "label_smoothing", 0, 1)

    def forward(self, logits: Array, target: Array) -> float:
        """Return the loss.

        Parameters
        ----------
        logits : ndarray, shape (..., classes)
            Raw outputs of the last layer.
        target : ndarray of int, shape (...)
            The right classes.
        """
        z, labels = self._rows(logits, target)
        shifted = z - row_maxima(z)  # cancels, and keeps exp from overflowing
        self._e = np.exp(shifted)
        self._total = row_sums(self._e)  # so softmax is e / total
        log_total = np.log(self._total)
        self._soft = self._targets(labels, z)
        # The loss is the sum of -target * log(softmax), and log(softmax) is shifted - log(total).
        if self._soft is None:  # one label per row counts, with weight 1
            return float((log_total - shifted.take(self._places)).sum()) * self._scale
        return float((self._soft * (log_total[:, None] - shifted)).sum()) * self._scale

    def backward(self) -> Array:
        """Return ``(softmax(logits) - target) / examples``, the shape of the logits."""
        if self._soft is None:
            grad = self._e * (self._scale / self._total)[:, None]
            grad.ravel()[self._places] -= self._scale
        else:
            share = self._soft.sum(axis=1) / self._total
            grad = (self._e * share[:, None] - self._soft) * self._scale
        return grad if len(self._shape) == 2 else grad.reshape(self._shape)

    def _targets(self, labels: Array, z: Array) -> Array | None:
        """Set the places of the labels and the scale; return target weights if not one-hot."""
        n, classes = z.shape
        self._scale = 1 / n if self.reduction == "mean" else 1.0
        if self.weight is None and not self.label_smoothing:
            try:  # raises for labels out of range, ignore_index among them
                self._places = np.ravel_multi_index((_numbers(n), labels), z.shape)
            except ValueError:
                pass
            else:
                return None
        return self._soft_targets(labels, classes, z.dtype)

    def _soft_targets(self, labels: Array, classes: int, dtype: Any) -> Array:
        """Weight of every class in every row: class weights, smoothing, ignored rows zero."""
        keep = labels != self.ignore_index
        if not keep.any():
            raise ValueError(
                f"CrossEntropyLoss: every label is ignore_index ({self.ignore_index}), "
                "so there is nothing to average; give at least one label that counts."
            )
        low, high = labels[keep].min(), labels[keep].max()
        if low < 0 or high >= classes:
            raise ValueError(
                f"CrossEntropyLoss: target must hold labels from 0 to {classes - 1}, since the "
                f"logits have {classes} classes; got labels from {low} to {high}."
            )
        counts = np.ones(classes) if self.weight is None else self.weight
        if counts.shape != (classes,):
            raise ValueError(
                f"CrossEntropyLoss: weight must have shape ({classes},), got {counts.shape}."
            )
        labels = np.where(keep, labels, 0)
        soft = np.tile(counts * (self.label_smoothing / classes), (len(labels), 1))
        soft[np.arange(len(labels)), labels] += (1 - self.label_smoothing) * counts[labels]
        soft *= keep[:, None]
        if self.reduction == "mean":
            total = float((counts[labels] * keep).sum())
            if total == 0:
                raise ValueError(
                    "CrossEntropyLoss: all labels in this batch belong to classes of weight 0, so "
                    "there is nothing to average; give one that counts a weight above 0."
                )
            self._scale = 1 / total
        return soft.astype(dtype)

    def _rows(self, logits: Any, target: Any) -> tuple[Array, Array]:
        """Check shapes and types; return logits (n, classes) and labels (n,)."""
        z, labels = np.asarray(logits), np.asarray(target)
        if z.dtype.kind != "f":
            raise TypeError(f"CrossEntropyLoss: logits must be floating-point, got {z.dtype}.")
        if labels.dtype.kind not in "iu":
            raise TypeError(
                "CrossEntropyLoss: target must hold integer labels, got dtype "
                f"{labels.dtype}; convert one-hot rows with target.argmax(axis=-1)."
            )
        if z.ndim == 0 or z.shape[:-1] != labels.shape:
            raise ValueError(
                f"CrossEntropyLoss: target must have shape {z.shape[:-1]}, one label for each row "
                f"of the logits with shape {z.shape}; got {labels.shape}."
            )
        if z.size == 0:
            raise ValueError(f"CrossEntropyLoss: logits are empty, they have shape {z.shape}.")
        self._shape = z.shape
        if z.ndim != 2:
            z, labels = z.reshape(-1, z.shape[-1]), labels.reshape(-1)
        return z, labels

    def extra_repr(self) -> str:
        """Show the settings that differ from the usual."""
        parts = [] if self.weight is None else [f"weight={self.weight.tolist()}"]
        if self.label_smoothing:
            parts.append(f"label_smoothing={self.label_smoothing}")
        return ", ".join([*parts, super().extra_repr()])


@lru_cache(maxsize=32)
def _numbers(n: int) -> Array:
    """0 to n - 1, kept: the batch has the same size in every step."""
    numbers = np.arange(n)
    numbers.flags.writeable = False
    return numbers
