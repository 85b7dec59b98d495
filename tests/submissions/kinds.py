"""Kinds of submissions: right, broken and hostile ones, each with the verdict it must get.

Every case starts from the tiny exercise with all answers right, and spoils something.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "tiny"
SOLUTIONS = HERE / "solutions"
IDS = [f"90.{k}" for k in range(1, 7)]
FULL = 12

Notebook = dict[str, Any]


def exercise() -> Notebook:
    """Return the exercise notebook as handed out."""
    return dict(json.loads((HERE / "exercise.ipynb").read_text(encoding="utf-8")))


def reference() -> dict[str, str]:
    """Return the right answers."""
    notebook = json.loads((SOLUTIONS / "90_tiny.ipynb").read_text(encoding="utf-8"))
    return {
        about(c)["exercise"]: "".join(c["source"])
        for c in notebook["cells"]
        if about(c).get("role") == "answer"
    }


def about(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell's course metadata."""
    return dict(cell["metadata"].get("ffcourse", {}))


def filled(**answers: str) -> Notebook:
    """Return the exercise with right answers but for those given (as ``e1="..."``)."""
    notebook = exercise()
    right = reference()
    for cell in notebook["cells"]:
        if about(cell).get("role") == "answer":
            key = about(cell)["exercise"]
            cell["source"] = answers.get("e" + key[-1], right[key])
    return notebook


def answer_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """Return the answer cells."""
    return [c for c in notebook["cells"] if about(c).get("role") == "answer"]


def code_cell(source: str, **course: Any) -> dict[str, Any]:
    """Return a new code cell."""
    metadata = {"ffcourse": course} if course else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [],
            "execution_count": None}  # fmt: skip


@dataclass
class Case:
    """A submission and what must come of it.

    Attributes
    ----------
    make : callable
        Given a folder, write the file there and return its path.
    status : dict
        Statuses that are not "passed", by exercise.
    says : dict
        Texts that the feedback of an exercise must contain ("" for the repairs).
    reason : str or None
        For a rejected file, a part of the reason.
    """

    name: str
    make: Callable[[Path], Path]
    status: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    score: float | None = None
    slow: bool = False
    after: Callable[[], None] | None = None


CASES: list[Case] = []


def case(name: str, notebook: Notebook | Callable[[], Notebook], **expected: Any) -> None:
    """Add a case whose file is a notebook."""

    def make(folder: Path) -> Path:
        data = notebook() if callable(notebook) else notebook
        path = folder / f"{name.replace(' ', '_')}.ipynb"
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    CASES.append(Case(name, make, **expected))


def raw(name: str, data: bytes, reason: str | None = None, **expected: Any) -> None:
    """Add a case whose file has these bytes."""

    def make(folder: Path) -> Path:
        path = folder / f"{name.replace(' ', '_')}.ipynb"
        path.write_bytes(data)
        return path

    CASES.append(Case(name, make, reason=reason, **expected))


def hostile(name: str, source: str, number: int = 1, **expected: Any) -> None:
    """Add a case where one answer is hostile; by default 90.1."""
    expected.setdefault("status", {})
    case(name, filled(**{f"e{number}": source}), **expected)


# ------------------------------------------------------------------ files that are no notebook

RIGHT = json.dumps(filled()).encode()

raw("empty file", b"", "is empty")
raw("only blanks and zeros", b"\0\0 \n\0", "is empty")
raw("not json", b"def scale(X, factor): return X * factor\n", "not valid JSON")
raw("cut off", RIGHT[: len(RIGHT) // 2], "not valid JSON")
raw("json list", b"[1, 2, 3]", "not a notebook")
raw("json without cells", b'{"name": "me"}', "it has no cells")
raw("cells are no list", b'{"nbformat": 4, "cells": {"a": 1}}', "no list of cells")
raw("no format", b'{"cells": []}', "does not say its format")
raw("ancient format", b'{"nbformat": 3, "worksheets": [{"cells": []}]}', "old format 3")
raw("future format", b'{"nbformat": 5, "cells": []}', "newer than this grader")
raw(
    "no cells", b'{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": {}}', "has no cells"
)
raw("latin-1", RIGHT.replace(b"Tiny", "Müßig".encode("latin-1")), "not UTF-8")
raw("utf-16", RIGHT.decode().encode("utf-16"), "not UTF-8")
raw("nested without end", b"[" * 200_000, "nested too deeply")
raw("number bomb", b'{"nbformat": ' + b"9" * 5000 + b"}", "notebook")
raw("a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8")


def _huge(folder: Path) -> Path:
    path = folder / "huge.ipynb"
    with path.open("wb") as file:
        file.truncate(80_000_000)
    return path


def _folder(folder: Path) -> Path:
    path = folder / "folder.ipynb"
    path.mkdir()
    return path


def _link(folder: Path) -> Path:
    path = folder / "link.ipynb"
    path.symlink_to(SOLUTIONS / "90_tiny.ipynb")
    return path


def _pipe(folder: Path) -> Path:
    path = folder / "pipe.ipynb"
    os.mkfifo(path)
    return path


CASES += [
    Case("huge file", _huge, reason="80 MB"),
    Case("a folder", _folder, reason="a folder, not a notebook"),
    Case("no file", lambda folder: folder / "nothing.ipynb", reason="does not exist"),
    Case("symbolic link to the solution", _link, reason="symbolic link"),
    Case("a named pipe", _pipe, reason="not a regular file"),
]


def _other_chapter() -> Notebook:
    notebook = json.loads(json.dumps(filled()).replace("90.", "77.").replace("90_tiny", "77_other"))
    return dict(notebook)


def _unrelated() -> Notebook:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code_cell("x = 1")]}


