"""Draws the computation graph of a `Value` as SVG, without any other program."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ffcourse.nn.autograd import Value

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 118, 58, 44, 16, 8


@dataclass(frozen=True)
class Node:
    """One value in the drawing: its texts, and its place in columns and rows."""

    label: str
    op: str
    data: float
    grad: float
    column: int
    row: float


@dataclass(frozen=True)
class Graph:
    """Nodes, parents before children, and edges ``(parent, child, slope)`` between them."""

    nodes: list[Node]
    edges: list[tuple[int, int, float]]


def lay_out(result: Value) -> Graph:
    """Give every value a column, as far right as its children allow, and a row near them."""
    values = result.ancestors()
    depth: dict[Value, int] = {}
    children: dict[Value, list[Value]] = {v: [] for v in values}
    for v in values:
        depth[v] = 1 + max((depth[p] for p in v.parents), default=-1)
        for p in v.parents:
            children[p].append(v)
    column: dict[Value, int] = {}
    for v in reversed(values):
        column[v] = min((column[c] for c in children[v]), default=depth[v] + 1) - 1
    row = _rows(values, column, children)
    number = {v: i for i, v in enumerate(values)}
    nodes = [Node(v.label, v.op, v.data, v.grad, column[v], row[v]) for v in values]
    edges = [
        (number[p], number[v], slope)
        for v in values
        for p, slope in zip(v.parents, v.slopes, strict=True)
    ]
    return Graph(nodes, edges)


def _rows(
    values: list[Value], column: dict[Value, int], children: dict[Value, list[Value]]
) -> dict[Value, float]:
    """Sort each column by the rows of its children, from the right, and centre it.

    A line that passes a column takes a place in it, so that it does not cross a box.
    """
    row: dict[Value, float] = {}
    for c in sorted(set(column.values()), reverse=True):
        wish: dict[tuple[Value, Value | None], float] = {}  # a box, or a line to a child
        for v in values:
            if column[v] == c:
                wish[v, None] = sum(row[k] for k in children[v]) / max(len(children[v]), 1)
            elif column[v] < c:
                wish |= {(v, k): row[k] for k in children[v] if column[k] > c}
        for place, (v, child) in enumerate(sorted(wish, key=wish.__getitem__)):
            if child is None:
                row[v] = place - (len(wish) - 1) / 2
    return row


def to_svg(graph: Graph) -> str:
    """Return the SVG text: a box for each value, with its gradient, and a line for each use."""
    top = min(node.row for node in graph.nodes)
    place = [
        (
            MARGIN + node.column * (WIDTH + GAP_X),
            MARGIN + (node.row - top) * (HEIGHT + GAP_Y),
        )
        for node in graph.nodes
    ]
    width = max(x for x, _ in place) + WIDTH + MARGIN
    height = max(y for _, y in place) + HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:g}" '
        f'viewBox="0 0 {width} {height:g}" role="img" font-family="sans-serif" font-size="12" '
        f'text-anchor="middle"><title>{_alt(graph)}</title>'
    ]
    for parent, child, slope in graph.edges:
        (x1, y1), (x2, y2) = place[parent], place[child]
        x1, y1, y2 = x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2
        bend = (x2 - x1) / 2
        parts.append(
            f'<path d="M{x1:g},{y1:g} C{x1 + bend:g},{y1:g} {x2 - bend:g},{y2:g} {x2:g},{y2:g}" '
            f'fill="none" stroke="#777"><title>slope {slope:.6g}</title></path>'
        )
    parts += [_box(node, x, y) for node, (x, y) in zip(graph.nodes, place, strict=True)]
    return "".join([*parts, "</svg>"])


def _box(node: Node, x: float, y: float) -> str:
    name = " = ".join(filter(None, (escape(node.label), escape(node.op)))) or "number"
    middle = x + WIDTH / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#fff" '
        f'stroke="#333"/><text x="{middle:g}" y="{y + 17:g}" font-weight="bold">{name}</text>'
        f'<text x="{middle:g}" y="{y + 34:g}" fill="#0b5394">value {node.data:.4g}</text>'
        f'<text x="{middle:g}" y="{y + 50:g}" fill="#b02a1a">gradient {node.grad:.4g}</text>'
    )


def _alt(graph: Graph) -> str:
    """Say in words what the drawing shows."""
    inputs = [n.label for n in graph.nodes if not n.op and n.label]
    text = f"Computation graph with {len(graph.nodes)} values"
    text += f", from {', '.join(inputs)}," if inputs else ""
    return escape(f"{text} to the result {graph.nodes[-1].data:.4g}")
