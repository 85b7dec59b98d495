"""One run of the assembled notebook under nbval, in one kernel."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox.nursery import Source
from ffcourse.grade.solution import Check

_FIXED = [
    "--nbval", "-q", "--color=no", "--tb=no", "--no-header", "--no-summary",
    "--capture=no",
]  # fmt: skip
# Each costs a millisecond or two a run, and no notebook needs it.
_LEFT_OUT = (
    "cacheprovider", "doctest", "faulthandler", "logging", "junitxml", "unraisableexception",
    "threadexception", "debugging", "nose", "pastebin", "recwarn", "setuponly",
    "setupplan", "stepwise", "python", "assertion", "reports",
    "tmpdir", "monkeypatch", "unittest", "warnings", "subtests",
)  # fmt: skip
_FIXED += [word for name in _LEFT_OUT for word in ("-p", f"no:{name}")]


@dataclass
class Piece:
    """One cell of an assembled notebook.

    Attributes
    ----------
    role : str
        given, answer, check or bind.
    before : str
        Imports to run once more before the cell, in case a learner's code has changed them.
    check : Check or None
        For a check, so that its stored outputs stand in the file for nbval.
    """

    role: str
    exercise: str
    source: str
    number: int = 0
    check: Check | None = None
    seconds: float | None = None
    before: str = ""


def run_pieces(
    pieces: list[Piece], nursery: Source, limits: Limits, seed: int | None, folder: Path
) -> dict[int, Any]:
    """Run cells in a fresh kernel under nbval; return a record for each by its position.

    Parameters
    ----------
    folder : Path
        Where the assembled notebook is written; only this process reads it.
    """
    from ffcourse.grade.client import GuardedKernel
    from ffcourse.grade.plugin import GradingRun

    path = folder / "assembled.ipynb"
    path.write_text(json.dumps(_notebook(pieces)), encoding="utf-8")
    seconds = {i: p.seconds for i, p in enumerate(pieces) if p.seconds}
    kernel = nursery.start(seed)
    try:
        deadline = time.monotonic() + limits.total_seconds
        guarded = GuardedKernel(kernel, limits.cell_wall, deadline)
        before = {i: p.before for i, p in enumerate(pieces) if p.before}
        run = GradingRun(guarded, seconds, limits.cell_seconds, before)
        try:
            _pytest(path, run)
        finally:
            guarded.stop()
    finally:
        kernel.kill()
    return {i: run.record(i) for i in range(len(pieces))}


def _pytest(path: Path, run: Any) -> None:
    import nbval.plugin
    import pytest

    from ffcourse.grade import plugin

    ini = path.parent / "pytest.ini"
    ini.write_text("[pytest]\n", encoding="utf-8")
    words = [*_FIXED, "-c", str(ini), "--rootdir", str(path.parent), str(path)]
    with _quiet(), _environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", FFCOURSE_NBVAL="1"):
        code = pytest.main(words, plugins=[nbval.plugin, plugin, run])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"nbval could not run the assembled notebook (pytest: {code!r}).")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    if os.environ.get("FFCOURSE_SANDBOX_DEBUG"):
        import sys

        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _notebook(pieces: list[Piece]) -> dict[str, Any]:
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [_cell(i, piece) for i, piece in enumerate(pieces)],
    }


def _cell(index: int, piece: Piece) -> dict[str, Any]:
    meta: dict[str, Any] = {"ffcourse": {"step": index, "role": piece.role}}
    outputs: list[dict[str, Any]] = []
    if piece.check is not None:
        outputs = [_output(payload) for payload in piece.check.reference]
    else:
        meta["tags"] = ["nbval-ignore-output"]
    return {
        "cell_type": "code",
        "id": f"cell-{index}",
        "metadata": meta,
        "execution_count": index + 1,
        "source": piece.source,
        "outputs": outputs,
    }


def _output(payload: dict[str, Any]) -> dict[str, Any]:
    from ffcourse.grade.values import VALUE_MIME

    return {"output_type": "display_data", "metadata": {}, "data": {VALUE_MIME: payload}}
