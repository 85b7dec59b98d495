"""The position-wise feedforward layer of a transformer: every token through the same two layers."""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from typing import Any

import numpy as np

from ffcourse.nn.activations import GELU, ReLU
from ffcourse.nn.checks import check_gradient, whole
from ffcourse.nn.functional import sigmoid
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, check_float_batch


class SwiGLU(Module):
    """Half of the features, through SiLU, gates the other half: (..., 2·F) -> (..., F).

    ``y = silu(a) · b`` with a the first F features and b the others.

    References
    ----------
    N. Shazeer, "GLU variants improve transformer", arXiv:2002.05202, 2020.
    """

    __slots__ = ("_a", "_b", "_s")

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers with an even last axis."""
        x = check_float_batch(x, "SwiGLU")
        if x.ndim == 0 or x.shape[-1] % 2:
            raise ValueError(
                f"SwiGLU: x must have shape (..., 2·F), a gate and a value for each of F features, "
                f"got {x.shape}."
            )
        return x

    def forward(self, x: Array) -> Array:
        """(..., 2·F) -> (..., F)."""
        half = x.shape[-1] // 2
        self._a, self._b = x[..., :half], x[..., half:]
        self._s = sigmoid(self._a)
        y = self._a * self._s
        y *= self._b
        return y

    def backward(self, grad: Array) -> Array:
        """(..., F) -> (..., 2·F)."""
        check_gradient(self, grad, self._a.shape)
        half = grad.shape[-1]
        dx = np.empty((*grad.shape[:-1], 2 * half), grad.dtype)
        silu = self._a * self._s
        slope = 1 - self._s
        slope *= silu
        slope += self._s  # silu' = s + a·s·(1 - s)
        slope *= self._b
        np.multiply(grad, slope, out=dx[..., :half])
        np.multiply(grad, silu, out=dx[..., half:])
        return dx


def make_activation(name: str) -> tuple[Module, int]:
    """Return the layer for ``name``, and how many times wider its input is than its output."""
    if name == "swiglu":
        return SwiGLU(), 2
    if name == "relu":
        return ReLU(), 1
    if name in ("gelu", "gelu_tanh"):
        return GELU("tanh" if name == "gelu_tanh" else "none"), 1
    raise ValueError(f'activation must be "relu", "gelu", "gelu_tanh" or "swiglu", got {name!r}.')


class FeedForward(Module):
    """Widen each token's features, bend them, and narrow them again: (..., D) -> (..., D).

    ::

        ReLU, GELU    y = act(x @ W_up + b_up) @ W_down + b_down
        SwiGLU        y = (silu(x @ W_gate + b_gate) · (x @ W_up + b_up)) @ W_down + b_down

    Most parameters of a language model are in these matrices.

    Parameters
    ----------
    d_model : int
        Features of a token, D.
    d_ff : int, optional
        Width in between, F. Left out: 4·D, and for SwiGLU, which has three matrices instead of
        two, 8·D/3, rounded down.
    activation : {"gelu", "gelu_tanh", "relu", "swiglu"}
        "gelu_tanh" is the formula of GPT-2.
    bias : bool
        Whether the linear layers have biases.
    rng : numpy.random.Generator, optional
        Draws the initial weights.
    dtype : dtype
        Type of the weights.

    Attributes
    ----------
    up : Linear, (D, F); for SwiGLU (D, 2·F), gate and up side by side
    down : Linear, (F, D)
    """

    __slots__ = ("up", "activation", "down")  # noqa: RUF023

    def __init__(
        self,
        d_model: int,
        d_ff: int | None = None,
        activation: str = "gelu",
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        dtype: Any = np.float32,
    ) -> None:
        whole(d_model, "FeedForward: d_model")
        rng = np.random.default_rng(rng)
        self.activation, wider = make_activation(activation)
        if d_ff is None:
            d_ff = 4 * d_model if wider == 1 else 8 * d_model // 3
        whole(d_ff, "FeedForward: d_ff")
        self.up = Linear(d_model, wider * d_ff, bias, rng=rng, dtype=dtype)
        self.down = Linear(d_ff, d_model, bias, rng=rng, dtype=dtype)

    def check_input(self, x: Any) -> Array:
        """Return `x` as (..., D) in the type of the weights, or raise one clear error."""
        return self.up.check_input(x)

    def forward(self, x: Array) -> Array:
        """(..., D) -> (..., D)."""
        return self.down.forward(self.activation.forward(self.up.forward(x)))

    def backward(self, grad: Array) -> Array:
        """(..., D) -> (..., D)."""
        return self.up.backward(self.activation.backward(self.down.backward(grad)))

    def backward_params(self, grad: Array) -> None:
        """Do the work of ``backward`` without the gradient of the input."""
        self.up.backward_params(self.activation.backward(self.down.backward(grad)))
