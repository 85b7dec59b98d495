"""A small GPT: a stack of causal transformer blocks that predicts the next token."""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ffcourse.nn import init
from ffcourse.nn.checks import check_gradient, number, whole
from ffcourse.nn.dropout import Dropout
from ffcourse.nn.embedding import Embedding, LearnedPositions, check_tokens
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, Parameter
from ffcourse.nn.norm import LayerNorm
from ffcourse.nn.transformer import TransformerBlock


class TiedHead(Module):
    """From features to a score for each token, with the embedding's own matrix E.

    ``logits = x @ Eᵀ``: the score of a token is the dot product with its vector. Both uses of E
    add to its gradient.

    Parameters
    ----------
    weight : Parameter, shape (V, D)
        The weight of the embedding, shared, not copied.
    """

    __slots__ = ("_shape", "_x", "weight")

    def __init__(self, weight: Parameter) -> None:
        if not isinstance(weight, Parameter):
            raise TypeError(
                "TiedHead: weight must be the Parameter of an embedding, embedding.weight, "
                f"got {type(weight).__name__}."
            )
        self.weight = weight

    def forward(self, x: Array) -> Array:
        """(B, T, D) -> (B, T, V)."""
        V, D = self.weight.shape
        self._x, self._shape = x.reshape(-1, D), (*x.shape[:-1], V)
        return (self._x @ self.weight.data.T).reshape(self._shape)

    def backward(self, grad: Array) -> Array:
        """(B, T, V) -> (B, T, D)."""
        check_gradient(self, grad, self._shape)
        V, D = self.weight.shape
        rows = grad.reshape(-1, V)
        if self.weight.requires_grad:
            self.weight.accumulate(rows.T @ self._x)
        return (rows @ self.weight.data).reshape(*grad.shape[:-1], D)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}, tied"


