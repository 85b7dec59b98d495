"""The kernel inside the walls: IPython's shell, which runs one cell after another.

It is sent cells over one socket, and answers with what they show to the judge, in JSON lines::

    {"cell": 3, "code": "…"}                     in
    {"cell": 3, "value": {…}}                    out: what `emit` shows
    {"cell": 3, "error": {"ename", "evalue", "traceback"}}
    {"cell": 3, "done": true}

What is printed or drawn does not count in grading, so it is not sent. There are no threads and
no message queue, so the shell can be made before kernels are forked, and costs each of them
nothing. With an `ipykernel` here, a submission of 15 short cells cost 158 ms of processor time
instead of 90: its start took 35, and each cell 2 to 3 more.
"""

from __future__ import annotations

import builtins
import contextlib
import getpass
import json
import os
import socket
import sys
from typing import Any, NoReturn

from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from ffcourse.grade.values import VALUE_MIME

QUIET: dict[str, Any] = {"store_history": False, "silent": True}


class Values(DisplayPublisher):
    """Sends the values that are shown to the judge, and nothing else."""

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        """Send a value."""
        if isinstance(data, dict) and VALUE_MIME in data and isinstance(self.shell, CellShell):
            self.shell.tell({"value": data[VALUE_MIME]})

    def clear_output(self, wait: bool = False) -> None:
        """Do nothing: values that were shown stay shown."""


class CellShell(InteractiveShell):
    """IPython's shell without a terminal: it tells of values and exceptions over a socket."""

    display_pub_class: Any = Type(Values)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self.line: socket.socket | None = None
        self.owner = os.getpid()
        self.cell = 0

    def tell(self, message: dict[str, Any]) -> None:
        """Send a line about the present cell; processes that a cell has forked send nothing."""
        if self.line is not None and os.getpid() == self.owner:
            text = json.dumps({"cell": self.cell, **message}, default=str)
            self.line.sendall(text.encode("utf-8", "replace") + b"\n")

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        error = {"ename": etype.__name__, "evalue": _text(evalue), "traceback": list(stb)}
        self.tell({"error": error})

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no window to show."""

    def ask_exit(self) -> NoReturn:
        """Treat ``exit()`` as what it means in a program."""
        raise SystemExit

    def run(self, number: int, code: str) -> None:
        """Run a cell and say when it is done."""
        self.cell = number
        try:
            self.run_cell(code, **QUIET)  # type: ignore[no-untyped-call]
        except BaseException as error:  # an interrupt that came between the learner's lines
            self.tell({"error": {"ename": type(error).__name__, "evalue": "", "traceback": []}})
        if os.getpid() != self.owner:
            os._exit(0)  # a process that the cell has forked is not to run the next one, too
        self.tell({"done": True})


def make_shell() -> CellShell:
    """Return the shell of this process; made before forking, it is there in every kernel.

    Tracebacks are plain: the coloured ones take a second for a deep recursion.
    """
    from ffcourse.learn import magics

    if CellShell.initialized():
        return CellShell.instance()
    os.environ["IPYTHONDIR"] = os.path.abspath(".ipython")  # here it goes when the kernels go
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.xmode = "Plain"
    config.InteractiveShell.colors = "NoColor"
    shell: CellShell = CellShell.instance(config=config)
    magics.register()
    shell.run_cell("None", **QUIET)  # type: ignore[no-untyped-call]  # a first one costs more
    return shell


def serve(line: socket.socket, key: str) -> None:
    """Run the cells that arrive on a line, until it ends."""
    shell = make_shell()
    shell.owner, shell.line = os.getpid(), line
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8", errors="replace")  # noqa: SIM115
    builtins.input = getpass.getpass = _no_input
    line.sendall(json.dumps({"hello": key}).encode() + b"\n")
    with contextlib.suppress(OSError), line.makefile("rb") as requests:
        for request in requests:
            cell = json.loads(request)
            shell.run(int(cell["cell"]), str(cell["code"]))


def _no_input(*_: Any, **__: Any) -> NoReturn:
    raise StdinNotImplementedError("input() cannot be answered while a notebook is graded.")


def _text(value: Any) -> str:
    """Return a text, even of an exception whose own text fails."""
    try:
        return str(value)
    except BaseException:
        return ""
