"""Look at a learner's code without running it: syntax, stubs, names, what is forbidden."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from ffcourse.grade.notebook import MAX_SOURCE

# Lines that only IPython understands, where a statement may begin. Each pattern looks at one line.
_COMMAND = re.compile(r"[ \t]*[%!?]")
_QUESTION = re.compile(r"[ \t]*[%\w.*\[\]()'\"]+\?{1,2}[ \t;]*$")
_OUTPUT_OF = re.compile(r"([\w.,\[\] \t]+)=[ \t]*[%!](?!=)")
_TOKEN = re.compile(
    r"#.*|\"\"\"|\'\'\'|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[()\[\]{}]|[^#\"'()\[\]{}]+"
)

# Names by which a cell can change what other cells share.
_MEDDLING = {"get_ipython", "setattr", "globals", "exec", "eval", "seed", "seterr", "__import__"}


@dataclass(frozen=True)
class SyntaxFault:
    """Where and why a piece of code is not Python."""

    line: int
    message: str
    text: str

    def __str__(self) -> str:
        shown = f": `{self.text}`" if self.text else ""
        return f"Syntax error in line {self.line} of the answer cell{shown} ({self.message})."


def parse(source: str) -> ast.Module | SyntaxFault:
    """Return the syntax tree of a cell, or the fault that keeps it from having one.

    Lines that only IPython understands (``%magic``, ``!command``, ``name?``) count as empty.
    """
    if len(source) > MAX_SOURCE:
        return SyntaxFault(1, f"the cell has more than {MAX_SOURCE} characters", "")
    tree = _tree(source)
    if isinstance(tree, SyntaxFault) and any(mark in source for mark in "%!?"):
        return _tree(without_ipython(source))
    return tree


def is_python(source: str) -> bool:
    """Whether a cell is Python as it stands, with nothing that only IPython understands."""
    return not isinstance(_tree(source), SyntaxFault)


def _tree(source: str) -> ast.Module | SyntaxFault:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            compile(source, "answer", "exec", flags=flags, dont_inherit=True)
        return tree
    except SyntaxError as error:
        text = (error.text or "").strip()[:80]
        return SyntaxFault(error.lineno or 1, error.msg or "invalid syntax", text)
    except ValueError as error:
        return SyntaxFault(1, str(error), "")
    except (RecursionError, MemoryError):
        return SyntaxFault(1, "the code is nested too deeply", "")


def without_ipython(source: str) -> str:
    """Return a cell with what only IPython understands replaced, line by line, by Python.

    Only where a statement begins: ``% n)`` or ``!= n)`` may well begin the second line of a
    sum in brackets.
    """
    lines: list[str] = []
    depth, quote, goes_on, command = 0, "", False, False
    for line in source.split("\n"):
        if quote or depth or (goes_on and not command):  # inside a statement
            plain = line
        elif goes_on:
            plain = ""  # of a command that is left out
        elif _COMMAND.match(line) or _QUESTION.match(line):
            plain = line[: len(line) - len(line.lstrip())] + "pass"
        elif assigned := _OUTPUT_OF.match(line):
            plain = f"{assigned.group(1)}= None"
        else:
            plain = line
        command, goes_on = plain is not line, line.endswith("\\")
        if not command:
            depth, quote = _open_at_the_end(line, depth, quote)
        lines.append(plain)
    return "\n".join(lines)


def _open_at_the_end(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Return how many brackets are open after a line, and which triple quote, if any."""
    place = 0
    while place < len(line):
        if quote:
            end = line.find(quote, place)
            if end < 0:
                return depth, quote
            place, quote = end + 3, ""
            continue
        token = _TOKEN.match(line, place)
        if token is None:
            break
        word, place = token.group(), token.end()
        if word in ('"""', "'''"):
            quote = word
        elif word in "([{":
            depth += 1
        elif word in ")]}":
            depth = max(0, depth - 1)
    return depth, quote


def normalised(tree: ast.Module) -> str:
    """Return a text equal for two trees that differ only in comments, layout or docstrings."""
    copy = ast.parse(ast.unparse(tree))
    for node in ast.walk(copy):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(copy)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def is_stub(source: str, stubs: Sequence[str] = ()) -> bool:
    """Tell whether a cell is empty, still the given stub, or only what a stub consists of.

    Parameters
    ----------
    source : str
        The learner's cell.
    stubs : sequence of str
        The cells that the exercise was handed out with, where they are not generated ones.
    """
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return False
    try:
        if all(_is_blank(node) for node in tree.body):
            return True
        for stub in stubs:
            given = parse(stub)
            if isinstance(given, SyntaxFault) or _length(given) != _length(tree):
                continue  # putting a long cell into normal form takes seconds
            if normalised(tree) == normalised(given):
                return True
        return False
    except RecursionError:
        return False


def _length(tree: ast.Module) -> int:
    return sum(not _is_text(node) for node in tree.body)


