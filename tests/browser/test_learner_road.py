"""A learner's evening, in a real browser: read, move, answer wrongly, answer rightly, hand in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the browser tests need Playwright (requirements-test)")

from playwright.sync_api import Locator, Page

from tests.browser import jupyter as lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WRONG = """\
def weighted_sum(x, w, b):
    return sum(w_i * x_i for x_i, w_i in zip(x, w))


def neuron(x, w, b):
    return int(weighted_sum(x, w, b) >= 0)
"""
RIGHT = """\
def weighted_sum(x, w, b):
    total = b
    for i in range(len(x)):
        total += x[i] * w[i]
    return total


def neuron(x, w, b):
    return int(weighted_sum(x, w, b) >= 0)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def address(course: Path) -> Iterator[str]:
    with lab.serve(course) as address:
        yield address


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with lab.browse(chromium) as page:
        yield page


def picture(cell: Locator) -> str:
    """Return what a live figure shows now, as markup."""
    return cell.locator(".ffc-stage").inner_html()


def wait_for_change(page: Page, cell: Locator, before: str) -> str:
    """Wait until the picture differs from `before`, and return it."""
    stage = cell.locator(".ffc-stage").element_handle()
    page.wait_for_function("([el, old]) => el.innerHTML !== old", arg=[stage, before])
    return picture(cell)


def test_read_and_move_chapter_01(page: Page, address: str, artifacts: Path) -> None:
    lab.open_notebook(page, address, "chapters/01_neuron.ipynb")
    lab.run_all(page)
    assert lab.errors_in(page) == []

    cell = lab.select(page, lab.cell_with(page, "show.live(tumours"))
    slider = cell.locator(".noUi-handle").first
    slider.wait_for()
    height = cell.locator(".ffc-stage").bounding_box()["height"]
    start = picture(cell)
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    by_keyboard = wait_for_change(page, cell, start)

    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()
    wait_for_change(page, cell, by_keyboard)
    assert cell.locator(".ffc-stage").bounding_box()["height"] == height
    page.screenshot(path=artifacts / "chapter-01-live.png")


def test_answer_wrongly_then_rightly_and_submit(
    page: Page, address: str, course: Path, artifacts: Path
) -> None:
    lab.open_notebook(page, address, "exercises/01_neuron.ipynb")
    lab.run_cell(page, lab.cell_with(page, "from ffcourse.learn import"))
    answer = lab.cell_with(page, "def weighted_sum")
    check = lab.cell_with(page, 'check("01.1")')

    untouched = lab.run_cell(page, answer) and lab.run_cell(page, check)
    assert "not attempted" in untouched.inner_text()

    lab.type_into(page, answer, WRONG)
    lab.run_cell(page, answer)
    wrong = lab.run_cell(page, check)
    assert "b is missing" in wrong.inner_text()
    page.screenshot(path=artifacts / "exercise-01-wrong.png")

    lab.type_into(page, answer, RIGHT)
    lab.run_cell(page, answer)
    right = lab.run_cell(page, check)
    assert "right" in right.inner_text()
    assert "b is missing" not in right.inner_text()

    lab.execute(page, "docmanager:save")
    page.wait_for_timeout(500)
    handed_in = lab.run_cell(page, lab.cell_with(page, "submit()"), seconds=120)
    handed_in.get_by_text("01.1").first.wait_for()
    text = handed_in.inner_text()
    page.screenshot(path=artifacts / "exercise-01-submitted.png")
    assert re.search(r"01_neuron: 3 of \d+ points", text), text
    assert re.search(r"01\.1 One neuron, one object . right \(3 of 3 points\)", text), text
    assert "not attempted" in text
    progress = json.loads((course / "work/.progress").read_text(encoding="utf-8"))
    assert progress["exercises"]["01.1"]["status"] == "passed"


def test_the_welcome_page_opens_and_runs(page: Page, address: str, artifacts: Path) -> None:
    lab.open_notebook(page, address, "chapters/00_welcome.ipynb")
    lab.run_all(page)
    assert lab.errors_in(page) == []
    page.screenshot(path=artifacts / "chapter-00.png")


def test_nothing_is_fetched_from_outside(page: Page, address: str) -> None:
    """The course works offline: a page asks nobody but its own server."""
    outside: list[str] = []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else outside.append(request.url)
        ),
    )
    lab.open_notebook(page, address, "chapters/01_neuron.ipynb")
    lab.run_all(page)
    assert outside == []
