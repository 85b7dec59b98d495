"""A scalar reverse-mode engine: every number remembers how it came about.

``Value`` builds the computation graph as you calculate; ``backward()`` walks it from the result
to the inputs and applies the chain rule at each node. It draws its graph in a notebook.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ffcourse.nn.autograd_draw import Graph


class Value:
    """A number that knows its parents and its local slopes.

    Attributes
    ----------
    data : float
        The value.
    grad : float
        d result / d this value; added to by ``backward()`` of a result.
    label : str
        Shown in the drawing.
    """

    __slots__ = ("data", "grad", "label", "op", "parents", "slopes")

    def __init__(self, data: float, label: str = "") -> None:
        self.data, self.grad, self.label, self.op = float(data), 0.0, label, ""
        self.parents: tuple[Value, ...] = ()
        self.slopes: tuple[float, ...] = ()  # d this / d parent, for each parent

    @classmethod
    def _made(cls, data: float, op: str, *parents: tuple[Value, float]) -> Value:
        out = cls(data)
        out.op = op
        out.parents = tuple(parent for parent, _ in parents)
        out.slopes = tuple(slope for _, slope in parents)
        return out

    def __add__(self, other: Value | float) -> Value:
        other = as_value(other)
        return self._made(self.data + other.data, "+", (self, 1.0), (other, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = as_value(other)
        return self._made(self.data * other.data, "×", (self, other.data), (other, self.data))

    def __pow__(self, n: Value | float) -> Value:
        if isinstance(n, Value):
            raise TypeError("the exponent must be a number: for a**b write (b * a.log()).exp()")
        slope = n * self.data ** (n - 1) if n else 0.0
        return self._made(self.data**n, f"^{n:g}", (self, slope))

    def exp(self) -> Value:
        """Return e to the power of this value."""
        y = math.exp(self.data)
        return self._made(y, "exp", (self, y))

    def log(self) -> Value:
        """Natural logarithm."""
        return self._made(math.log(self.data), "log", (self, 1 / self.data))

    def tanh(self) -> Value:
        """Hyperbolic tangent."""
        y = math.tanh(self.data)
        return self._made(y, "tanh", (self, 1 - y * y))

    def sigmoid(self) -> Value:
        """1 / (1 + exp(-x)), without overflow."""
        y = 0.5 + 0.5 * math.tanh(0.5 * self.data)
        return self._made(y, "sigmoid", (self, y * (1 - y)))

    def relu(self) -> Value:
        """max(x, 0)."""
        return self._made(max(self.data, 0.0), "relu", (self, float(self.data > 0)))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Value:
        return self._made(-self.data, "-", (self, -1.0))

    def __sub__(self, other: Value | float) -> Value:
        other = as_value(other)
        return self._made(self.data - other.data, "-", (self, 1.0), (other, -1.0))

    def __rsub__(self, other: float) -> Value:
        return as_value(other) - self

    def __truediv__(self, other: Value | float) -> Value:
        other = as_value(other)
        y = self.data / other.data
        return self._made(y, "÷", (self, 1 / other.data), (other, -y / other.data))

    def __rtruediv__(self, other: float) -> Value:
        return as_value(other) / self

    def ancestors(self) -> list[Value]:
        """All values this one depends on, and itself last: parents always before children."""
        order: list[Value] = []
        seen: set[Value] = set()
        stack = [(self, False)]
        while stack:  # a loop, since recursion would end at long sums
            value, parents_done = stack.pop()
            if parents_done:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                stack.append((value, True))
                stack.extend((parent, False) for parent in reversed(value.parents))
        return order

    def backward(self, grad: float = 1.0) -> None:
        """Add d self / d v (times `grad`) to the gradient of every value v it depends on."""
        flow: dict[Value, float] = {self: grad}  # of this pass only: earlier passes stay apart
        for value in reversed(self.ancestors()):
            value.grad += flow[value]
            for parent, slope in zip(value.parents, value.slopes, strict=True):
                flow[parent] = flow.get(parent, 0.0) + flow[value] * slope

    def __repr__(self) -> str:
        name = f", label={self.label!r}" if self.label else ""
        return f"Value({self.data:.6g}, grad={self.grad:.6g}{name})"

    def graph(self) -> Graph:
        """Return the nodes and edges of the computation, for drawing."""
        from ffcourse.nn.autograd_draw import lay_out

        return lay_out(self)

    def _repr_svg_(self) -> str:
        return self.draw()

    def draw(self) -> str:
        """Return a drawing of the graph, as SVG: data flows from left to right."""
        from ffcourse.nn.autograd_draw import to_svg

        return to_svg(self.graph())


def as_value(x: Value | float) -> Value:
    """Return `x`, wrapped in a Value if it is a plain number."""
    return x if isinstance(x, Value) else Value(x)
