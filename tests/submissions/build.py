"""Make tests/submissions/tiny/: a small solution with its stored outputs, and its exercise.

Run ``python -m tests.submissions.build`` after a change of the cells below.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "tiny"
KEY = "90_tiny"
META = {"schema": 1, "notebook": KEY, "chapter": "90", "title": "Tiny"}

HINTS = """
<details><summary>Hint 1: where to look</summary>

At the shapes of {name}.

</details>
<details><summary>Hint 2: what to do</summary>

Write {name} for one row first.

</details>
<details><summary>Hint 3: nearly the code</summary>

It is one line.

</details>
"""


def prompt(key: str, title: str, kind: str) -> dict[str, Any]:
    text = f"## {key} {title}\n\nWrite it.\n" + HINTS.format(name=title)
    return cell("markdown", key, "prompt", text, title=title, kind=kind, difficulty=1, minutes=5)


def cell(form: str, key: str, role: str, source: str, **meta: Any) -> dict[str, Any]:
    about = {"exercise": key, "role": role, **meta}
    made: dict[str, Any] = {
        "cell_type": form,
        "metadata": {"ffcourse": about},
        "source": source.strip(),
    }
    if form == "code":
        made.update(outputs=[], execution_count=None)
    return made


def code(key: str, role: str, source: str, **meta: Any) -> dict[str, Any]:
    return cell("code", key, role, source, **meta)


def check(key: str, source: str, **meta: Any) -> dict[str, Any]:
    return code(key, "check", f"%%check {key}\n{source.strip()}", **meta)


def mistake(key: str, name: str, words: str, source: str) -> dict[str, Any]:
    return code(key, "mistake", f"%%mistake {key} {name}\n# {words}\n{source.strip()}", name=name)


def alternative(key: str, name: str, source: str) -> dict[str, Any]:
    return code(key, "alternative", f"%%alternative {key} {name}\n{source.strip()}", name=name)


CELLS: list[dict[str, Any]] = [
    cell("markdown", "90", "intro", "# Tiny exercises"),
    code(
        "90",
        "given",
        "import numpy as np\n\nfrom ffcourse.learn import check, check_rng, emit, submit",
    ),
    # ------------------------------------------------------------------ 90.1: a function
    prompt("90.1", "scale", "code"),
    code(
        "90.1",
        "answer",
        'def scale(X, factor):\n    """X (N, D) -> X times factor, (N, D)."""\n    return X * factor',  # noqa: E501
        forbid=["np.multiply"],
    ),
    check(
        "90.1",
        'emit("two rows", scale(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), 3.0))',
        hidden=False,
        points=1,
        label="two rows",
    ),
    check(
        "90.1",
        'rng = check_rng("90.1")\nemit("random", scale(rng.normal(size=(5, 3)), rng.normal()))',
        hidden=True,
        points=2,
        label="random rows",
        hint="Try a negative factor.",
    ),
    mistake("90.1", "added", "You add the factor; multiply by it.",
            "def scale(X, factor):\n    return X + factor"),
    mistake("90.1", "squared", "The factor is there twice.",
            "def scale(X, factor):\n    return X * factor * factor"),
    mistake("90.1", "too-many-indices", "X has two axes only.",
            "def scale(X, factor):\n    return X[:, :, 0] * factor"),
    alternative("90.1", "loop", "def scale(X, factor):\n"
                "    return np.array([[x * factor for x in row] for row in X])"),
    # -------------------------------------------- 90.2: a function that needs the first one
    prompt("90.2", "total", "code"),
    code(
        "90.2",
        "answer",
        'def total(X):\n    """X (N, D) -> column sums of scale(X, 2), (D,)."""\n'
        "    return scale(X, 2.0).sum(axis=0)",
    ),
    check(
        "90.2",
        'emit("columns", total(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])))',
        hidden=False,
        points=1,
        label="columns",
    ),
    check(
        "90.2",
        'rng = check_rng("90.2")\nemit("more columns", total(rng.normal(size=(6, 4))))',
        hidden=True,
        points=1,
        label="more columns",
        hint="Try more columns than rows.",
    ),
    mistake("90.2", "wrong-axis", "You sum along the rows; the columns are meant.",
            "def total(X):\n    return scale(X, 2.0).sum(axis=1)"),
    mistake("90.2", "mean", "You take the mean; the sum is meant.",
            "def total(X):\n    return scale(X, 2.0).mean(axis=0)"),
    mistake("90.2", "not-scaled", "You forgot to scale.",
            "def total(X):\n    return X.sum(axis=0)"),
    alternative("90.2", "ones", "def total(X):\n    return np.ones(len(X)) @ scale(X, 2.0)"),
    # ------------------------------------------------------------------ 90.3: literals
    prompt("90.3", "how many", "predict"),
    code("90.3", "answer", "parameters = 12\nreason = 'b'"),
    check("90.3", 'emit("parameters", parameters)\nemit("reason", reason)', hidden=True, points=2,
          label="number and reason", hint="Count the biases too."),
    mistake("90.3", "no-biases", "You left out the biases.", "parameters = 9\nreason = 'b'"),
    alternative("90.3", "as-float", "parameters = 12.0\nreason = 'b'"),
    # ------------------------------------------------------------------ 90.4: a class
    prompt("90.4", "Counter", "code"),
    code(
        "90.4",
        "answer",
        'class Counter:\n    """Counts what it is given."""\n\n    def __init__(self):\n'
        "        self.n = 0\n\n    def add(self, values):\n"
        '        """Add the number of values."""\n        self.n += len(values)\n        return self.n',  # noqa: E501
    ),
    check(
        "90.4",
        'c = Counter()\nemit("first", c.add([1, 2]))\nemit("second", c.add([5]))',
        hidden=False,
        points=1,
        label="counts",
    ),
    mistake("90.4", "starts-again", "You forget what was counted before.",
            "class Counter:\n    def add(self, values):\n        self.n = len(values)\n"
            "        return self.n"),
    # ------------------------------------------------ 90.5: judged against hidden labels
    prompt("90.5", "predict", "experiment"),
    code(
        "90.5",
        "answer",
        'def classify(X):\n    """X (N, 2) -> 0 or 1 for each row, (N,)."""\n'
        "    return (X[:, 0] + X[:, 1] > 0).astype(int)",
    ),
    check(
        "90.5",
        'rng = check_rng("90.5")\nX_new = rng.normal(size=(200, 2))\n'
        'emit("predictions", classify(X_new))',
        hidden=True,
        points=3,
        label="new rows",
        rules={"predictions": {"rule": "accuracy", "truth": "labels", "at_least": 0.9}},
        hint="Where is the line between the classes?",
    ),
    code(
        "90.5",
        "truth",
        '%%truth 90.5\nrng = check_rng("90.5")\nX_new = rng.normal(size=(200, 2))\n'
        'emit("labels", (X_new[:, 0] + X_new[:, 1] > 0).astype(int))',
    ),
    mistake("90.5", "all-ones", "You say 1 for every row.",
            "def classify(X):\n    return np.ones(len(X), dtype=int)"),
    # ------------------------------------------------------------------ 90.6: a bug to mend
    prompt("90.6", "mend", "bug"),
    code("90.6", "stub",
         "%%stub 90.6\ndef mean_of(values):\n    return sum(values) / (len(values) - 1)"),
    code("90.6", "answer",
         "def mean_of(values):\n    return sum(values) / len(values)"),
    check("90.6", 'emit("mean", mean_of([1.0, 2.0, 6.0]))', hidden=False, points=1, label="mean"),
    mistake("90.6", "sum", "You give the sum.", "def mean_of(values):\n    return sum(values)"),
    code("90", "submit", "submit()"),
]  # fmt: skip


def solution() -> dict[str, Any]:
    """Return the solution without outputs."""
    cells = []
    counts: dict[str, int] = {}
    for made in json.loads(json.dumps(CELLS)):
        about = made["metadata"]["ffcourse"]
        place = f"{about['exercise'].replace('.', '-')}-{about['role']}"
        counts[place] = counts.get(place, 0) + 1
        made["id"] = place if counts[place] == 1 else f"{place}-{counts[place]}"
        cells.append(made)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"ffcourse": META, "kernelspec": kernel}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def main() -> None:
    """Run the solution, and write it and its exercise."""
    import nbformat
    from nbclient import NotebookClient

    from ffcourse.author.generate import exercise_notebook
    from ffcourse.author.solution import load

    notebook = nbformat.from_dict(solution())
    NotebookClient(notebook, timeout=60).execute()
    for made in notebook.cells:
        made.metadata.pop("execution", None)
    notebook.metadata.pop("language_info", None)
    (HERE / "solutions").mkdir(parents=True, exist_ok=True)
    path = HERE / "solutions" / f"{KEY}.ipynb"
    _write(path, notebook)
    _write(HERE / "exercise.ipynb", exercise_notebook(load(path)))


def _write(path: Path, data: Any) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
