"""The ways in which a line of numerical code is commonly wrong, as changes of its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# kind of mistake -> operator -> what it is mistaken for
OPERATORS: dict[str, dict[type[ast.AST], type[ast.AST]]] = {
    "sign": {ast.Add: ast.Sub, ast.Sub: ast.Add},
    "factor": {ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult},
    "off by one": {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    "logic": {
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
        ast.Is: ast.IsNot,
        ast.IsNot: ast.Is,
        ast.In: ast.NotIn,
        ast.NotIn: ast.In,
        ast.And: ast.Or,
        ast.Or: ast.And,
    },
}
# names of functions that are easily taken for one another
CONFUSED = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
}


@dataclass(frozen=True)
class Mutant:
    """One change: where, what kind, the line before and after, and the whole new source."""

    line: int
    kind: str
    before: str
    after: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its lines, each once."""
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    lines = source.splitlines()
    places = sorted(_places(tree), key=lambda found: found[0].lineno)
    for node, kind, change in places:
        fields = dict(ast.iter_fields(node))  # a change replaces fields, it never edits lists
        statement = _statement_of(tree, node)
        before = ast.unparse(statement).splitlines()
        change(node)
        mutated = ast.unparse(tree)
        after = ast.unparse(statement).splitlines()
        for name, value in fields.items():
            setattr(node, name, value)
        if mutated in seen:
            continue
        seen.add(mutated)
        old, new = _difference(before, after)
        yield Mutant(node.lineno, kind, old or lines[node.lineno - 1].strip(), new, mutated)


def _places(tree: ast.Module) -> list[tuple[ast.AST, str, object]]:
    """Return (node, kind, change) for everything that can be mistaken."""
    found: list = []
    _visit(tree, found)
    return found


def _visit(node: ast.AST, found: list) -> None:
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Assert):
        return  # messages
    if isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "not TYPE_CHECKING",
    ):
        for part in node.body:
            _visit(part, found)
        return
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__slots__", "__all__"):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return  # of zip: a net that nothing should ever fall into
    found.extend((node, kind, change) for kind, change in _changes(node))
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "reshape":
        # -1 means "work it out", and NumPy takes -2 for the same.
        node = ast.Call(node.func, [a for a in node.args if ast.unparse(a) != "-1"], [])
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                _visit(part, found)


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Yield the mistakes that can be made at one node."""
    yield from _operator_changes(node)
    yield from _constant_changes(node)
    yield from _call_changes(node)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", _without_transpose
    if isinstance(node, ast.Attribute) and node.attr in CONFUSED:
        yield "confused", lambda n: setattr(n, "attr", CONFUSED[n.attr])
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "logic", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "forgotten", _forget


def _operator_changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    for kind, swaps in OPERATORS.items():
        if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in swaps:
            other = swaps[type(node.op)]
            yield kind, lambda n, other=other: setattr(n, "op", other())
        if isinstance(node, ast.Compare) and type(node.ops[0]) in swaps:
            other = swaps[type(node.ops[0])]
            yield kind, lambda n, other=other: setattr(n, "ops", [other(), *n.ops[1:]])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "logic", lambda n: setattr(n, "operand", ast.UnaryOp(ast.Not(), n.operand))


def _constant_changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield "logic", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node.value, int):
        yield "off by one", lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node.value, float):
        yield "factor", lambda n: setattr(n, "value", n.value * 2 if n.value else 1.0)


def _call_changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
            yield "axis", _other_axis
    turns = isinstance(node.func, ast.Attribute) and node.func.attr in ("transpose", "swapaxes")
    if turns and len(node.args) > 1:
        yield "transpose", lambda n: setattr(n, "args", [n.args[1], n.args[0], *n.args[2:]])


def _other_axis(node: ast.AST) -> None:
    assert isinstance(node, ast.Call)
    node.keywords = [
        ast.keyword("axis", ast.Constant(1 - k.value.value))
        if k.arg == "axis" and isinstance(k.value, ast.Constant)
        else k
        for k in node.keywords
    ]


def _without_transpose(node: ast.AST) -> None:
    """``x.T`` -> ``x.real``: the same numbers, not transposed; keeps the node's type."""
    assert isinstance(node, ast.Attribute)
    node.attr = "real"


def _forget(node: ast.AST) -> None:
    """Turn a statement into one that does nothing."""
    if isinstance(node, ast.AugAssign):
        node.op, node.value = ast.Add(), ast.Constant(0)
    elif isinstance(node, ast.Expr):
        node.value = ast.Constant(None)


def _statement_of(tree: ast.Module, node: ast.AST) -> ast.AST:
    """Return the innermost statement that holds `node`."""
    best: ast.AST = tree
    for candidate in ast.walk(tree):
        if isinstance(candidate, ast.stmt) and any(part is node for part in ast.walk(candidate)):
            best = candidate  # ast.walk goes from the outside in
    return best


def _difference(before: list[str], after: list[str]) -> tuple[str, str]:
    for old, new in zip(before, after, strict=False):
        if old != new:
            return old.strip(), new.strip()
    return "", "(removed)"
