"""The learner's own copies of the notebooks, in ``work/``.

Tracked notebooks are never edited by learners, so an update of the course can't collide with
their answers. A copy whose source cells nobody has touched is renewed after an update; a copy
with a learner's writing in it is left alone until they ask for ``ffcourse reset``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDERS = ("chapters", "exercises")
MANIFEST = ".copies.json"


def root() -> Path:
    """Return the folder of the course: the checkout, or ``FFCOURSE_ROOT`` where that is set."""
    return Path(os.environ.get("FFCOURSE_ROOT") or Path(__file__).resolve().parent.parent)


def work() -> Path:
    """Return the folder of the learner's own copies; it need not exist yet."""
    return root() / "work"


@dataclass
class Update:
    """What a call of `sync` did, as paths relative to the course."""

    new: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """Tell the learner what changed; empty when there is nothing to tell."""
        lines = []
        if self.renewed:
            lines.append(f"Renewed after an update: {', '.join(self.renewed)}.")
        for name in self.kept:
            number = Path(name).name.split("_")[0]
            lines.append(
                f"{name} has a newer version; yours is kept because you wrote in it "
                f"(`python3 -m ffcourse reset {number}` takes the new one and keeps a copy)."
            )
        return lines


def sync() -> Update:
    """Bring new notebooks, and new versions of untouched ones, into ``work/``."""
    update = Update()
    manifest = read_manifest()
    for source in sources():
        name = source.relative_to(root()).as_posix()
        copy = work() / name
        print_new = content_hash(source)
        known = manifest.get(name)
        if not copy.exists():
            if known is None or known != print_new:
                replace(copy, fresh_copy(source))
                manifest[name] = print_new
                update.new.append(name)
        elif known != print_new:
            if known is not None and content_hash(copy) == known:
                replace(copy, fresh_copy(source))
                update.renewed.append(name)
            elif content_hash(copy) != print_new:
                update.kept.append(name)
                continue
            manifest[name] = print_new
    replace(work() / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return update


def sources() -> Iterator[Path]:
    """Yield every tracked file that a learner gets a copy of."""
    for folder in FOLDERS:
        for path in sorted((root() / folder).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(root()).parts)
            if path.is_file() and not hidden:
                yield path


def read_manifest() -> dict[str, str]:
    """Return what each copy was when it was made; empty if that was never written or is broken."""
    try:
        manifest = json.loads((work() / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def fresh_copy(source: Path) -> bytes:
    """Return the content of a new copy: a notebook without its outputs, other files as they are."""
    content = source.read_bytes()
    if source.suffix != ".ipynb":
        return content
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def content_hash(path: Path) -> str:
    """Return a hash of what a person writes: for notebooks the cells' sources, not the outputs."""
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        with contextlib.suppress(ValueError, KeyError, TypeError):
            cells = [(c["cell_type"], "".join(c["source"])) for c in json.loads(content)["cells"]]
            content = json.dumps(cells).encode()
    return hashlib.sha256(content).hexdigest()


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees either the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~current_umask())  # mkstemp makes private files
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def current_umask() -> int:
    """Return the permissions that new files lack by the user's own setting."""
    umask = os.umask(0)
    os.umask(umask)
    return umask


def reset(what: str) -> str:
    """Start a notebook (``"01"``) or one exercise (``"01.2"``) afresh; keep the old answer.

    Returns
    -------
    str
        One sentence that says what was done and where the old work is.

    Raises
    ------
    LookupError
        If there is no such notebook or exercise.
    """
    number, _, part = what.partition(".")
    found = sorted((root() / "exercises").glob(f"{number}_*.ipynb"))
    if not found:
        raise LookupError(f"there is no exercise notebook {number!r}; give a number such as 01.")
    source = found[0]
    copy = work() / "exercises" / source.name
    name = copy.relative_to(root()).as_posix()
    if not copy.exists():
        replace(copy, fresh_copy(source))
        return f"{name} is there again."
    if part:
        return reset_exercise(copy, source, what)
    kept = free_name(copy)
    replace(kept, copy.read_bytes())
    replace(copy, fresh_copy(source))
    replace_manifest_entry(source)
    return f"{name} is as new; your old one is {kept.name}."


def replace_manifest_entry(source: Path) -> None:
    """Note that a copy is the present version of its source."""
    manifest = read_manifest()
    manifest[source.relative_to(root()).as_posix()] = content_hash(source)
    replace(work() / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())


def reset_exercise(copy: Path, source: Path, exercise: str) -> str:
    """Put the stub of one exercise back; the old answer stays below it as a raw cell."""
    fresh = answer_cells(json.loads(source.read_text(encoding="utf-8")), exercise)
    if not fresh:
        raise LookupError(f"there is no exercise {exercise!r} in {source.name}.")
    notebook = json.loads(copy.read_text(encoding="utf-8"))
    old = answer_cells(notebook, exercise)
    if not old:
        raise LookupError(
            f"the answer cell of {exercise} is gone from {copy.name}: "
            f"`python3 -m ffcourse reset {exercise.partition('.')[0]}` restores the whole notebook."
        )
    for cell, stub in zip(old, fresh, strict=False):
        if "".join(cell["source"]) == "".join(stub["source"]):
            continue
        place = notebook["cells"].index(cell) + 1
        kept = {"cell_type": "raw", "metadata": {}, "source": cell["source"]}
        if notebook.get("nbformat_minor", 0) >= 5:
            kept["id"] = hashlib.sha256(os.urandom(8)).hexdigest()[:8]
        notebook["cells"].insert(place, kept)
        cell.update(source=stub["source"], outputs=[], execution_count=None)
    replace(copy, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())
    return f"{exercise} is as new in {copy.name}; your old answer stands below it."


def answer_cells(notebook: dict[str, Any], exercise: str) -> list[dict[str, Any]]:
    """Return the cells that hold the answer to one exercise."""
    found = []
    for cell in notebook["cells"]:
        about = cell.get("metadata", {}).get("ffcourse", {})
        if about.get("exercise") == exercise and about.get("role") == "answer":
            found.append(cell)
    return found


def free_name(path: Path) -> Path:
    """Return a name beside `path` that is not taken: ``01_neuron.old-1.ipynb``."""
    number = 1
    while (candidate := path.with_name(f"{path.stem}.old-{number}{path.suffix}")).exists():
        number += 1
    return candidate


def main(argv: list[str]) -> int:
    """Run ``ffcourse reset``."""
    parser = argparse.ArgumentParser(
        prog="ffcourse reset",
        description="Start an exercise (01.2) or a whole exercise notebook (01) afresh. "
        "Your old answer is kept beside it.",
    )
    parser.add_argument("what", help="01.2 for one exercise, 01 for a notebook")
    try:
        print(reset(parser.parse_args(argv).what))
    except (LookupError, ValueError, OSError) as error:
        print(f"ffcourse reset: {error}", file=sys.stderr)
        return 2
    return 0
