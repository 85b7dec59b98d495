"""The skeleton of a chapter and of its exercises: every part that the gates ask for."""

from __future__ import annotations

import re
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.workspace import root

NO_TITLE = "Title"  # until the author sets the one that links show

_PARTS = """\
# A title that is a promise

You will **do** …, you will **learn** …, you **need** …. About 40 minutes.
---
```python
from ffcourse import show
from ffcourse.learn import predict, quiz, reveal
```
---
## 1 · A question

One idea, in at most 120 words, with each new term linked to the glossary.
---
```python
predict("{n}.first", "What will the next cell show?", choices=["this", "that"])
```
---
```python
1 + 1
```
---
```python
reveal("{n}.first", "this", because="Say why, in one sentence.")
```
---
## Summary

- At most five bullets.

## Conventions

| | here | PyTorch |
|---|---|---|
| shape | | |
---
```python
quiz("{n}")
```
---
## Exercises, and what comes next

Say where to go on.

## Sources

- Author, *Title*, year.
"""

_PROMPT = """\
## {n}.1 Title of the exercise

*Trains: …*

The task in two or three sentences with shapes.

**Example.** `double(3.0)` is 6.0.

<details><summary>Hint 1: where to look</summary>

Where to look.

</details>
<details><summary>Hint 2: what to do</summary>

What to do.

</details>
<details><summary>Hint 3: nearly the code</summary>

Nearly the code.

</details>"""

_ANSWER = 'def double(x):\n    """Return twice x, an array of any shape."""\n    return 2 * x'


def create(key: str) -> list[Path]:
    """Write the skeletons of ``chapters/KEY.ipynb`` and ``solutions/KEY.ipynb``.

    Parameters
    ----------
    key : str
        Number and topic: ``"03_layer"``.

    Raises
    ------
    ValueError
        If `key` has another form.
    FileExistsError
        If one of the files is there already.
    """
    if not re.fullmatch(r"\d\d[a-z]?_[a-z0-9_]+", key):
        raise ValueError(f"a notebook's key looks like 03_layer; got {key!r}")
    places = [root() / "chapters" / f"{key}.ipynb", root() / "solutions" / f"{key}.ipynb"]
    for place in places:
        if place.exists():
            raise FileExistsError(f"{place.relative_to(root())} exists already")
    nb.write(places[0], chapter(key))
    nb.write(places[1], solution(key))
    return places


def _meta(key: str) -> dict[str, object]:
    return {"schema": 1, "notebook": key, "chapter": nb.key_number(key), "title": NO_TITLE}


def chapter(key: str) -> nb.Notebook:
    """Return a chapter with every part that NOTEBOOKS.md asks for."""
    number = nb.key_number(key)
    cells = []
    for index, part in enumerate(_PARTS.replace("{n}", number).split("---\n"), 1):
        text = part.strip()
        if text.startswith("```python"):
            cells.append(nb.code(f"{number}-{index}", text[10:-4]))
        else:
            cells.append(nb.markdown(f"{number}-{index}", text))
    return nb.new(cells, _meta(key))


def solution(key: str) -> nb.Notebook:
    """Return a solution with one exercise and every role."""
    n = nb.key_number(key)
    one = f"{n}.1"
    prompt = {"title": "Title", "kind": "code", "difficulty": 1, "minutes": 8}
    given = "import numpy as np\n\nfrom ffcourse.learn import check, check_rng, emit, submit"
    visible = f'%%check {one}\nemit("twice three", double(3.0))'
    random = f'rng = check_rng("{one}")\nemit("twice a matrix", double(rng.normal(size=(3, 2))))'
    hidden = f"%%check {one}\n{random}"
    said = "# You squared x. Twice x is x + x.\n"
    wrong = f"%%mistake {one} squared\n{said}def double(x):\n    return x**2"
    other = f"%%alternative {one} sum\ndef double(x):\n    return x + x"
    cells = [
        nb.markdown("intro", f"# Exercises {n} · Title", {"exercise": n, "role": "intro"}),
        nb.code("given", given, {"exercise": n, "role": "given"}),
        nb.markdown(
            "prompt", _PROMPT.replace("{n}", n), {"exercise": one, "role": "prompt", **prompt}
        ),
        nb.code("answer", _ANSWER, {"exercise": one, "role": "answer"}),
        nb.code("check-1", visible, _check_meta(one, "a number", hidden=False)),
        nb.code("check-2", hidden, _check_meta(one, "a matrix", hidden=True)),
        nb.code("mistake", wrong, {"exercise": one, "role": "mistake", "name": "squared"}),
        nb.code("alternative", other, {"exercise": one, "role": "alternative", "name": "sum"}),
    ]
    return nb.new(cells, _meta(key))


def _check_meta(exercise: str, label: str, *, hidden: bool) -> dict[str, object]:
    meta: dict[str, object] = {"exercise": exercise, "role": "check", "hidden": hidden}
    meta |= {"points": 1, "label": label}
    return meta | {"hint": "Try an array, too."} if hidden else meta
