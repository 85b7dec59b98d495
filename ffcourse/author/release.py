"""What a class gets: the course without its solutions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ffcourse.author.generate import generate
from ffcourse.workspace import replace, root

FILES = (
    "README.md",
    "LICENSE",
    "LICENSE-TEXT",
    "CITATION.cff",
    "pyproject.toml",
    "requirements.txt",
    "requirements-test.txt",
)
FOLDERS = ("chapters", "ffcourse")


def release(folder: Path, paths: list[Path]) -> list[Path]:
    """Write a course folder in which submit() knows the visible references only.

    Chapters, the package and the exercises are copied; in the place of solutions/ stands
    bundles/, with one JSON file a notebook that holds no answers, no hidden checks and no
    values of theirs. The teacher keeps the solutions and grades with ``--solutions``.

    Parameters
    ----------
    folder : Path
        Where to write; made if needed. Files of an earlier release are renewed.
    paths : list of Path
        The solutions to release.

    Returns
    -------
    list of Path
        The bundles.

    Raises
    ------
    ValueError
        If `folder` is the course itself or lies inside one of its copied folders.
    """
    target = folder.resolve()
    if target == root().resolve() or any(
        target.is_relative_to((root() / name).resolve()) for name in (*FOLDERS, "solutions")
    ):
        raise ValueError("release into a folder of its own, outside the course")
    stale = generate(paths, check=True)
    if stale:
        names = ", ".join(path.name for path in stale)
        raise ValueError(f"exercises are out of step ({names}): run `ffcourse author generate`")
    _copy(target)
    return [_bundle(path, target) for path in paths]


def _copy(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.pyc")
    for name in FOLDERS:
        if (root() / name).is_dir():
            shutil.copytree(root() / name, target / name, dirs_exist_ok=True, ignore=skip)
    for name in FILES:
        if (root() / name).is_file():
            shutil.copy2(root() / name, target / name)


def _bundle(path: Path, target: Path) -> Path:
    """Write one bundle and the exercise notebook that goes with it."""
    from ffcourse.grade.solution import as_bundle

    text = json.dumps(as_bundle(path), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    place = target / "bundles" / f"{path.stem}.json"
    replace(place, text.encode("utf-8"))
    exercise = path.parent.parent / "exercises" / path.name
    replace(target / "exercises" / path.name, exercise.read_bytes())
    return place
