"""A computation as a graph: values on the way forward, gradients on the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.nn import Value
from ffcourse.nn.autograd_draw import Graph, lay_out
from ffcourse.show.layers import Arrow, Boxes, Layer, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Range, control_of

_BOX = (0.84, 0.8)


def computation_graph(fn: Callable[..., Any], **ranges: Any) -> LiveFigure:
    """Show what a calculation with `Value` builds, and walk backward through it step by step.

    Each box holds a value and, once the backward pass has reached it, the gradient of the result
    with respect to it; at each arrow stands the local slope.

    Parameters
    ----------
    fn : callable
        Takes Values and returns one, such as ``lambda w, x, b: (w * x + b).tanh()``.
    **ranges
        At most three inputs: a start value, ``(low, high)`` or a `Range` for each. Further inputs
        belong into `fn`.
    """
    if not 1 <= len(ranges) <= 3:
        raise ValueError(f"computation_graph: give one to three inputs, got {len(ranges)}")
    controls = {name: _knob(spec) for name, spec in ranges.items()}
    graph = _graph(fn, {name: control.value for name, control in controls.items()})
    order = _backward_order(graph)

    def picture(backward: int, **inputs: float) -> list[Layer]:
        now = _graph(fn, inputs)
        if len(now.nodes) != len(graph.nodes):
            raise ValueError("computation_graph: fn must build the same graph for all inputs")
        return _draw(now, set(order[:backward]), order[backward - 1] if backward else None)

    columns = max(node.column for node in graph.nodes) + 1
    rows = [node.row for node in graph.nodes]
    limits = (-0.6, columns - 0.4), (-max(rows) - 0.6, -min(rows) + 0.6)
    count = len(order)
    return live(
        picture,
        background=Panel(*limits, axes=False),
        alt=f"A computation graph of {count} values, with values and gradients.",
        height=max(1.8, 0.72 * (max(rows) - min(rows) + 1.2)),
        play="backward",
        interval=0.7,
        backward=Range(0, count, 1, 0, label="steps back"),
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


def _draw(graph: Graph, reached: set[int], newest: int | None) -> list[Layer]:
    x = np.array([n.column for n in graph.nodes], float)
    y = -np.array([n.row for n in graph.nodes], float)
    half = _BOX[0] / 2
    places = [(x[p] + half, y[p], x[c] - half, y[c]) for p, c, _ in graph.edges]
    ends = np.array(places, float).reshape(-1, 4)
    on = np.array([c in reached for _, c, _ in graph.edges], bool)
    layers: list[Layer] = []
    if len(ends):
        x0, y0, x1, y1 = ends[~on].T
        layers.append(Arrow(x0, y0, x1, y1, role="ink", width=1, head=6, name="forward"))
        back = ends[on]
        x0, y0, x1, y1 = back.T
        layers.append(Arrow(x1, y1, x0, y0, role="gradient", width=1.4, name="backward"))
        slopes = [f"×{_short(s)}" for _, c, s in graph.edges if c in reached]
        middle_x, middle_y = (back[:, 0] + back[:, 2]) / 2, (back[:, 1] + back[:, 3]) / 2 + 0.13
        look: dict[str, Any] = {"role": "gradient", "size": 8, "anchor": "center", "quiet": True}
        layers.append(Text(middle_x, middle_y, slopes, name="slopes", **look))
    layers.append(Boxes(x, y, *_BOX, spoken=_aloud(graph, reached), name="boxes"))
    if newest is not None:
        layers.append(Boxes(x[newest], y[newest], *_BOX, "gradient", 2.6, 0.12, name="newest"))
    titles = [" = ".join(filter(None, (n.label, n.op))) or "constant" for n in graph.nodes]
    values = [_short(n.data) for n in graph.nodes]
    grads = [f"grad {_short(n.grad)}" if i in reached else "" for i, n in enumerate(graph.nodes)]
    look = {"anchor": "center", "size": 9}
    return [
        *layers,
        Text(x, y + 0.24, titles, bold=True, quiet=True, name="names", **look),
        Text(x, y, values, quiet=True, name="values", **look),
        Text(x, y - 0.24, grads, "gradient", quiet=True, name="gradients", **look),
    ]


def _aloud(graph: Graph, reached: set[int]) -> str:
    """Return the graph as a sentence."""
    parts = []
    for i, node in enumerate(graph.nodes):
        grad = f", gradient {_short(node.grad)}" if i in reached else ""
        parts.append(f"{node.label or node.op or 'constant'} {_short(node.data)}{grad}")
    return "; ".join(parts) + "."


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
