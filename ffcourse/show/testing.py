"""Tests of live figures without a browser: move every control, look at every number."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ffcourse.show.live import FIGURES, LiveFigure


class SweepError(AssertionError):
    """A live figure raised, warned, or showed something that is not a number."""


def sweep(figure: LiveFigure) -> int:
    """Move each control of a live figure through its range, the others at their start values.

    Then all corners are tried: every control at its ends at once. The figure is left at its start.

    Returns
    -------
    int
        How many states were tried.

    Raises
    ------
    SweepError
        If the function raises, warns, or puts NaN or infinity into a layer, or if a control
        changes nothing; it tells the state.
    """
    start = figure.start
    count = 0
    for name, control in figure.controls.items():
        changed: list[str] = []
        figure.set(**start)
        for value in control.sweep():
            changed += _try(figure, {**start, name: value})
            count += 1
        if not changed:
            raise SweepError(f"{name} changes nothing in {figure.alt!r}")
    for state in _corners(figure):
        _try(figure, state)
        count += 1
    _try(figure, start)
    return count


def _corners(figure: LiveFigure) -> Iterator[dict[str, Any]]:
    """Yield the states in which all controls stand at their first, or all at their last value."""
    for end in (0, -1):
        yield {name: control.sweep()[end] for name, control in figure.controls.items()}


def _try(figure: LiveFigure, state: dict[str, Any]) -> list[str]:
    words = ", ".join(f"{name}={value}" for name, value in state.items())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            changed = figure.set(**state)
        except Exception as error:
            raise SweepError(
                f"{figure.alt!r} at {words}: {type(error).__name__}: {error}"
            ) from error
    check_numbers(figure, words)
    return changed


def check_numbers(figure: LiveFigure, words: str = "") -> None:
    """Raise SweepError if a number behind the picture is not finite."""
    for layer in figure.layers:
        for name, values in layer.numbers().items():
            array = np.asarray(values)
            if array.dtype.kind == "f" and not layer.gaps and not np.isfinite(array).all():
                raise SweepError(
                    f"{figure.alt!r} at {words}: {name} of layer {layer.name!r} is not finite"
                )


def sweep_all() -> int:
    """Sweep every live figure that is open in this process; return the number of figures."""
    figures = sorted((f for f in FIGURES if not f.closed), key=lambda f: f.number)
    for figure in figures:
        sweep(figure)
    return len(figures)


def sweep_notebook(path: str | Path, *, timeout: float = 600) -> int:
    """Run a notebook in a fresh kernel, then sweep every live figure that it has made.

    Returns
    -------
    int
        The number of live figures.

    Raises
    ------
    SweepError
        As in `sweep`.
    nbclient.exceptions.CellExecutionError
        If a cell of the notebook fails.
    """
    import nbformat
    from nbclient import NotebookClient

    path = Path(path).resolve()
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    last = nbformat.v4.new_code_cell(_LAST)  # type: ignore[no-untyped-call]
    notebook.cells.append(last)
    environment = {**os.environ, "FFCOURSE_NBVAL": "1"}
    client = NotebookClient(
        notebook,
        timeout=timeout,
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
    )
    client.execute(env=environment)
    for output in last.outputs:
        if _MIME in output.get("data", {}):
            result = output["data"][_MIME]
            break
    else:
        raise SweepError(f"{path.name}: the sweep gave no result")
    if result["error"]:
        raise SweepError(f"{path.name}: {result['error']}")
    return int(result["figures"])


_MIME = "application/vnd.ffcourse.sweep+json"

_LAST = f"""
from ffcourse.show import testing as _testing
from IPython.display import display as _display
_display({{{_MIME!r}: _testing.report()}}, raw=True)
"""


def report() -> dict[str, Any]:
    """Sweep all figures of this process; return what happened as JSON."""
    try:
        return {"figures": sweep_all(), "error": ""}
    except SweepError as error:
        return {"figures": 0, "error": str(error)}
