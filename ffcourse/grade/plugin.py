"""Our pytest plugin for nbval: ``pytest --nbval -p ffcourse.grade.plugin``.

It makes nbval's comparison aware of tolerances: values with our MIME type are compared as
`ffcourse.grade.judge` does, numbers in text to a relative tolerance, pictures and
widgets not at all. In the grader it also supplies the kernel, sets a time limit for each
cell, and records what each cell showed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# jsonschema builds grammars for formats that no notebook uses; that takes seconds.
for _name in ("rfc3987_syntax", "isoduration", "uri_template", "webcolors", "fqdn"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]

import nbval.plugin as nbval  # noqa: E402
import pytest  # noqa: E402

from ffcourse.grade.judge import agree  # noqa: E402
from ffcourse.grade.values import VALUE_MIME  # noqa: E402

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SKIPPED = ("image/png", "image/jpeg", "image/svg+xml", "text/html")
WIDGET = "application/vnd.jupyter.widget-view+json"
_NBVAL_SKIPS = (
    "metadata", "traceback", "prompt_number", "output_type", "name", "execution_count", WIDGET,
)  # fmt: skip


@dataclass
class CellRecord:
    """What happened to one cell: outcome, exception and value payloads."""

    step: int
    outcome: str = "not_run"  # done, error, timed_out, crashed
    error: dict[str, Any] | None = None
    payloads: list[dict[str, Any]] = field(default_factory=list)
    detail: str | None = None
    waited: bool = False
    starved: bool = False
    agreed: bool | None = None


class GradingRun:
    """Registered as a plugin in the grader: supplies the kernel, collects the records.

    Parameters
    ----------
    kernel : GuardedKernel
    seconds : mapping from step number to float
        The processor seconds of each cell.
    before : mapping from step number to str
        What the kernel is to run just before a cell.
    """

    def __init__(
        self, kernel: Any, seconds: dict[int, float], default_seconds: float,
        before: dict[int, str],
    ) -> None:  # fmt: skip
        self.kernel = kernel
        self.before = before
        self.seconds = seconds
        self.default_seconds = default_seconds
        self.records: dict[int, CellRecord] = {}

    def record(self, step: int) -> CellRecord:
        """Return the record of a step, making it if need be."""
        return self.records.setdefault(step, CellRecord(step))


def pytest_configure(config: pytest.Config) -> None:
    """Tell notebooks that they run under nbval: nothing is written to progress files."""
    os.environ["FFCOURSE_NBVAL"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[Any], list[Any]]:
    """Put our notebook file in the place of nbval's."""
    collected = yield
    return [
        CourseNotebook.from_parent(parent, path=file_path)
        if type(item) is nbval.IPyNbFile
        else item
        for item in collected
    ]


class CourseNotebook(nbval.IPyNbFile):  # type: ignore[misc]
    """nbval's notebook, with our cells and, in the grader, our kernel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.skip_compare: tuple[str, ...] = (*_NBVAL_SKIPS, *SKIPPED, VALUE_MIME)
        self.run: GradingRun | None = None
        for plugin in self.config.pluginmanager.get_plugins():
            if isinstance(plugin, GradingRun):
                self.run = plugin

    def setup(self) -> None:
        """Start nbval's kernel, or take the grader's."""
        if self.run is None:
            self.config.option.nbval_current_env = True
            super().setup()
        else:
            self.kernel = self.run.kernel

    def teardown(self) -> None:
        """Stop nbval's kernel; the grader stops its own."""
        if self.run is None:
            super().teardown()

    def collect(self) -> Generator[Any, None, None]:
        """Yield our cells in the place of nbval's."""
        for item in super().collect():
            item.__class__ = CourseCell
            yield item