class GPT(Module):
    """Tokens in, scores of the next token out: (B, T) -> (B, T, V).

    ::

        token vector + position vector -> blocks, pre-norm and causal -> norm -> head

    Position t of the output is a prediction of token t + 1, so a sequence of T + 1 tokens gives
    T examples: ``logits = model(tokens[:, :-1])`` and ``loss_fn(logits, tokens[:, 1:])``.

    Parameters
    ----------
    vocab_size, max_length : int
        Number of tokens V, and longest sequence.
    d_model, num_heads, num_layers : int
        Features of a token D, attention heads, blocks.
    d_ff : int, optional
        Width of the feedforward layers; see `FeedForward`.
    activation : {"gelu_tanh", "gelu", "relu", "swiglu"}
        Of the feedforward layers.
    dropout : float
        On the sum of the vectors and on each branch, in training.
    tie_weights : bool
        True: the head uses the embedding's matrix. False: a matrix of its own.
    rng : numpy.random.Generator, optional
        Draws the initial weights and the dropout masks.
    dtype : dtype
        Type of the weights.

    Notes
    -----
    Weights start as in GPT-2: normal with standard deviation 0.02, divided by √(2·layers) where
    a branch is added to the stream, so that the stream does not grow with the depth.
    """

    __slots__ = ("tokens", "positions", "dropout", "blocks", "norm", "head")  # noqa: RUF023

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        d_model: int = 64,
        num_heads: int = 4,
        num_layers: int = 2,
        d_ff: int | None = None,
        *,
        activation: str = "gelu_tanh",
        dropout: float = 0.0,
        tie_weights: bool = True,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        rng = np.random.default_rng(rng)
        for name, value in (("vocab_size", vocab_size), ("max_length", max_length)):
            whole(value, f"GPT: {name}")
        whole(num_layers, "GPT: num_layers")
        self.tokens = Embedding(vocab_size, d_model, rng=rng, dtype=dtype)
        self.positions = LearnedPositions(max_length, d_model, rng=rng, dtype=dtype)
        self.dropout = Dropout(dropout, rng=rng)
        self.blocks = [
            TransformerBlock(
                d_model,
                num_heads,
                d_ff,
                causal=True,
                activation=activation,
                dropout=dropout,
                rng=rng,
                dtype=dtype,
            )
            for _ in range(num_layers)
        ]
        self.norm = LayerNorm(d_model, dtype=dtype)
        self.head: Module = (
            TiedHead(self.tokens.weight)
            if tie_weights
            else Linear(d_model, vocab_size, bias=False, rng=rng, dtype=dtype)
        )
        self._initialise(rng)

    def _initialise(self, rng: np.random.Generator) -> None:
        init.normal_(self.tokens.weight, 0, 0.02, rng=rng)
        for layer in self.modules():
            if isinstance(layer, Linear):
                init.normal_(layer.weight, 0, 0.02, rng=rng)
                if layer.bias is not None:
                    init.zeros_(layer.bias)
        for block in self.blocks:
            for last in (block.attention.out_proj, block.feedforward.down):
                last.weight.data /= math.sqrt(2 * len(self.blocks))

    def check_input(self, x: Any) -> Array:
        """Return `x` as tokens (B, T), T at most max_length, or raise one clear error."""
        x = check_tokens(x, type(self).__name__, self.tokens.weight.shape[0])
        if x.ndim != 2 or x.shape[1] > self.max_length:
            raise ValueError(
                f"GPT: tokens must have shape (B, T) with T at most {self.max_length}, "
                f"got {x.shape}; for a single sequence use tokens[None]."
            )
        return x

    @property
    def max_length(self) -> int:
        """Longest sequence the model can read."""
        return self.positions.weight.shape[0]

    def forward(self, x: Array) -> Array:
        """Tokens (B, T) -> logits (B, T, V)."""
        stream = self.dropout.forward(self.positions.forward(self.tokens.forward(x)))
        for block in self.blocks:
            stream = block.forward(stream)
        return self.head.forward(self.norm.forward(stream))

    def backward(self, grad: Array) -> Any:
        """Take (B, T, V), add to all gradients. Return None: tokens have no gradient."""
        d = self.norm.backward(self.head.backward(grad))
        for block in reversed(self.blocks):
            d = block.backward(d)
        self.tokens.backward(self.positions.backward(self.dropout.backward(d)))

    def generate(
        self,
        prompt: Any,
        max_new_tokens: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        stop: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> Array:
        """Continue a sequence, one token at a time.

        Parameters
        ----------
        prompt : array_like of int, shape (T,)
            What to begin with; at least one token. Only the last max_length tokens are read.
        max_new_tokens : int
            How many tokens to add at most.
        temperature : float
            Divides the logits: below 1 the likely becomes likelier, above 1 all becomes more
            alike. 0 takes the likeliest token every time.
        top_k : int, optional
            Draw among the k likeliest tokens only.
        stop : int, optional
            Stop after this token; it is part of the result.
        rng : numpy.random.Generator, optional
            Draws the tokens.

        Returns
        -------
        ndarray of int, shape (T + new,)

        Raises
        ------
        ValueError
            If the prompt is empty or not a single sequence, or an argument is out of range.
        """
        tokens = check_tokens(prompt, "GPT.generate", self.tokens.weight.shape[0])
        if tokens.ndim != 1:
            raise ValueError(f"GPT.generate: prompt must have shape (T,), got {tokens.shape}.")
        whole(max_new_tokens, "GPT.generate: max_new_tokens", 0)
        number(temperature, "GPT.generate: temperature", 0)
        if top_k is not None:
            whole(top_k, "GPT.generate: top_k")
        rng = np.random.default_rng(rng)
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            for _ in range(max_new_tokens):
                logits = self.forward(tokens[None, -self.max_length :])[0, -1]
                token = draw_token(logits, temperature, top_k, rng)
                tokens = np.append(tokens, token)
                if token == stop:
                    break
        finally:
            for module, training in modes:
                module.training = training
        return tokens


def draw_token(
    logits: Array, temperature: float, top_k: int | None, rng: np.random.Generator
) -> int:
    """Draw a token with probability softmax(logits / temperature), among the `top_k` likeliest."""
    logits = logits.astype(np.float64)
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None and top_k < len(logits):
        likeliest = np.argpartition(logits, -top_k)[-top_k:]
        others = np.ones(len(logits), bool)
        others[likeliest] = False
        logits[others] = -np.inf
    p = np.exp((logits - logits.max()) / temperature)
    return int(rng.choice(len(p), p=p / p.sum()))
