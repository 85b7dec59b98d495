"""What stands still in a live figure: panels with axes, drawn once by Matplotlib."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ffcourse.show.frame import Frame
from ffcourse.show.layers.base import Layer
from ffcourse.show.style import INK, PANEL_HEIGHT, RC, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass
class Panel:
    """One pair of axes of a live figure.

    Parameters
    ----------
    xlim, ylim : tuple of float, optional
        Limits; None fits them to the layers of the default state.
    xlabel, ylabel, title : str
        Words; each panel with visible axes needs both labels.
    equal : bool
        One unit has the same length on both axes.
    xscale, yscale : str
        ``"linear"`` or ``"log"``.
    axes : bool
        False hides axes, ticks and labels, for diagrams.
    grid : bool
        Faint lines at the ticks.
    width : float
        Share of the figure's width, compared with the other panels.
    draw : callable, optional
        ``draw(ax)`` draws more that stands still.
    layers : sequence of Layer
        Layers that stand still.
    """

    xlim: tuple[float, float] | None = None
    ylim: tuple[float, float] | None = None
    xlabel: str = "x"
    ylabel: str = "y"
    title: str = ""
    equal: bool = False
    xscale: str = "linear"
    yscale: str = "linear"
    axes: bool = True
    grid: bool = False
    width: float = 1.0
    draw: Callable[[Axes], object] | None = None
    layers: Sequence[Layer] = field(default_factory=tuple)


Background: TypeAlias = "Panel | Sequence[Panel] | Callable[[Axes], object] | Figure | None"


class Stage:
    """The background of a live figure, and where its panels are.

    Attributes
    ----------
    frames : list of Frame
        One for each panel.
    svg : str
        What stands still.
    size : tuple of float
        Width and height in points.
    """

    def __init__(self, background: Any, layers: Sequence[Layer], height: float | None) -> None:
        import matplotlib as mpl
        from matplotlib.figure import Figure

        with mpl.rc_context(RC):
            if isinstance(background, Figure):
                self.figure = background
                _forget(background)
            else:
                self.figure = _build(_panels(background, layers), layers, height or PANEL_HEIGHT)
            self.axes = list(self.figure.axes)
            check_labels(self.figure)
            self._legends(layers)
            self.figure.draw_without_rendering()
            # The layout is settled: layers must not move the axes of the static picture.
            self.figure.set_layout_engine("none")
            self.svg = svg_of(self.figure)
        self.frames = [Frame.of(ax) for ax in self.axes]
        w, h = self.figure.get_size_inches()
        self.size = (float(w) * 72, float(h) * 72)

    def frame(self, layer: Layer) -> Frame:
        """Return the frame of the layer's panel."""
        if not 0 <= layer.panel < len(self.frames):
            n = len(self.frames)
            raise ValueError(f"layer {layer.name!r} wants panel {layer.panel}; there are {n}")
        return self.frames[layer.panel]

    def _legends(self, layers: Sequence[Layer]) -> None:
        for i, ax in enumerate(self.axes):
            handles, labels = ax.get_legend_handles_labels()
            proxies = [p for la in layers if la.panel == i and la.label and (p := la.proxy())]
            if proxies or (labels and ax.get_legend() is None):
                # Above the panel, where nothing that moves can come to lie under it.
                entries = [*handles, *proxies]
                # Before the layout is settled, all panels together span 0.775 of the width.
                inches = ax.get_position().width / 0.775 * self.figure.get_figwidth()
                columns = _legend_columns([str(entry.get_label()) for entry in entries], inches)
                place: Any = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "ncols": columns}
                ax.legend(handles=entries, borderaxespad=0.2, **place)


