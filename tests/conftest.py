"""What all tests share: where things are, and that CI skips nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW_TO_GET_A_BROWSER = (
    "Chromium was not found, so this browser test was skipped: install it "
    "(Debian: apt install chromium) or run `python -m playwright install chromium`"
)


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome on this machine, or None."""
    named = os.environ.get("FFCOURSE_CHROMIUM")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return named or found or playwright_chromium()


def playwright_chromium() -> str | None:
    """Return Playwright's own Chromium if it was downloaded."""
    caches = [Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright"]
    if "LOCALAPPDATA" in os.environ:
        caches.append(Path(os.environ["LOCALAPPDATA"]) / "ms-playwright")
    for cache in caches:
        for pattern in (
            "chromium-*/*/chrome",
            "chromium-*/*/chrome.exe",
            "chromium-*/*/*/*/Chromium",
        ):
            for path in sorted(cache.glob(pattern)):
                return str(path)
    return None


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a browser; skip where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(HOW_TO_GET_A_BROWSER)
    return path


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for screenshots; outside git."""
    named = os.environ.get("FFCOURSE_ARTIFACTS")
    folder = Path(named) if named else ROOT / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failed one: what is not run there is run nowhere."""
    report = yield
    expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not expected_failure and os.environ.get("FFCOURSE_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped in CI: {report.longrepr}"
    return report
