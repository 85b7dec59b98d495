"""Embeddings: a row of numbers for every token, and for every position."""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.nn.checks import check_gradient, whole
from ffcourse.nn.module import Array, Module, Parameter


class Embedding(Module):
    """Look up a learned vector for each token.

    The same as multiplying one-hot vectors by a matrix, without the multiplications by zero. So
    backward, the gradient of each row is the sum of what arrives wherever its token stood.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        Number of tokens V, and length of the vectors D.
    padding_idx : int, optional
        A token that stands for "nothing here": its vector starts as zeros and is not trained.
    rng : numpy.random.Generator, optional
        Draws the vectors from a standard normal distribution, as PyTorch does.
    dtype : dtype
        Type of the vectors.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Raises
    ------
    ValueError
        If a size is no whole number above 0, or a token is out of range.
    TypeError
        If the tokens are not integers.
    """

    __slots__ = ("_tokens", "padding_idx", "weight")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        whole(num_embeddings, "Embedding: num_embeddings")
        whole(embedding_dim, "Embedding: embedding_dim")
        if padding_idx is not None:
            last = num_embeddings - 1
            if isinstance(padding_idx, float) or not 0 <= padding_idx <= last:
                raise ValueError(
                    f"Embedding: padding_idx must lie between 0 and {last}, got {padding_idx}."
                )
        rng = np.random.default_rng(rng)
        self.weight = Parameter(rng.normal(size=(num_embeddings, embedding_dim)).astype(dtype))
        self.padding_idx = padding_idx
        if padding_idx is not None:
            self.weight.data[padding_idx] = 0

    def check_input(self, x: Any) -> Array:
        """Return `x` as tokens from 0 to V - 1, any shape, or raise one clear error."""
        return check_tokens(x, type(self).__name__, len(self.weight.data))

    def forward(self, x: Array) -> Array:
        """Tokens (...) -> vectors (..., D)."""
        self._tokens = x
        return self.weight.data[x]

    def backward(self, grad: Array) -> Any:
        """Add to the gradients of the rows. Return None: a token's number has no gradient."""
        check_gradient(self, grad, (*self._tokens.shape, self.weight.shape[1]))
        if not self.weight.requires_grad:
            return
        dW = sum_rows(grad.reshape(-1, grad.shape[-1]), self._tokens.ravel(), self.weight.shape[0])
        if self.padding_idx is not None:
            dW[self.padding_idx] = 0
        self.weight.accumulate(dW)

    def extra_repr(self) -> str:
        """Sizes, and the padding token if there is one."""
        text = f"{self.weight.shape[0]}, {self.weight.shape[1]}"
        return text + ("" if self.padding_idx is None else f", padding_idx={self.padding_idx}")


def sum_rows(rows: Array, places: Array, length: int) -> Array:
    """Return an array of `length` rows, where row p is the sum of all `rows` whose place is p.

    Sorting brings rows of the same place together, so that each sum is over a stretch.
    """
    order = np.argsort(places, kind="stable")
    in_order = places[order]
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])
    out = np.zeros((length, rows.shape[1]), rows.dtype)
    out[in_order[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return out


def check_tokens(x: Any, name: str, vocab_size: int) -> Array:
    """Return `x` as a non-empty array of tokens from 0 to vocab_size - 1, or raise one error."""
    x = np.asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"{name}: tokens must be integers, got dtype {x.dtype}.")
    if x.size == 0:
        raise ValueError(f"{name}: there are no tokens, x has shape {x.shape}.")
    low, high = x.min(), x.max()
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"{name}: tokens must lie between 0 and {vocab_size - 1}, got {low} to {high}."
        )
    return x


class LearnedPositions(Module):
    """Add a learned vector for each position: (B, T, D) -> (B, T, D).

    Attention alone does not know in which order the tokens stand; this tells it.

    Parameters
    ----------
    max_length, d_model : int
        Longest sequence, and length of the vectors D.
    rng : numpy.random.Generator, optional
        Draws the vectors from a normal distribution with standard deviation 0.02, as in GPT-2.
    dtype : dtype
        Type of the vectors.

    Attributes
    ----------
    weight : Parameter, shape (max_length, d_model)
    """

    __slots__ = ("_shape", "weight")

    def __init__(
        self,
        max_length: int,
        d_model: int,
        *,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        whole(max_length, "LearnedPositions: max_length")
        whole(d_model, "LearnedPositions: d_model")
        rng = np.random.default_rng(rng)
        self.weight = Parameter(rng.normal(0, 0.02, (max_length, d_model)).astype(dtype))

    def forward(self, x: Array) -> Array:
        """(B, T, D) -> (B, T, D), with T at most max_length."""
        check_length(x, self.weight.data)
        self._shape = x.shape
        return x + self.weight.data[: x.shape[-2]]

    def backward(self, grad: Array) -> Array:
        """Add to the gradients of the first T vectors; pass `grad` on."""
        check_gradient(self, grad, self._shape)
        if self.weight.requires_grad:
            dW = np.zeros_like(self.weight.data)
            dW[: grad.shape[-2]] = grad.reshape(-1, *grad.shape[-2:]).sum(axis=0)
            self.weight.accumulate(dW)
        return grad

    def extra_repr(self) -> str:
        """Longest sequence and length of the vectors."""
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}"


class SinusoidalPositions(Module):
    """Add a fixed vector of sines and cosines for each position: (B, T, D) -> (B, T, D).

    Component 2i of position p is sin(p / 10000^(2i/D)), component 2i+1 the cosine: a clock with
    many hands, from quick to slow.

    Parameters
    ----------
    max_length, d_model : int
        Longest sequence, and length of the vectors D.
    dtype : dtype
        Type of the vectors.

    Attributes
    ----------
    table : ndarray, shape (max_length, d_model)

    References
    ----------
    A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5.
    """

    __slots__ = ("_shape", "table")

    def __init__(self, max_length: int, d_model: int, *, dtype: Any = np.float32) -> None:
        whole(max_length, "SinusoidalPositions: max_length")
        whole(d_model, "SinusoidalPositions: d_model")
        even = np.arange(0, d_model, 2)
        angles = np.arange(max_length)[:, None] / 10000 ** (even / d_model)  # (T, ceil(D / 2))
        table = np.empty((max_length, d_model))
        table[:, 0::2] = np.sin(angles)
        table[:, 1::2] = np.cos(angles[:, : d_model // 2])
        self.table: Array = table.astype(dtype)

    def forward(self, x: Array) -> Array:
        """(B, T, D) -> (B, T, D), with T at most max_length."""
        check_length(x, self.table)
        self._shape = x.shape
        return x + self.table[: x.shape[-2]].astype(x.dtype, copy=False)

    def backward(self, grad: Array) -> Array:
        """Return `grad`: a sum passes it on."""
        check_gradient(self, grad, self._shape)
        return grad

    def extra_repr(self) -> str:
        """Longest sequence and length of the vectors."""
        return f"{self.table.shape[0]}, {self.table.shape[1]}"


def check_length(x: Array, table: Array) -> None:
    """Raise one clear error if the sequences are too long for the `table` of positions."""
    if x.ndim < 2 or x.shape[-2] > len(table) or x.shape[-1] != table.shape[1]:
        raise ValueError(
            f"positions: x must have shape (..., T, {table.shape[1]}) with T at most {len(table)}, "
            f"got {x.shape}; cut the sequences, or build the layer for longer ones."
        )
