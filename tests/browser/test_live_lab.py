"""Live figures in a real JupyterLab: keyboard, mouse, themes, errors, and without a kernel."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import jupyter, live_course

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    """Open the notebook, run it, and give (page, course)."""
    course = live_course.make(tmp_path_factory.mktemp("live") / "course")
    with jupyter.serve(course) as address, jupyter.browse(chromium) as page:
        page.set_viewport_size({"width": 1000, "height": 900})
        jupyter.open_notebook(page, address, "chapters/live.ipynb")
        jupyter.run_all(page)
        jupyter.execute(page, "application:toggle-left-area")
        assert jupyter.errors_in(page) == []
        yield page, course


def figure(page: Page, source: str) -> Locator:
    """Return the live figure of the cell with this source."""
    index = live_course.CELLS.index(source)
    cell = jupyter.select(page, index)
    cell.locator(".ffc-front").wait_for()
    return cell.locator(".ffc")


def words(fig: Locator) -> str:
    return fig.locator(".ffc-front").get_attribute("aria-label")


def says(fig: Locator, text: str) -> None:
    """Wait until the figure's words contain a text."""
    pattern = re.compile(re.escape(text))
    expect(fig.locator(".ffc-front")).to_have_attribute("aria-label", pattern, timeout=20_000)


def test_keyboard_moves_the_picture(lab):
    page, _ = lab
    fig = figure(page, live_course.NEURON)
    before = fig.locator(".ffc-front").inner_html()
    fig.locator(".noUi-handle").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    says(fig, "w1 = 1.25")
    assert fig.locator(".ffc-front").inner_html() != before
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    says(fig, "w1 = 1,")


def test_mouse_drags_the_picture_without_change_of_height(lab):
    page, _ = lab
    fig = figure(page, live_course.NEURON)
    height = fig.bounding_box()["height"]
    fig.evaluate(
        """root => {
            const seen = window.seen = {frames: 0, blank: 0, heights: new Set()};
            const picture = root.querySelector('.ffc-front').closest('.widget-html-content');
            new MutationObserver(() => {
                seen.frames += 1;
                const front = picture.querySelector('.ffc-front');
                if (!front || !front.childElementCount) seen.blank += 1;
                seen.heights.add(root.getBoundingClientRect().height);
            }).observe(picture, {childList: true});
        }"""
    )
    box = fig.locator(".noUi-handle").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for k in range(60):
        page.mouse.move(x + k, y)
    page.mouse.up()
    value = fig.locator(".widget-readout").first.inner_text()
    says(fig, f"w1 = {float(value):.4g}")  # the last value is never dropped
    frames, blank, heights = page.evaluate(
        "[window.seen.frames, window.seen.blank, [...window.seen.heights]]"
    )
    assert frames >= 2
    assert blank == 0
    assert heights == [height]


def test_every_control_has_a_name(lab):
    page, _ = lab
    fig = figure(page, live_course.NEURON)
    for name in ("w1", "w2", "b"):
        expect(fig.get_by_role("slider", name=name, exact=True)).to_be_visible()
    expect(fig.get_by_role("img", name=re.compile("decision line of one neuron"))).to_be_visible()
    fig = figure(page, live_course.CURVE)
    expect(fig.get_by_role("combobox", name="kind")).to_be_visible()
    expect(fig.get_by_role("checkbox", name="on")).to_be_visible()


@pytest.mark.parametrize("source", [live_course.NEURON, live_course.CURVE, live_course.PLAYS])
def test_axe_finds_nothing(lab, source):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe was not found: install axe-playwright-python",
    )
    page, _ = lab
    figure(page, source)
    page.wait_for_timeout(1200)
    result = axe.Axe().run(page, context=".ffc")
    assert result.violations_count == 0, result.generate_report()


def test_menus_and_switches(lab):
    page, _ = lab
    fig = figure(page, live_course.CURVE)
    fig.locator("select").select_option(label="line")
    says(fig, "kind = line")
    fig.locator("input[type=checkbox]").focus()
    page.keyboard.press("Space")
    says(fig, "on = False")


