"""Run a notebook from top to bottom in a fresh kernel and store what it shows.

Stored outputs are part of the course: they can be read without a kernel, hold the
reference values of the exercises, and nbval compares every later run with them. So they
must not change from run to run: no times, no addresses, no warnings, counts 1 to n.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ffcourse.author import navigation
from ffcourse.author import notebook as nb
from ffcourse.workspace import root

_WIDGET = "application/vnd.jupyter.widget-view+json"
_STATIC = {"text/html", "image/png", "image/svg+xml"}
_KEPT = ("tags", "jupyter")  # a cell's metadata that front ends act on
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}")
TIMEOUT = 300  # seconds a cell, only against hanging


class RunError(Exception):
    """A notebook did not run clean; the message names the cell and the reason."""


def run(path: Path, say: Callable[[str], None] = lambda _: None) -> bool:
    """Run one notebook and store its outputs.

    Parameters
    ----------
    path : Path
        A chapter or a solution.
    say : callable
        Told what happens.

    Returns
    -------
    bool
        True if the file changed.

    Raises
    ------
    RunError
        If a cell raises, warns, or shows a memory address. The file is then unchanged.
    """
    notebook = tidy(nb.read(path), path)
    executed = execute(notebook, path.parent)
    for number, cell in enumerate(executed["cells"], 1):
        if cell["cell_type"] == "code":
            cell["outputs"] = normalised(cell["outputs"], f"{path.name}, cell {number}")
            cell["metadata"].pop("execution", None)
    changed = nb.write(path, executed)
    if path.parent.name == "chapters":
        changed = navigation.update(path) or changed
    say(f"{path.name}: {'stored' if changed else 'as before'}")
    return changed


def tidy(notebook: nb.Notebook, path: Path) -> nb.Notebook:
    """Return the notebook with only the metadata that the course uses, and stable cell ids."""
    key = path.stem
    course = {
        **notebook["metadata"].get("ffcourse", {}),
        "schema": 1,
        "notebook": key,
        "chapter": nb.key_number(key),
    }
    course.setdefault("title", _title(notebook))
    cells: list[nb.Cell] = []
    counts: dict[str, int] = {}
    for cell in notebook["cells"]:
        if not nb.source(cell).strip():
            continue
        about = nb.about(cell)
        kept = {"ffcourse": about} if about else {}
        kept |= {name: cell["metadata"][name] for name in _KEPT if name in cell["metadata"]}
        base = _base(about, cell, key)
        counts[base] = counts.get(base, 0) + 1
        identity = base if counts[base] == 1 else f"{base}-{counts[base]}"
        cells.append(
            {**cell, "id": identity, "metadata": kept, "source": nb.source(cell).strip("\n")}
        )
    return nb.new(cells, course)


def _base(about: dict[str, Any], cell: nb.Cell, key: str) -> str:
    """Return the readable beginning of a cell's id."""
    owner = str(about.get("exercise", nb.key_number(key)))
    kind = "text" if cell["cell_type"] == "markdown" else cell["cell_type"]
    words = [owner, str(about.get("role") or kind)]
    if about.get("name"):
        words.append(str(about["name"]))
    return re.sub(r"[^a-zA-Z0-9-]+", "-", "-".join(words))[:56]


def _title(notebook: nb.Notebook) -> str:
    first = nb.source(notebook["cells"][0]) if notebook["cells"] else ""
    heading = first.lstrip().split("\n", 1)[0]
    return heading.lstrip("# ").strip() if heading.startswith("#") else ""


def execute(notebook: nb.Notebook, folder: Path, seed: int = 0) -> nb.Notebook:
    """Return a copy of the notebook with fresh outputs; nothing is written.

    Parameters
    ----------
    notebook : dict
        What to run.
    folder : Path
        The kernel's working folder.
    seed : int, default 0
        Seed of the checks' inputs; stored outputs are those of seed 0.

    Raises
    ------
    RunError
        If a cell raises or does not end.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    clean = copy.deepcopy(notebook)
    for cell in clean["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    client = NotebookClient(
        nbformat.from_dict(clean),  # type: ignore[no-untyped-call]
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],
    )
    try:
        done = client.execute(env={**kernel_environment(), "FFCOURSE_SEED": str(seed)})
    except CellExecutionError as error:
        raise RunError(_which(client.nb, str(error))) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise RunError(_which(client.nb, f"{type(error).__name__}: {error}")) from None
    result: nb.Notebook = _plain(done)
    return result


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel that makes stored outputs: one thread, fixed seeds."""
    return {
        **os.environ,
        "FFCOURSE_NBVAL": "1",
        "FFCOURSE_STATIC": "1",
        "FFCOURSE_SEED": "0",
        "FFCOURSE_ROOT": str(root()),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root()), os.environ.get("PYTHONPATH")])),
    }


def _plain(value: Any) -> Any:
    """Turn nbformat's dicts into plain ones."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _which(notebook: Any, reason: str) -> str:
    """Say which cell failed: the last one that got a count."""
    number = max(
        (n for n, cell in enumerate(notebook.cells, 1) if cell.get("execution_count")), default=0
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", reason)
    return f"cell {number} failed:\n{plain.strip()[-3000:]}"


def normalised(outputs: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    """Return outputs in the form in which they are stored.

    Raises
    ------
    RunError
        For output on stderr and for memory addresses: both differ from run to run.
    """
    kept = []
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stderr":
            raise RunError(f"{where} warns; mend the cause: {output['text'].strip()[:500]}")
        data = output.get("data", {})
        if _WIDGET in data and (
            "text/html" in data or "image/png" in data or "image/svg+xml" in data
        ):
            del data[_WIDGET]  # its model dies with the kernel; the static picture stays
        plain = str(data.get("text/plain", "")) + str(output.get("text", ""))
        if _ADDRESS.search(plain):
            raise RunError(f"{where} shows a memory address: {plain[:200]!r}; end the line with ;")
        kept.append(output)
    return kept
