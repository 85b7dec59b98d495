"""What may be told of a run in which reference answers stood beside a learner's code.

Where an earlier part is missing or has failed, later ones run with its names bound to the
reference, so that they keep their points. Code could look at that reference and show it as its
own "value" or in an exception. So unless a learner's code plainly does nothing of the kind, no
message made of what it showed is told: only the verdict, and the written hints.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from ffcourse.grade.code import SyntaxFault, is_python, parse
from ffcourse.grade.judge import CheckResult
from ffcourse.grade.outcome import Outcome

WITHHELD = (
    "It is not right yet. An earlier exercise that it builds on is not solved, and the answer "
    "looks at more than values, so what it gave is not shown: solve the earlier one first."
)
_PUBLIC = {"passed", "not_attempted", "missing"}
_MODULES = {
    "numpy", "math", "cmath", "itertools", "functools", "collections", "dataclasses", "typing",
    "random", "statistics", "ffcourse", "matplotlib", "__future__", "abc", "enum", "time",
}  # fmt: skip
_LOOKING = {
    "getattr", "vars", "dir", "globals", "locals", "eval", "exec", "compile", "open", "help",
    "input", "breakpoint", "get_ipython", "attrgetter", "methodcaller", "__import__", "In", "Out",
    "inspect", "dis", "sys", "os", "gc", "ast", "ctypes", "builtins", "learn", "magics", "lib",
    "info", "ctypeslib", "f2py", "testing", "format", "format_map", "pyfunc", "fromfile",
    "memmap", "loadtxt", "genfromtxt",
}  # fmt: skip
_PROMPTS = re.compile(r"__.*|_\d+|_i\d*|_ii|_iii|_[iod]h")  # of IPython, and what Python hides
_OWN = {"__init__", "__call__", "__name__", "__len__", "__getitem__", "__post_init__"}


def withhold(outcome: Outcome, sources: Iterable[str]) -> None:
    """Replace what is told of an exercise's failed checks, if its code looks at too much."""
    if all(only_computes(source) for source in sources):
        return
    for result in outcome.results:
        if result.outcome not in _PUBLIC and not (result.hidden and _is_written(result, outcome)):
            result.message = WITHHELD
    if outcome.message is not None:
        outcome.message = WITHHELD


def _is_written(result: CheckResult, outcome: Outcome) -> bool:
    """Whether a message is no more than the hint that stands in the solution."""
    return result.message in {check.hint for check in outcome.exercise.checks if check.hint}


def only_computes(source: str) -> bool:
    """Whether a cell calls and computes, but does not look into functions, frames or files."""
    tree = parse(source)
    if isinstance(tree, SyntaxFault):
        return True  # it is not run
    if not is_python(source):
        return False  # what IPython adds can look at anything
    return all(_computes(node) for node in ast.walk(tree))


def _computes(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id not in _LOOKING and not _PROMPTS.fullmatch(node.id)
    if isinstance(node, ast.Attribute):
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        hidden = node.attr.startswith("_" if not own else "__") and node.attr not in _OWN
        return not hidden and node.attr not in _LOOKING
    if isinstance(node, ast.Import):
        return all(item.name.split(".")[0] in _MODULES for item in node.names)
    if isinstance(node, ast.ImportFrom):
        names = {*(node.module or "").split("."), *(item.name for item in node.names)}
        known = (node.module or "").split(".")[0] in _MODULES
        return known and not names & _LOOKING
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, str) or "__" not in node.value
    return True
