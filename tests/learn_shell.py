"""A shell to run cells in, and a course folder of its own, for the tests of learn and author."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from ffcourse.learn import magics
from tests.conftest import ROOT

FIXTURE = ROOT / "tests" / "fixtures" / "course"


class Shell:
    """Runs cells as a notebook does and keeps what they display."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.capture = CapturingDisplayPublisher()
        shell.display_pub = self.capture

    def run(self, source: str) -> list[dict[str, Any]]:
        """Run a cell; return the data of its displays; raise what it raises."""
        self.capture.outputs.clear()
        result = self.shell.run_cell(source, store_history=True)
        result.raise_error()
        return [output["data"] for output in self.capture.outputs]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The data of the last cell's displays, also of one that raised."""
        return [output["data"] for output in self.capture.outputs]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """A fresh IPython shell with the course's magics."""
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.showtraceback = lambda *args, **kwargs: None  # errors are raised by `run`
    magics.forget()
    magics.register()
    yield Shell(made)
    made.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small course of the fixtures, with a work folder, as the project's root."""
    root = tmp_path / "course"
    shutil.copytree(FIXTURE, root)
    for name in ("chapters", "exercises"):
        (root / "work" / name).mkdir(parents=True)
        for path in (root / name).glob("*.ipynb"):
            shutil.copy(path, root / "work" / name)
    monkeypatch.setenv("FFCOURSE_ROOT", str(root))
    monkeypatch.delenv("FFCOURSE_NBVAL", raising=False)
    monkeypatch.delenv("FFCOURSE_SOLUTIONS", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return root
