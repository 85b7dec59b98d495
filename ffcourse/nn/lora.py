"""LoRA: fine-tune a large weight matrix through a thin one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.nn.checks import check_linear, number
from ffcourse.nn.containers import replace_modules
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, Parameter


class LoRALinear(Module):
    """A frozen Linear layer plus a trained update of low rank.

    ::

        y = x @ W + b + (x @ A) @ B * (alpha / r)      A: (n_in, r), B: (r, n_out)

    W keeps what it learned; only A and B are trained, ``r * (n_in + n_out)`` numbers instead of
    ``n_in * n_out``. B starts at zero, so that at first nothing changes (Hu et al., 2021).

    Parameters
    ----------
    linear : Linear
        The layer to adapt. It is kept, not copied, and frozen.
    r : int
        Rank of the update.
    alpha : float
        The update is scaled by ``alpha / r``.
    rng : numpy.random.Generator, optional
        Draws A.

    Raises
    ------
    ValueError
        If `r` is not between 1 and the smaller side of the weight.
    TypeError
        If `linear` is not a Linear layer.
    """

    __slots__ = ("alpha", "linear", "lora_A", "lora_B", "merged", "r", "_xa", "_xs")  # noqa: RUF023

    def __init__(
        self,
        linear: Linear,
        r: int = 8,
        alpha: float = 16.0,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        check_linear(linear, "LoRALinear", Linear)
        n_in, n_out = linear.in_features, linear.out_features
        if isinstance(r, float) or not 1 <= r <= min(n_in, n_out):
            raise ValueError(f"LoRALinear: r must lie between 1 and {min(n_in, n_out)}, got {r}.")
        dtype = linear.weight.data.dtype
        bound = 1 / math.sqrt(n_in)
        self.linear = linear
        linear.freeze()
        self.lora_A = Parameter(
            np.random.default_rng(rng).uniform(-bound, bound, (n_in, r)).astype(dtype)
        )
        self.lora_B = Parameter(np.zeros((r, n_out), dtype))
        self.r, self.alpha, self.merged = r, number(alpha, "LoRALinear: alpha"), False

    @property
    def scale(self) -> float:
        """Factor of the update."""
        return self.alpha / self.r

    def forward(self, x: Array) -> Array:
        """(..., in_features) -> (..., out_features)."""
        y = self.linear.forward(x)
        if self.merged:
            return y
        self._xs = x.reshape(-1, self.linear.in_features) * self.scale
        self._xa = self._xs.dot(self.lora_A.data)
        y += self._xa.dot(self.lora_B.data).reshape(y.shape)
        return y

    def backward(self, grad: Array) -> Array:
        """(..., out_features) -> (..., in_features); adds to the gradients of A and B."""
        dx = self.linear.backward(grad)
        dxa = self._update_backward(grad)
        if dxa is not None:
            dx += dxa.dot(self.lora_A.data.T * self.scale).reshape(dx.shape)
        return dx

    def backward_params(self, grad: Array) -> None:
        """Add to the gradients of A and B."""
        self.linear.backward_params(grad)
        self._update_backward(grad)

    def _update_backward(self, grad: Array) -> Array | None:
        """Two products in a row: B first, then A. Return d loss / d (x A), or None if merged."""
        if self.merged:
            self._refuse_training()
            return None
        dy = grad.reshape(-1, self.linear.out_features)
        dxa: Array = dy.dot(self.lora_B.data.T)
        self.lora_B.accumulate(self._xa.T.dot(dy))
        self.lora_A.accumulate(self._xs.T.dot(dxa))
        return dxa

    def _refuse_training(self) -> None:
        if self.training:
            raise RuntimeError(
                "LoRALinear: the update is merged into the weight and cannot be trained; "
                "call unmerge() first, or eval() if only the input's gradient is wanted."
            )

    def merge(self) -> LoRALinear:
        """Add the update to the weight, so that using it costs nothing."""
        if not self.merged:
            self.linear.weight.data += self._delta()
            self.merged = True
        return self

    def unmerge(self) -> LoRALinear:
        """Take the update out of the weight again, to train on."""
        if self.merged:
            self.linear.weight.data -= self._delta()
            self.merged = False
        return self

    def _delta(self) -> Array:
        delta: Array = self.lora_A.data.dot(self.lora_B.data) * self.scale
        return delta

    def check_input(self, x: Any) -> Array:
        """Ask the adapted layer."""
        return self.linear.check_input(x)

    def extra_repr(self) -> str:
        """Show rank and alpha."""
        return f"r={self.r}, alpha={self.alpha}, merged={self.merged}"


def add_lora(
    model: Module,
    r: int = 8,
    alpha: float = 16.0,
    *,
    where: Callable[[str], bool] = lambda name: True,
    rng: np.random.Generator | None = None,
) -> dict[str, LoRALinear]:
    """Freeze `model` and put a LoRALinear in the place of its Linear layers.

    Parameters
    ----------
    model : Module
        Is changed.
    r, alpha : int, float
        See `LoRALinear`.
    where : callable
        Gets a layer's name and tells whether to adapt it; all, if left out.
    rng : numpy.random.Generator, optional
        Draws the first matrices.

    Returns
    -------
    dict of str to LoRALinear
        The adapted layers by name, those of an earlier call included.

    Raises
    ------
    ValueError
        If there is no Linear layer to adapt below `model`; then nothing is frozen either.
    """
    if not any(name and isinstance(m, Linear) and where(name) for name, m in model.named_modules()):
        raise ValueError(
            f"{type(model).__name__} contains no Linear layer to adapt; a single layer is adapted "
            "with LoRALinear(layer)."
        )
    rng = np.random.default_rng(rng)
    model.freeze()

    def change(name: str, module: Module) -> Module | None:
        if isinstance(module, Linear) and where(name):
            return LoRALinear(module, r, alpha, rng=rng)
        return module if isinstance(module, LoRALinear) else None  # adapted already: leave it

    replaced = replace_modules(model, change)
    new = {name: layer for name, layer in replaced.items() if isinstance(layer, LoRALinear)}
    for layer in new.values():
        layer.lora_A.requires_grad = layer.lora_B.requires_grad = True
    return new
