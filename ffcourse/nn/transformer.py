"""The transformer block: attention, then a feedforward layer, each around a shortcut.

The shortcuts make a stream of D features per token, from the first block to the last; each part
reads from it and adds to it. Where the normalisation stands makes two kinds::

    pre-norm    x = x + attention(norm1(x))        x = x + feedforward(norm2(x))
    post-norm   x = norm1(x + attention(x))        x = norm2(x + feedforward(x))

Post-norm is the original (2017), and BERT's. With pre-norm (GPT-2 and later) the stream itself is
never rescaled, so that gradients reach the first block unharmed; deep stacks train more easily.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.nn.attention import MultiHeadSelfAttention, check_sequences
from ffcourse.nn.dropout import Dropout
from ffcourse.nn.feedforward import FeedForward
from ffcourse.nn.module import Array, Module
from ffcourse.nn.norm import LayerNorm


class TransformerBlock(Module):
    """One block of a transformer: (B, T, D) -> (B, T, D).

    Parameters
    ----------
    d_model, num_heads : int
        Features of a token, D, and number of attention heads, which must divide D.
    d_ff : int, optional
        Width of the feedforward layer; see `FeedForward`.
    causal : bool
        True: a token sees only itself and those before it.
    activation : {"gelu", "gelu_tanh", "relu", "swiglu"}
        Of the feedforward layer.
    norm_first : bool
        True for pre-norm, False for post-norm.
    dropout : float
        Probability with which what is added to the stream loses a value, in training.
    layer_norm_eps : float
        The epsilon of both normalisations.
    bias : bool
        Whether the linear layers have biases.
    rng : numpy.random.Generator, optional
        Draws the initial weights and the dropout masks.
    dtype : dtype
        Type of the weights.

    Notes
    -----
    Computes what PyTorch's ``TransformerEncoderLayer`` does, with dropout on the two branches
    only, not on the attention weights nor inside the feedforward layer.
    """

    __slots__ = (  # noqa: RUF023 (their order is that of the table)
        "norm_first",
        "norm1",
        "attention",
        "dropout1",
        "norm2",
        "feedforward",
        "dropout2",
    )

    def __init__(
        self,
        d_model: int,
        num_heads: int,
        d_ff: int | None = None,
        causal: bool = False,
        *,
        activation: str = "gelu",
        norm_first: bool = True,
        dropout: float = 0.0,
        layer_norm_eps: float = 1e-5,
        bias: bool = True,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, dtype=dtype)
        self.attention = MultiHeadSelfAttention(
            d_model, num_heads, causal, bias, rng=rng, dtype=dtype
        )
        self.dropout1 = Dropout(dropout, rng=rng)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, dtype=dtype)
        self.feedforward = FeedForward(d_model, d_ff, activation, bias, rng=rng, dtype=dtype)
        self.dropout2 = Dropout(dropout, rng=rng)

    def check_input(self, x: Any) -> Array:
        """Return `x` as (B, T, D) in the type of the weights, or raise one clear error."""
        return check_sequences(x, type(self).__name__, self.attention.in_proj)

    def forward(self, x: Array, key_padding_mask: Array | None = None) -> Array:
        """(B, T, D) -> (B, T, D); `key_padding_mask` as for `MultiHeadSelfAttention`."""
        if self.norm_first:
            branch = self.attention.forward(self.norm1.forward(x), key_padding_mask)
            x = x + self.dropout1.forward(branch)
            branch = self.feedforward.forward(self.norm2.forward(x))
            return x + self.dropout2.forward(branch)
        branch = self.attention.forward(x, key_padding_mask)
        x = self.norm1.forward(x + self.dropout1.forward(branch))
        branch = self.feedforward.forward(x)
        return self.norm2.forward(x + self.dropout2.forward(branch))

    def backward(self, grad: Array) -> Array:
        """(B, T, D) -> (B, T, D): at each sum, the gradient goes both ways and meets again."""
        if self.norm_first:
            branch = self.feedforward.backward(self.dropout2.backward(grad))
            grad = grad + self.norm2.backward(branch)
            branch = self.attention.backward(self.dropout1.backward(grad))
            return grad + self.norm1.backward(branch)
        grad = self.norm2.backward(grad)
        grad = grad + self.feedforward.backward(self.dropout2.backward(grad))
        grad = self.norm1.backward(grad)
        return grad + self.attention.backward(self.dropout1.backward(grad))

    def extra_repr(self) -> str:
        """Where the normalisation stands."""
        return "pre-norm" if self.norm_first else "post-norm"
