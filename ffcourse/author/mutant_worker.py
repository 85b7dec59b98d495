"""The process in which mutants run: one namespace, every change undone afterwards.

Reads a job as JSON on its input (see `mutation`), writes one JSON line a mutant.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import io
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

LEAST, MOST = 1.0, 20.0  # seconds that a mutant may take
PROBES = 40


class TooLongError(BaseException):
    """A mutant runs without end; not an Exception, so that no answer can catch it."""


def main() -> None:
    """Run the job that stands on the input."""
    from IPython.core.interactiveshell import InteractiveShell

    job = json.load(sys.stdin)
    out = sys.stdout
    shell = InteractiveShell.instance()
    shell.user_ns["__name__"] = "__main__"
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for line in results(job, shell.user_ns):
            out.write(json.dumps(line) + "\n")
    out.flush()


def results(job: dict[str, Any], space: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one result a mutant: name, source, emitted payloads by check, and `same`."""
    steps = job["steps"]
    for index, step in enumerate(steps):
        exec(compile(step["source"], "<solution>", "exec"), space)
        key = step["exercise"]
        more = any(s["exercise"] == key and s["role"] == "answer" for s in steps[index + 1 :])
        if step["role"] == "answer" and not more and key in job["exercises"]:
            yield from _exercise(key, job["exercises"][key], space)


def _exercise(key: str, about: dict[str, Any], space: dict[str, Any]) -> Iterator[dict[str, Any]]:
    checks: list[str] = about["checks"]
    started = time.perf_counter()
    calls = _recorded(key, checks, space)
    limit = min(MOST, max(LEAST, 10 * (time.perf_counter() - started)))
    from ffcourse.learn.undo import undone

    for mutant in about["mutants"]:
        line = {"exercise": key, "name": mutant["name"], "source": mutant["source"]}
        with undone(space):
            try:
                with within(limit):
                    exec(compile(mutant["source"], "<mutant>", "exec"), space)
                    line["emitted"] = _emitted(key, checks, space)
                    line["same"] = _same(calls, space)
            except (Exception, SystemExit, TooLongError):
                line.pop("emitted", None)
        yield line


def _emitted(key: str, checks: list[str], space: dict[str, Any]) -> list[list[dict[str, Any]]]:
    from ffcourse.learn.emitting import recording

    found = []
    for check in checks:
        with recording(key) as record:
            try:
                exec(compile(check, "<check>", "exec"), space)
            except (Exception, SystemExit) as error:
                record.add_error(error)
        found.append(record.payloads)
    return found


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` in this thread when the block takes longer."""
    thread = threading.get_ident()
    over = threading.Event()

    def stop() -> None:
        while not over.wait(0.2):  # once may be lost in a finally clause
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(TooLongError)
            )

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        over.set()
        timer.cancel()


# ------------------------------------------------------- is a surviving mutant really different?


def _recorded(
    key: str, checks: list[str], space: dict[str, Any]
) -> list[tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]]:
    """Run the checks on the reference and keep how its functions were called."""
    from ffcourse.learn.undo import undone

    calls: list[tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def spy(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            if len(calls) < 200:
                with contextlib.suppress(Exception):
                    calls.append((name, function, *copy.deepcopy((args, kwargs))))
            return function(*args, **kwargs)

        return called

    functions = {
        name: value
        for name, value in space.items()
        if getattr(value, "__code__", None) and value.__code__.co_filename == "<solution>"
    }
    with undone(space):
        space.update({name: spy(name, function) for name, function in functions.items()})
        _emitted(key, checks, space)
    return calls


def _same(calls: list[Any], space: dict[str, Any]) -> bool:
    """Say whether every recorded call, with other numbers too, gives what the reference gives."""
    rng = np.random.default_rng(0)
    if not calls:
        return False
    for number in range(PROBES):
        name, reference, args, kwargs = calls[number % len(calls)]
        args, kwargs = varied((args, kwargs), rng) if number >= len(calls) else (args, kwargs)
        if not alike(_outcome(reference, args, kwargs), _outcome(space[name], args, kwargs)):
            return False
    return True


def _outcome(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    args, kwargs = copy.deepcopy((args, kwargs))
    try:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__


def varied(value: Any, rng: np.random.Generator) -> Any:
    """Return a value of the same form with other numbers; integers keep their range."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.asarray((value.std() + 1) * rng.normal(size=value.shape), dtype=value.dtype)
    if isinstance(value, np.ndarray) and value.size:
        return rng.permutation(value.ravel()).reshape(value.shape)
    if isinstance(value, float):
        return float(value * rng.uniform(0.5, 2) + rng.normal() * 0.1)
    if isinstance(value, (list, tuple)):
        return type(value)(varied(item, rng) for item in value)
    if isinstance(value, dict):
        return {key: varied(item, rng) for key, item in value.items()}
    return value


def alike(one: Any, other: Any) -> bool:
    """Say whether two results are the same to nine digits."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    try:
        a, b = np.asarray(one), np.asarray(other)
        if a.shape != b.shape:
            return False
        return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))
    except (TypeError, ValueError):
        return bool(one == other)


if __name__ == "__main__":
    main()
