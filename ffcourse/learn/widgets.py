"""The few controls that prompts are made of: radio buttons, a field, a button, a spoken note.

Every display carries the same content as plain text and as HTML, for readers without a
kernel; in tests only these two are made, so that stored outputs never change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ffcourse.learn import store
from ffcourse.learn.emitting import ipython

_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDE = {"width": "auto"}
_CONTROL_STYLE = """<style>
.ffc-choice{width:auto;height:auto}
.ffc-choice .widget-radio-box,.ffc-choice .jupyter-widget-radio-box{width:auto;margin:0}
.ffc-choice .widget-radio-box label{height:auto;line-height:1.45;white-space:normal;
display:flex;gap:.5em;align-items:flex-start;margin:0;padding:.12em 0;width:auto;
font-size:var(--jp-content-font-size1,14px)}
.ffc-choice .widget-radio-box input{position:static;margin:0;float:none;flex:none;order:-1}
.ffc-choice>.widget-label{min-width:max-content;width:auto}
.ffc-row .widget-radio-box{flex-direction:row;flex-wrap:wrap;gap:0 1.2em}
.ffc-panel{border:1px solid var(--jp-border-color2,#bbb);border-left:4px solid
var(--jp-brand-color1,#1565c0);border-radius:4px;padding:.5em .9em;max-width:640px;
box-sizing:content-box;
margin:.4em 0;overflow:visible;background:var(--jp-layout-color1,transparent)}
.ffc-question{margin-top:.7em}
.ffc-panel .widget-html-content,.ffc-panel .widget-htmlmath-content{line-height:1.5;
font-size:var(--jp-content-font-size1,14px);color:var(--jp-content-font-color1,inherit);
white-space:normal;height:auto}
.ffc-panel .widget-html,.ffc-panel .widget-htmlmath{height:auto;width:auto}
</style>"""


def interactive() -> bool:
    """Say whether controls can be shown: a live notebook that is not being tested."""
    return not store.testing() and getattr(ipython(), "kernel", None) is not None


def show(panel: Any | None, text: str, html: str) -> None:
    """Display a panel of controls, with its text and HTML for readers without a kernel."""
    if ipython() is None:
        print(text)
        return
    from IPython.display import display

    bundle: dict[str, Any] = {"text/plain": text, "text/html": html}
    if panel is not None:
        bundle[_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": panel.model_id}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def panel(*children: Any) -> Any:
    """Stack controls in one bordered panel."""
    import ipywidgets

    box = ipywidgets.VBox([ipywidgets.HTML(_CONTROL_STYLE), *children])
    box.children[0].layout.display = "none"
    box.add_class("ffc-panel")
    return box


def words(html: str = "") -> Any:
    """Return a piece of text that may hold formulas."""
    import ipywidgets

    return ipywidgets.HTMLMath(html)


def note() -> Any:
    """Return a place for feedback, which a screen reader speaks when it changes.

    Set its ``value`` through `say`.
    """
    return words()


def say(place: Any, html: str) -> None:
    """Put feedback into a `note`."""
    place.value = f'<div role="status" aria-live="polite">{html}</div>' if html else ""


def choose(options: Sequence[str | tuple[str, str]], description: str, *, row: bool = False) -> Any:
    """Return radio buttons with nothing chosen yet; Tab moves among them, Space chooses.

    Parameters
    ----------
    options : sequence of str or of (label, value)
    description : str
        Words before the buttons.
    row : bool
        Side by side instead of one a line.
    """
    import ipywidgets

    radio = ipywidgets.RadioButtons(
        options=list(options),
        value=None,
        description=description,
        style={"description_width": "initial"},
        layout=_WIDE,
    )
    radio.add_class("ffc-choice")
    if row:
        radio.add_class("ffc-row")
    return radio


def line(description: str, placeholder: str = "") -> Any:
    """Return a field for one line of text."""
    import ipywidgets

    return ipywidgets.Text(
        description=description,
        placeholder=placeholder,
        style={"description_width": "initial"},
        layout={"width": "auto", "max_width": "30em"},
    )


def button(label: str, press: Callable[[], None], *, main: bool = True) -> Any:
    """Return a button that calls `press`."""
    import ipywidgets

    made = ipywidgets.Button(
        description=label,
        button_style="primary" if main else "",
        layout={"width": "auto"},
    )
    made.on_click(lambda _: press())
    return made


def row(*children: Any) -> Any:
    """Put controls side by side; they wrap on a narrow screen."""
    import ipywidgets

    return ipywidgets.HBox(
        list(children), layout={"flex_flow": "row wrap", "align_items": "baseline"}
    )
