"""Every control of every live figure in every notebook, moved through its range."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffcourse.show import testing
from tests.conftest import ROOT

WORDS = ("show.live", "instruments.")


def with_live_figures(folder: str) -> list[Path]:
    """Return the notebooks of a folder whose code makes live figures."""
    found = []
    for path in sorted((ROOT / folder).glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        if any(word in code for word in WORDS):
            found.append(path)
    return found


NOTEBOOKS = [*with_live_figures("chapters"), *with_live_figures("solutions")]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_live_figures(path):
    assert testing.sweep_notebook(path) > 0
