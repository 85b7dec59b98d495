"""The gradient check, which tells whether ``backward`` is the derivative of ``forward``.

The derivative of a number with respect to one input can be measured: move the input a little to
both sides and see how the number changes, ``(f(x + h) - f(x - h)) / 2h``. That takes two forward
passes for every single number, so it is of no use in training, but it needs no ``backward``, and so
it can judge one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ffcourse.data.check import as_rng
from ffcourse.nn.module import Array, Module, Parameter
from ffcourse.train.checks import at_least

STEP = 1e-5  # h: the error of the formula falls with h², that of rounding grows with 1 / h


@dataclass(frozen=True)
class GradcheckRow:
    """Verdict on one array.

    Attributes
    ----------
    name : str
        ``"input"``, or the parameter's path.
    shape : tuple of int
        Shape of the array.
    checked : int
        How many of its numbers were moved.
    relative_error : float
        Length of the difference between both gradients, relative to the sum of their lengths.
    analytic, numeric : float
        Both gradients where they differ most.
    worst : tuple of int
        Where that is.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    relative_error: float
    analytic: float
    numeric: float
    worst: tuple[int, ...]


@dataclass(frozen=True)
class GradcheckReport:
    """All verdicts; prints as a table.

    Attributes
    ----------
    rows : tuple of GradcheckRow
        One for the input and each parameter.
    tolerance : float
        Largest relative error that passes.
    """

    rows: tuple[GradcheckRow, ...]
    tolerance: float

    @property
    def max_relative_error(self) -> float:
        """The largest relative error of all arrays."""
        return max((r.relative_error for r in self.rows), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every array is within the tolerance."""
        return all(r.relative_error <= self.tolerance for r in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max([len(r.name) for r in self.rows] + [5])
        head = f"{'array':<{width}}  {'shape':<14}{'checked':>9}{'rel. error':>12}"
        lines = [f"{head}{'backward says':>15}{'measured':>13}  worst at"]
        for r in self.rows:
            mark = "" if r.relative_error <= self.tolerance else "   <- WRONG"
            lines.append(
                f"{r.name:<{width}}  {r.shape!s:<14}{r.checked:>9}{r.relative_error:>12.1e}"
                f"{r.analytic:>15.6g}{r.numeric:>13.6g}  {_place(r.worst)}{mark}"
            )
        verdict = "passed" if self.passed else "FAILED"
        lines.append(f"gradient check {verdict}: tolerance {self.tolerance:.0e}")
        return "\n".join(lines)

    __repr__ = __str__


def gradcheck(
    module: Any,
    x: Any,
    target: Any = None,
    loss: Any = None,
    *,
    rng: np.random.Generator | None = None,
    tolerance: float = 1e-6,
    entries: int = 1000,
) -> GradcheckReport:
    """Compare the gradients of `module` with measured ones, in float64.

    Without a loss, the output is drawn together into one number with random weights, which are
    then the upstream gradient. (With all ones, many wrong gradients look right.) The check runs on
    a float64 copy: `module` and `x` are not changed.

    Parameters
    ----------
    module : Module, or a loss
        A loss, called as ``module(x, target)``, is recognised by the missing `loss`.
    x : ndarray
        Input with the shape that `module` expects. Integers, as tokens, are not differentiated.
        Keep away from kinks: at 0 a ReLU has no derivative to be measured.
    target : ndarray, optional
        Second argument of the loss.
    loss : loss, optional
        Check ``loss(module(x), target)`` as a whole.
    rng : Generator, optional
        Draws the upstream gradient and which numbers are checked; by default seeded with 0.
    tolerance : float
        Largest relative error that passes.
    entries : int
        Of an array with more numbers than this, so many are checked, drawn at random; at least 1.

    Returns
    -------
    GradcheckReport
        ``print`` it; ``.passed`` and ``.max_relative_error`` are for tests.

    Examples
    --------
    >>> import numpy as np
    >>> from ffcourse import nn, train
    >>> rng = np.random.default_rng(0)
    >>> layer = nn.Linear(3, 2, rng=rng)
    >>> train.gradcheck(layer, rng.normal(size=(4, 3))).passed
    True
    """
    rng = as_rng(0 if rng is None else rng)
    at_least("entries", entries)
    for name, part in (("module", module), ("loss", loss)):
        if isinstance(part, type) or (part is not None and not hasattr(part, "backward")):
            raise TypeError(
                f"{name}: expected an object with a backward method, such as nn.Linear(3, 2), "
                f"got {part!r}"
            )
    module, loss = (copy.deepcopy(m) for m in (module, loss))
    if loss is None and target is not None:
        module, loss = None, module
    x = np.array(x)
    if x.dtype.kind not in "fiu":
        raise TypeError(f"x: expected floating-point numbers, or tokens, got dtype {x.dtype}")
    x = x.astype(np.float64) if x.dtype.kind == "f" else x
    if isinstance(module, Module):
        module.to(np.float64)
    f = _Scalar(module, loss, x, target, rng)

    arrays = [(name, p.data) for name, p in f.parameters()]
    analytic = f.gradients()
    if x.dtype.kind == "f":
        arrays.insert(0, ("input", x))
    measured = [_measure(f, a, rng, entries) for _, a in arrays]
    # An array whose true gradient is zero, so that only rounding is measured, is judged by the
    # size of the other gradients.
    floor = 1e-3 * max((np.linalg.norm(m) for _, m in measured), default=0.0)
    rows = [
        _row(name, a, analytic[name], places, m, float(floor))
        for (name, a), (places, m) in zip(arrays, measured, strict=True)
    ]
    return GradcheckReport(tuple(rows), tolerance)


class _Scalar:
    """The number that is differentiated, as a function of arrays that are changed in place."""

    def __init__(
        self, module: Any, loss: Any, x: Array, target: Any, rng: np.random.Generator
    ) -> None:
        self.module, self.loss, self.x, self.target = module, loss, x, target
        self.random = [(g, g.bit_generator.state) for g in generators(module)]
        self.upstream: Array | None = None
        if loss is None:
            self.upstream = rng.normal(size=np.shape(self._output()))

    def _output(self) -> Array:
        for generator, state in self.random:  # the same dropout mask in every pass
            generator.bit_generator.state = state
        out: Any = self.x if self.module is None else self.module(self.x)
        if isinstance(out, tuple):
            raise TypeError(
                f"module: expected one array as output, {type(self.module).__name__} returns "
                f"{len(out)}; build it with return_state=False"
            )
        result: Array = out
        return result

    def __call__(self) -> float:
        out = self._output()
        if self.loss is not None:
            return float(self.loss(out, self.target))
        assert self.upstream is not None
        return float(np.sum(out * self.upstream))

    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        if isinstance(self.module, Module):
            yield from ((n, p) for n, p in self.module.named_parameters() if p.requires_grad)

    def gradients(self) -> dict[str, Array]:
        """Return what ``backward`` says, by name."""
        for _, p in self.parameters():
            p.grad = None
        self()
        grad = self.upstream.copy() if self.upstream is not None else self.loss.backward()
        grad = grad if self.module is None else self.module.backward(grad)
        named = {"input": grad, **{name: p.grad for name, p in self.parameters()}}
        return {name: np.array(0.0 if g is None else g) for name, g in named.items()}


def generators(module: Any) -> list[np.random.Generator]:
    """List the random generators that the layers of `module` hold, each once."""
    if not isinstance(module, Module):
        return []
    found: dict[int, np.random.Generator] = {}
    for layer in module.modules():
        for _, value in layer._attributes():
            if isinstance(value, np.random.Generator):
                found[id(value)] = value
    return list(found.values())


def _measure(
    f: Callable[[], float], a: Array, rng: np.random.Generator, entries: int
) -> tuple[Array, Array]:
    """Return which numbers of `a` were moved, as flat indices, and the measured derivatives."""
    places = np.sort(rng.choice(a.size, size=min(entries, a.size), replace=False))
    flat = a.reshape(-1)
    slopes = np.empty(len(places))
    for k, i in enumerate(places):
        old = flat[i]
        h = STEP * max(1.0, abs(old))
        flat[i] = old + h
        above = f()
        flat[i] = old - h
        below = f()
        flat[i] = old
        slopes[k] = (above - below) / (2 * h)
    return places, slopes


def _row(
    name: str, a: Array, analytic: Array, places: Array, measured: Array, floor: float
) -> GradcheckRow:
    if analytic.shape not in ((), a.shape):
        raise ValueError(
            f"{name}: expected a gradient of shape {a.shape}, like the array itself, "
            f"but backward made one of shape {analytic.shape}"
        )
    said = np.broadcast_to(analytic, a.shape).reshape(-1)[places]
    difference = np.abs(said - measured)
    lengths = float(np.linalg.norm(said) + np.linalg.norm(measured))
    error = float(np.linalg.norm(difference)) / max(lengths, floor) if lengths else 0.0
    error = error if np.isfinite(error) else np.inf
    k = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
    worst = tuple(int(i) for i in np.unravel_index(int(places[k]), a.shape))
    return GradcheckRow(
        name, a.shape, len(places), error, float(said[k]), float(measured[k]), worst
    )


def _place(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"
