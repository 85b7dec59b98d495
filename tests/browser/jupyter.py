"""Drive a real JupyterLab in a real browser, on a course folder of the test's own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from tests.conftest import ROOT

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def make_course(folder: Path) -> Path:
    """Copy what a learner clones into a fresh folder, without anybody's ``work/``."""
    for name in ("chapters", "exercises", "solutions"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@contextlib.contextmanager
def serve(course: Path, *options: str, dark: bool = False) -> Iterator[str]:
    """Start the course's JupyterLab as a learner would; give its address.

    The server has an empty home of its own, so that nobody's settings play a part.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = (course / "lab.log").open("wb")
    command = [sys.executable, "-m", "ffcourse", "lab", "--no-browser", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--expose-app-in-browser", *options]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    server = subprocess.Popen(
        command,
        cwd=course,
        env=clean_environment(course, dark),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/api", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)
        log.close()


def clean_environment(course: Path, dark: bool) -> dict[str, str]:
    """Return an environment in which Jupyter keeps all its files in the course's folder."""
    home = course / ".home"
    theme = home / "settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    theme.parent.mkdir(parents=True, exist_ok=True)
    name = "JupyterLab Dark" if dark else "JupyterLab Light"
    theme.write_text(json.dumps({"theme": name}), encoding="utf-8")
    return {
        **os.environ,
        "FFCOURSE_ROOT": str(course),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }


def wait_for(address: str, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Return when the server answers; raise when it died or took too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once with status {server.returncode}")
        time.sleep(0.1)
    raise TimeoutError(f"no answer from {address} in {seconds} s")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and every kernel that it started."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(server.pid).children(recursive=True)
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    server.kill()
    server.wait()


@contextlib.contextmanager
def browse(chromium: str, *, dark: bool = False) -> Iterator[Page]:
    """Open a page in a headless browser with an empty profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        context = browser.new_context(
            viewport={"width": 1280, "height": 900},
            device_scale_factor=1.5,
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def open_notebook(page: Page, address: str, path: str) -> None:
    """Open a notebook in JupyterLab and wait until its kernel is ready."""
    page.goto(f"{address}/lab/tree/{path}?reset")
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell")
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp?.shell.currentWidget;
            return panel?.sessionContext?.session?.kernel?.status === 'idle';
        }"""
    )


def execute(page: Page, command: str) -> None:
    """Run a command of JupyterLab by its name."""
    page.evaluate("(name) => window.jupyterapp.commands.execute(name)", command)


def run_all(page: Page, seconds: float = 120) -> None:
    """Run all cells and wait until the last one is done."""
    execute(page, "notebook:run-all-cells")
    wait_until_idle(page, seconds)


def wait_until_idle(page: Page, seconds: float = 120) -> None:
    """Wait until no cell of the current notebook runs or waits."""
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp.shell.currentWidget;
            const cells = panel.content.widgets.filter(c => c.model.type === 'code');
            const busy = cells.some(c => c.model.executionState === 'running'
                                      || c.promptNode?.textContent?.includes('*'));
            return !busy && panel.sessionContext.session.kernel.status === 'idle';
        }""",
        timeout=seconds * 1000,
    )


def errors_in(page: Page) -> list[str]:
    """Return the errors in the current notebook, from its model, also those off screen."""
    return page.evaluate(
        """() => {
            const found = [];
            for (const cell of window.jupyterapp.shell.currentWidget.content.widgets) {
                const outputs = cell.model.type === 'code' ? cell.model.sharedModel.outputs : [];
                for (const output of outputs)
                    if (output.output_type === 'error')
                        found.push(`${output.ename}: ${output.evalue}`);
            }
            return found;
        }"""
    )


def cell_with(page: Page, text: str) -> int:
    """Return the number of the first code cell whose source contains a text."""
    index = page.evaluate(
        """(text) => window.jupyterapp.shell.currentWidget.content.widgets.findIndex(
            c => c.model.type === 'code' && c.model.sharedModel.getSource().includes(text))""",
        text,
    )
    assert index >= 0, f"no code cell contains {text!r}"
    return int(index)


def select(page: Page, index: int) -> Locator:
    """Make a cell the active one, bring it on screen, and return it."""
    page.evaluate(
        """async (index) => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = index;
            await notebook.scrollToItem(index, 'center');
        }""",
        index,
    )
    cell = page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')
    cell.wait_for()
    return cell


def type_into(page: Page, index: int, source: str) -> None:
    """Replace what stands in a cell by typing, as a person at the keyboard would."""
    cell = select(page, index)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(source)


def run_cell(page: Page, index: int, seconds: float = 60) -> Locator:
    """Run one cell, wait for the end, and return it."""
    cell = select(page, index)
    execute(page, "notebook:run-cell")
    wait_until_idle(page, seconds)
    return cell
