"""Plays a training run: loss and accuracy, and the gradients and activations of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ffcourse.show.instruments.common import Array
from ffcourse.show.instruments.recorder import Recorder
from ffcourse.show.layers import Bars, Dots, Layer, Line, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Range

_COLUMNS = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


def training_monitor(runs: Any, *, log: bool = False) -> LiveFigure:
    """Play a recorded training run, or compare several.

    Parameters
    ----------
    runs : Recorder, History, mapping of columns, or mapping of str to one of these
        ``trainer.history`` shows losses and metrics; a `Recorder` passed to
        ``trainer.fit(..., callbacks=[recorder])`` shows each layer's gradients and activations as
        well. A mapping of names to runs adds a menu.
    log : bool
        Logarithmic axis of losses.
    """
    tables = _tables(runs)
    first = next(iter(tables.values()))
    epochs = max(len(t["train_loss"]) for t in tables.values())
    inner = all("gradients" in t for t in tables.values())
    metric = "train_accuracy" in first or "val_accuracy" in first

    def monitor(epoch: int, run: str = next(iter(tables))) -> list[Layer]:
        table = tables[run]
        k = min(epoch, len(table["train_loss"])) - 1
        layers = _curves(table, k, "loss", 0)
        if metric:
            layers += _curves(table, k, "accuracy", 1)
        if inner:
            layers += _bars(table, k, 1 + metric)
        return layers

    panels = [_panel(tables, "loss", epochs, log)]
    if metric:
        panels.append(_panel(tables, "accuracy", epochs, False))
    if inner:
        panels += [_inner(tables, "gradients"), _inner(tables, "activations")]
    controls: dict[str, Any] = {"epoch": Range(1, max(epochs, 2), 1, max(epochs, 2))}
    if len(tables) > 1:
        controls["run"] = Choice(*tables)
    return live(
        monitor if len(tables) > 1 else lambda epoch: monitor(epoch),
        background=panels,
        alt=f"Loss{' and accuracy' if metric else ''} of a training run, epoch by epoch.",
        play="epoch",
        interval=0.12,
        **controls,
    )


def _tables(runs: Any) -> dict[str, dict[str, Any]]:
    """Return the columns of each run, by the run's name."""
    if isinstance(runs, Mapping) and "train_loss" not in runs:
        return {str(name): _table(run) for name, run in runs.items()}
    return {"run": _table(runs)}


def _table(run: Any) -> dict[str, Any]:
    history = run.history if isinstance(run, Recorder) else run
    table: dict[str, Any] = {}
    for column in _COLUMNS:
        try:
            table[column] = np.asarray(history[column], np.float64)
        except KeyError:
            continue
    if "train_loss" not in table or not len(table["train_loss"]):
        raise ValueError("training_monitor: the run has no column 'train_loss'; train first")
    if isinstance(run, Recorder):
        table["gradients"] = np.array(run.gradients)
        table["activations"] = np.array(run.activations)
        table["layers"] = run.layers
    return table


def _curves(table: dict[str, Any], k: int, what: str, panel: int) -> list[Layer]:
    out: list[Layer] = []
    for part, role in (("train", "train"), ("val", "validation")):
        values = table.get(f"{part}_{what}")
        if values is None:
            continue
        x = np.arange(1, k + 2)
        dashed = part == "val"
        common: dict[str, Any] = {"panel": panel}
        out.append(Line(x, values[: k + 1], role, 2, dashed, name=f"{part} {what}", **common))
        out.append(
            Dots(
                x[-1:],
                values[k : k + 1],
                role=role,
                size=7,
                clip=False,
                name=f"{part} {what} now",
                **common,
            )
        )
        note = f"{'training' if part == 'train' else 'validation'} {values[k]:.4g}"
        at: dict[str, Any] = {"fraction": True, "size": 9, "anchor": "right"}
        height = 0.95 if part == "train" else 0.87
        out.append(Text(0.98, height, note, role, name=f"{part} {what} value", **common, **at))
    return out


def _panel(tables: dict[str, dict[str, Any]], what: str, epochs: int, log: bool) -> Panel:
    values = np.concatenate(
        [t[c] for t in tables.values() for c in _COLUMNS if c in t and what in c]
    )
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    if log:
        limits = max(low, 1e-8) / 1.3, high * 2.5
    else:
        span = (high - low) or 1.0
        limits = low - 0.06 * span, high + 0.3 * span
    scale = "log" if log else "linear"
    return Panel((0.5, epochs + 0.5), limits, "epoch", what, yscale=scale, grid=True, width=1.3)


def _inner(tables: dict[str, dict[str, Any]], what: str) -> Panel:
    values = np.concatenate([t[what].ravel() for t in tables.values()])
    values = values[np.isfinite(values) & (values > 0)]
    limits = (float(values.min()) / 2, float(values.max()) * 2) if len(values) else (1e-3, 1.0)
    names = next(iter(tables.values()))["layers"]
    label = "gradient (rms)" if what == "gradients" else "output (std)"
    return Panel(
        (-0.6, len(names) - 0.4),
        limits,
        "layer",
        label,
        yscale="log",
        draw=lambda ax: ax.set_xticks(range(len(names)), [str(i + 1) for i in range(len(names))]),
        width=0.8,
    )


def _bars(table: dict[str, Any], k: int, panel: int) -> list[Layer]:
    out: list[Layer] = []
    for i, (what, role) in enumerate((("gradients", "gradient"), ("activations", "prediction"))):
        values: Array = np.maximum(table[what][min(k, len(table[what]) - 1)], 1e-30)
        x = np.arange(len(values))
        out.append(Bars(x, values, role, base=1e-30, panel=panel + i, name=what))
    return out
