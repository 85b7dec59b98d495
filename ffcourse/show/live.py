"""Live figures: a pure function from named parameters to layers, and controls to move them."""

from __future__ import annotations

import inspect
import os
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ffcourse.show.layers.base import Layer
from ffcourse.show.panels import Background, Stage
from ffcourse.show.ranges import Control, controls_of, fn_name
from ffcourse.show.static import Bundle, picture
from ffcourse.show.svg import escape

if TYPE_CHECKING:
    from ffcourse.show.page import Page

FIGURES: weakref.WeakSet[LiveFigure] = weakref.WeakSet()
"""The live figures that have not been closed or forgotten."""


class LiveFigure:
    """A picture with at most four controls; make one with `live`.

    Attributes
    ----------
    controls : dict of str to Control
        The controls by parameter, with their start values.
    layers : list of Layer
        What the present state shows.
    error : Exception or None
        What the function raised when a control was last moved.
    seconds : float
        How long the function took for the last frame.
    """

    _count = 0

    def __init__(
        self,
        fn: Callable[..., Any],
        controls: dict[str, Control],
        *,
        background: Background = None,
        alt: str = "",
        play: str | None = None,
        interval: float = 0.1,
        height: float | None = None,
    ) -> None:
        self.fn = fn
        self.controls = controls
        self.alt = alt or _alt_of(fn)
        self.play_name = _playable(controls, play)
        self.interval = interval
        self.error: Exception | None = None
        self._state = {name: c.value for name, c in controls.items()}
        self.layers: list[Layer] = []
        self._svgs: list[str] = []
        self._page: Page | None = None
        self.closed = False
        self.run = ""  # the run of the cell that shows it
        begin = time.perf_counter()
        self.layers = self._last(self._state)
        self.seconds = time.perf_counter() - begin
        self.stage: Stage = Stage(background, self.layers, height)
        self._svgs = self._draw(self.layers)
        LiveFigure._count += 1
        self.number = LiveFigure._count
        FIGURES.add(self)

    @property
    def state(self) -> dict[str, Any]:
        """The value of each parameter that has a control."""
        return dict(self._state)

    def set(self, **values: Any) -> list[str]:
        """Set controls, draw, and return the names of the layers that changed.

        Raises
        ------
        ValueError
            If a value is out of its control's range.
        Exception
            Whatever the function raises.
        """
        self._open()
        state = self._cleaned(values)
        try:
            layers = self._last(state)
            changed = self._accept(state, layers, self._draw(layers))
        except Exception as error:
            self._state, self.error = state, error
            raise
        finally:
            if self._page is not None:
                self._page.follow()
                self._page.show()
        return changed

    def reset(self) -> list[str]:
        """Go back to the start values; return the names of the layers that changed."""
        return self.set(**self.start)

    @property
    def start(self) -> dict[str, Any]:
        """The start values of the controls."""
        return {name: c.value for name, c in self.controls.items()}

    def step(self) -> list[str]:
        """Move the parameter that plays one step on; at its end, go back to its beginning."""
        return self.set(**self.next_state())

    def next_state(self) -> dict[str, Any]:
        """Return what `step` will set."""
        name = self.play_name
        if name is None:
            raise ValueError("step: this figure has nothing to play; make it with play='name'")
        values = _steps(self.controls[name])
        gaps = [abs(v - self._state[name]) for v in values]
        return {name: values[(gaps.index(min(gaps)) + 1) % len(values)]}

    def at_end(self) -> bool:
        """Whether the parameter that plays has reached its last value."""
        values = _steps(self.controls[self.play_name]) if self.play_name else []
        return not values or abs(values[-1] - self._state[self.play_name or ""]) < 1e-9

    def code(self) -> str:
        """Return the present state as a line of Python."""
        names, values = ", ".join(self._state), ", ".join(map(_literal, self._state.values()))
        return f"{names} = {values}"

    def __getitem__(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise KeyError(f"no layer {name!r}; there are: {known}")

    def words(self) -> str:
        """Return the picture and its state in words, for screen readers."""
        parts = [self.alt, self._state_words(), *(layer.words() for layer in self.layers)]
        return " ".join(part for part in parts if part)

    def _state_words(self) -> str:
        pairs = [
            f"{self.controls[name].label or name} = {_short(v)}" for name, v in self._state.items()
        ]
        return ", ".join(pairs) + "." if pairs else ""

    def svg(self) -> str:
        """Return what moves, as one SVG element that lies exactly over the background."""
        w, h = self.stage.size
        label = escape(self.words())
        return (
            f'<svg class="ffc-front" viewBox="0 0 {w:g} {h:g}" role="img" aria-label="{label}">'
            + "".join(self._grouped())
            + "</svg>"
        )

    def _grouped(self) -> Iterator[str]:
        """Wrap neighbours of one panel into one clipping element."""
        inside = -1
        for layer, svg in zip(self.layers, self._svgs, strict=True):
            panel = layer.panel if layer.clip else -1
            if panel != inside:
                if inside >= 0:
                    yield "</svg>"
                if panel >= 0:
                    f = self.stage.frames[panel]
                    place = f"{f.left:.1f} {f.top:.1f} {f.width:.1f} {f.height:.1f}"
                    x, y, w, h = place.split()
                    yield f'<svg x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{place}">'
                inside = panel
            yield svg
        if inside >= 0:
            yield "</svg>"

    def picture(self) -> Bundle:
        """Return the static picture of the present state: display data and its metadata."""
        return picture(self.stage, self.layers, f"{self.alt} {self._state_words()}".strip())

    @property
    def page(self) -> Page:
        """The widgets; made when first asked for."""
        self._open()
        if self._page is None:
            from ffcourse.show.page import Page

            self._page = Page(self)
        return self._page

    def close(self) -> None:
        """Take the figure off the page and free what it holds; it cannot be opened again."""
        if self._page is not None:
            self._page.close()
        self._page, self.closed = None, True
        self.layers, self._svgs = [], []
        FIGURES.discard(self)
        del self.stage, self.fn

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        if self.closed:
            return {"text/plain": f"{self.alt} (closed)"}, {}
        if os.environ.get("FFCOURSE_GRADING") == "1":  # nobody looks, and drawing takes a second
            return {"text/plain": self.alt}, {}
        data, metadata = self.picture()
        # A stored page has no kernel behind it: whoever stores one wants the picture alone.
        if os.environ.get("FFCOURSE_STATIC") != "1":
            data |= self.page.view()
        return data, metadata

    def __repr__(self) -> str:
        state = ", ".join(f"{k}={_short(v)}" for k, v in self._state.items())
        return f"LiveFigure({state})"

    # What the page calls while a control moves.

    def frames(self, values: dict[str, Any]) -> Iterator[None]:
        """Compute and draw the state changed by `values`; yield after each frame.

        An exception of the function ends up in `error`, and from there in the picture.
        """
        state = self._cleaned(values)
        try:
            for layers in self._run(state):
                self._accept(state, layers, self._draw(layers))
                yield
        except Exception as error:
            self._state, self.error = state, error
            yield

    def _open(self) -> None:
        if self.closed:
            raise RuntimeError("this live figure has been closed; run its cell again")

    def _cleaned(self, values: dict[str, Any]) -> dict[str, Any]:
        unknown = set(values) - set(self.controls)
        if unknown:
            names = ", ".join(self.controls)
            raise ValueError(f"there is no control {min(unknown)!r}; there are: {names}")
        clean = {name: self.controls[name].clean(name, v) for name, v in values.items()}
        return {**self._state, **clean}

    def _run(self, state: dict[str, Any]) -> Iterator[list[Layer]]:
        """Call the function; one that yields gives several frames."""
        result = self.fn(**state)
        if inspect.isgenerator(result):
            for part in result:
                yield _named(part, self.fn)
        else:
            yield _named(result, self.fn)

    def _last(self, state: dict[str, Any]) -> list[Layer]:
        layers: list[Layer] | None = None
        for layers in self._run(state):  # noqa: B007 - the last one counts
            pass
        if layers is None:
            raise TypeError(f"{fn_name(self.fn)} yielded no layers")
        return layers

    def _draw(self, layers: Sequence[Layer]) -> list[str]:
        return [layer.to_svg(self.stage.frame(layer)) for layer in layers]

    def _accept(self, state: dict[str, Any], layers: list[Layer], svgs: list[str]) -> list[str]:
        before = {la.name: svg for la, svg in zip(self.layers, self._svgs, strict=True)}
        after = {la.name: svg for la, svg in zip(layers, svgs, strict=True)}
        self._state, self.layers, self._svgs, self.error = state, layers, svgs, None
        gone = [name for name in before if name not in after]
        return [name for name, svg in after.items() if before.get(name) != svg] + gone


def live(
    fn: Callable[..., Any],
    *,
    background: Background = None,
    alt: str = "",
    play: str | None = None,
    interval: float = 0.1,
    height: float | None = None,
    **ranges: Any,
) -> LiveFigure:
    """Make a live figure; as the last line of a cell it shows itself.

    Parameters
    ----------
    fn : callable
        A pure function of named parameters that returns layers (`ffcourse.show.Line` and so on).
        A function that yields lists of layers shows each as it comes, for long computations.
    background : Panel, sequence of Panel, callable or matplotlib Figure, optional
        What stands still. A callable gets axes to draw on. None: plain axes that fit the layers.
    alt : str
        What the figure shows, for readers who cannot see it; the first line of the function's
        docstring if empty.
    play : str, optional
        A parameter that buttons can step and play, such as the epoch.
    interval : float
        Least seconds between two steps when playing.
    height : float, optional
        Height of the figure in inches.
    **ranges
        A control for a parameter: `Range`, `Log`, `Choice`, `Switch`, `Weights`;
        ``(low, high)``, ``(low, high, step)``, a list of options, or a bool. Parameters without
        one are read off the signature: annotations like these, or the type of the default.

    Raises
    ------
    TypeError, ValueError
        If a parameter has no range, if there are more than four controls, or if `fn` returns
        something else than layers.
    Exception
        Whatever `fn` raises at the start values.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-3, 3, 50)
    >>> fig = live(lambda w: Line(x, w * x), w=(-2.0, 2.0), alt="A line with slope w.")
    >>> fig.set(w=1.0)
    ['line']
    """
    controls = controls_of(fn, ranges)
    return LiveFigure(
        fn,
        controls,
        background=background,
        alt=alt,
        play=play,
        interval=interval,
        height=height,
    )


def _named(result: Any, fn: Callable[..., Any]) -> list[Layer]:
    """Return the layers in one flat list, each with a name of its own."""
    layers = list(_flat(result, fn))
    taken: dict[str, int] = {}
    for layer in layers:
        name = layer.name or layer.label or type(layer).__name__.lower()
        taken[name] = taken.get(name, 0) + 1
        layer.name = name if taken[name] == 1 else f"{name} {taken[name]}"
    return layers


def _flat(result: Any, fn: Callable[..., Any]) -> Iterator[Layer]:
    if isinstance(result, Layer):
        yield result
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _flat(part, fn)
    else:
        raise TypeError(
            f"{fn_name(fn)} must return layers, such as show.Line(x, y), or a list of them; "
            f"it returned {type(result).__name__}"
        )


def _playable(controls: dict[str, Control], play: str | None) -> str | None:
    if play is not None and play not in controls:
        raise ValueError(f"play: there is no control {play!r}; there are: {', '.join(controls)}")
    if play is not None:
        _steps(controls[play])
    return play


def _steps(control: Control) -> list[Any]:
    """Return the values that a control runs through when it plays."""
    from ffcourse.show.ranges import Choice, Range

    if isinstance(control, Range):
        count = round((control.high - control.low) / control.step) + 1
        values = (control.low + control.step * np.arange(count)).tolist()
        return [min(v, control.high) for v in values]
    if isinstance(control, Choice) and all(isinstance(v, int | float) for v in control.options):
        return list(control.options)
    raise ValueError("play: only a Range, or a Choice of numbers, can be played")


def _alt_of(fn: Callable[..., Any]) -> str:
    lines = (inspect.getdoc(getattr(fn, "func", fn)) or "").strip().splitlines()
    name = fn_name(fn).replace("_", " ").strip("<>")
    return lines[0] if lines else f"Live figure: {name}."


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=3, separator=", ").replace("\n", "")
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _literal(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"np.array({np.round(value, 6).tolist()})"
    return repr(float(f"{value:.6g}")) if isinstance(value, float) else repr(value)
