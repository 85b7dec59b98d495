"""A course folder with one notebook of live figures, for the browser tests."""

from __future__ import annotations

from pathlib import Path

import nbformat

from tests.conftest import ROOT

START = """
import time
import numpy as np
from ffcourse import show
from ffcourse.show import instruments
rng = np.random.default_rng(0)
X = np.concatenate([rng.normal(-1, 0.8, (60, 2)), rng.normal(1, 0.8, (60, 2))])
y = np.repeat([0, 1], 60)
"""

NEURON = "instruments.neuron_line(X, y, w1=1, w2=0.5)"

CURVE = """
def curve(w: float = 1.0, kind: show.Choice("tanh", "line") = "tanh", on: bool = True):
    "A curve."
    x = np.linspace(-3, 3, 200)
    return [show.Line(x, np.tanh(w * x) if kind == "tanh" else w * x),
            show.Text(0.05, 0.9, f"w is {w:.1f}, {'on' if on else 'off'}", fraction=True)]
fig = show.live(curve, background=show.Panel((-3, 3), (-3, 3)))
fig
"""

SLOW = """
def slow(n: show.Range(1, 8, 1) = 2):
    "Slow bars."
    time.sleep(0.6)
    return show.Bars(np.arange(n), np.ones(n))
show.live(slow, background=show.Panel((-1, 8), (0, 2)))
"""

FAILS = """
def fails(n: show.Range(1, 8, 1) = 3):
    "Bars that fail at five."
    return show.Bars([0], [1 / (5 - n)] if n != 5 else [1 // 0])
show.live(fails, background=show.Panel((-1, 1), (-1, 1)))
"""

PLAYS = """
show.live(lambda epoch: show.Bars([0], [epoch]), background=show.Panel((-1, 1), (0, 9)),
          epoch=show.Range(1, 8, 1, 1), play="epoch", interval=0.05, alt="A growing bar.")
"""

CELLS = (START, NEURON, CURVE, SLOW, FAILS, PLAYS)


def make(folder: Path, cells: tuple[str, ...] = CELLS) -> Path:
    """Write the folder that `jupyter.serve` needs."""
    for name in ("chapters", "exercises", "solutions"):
        (folder / name).mkdir(parents=True)
    for name in ("requirements.txt", "pyproject.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in cells],
        metadata={"kernelspec": kernel},
    )
    nbformat.write(notebook, folder / "chapters" / "live.ipynb")
    return folder
