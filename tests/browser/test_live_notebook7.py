"""The same live figures in Notebook 7."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import jupyter, live_course

pytestmark = pytest.mark.browser


def test_notebook_7(chromium, tmp_path, artifacts):
    cells = (live_course.START, live_course.NEURON)
    course = live_course.make(tmp_path / "course", cells)
    with jupyter.serve(course) as address, jupyter.browse(chromium) as page:
        page.goto(f"{address}/notebooks/chapters/live.ipynb")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        # An order given before the kernel is there is lost.
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(state="attached")
        page.locator(".jp-Notebook .jp-Cell .cm-content").first.click()
        for _ in cells:
            page.keyboard.press("Shift+Enter")
        front = page.locator(".ffc-front")
        front.wait_for(timeout=180_000)
        page.get_by_role("slider", name="w1").focus()
        page.keyboard.press("ArrowRight")
        expect(front).to_have_attribute("aria-label", re.compile(r"w1 = 1\.05"), timeout=30_000)
        page.locator(".ffc").screenshot(path=artifacts / "live_notebook7.png")
