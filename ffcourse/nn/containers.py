"""Modules made of modules: one after the other, and around a shortcut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, overload

import numpy as np

from ffcourse.nn.module import Array, Module


class Sequential(Module):
    """Run layers one after the other; backward, in the opposite order.

    Parameters
    ----------
    *layers : Module
        At least one. ``model[0]`` gives a layer, ``model[1:]`` a new Sequential of the same
        layers; their names in a state dictionary are "0", "1", and so on.

    Raises
    ------
    TypeError
        If something is not a module, such as a class where an instance belongs.
    """

    __slots__ = ("layers",)

    def __init__(self, *layers: Module) -> None:
        self.layers = [as_module(layer, f"Sequential: layer {i}") for i, layer in enumerate(layers)]

    def forward(self, x: Array) -> Array:
        """Pass `x` through all layers."""
        layer: Module = self
        try:
            for layer in self.layers:
                x = layer.forward(x)
        except (ValueError, TypeError, AttributeError, IndexError) as problem:
            self._explain(layer, x)  # layers don't check the shape, NumPy complains
            problem.add_note(f"The layer was {layer!r}, its input had shape {np.shape(x)}.")
            raise
        return x

    def _explain(self, layer: Module, x: Any) -> None:
        """Raise the clearer error of the layer's own check, if `x` is to blame."""
        place = f"It is layer {self.layers.index(layer)} of the Sequential: {layer!r}."
        try:
            if isinstance(x, tuple):
                raise TypeError(
                    f"{type(layer).__name__}: x must be one array, got {len(x)} values; in a "
                    "Sequential, recurrent layers need return_state=False."
                )
            layer.check_input(x)
        except (ValueError, TypeError) as told:
            told.add_note(place)
            raise told from None

    def backward(self, grad: Array) -> Array:
        """Pass `grad` back through all layers, the last one first."""
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    def backward_params(self, grad: Array) -> None:
        """Pass `grad` back no further than to the first layer that has something to train."""
        first = 0
        while first < len(self.layers) and not self.layers[first].is_trainable():
            first += 1
        for layer in self.layers[:first:-1]:
            grad = layer.backward(grad)
        if first < len(self.layers):
            self.layers[first].backward_params(grad)

    def check_input(self, x: Any) -> Array:
        """Ask the first layer."""
        return self.layers[0].check_input(x) if self.layers else super().check_input(x)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield ``("0", layer)``, ``("1", layer)``, ..."""
        for i, layer in enumerate(self.layers):
            yield str(i), layer

    def append(self, layer: Module) -> Sequential:
        """Add a layer at the end."""
        self.layers.append(as_module(layer, f"Sequential: layer {len(self)}"))
        return self

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        chosen = self.layers[index]
        return Sequential(*chosen) if isinstance(chosen, list) else chosen

    def __setitem__(self, index: int, layer: Module) -> None:
        self.layers[index] = as_module(layer, f"Sequential: layer {index}")


class Residual(Module):
    """``y = x + f(x)``: the layer `f` learns what to change, and gradients pass by it unharmed.

    Parameters
    ----------
    f : Module
        Its output must have the shape of its input.

    Notes
    -----
    He et al., "Deep residual learning for image recognition" (2016).
    """

    __slots__ = ("f",)

    def __init__(self, f: Module) -> None:
        self.f = as_module(f, "Residual: f")

    def forward(self, x: Array) -> Array:
        """Add the input to the output of `f`; same shape as `x`."""
        y = self.f.forward(x)
        if y.shape != x.shape:
            raise ValueError(
                f"Residual: f must keep the shape of its input; it turned {x.shape} into {y.shape}."
            )
        return x + y

    def backward(self, grad: Array) -> Array:
        """Send `grad` both ways, as the sum does: through `f`, and straight on."""
        return grad + self.f.backward(grad)

    def backward_params(self, grad: Array) -> None:
        """Reach the parameters of `f`."""
        self.f.backward_params(grad)

    def check_input(self, x: Any) -> Array:
        """Ask `f`."""
        return self.f.check_input(x)


def as_module(value: Any, name: str) -> Module:
    """Return `value` if it is a module, and no class of modules; `name` is for the message."""
    if not isinstance(value, Module):
        raise TypeError(f"{name} must be a module, such as ReLU(), got {value!r}.")
    return value


def replace_modules(
    model: Module, change: Callable[[str, Module], Module | None]
) -> dict[str, Module]:
    """Put other modules in the place of some of a model's, wherever they are.

    Parameters
    ----------
    model : Module
        Is changed.
    change : callable
        Gets a module's name and the module; returns the new one, or None to keep it. What it
        returns is not searched again.

    Returns
    -------
    dict of str to Module
        The new modules by name.
    """
    replaced: dict[str, Module] = {}
    _replace(model, "", change, replaced)
    return replaced


def _replace(
    parent: Module,
    prefix: str,
    change: Callable[[str, Module], Module | None],
    replaced: dict[str, Module],
) -> None:
    for name, child in list(parent.named_children()):
        new = change(prefix + name, child)
        if new is None:
            _replace(child, f"{prefix}{name}.", change, replaced)
            continue
        replaced[prefix + name] = new
        attribute, _, index = name.rpartition(".")
        if isinstance(parent, Sequential):
            attribute, index = "layers", name
        if attribute:
            items = list(getattr(parent, attribute))
            items[int(index)] = new
            setattr(parent, attribute, items)
        else:
            setattr(parent, name, new)
