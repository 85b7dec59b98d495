"""Static figures: a Matplotlib figure with alt text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ffcourse.show.panels import _forget, check_labels
from ffcourse.show.static import Bundle, bundle
from ffcourse.show.style import PANEL_HEIGHT, RC, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def subplots(
    rows: int = 1,
    columns: int = 1,
    *,
    height: float = PANEL_HEIGHT,
    width: float = WIDTH,
    **options: Any,
) -> tuple[Figure, Any]:
    """Return ``(figure, axes)`` in the course's style, as ``plt.subplots`` does.

    Parameters
    ----------
    rows, columns : int
        Number of panels.
    height, width : float
        Size of the figure in inches.
    **options
        Passed on to `matplotlib.figure.Figure.subplots`.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(RC):
        fig = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(fig)  # without pyplot, so that the notebook does not show it twice
        return fig, fig.subplots(rows, columns, **options)


def figure(fig: Figure, alt: str) -> None:
    """Show a Matplotlib figure with alt text, and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Axes that show ticks need labels.
    alt : str
        What a reader who cannot see it should know: what is drawn, and what follows from it.

    Raises
    ------
    ValueError
        If `alt` is empty or a visible axis has no label.
    """
    from IPython.display import display

    if not alt.strip():
        raise ValueError("figure: give alt, a sentence for readers who cannot see the picture")
    check_labels(fig)
    shown = _Picture(bundle(fig, " ".join(alt.split())))
    _forget(fig)
    display(shown)  # type: ignore[no-untyped-call]


class _Picture:
    """What IPython displays; in a plain terminal, the alt text."""

    def __init__(self, content: Bundle) -> None:
        self.content = content

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return self.content

    def __repr__(self) -> str:
        return str(self.content[0]["text/plain"])
