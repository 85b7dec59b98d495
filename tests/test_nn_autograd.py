"""The scalar engine: every operation, shared values, long chains, and its drawing."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffcourse.nn import Value, autograd

OPERATIONS: dict[str, Callable] = {
    "add": lambda a, b: a + b,
    "add number": lambda a, b: a + 3,
    "number add": lambda a, b: 3 + a,
    "subtract": lambda a, b: a - b,
    "subtract number": lambda a, b: a - 3,
    "number subtract": lambda a, b: 3 - a,
    "multiply": lambda a, b: a * b,
    "multiply number": lambda a, b: a * 3,
    "number multiply": lambda a, b: 3 * a,
    "divide": lambda a, b: a / b,
    "divide by number": lambda a, b: a / 3,
    "number divided": lambda a, b: 3 / a,
    "negate": lambda a, b: -a,
    "power": lambda a, b: a**3,
    "inverse power": lambda a, b: a**-1.5,
    "square": lambda a, b: a * a,
    "used twice": lambda a, b: (a + b) * a + a,
}
FUNCTIONS = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "relu": lambda v: max(v, 0.0),
}


def slope(f: Callable[[float], float], x: float) -> float:
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("x", "y"), [(0.7, 1.9), (2.5, -0.4)])
def test_operation(name: str, x: float, y: float) -> None:
    f = OPERATIONS[name]
    a, b = Value(x), Value(y)
    out = f(a, b)
    assert out.data == pytest.approx(f(x, y))
    out.backward(1.7)
    assert out.grad == 1.7
    assert a.grad == pytest.approx(1.7 * slope(lambda v: f(v, y), x), rel=1e-6)
    assert b.grad == pytest.approx(1.7 * slope(lambda v: f(x, v), y), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [0.3, 2.0])
def test_function(name: str, x: float) -> None:
    a = Value(x)
    out = getattr(a, name)()
    assert out.data == pytest.approx(FUNCTIONS[name](x))
    out.backward()
    assert a.grad == pytest.approx(slope(FUNCTIONS[name], x), rel=1e-6)


def test_edges() -> None:
    for x in (-2.0, 0.0):
        a = Value(x)
        out = a.relu()
        out.backward()
        assert (out.data, a.grad) == (0, 0)
    assert Value(-1000).sigmoid().data == 0
    zero = Value(0)
    (zero**0).backward()
    assert zero.grad == 0


def test_gradients_add_up_over_passes() -> None:
    a = Value(3)
    middle = a * 2
    out = middle * middle
    out.backward()
    assert (a.grad, middle.grad) == (24, 12)
    out.backward()
    assert (a.grad, middle.grad, out.grad) == (48, 24, 2)


@settings(deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_a_neuron_agrees_with_calculus(numbers: list[float]) -> None:
    w, x, b, y = map(Value, numbers)
    loss = ((w * x + b).tanh() - y) ** 2
    loss.backward()
    t = math.tanh(w.data * x.data + b.data)
    dz = 2 * (t - y.data) * (1 - t * t)
    assert w.grad == pytest.approx(dz * x.data, abs=1e-12)
    assert x.grad == pytest.approx(dz * w.data, abs=1e-12)
    assert b.grad == pytest.approx(dz, abs=1e-12)
    assert y.grad == pytest.approx(-2 * (t - y.data), abs=1e-12)


def test_long_sums_need_no_recursion() -> None:
    terms = [Value(1) for _ in range(5000)]
    total = sum(terms, Value(0))
    total.backward()
    assert total.data == 5000
    assert terms[0].grad == 1


def test_parents_come_before_children() -> None:
    a, b = Value(1), Value(2)
    c = a * b
    d = c + a
    order = d.ancestors()
    assert order[-1] is d
    assert set(order) == {a, b, c, d}
    assert order.index(a) < order.index(c)
    assert order.index(b) < order.index(c)


def test_repr() -> None:
    assert repr(Value(2, "x")) == "Value(2, grad=0, label='x')"
    assert repr(Value(0.5)) == "Value(0.5, grad=0)"


def test_graph() -> None:
    x, w, b = Value(2, "x"), Value(-3, "w"), Value(1, "b")
    z = x * w + b
    z.label = "z"
    z.backward()
    graph = z.graph()
    assert [(n.label, n.op, n.data, n.grad, n.column) for n in graph.nodes] == [
        ("x", "", 2, -3, 0),
        ("w", "", -3, 2, 0),
        ("", "×", -6, 1, 1),
        ("b", "", 1, 1, 1),
        ("z", "+", -5, 1, 2),
    ]
    assert graph.edges == [(0, 2, -3.0), (1, 2, 2.0), (2, 4, 1.0), (3, 4, 1.0)]
    places = [(n.column, n.row) for n in graph.nodes]
    assert len(set(places)) == 5
    assert [n.row for n in graph.nodes] == [-0.5, 0.5, -0.5, 0.5, 0]


def test_a_value_stands_left_of_all_its_uses() -> None:
    a = Value(1)
    graph = ((a + 1) * a + a).graph()
    columns = [n.column for n in graph.nodes]
    assert all(columns[p] < columns[c] for p, c, _ in graph.edges)
    assert min(columns) == 0


def test_svg_is_well_formed_and_says_what_it_shows() -> None:
    out = (Value(1.5, "a<b") * Value(2, "w")).exp()
    out.backward()
    text = out.draw()
    assert out._repr_svg_() == text
    root = ET.fromstring(text)
    space = {"s": "http://www.w3.org/2000/svg"}
    assert len(root.findall("s:rect", space)) == 4
    assert len(root.findall("s:path", space)) == 3
    title = root.find("s:title", space)
    assert title is not None
    assert title.text == "Computation graph with 4 values, from a<b, w, to the result 20.09"
    texts = [t.text for t in root.findall("s:text", space)]
    assert "gradient 20.09" in texts
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for rect in root.findall("s:rect", space):
        assert float(rect.get("x", "0")) > 0
        assert float(rect.get("y", "0")) > 0
        assert float(rect.get("x", "0")) + float(rect.get("width", "0")) < width
        assert float(rect.get("y", "0")) + float(rect.get("height", "0")) < height
    assert Value(1).draw().startswith("<svg")


def test_the_engine_is_short() -> None:
    assert len(Path(autograd.__file__).read_text(encoding="utf-8").splitlines()) < 150


def test_it_learns_a_line() -> None:
    rng = np.random.default_rng(0)
    w, b = Value(0), Value(0)
    for _ in range(300):
        x = float(rng.uniform(-1, 1))
        loss = (w * x + b - (2 * x - 1)) ** 2
        w.grad = b.grad = 0.0
        loss.backward()
        w.data -= 0.1 * w.grad
        b.data -= 0.1 * b.grad
    assert (w.data, b.data) == pytest.approx((2, -1), abs=0.01)


def test_a_line_that_skips_a_column_meets_no_box():
    a, b = Value(3.0, "a"), Value(4.0, "b")
    graph = (a * b + a).graph()
    place = {node.label or node.op: (node.column, node.row) for node in graph.nodes}
    (x0, y0), (x1, y1), (middle, product) = place["a"], place["+"], place["×"]
    at_product = y0 + (y1 - y0) * (middle - x0) / (x1 - x0)
    assert abs(at_product - product) >= 0.5
