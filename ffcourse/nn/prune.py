"""Pruning: set the smallest weights to zero, and keep them there while training goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ffcourse.nn.checks import check_linear, number
from ffcourse.nn.containers import replace_modules
from ffcourse.nn.linear import Linear
from ffcourse.nn.module import Array, Module, check_float_batch


def magnitude_masks(weights: Sequence[Array], amount: float) -> list[Array]:
    """Return masks that are False for the smallest weights of all arrays together.

    Parameters
    ----------
    weights : sequence of ndarray
        Any shapes. One array alone is pruned by its own share; several compete, so that layers
        with larger weights keep more of them.
    amount : float
        Share to prune, in [0, 1]; rounded to a whole number of weights.

    Returns
    -------
    list of ndarray of bool

    Raises
    ------
    ValueError
        If `amount` is out of range.
    """
    number(amount, "amount", 0, 1)
    if not isinstance(weights, list | tuple) or not weights:
        raise TypeError(
            "weights must be a list of at least one array; for a single one use [w], got "
            f"{weights!r}."
        )
    sizes = np.concatenate([np.abs(w).ravel() for w in weights])
    keep = np.ones(sizes.size, bool)
    keep[np.argsort(sizes, kind="stable")[: round(amount * sizes.size)]] = False
    ends = np.cumsum([w.size for w in weights])[:-1]
    return [part.reshape(w.shape) for part, w in zip(np.split(keep, ends), weights, strict=True)]


class PrunedLinear(Linear):
    """A Linear layer in which some weights are zero and stay zero.

    The product uses ``weight * mask``, and the mask cuts the gradient as well; so it holds
    whatever an optimizer, its momentum or weight decay do.

    Parameters
    ----------
    linear : Linear
        Its parameters are taken over, not copied.
    mask : ndarray of bool, shape (in, out)
        False where a weight is pruned.

    Raises
    ------
    ValueError
        If the mask has another shape than the weight.
    """

    __slots__ = ("mask",)
    buffer_names: ClassVar[tuple[str, ...]] = ("mask",)

    def __init__(self, linear: Linear, mask: Array) -> None:
        check_linear(linear, "PrunedLinear", Linear)
        mask = np.asarray(mask)
        if mask.shape != linear.weight.shape:
            raise ValueError(
                f"PrunedLinear: mask must have shape {linear.weight.shape}, got {mask.shape}."
            )
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.mask = mask.astype(bool)
        self.weight.data *= self.mask

    def forward(self, x: Array) -> Array:
        """(..., in_features) -> (..., out_features), without the pruned weights."""
        self.weight.data *= self.mask
        return super().forward(x)

    def backward_params(self, grad: Array) -> None:
        """Add to the gradients of the weights that are left, and of b."""
        super().backward_params(grad)
        if self.weight.grad is not None:
            self.weight.grad *= self.mask

    @property
    def sparsity(self) -> float:
        """Share of the weights that are pruned."""
        return 1 - float(self.mask.mean())

    def check_input(self, x: Any) -> Array:
        """Expect floating-point numbers of shape (..., in_features)."""
        return check_float_batch(x, "PrunedLinear", self.in_features, self.weight.data.dtype)

    def extra_repr(self) -> str:
        """Show the sizes and how much is pruned."""
        return f"{super().extra_repr()}, sparsity={self.sparsity:.2f}"


def prune_model(model: Module, amount: float, scope: str = "global") -> dict[str, PrunedLinear]:
    """Prune the smallest weights of all Linear layers of `model`, which is changed.

    Calling it again with a larger `amount` prunes further.

    Parameters
    ----------
    model : Module
        Must not be a Linear layer itself.
    amount : float
        Share to prune, in [0, 1].
    scope : {"global", "layer"}
        Whether all weights compete, or each layer loses the same share.

    Returns
    -------
    dict of str to PrunedLinear
        The pruned layers by name.

    Raises
    ------
    ValueError
        If `scope` is neither, or there is no Linear layer.
    """
    if scope not in ("global", "layer"):
        raise ValueError(f'scope must be "global" or "layer", got {scope!r}.')
    layers = {name: m for name, m in model.named_modules() if name and isinstance(m, Linear)}
    if not layers:
        raise ValueError(f"{type(model).__name__} contains no Linear layer to prune.")
    weights = [layer.weight.data for layer in layers.values()]
    if scope == "global":
        masks = magnitude_masks(weights, amount)
    else:
        masks = [magnitude_masks([w], amount)[0] for w in weights]
    pruned = {
        name: PrunedLinear(layer, mask)
        for (name, layer), mask in zip(layers.items(), masks, strict=True)
    }
    replace_modules(model, lambda name, _module: pruned.get(name))
    return pruned
