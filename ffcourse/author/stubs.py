"""What a learner starts from: the answer's signatures and docstrings, and nothing of its code."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def make_stub(answer: str, exercise: str, names: Sequence[str] | None = None) -> str:
    """Turn a reference answer into a stub.

    Functions keep decorators, signature and docstring and raise `NotImplementedError`;
    classes keep the same of each method; other assigned names become ``name = ...``.
    Comments, helpers and everything else are left out.

    Parameters
    ----------
    answer : str
        Source of the answer.
    exercise : str
        Exercise id, put into the `NotImplementedError`.
    names : sequence of str, optional
        The names that the learner must define; all top-level names by default.

    Returns
    -------
    str
        Source of the stub.
    """
    tree = ast.parse(answer)
    lines = answer.splitlines()
    keep = set(names) if names is not None else None
    parts: list[tuple[str, bool]] = []  # (source, is it a definition)
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            parts.append((_segment(lines, node), False))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if _in(node.name, keep):
                parts.append(("\n".join(_definition(node, lines, exercise)), True))
        else:
            parts += [(f"{name} = ...", False) for name in assigned(node) if _in(name, keep)]
    return _join(list(dict.fromkeys(parts)))


def _in(name: str, keep: set[str] | None) -> bool:
    return not name.startswith("_") if keep is None else name in keep


def assigned(node: ast.AST) -> list[str]:
    """Return the names that a statement binds in its own scope, in order."""
    found: list[str] = []
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return []
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        found.append(node.id)
    for child in ast.iter_child_nodes(node):
        found += assigned(child)
    return list(dict.fromkeys(found))


def defined(source: str) -> list[str]:
    """Return the top-level names that source code defines, imports not counted."""
    return list(dict.fromkeys(name for node in ast.parse(source).body for name in assigned(node)))


def _join(parts: list[tuple[str, bool]]) -> str:
    text = ""
    for index, (part, is_definition) in enumerate(parts):
        if index:
            text += "\n\n\n" if is_definition or parts[index - 1][1] else "\n"
        text += part
    return text


def _segment(lines: list[str], node: ast.stmt) -> str:
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _definition(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str], exercise: str
) -> list[str]:
    """Return the lines of a definition, emptied."""
    first = node.body[0]
    start = min([node.lineno, *(deco.lineno for deco in node.decorator_list)]) - 1
    if first.lineno == node.end_lineno and first.lineno == node.lineno:  # all in one line
        head = [lines[start][: first.col_offset].rstrip()]
    else:
        head = _without_tail_comments(lines[start : first.lineno - 1])
    indent = " " * (node.col_offset + 4)
    kept = list(head)
    documented = ast.get_docstring(node, clean=False) is not None
    if documented:
        kept += lines[first.lineno - 1 : first.end_lineno]
    rest = node.body[1:] if documented else node.body
    if isinstance(node, ast.ClassDef):
        return kept + (_class_body(rest, lines, exercise, indent, documented) or [indent + "..."])
    return [*kept, f'{indent}raise NotImplementedError("{exercise}")']


def _without_tail_comments(head: list[str]) -> list[str]:
    """Drop comment lines between a signature and its body: they belong to the answer."""
    while head and head[-1].lstrip().startswith("#"):
        head = head[:-1]
    return head


def _class_body(
    body: list[ast.stmt], lines: list[str], exercise: str, indent: str, documented: bool
) -> list[str]:
    kept: list[str] = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name.startswith("_") and not node.name.startswith("__"):
                continue
            kept += ["", *_definition(node, lines, exercise)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kept.append(f"{indent}{node.target.id}: {ast.unparse(node.annotation)}")
        elif isinstance(node, ast.Assign):
            kept += [f"{indent}{name} = ..." for name in assigned(node)]
    return kept[1:] if kept and not kept[0] and not documented else kept
