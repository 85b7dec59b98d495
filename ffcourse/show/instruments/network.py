"""A network as a diagram: weights as links, activations as units, and what one unit computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ffcourse.nn import Linear, Module
from ffcourse.show.instruments.common import Array, Extent, blank, grid, points, weighted
from ffcourse.show.layers import Contour, Discs, Dots, Layer, Links, Map, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Range

_SHOWN = 8
"""Units drawn in one layer; of longer ones the first."""

_CELLS = 50


@dataclass
class Stage:
    """One layer of units: the linear layer before them, and the activation after that."""

    linear: Linear
    after: list[Module]

    @property
    def weight(self) -> Array:
        """Shape (n_in, n_out)."""
        return np.asarray(self.linear.weight.data, np.float64)

    @property
    def bias(self) -> Array:
        """Shape (n_out,)."""
        b = self.linear.bias
        return np.zeros(self.weight.shape[1]) if b is None else np.asarray(b.data, np.float64)

    @property
    def name(self) -> str:
        """Name of the activation, empty for none."""
        return "+".join(type(m).__name__ for m in self.after)

    def run(self, x: Array) -> Array:
        """(N, n_in) -> (N, n_out)."""
        a = x @ self.weight + self.bias
        for module in self.after:
            mode = module.training
            module.eval()  # no dropout in a diagram
            a = np.asarray(module(a), np.float64)
            module.train(mode)
        return a


def stages_of(model: Any) -> list[Stage]:
    """Return the layers of a feedforward network.

    Raises
    ------
    ValueError
        If `model` is not a chain of Linear layers with activations between.
    """
    modules = list(getattr(model, "layers", [model]))
    if not modules or not isinstance(modules[0], Linear):
        raise ValueError(
            "model must be a Sequential that begins with Linear, such as "
            f"Sequential(Linear(2, 3), Tanh(), Linear(3, 1)), got {type(model).__name__}"
        )
    stages: list[Stage] = []
    for module in modules:
        if isinstance(module, Linear):
            stages.append(Stage(module, []))
        elif list(module.parameters()):
            raise ValueError(f"model: {type(module).__name__} has no place in this diagram")
        else:
            stages[-1].after.append(module)
    return stages


def network(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    reach: float = 3.0,
) -> LiveFigure:
    """Show a feedforward network at work; choose a unit to see what it computes.

    Links are weights: thick for large, blue and dashed below zero, rust above. Units are filled
    by their activations in the same colours. With two inputs, a map shows the chosen unit's
    activation over the whole plane, with the data if given.

    Parameters
    ----------
    model : Sequential
        Linear layers with activations between; at most 8 units of a layer are drawn.
    X : array_like, shape (N, D), optional
        Data. Needed for more than three inputs: then a slider walks through the examples.
    y : array_like of int, shape (N,), optional
        Their classes.
    inputs, outputs : sequence of str, optional
        Names.
    reach : float
        Sliders of inputs go from ``-reach`` to ``reach``.
    """
    stages = stages_of(model)
    width = stages[0].weight.shape[0]
    names = _names(stages, inputs, outputs)
    if X is None and width > 3:
        raise ValueError(
            f"network: with {width} inputs, give X, whose rows the slider walks through"
        )
    X = None if X is None else np.asarray(X, np.float64)
    controls = _controls(width, X, names, reach)
    plane = _Plane(stages, X, y, reach) if width == 2 else None

    def diagram(**values: Any) -> list[Layer]:
        if width <= 3:
            x = np.array([[values[name] for name in names[0]]])
        else:
            assert X is not None
            x = X[values["example"]][None]
        layer, k = _find(values["unit"], names)
        activations = [x]
        for stage in stages:
            activations.append(stage.run(activations[-1]))
        out = _draw(stages, [a[0] for a in activations], names, (layer, k))
        out += _explain(stages, activations, names, layer, k)
        if plane is not None:
            out += plane.layers(layer, k, x[0])
        return out

    first = Panel((-0.35, len(stages) + 0.35), (-1.32, 1.05), axes=False, width=1.7)
    side = blank(0.9) if plane is None else plane.panel(names[0])
    shape = "-".join(str(n) for n in [width, *(s.weight.shape[1] for s in stages)])
    return live(
        diagram,
        background=[first, side],
        alt=f"A {shape} network with its weights and activations, and what one unit computes.",
        height=3.8,
        **controls,
    )


def _names(
    stages: list[Stage], inputs: Sequence[str] | None, outputs: Sequence[str] | None
) -> list[list[str]]:
    """Return the names of the units, layer by layer, the inputs first."""
    n_in = stages[0].weight.shape[0]
    names = [list(inputs) if inputs else [f"x{i + 1}" for i in range(n_in)]]
    for depth, stage in enumerate(stages):
        n = stage.weight.shape[1]
        last = depth == len(stages) - 1
        if last and outputs:
            names.append(list(outputs))
        else:
            letter = ("y" if last else "h") if len(stages) < 3 or last else f"h{depth + 1}."
            names.append([f"{letter}{i + 1}" if n > 1 or not last else "y" for i in range(n)])
    for have, want in zip(names, [n_in, *(s.weight.shape[1] for s in stages)], strict=True):
        if len(have) != want:
            raise ValueError(f"network: {want} units need as many names, got {have}")
    return names


def _controls(width: int, X: Array | None, names: list[list[str]], reach: float) -> dict[str, Any]:
    units = [name for layer in names[1:] for name in layer[:_SHOWN]]
    out: dict[str, Any] = {}
    if width <= 3:
        start = np.linspace(0.5, -0.5, width) if width > 1 else [0.5]
        for name, value in zip(names[0], start, strict=True):
            out[name] = Range(-reach, reach, 0.05, float(round(value, 2)))
    else:
        assert X is not None
        out["example"] = Range(0, len(X) - 1, 1, 0)
    out["unit"] = Choice(*units)
    return out


def _find(unit: str, names: list[list[str]]) -> tuple[int, int]:
    """Return the layer (1 is the first after the inputs) and the place in it."""
    for layer, members in enumerate(names[1:], 1):
        if unit in members:
            return layer, members.index(unit)
    raise ValueError(f"unit must be one of {[n for row in names[1:] for n in row]}, got {unit!r}")


def _rows(n: int) -> Array:
    """Return the heights of the units of a layer, the first on top."""
    shown = min(n, _SHOWN)
    return np.linspace(0.78, -0.78, shown) if shown > 1 else np.zeros(1)


def _draw(
    stages: list[Stage], values: list[Array], names: list[list[str]], chosen: tuple[int, int]
) -> list[Layer]:
    """Return links, units and their names."""
    reach = max(float(np.abs(s.weight).max()) for s in stages) or 1.0
    layers: list[Layer] = []
    for depth, stage in enumerate(stages):
        left, right = _rows(stage.weight.shape[0]), _rows(stage.weight.shape[1])
        i, j = (v.ravel() for v in np.meshgrid(range(len(left)), range(len(right))))
        ends = np.full(i.shape, depth), left[i], np.full(i.shape, depth + 1), right[j]
        layers.append(Links(*ends, stage.weight[i, j], reach, name=f"weights {depth + 1}"))
    most = max(len(v) for v in values)
    radius = 13.0 if most <= 5 else 9.5
    for depth, activation in enumerate(values):
        y = _rows(len(activation))
        n = len(y)
        pick = chosen[1] if chosen[0] == depth else None
        x = np.full(n, depth)
        discs = Discs(x, y, activation[:n], radius, 1.5, pick, name=f"units {depth}", clip=False)
        numbers = [f"{v:.2f}".replace("-", "−") for v in activation[:n]]
        layers += [
            discs,
            Text(
                x,
                y,
                numbers,
                size=8,
                anchor="center",
                quiet=True,
                halo=True,
                name=f"values {depth}",
            ),
        ]
        shift = 0.2 if n <= 5 else 0.13
        layers.append(
            Text(
                x,
                y + shift,
                names[depth][:n],
                size=8,
                anchor="center",
                quiet=True,
                halo=True,
                name=f"names {depth}",
            )
        )
    return layers


def _explain(
    stages: list[Stage], activations: list[Array], names: list[list[str]], layer: int, k: int
) -> list[Layer]:
    """Say in numbers what the chosen unit computes."""
    stage = stages[layer - 1]
    w, b = stage.weight[:, k], float(stage.bias[k])
    z = float(activations[layer - 1][0] @ w + b)
    a = float(activations[layer][0, k])
    few = len(w) <= 3
    inner = weighted(w.tolist(), names[layer - 1], b) if few else f"{len(w)} weighted inputs + bias"
    said = f"{names[layer][k]} = {stage.name or 'identity'}({inner})"
    result = f"= {stage.name or 'identity'}({z:.3f}) = {a:.3f}".replace("-", "−")
    return [
        Text(0.02, 0.085, said, size=9, fraction=True, name="formula"),
        Text(0.02, 0.015, result, size=9, fraction=True, bold=True, name="result"),
    ]


class _Plane:
    """What a unit says over the plane of two inputs."""

    def __init__(self, stages: list[Stage], X: Array | None, y: Any, reach: float) -> None:
        self.extent: Extent = (-reach, reach, -reach, reach)
        self.data: tuple[Array, Any] | None = None if X is None else points(X, y)
        a = grid(self.extent, _CELLS)
        self.maps = []
        for stage in stages:
            a = stage.run(a)
            self.maps.append(a)

    def panel(self, names: list[str]) -> Panel:
        x0, x1, y0, y1 = self.extent
        title = "the chosen unit"
        return Panel((x0, x1), (y0, y1), names[0], names[1], title, equal=True)

    def layers(self, layer: int, k: int, x: Array) -> list[Layer]:
        values = self.maps[layer - 1][:, k].reshape(_CELLS, _CELLS)
        out: list[Layer] = [
            Map(values, self.extent, low=-1.5, high=1.5, opacity=0.7, panel=1, name="map"),
            Contour(values, self.extent, (0.0,), "ink", 1.2, panel=1, name="zero"),
        ]
        if self.data is not None:
            X, y = self.data
            out.append(Dots(X[:, 0], X[:, 1], y, size=3.5, panel=1, name="data"))
        out.append(Dots([x[0]], [x[1]], role="ink", size=9, panel=1, name="input"))
        return out
