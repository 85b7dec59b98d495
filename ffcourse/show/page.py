"""The widgets of a live figure: controls, the picture, buttons. Nothing but ipywidgets' core."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from ffcourse.show.controls import Knob
from ffcourse.show.css import STYLE
from ffcourse.show.loop import Loop
from ffcourse.show.svg import escape

if TYPE_CHECKING:
    from ffcourse.show.live import LiveFigure

SLOW = 0.15  # seconds a frame may take before the page says that it is working
QUICK = 0.05  # seconds; a frame that takes less is drawn at once

_OF_CELL: dict[str, list[LiveFigure]] = {}
"""The figures that each cell shows, so that running the cell again frees them."""


class Page:
    """The widgets of one live figure.

    Attributes
    ----------
    knobs : dict of str to Knob
        The controls.
    front : ipywidgets.HTML
        What moves: one SVG, replaced as a whole.
    box : ipywidgets.VBox
        All of it.
    """

    def __init__(self, figure: LiveFigure) -> None:
        self.figure = figure
        self._loop = Loop(self._work, lambda: figure.seconds < QUICK)
        self._player: asyncio.Task[None] | None = None
        state = figure.state
        self.knobs = {
            name: Knob(name, control, self._loop.ask) for name, control in figure.controls.items()
        }
        for name, knob in self.knobs.items():
            knob.show(state[name])
        self.back = w.HTML(STYLE + figure.stage.svg, layout=_over())
        self.front = w.HTML(figure.svg(), layout=_over())
        self.line = w.HTML(layout=w.Layout(flex="1 1 auto", min_width="0"))
        self.box = self._assemble()
        _adopt(figure)

    def _assemble(self) -> Any:
        stage = w.GridBox([self.back, self.front], layout=w.Layout(width="100%"))
        stage.add_class("ffc-stage")
        widgets = [widget for knob in self.knobs.values() for widget in knob.widgets]
        controls = w.GridBox(widgets, layout=w.Layout(width="100%"))
        controls.add_class("ffc-controls")
        buttons = w.HBox([*self._buttons(), self.line], layout=w.Layout(width="100%"))
        buttons.add_class("ffc-buttons")
        box = w.VBox([controls, stage, buttons])
        box.add_class("ffc")
        return box

    def _buttons(self) -> Iterator[Any]:
        yield self._button("Rewind", "Back to the start values", self._rewind)
        if self.figure.play_name is not None:
            yield self._button("Step", f"One step of {self.figure.play_name}", self._step)
            self.play_button = self._button("Play", "Play or pause", self._play)
            yield self.play_button
        yield self._button("State as code", "The present values as a line to copy", self._code)

    def _button(self, text: str, tip: str, action: Any) -> Any:
        button = w.Button(description=text, tooltip=tip, layout=w.Layout(width="auto"))
        button.on_click(lambda _: action())
        return button

    def view(self) -> dict[str, Any]:
        """Return the display data of the widgets alone."""
        data = self.box._repr_mimebundle_()
        key = "application/vnd.jupyter.widget-view+json"
        return {key: data[key]}

    def show(self) -> None:
        """Show the figure's present picture: one message."""
        figure = self.figure
        self.front.value = figure.svg() if figure.error is None else self._failed(figure.error)
        if self.line.value:
            self.line.value = _code_line(figure.code())

    def follow(self) -> None:
        """Move the controls to the figure's present state."""
        for name, value in self.figure.state.items():
            self.knobs[name].show(value)

    def _failed(self, error: Exception) -> str:
        words = escape(f"{type(error).__name__}: {error}")
        return f'{self.figure.svg()}<div class="ffc-error" role="alert">{words}</div>'

    def _work(self) -> Iterator[None]:
        """Draw what the controls show now."""
        values = {name: knob.value for name, knob in self.knobs.items()}
        slow = self.figure.seconds > SLOW
        if slow:
            self.front.add_class("ffc-busy")
        begin = time.perf_counter()
        try:
            for _ in self.figure.frames(values):
                self.show()
                yield
        finally:
            self.figure.seconds = time.perf_counter() - begin
            if slow:
                self.front.remove_class("ffc-busy")

    def _rewind(self) -> None:
        self._pause()
        self._turn(self.figure.start)

    def _step(self) -> None:
        self._pause()
        self._turn(self.figure.next_state())

    def _turn(self, values: dict[str, Any]) -> None:
        """Move controls as if the reader had."""
        for name, value in values.items():
            self.knobs[name].show(value)
        self._loop.ask()

    def _play(self) -> None:
        if self._player is not None and not self._player.done():
            self._pause()
            return
        self._player = asyncio.get_running_loop().create_task(self._run())
        self.play_button.description = "Pause"

    def _pause(self) -> None:
        if self._player is not None:
            self._player.cancel()
            self._player = None
            self.play_button.description = "Play"

    async def _run(self) -> None:
        figure, name = self.figure, self.figure.play_name
        assert name is not None
        while True:
            begin = time.perf_counter()
            following = figure.next_state()
            self._turn(following)
            await asyncio.sleep(max(figure.interval - (time.perf_counter() - begin), 0.01))
            await self._loop.idle()
            if figure.error is not None or figure.at_end():
                break
        self._player = None
        self.play_button.description = "Play"

    def _code(self) -> None:
        self.line.value = "" if self.line.value else _code_line(self.figure.code())

    def close(self) -> None:
        """Take the widgets off the page, and forget the figure."""
        self._pause()
        self._loop.close()
        for knob in self.knobs.values():
            knob.widget.unobserve_all()
        for widget in list(_tree(self.box)):
            widget.close()


def _over() -> Any:
    return w.Layout(grid_area="1 / 1 / 2 / 2", width="100%", margin="0")


def _code_line(code: str) -> str:
    return f'<code class="ffc-code" tabindex="0">{escape(code)}</code>'


def _tree(widget: Any) -> Iterator[Any]:
    """Yield a widget and all that belongs to it: its parts, its layout and its style."""
    for child in getattr(widget, "children", ()):
        yield from _tree(child)
    yield from (getattr(widget, name) for name in ("layout", "style") if widget.has_trait(name))
    yield widget


def _adopt(figure: LiveFigure) -> None:
    """Close what an earlier run of the same cell has shown."""
    from IPython import get_ipython

    shell = get_ipython()
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)()
    cell = (parent.get("metadata") or {}).get("cellId")
    if not cell:
        return
    run = parent["header"]["msg_id"]
    for old in _OF_CELL.get(cell, []):
        if old.run != run:
            old.close()
    figure.run = run
    _OF_CELL[cell] = [f for f in _OF_CELL.get(cell, []) if not f.closed] + [figure]
