"""Figures and live figures.

``live(fn, ...)`` turns a pure function from named parameters to layers into a picture with
sliders; ``figure(fig, alt=...)`` shows a Matplotlib figure; ``instruments`` holds ready ones.
Importing this package makes Matplotlib draw in the course's style.
"""

from ffcourse.show import instruments, layers, style
from ffcourse.show.figure import figure, subplots
from ffcourse.show.layers import (
    Area,
    Arrow,
    Bars,
    Boxes,
    Contour,
    Discs,
    Dots,
    Layer,
    Line,
    Links,
    Map,
    Text,
)
from ffcourse.show.live import LiveFigure, live
from ffcourse.show.panels import Panel
from ffcourse.show.ranges import Choice, Log, Range, Switch, Weights

style.use()

__all__ = [
    "Area",
    "Arrow",
    "Bars",
    "Boxes",
    "Choice",
    "Contour",
    "Discs",
    "Dots",
    "Layer",
    "Line",
    "Links",
    "LiveFigure",
    "Log",
    "Map",
    "Panel",
    "Range",
    "Switch",
    "Text",
    "Weights",
    "figure",
    "instruments",
    "layers",
    "live",
    "style",
    "subplots",
]