def _legend_columns(labels: Sequence[str], inches: float) -> int:
    """Return how many entries fit beside each other, so that a legend does not push its panel."""
    room, key = 14 * inches, 6  # in letters
    if sum(len(label) + key for label in labels) <= room:
        return len(labels)
    return max(1, int(room // (max(map(len, labels)) + key)))


def _panels(background: Any, layers: Sequence[Layer]) -> list[Panel]:
    if background is None:
        return [Panel() for _ in range(1 + max((la.panel for la in layers), default=0))]
    if isinstance(background, Panel):
        return [background]
    if callable(background):
        return [Panel(xlabel="", ylabel="", draw=background)]
    panels = list(background)
    if not panels or not all(isinstance(p, Panel) for p in panels):
        raise TypeError(
            "background must be a Panel, several Panels, a function of axes, or a Figure, "
            f"got {type(background).__name__}"
        )
    return panels


def _build(panels: list[Panel], layers: Sequence[Layer], height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)  # without pyplot, so that nothing else shows or keeps the figure
    ratios = [p.width for p in panels]
    axes = figure.subplots(1, len(panels), width_ratios=ratios, squeeze=False)[0]
    for i, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
        _furnish(ax, panel, [la for la in layers if la.panel == i])
    return figure


def _furnish(ax: Axes, panel: Panel, layers: Sequence[Layer]) -> None:
    ax.set(xscale=panel.xscale, yscale=panel.yscale, title=panel.title)
    if panel.xlabel:
        ax.set_xlabel(panel.xlabel)
    if panel.ylabel:
        ax.set_ylabel(panel.ylabel)
    still = list(panel.layers)
    xlim, ylim = _limits([*still, *layers], panel)
    if xlim is not None:
        ax.set_xlim(*xlim)
    if ylim is not None:
        ax.set_ylim(*ylim)
    if panel.equal:
        # "datalim" would change the limits that the author gave.
        ax.set_aspect("equal", adjustable="box", anchor="W")
    if panel.draw is not None:
        panel.draw(ax)
    for layer in still:
        layer.draw(ax)
    if panel.grid:
        ax.grid(True)
    if not panel.axes:
        ax.set_axis_off()


Limits = tuple[float, float] | None


def _limits(layers: Sequence[Layer], panel: Panel) -> tuple[Limits, Limits]:
    boxes = [b for layer in layers if (b := layer.limits()) is not None]
    if not boxes:
        return panel.xlim, panel.ylim
    x = (min(b[0] for b in boxes), max(b[1] for b in boxes))
    y = (min(b[2] for b in boxes), max(b[3] for b in boxes))
    return (
        panel.xlim or _margin(x, panel.xscale == "log"),
        panel.ylim or _margin(y, panel.yscale == "log"),
    )


def _margin(limits: tuple[float, float], log: bool) -> tuple[float, float]:
    low, high = limits
    if log:
        return low / 1.2, high * 1.2
    pad = 0.05 * (high - low) or 0.5
    return low - pad, high + pad


def _forget(figure: Figure) -> None:
    """Take a figure of pyplot out of its list, so that the notebook does not show it as well."""
    import sys

    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


def check_labels(figure: Figure) -> None:
    """Raise ValueError unless all visible axes of the figure have labels.

    Axes without ticks, such as pictures, need none.
    """
    for i, ax in enumerate(figure.axes):
        if not ax.axison or ax.get_label() == "<colorbar>":
            continue
        for axis, letter in ((ax.xaxis, "x"), (ax.yaxis, "y")):
            ticks = axis.get_visible() and len(axis.get_ticklocs()) > 0
            words = axis.get_label_text() or ax.get_title()
            if ticks and not axis.get_label_text() and not _shared(ax, letter):
                where = f"panel {i}" + (f" ({words})" if words else "")
                raise ValueError(
                    f"{where} has no {letter} label: say what the axis shows, with its unit"
                )


def _shared(ax: Axes, letter: str) -> bool:
    """Whether a neighbour carries the label for this axis, as with ``sharex=True``."""
    group = ax.get_shared_x_axes() if letter == "x" else ax.get_shared_y_axes()
    others = group.get_siblings(ax)
    return any(getattr(o, f"get_{letter}label")() for o in others)


def svg_of(figure: Figure) -> str:
    """Return the figure as inline SVG in which ink has the colour of the page's text."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ffcourse"}):
        none = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=none)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, count=1, flags=re.DOTALL)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = body[body.index(">") + 1 :]
    for ink in (INK.lower(), INK):
        body = body.replace(ink, "currentColor")
    w, h = (float(v) * 72 for v in figure.get_size_inches())
    head = f'<svg class="ffc-back" viewBox="0 0 {w:g} {h:g}" aria-hidden="true">'
    return head + re.sub(r">\s+<", "><", body).strip()