case("another chapter", _other_chapter, reason="77_other")
case("unrelated notebook", _unrelated, reason="none of its exercises")

# ------------------------------------------------------------------ right, but odd in form

case("all right", filled())
raw("byte order mark", b"\xef\xbb\xbf" + RIGHT)
raw("crlf file", json.dumps(filled(), indent=1).replace("\n", "\r\n").encode())
case("crlf in the sources", json.loads(json.dumps(filled()).replace("\\n", "\\r\\n")))
case("source as a list", lambda: _listed(filled()))
case("old minor without ids", lambda: _old_minor(filled()))
case("future minor", {**filled(), "nbformat_minor": 99})
case("wrong kernel name", lambda: _kernel(filled()))
case("all metadata lost", lambda: _bare(filled(), keep_ids=True), says={"": "by its cell id"})
case("metadata and ids lost", lambda: _bare(filled(), keep_ids=False), says={"": "what it defines"})
case("same id for all", lambda: _same_ids(filled()))
case("answers in reverse order", lambda: _reversed(filled()), says={"": "moved"})
case("answer as markdown", lambda: _retyped(filled()), says={"": "markdown"})
case("garbage in the metadata", lambda: _garbage(filled()))
case("forged outputs and counts", lambda: _forged_outputs(filled()))


def _odd_name(folder: Path) -> Path:
    path = folder / "Übung 1 (final) 'neu' $HOME ; né 数.ipynb"
    path.write_bytes(RIGHT)
    return path


CASES.append(Case("odd file name", _odd_name))