def test_rewind_and_code(lab):
    page, _ = lab
    fig = figure(page, live_course.CURVE)
    fig.locator(".noUi-handle").focus()
    page.keyboard.press("End")
    says(fig, "w = 3")
    fig.get_by_role("button", name="State as code").click()
    expect(fig.locator(".ffc-code")).to_have_text(re.compile(r"^w, kind, on = 3\.0, "))
    fig.get_by_role("button", name="Rewind").click()
    says(fig, "w = 1")
    expect(fig.locator(".ffc-code")).to_have_text("w, kind, on = 1.0, 'tanh', True")
    expect(fig.locator(".widget-readout")).to_have_text("1.0")


def test_long_computations_say_so_and_leave_the_slider_free(lab):
    page, _ = lab
    fig = figure(page, live_course.SLOW)
    fig.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    expect(fig.locator(".ffc-busy")).to_be_attached()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(fig.locator(".widget-readout")).to_have_text("5", timeout=500)
    says(fig, "n = 5")
    expect(fig.locator(".ffc-busy")).not_to_be_attached()


def test_exceptions_show_in_the_figure_and_go_away(lab):
    page, _ = lab
    fig = figure(page, live_course.FAILS)
    fig.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(fig.get_by_role("alert")).to_have_text(re.compile("ZeroDivisionError"))
    page.keyboard.press("ArrowRight")
    says(fig, "n = 6")
    expect(fig.get_by_role("alert")).to_have_count(0)


def test_play(lab):
    page, _ = lab
    fig = figure(page, live_course.PLAYS)
    fig.get_by_role("button", name="Step").click()
    says(fig, "epoch = 2")
    fig.get_by_role("button", name="Play").click()
    says(fig, "epoch = 8")
    expect(fig.get_by_role("button", name="Play")).to_be_visible()
    expect(fig.locator(".widget-readout")).to_have_text("8")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_themes(lab, artifacts, theme):
    page, _ = lab
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
        f"JupyterLab {theme}",
    )
    light = "true" if theme == "Light" else "false"
    page.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
    fig = figure(page, live_course.NEURON)
    ink = fig.locator(".ffc-stage").evaluate("e => getComputedStyle(e).color")
    level = max(int(v) for v in re.findall(r"\d+", ink)[:3])
    assert (level < 80) == (theme == "Light")
    fig.screenshot(path=artifacts / f"live_neuron_{theme.lower()}.png")


def test_running_a_cell_again_closes_its_old_figure(lab):
    page, _ = lab
    index = live_course.CELLS.index(live_course.CURVE)
    before = models(page)
    for _ in range(3):
        jupyter.run_cell(page, index)
    figure(page, live_course.CURVE)
    assert models(page) == before


def models(page: Page) -> int:
    """Count the widgets that the page's manager knows."""
    return page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            const kernel = panel.sessionContext.session.kernel;
            const reply = await kernel.requestCommInfo({target_name: 'jupyter.widget'});
            return Object.keys(reply.content.comms).length;
        }"""
    )


def test_the_saved_notebook_holds_a_picture_beside_each_widget(lab):
    page, course = lab
    jupyter.execute(page, "docmanager:save")
    path = course / "work" / "chapters" / "live.ipynb"
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"][1:]:
        data = cell["outputs"][-1]["data"]
        assert len(data["image/png"]) > 2000
        assert data["text/plain"]
    assert "widget-state" not in json.dumps(notebook["metadata"])


def test_a_stored_notebook_shows_pictures_before_anything_runs(lab, artifacts):
    """As chapters are stored: `FFCOURSE_STATIC` leaves the widget views out."""
    page, course = lab
    stored = course / "work" / "chapters" / "stored.ipynb"
    notebook = json.loads((course / "work/chapters/live.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"][1:]:
        data = cell["outputs"][-1]["data"]
        data.pop("application/vnd.jupyter.widget-view+json", None)
    stored.write_text(json.dumps(notebook), encoding="utf-8")
    address = page.url.split("/lab")[0]
    jupyter.open_notebook(page, address, "chapters/stored.ipynb")
    for index in range(1, len(live_course.CELLS)):
        cell = jupyter.select(page, index)
        image = cell.locator(".jp-RenderedImage img")
        expect(image).to_be_visible()
        assert 400 < image.bounding_box()["width"] < 700
    page.screenshot(path=artifacts / "live_stored.png")
