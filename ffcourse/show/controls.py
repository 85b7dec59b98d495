"""One core widget for each control."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ipywidgets as w
import numpy as np

from ffcourse.show.ranges import Choice, Control, Log, Range, Switch, Weights


class Knob:
    """The widgets of one control.

    Parameters
    ----------
    name : str
        The parameter.
    control : Control
        What it can be set to.
    moved : callable
        Called after the reader has moved it.
    """

    def __init__(self, name: str, control: Control, moved: Callable[[], None]) -> None:
        self.name, self.control = name, control
        self._moved = moved
        self._quiet = False
        self._array: Any = np.array(control.value) if isinstance(control, Weights) else None
        self.menu = _menu(control) if isinstance(control, Weights) else None
        self.widget = _widget(control.label or name, control)
        self.widgets = [self.widget] if self.menu is None else [self.menu, self.widget]
        self.widget.observe(self._on_value, "value")
        if self.menu is not None:
            self.menu.observe(self._on_menu, "value")

    @property
    def value(self) -> Any:
        """The value that the widgets show."""
        if self.menu is None:
            return self.widget.value
        return np.array(self._array)

    def show(self, value: Any) -> None:
        """Make the widgets show `value` without reporting a move."""
        self._quiet = True
        try:
            if self.menu is None:
                if self.widget.value != value:
                    self.widget.value = value
            else:
                self._array = np.array(value)
                self.widget.value = float(self._array.flat[self.menu.value])
        finally:
            self._quiet = False

    def _on_value(self, change: Any) -> None:
        if self._quiet:
            return
        if self.menu is not None:
            self._array.flat[self.menu.value] = change["new"]
        self._moved()

    def _on_menu(self, change: Any) -> None:
        self._quiet = True
        self.widget.value = float(self._array.flat[change["new"]])
        self._quiet = False


_STYLE = {"description_width": "auto"}


def _layout() -> Any:
    return w.Layout(width="auto", min_width="0")


def _widget(label: str, control: Control) -> Any:
    common: dict[str, Any] = {"description": label, "style": _STYLE, "layout": _layout()}
    if isinstance(control, Weights):
        return _slider(control.entry, float(control.value.flat[0]), common)
    if isinstance(control, Range):
        return _slider(control, control.value, common)
    if isinstance(control, Log):
        low, high = math.log10(control.low), math.log10(control.high)
        form = ".2g" if low >= -4 else ".1e"
        more = {"min": low, "max": high, "step": 0.02, "readout_format": form}
        return w.FloatLogSlider(value=control.value, base=10, **more, **common)
    if isinstance(control, Choice):
        options = [(str(o), o) for o in control.options]
        if len(options) > 1 and all(type(o) in (int, float) for o in control.options):
            return w.SelectionSlider(options=options, value=control.value, **common)
        return w.Dropdown(options=options, value=control.value, **common)
    if isinstance(control, Switch):
        return w.Checkbox(value=control.value, indent=False, **common)
    raise TypeError(f"no widget for {type(control).__name__}")


def _slider(control: Range, value: float, common: dict[str, Any]) -> Any:
    ends = {"min": control.low, "max": control.high, "step": control.step}
    if control.whole:
        return w.IntSlider(value=value, continuous_update=True, **ends, **common)
    form = f".{decimals(control.step)}f"
    return w.FloatSlider(value=value, readout_format=form, continuous_update=True, **ends, **common)


def _menu(control: Weights) -> Any:
    options = [(name, i) for i, name in enumerate(control.entry_names())]
    return w.Dropdown(options=options, value=0, description="entry", style=_STYLE, layout=_layout())


def decimals(step: float) -> int:
    """Return how many decimals tell the values of a slider apart: 1 for 0.5, 2 for 0.25."""
    coarse = max(0, -math.floor(math.log10(step) + 1e-9))
    return next(n for n in (coarse, coarse + 1, coarse + 2) if n == coarse + 2 or exact(step, n))


def exact(step: float, digits: int) -> bool:
    """Say whether a step is a whole number of units of the last decimal."""
    return math.isclose(step * 10**digits, round(step * 10**digits), rel_tol=1e-6)
