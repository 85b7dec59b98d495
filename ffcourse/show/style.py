"""How every figure looks: one colour for each role, readable on white and on dark pages.

All colours lie between the luminances that keep a contrast of three to one against both a white
page and JupyterLab's dark one, and any two that share a figure stay apart for readers with
protanopia, deuteranopia and tritanopia (tests/test_show_style.py measures both).
Colour is never the only sign: classes differ in shape, errors carry a ring.
"""

from __future__ import annotations

from typing import Any

INK = "#767676"
"""Text, axes and whatever has no role; live figures replace it by the colour of the page's text."""

BLUE, RUST, GREEN = "#3360CF", "#B5481F", "#00A466"
VIOLET, PINK, GOLD = "#8432F5", "#E05AB8", "#B08500"

ROLES: dict[str, str] = {
    "data": INK,
    "prediction": GREEN,
    "weight": VIOLET,
    "gradient": GOLD,
    "loss": PINK,
    "negative": BLUE,
    "positive": RUST,
    "train": BLUE,
    "validation": RUST,
    "ink": INK,
    "error": INK,
}

CLASSES: tuple[str, ...] = (BLUE, RUST, GREEN, PINK, VIOLET, GOLD, INK)
"""Colour of class 0, 1, 2 ...; starts again after seven, with another shape."""

SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "diamond")
"""Shape of the dots of class 0, 1, 2 ...; Matplotlib's names are in `MARKERS`."""

MARKERS: dict[str, str] = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}

WIDTH = 7.0
"""Width of a figure in inches."""

PANEL_HEIGHT = 3.3
"""Height of a figure in inches."""

DPI = 192
"""Pixels per inch of stored pictures: twice what the page shows, for high-density screens."""

RC: Any = {
    "figure.figsize": (WIDTH, PANEL_HEIGHT),
    "figure.dpi": 96,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "none",
    "savefig.dpi": DPI,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 2.2,
    "lines.markersize": 5,
    "patch.edgecolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.2,
    "legend.labelcolor": INK,
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "image.cmap": "ffcourse.sequential",
    "svg.fonttype": "none",
    "svg.hashsalt": "ffcourse",
}


def colour(role: str) -> str:
    """Return the colour of a role, of a class (``"class 2"``), or `role` itself if it is a colour.

    Raises
    ------
    ValueError
        If `role` is none of these.
    """
    if role in ROLES:
        return ROLES[role]
    if role.startswith("class "):
        return class_colour(int(role[6:]))
    if role.startswith("#"):
        return role
    known = ", ".join(ROLES)
    raise ValueError(f"unknown role {role!r}: use one of {known}, 'class 0' ..., or '#RRGGBB'")


def class_colour(k: int) -> str:
    """Return the colour of class `k`."""
    return CLASSES[k % len(CLASSES)]


def class_shape(k: int) -> str:
    """Return the shape of the dots of class `k`."""
    return SHAPES[k % len(SHAPES)]


def use() -> None:
    """Make Matplotlib draw in the course's style; importing `ffcourse.show` has done this."""
    import matplotlib as mpl
    from cycler import cycler

    from ffcourse.show.palettes import register

    register()
    mpl.rcParams.update(RC)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=CLASSES)