def _is_blank(node: ast.stmt) -> bool:
    """Whether a statement does nothing yet: a stubbed definition, ``x = ...``, an import."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return all(_is_blank(child) for child in node.body)
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return node.value is None or _is_ellipsis(node.value)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Raise):
        return node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)
    return isinstance(node, (ast.Pass, ast.Import, ast.ImportFrom))


def _is_ellipsis(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return all(_is_ellipsis(item) for item in node.elts)
    return isinstance(node, ast.Constant) and node.value is ...


def defined_names(source: str) -> list[str]:
    """Return the names that a cell defines at its top level, in order."""
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return []
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                names += [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return list(dict.fromkeys(names))


def only_defines(source: str) -> bool:
    """Whether a cell only defines names, and changes nothing that other cells share."""
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return True  # it is not run
    simple = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    if not all(isinstance(node, simple) or _is_text(node) for node in tree.body):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Global) or (isinstance(node, ast.Name) and node.id in _MEDDLING):
            return False
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            if node.attr in _MEDDLING or (isinstance(node.ctx, ast.Store) and not own):
                return False
    return True


def import_lines(sources: list[str]) -> str:
    """Return the import statements of some cells, one a line."""
    lines: list[str] = []
    for source in sources:
        tree = parse(source)
        if not isinstance(tree, SyntaxFault):
            lines += [
                ast.unparse(n) for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))
            ]
    return "\n".join(dict.fromkeys(lines))


def keeps(source: str, names: set[str]) -> bool:
    """Whether some names surely mean the same after a cell has run and been called."""
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return True  # it is not run
    bound = {*defined_names(source), *imported_names(tree)}
    return only_defines(source) and "*" not in bound and not bound & names


def imported_names(tree: ast.Module) -> set[str]:
    """Return the names that a cell's import statements bind."""
    return {
        item.asname or item.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for item in node.names
    }


def without_figures(source: str) -> str:
    """Return a given cell without the lines that only show a picture: ``show.live(...)``.

    Nobody looks while grading, and drawing costs more than everything else in such a cell.
    """
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return source
    shown = [node for node in tree.body if isinstance(node, ast.Expr) and _shows(node.value)]
    lines = source.splitlines()
    for node in shown:
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        alone = lines[first][: node.col_offset].strip() == ""
        rest = lines[last - 1][node.end_col_offset :].strip()
        if alone and (rest in ("", ";") or rest.startswith("#")):
            lines[first:last] = [""] * (last - first)
    return "\n".join(lines)


def _shows(node: ast.expr) -> bool:
    path = _path(node.func) if isinstance(node, ast.Call) else None
    return path is not None and path.split(".")[0] == "show"


def forbidden_use(source: str, forbidden: list[str], given: str = "") -> str | None:
    """Return the first forbidden name that a cell uses, or None.

    Parameters
    ----------
    source : str
        The learner's cell.
    forbidden : list of str
        Names (``sum``) or attribute paths (``nn.Linear``, ``np.convolve``).
    given : str
        Import lines that were given, so that ``np`` is known to be ``numpy``.
    """
    tree = parse(source)
    if isinstance(tree, SyntaxFault) or not forbidden:
        return None
    aliases: dict[str, str] = {}
    for part in (parse(given), tree):
        if not isinstance(part, SyntaxFault):
            _collect_aliases(part, aliases)
    wanted = {_full(name, aliases): name for name in forbidden}
    whole = [
        f"{node.module}."
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(item.name == "*" for item in node.names)
    ]
    for node in ast.walk(tree):
        plain = _uses(node, aliases)
        for used in [*plain, *(module + name for module in whole for name in plain)]:
            for full, name in wanted.items():
                if _same(used, full):
                    return name
    return None


def _collect_aliases(tree: ast.Module, aliases: dict[str, str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.split(".")[0]
                aliases[item.asname or top] = item.name if item.asname else top
        elif isinstance(node, ast.ImportFrom):
            for item in node.names:
                aliases[item.asname or item.name] = f"{node.module or ''}.{item.name}"
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            path = _path(node.value)
            if isinstance(target, ast.Name) and path and path.split(".")[0] in aliases:
                aliases[target.id] = _full(path, aliases)


def _full(path: str, aliases: dict[str, str]) -> str:
    head, dot, rest = path.partition(".")
    return aliases.get(head, head) + dot + rest


def _path(node: ast.AST) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _uses(node: ast.AST, aliases: dict[str, str]) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module or ''}.{item.name}" for item in node.names]
    if isinstance(node, (ast.Name, ast.Attribute)):
        path = _path(node)
        return [_full(path, aliases)] if path else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        base = _path(node.args[0]) if node.args else None
        name = node.args[1] if len(node.args) > 1 else None
        if base and isinstance(name, ast.Constant) and isinstance(name.value, str):
            return [_full(f"{base}.{name.value}", aliases)]
    return []


def _same(used: str, full: str) -> bool:
    """Equal, or the same last name inside the same package (``ffcourse.nn.linear.Linear``)."""
    if used == full:
        return True
    package, dot, name = full.rpartition(".")
    inside, _, last = used.rpartition(".")
    return bool(dot) and last == name and inside.startswith(package + ".")