def _listed(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return notebook


def _old_minor(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        cell.pop("id", None)
    return {**notebook, "nbformat_minor": 0}


def _kernel(notebook: Notebook) -> Notebook:
    notebook["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    return notebook


def _bare(notebook: Notebook, keep_ids: bool) -> Notebook:
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if not keep_ids:
            cell.pop("id", None)
    return notebook


def _same_ids(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        cell["id"] = "same"
    return notebook


def _reversed(notebook: Notebook) -> Notebook:
    return {**notebook, "cells": notebook["cells"][::-1]}


def _retyped(notebook: Notebook) -> Notebook:
    cell = answer_cells(notebook)[2]
    cell["cell_type"] = "markdown"
    return notebook


def _garbage(notebook: Notebook) -> Notebook:
    odd = [None, 5, {"cell_type": 7}, {"cell_type": "code", "source": 9, "metadata": "no"},
           {"cell_type": "code", "source": "x", "metadata": {"ffcourse": [1]}},
           {"cell_type": "code", "source": [1, None], "metadata": {"ffcourse": {"exercise": 90.1}}},
           {"cell_type": "code", "outputs": {"a": 1}, "metadata": {"ffcourse": {"role": []}}}]  # fmt: skip  # noqa: E501
    return {**notebook, "cells": [*odd, *notebook["cells"], *odd]}


def _forged_outputs(notebook: Notebook) -> Notebook:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 10**30
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "12/12 passed"}]
    return notebook


# --------------------------------------------------------------- deleted, doubled, unfinished


def _without(number: int) -> Notebook:
    notebook = filled()
    gone = answer_cells(notebook)[number - 1]
    notebook["cells"] = [c for c in notebook["cells"] if c is not gone]
    return notebook


def _doubled(second: str) -> Notebook:
    notebook = filled()
    copied = copy.deepcopy(answer_cells(notebook)[0])
    copied["source"] = second
    notebook["cells"].append(copied)
    return notebook


def _copied_exercise() -> Notebook:
    notebook = filled(e1="def scale(X, factor):\n    return X + factor")
    right = filled()
    notebook["cells"] += [c for c in right["cells"] if about(c).get("exercise") == "90.1"]
    return notebook


def _only_tail() -> Notebook:
    notebook = filled()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and about(cell).get("role") != "answer":
            cell["source"] = "print('all passed'); assert False"
    return notebook


case("answer deleted", lambda: _without(1), status={"90.1": "missing"},
     says={"90.1": "ffcourse reset 90.1"}, score=9)  # fmt: skip
case("answer doubled", lambda: _doubled("def scale(X, factor):\n    return X"),
     status={"90.1": "wrong"}, says={"": "2 answer cells"}, score=9)  # fmt: skip
case("answer doubled, second empty", lambda: _doubled("  \n"), says={"": "2 answer cells"})
case("exercise copied to the end", _copied_exercise, says={"": "2 answer cells"})
case("checks and given edited", _only_tail)
case("nothing done", exercise, status=dict.fromkeys(IDS, "not_attempted"),
     says={"90.1": "Hint 1", "90.6": "Not attempted"}, score=0)  # fmt: skip
hostile("not implemented left in a branch",
        "def scale(X, factor):\n    if len(X) > 1:\n        raise NotImplementedError\n    return X",  # noqa: E501
        status={"90.1": "not_attempted"}, score=9)  # fmt: skip
hostile("syntax error", "def scale(X, factor):\n    return X *\n", status={"90.1": "error"},
        says={"90.1": "Syntax error in line 2"}, score=9)  # fmt: skip
hostile("indentation", "def scale(X, factor):\nreturn X * factor", status={"90.1": "error"},
        says={"90.1": "line 2"})  # fmt: skip
hostile("null byte", "def scale(X, factor):\n    return X * factor\0", status={"90.1": "error"})
hostile("return outside", "return 5", status={"90.1": "error"}, says={"90.1": "line 1"})
hostile("nested too deeply", "x = " + "-" * 50_000 + "1", status={"90.1": "error"})
hostile("magics and shell lines",
        "%precision 3\n!ls\ndef scale(X, factor):\n    return X * factor")  # fmt: skip
hostile("forbidden name", "def scale(X, factor):\n    return np.multiply(X, factor)",
        status={"90.1": "error"}, says={"90.1": "`np.multiply`"})  # fmt: skip
hostile("forbidden name, disguised",
        "from numpy import multiply as m\ndef scale(X, factor):\n    return m(X, factor)",
        status={"90.1": "error"}, says={"90.1": "`np.multiply`"})  # fmt: skip


def _helper_elsewhere() -> Notebook:
    notebook = filled(e1="def scale(X, factor):\n    return times(X, factor)")
    notebook["cells"].insert(3, code_cell("def times(a, b):\n    return a * b"))
    return notebook


case("helper in another cell", _helper_elsewhere, status={"90.1": "error"},
     says={"90.1": "move it into the answer cell"})  # fmt: skip

# ----------------------------------------------------------------------- wrong, and explained

hostile("named mistake", "def scale(X, factor):\n    return factor + X", status={"90.1": "wrong"},
        mistakes={"90.1": "added"}, says={"90.1": "multiply by it"}, score=9)  # fmt: skip
hostile("named exception", "def scale(X, factor):\n    return factor * X[:, :, 0]",
        status={"90.1": "error"}, mistakes={"90.1": "too-many-indices"})  # fmt: skip
hostile("wrong shape", "def scale(X, factor):\n    return (X * factor).T", status={"90.1": "wrong"},
        says={"90.1": "transposed"})  # fmt: skip
hostile("sign flipped", "def scale(X, factor):\n    return -X * factor", status={"90.1": "wrong"},
        says={"90.1": "sign is flipped"})  # fmt: skip
hostile("nothing returned", "def scale(X, factor):\n    X * factor", status={"90.1": "wrong"},
        says={"90.1": "`return` missing"})  # fmt: skip
hostile("nan", "def scale(X, factor):\n    return X * np.nan", status={"90.1": "wrong"},
        says={"90.1": "NaN"})  # fmt: skip
hostile("only the hidden check fails",
        "def scale(X, factor):\n    return X * abs(factor) if len(X) == 2 else X",
        status={"90.1": "wrong"}, says={"90.1": "Try a negative factor."}, score=10)  # fmt: skip
hostile("early wrong answer, later one right", "def scale(X, factor):\n    return X * 0",
        status={"90.1": "wrong"}, score=9)  # fmt: skip
hostile("wrong literal", "parameters = 9\nreason = 'b'", 3, status={"90.3": "wrong"},
        mistakes={"90.3": "no-biases"})  # fmt: skip
hostile("half of the literals", "parameters = 12\nreason = ...", 3, status={"90.3": "error"})
hostile("accuracy too low", "def classify(X):\n    return (X[:, 0] > 0).astype(int)", 5,
        status={"90.5": "wrong"}, says={"90.5": "Where is the line"})  # fmt: skip
hostile("stub handed back with a comment",
        "# I tried\ndef mean_of(values):\n    return sum(values)/(len(values)-1)", 6,
        status={"90.6": "not_attempted"})  # fmt: skip
