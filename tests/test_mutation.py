"""The mutation runner makes the mistakes that it should, and only those."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import mutants

MISTAKES = [
    ("y = a + b", "sign", "y = a - b"),
    ("y = -a", "sign", "y = +a"),
    ("y -= a", "sign", "y += a"),
    ("y -= a", "forgotten", "y += 0"),
    ("y = a * b", "factor", "y = a / b"),
    ("y = 0.5 * a", "factor", "y = 1.0 * a"),
    ("y = a.sum(axis=0)", "axis", "y = a.sum(axis=1)"),
    ("y = a.sum(axis=0)", "confused", "y = a.mean(axis=0)"),
    ("y = a.max(axis=-1)", "confused", "y = a.min(axis=-1)"),
    ("y = a @ w.T", "transpose", "y = a @ w.real"),
    ("y = a.transpose(0, 1)", "transpose", "y = a.transpose(1, 0)"),
    ("y = a[1:]", "off by one", "y = a[2:]"),
    ("if a < b:\n    c()", "off by one", "if a <= b:"),
    ("if a < b:\n    c()", "logic", "if not a < b:"),
    ("y = a and b", "logic", "y = a or b"),
    ("f(a, keepdims=True)", "logic", "f(a, keepdims=False)"),
    ("f(a)", "forgotten", "None"),
]


@pytest.mark.parametrize(("source", "kind", "after"), MISTAKES)
def test_mistake(source: str, kind: str, after: str) -> None:
    found = [(m.kind, m.after) for m in mutants(source)]
    assert (kind, after) in found


def test_every_mutant_differs_and_the_source_is_left_alone() -> None:
    source = "def f(x, n=2):\n    if n > 1:\n        x = x * n\n    return x.sum(axis=0) - 1\n"
    found = list(mutants(source))
    sources = [m.source for m in found]
    assert len(set(sources)) == len(sources) > 8
    assert ast.unparse(ast.parse(source)) not in sources
    assert list(mutants(source)) == found
    for m in found:
        assert sum(a != b for a, b in zip(m.source.split("\n"), source.split("\n"), strict=False))
        assert source.split("\n")[m.line - 1]


def test_messages_names_and_types_are_no_places_for_mistakes() -> None:
    assert not list(mutants('"""1 + 1."""\n__slots__ = ("a",)\nx: Literal[1]\n'))
    assert not list(mutants('raise ValueError(f"{1 + 1}", 2)'))
    assert not list(mutants("if TYPE_CHECKING:\n    import x\n"))
    assert not list(mutants("y = a.reshape(-1)"))
