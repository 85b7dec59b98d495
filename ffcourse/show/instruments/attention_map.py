"""Which token looks at which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ffcourse.show.layers import Bars, Boxes, Layer, Map, Text
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Range


def attention_map(weights: Any, tokens: Sequence[str]) -> LiveFigure:
    """Show attention weights; choose a head, and a token to see what it looks at.

    Parameters
    ----------
    weights : array_like, shape (T, T) or (H, T, T)
        Row q holds the weights with which token q looks at all tokens; each row sums to one.
    tokens : sequence of str
        T of them, at most 24.
    """
    table = np.asarray(weights, np.float64)
    if table.ndim == 2:
        table = table[None]
    count = len(tokens)
    if table.ndim != 3 or table.shape[1:] != (count, count):
        raise ValueError(
            f"weights must have shape ({count}, {count}) or (heads, {count}, {count}) for "
            f"{count} tokens, got {table.shape}"
        )
    if count > 24:
        raise ValueError(f"at most 24 tokens can be drawn, got {count}")
    extent = (-0.5, count - 0.5, -0.5, count - 0.5)
    rows = np.arange(count)

    def look(query: int, head: int = 0) -> list[Layer]:
        row = table[head, query]
        best = int(row.argmax())
        words = f"{tokens[query]!r} looks most at {tokens[best]!r} ({row[best]:.2f})"
        return [
            Map(table[head], extent, "sequential", 0, 1, smooth=False, name="weights"),
            Boxes((count - 1) / 2, query, count, 1, "ink", 2, 0.0, clip=False, name="row"),
            Bars(rows, row, "weight", 0.7, sideways=True, panel=1, name="query"),
            Text(0.0, 1.05, words, size=9, fraction=True, panel=1, name="words"),
        ]

    heads: dict[str, Any] = {"head": Choice(*range(len(table)))} if len(table) > 1 else {}
    down = (count - 0.5, -0.5)
    labels = [str(t) for t in tokens]
    return live(
        look if heads else lambda query: look(query),
        background=[
            Panel(
                (-0.5, count - 0.5),
                down,
                "looked at (key)",
                "looks (query)",
                " ",
                equal=True,
                draw=lambda ax: _tokens(ax, labels, both=True),
            ),
            Panel(
                (0, 1.02),
                down,
                "weight",
                "token",
                " ",
                width=0.7,
                draw=lambda ax: _tokens(ax, labels, both=False),
            ),
        ],
        alt=f"Attention weights between {count} tokens.",
        height=4.2,
        query=Range(0, count - 1, 1, count - 1),
        **heads,
    )


def _tokens(ax: Any, labels: list[str], both: bool) -> None:
    ax.set_yticks(range(len(labels)), labels)
    if both:
        ax.set_xticks(range(len(labels)), labels, rotation=90)
