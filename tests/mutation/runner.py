"""Runs tests against mutants, each worker in its own temporary copy of the project."""

from __future__ import annotations

import compileall
import contextlib
import multiprocessing as mp
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

from tests.mutation.mutants import Mutant

ROOT = Path(__file__).resolve().parents[2]
KILLED, SURVIVED = 1, 0
# Loaded once into the server that the test processes are forked from; nothing of ffcourse.
PRELOAD = [
    "numpy",
    "pytest",
    "hypothesis.extra.numpy",
    "safetensors.numpy",
    "tests.mutation.runner",
]


def start_method() -> mp.context.BaseContext:
    """Return forkserver where there is one (seconds saved for each mutant), else spawn."""
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


@contextlib.contextmanager
def project_copy() -> Iterator[Path]:
    """Make a copy of what the tests need, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        ignore = shutil.ignore_patterns("__pycache__", "*.ipynb", "submissions", "browser")
        for part in ("ffcourse", "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
            # Checked by hash: by time and size, two mutants could be taken for one another.
            compileall.compile_dir(
                folder / part,
                quiet=2,
                invalidation_mode=PycInvalidationMode.CHECKED_HASH,
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield folder


def _run(folder: str, tests: list[str]) -> None:
    """Run in a fresh process: exit with KILLED if a test fails."""
    sys.dont_write_bytecode = True
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # notebooks and browsers: slow to load
    os.chdir(folder)
    sys.path[:] = [folder, *(p for p in sys.path if p not in ("", str(ROOT)))]
    for name in [n for n in sys.modules if n == "tests" or n.startswith(("tests.", "ffcourse"))]:
        del sys.modules[name]
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    import hypothesis
    import pytest

    # A test that is slow because the machine is busy has found nothing.
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")
    # Plain assertions: nobody reads why they failed, and rewriting them takes time.
    options = ["-x", "-q", "--assert=plain", "-m", "not torch and not slow"]
    options += ["-p", "_hypothesis_pytestplugin", "--hypothesis-seed=0"]
    status = pytest.main([*options, "-c", f"{folder}/pyproject.toml", *tests])
    import ffcourse

    if not str(ffcourse.__file__).startswith(os.path.realpath(folder)):
        os._exit(99)  # another copy was tested: nothing was learned
    os._exit(KILLED if status != 0 else SURVIVED)


def run_tests(folder: Path, tests: list[str], timeout: float) -> tuple[int, float]:
    """Return KILLED (a test failed, or time ran out) or SURVIVED, and the seconds taken."""
    process = start_method().Process(target=_run, args=(os.path.realpath(folder), tests))
    start = time.monotonic()
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
        return KILLED, time.monotonic() - start
    if process.exitcode == 99:
        raise RuntimeError("the tests imported another copy of ffcourse")
    return (SURVIVED if process.exitcode == 0 else KILLED), time.monotonic() - start


def survives(
    folder: Path, file: str, mutant: Mutant, stages: list[list[str]], limit: float
) -> bool:
    """Put the mutant in place and run the stages, the quickest first; restore the file."""
    path = folder / file
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    try:
        return all(run_tests(folder, tests, limit)[0] == SURVIVED for tests in stages)
    finally:
        path.write_text(original, encoding="utf-8")
