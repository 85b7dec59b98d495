"""The same live figures in Notebook 7."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser import jupyter, live_course

pytestmark = pytest.mark.browser


def run(page: Page, index: int) -> None:
    """Run a cell by the keyboard; again if the kernel was not ready for the first order."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(index)
    done = cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
    for _ in range(10):
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(TimeoutError):
            done.wait_for(timeout=20_000)
            return
    raise RuntimeError(f"cell {index} did not run")


def test_notebook_7(chromium, tmp_path, artifacts):
    cells = (live_course.START, live_course.NEURON)
    course = live_course.make(tmp_path / "course", cells)
    with jupyter.serve(course) as address, jupyter.browse(chromium) as page:
        page.goto(f"{address}/notebooks/chapters/live.ipynb")
        for index in range(len(cells)):
            run(page, index)
        front = page.locator(".ffc-front")
        front.wait_for()
        page.get_by_role("slider", name="w1").focus()
        page.keyboard.press("ArrowRight")
        changed = re.compile(r"w1 = 1\.05")
        expect(front).to_have_attribute("aria-label", changed, timeout=30_000)
        page.locator(".ffc").screenshot(path=artifacts / "live_notebook7.png")
