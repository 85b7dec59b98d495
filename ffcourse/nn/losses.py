"""Losses: how wrong the predictions are, as one number, and the gradient that mends them.

A loss takes logits, the raw outputs of the last layer, never probabilities: sigmoid or softmax
and logarithm are done together, where neither can overflow nor meet ``log(0)``. ::

    loss = loss_fn(model(x), target)       # a float
    model.backward(loss_fn.backward())     # d loss / d logits, same shape as the logits
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.nn.checks import number
from ffcourse.nn.functional import sigmoid
from ffcourse.nn.module import Array


class Loss:
    """Base class: ``loss_fn(logits, target)`` gives a float, ``backward()`` the gradient.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Whether the terms are averaged or added up.
    """

    __slots__ = ("_scale", "reduction")

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum"):
            raise ValueError(f'reduction must be "mean" or "sum", got {reduction!r}.')
        self.reduction = reduction

    def forward(self, logits: Array, target: Array) -> float:
        """Return the loss."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass")

    def backward(self) -> Array:
        """Return d loss / d logits of the last forward pass."""
        raise NotImplementedError(f"{type(self).__name__} has no backward pass")

    def __call__(self, logits: Array, target: Array) -> float:
        """Return the loss."""
        return self.forward(logits, target)

    if not TYPE_CHECKING:  # a type checker would take it as leave to read anything

        def __getattr__(self, name: str) -> Any:
            # Only reached when an attribute is missing, so it costs nothing otherwise.
            if name.startswith("_") and not name.startswith("__"):
                raise AttributeError(
                    f"{type(self).__name__}: call it as loss_fn(logits, target) before backward()."
                )
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def extra_repr(self) -> str:
        """Text between the parentheses of the ``repr``."""
        return f"reduction={self.reduction!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"

    def _start(self, logits: Any, target: Any, what: str = "logits") -> tuple[Array, Array]:
        """Check a pair of the same shape; set the factor of the reduction."""
        logits, target = np.asarray(logits), np.asarray(target)
        name = type(self).__name__
        if logits.dtype.kind != "f":
            raise TypeError(f"{name}: {what} must be floating-point, got dtype {logits.dtype}.")
        if target.dtype.kind not in "fiub":
            raise TypeError(f"{name}: target must be numbers, got dtype {target.dtype}.")
        if logits.shape != target.shape:
            raise ValueError(
                f"{name}: target must have the shape of the {what}, {logits.shape}, "
                f"got {target.shape}; broadcasting would compare every one with every other."
            )
        if logits.size == 0:
            raise ValueError(f"{name}: {what} are empty, they have shape {logits.shape}.")
        self._scale = 1 / logits.size if self.reduction == "mean" else 1.0
        return logits, target


class MSELoss(Loss):
    """Mean over all elements of ``(prediction - target)**2``; of any shape, but both the same.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Whether the squares are averaged, over all elements as in PyTorch, or added up.

    Raises
    ------
    ValueError
        If the shapes differ, or there is nothing to average.
    TypeError
        If predictions are not floating-point, or targets not numbers.
    """

    __slots__ = ("_difference",)

    def forward(self, logits: Array, target: Array) -> float:
        """Return the loss; both arguments have the same shape."""
        logits, target = self._start(logits, target, "predictions")
        self._difference = np.subtract(logits, target, dtype=logits.dtype)
        flat = self._difference.ravel()
        return float(flat.dot(flat)) * self._scale

    def backward(self) -> Array:
        """Return ``2 * (prediction - target) / size``."""
        return self._difference * (2 * self._scale)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy: ``-y log(p) - (1 - y) log(1 - p)`` with ``p = sigmoid(z)``.

    Both terms are there: the first teaches from the ones, the second from the zeros. Written with
    ``log(1 + exp(-|z|))``, it is exact for logits of any size.

    Parameters
    ----------
    pos_weight : float, optional
        Factor of the first term; above 1 where ones are rare.
    reduction : {"mean", "sum"}
        Whether the terms are averaged or added up.

    Raises
    ------
    ValueError
        If the shapes differ, or a target does not lie between 0 and 1.
    TypeError
        If logits are not floating-point, or targets not numbers.
    """

    __slots__ = ("_y", "_z", "pos_weight")

    def __init__(self, pos_weight: float | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if pos_weight is not None:
            number(pos_weight, "BCEWithLogitsLoss: pos_weight", 0)
        self.pos_weight = pos_weight

    def forward(self, logits: Array, target: Array) -> float:
        """Return the loss; targets have the shape of the logits and lie between 0 and 1."""
        z, y = self._start(logits, target)
        if not (y.min() >= 0 and y.max() <= 1):
            raise ValueError(
                f"BCEWithLogitsLoss: target must lie between 0 and 1, got {y.min()} to {y.max()}."
            )
        self._z, self._y = z, y.astype(z.dtype, copy=False)
        # -log(p) = log(1 + exp(-z)), and -log(1 - p) = -log(p) + z
        minus_log_p = np.log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0)
        terms = self._positive() * minus_log_p + (1 - self._y) * z
        return float(terms.sum()) * self._scale

    def _positive(self) -> Array | float:
        """How often ``-log(p)`` counts: y times, and 1 - y times within ``-log(1 - p)``."""
        return 1.0 if self.pos_weight is None else 1 + (self.pos_weight - 1) * self._y

    def backward(self) -> Array:
        """Return ``(sigmoid(z) - y) / size``: no further factor of the sigmoid's slope."""
        p = sigmoid(self._z)
        if self.pos_weight is None:
            return (p - self._y) * self._scale
        return ((1 - self._y) - self._positive() * (1 - p)) * self._scale

    def extra_repr(self) -> str:
        """Show the settings."""
        weight = "" if self.pos_weight is None else f"pos_weight={self.pos_weight}, "
        return weight + super().extra_repr()
