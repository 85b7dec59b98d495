"""The engine: state, layers that change, errors, words, pictures, memory."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import weakref
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from ffcourse import show
from ffcourse.show import testing
from ffcourse.show.live import FIGURES

X = np.linspace(-3, 3, 50)


def two(w: float = 1.0, b: show.Range(-2.0, 2.0) = 0.0):
    """Show a line and a point."""
    return [
        show.Line(X, w * X, name="line"),
        [show.Dots([0], [b], name="point"), show.Text(0, 0, f"b = {b:.1f}", name="note")],
    ]


def make(**options):
    return show.live(two, background=show.Panel((-3, 3), (-3, 3)), **options)


def test_state_and_exactly_the_layers_that_change():
    fig = make()
    assert fig.state == {"w": 1.0, "b": 0.0}
    assert fig.set(b=1.0) == ["point", "note"]
    assert fig["point"].numbers()["y"] == 1.0
    assert fig.set(w=2.0) == ["line"]
    assert fig.set(w=2.0) == []
    np.testing.assert_array_equal(fig["line"].numbers()["y"], 2 * X)
    assert fig.reset() == ["line", "point", "note"]
    assert fig.state == {"w": 1.0, "b": 0.0}


def test_the_state_handed_out_is_a_copy():
    fig = make()
    fig.state["w"] = 9
    assert fig.state["w"] == 1.0


def test_unknown_names_are_told():
    fig = make()
    with pytest.raises(ValueError, match="there is no control 'v'; there are: w, b"):
        fig.set(v=1)
    with pytest.raises(ValueError, match=r"b must lie between -2.0 and 2.0, got 3"):
        fig.set(b=3)
    with pytest.raises(KeyError, match="no layer 'curve'; there are: line, point, note"):
        fig["curve"]


def test_layers_of_one_name_are_numbered():
    fig = show.live(lambda w=1.0: [show.Line(X, X), show.Line(X, w * X)])
    assert [layer.name for layer in fig.layers] == ["line", "line 2"]


def test_code_and_words():
    fig = make(alt="A line.")
    fig.set(w=-0.5)
    assert fig.code() == "w, b = -0.5, 0.0"
    assert fig.words() == "A line. w = -0.5, b = 0. b = 0.0."
    assert make().words().startswith("Show a line and a point. w = 1")
    assert 'aria-label="A line. w = -0.5' in fig.svg()


def test_code_of_arrays_can_be_run():
    weights = show.Weights(-2, 2, value=[[1.0, 0.5]])
    fig = show.live(lambda W: show.Map(W, (0, 1, 0, 1)), W=weights)
    space = {"np": np}
    exec(fig.code(), space)
    np.testing.assert_array_equal(space["W"], [[1.0, 0.5]])


def test_svg_is_well_formed_and_nests_panels():
    def fn(a=0.5):
        return [
            show.Dots([a], [a]),
            show.Dots([a], [a], panel=1),
            show.Text(0, 0, "t", panel=1),
            show.Line([0, 1], [0, a], panel=1),
        ]

    fig = show.live(fn, background=[show.Panel((0, 1), (0, 1)), show.Panel((0, 1), (0, 1))])
    tree = ET.fromstring(fig.svg())
    assert [child.tag for child in tree] == ["svg", "svg", "g", "svg"]
    ET.fromstring(fig.stage.svg.replace("xlink:href", "href"))


def test_background_ink_follows_the_page_and_styles_do_not_leak():
    svg = make().stage.svg
    assert "currentColor" in svg
    assert "#767676" not in svg
    assert "<style" not in svg


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"background": show.Panel(xlabel="")}, ValueError, "panel 0 has no x label"),
        ({"background": [3]}, TypeError, "background must be a Panel"),
        ({"play": "v"}, ValueError, "play: there is no control 'v'"),
    ],
)
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        show.live(two, **options)


def test_functions_that_return_no_layers_are_told():
    with pytest.raises(TypeError, match=r"must return layers, such as show.Line\(x, y\)"):
        show.live(lambda w=1.0: w)
    with pytest.raises(ValueError, match="wants panel 2; there are 1"):
        show.live(lambda w=1.0: show.Line(X, X, panel=2), background=show.Panel())


def test_exceptions_are_raised_when_made_and_when_set():
    def fails(n: int = 3):
        return show.Bars([0], [1 // (n - 5)])

    fig = show.live(fails)
    with pytest.raises(ZeroDivisionError):
        fig.set(n=5)
    assert isinstance(fig.error, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        show.live(fails, n=show.Range(0, 9, 1, 5))


def test_an_exception_while_a_slider_moves_shows_in_the_figure():
    def fails(n: int = 3):
        return show.Bars([0], [1 // (n - 5)])

    fig = show.live(fails)
    slider = fig.page.knobs["n"].widget
    slider.value = 5
    assert 'role="alert">ZeroDivisionError' in fig.page.front.value
    slider.value = 6
    assert "alert" not in fig.page.front.value
    assert fig.error is None


def test_set_moves_the_widgets_and_widgets_move_the_state():
    fig = make()
    fig.page.knobs["w"].widget.value = 2.0
    assert fig.state["w"] == 2.0
    fig.set(b=1.5)
    assert fig.page.knobs["b"].widget.value == 1.5
    assert fig.page.front.value == fig.svg()


def test_every_kind_of_control_has_a_widget():
    def fn(W, n: int = 2, lr: show.Log(1e-3, 1) = 0.1):
        return show.Map(W * n * lr, (0, 1, 0, 1))

    fig = show.live(fn, W=show.Weights(-1, 1, value=[[0.1, 0.2]]))
    knob = fig.page.knobs["W"]
    knob.menu.value = 1
    assert knob.widget.value == pytest.approx(0.2)
    knob.widget.value = -1.0
    np.testing.assert_allclose(fig.state["W"], [[0.1, -1.0]])
    fig.page.knobs["lr"].widget.value = 1.0
    assert fig.state["lr"] == 1.0

    other = show.live(
        lambda a, b, c: show.Line([0, a], [0, c * len(b)]), a=[1, 2, 4], b=["x", "yy"], c=True
    )
    for name, value in {"a": 4, "b": "yy", "c": False}.items():
        other.page.knobs[name].widget.value = value
    assert other.state == {"a": 4, "b": "yy", "c": False}


def test_step_and_rewind():
    fig = show.live(
        lambda epoch: show.Line([0, 1], [0, epoch]), epoch=show.Range(1, 3, 1, 1), play="epoch"
    )
    fig.step()
    assert fig.state["epoch"] == 2
    fig.step()
    assert fig.at_end()
    fig.step()
    assert fig.state["epoch"] == 1
    with pytest.raises(ValueError, match="nothing to play"):
        make().step()
    with pytest.raises(ValueError, match="only a Range, or a Choice of numbers, can be played"):
        show.live(lambda kind: show.Line(X, X), kind=["a", "b"], play="kind")


def test_buttons():
    fig = show.live(
        lambda epoch: show.Line([0, 1], [0, epoch]), epoch=show.Range(1, 3, 1, 1), play="epoch"
    )
    buttons = {b.description: b for b in fig.page.box.children[-1].children[:-1]}
    assert list(buttons) == ["Rewind", "Step", "Play", "State as code"]
    buttons["Step"].click()
    assert fig.state["epoch"] == 2
    buttons["State as code"].click()
    assert "epoch = 2" in fig.page.line.value
    buttons["Rewind"].click()
    assert fig.state["epoch"] == 1
    assert "epoch = 1" in fig.page.line.value
    buttons["State as code"].click()
    assert fig.page.line.value == ""


def test_play_runs_to_the_end_and_can_be_paused():
    fig = show.live(
        lambda epoch: show.Line([0, 1], [0, epoch]),
        epoch=show.Range(1, 5, 1, 1),
        play="epoch",
        interval=0.01,
    )

    async def run():
        fig.page._play()
        assert fig.page.play_button.description == "Pause"
        for _ in range(500):
            await asyncio.sleep(0.01)
            if fig.page.play_button.description == "Play":
                break
        assert fig.state["epoch"] == 5
        fig.page._play()
        await asyncio.sleep(0.005)
        fig.page._play()
        await asyncio.sleep(0.05)
        assert fig.page.play_button.description == "Play"
        assert not fig.at_end()

    asyncio.run(run())


def test_generators_show_what_comes_last():
    def grow(n: int = 3):
        for i in range(n):
            yield show.Bars([0], [i])

    fig = show.live(grow)
    assert fig["bars"].numbers()["heights"] == 2
    fig.set(n=6)
    assert fig["bars"].numbers()["heights"] == 5


def test_the_static_picture():
    fig = make(alt="A line.")
    data, metadata = fig._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"}
    assert data["text/plain"] == "A line. w = 1, b = 0."
    assert metadata["image/png"]["width"] == 672
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
        assert picture.size == (1344, 633)
        before = np.array(picture.convert("RGBA")).astype(int)
    fig.set(b=1.5)
    with Image.open(io.BytesIO(base64.b64decode(fig.picture()[0]["image/png"]))) as picture:
        assert np.abs(np.array(picture.convert("RGBA")).astype(int) - before).max() > 50
    assert not fig.stage.axes[0].lines  # the layers were taken off again


def test_a_stored_page_holds_the_picture_alone(monkeypatch):
    monkeypatch.setenv("FFCOURSE_STATIC", "1")
    assert set(make()._repr_mimebundle_()[0]) == {"image/png", "text/plain"}


def test_other_backgrounds():
    figure, ax = plt.subplots()
    ax.set(xlabel="x", ylabel="y", xlim=(-3, 3), ylim=(-3, 3))
    fig = show.live(two, background=figure)
    assert not plt.get_fignums()  # the notebook must not show it as well
    assert fig.stage.frames[0].xlim == (-3, 3)

    def draw(ax):
        ax.set(xlabel="x", ylabel="y", ylim=(0, 7))

    assert show.live(two, background=draw).stage.frames[0].ylim == (0, 7)
    auto = show.live(two).stage.frames[0]
    assert auto.xlim == pytest.approx((-3.3, 3.3))


def test_labels_make_a_legend_above_the_panel():
    fig = show.live(lambda w=1.0: [show.Line(X, w * X, label="model"), show.Line(X, X)])
    legend = fig.stage.axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["model"]
    assert fig.layers[0].name == "model"


def test_closed_figures_free_their_memory():
    fig = make()
    page, front = weakref.ref(fig.page), fig.page.front
    fig._repr_mimebundle_()
    fig.close()
    assert front.comm is None
    assert fig not in FIGURES
    with pytest.raises(RuntimeError, match="has been closed"):
        fig.set(w=1.0)
    assert "closed" in fig._repr_mimebundle_()[0]["text/plain"]
    ref = weakref.ref(fig)
    del fig, front
    gc.collect()
    assert page() is None
    assert ref() is None


def test_figure_shows_a_picture_with_alt_text(capsys):
    fig, ax = show.subplots()
    ax.plot([0, 1])
    with pytest.raises(ValueError, match="panel 0 has no x label"):
        show.figure(fig, alt="A line.")
    ax.set(xlabel="x", ylabel="y")
    with pytest.raises(ValueError, match="give alt"):
        show.figure(fig, alt=" ")
    show.figure(fig, alt="A line\n  that rises.")
    assert capsys.readouterr().out.strip() == "A line that rises."


def test_figure_closes_the_figures_of_pyplot():
    fig, axes = plt.subplots(1, 2, sharey=True)
    axes[0].set(xlabel="x", ylabel="y")
    axes[1].set(xlabel="x")
    show.figure(fig, alt="Two panels that share an axis.")
    assert not plt.get_fignums()


class TestSweep:
    def test_counts_states(self):
        assert testing.sweep(make()) == 20

    def test_leaves_the_figure_at_its_start(self):
        fig = make()
        fig.set(w=2.0)
        testing.sweep(fig)
        assert fig.state == fig.start

    @pytest.mark.parametrize(
        ("fn", "message"),
        [
            (lambda n=3: show.Bars([0], [1 // (n - 5)]), "at n=5: ZeroDivisionError"),
            (lambda w=1.0: show.Line([0, 1], [0, np.float64(w) / 0 * 0]), "RuntimeWarning"),
            (lambda w=1.0: show.Line([0, 1], [0, float("nan")]), "y of layer 'line' is not finite"),
            (lambda w=1.0: show.Line([0, 1], [0, 1]), "w changes nothing"),
        ],
    )
    @pytest.mark.filterwarnings("ignore")
    def test_finds_mistakes(self, fn, message):
        with pytest.raises(testing.SweepError, match=message):
            testing.sweep(show.live(fn))

    def test_gaps_are_allowed_where_meant(self):
        fig = show.live(lambda w=1.0: show.Line(range(4), [0, float("nan"), w, 0], gaps=True))
        testing.sweep(fig)


@pytest.mark.slow
class TestSweepNotebook:
    def write(self, folder, *cells):
        import nbformat

        path = folder / "n.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nbformat.write(notebook, path)
        return path

    def test_moves_all_figures_of_a_notebook(self, tmp_path):
        cells = (
            "from ffcourse import show",
            "def f(w: float = 1.0): return show.Line([0, 1], [0, w])\nshow.live(f)",
            "fig = show.live(f, w=(0, 5))\nfig",
        )
        assert testing.sweep_notebook(self.write(tmp_path, *cells)) == 2
        bad = "show.live(lambda n=3: show.Bars([0], [1 // (n - 5)]), alt='Bars.')"
        with pytest.raises(testing.SweepError, match=r"n.ipynb: 'Bars.' at n=5: ZeroDivision"):
            testing.sweep_notebook(self.write(tmp_path, cells[0], bad))


def test_nothing_is_drawn_while_a_grader_runs_the_cell(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FFCOURSE_GRADING", "1")
    figure = show.live(
        lambda w: show.Line([0, 1], [0, w]), w=(-1.0, 1.0), alt="A line with slope w."
    )
    data, _ = figure._repr_mimebundle_()
    assert data == {"text/plain": "A line with slope w."}
