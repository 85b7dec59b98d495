"""Answers that stand where the learner reads them before having written them.

Code is compared as syntax trees in which layout, comments, docstrings, annotations and the
names of variables don't matter. An answer is looked for in its own exercise notebook and in
the chapters up to its own, in code cells and in fenced code in the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.author.generate import exercise_notebook
from ffcourse.author.solution import Solution
from ffcourse.author.solution import body as body_of

SMALLEST = 14  # nodes of a function body; shorter ones (`return X @ w + b`) stand everywhere
_SLACK = 4  # nodes by which `return z`, `a = z` and `z` may differ, and an annotated `a: int = z`
_FENCE = re.compile(r"^\s*```(?:python|py)?\s*\n(.*?)^\s*```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Leak:
    """An answer found where it should not be."""

    exercise: str
    name: str
    place: str

    def __str__(self) -> str:
        return f"{self.exercise}: the answer `{self.name}` stands in {self.place}"


def leaks(solution: Solution, chapters: list[Path]) -> list[Leak]:
    """Return every answer of a solution that can be read beforehand.

    Parameters
    ----------
    solution : Solution
        The solution notebook.
    chapters : list of Path
        All chapters; those after the solution's own number are left out.
    """
    places = [("its own exercise notebook", exercise_notebook(solution))]
    before = [path for path in chapters if nb.key_number(path.stem) <= solution.chapter]
    places += [(path.name, nb.read(path)) for path in before]
    found = []
    for exercise in solution.exercises.values():
        given = [body_of(cell) for cell in exercise.of("stub")]
        for name, body in answers(exercise.answer):
            if any(contains(stub, body) for stub in given):
                continue  # the exercise hands this function out; another one is asked for
            for place, notebook in places:
                if any(contains(code, body) for code in code_of(notebook)):
                    found.append(Leak(exercise.id, name, place))
    return found


def answers(source: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield name and body of each function of an answer that is long enough to be a secret."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = without_docstring(node.body)
            if sum(1 for part in body for _ in ast.walk(part)) >= SMALLEST:
                yield node.name, body


def code_of(notebook: nb.Notebook) -> Iterator[str]:
    """Yield the code of a notebook: cells, and fenced code in its text."""
    for cell in notebook["cells"]:
        text = nb.source(cell)
        if cell["cell_type"] == "code":
            yield text
        else:
            yield from _FENCE.findall(text)


def contains(code: str, body: list[ast.stmt]) -> bool:
    """Say whether some run of statements in `code` is `body` up to the names of variables."""
    wanted, size = fingerprint(body), _size(body)
    for statements in _blocks(code):
        for start in range(len(statements) - len(body) + 1):
            window = statements[start : start + len(body)]
            # Sizes first, which is fast: a name bound or returned makes little difference.
            if abs(_size(window) - size) <= _SLACK and fingerprint(window) == wanted:
                return True
    return False


def _size(statements: list[ast.stmt]) -> int:
    return sum(_nodes(statement) for statement in statements)


def _nodes(tree: ast.AST) -> int:
    """Count the nodes of a tree that its fingerprint keeps; each tree is counted once."""
    size: int | None = getattr(tree, "_ffcourse_size", None)
    if size is None:
        dropped = {id(part) for node in ast.walk(tree) for part in _dropped(node)}
        size = sum(1 for node in ast.walk(tree) if id(node) not in dropped)
        tree._ffcourse_size = size  # type: ignore[attr-defined]
    return size


def _dropped(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a fingerprint leaves out: annotations and docstrings."""
    for name in ("annotation", "returns"):
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            yield from ast.walk(part)
    body = getattr(node, "body", None)
    if isinstance(body, list) and len(without_docstring(body)) < len(body):
        yield from ast.walk(body[0])


@lru_cache(maxsize=4096)
def _blocks(code: str) -> list[list[ast.stmt]]:
    """Return every list of statements in a piece of code; none if it is not Python."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                found.append(without_docstring(block))
    return found


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements without a leading docstring."""
    first = body[0] if body else None
    documented = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return body[1:] if documented else body


def fingerprint(body: list[ast.stmt]) -> str:
    """Return a text that is equal for statements that differ only in the names of variables.

    Whether the last statement returns its value, binds it to a name or shows it is no
    difference either.
    """
    copy = ast.parse(ast.unparse(ast.Module(body, [])))
    last = copy.body[-1]
    if isinstance(last, (ast.Return, ast.Assign)) and last.value is not None:
        copy.body[-1] = ast.Expr(last.value)
    return ast.dump(_Renaming().visit(copy))


class _Renaming(ast.NodeTransformer):
    """Number the variables by their first appearance; drop annotations and docstrings."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.numbers.setdefault(node.id, f"v{len(self.numbers)}")
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.numbers.setdefault(node.arg, f"v{len(self.numbers)}")
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return self.visit(ast.Assign([node.target], node.value))  # type: ignore[no-any-return]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.numbers.setdefault(node.name, f"v{len(self.numbers)}")
        node.body, node.returns = without_docstring(node.body), None
        return self.generic_visit(node)
