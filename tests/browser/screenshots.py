"""Take the README's pictures anew: ``python -m tests.browser.screenshots`` writes docs/*.png."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.browser import jupyter as lab
from tests.browser.test_learner_road import WRONG
from tests.conftest import ROOT, find_chromium

DOCS = ROOT / "docs"


def main() -> int:
    """Open chapter and exercise in a real JupyterLab and photograph two cells."""
    chromium = find_chromium()
    if chromium is None:
        print("Chromium was not found.", file=sys.stderr)
        return 2
    course = lab.make_course(Path(tempfile.mkdtemp()))
    with lab.serve(course) as address, lab.browse(chromium) as page:
        page.set_viewport_size({"width": 1000, "height": 1000})
        lab.open_notebook(page, address, "chapters/01_neuron.ipynb")
        lab.execute(page, "application:toggle-left-area")
        lab.run_all(page)
        cell = lab.select(page, lab.cell_with(page, "show.live(tumours"))
        cell.locator(".noUi-handle").first.focus()
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(1500)
        cell.locator(".ffc").screenshot(path=DOCS / "live-figure.png")

        lab.open_notebook(page, address, "exercises/01_neuron.ipynb")
        lab.run_cell(page, lab.cell_with(page, "from ffcourse.learn import"))
        answer, check = (
            lab.cell_with(page, text) for text in ("def weighted_sum", 'check("01.1")')
        )
        lab.type_into(page, answer, WRONG)
        lab.run_cell(page, answer)
        lab.run_cell(page, check)
        page.wait_for_timeout(1500)
        first, last = (
            lab.select(page, answer).bounding_box(),
            lab.select(page, check).bounding_box(),
        )
        first = page.locator(f'[data-windowed-list-index="{answer}"]').bounding_box()
        clip = {**first, "height": last["y"] + last["height"] - first["y"]}
        page.screenshot(path=DOCS / "graded-exercise.png", clip=clip)
    return 0


if __name__ == "__main__":
    sys.exit(main())
