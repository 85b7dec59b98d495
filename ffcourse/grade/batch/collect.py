"""Find what was handed in: files below folders, with odd names, links and duplicates handled."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ffcourse.grade.notebook import MAX_BYTES

SKIPPED = {".ipynb_checkpoints", "__MACOSX"}
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Handed:
    """One file that was handed in.

    Attributes
    ----------
    path : Path
        Where it is.
    name : str
        Its path below the folder that was named, with ``/``, always printable.
    sha : str
        SHA-256 of its bytes; of its problem and name where it can't be read.
    problem : str or None
        Why it can't be graded, if that shows before it is opened.
    modified : float or None
        When the file was last written (seconds since 1970).
    """

    path: Path
    name: str
    sha: str
    problem: str | None
    modified: float | None


def notebook_files(paths: Sequence[str | Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file to grade and its name: those named, and every .ipynb below a folder.

    Folders are never entered through a symbolic link, so nothing outside is read and no
    loop is followed; a link to a notebook, or one in the place of somebody's folder, is
    yielded, to be told about.
    """
    seen: set[str] = set()
    for given in paths:
        base = Path(given)
        if base.is_dir():
            for path in sorted(_below(base), key=lambda p: p.relative_to(base).as_posix()):
                yield path, _unused(path.relative_to(base).as_posix(), base.name, seen)
        else:
            yield base, _unused(base.name, base.parent.name, seen)


def _below(base: Path) -> Iterator[Path]:
    closed: list[Path] = []

    def note(error: OSError) -> None:
        if error.filename:
            closed.append(Path(error.filename))

    for folder, folders, files in os.walk(base, onerror=note, followlinks=False):
        folders[:] = [name for name in folders if name not in SKIPPED]
        if Path(folder) == base:
            links = [name for name in folders if Path(folder, name).is_symlink()]
            yield from (Path(folder, n) for n in links if not n.lower().endswith(".ipynb"))
        for name in files:
            if name.lower().endswith(".ipynb") and not name.startswith("._"):
                yield Path(folder, name)
        for name in list(folders):
            if name.lower().endswith(".ipynb"):
                folders.remove(name)
                yield Path(folder, name)
    yield from (path for path in closed if path != base)


def no_notebooks(paths: Sequence[str | Path]) -> str | None:
    """Say which files are passed over, since they are not notebooks; None where there are none."""
    kinds: Counter[str] = Counter()
    examples: list[str] = []
    for base in (Path(given) for given in paths if Path(given).is_dir()):
        for folder, folders, files in os.walk(base, followlinks=False):
            folders[:] = [n for n in folders if n not in SKIPPED and not _aside(n)]
            for name in sorted(files):
                if not name.lower().endswith(".ipynb") and not _aside(name):
                    kinds[os.path.splitext(name)[1].lower() or "no ending"] += 1
                    examples.append(Path(folder, name).relative_to(base).as_posix())
    if not examples:
        return None
    count = "1 file is" if len(examples) == 1 else f"{len(examples)} files are"
    ways = ", ".join(f"{printable(kind)} {n}" for kind, n in kinds.most_common(6))
    return f"{count} no .ipynb and passed over ({ways}), such as {printable(min(examples))}"


def _aside(name: str) -> bool:
    return name.startswith(".") or name.lower() in ("timestamp.txt", "thumbs.db", "desktop.ini")


def _unused(name: str, base: str, seen: set[str]) -> str:
    """Return a printable name that was not given before in this batch."""
    plain = printable(name)
    chosen, number = plain, 2
    while chosen in seen:
        chosen = f"{printable(base)}/{plain}" if number == 2 else f"{plain} ({number})"
        number += 1
    seen.add(chosen)
    return chosen


def printable(name: str) -> str:
    """Return a file name as text that can be printed and stored: odd bytes and controls escaped."""
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def collect(files: Iterable[tuple[Path, str]]) -> Iterator[Handed]:
    """Yield what was handed in, with the hash of each file's bytes."""
    for path, name in files:
        problem = _problem(path)
        sha, modified = "", None
        if problem is None:
            try:
                sha, modified = _hash(path), path.stat().st_mtime
            except OSError as error:
                problem = f"The file cannot be read: {error.strerror or type(error).__name__}."
        if problem is not None:
            sha = "-" + hashlib.sha256(f"{problem}\0{name}".encode()).hexdigest()[1:]
        yield Handed(path, name, sha, problem, modified)


def _problem(path: Path) -> str | None:
    """Say why a path is not read at all; the worker says the rest."""
    try:
        if path.is_symlink():
            return "This is a symbolic link; hand in the file itself."
        if path.is_dir() and not path.name.lower().endswith(".ipynb"):
            return "This folder cannot be opened, so what is in it was not graded."
        if path.is_dir():
            return "This is a folder, not a notebook. Hand in the .ipynb file."
        if not path.is_file():
            return "The file does not exist, or is not a regular file."
        size = path.stat().st_size
    except OSError as error:
        return f"The file cannot be read: {error.strerror or type(error).__name__}."
    if size > MAX_BYTES:
        return (
            f"The file has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. Clear "
            "its outputs (Edit, Clear Outputs of All Cells), save it, and hand it in again."
        )
    return None


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