class CourseCell(nbval.IPyNbCell):  # type: ignore[misc]
    """nbval's cell, compared with tolerances and recorded."""

    def runtest(self) -> None:
        """Run the cell; in the grader, with a limit of its own and a record."""
        run = self.parent.run
        if run is None:
            super().runtest()
            return
        from ffcourse.grade.client import CellTimeoutError, KernelDiedError

        step = int(self.cell.metadata.get("ffcourse", {}).get("step", self.cell_num))
        record = run.record(step)
        if not run.kernel.is_alive():
            pytest.skip("an earlier cell ended the kernel")
        run.kernel.before = run.before.get(step, "")
        self.config.option.nbval_cell_timeout = run.seconds.get(step, run.default_seconds)
        try:
            super().runtest()
            record.outcome = "done"
        except CellTimeoutError as error:
            record.outcome, record.detail, record.waited = "timed_out", str(error), error.waited
            record.starved = error.starved
            record.error = {"traceback": error.traceback}
            raise
        except KernelDiedError:
            record.outcome = "crashed"
            raise
        except nbval.NbCellError:
            record.outcome = "done"
            raise
        finally:
            self._collect(record)

    def _collect(self, record: CellRecord) -> None:
        for output in self.test_outputs or []:
            data = output.get("data") or {}
            if isinstance(data.get(VALUE_MIME), dict):
                record.payloads.append(dict(data[VALUE_MIME]))
            if output.get("output_type") == "error":
                record.error = {k: output.get(k) for k in ("ename", "evalue", "traceback")}
                if record.outcome == "done":
                    record.outcome = "error"
        self.test_outputs: Any = None  # pytest keeps its items to the end; large outputs must go

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        """Compare values by the judge's tolerance, and the rest as nbval does, tolerantly."""
        role = self.cell.metadata.get("ffcourse", {}).get("role")
        ours, theirs = _values(test), _values(ref)
        if not agree(ours, theirs):
            self.comparison_traceback = [
                f"values differ: {_brief(theirs)} expected, {_brief(ours)}"
            ]
            return False
        if self.parent.run is not None and role == "check":
            return True  # only values count in a check
        return bool(super().compare_outputs(_plain(test), _plain(ref), skip_compare))

    def sanitize(self, text: Any) -> Any:
        """Make texts equal whose numbers are nearly equal."""
        text = super().sanitize(text)
        return TolerantText(text) if isinstance(text, str) else text


class TolerantText(str):
    """A text that equals another if the words are the same and the numbers nearly so."""

    __slots__ = ()
    rtol = 1e-4

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        if str.__eq__(self, other):
            return True
        if " ".join(NUMBER.sub("#", self).split()) != " ".join(NUMBER.sub("#", other).split()):
            return False
        return all(
            _near(a, b) for a, b in zip(NUMBER.findall(self), NUMBER.findall(other), strict=True)
        )

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return NotImplemented if equal is NotImplemented else not equal

    __hash__ = str.__hash__


def _near(a: str, b: str) -> bool:
    """Whether two printed numbers agree; the last printed digit may differ by one."""
    if a.lstrip("+-").isdigit() and b.lstrip("+-").isdigit():
        return int(a) == int(b)
    x, y = float(a), float(b)
    return abs(x - y) <= max(TolerantText.rtol * max(abs(x), abs(y)), 1.01 * _last_digit(a), 1e-12)


def _last_digit(number: str) -> float:
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(10.0 ** (int(exponent or 0) - decimals))


def _values(outputs: Any) -> list[dict[str, Any]]:
    found = [(o.get("data") or {}).get(VALUE_MIME) for o in outputs]
    return [dict(v) for v in found if isinstance(v, dict)]


def _plain(outputs: Any) -> list[Any]:
    """Leave out what is not compared: values, widgets and pictures with their texts."""
    left_out = (VALUE_MIME, WIDGET, *SKIPPED[:3])
    return [o for o in outputs if not any(mime in (o.get("data") or {}) for mime in left_out)]


def _brief(payloads: list[dict[str, Any]]) -> str:
    from ffcourse.grade.values import text

    return "; ".join(text(p)[:200] for p in payloads)
