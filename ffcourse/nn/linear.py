"""The feedforward layer: ``y = x @ W + b``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ffcourse.nn.checks import whole, wrong_gradient
from ffcourse.nn.module import Array, Module, Parameter, check_float_batch
from ffcourse.nn.reductions import column_sums


class Linear(Module):
    r"""Every output is a weighted sum of all inputs, plus a bias.

    ::

        forward    y  = x @ W + b          (m, n_in) @ (n_in, n_out) + (n_out,)  ->  (m, n_out)
        backward   dW = x.T @ dy           (n_in, m) @ (m, n_out)                ->  (n_in, n_out)
                   db = dy.sum(axis=0)                                           ->  (n_out,)
                   dx = dy @ W.T           (m, n_out) @ (n_out, n_in)            ->  (m, n_in)

    ``dW[i, j]`` sums ``x[i] * dy[j]`` over the batch: weight (i, j) touches the loss only by
    carrying input i to output j. Whatever more axes x has, it is read as one tall matrix.

    Parameters
    ----------
    in_features, out_features : int
        Sizes of the last axis of the input and of the output.
    bias : bool
        False leaves `b` out.
    rng : numpy.random.Generator, optional
        Draws the first weights: evenly within ±1/sqrt(in_features), as in PyTorch.
    dtype : dtype
        Of the parameters.

    Raises
    ------
    ValueError
        If a size is not a whole number above 0.
    """

    __slots__ = ("in_features", "out_features", "weight", "bias", "_shape", "_x")  # noqa: RUF023

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        whole(in_features, "Linear: in_features")
        whole(out_features, "Linear: out_features")
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(
            rng.uniform(-bound, bound, (in_features, out_features)).astype(dtype)
        )
        self.bias: Parameter | None = None
        if bias:
            self.bias = Parameter(rng.uniform(-bound, bound, out_features).astype(dtype))

    def forward(self, x: Array) -> Array:
        """(..., in_features) -> (..., out_features)."""
        self._x = as_rows(x)
        y: Array = self._x.dot(self.weight.data)  # dot: the same as @, and quicker when small
        if self.bias is not None:
            y += self.bias.data
        y = y if x.ndim == 2 else y.reshape(*x.shape[:-1], self.out_features)
        self._shape = y.shape
        return y

    def backward(self, grad: Array) -> Array:
        """(..., out_features) -> (..., in_features); adds to the gradients of W and b."""
        self.backward_params(grad)
        dx: Array = as_rows(grad).dot(self.weight.data.T)
        return dx if grad.ndim == 2 else dx.reshape(*grad.shape[:-1], self.in_features)

    def backward_params(self, grad: Array) -> None:
        """Add to the gradients of W and b."""
        if getattr(grad, "shape", None) != self._shape:
            raise wrong_gradient(self, grad, self._shape)
        dy = as_rows(grad)
        if self.weight.requires_grad:
            self.weight.accumulate(self._x.T.dot(dy))
        if self.bias is not None and self.bias.requires_grad:
            self.bias.accumulate(column_sums(dy))

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers of shape (..., in_features)."""
        return check_float_batch(x, "Linear", self.in_features, self.weight.data.dtype)

    def is_trainable(self) -> bool:
        """Tell whether W or b is not frozen; asked in every step, so quicker than in `Module`."""
        return self.weight.requires_grad or (self.bias is not None and self.bias.requires_grad)

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


def as_rows(x: Array) -> Array:
    """(..., n) -> (m, n): one example a row."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
