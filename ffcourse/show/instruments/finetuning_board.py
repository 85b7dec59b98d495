"""Which layers to train, and how much data is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ffcourse.show.instruments.common import Array
from ffcourse.show.layers import Area, Boxes, Dots, Layer, Line, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice
from ffcourse.show.style import BLUE, GREEN, PINK, RUST, VIOLET

_HUES = (BLUE, RUST, GREEN, VIOLET, PINK)


def finetuning_board(
    results: Mapping[str, Mapping[int, Any]],
    trained: Mapping[str, Sequence[bool]],
    layers: Sequence[str],
    *,
    score: str = "accuracy",
    better: str = "high",
) -> LiveFigure:
    """Compare ways of fine-tuning over the amount of data, and show what each of them trains.

    Parameters
    ----------
    results : mapping of str to mapping of int to array_like
        ``results["head only"][100]``: the scores of this method with 100 examples, one a seed.
        At most five methods, all with the same sizes.
    trained : mapping of str to sequence of bool
        For each method, which layers it trains.
    layers : sequence of str
        Names of the layers, from the input to the output.
    score : str
        What is measured.
    better : str
        ``"high"`` or ``"low"``.
    """
    names = list(results)
    sizes = sorted(next(iter(results.values())))
    if not 1 <= len(names) <= len(_HUES):
        raise ValueError(f"results: give one to {len(_HUES)} methods, got {len(names)}")
    for name in names:
        if sorted(results[name]) != sizes:
            raise ValueError(f"results: {name!r} has sizes {sorted(results[name])}, not {sizes}")
        if len(trained.get(name, ())) != len(layers):
            raise ValueError(f"trained[{name!r}]: say for each of {len(layers)} layers if it is")
    tables = {n: [np.asarray(results[n][s], float) for s in sizes] for n in names}
    x = np.array(sizes, float)

    def board(method: str, examples: int) -> list[Layer]:
        out: list[Layer] = []
        for hue, name in zip(_HUES, names, strict=False):
            middle, low, high = _band(tables[name])
            chosen = name == method
            if chosen:
                out.append(Area(x, low, high, hue, 0.2, panel=1, name="seeds"))
            width = 3.0 if chosen else 1.3
            out.append(Line(x, middle, hue, width, not chosen, panel=1, label=name))
        values = tables[method][sizes.index(examples)]
        hue = _HUES[names.index(method)]
        out.append(
            Dots(np.full(len(values), examples), values, role=hue, size=6, panel=1, name="runs")
        )
        return [*_stack(trained[method], layers), *out, *_note(values, method, examples, score)]

    every = np.concatenate([v for table in tables.values() for v in table])
    pad = 0.08 * (float(np.ptp(every)) or 1.0)
    limits = float(every.min()) - 2.5 * pad, float(every.max()) + pad  # room for the note
    count = len(layers)
    right = Panel((x[0] / 1.3, x[-1] * 1.3), limits, "examples", score, xscale="log", grid=True)
    right.width = 1.8
    direction = "higher" if better == "high" else "lower"
    return live(
        board,
        background=[Panel((-0.7, 0.7), (-0.7, count + 0.3), axes=False), right],
        alt=f"Ways of fine-tuning: which layers each trains, and its {score} ({direction} is "
        "better) against the number of examples.",
        height=3.8,
        method=Choice(*names),
        examples=Choice(*sizes),
    )


def _band(table: list[Array]) -> tuple[Array, Array, Array]:
    """Return mean, lowest and highest score for each size."""
    return (
        np.array([v.mean() for v in table]),
        np.array([v.min() for v in table]),
        np.array([v.max() for v in table]),
    )


def _stack(trained: Sequence[bool], layers: Sequence[str]) -> list[Layer]:
    """Return the network, the input below, with what is trained in colour."""
    y = np.arange(len(layers), dtype=float)
    on = np.array([bool(t) for t in trained])
    words = [f"{name}: {'trained' if t else 'frozen'}" for name, t in zip(layers, on, strict=True)]
    return [
        Boxes(np.zeros((~on).sum()), y[~on], 1.2, 0.8, "ink", 1.0, 0.05, name="frozen"),
        Boxes(np.zeros(on.sum()), y[on], 1.2, 0.8, "weight", 2.2, 0.3, name="trained"),
        Text(np.zeros(len(layers)), y, words, size=9, anchor="center", name="layers"),
    ]


def _note(values: Array, method: str, examples: int, score: str) -> list[Layer]:
    words = f"{score} {values.mean():.3f}"
    if len(values) > 1:
        words += f" ({values.min():.3f} to {values.max():.3f}, {len(values)} seeds)"
    lines = {"choice": (0.11, f"{method}, {examples} examples"), "note": (0.04, words)}
    return [
        Text(0.03, y, line, size=9, fraction=True, halo=True, panel=1, name=name)
        for name, (y, line) in lines.items()
    ]
