"""What every layer has in common: parameters, a forward pass and a backward pass.

A layer is written like this (``__slots__`` names every attribute, so that a misspelt one, as in
``layer.wieght = ...``, raises instead of being ignored; it also makes attributes quick, and its
order is the order of ``parameters()``: weight before bias, as in PyTorch)::

    class Scale(Module):
        __slots__ = ("weight", "_x")

        def __init__(self, size, *, dtype=np.float32):
            self.weight = Parameter(np.ones(size, dtype))

        def forward(self, x):
            self._x = x                     # what backward will need
            return x * self.weight.data

        def backward(self, grad):
            self.weight.accumulate((grad * self._x).sum(axis=0))
            return grad * self.weight.data

A class without ``__slots__`` works as well, like any Python class; it only loses that protection.
"""

# NumPy types the arithmetic of arrays as Any.
# mypy: no-warn-return-any

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

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
        if getattr(getattr(data, "dtype", None), "kind", None) != "f":  # integers cannot learn
            raise TypeError(f"Parameter: expected an array of floating-point numbers, got {data!r}")
        self.data = data
        self.grad: Array | None = None
        self.requires_grad = requires_grad

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.data.shape

    @property
    def size(self) -> int:
        """Number of values."""
        return self.data.size

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

    ``model(x)`` is the door: it checks the input once, then calls ``forward``. Containers call
    ``layer.forward`` directly, so that layers inside a model don't check again.

    Attributes
    ----------
    training : bool
        True after ``train()`` (and at first), False after ``eval()``.
    buffer_names : tuple of str
        Class attribute: arrays that are saved with the parameters but not trained, such as
        running statistics.
    """

    __slots__ = ("training",)
    training: bool
    buffer_names: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Make the object; ``__init__`` fills it."""
        self = super().__new__(cls)
        self.training = True  # here, so that a subclass need not call super().__init__()
        return self

    # -- what a layer defines ---------------------------------------------------------------

    def forward(self, x: Array) -> Array:
        """Compute the output for the input `x`."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass")

    def backward(self, grad: Array) -> Array:
        """Take d loss / d output, add to the parameters' gradients, return d loss / d input."""
        raise NotImplementedError(f"{type(self).__name__} has no backward pass")

    def backward_params(self, grad: Array) -> None:
        """Do the work of ``backward`` for the parameters only.

        The gradient of the model's input is of no use in training, and is one matrix product in
        each of the first layers: `Linear` and `Sequential` leave it out here.
        """
        self.backward(grad)

    def check_input(self, x: Any) -> Array:
        """Return `x` as an array this module can take, or raise one clear error.

        Layers that know more (a number of features, integer tokens) override this.
        """
        return check_float_batch(x, type(self).__name__)

    def extra_repr(self) -> str:
        """Text between the parentheses of the module's ``repr``."""
        return ""

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Array:
        """Check the input, then run ``forward``."""
        return self.forward(self.check_input(x), *args, **kwargs)

    if not TYPE_CHECKING:  # a type checker would take it as leave to read anything

        def __getattr__(self, name: str) -> Any:
            # Python asks here only when an attribute is missing, so this costs nothing otherwise.
            if name.startswith("_") and not name.startswith("__"):
                raise AttributeError(
                    f"{type(self).__name__} has no {name!r} yet: backward() needs what forward() "
                    "keeps, so call model(x) first."
                )
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    # -- finding the parts ------------------------------------------------------------------

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values of all attributes, in order of definition; None if not yet set."""
        for name in _slot_names(type(self).__mro__):
            yield name, getattr(self, name, None)
        if type(self).__dictoffset__:  # a class somewhere above has no __slots__
            yield from self.__dict__.items()

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the direct sub-modules with their names: ``"head"``, or ``"blocks.0"`` in lists."""
        for name, value in self._attributes():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list | tuple):
                for i, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{i}", item

    def children(self) -> Iterator[Module]:
        """Yield the direct sub-modules."""
        for _, child in self.named_children():
            yield child

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield this module (with `prefix` as its name) and all modules below it."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all modules below it."""
        for _, module in self.named_modules():
            yield module

    def _named_arrays(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Yield parameters or buffers under every name they have (tied weights have several)."""
        for prefix, module in self.named_modules():
            dot = f"{prefix}." if prefix else ""
            if kind == "buffers":
                for name in module.buffer_names:
                    yield dot + name, getattr(module, name)
                continue
            for name, value in module._attributes():
                if isinstance(value, Parameter):
                    yield dot + name, value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield ``("blocks.0.weight", parameter)`` pairs; a shared parameter only once."""
        seen: set[int] = set()
        for name, p in self._named_arrays("parameters"):
            if id(p) not in seen:
                seen.add(id(p))
                yield name, p

    def parameters(self) -> list[Parameter]:
        """All parameters, frozen ones included, each once."""
        values = [value for _, value in self._attributes()]
        found = dict.fromkeys(v for v in values if isinstance(v, Parameter))  # keeps their order
        for value in values:
            for child in value if isinstance(value, list | tuple) else (value,):
                if isinstance(child, Module):
                    found |= dict.fromkeys(child.parameters())
        return list(found)

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield the arrays that are saved but not trained, with their names."""
        yield from self._named_arrays("buffers")

    # -- switches ---------------------------------------------------------------------------

    def zero_grad(self) -> None:
        """Forget all gradients. Call it before each backward pass that should not add up."""
        for p in self.parameters():
            p.grad = None

    def train(self, mode: bool = True) -> Self:
        """Switch to training behaviour (dropout on, batch statistics)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation behaviour (dropout off, running statistics)."""
        return self.train(False)

    def freeze(self) -> Self:
        """Take all parameters out of training, and forget their gradients.

        Batch normalisation still updates its running statistics in training mode; ``eval()``
        stops that.
        """
        for p in self.parameters():
            p.requires_grad = False
            p.grad = None
        return self

    def unfreeze(self) -> Self:
        """Put all parameters (back) into training."""
        for p in self.parameters():
            p.requires_grad = True
        return self

    def is_trainable(self) -> bool:
        """Tell whether any parameter in this module is not frozen."""
        for _, value in self._attributes():
            if isinstance(value, Parameter) and value.requires_grad:
                return True
        return any(child.is_trainable() for child in self.children())

    def to(self, dtype: Any) -> Self:
        """Convert parameters, gradients and floating buffers to `dtype`, e.g. ``np.float64``."""
        if np.dtype(dtype).kind != "f":
            raise TypeError(f"to: expected a floating-point type, such as np.float64, got {dtype}")
        for p in self.parameters():
            p.data = p.data.astype(dtype)
            p.grad = None if p.grad is None else p.grad.astype(dtype)
        for module in self.modules():
            for name in module.buffer_names:
                value = getattr(module, name)
                if np.issubdtype(value.dtype, np.floating):
                    setattr(module, name, value.astype(dtype))
        return self

    # -- saving -----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """Copy all parameters and buffers into a flat dictionary: name -> array."""
        state = {name: p.data.copy() for name, p in self._named_arrays("parameters")}
        state.update((name, b.copy()) for name, b in self.named_buffers())
        return state

    def load_state_dict(self, state: Mapping[str, Array], strict: bool = True) -> Self:
        """Copy the values of `state` into this module's arrays, in place.

        Nothing is changed unless everything fits.

        Parameters
        ----------
        state : mapping of str to ndarray
            As made by ``state_dict``.
        strict : bool
            False ignores names that are missing on one side.

        Raises
        ------
        ValueError
            If a shape differs, or (when strict) a name is missing or unknown.
        """
        own: dict[str, Array] = {n: p.data for n, p in self._named_arrays("parameters")}
        own.update(self.named_buffers())
        problems = []
        if strict:
            problems += [f"{name} is missing" for name in own if name not in state]
            problems += [f"{name} is not in the model" for name in state if name not in own]
        common = [name for name in own if name in state]
        problems += [
            f"{name} has shape {np.shape(state[name])}, expected {own[name].shape}"
            for name in common
            if np.shape(state[name]) != own[name].shape
        ]
        kinds = {name: np.asarray(state[name]).dtype for name in common}
        problems += [
            f"{n} holds {kind}, no numbers" for n, kind in kinds.items() if kind.kind not in "fiub"
        ]
        if problems:
            raise ValueError(
                f"state does not fit {type(self).__name__}: {'; '.join(problems)}. "
                "Load it into a model built with the same arguments."
            )
        for name in common:
            own[name][...] = state[name]
        return self

    # -- showing ----------------------------------------------------------------------------

    def num_parameters(self, trainable_only: bool = False) -> int:
        """Count the values in all parameters, shared ones once."""
        return sum(p.size for p in self.parameters() if p.requires_grad or not trainable_only)

    def summary(self, x: Array | None = None) -> Any:
        """Return a table of layers, shapes and parameters; with an input `x`, output shapes too."""
        from ffcourse.nn.summary import summarize  # here, because summary imports this module

        return summarize(self, x)

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}({self.extra_repr()}\n  {body}\n)"

    def __str__(self) -> str:
        """Return the table of ``summary()`` for a model, the ``repr`` for a single layer."""
        return str(self.summary()) if any(True for _ in self.named_children()) else repr(self)


@cache
def _slot_names(classes: tuple[type, ...]) -> tuple[str, ...]:
    """Names in ``__slots__`` of a class and its bases, the bases' first."""
    return tuple(name for cls in reversed(classes) for name in cls.__dict__.get("__slots__", ()))


def check_float_batch(x: Any, name: str, features: int | None = None, dtype: Any = None) -> Array:
    """Return `x` as a non-empty floating-point array, or raise one clear error.

    Parameters
    ----------
    x : array_like
        What came in.
    name : str
        Who asks; for the message.
    features : int, optional
        Expected size of the last axis.
    dtype : dtype, optional
        Floats of another precision are converted to it; integers are an error, since an
        integer array that should have been scaled is a common and silent mistake.

    Raises
    ------
    TypeError
        If `x` does not hold floating-point numbers.
    ValueError
        If `x` is empty or has the wrong number of features.
    """
    x = np.asarray(x)
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name}: x must hold floating-point numbers, got dtype {x.dtype}; "
            "convert it with x.astype(np.float32)."
        )
    if x.size == 0:
        raise ValueError(f"{name}: x is empty, it has shape {x.shape}; give at least one example.")
    if features is not None and (x.ndim == 0 or x.shape[-1] != features):
        raise ValueError(
            f"{name}: x must have shape (..., {features}), got {x.shape}; "
            f"its last axis must hold the {features} input features."
        )
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)
