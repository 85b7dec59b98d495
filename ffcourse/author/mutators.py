"""Small wrong changes to a reference answer, one at a time.

A check that does not notice such a change would give full marks to a wrong answer. Each
mutant is the whole answer with one node of its syntax tree changed.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_TWINS = [
    ("mean", "sum"),
    ("max", "min"),
    ("maximum", "minimum"),
    ("argmax", "argmin"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("exp", "abs"),
    ("sin", "cos"),
    ("any", "all"),
]
_TWIN = dict(_TWINS) | {b: a for a, b in _TWINS}


@dataclass(frozen=True)
class Mutant:
    """One changed answer."""

    name: str
    source: str


def mutants(answer: str) -> list[Mutant]:
    """Return every mutant of an answer, each once.

    Parameters
    ----------
    answer : str
        Source of a reference answer.
    """
    tree = ast.parse(answer)
    _drop_docstrings(tree)
    original = ast.unparse(tree)
    found: dict[str, str] = {}
    for index, node in enumerate(ast.walk(tree)):
        for what, change in _changes(node):
            other = copy.deepcopy(tree)
            twin = next(n for i, n in enumerate(ast.walk(other)) if i == index)
            change(twin)
            source = ast.unparse(ast.fix_missing_locations(other))
            if source != original and source not in found:
                found[source] = f"line {getattr(node, 'lineno', 0)}: {what}"
    return [Mutant(name, source) for source, name in found.items()]


def _drop_docstrings(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Pass()


Change = tuple[str, Callable[[ast.AST], None]]


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield what may be done to a node: words, and a function that does it to its copy."""
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _BINARY:
        yield _set("op", _BINARY[type(node.op)](), f"{_word(node.op)}= changed")
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        yield f"{_word(node.ops[0])} changed", _swap_compare
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield _set("op", ast.UAdd(), "minus sign dropped")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _set("op", ast.UAdd(), "not dropped")
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _set("op", other, "and/or exchanged")
    elif isinstance(node, ast.Attribute):
        yield from _attribute(node)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "returns nothing", lambda n: setattr(n, "value", ast.Constant(None))
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "condition negated", _negate
    yield from _dropped(node)


def _set(name: str, value: ast.AST, words: str) -> Change:
    return words, lambda node: setattr(node, name, value)


def _word(op: ast.AST) -> str:
    return type(op).__name__


def _binary(node: ast.BinOp) -> Iterator[Change]:
    if type(node.op) in _BINARY:
        yield _set("op", _BINARY[type(node.op)](), f"{_word(node.op)} changed")
    if isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
        yield f"sides of {_word(node.op)} exchanged", _swap_sides
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield "second term dropped", lambda n: _become(n, n.left)  # type: ignore[attr-defined]
    if isinstance(node.op, (ast.Mult, ast.Div)):
        yield "factor dropped", lambda n: _become(n, n.left)  # type: ignore[attr-defined]


def _swap_sides(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp)
    node.left, node.right = node.right, node.left


def _become(node: ast.AST, other: ast.AST) -> None:
    """Turn a node into another one, in place."""
    node.__class__ = other.__class__
    node.__dict__ = dict(other.__dict__)


def _swap_compare(node: ast.AST) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[0] = _COMPARE[type(node.ops[0])]()


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield _set("value", not value, f"{value} negated")  # type: ignore[arg-type]
    elif isinstance(value, (int, float)):
        yield f"{value} plus 1", lambda n: setattr(n, "value", value + 1)
        if isinstance(value, float) and value:
            yield f"{value} doubled", lambda n: setattr(n, "value", 2 * value)
    elif isinstance(value, str) and value:
        yield "text changed", lambda n: setattr(n, "value", value + "?")


def _attribute(node: ast.Attribute) -> Iterator[Change]:
    if node.attr == "T" and isinstance(node.ctx, ast.Load):
        yield "transpose dropped", lambda n: _become(n, n.value)  # type: ignore[attr-defined]
    elif node.attr in _TWIN:
        yield _set("attr", _TWIN[node.attr], f"{node.attr} for {_TWIN[node.attr]}")  # type: ignore[arg-type]


def _call(node: ast.Call) -> Iterator[Change]:
    for index, keyword in enumerate(node.keywords):
        if keyword.arg in ("axis", "keepdims"):
            yield f"{keyword.arg} dropped", lambda n, i=index: n.keywords.pop(i)  # type: ignore[misc]
    if isinstance(node.func, ast.Name) and node.func.id in _TWIN:
        name = node.func.id
        yield f"{name} exchanged", lambda n: setattr(n.func, "id", _TWIN[name])  # type: ignore[attr-defined]
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield "range one shorter", _shorter


def _shorter(node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    place = 0 if len(node.args) == 1 else 1
    node.args[place] = ast.BinOp(node.args[place], ast.Sub(), ast.Constant(1))


def _negate(node: ast.AST) -> None:
    assert isinstance(node, (ast.If, ast.IfExp, ast.While))
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _dropped(node: ast.AST) -> Iterator[Change]:
    """Yield the removal of each statement of a block, except definitions and imports."""
    for block in ("body", "orelse"):
        statements = getattr(node, block, None)
        if isinstance(node, (ast.Module, ast.ClassDef)) or not isinstance(statements, list):
            continue
        for index, statement in enumerate(statements):
            if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr, ast.Break, ast.If)):
                words = f"dropped `{ast.unparse(statement).splitlines()[0][:40]}`"
                yield words, lambda n, b=block, i=index: _drop(n, b, i)  # type: ignore[misc]


def _drop(node: ast.AST, block: str, index: int) -> None:
    getattr(node, block)[index] = ast.Pass()
