"""Where a classifier changes its mind, over its data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ffcourse.show.instruments.common import (
    Array,
    blank,
    extent_of,
    grid,
    middles,
    notes,
    points,
    similar,
)
from ffcourse.show.layers import Contour, Dots, Layer, Map, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.style import PANEL_HEIGHT, WIDTH

_CELLS = 80


def decision_boundary(
    predict: Callable[..., Any],
    X: Any,
    y: Any,
    *,
    level: float = 0.0,
    reach: float | None = None,
    names: tuple[str, str] = ("x1", "x2"),
    play: str | None = None,
    alt: str = "",
    **ranges: Any,
) -> LiveFigure:
    """Show what a model says over the plane, its data, and the points that it gets wrong.

    Parameters
    ----------
    predict : callable
        ``predict(points, **values)`` with `points` of shape (M, 2), for instance a model. It
        returns one score a point, shape (M,) or (M, 1), where more than `level` means class 1;
        or one score for each class, shape (M, K), where the largest wins.
    X : array_like, shape (N, 2)
        The data.
    y : array_like of int, shape (N,)
        Their classes.
    level : float
        0 for logits, 0.5 for probabilities.
    reach : float, optional
        Distance from `level` at which the colour is full; 0.5 if `level` is 0.5, else 5.
    names : tuple of str
        What the two features are called.
    play, **ranges
        As in `ffcourse.show.live`: controls for further parameters of `predict`.
    alt : str
        What the figure shows.
    """
    X, y = points(X, y)
    classes = np.unique(y)
    extent = extent_of(X)
    cells = grid(extent, _CELLS)
    if reach is None:
        reach = 0.5 if level == 0.5 else 5.0

    def boundary(**values: Any) -> list[Layer]:
        scores = _scores(predict, np.concatenate([X, cells]), values)
        if scores.ndim == 1:
            said = (scores[: len(X)] > level).astype(int)
        else:
            said = scores[: len(X)].argmax(1)
        wrong = said != y
        share = f"{wrong.sum()} of {len(X)} wrong"
        return [
            *_field(scores[len(X) :], extent, level, reach),
            Dots(X[:, 0], X[:, 1], y, wrong, name="data"),
            *notes(
                1, ("errors", share, "ink"), ("accuracy", f"accuracy {1 - wrong.mean():.3f}", "ink")
            ),
            *_key(y, wrong, classes),
        ]

    x0, x1, y0, y1 = extent
    panel = Panel((x0, x1), (y0, y1), *names, equal=similar(extent))
    height, side = _room(extent)
    return live(
        boundary,
        background=[panel, blank(side)],
        alt=alt or f"{len(X)} points of {len(classes)} classes and the regions of a model.",
        play=play,
        height=height,
        **ranges,
    )


def _room(extent: tuple[float, float, float, float]) -> tuple[float, float]:
    """Return the height in inches, and the width of the notes compared with the plane's."""
    if not similar(extent):
        return PANEL_HEIGHT, 0.52
    x0, x1, y0, y1 = extent
    ratio = (x1 - x0) / (y1 - y0)
    high = min(3.6, 4.1 / ratio)
    wide = ratio * high
    return high + 0.6, (WIDTH - 0.75 - wide) / wide


def _key(y: Array, wrong: Array, classes: Array) -> list[Layer]:
    """Return what each sign means, with the errors of each class."""
    few = classes[:8]
    at = 0.68 - 0.1 * np.arange(len(few))
    left = np.full(len(few), 0.03)
    counts = [f"class {c}: {wrong[y == c].sum()} of {(y == c).sum()} wrong" for c in few.tolist()]
    low = float(at[-1]) - 0.1
    return [
        Dots(left, at, few, name="key", panel=1),
        Text(left + 0.06, at, counts, name="classes", panel=1),
        Dots([0.03], [low], few[:1], [True], name="ringed", panel=1, spoken="Errors are ringed."),
        Text([0.09], [low], ["ringed: wrong"], quiet=True, name="ringed words", panel=1),
    ]


def _scores(predict: Callable[..., Any], at: Array, values: dict[str, Any]) -> Array:
    """Return what the model says, shape (M,) or (M, K)."""
    scores = np.asarray(predict(at.copy(), **values), np.float64)
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if scores.ndim not in (1, 2) or len(scores) != len(at):
        raise ValueError(
            f"predict must return shape ({len(at)},) or ({len(at)}, K), got {scores.shape}"
        )
    return scores


def _field(
    scores: Array, extent: tuple[float, float, float, float], level: float, reach: float
) -> list[Layer]:
    """Return the colours of the plane, and the boundary."""
    n = _CELLS
    inner = middles(extent, n)
    if scores.ndim == 1:
        z = (scores - level).reshape(n, n)
        return [
            Map(z, extent, low=-reach, high=reach, opacity=0.5, name="scores"),
            Contour(z, inner, (0.0,), "ink", 2, name="boundary"),
        ]
    lines: list[Layer] = [
        Contour(_lead(scores, k).reshape(n, n), inner, (0.0,), "ink", 1.4, name=f"boundary {k}")
        for k in range(scores.shape[1])
    ]
    best = scores.argmax(1).reshape(n, n)
    return [Map(best, extent, "classes", opacity=0.8, name="scores"), *lines]


def _lead(scores: Array, k: int) -> Array:
    """Return how far class `k` is ahead of the best other one, shape (M,)."""
    others = np.delete(scores, k, axis=1)
    lead: Array = scores[:, k] - others.max(1)
    return lead
