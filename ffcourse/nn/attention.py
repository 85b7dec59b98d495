"""Multi-head self-attention: every token gathers what it needs from the others.

Each token makes a query (what am I looking for?), a key (what have I got?) and a value (what do
I tell?). With the features split among heads, each head for itself does::

    scores  S = Q Kᵀ / √d       (T, T)     how well each query fits each key
    weights P = softmax of each query's scores
    output  O = P V             (T, d)     the values, mixed with these weights

and the outputs of all heads, side by side, pass through one more linear layer. Backward::

    dV = Pᵀ dO       dP = dO Vᵀ
    dS = P · (dP - sum over keys of P · dP)          softmax
    dQ = dS K / √d   dK = dSᵀ Q / √d

Scores are kept with the key first, (keys, batch, heads, queries). The maximum and the sums of the
softmax then run over the first axis, adding whole blocks of memory to one another; over the last
axis of a short sequence NumPy would start anew for every handful of numbers.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ffcourse.nn.buffers import Buffers
from ffcourse.nn.checks import check_gradient, whole
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, check_float_batch


class MultiHeadSelfAttention(Module):
    """Self-attention with several heads: (B, T, D) -> (B, T, D).

    Parameters
    ----------
    d_model : int
        Features of a token, D.
    num_heads : int
        Number of heads h; must divide D. Each works with d = D/h features.
    causal : bool
        True: a token sees itself and those before it, never those after it.
    bias : bool
        Whether the projections have biases.
    rng : numpy.random.Generator, optional
        Draws the initial weights.
    dtype : dtype
        Type of the weights.

    Attributes
    ----------
    in_proj : Linear, (D, 3·D)
        Makes queries, keys and values in one product; columns in this order, each head by head.
    out_proj : Linear, (D, D)

    References
    ----------
    A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
    """

    __slots__ = ("causal", "num_heads", "in_proj", "out_proj", "_buffers", "_cache")  # noqa: RUF023

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        causal: bool = False,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        whole(d_model, "MultiHeadSelfAttention: d_model")
        if not isinstance(num_heads, int | np.integer) or num_heads < 1 or d_model % num_heads:
            raise ValueError(
                f"MultiHeadSelfAttention: num_heads must divide d_model = {d_model} evenly, "
                f"got {num_heads}."
            )
        rng = np.random.default_rng(rng)
        self.num_heads, self.causal = num_heads, causal
        self.in_proj = Linear(d_model, 3 * d_model, bias, rng=rng, dtype=dtype)
        self.out_proj = Linear(d_model, d_model, bias, rng=rng, dtype=dtype)
        self._buffers = Buffers()

    def check_input(self, x: Any) -> Array:
        """Return `x` as (B, T, D) in the type of the weights, or raise one clear error."""
        return check_sequences(x, type(self).__name__, self.in_proj)

    def forward(self, x: Array, key_padding_mask: Array | None = None) -> Array:
        """Let the tokens of each sequence attend to one another.

        Parameters
        ----------
        x : ndarray, shape (B, T, D)
        key_padding_mask : ndarray of bool, shape (B, T), optional
            True where a token is padding: nobody attends to it. What comes out at its own place
            is of no meaning.

        Returns
        -------
        ndarray, shape (B, T, D)
        """
        B, T, D = x.shape
        h, d = self.num_heads, D // self.num_heads
        q, k, v = split_heads(self.in_proj.forward(x), 3, h)  # each (B, h, T, d)

        P = self._buffers.empty("weights", (T, B, h, T), x.dtype)
        keys_queries = P.transpose(1, 2, 0, 3)  # the same numbers as (B, h, keys, queries)
        qT = self._buffers.empty("transposed", (B, h, d, T), x.dtype)
        np.multiply(q.mT, 1 / math.sqrt(d), out=qT)  # copied: products read it faster in this order
        np.matmul(k, qT, out=keys_queries)
        if self.causal:
            P += causal_mask(T, x.dtype)
        if key_padding_mask is not None:
            P += padding_mask(key_padding_mask, x)
        P -= P.max(axis=0)
        np.exp(P, out=P)
        P /= P.sum(axis=0)

        heads = self._buffers.empty("heads", (B, T, h, d), x.dtype)
        np.matmul(keys_queries.mT, v, out=heads.transpose(0, 2, 1, 3))
        self._cache = q, k, v, P
        return self.out_proj.forward(heads.reshape(B, T, D))

    def backward(self, grad: Array) -> Array:
        """(B, T, D) -> (B, T, D)."""
        return self.in_proj.backward(self._backward_heads(grad))

    def backward_params(self, grad: Array) -> None:
        """Do the work of ``backward`` without the gradient of the input."""
        self.in_proj.backward_params(self._backward_heads(grad))

    def _backward_heads(self, grad: Array) -> Array:
        """Return the gradient of queries, keys and values, side by side: (B, T, 3·D)."""
        q, k, v, P = self._cache
        check_gradient(self, grad, (len(q), q.shape[2], self.in_proj.in_features))
        (dO,) = split_heads(self.out_proj.backward(grad), 1, self.num_heads)  # (B, h, T, d)
        d_qkv = self._buffers.empty("d qkv", (*grad.shape[:2], 3 * grad.shape[2]), grad.dtype)
        dq, dk, dv = split_heads(d_qkv, 3, self.num_heads)

        np.matmul(P.transpose(1, 2, 0, 3), dO, out=dv)
        dS = self._buffers.empty("d scores", P.shape, grad.dtype)  # first it is dP
        keys_queries = dS.transpose(1, 2, 0, 3)
        dOT = self._buffers.empty("transposed", dO.mT.shape, grad.dtype)
        np.copyto(dOT, dO.mT)
        np.matmul(v, dOT, out=keys_queries)
        product = self._buffers.empty("product", P.shape, grad.dtype)
        dS -= np.multiply(P, dS, out=product).sum(axis=0)
        dS *= P
        dS *= 1 / math.sqrt(q.shape[-1])
        np.matmul(keys_queries.mT, k, out=dq)
        np.matmul(keys_queries, q, out=dk)
        return d_qkv

    def attention_weights(self) -> Array:
        """Return a copy of the last weights: (B, heads, queries, keys); each row adds up to 1."""
        P: Array = self._cache[3]
        return P.transpose(1, 2, 3, 0).copy(order="C")

    def extra_repr(self) -> str:
        """Show the number of heads, and whether causal."""
        return f"num_heads={self.num_heads}, causal={self.causal}"


def split_heads(x: Array, parts: int, heads: int) -> Array:
    """View (B, T, parts·h·d) as (parts, B, h, T, d)."""
    B, T, width = x.shape
    return x.reshape(B, T, parts, heads, width // (parts * heads)).transpose(2, 0, 3, 1, 4)


# Masks are added to the scores, (keys, B, h, queries): 0, or a number so low that the softmax makes
# it 0. Not minus infinity: for a query that may see no key at all that would give 0/0, and the NaN
# would spread to all tokens in the next layer. Later tokens are hidden more deeply than padding, so
# that such a query sees the padding before it, and never the future.


@lru_cache(maxsize=16)
def causal_mask(T: int, dtype: Any) -> Array:
    """Hide key j from query i where j > i: (T, 1, 1, T)."""
    later = np.tri(T, k=-1, dtype=bool)  # [key, query]
    mask = np.where(later, np.finfo(dtype).min / 2, 0).astype(dtype)[:, None, None]
    mask.flags.writeable = False
    return mask


def padding_mask(padding: Array, x: Array) -> Array:
    """Hide the keys where `padding`, (B, T), is True: (T, B, 1, 1)."""
    padding = np.asarray(padding)
    if padding.shape != x.shape[:2] or padding.dtype != bool:
        raise ValueError(
            f"MultiHeadSelfAttention: key_padding_mask must hold bool in shape {x.shape[:2]}, "
            f"True where a token is padding; got {padding.dtype} in {padding.shape}."
        )
    mask = np.where(padding, np.finfo(x.dtype).min / 4, 0).astype(x.dtype)
    return mask.T[:, :, None, None]


def check_sequences(x: Any, name: str, layer: Linear) -> Array:
    """Return `x` as (B, T, D) in the type of the weights of `layer`, or raise one clear error."""
    x = check_float_batch(x, name, layer.in_features, layer.weight.data.dtype)
    if x.ndim != 3:
        raise ValueError(
            f"{name}: x must have shape (B, T, {layer.in_features}): sequences, tokens, features; "
            f"got {x.shape}. For a single sequence use x[None]."
        )
    return x
