"""A computation as a graph: values on the way forward, gradients on the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ffcourse.nn import Value
from ffcourse.nn.autograd_draw import Graph, lay_out
from ffcourse.show.layers import Arrow, Boxes, Layer, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Range, control_of
from ffcourse.show.style import WIDTH

_HIGH = 0.8  # of a box, in rows


@dataclass(frozen=True)
class _Plan:
    """Sizes that leave room between the boxes for the slopes.

    Attributes
    ----------
    wide : float
        Width of a box, in columns.
    size : float
        Of the slopes' letters, in points.
    column, row : float
        Inches a column, inches a row.
    """

    wide: float
    size: float
    column: float
    row: float


def _plan(columns: int, rows: float, height: float) -> _Plan:
    room, small = WIDTH - 0.2, min(1.0, max(0.7, 6 / columns))
    inches = min(1.6, max(0.76 * small, (room - (columns - 1)) / columns))
    column = (room - inches) / max(columns - 1, 1)
    return _Plan(inches / column, 8 * small, column, height / rows)


def computation_graph(fn: Callable[..., Any], *, backward: int = 0, **ranges: Any) -> LiveFigure:
    """Show what a calculation with `Value` builds, and walk backward through it step by step.

    Each box holds a value and, once the backward pass has reached it, the gradient of the result
    with respect to it; at each arrow stands the local slope.

    Parameters
    ----------
    fn : callable
        Takes Values and returns one, such as ``lambda w, x, b: (w * x + b).tanh()``. A label that
        it gives to a Value, ``z.label = "z"``, stands in its box.
    backward : int
        How many steps back the first picture shows.
    **ranges
        At most three inputs: a start value, ``(low, high)`` or a `Range` for each. Further inputs
        belong into `fn`.
    """
    if not 1 <= len(ranges) <= 3:
        raise ValueError(f"computation_graph: give one to three inputs, got {len(ranges)}")
    controls = {name: _knob(spec) for name, spec in ranges.items()}
    graph = _graph(fn, {name: control.value for name, control in controls.items()})
    order = _backward_order(graph)

    columns = max(node.column for node in graph.nodes) + 1
    rows = [node.row for node in graph.nodes]
    high = max(rows) - min(rows) + 1.2
    height = max(1.8, 0.72 * high)
    plan = _plan(columns, high, height)

    def picture(backward: int, **inputs: float) -> list[Layer]:
        now = _graph(fn, inputs)
        if len(now.nodes) != len(graph.nodes):
            raise ValueError("computation_graph: fn must build the same graph for all inputs")
        return _draw(now, plan, set(order[:backward]), order[backward - 1] if backward else None)

    side = plan.wide / 2 + 0.05 / plan.column
    limits = (-side, columns - 1 + side), (-max(rows) - 0.6, -min(rows) + 0.6)
    count = len(order)
    return live(
        picture,
        background=Panel(*limits, axes=False),
        alt=f"A computation graph of {count} values, with values and gradients.",
        height=height,
        play="backward",
        interval=0.7,
        backward=Range(0, count, 1, min(backward, count), label="steps back"),
        **controls,
    )


def _knob(spec: Any) -> Range:
    if isinstance(spec, int | float):
        reach = max(3.0, 2 * abs(spec))
        return Range(-reach, reach, 0.1, float(spec))
    control = control_of(spec, 0.0)
    if not isinstance(control, Range):
        raise TypeError(f"computation_graph: inputs need numbers or ranges, got {spec!r}")
    if control.value is None:
        control.value = control.start()
    return control


def _graph(fn: Callable[..., Any], inputs: dict[str, float]) -> Graph:
    result = fn(**{name: Value(v, name) for name, v in inputs.items()})
    if not isinstance(result, Value):
        raise TypeError(f"fn must return a Value, got {type(result).__name__}")
    result.backward()
    return lay_out(result)


def _backward_order(graph: Graph) -> list[int]:
    """Return the nodes from the result to the inputs; nodes come with parents before children."""
    return list(range(len(graph.nodes)))[::-1]


def _draw(graph: Graph, plan: _Plan, reached: set[int], newest: int | None) -> list[Layer]:
    x = np.array([n.column for n in graph.nodes], float)
    y = -np.array([n.row for n in graph.nodes], float)
    box = plan.wide, _HIGH
    layers = _edges(graph, plan, x, y, reached)
    layers.append(Boxes(x, y, *box, spoken=_aloud(graph, reached), name="boxes"))
    if newest is not None:
        layers.append(Boxes(x[newest], y[newest], *box, "gradient", 2.6, 0.12, name="newest"))
    titles = [_title(n.label, n.op) for n in graph.nodes]
    values = [_short(n.data) for n in graph.nodes]
    grads = [f"grad {_brief(n.grad)}" if i in reached else "" for i, n in enumerate(graph.nodes)]
    look: dict[str, Any] = {"anchor": "center", "quiet": True}
    size = plan.size * 9 / 8
    return [
        *layers,
        Text(x, y + 0.24, titles, bold=True, size=size, name="names", **look),
        Text(x, y, values, size=size, name="values", **look),
        Text(x, y - 0.24, grads, "gradient", size=plan.size, name="gradients", **look),
    ]


def _edges(graph: Graph, plan: _Plan, x: Any, y: Any, reached: set[int]) -> list[Layer]:
    """Return an arrow for each use of a value; those that are walked back carry their slope."""
    if not graph.edges:
        return []
    half, apart = plan.wide / 2, _apart(graph)
    places = [
        (x[p] + half, y[p] + d, x[c] - half, y[c] + d)
        for (p, c, _), d in zip(graph.edges, apart, strict=True)
    ]
    ends = np.array(places, float).reshape(-1, 4)
    on = np.array([c in reached for _, c, _ in graph.edges], bool)
    slopes = [f"×{_brief(s)}" for _, c, s in graph.edges if c in reached]
    back = ends[on]
    middle = (back[:, :2] + back[:, 2:]) / 2
    # A steep arrow is cut open for its slope; above a flat one there is room.
    inches = (back[:, 2:] - back[:, :2]) * (plan.column, plan.row)
    length = np.maximum(np.hypot(*inches.T), 1e-9)
    steep = np.abs(inches[:, 1]) > 0.35 * length
    label = np.array([len(s) * plan.size * 0.32 / 72 for s in slopes]), 0.55 * plan.size / 72
    with np.errstate(divide="ignore"):
        hole = np.minimum(label[0] / np.abs(inches[:, 0]), label[1] / np.abs(inches[:, 1])) + 0.02
    hole = np.where(steep, np.minimum(hole, 0.3), 0)[:, None]
    cut = (back[:, 2:] - back[:, :2]) * hole
    high = np.where(steep, 0, 0.095 / plan.row + np.abs(inches[:, 1]) / length * 0.15)
    look: dict[str, Any] = {"role": "gradient", "size": plan.size, "anchor": "center"}
    tails = np.concatenate([back[:, 2:], middle + cut], 1)[steep]
    return [
        _arrows(ends[~on], "forward", "ink", 1, 6),
        _arrows(tails, "backward tails", "gradient", 1.4, 0),
        _arrows(_tips(back, middle - cut, steep), "backward", "gradient", 1.4, 8),
        Text(middle[:, 0], middle[:, 1] + high, slopes, quiet=True, name="slopes", **look),
    ]


def _arrows(ends: Any, name: str, role: str, width: float, head: float) -> Layer:
    x0, y0, x1, y1 = ends.T
    return Arrow(x0, y0, x1, y1, role=role, width=width, head=head, name=name)


def _tips(back: Any, before: Any, steep: Any) -> Any:
    """Return tail and tip of the part of each arrow that ends at the parent, shape (N, 4)."""
    start = np.where(steep[:, None], before, back[:, 2:])
    return np.concatenate([start, back[:, :2]], 1)


def _apart(graph: Graph) -> list[float]:
    """Return how far up each edge is moved, in rows: a value used twice sends two arrows."""
    pairs = [(p, c) for p, c, _ in graph.edges]
    many = {pair: pairs.count(pair) for pair in pairs}
    moved = []
    for i, pair in enumerate(pairs):
        moved.append(0.36 * (pairs[:i].count(pair) - (many[pair] - 1) / 2))
    return moved


def _aloud(graph: Graph, reached: set[int]) -> str:
    """Return the graph as a sentence."""
    parts = []
    for i, node in enumerate(graph.nodes):
        grad = f", gradient {_short(node.grad)}" if i in reached else ""
        parts.append(f"{node.label or node.op or 'constant'} {_short(node.data)}{grad}")
    return "; ".join(parts) + "."


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _brief(value: float) -> str:
    """Return a slope in few letters, for a narrow place."""
    if 0 < abs(value) < 0.001:
        return f"{value:.0e}".replace("e-0", "e-").replace("-", "−")
    return f"{value:.3g}".replace("-", "−") if abs(value) >= 0.1 else _short(float(f"{value:.2g}"))


def _title(label: str, op: str) -> str:
    op = "−" if op == "-" else op
    if label and op:
        return f"{label} = {'σ' if op == 'sigmoid' else op}"
    return label or op or "constant"
