"""Measure how long a slider move takes to reach the picture: ours, and what others use.

Run ``python -m tests.benchmarks.live`` from the repository; ``--moves 90`` for more moves,
``--extra DIR`` for a folder with ipympl (``pip install --target DIR --no-deps ipympl``).
All ways stand in one notebook with one kernel, and are measured in alternation. Latency is the
time from the key's event in the page to the change of the picture in the page; lag is how long
after the last mouse movement of a two-second drag the picture still changes. "floor" is a slider
linked to a label through the kernel; "model" the same, with the label showing the mean of the
network's outputs, so that our own share is "ours" less "model".
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, TimeoutError

from tests.benchmarks.live.notebook import COMMON, FIGURES
from tests.browser import jupyter
from tests.conftest import find_chromium

KINDS = {
    "floor": "label",
    "model": "label",
    "ours": "svg",
    "interact": "image",
    "output": "image",
    "ipympl": "canvas",
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=45)
    parser.add_argument("--drags", type=int, default=3)
    parser.add_argument("--extra", default="")
    parser.add_argument("--only", default=",".join(FIGURES))
    options = parser.parse_args()
    if options.extra:
        os.environ["JUPYTER_PATH"] = str(Path(options.extra) / "share" / "jupyter")
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium was found; see tests/conftest.py")
    names = [n for n in options.only.split(",") if n != "ipympl" or options.extra]
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads of BLAS would fight with the browser
    with tempfile.TemporaryDirectory() as folder:
        course = make_course(Path(folder), names, [options.extra] if options.extra else [])
        with jupyter.serve(course) as address, jupyter.browse(chromium) as page:
            page.set_viewport_size({"width": 1000, "height": 2600})
            page.add_init_script(path=Path(__file__).with_name("page.js"))
            jupyter.open_notebook(page, address, "chapters/bench.ipynb")
            jupyter.run_all(page)
            print(jupyter.errors_in(page) or "all figures are up")
            roots = {n: register(page, i + 1, n) for i, n in enumerate(names)}
            shuffle = random.Random(0).sample  # so that none always follows the same one
            for _ in range(options.moves):
                for name in shuffle(names, len(names)):
                    move(page, roots[name], name)
            lags: dict[str, list[float]] = {n: [] for n in names}
            for _ in range(options.drags):
                for name in names:
                    lags[name].append(drag(page, roots[name], name))
            report(page, names, lags)


def make_course(folder: Path, names: list[str], extra: list[str]) -> Path:
    """Write the notebook into a course folder."""
    for part in ("chapters", "exercises", "solutions"):
        (folder / part).mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        (folder / name).write_bytes((jupyter.ROOT / name).read_bytes())
    sources = [COMMON.replace("{extra!r}", repr(extra)), *(FIGURES[n] for n in names)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(s.strip()) for s in sources], metadata=kernel
    )
    for name in ("bench", "00_welcome"):
        nbformat.write(notebook, folder / "chapters" / f"{name}.ipynb")
    return folder


def register(page: Page, index: int, name: str) -> Locator:
    """Tell the page which output to watch."""
    cell = jupyter.select(page, index)
    area = cell.locator(".jp-OutputArea").first
    area.locator(".noUi-handle").first.wait_for()
    time.sleep(0.5)
    area.evaluate("(root, [n, kind]) => window.bench.add(n, root, kind)", [name, KINDS[name]])
    return area


def move(page: Page, root: Locator, name: str) -> None:
    """Press one arrow key on the slider and wait until everything is quiet."""
    page.evaluate("(n) => { window.bench.active = n }", name)
    root.locator(".noUi-handle").first.focus()
    value = float(root.locator(".noUi-handle").first.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("ArrowLeft" if value > 1.5 else "ArrowRight")
    done = "n => window.bench.figures[n].shots.at(-1)?.done != null"
    try:
        page.wait_for_function(done, arg=name, timeout=20_000)
    except TimeoutError as error:
        raise RuntimeError(f"the picture of {name!r} did not change after a key") from error
    time.sleep(0.15)


def drag(page: Page, root: Locator, name: str) -> float:
    """Drag the handle for two seconds; return how long the picture lags at the end, in ms."""
    page.evaluate("(n) => { window.bench.active = n }", name)
    handle = root.locator(".noUi-handle").first.bounding_box()
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    end = time.monotonic() + 2
    k = 0
    while time.monotonic() < end:
        k += 1
        page.mouse.move(x + 60 * ((k % 40) - 20) / 20, y)
        time.sleep(1 / 60)
    page.mouse.up()
    time.sleep(2)
    result = page.evaluate(
        "(n) => { const f = window.bench.figures[n]; window.bench.active = null;"
        " return f.changes[f.changes.length - 1].at - f.inputs[f.inputs.length - 1] }",
        name,
    )
    page.evaluate("(n) => { window.bench.active = n }", name)
    root.locator(".noUi-handle").first.focus()
    return float(result)


def report(page: Page, names: list[str], lags: dict[str, list[float]]) -> None:
    """Print medians, and ratios to the floor and to ours."""
    rows: dict[str, dict[str, Any]] = page.evaluate(
        "() => Object.fromEntries(Object.entries(window.bench.figures).map(([n, f]) => [n, {"
        " ms: f.shots.filter(s => s.done !== null).map(s => s.done - s.start),"
        " bytes: f.changes.map(c => c.bytes), blanks: f.blanks, heights: [...f.heights]}]))"
    )
    medians = {n: statistics.median(rows[n]["ms"]) for n in names}
    ends = {n: statistics.median(lags[n]) for n in names}
    head = ["median", "p90", "/floor", "/ours", "lag", "/floor", "KB", "blank"]
    print(f"{'':10s}" + "".join(f"{h:>8s}" for h in head) + "  heights")
    for n in names:
        ms = sorted(rows[n]["ms"])
        cells = [medians[n], ms[int(0.9 * len(ms))], medians[n] / medians["floor"]]
        cells += [medians[n] / medians["ours"], ends[n], ends[n] / ends["floor"]]
        cells += [statistics.median(rows[n]["bytes"] or [0]) / 1024, rows[n]["blanks"]]
        print(f"{n:10s}" + "".join(f"{c:8.2f}" for c in cells), sorted(rows[n]["heights"]))


if __name__ == "__main__":
    main()
