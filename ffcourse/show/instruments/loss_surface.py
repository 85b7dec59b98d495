"""A loss over two weights, and the path that an optimizer takes down it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ffcourse.nn import Parameter
from ffcourse.show.instruments.common import Array, Extent, notes
from ffcourse.show.layers import Dots, Layer, Line
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Log, Range

Loss = Callable[[Any, Any], Any]


def loss_surface(
    loss: Loss,
    optimizers: Mapping[str, Callable[..., Any]],
    *,
    start: tuple[float, float],
    extent: Extent,
    lr: Any = None,
    steps: int = 60,
    gradient: Callable[[float, float], Any] | None = None,
    names: tuple[str, str] = ("w1", "w2"),
) -> LiveFigure:
    """Show a loss over two weights, and the way down that an optimizer finds.

    Parameters
    ----------
    loss : callable
        ``loss(u, v)``, of numbers; of arrays as well if it can.
    optimizers : mapping of str to callable
        By name, for instance ``{"SGD": train.SGD, "momentum": partial(train.SGD, momentum=0.9)}``:
        called as ``optimizer([parameter], lr=lr)``; then ``step()``.
    start : tuple of float
        Weights to start with.
    extent : tuple of float
        ``(u0, u1, v0, v1)``.
    lr : Log, optional
        Learning rates; from 0.001 to 1, start 0.05, if None.
    steps : int
        How many steps at most.
    gradient : callable, optional
        ``gradient(u, v)`` returns both slopes; computed by differences if None.
    names : tuple of str
        What the two weights are called.
    """
    slopes = gradient or _differences(loss)

    @lru_cache(maxsize=128)
    def path(name: str, rate: float) -> Array:
        return walk(optimizers[name], slopes, start, rate, steps)

    def way(optimizer: str, lr: float, step: int) -> list[Layer]:
        places = path(optimizer, lr)
        gone = places[: step + 1]
        u, v = gone[:, 0], gone[:, 1]
        losses = np.array([float(loss(a, b)) for a, b in gone])
        now = losses[-1]
        escaped = len(places) < steps + 1 and step >= len(places) - 1
        note = "the weights have run away" if escaped else f"loss {now:.4g}"
        return [
            Line(u, v, "ink", 1.4, name="path"),
            Dots(u, v, role="ink", size=3.2, name="steps"),
            Dots(u[-1:], v[-1:], role="loss", size=10, name="here"),
            Line(np.arange(len(losses)), np.clip(losses, *shown), "loss", 2, panel=1, name="loss"),
            *notes(1, ("note", note, "loss"), top=1.05),
        ]

    values = _values(loss, extent)
    shown = _positive(values, float(loss(*start)))
    u0, u1, v0, v1 = extent
    left = Panel(
        (u0, u1), (v0, v1), *names, draw=lambda ax: _contours(ax, values, extent), width=1.25
    )
    right = Panel((0, steps), shown, "step", "loss", " ", yscale="log", grid=True)
    return live(
        way,
        background=[left, right],
        alt=f"Level lines of a loss over {names[0]} and {names[1]}, and an optimizer's path.",
        play="step",
        interval=0.08,
        optimizer=Choice(*optimizers),
        lr=lr or Log(0.001, 1.0, 0.05),
        step=Range(0, steps, 1, steps // 3),
    )


def walk(
    optimizer: Callable[..., Any],
    slopes: Callable[[float, float], Any],
    start: tuple[float, float],
    lr: float,
    steps: int,
) -> Array:
    """Return the path, shape (T, 2), the start included; it ends early where it runs away."""
    p = Parameter(np.array(start, np.float64))
    engine = optimizer([p], lr=lr)
    places = [p.data.copy()]
    for _ in range(steps):
        p.grad = np.asarray(slopes(*p.data.tolist()), np.float64).reshape(2)
        with np.errstate(all="ignore"):
            engine.step()
        if not np.isfinite(p.data).all() or np.abs(p.data).max() > 1e3:
            break
        places.append(p.data.copy())
    return np.array(places)


def _differences(loss: Loss, h: float = 1e-5) -> Callable[[float, float], list[float]]:
    def slopes(u: float, v: float) -> list[float]:
        return [
            (float(loss(u + h, v)) - float(loss(u - h, v))) / (2 * h),
            (float(loss(u, v + h)) - float(loss(u, v - h))) / (2 * h),
        ]

    return slopes


def _values(loss: Loss, extent: Extent, n: int = 80) -> Array:
    u0, u1, v0, v1 = extent
    u, v = np.meshgrid(np.linspace(u0, u1, n), np.linspace(v0, v1, n))
    try:
        values = np.asarray(loss(u, v), np.float64)
    except (TypeError, ValueError):  # a loss of numbers only
        values = np.empty(0)
    if values.shape == u.shape:
        return values
    each = [float(loss(a, b)) for a, b in zip(u.ravel(), v.ravel(), strict=True)]
    return np.array(each).reshape(u.shape)


def _positive(values: Array, start: float) -> tuple[float, float]:
    """Return limits for a logarithmic axis of losses."""
    high = max(float(values.max()), start, 1e-6)
    low = max(float(values.min()), 1e-5 * high)
    return low / 1.5, high * 1.5


def _contours(ax: Any, values: Array, extent: Extent) -> None:
    u0, u1, v0, v1 = extent
    n = len(values)
    # Level lines at even ratios above the lowest value: valleys and walls both get some.
    low, high = float(values.min()), float(values.max())
    levels = low + (high - low) * np.geomspace(1e-3, 1, 14)
    u, v = np.linspace(u0, u1, n), np.linspace(v0, v1, n)
    ax.contour(u, v, values, levels=levels, cmap="ffcourse.loss", linewidths=1)
    ax.set(xlim=(u0, u1), ylim=(v0, v1))
