"""What every layer has in common: parameters, a forward pass and a backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Parameter:
    """An array that training changes, and the gradient of the loss with respect to it.

    Parameters
    ----------
    data : ndarray
        The values; any shape.
    requires_grad : bool
        False freezes the parameter: layers skip its gradient, optimizers leave it alone.

    Attributes
    ----------
    grad : ndarray or None
        Same shape as ``data``; None until a backward pass has reached it.
    """

    __slots__ = ("data", "grad", "requires_grad")

    def __init__(self, data: Array, requires_grad: bool = True) -> None:
        self.data = data
        self.grad: Array | None = None
        self.requires_grad = requires_grad

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.data.shape

    def accumulate(self, grad: Array) -> None:
        """Add `grad` to what earlier backward passes left; the caller gives the array away."""
        if not self.requires_grad:
            return
        if self.grad is None:
            self.grad = grad
        else:
            self.grad += grad

    def __repr__(self) -> str:
        frozen = "" if self.requires_grad else ", frozen"
        return f"Parameter(shape={self.shape}, dtype={self.data.dtype}{frozen})"


class Module:
    """Base class of layers and models.

    A subclass writes ``forward(x)``, which keeps what the backward pass will need, and
    ``backward(grad)``, which takes the gradient of the loss with respect to the output,
    adds to the gradients of the parameters, and returns the gradient with respect to the input.
    """

    training: bool = True

    def forward(self, x: Array) -> Array:
        """Compute the output for the input `x`."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass")

    def backward(self, grad: Array) -> Array:
        """Take d loss / d output, add to the parameters' gradients, return d loss / d input."""
        raise NotImplementedError(f"{type(self).__name__} has no backward pass")

    def __call__(self, x: Array) -> Array:
        return self.forward(x)

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the direct sub-modules with their names, in the order of their definition."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list | tuple):
                for i, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{i}", item

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Yield ``("block.0.weight", parameter)`` pairs, in the order of their definition."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
        for name, child in self.children():
            yield from child.named_parameters(f"{prefix}{name}.")

    def parameters(self) -> list[Parameter]:
        """All parameters, frozen ones included."""
        return [p for _, p in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget all gradients. Call it before each backward pass that should not add up."""
        for p in self.parameters():
            p.grad = None

    def train(self, mode: bool = True) -> Module:
        """Switch to training behaviour (dropout on, batch statistics)."""
        self.training = mode
        for _, child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Module:
        """Switch to evaluation behaviour (dropout off, running statistics)."""
        return self.train(False)


def as_float(x: Any, dtype: Any = np.float32) -> Array:
    """Return `x` as a floating-point array: floats keep their type, everything else gets `dtype`."""
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(dtype)
