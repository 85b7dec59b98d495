"""What went wrong while a cell ran, in words: exceptions, time-outs, crashes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FRAME = re.compile(r"Cell In\[\d+\], line (\d+)(?: in \S+)?\n\s*(.*)")
_UNDEFINED = re.compile(r"name '(\w+)' is not defined")
_NO_VALUE = re.compile(r"^A value of type (\w+) cannot be checked")
_MEANT = {
    "generator": " `yield` makes a generator: use `return`.",
    "coroutine": " Leave out `async`.",
    "builtin_function_or_method": " Are the brackets of a call missing, `f()`?",
    "function": " Are the brackets of a call missing, `f()`?",
    "method": " Are the brackets of a call missing, `f()`?",
    "type": " A class was returned: are the brackets missing that make an object of it?",
    "matrix": " Give a plain array: `np.asarray(...)`.",
    "MaskedArray": " Give a plain array: `np.asarray(...)`.",
    "set": " A set has no order: give a list.",
}

CRASHED = (
    "Python itself ended while this ran (for example by os._exit, a kill, or running out of "
    "memory), so the rest of this exercise could not be checked."
)


def describe(record: Any, elsewhere: Mapping[str, int]) -> str:
    """Return one or two sentences for a cell that did not run to its end.

    Parameters
    ----------
    record : CellRecord
    elsewhere : mapping
        Names that only ignored cells of the submission define, with the cell's position.
    """
    if record.outcome == "crashed":
        return CRASHED
    error = record.error or {}
    where = _where(error.get("traceback"))
    if record.outcome == "timed_out":
        place = f" It was in {where}." if where else ""
        kind = "It waits" if record.waited else "Does a loop never end"
        hint = " It waits for something that does not come." if record.waited else f" {kind}?"
        return f"{record.detail or 'It ran too long.'}{place}{hint}"
    name = _plain(error.get("ename"), 60)
    message = _plain(error.get("evalue"), 300)
    no_value = _NO_VALUE.match(message)
    if name == "TypeError" and no_value:
        return f"{message.rstrip('.')}.{_MEANT.get(no_value.group(1), '')}"
    words = f"Your code raised {name}: {message}" if message else f"Your code raised {name}"
    words = words.rstrip(".") + (f" (in {where})." if where else ".")
    return words + _advice(name, message, elsewhere)


def _advice(name: str, message: str, elsewhere: Mapping[str, int]) -> str:
    match = _UNDEFINED.search(message)
    if name == "NameError" and match and match.group(1) in elsewhere:
        number = elsewhere[match.group(1)] + 1
        return (
            f" `{match.group(1)}` is defined in another cell (cell {number}), but only "
            "answer cells are graded: move it into the answer cell."
        )
    if name == "StdinNotImplementedError":
        return " Answers cannot ask for input() or stop at breakpoint() while they are graded."
    if name == "ModuleNotFoundError":
        return " Only the packages of this course are there while it is graded."
    if name == "SystemExit":
        return " An answer must not call exit() or sys.exit()."
    if name == "RecursionError":
        return " A function calls itself without end."
    return ""


def _where(traceback: Any) -> str | None:
    """Return the deepest line of the learner's own code in a traceback, if it can be told."""
    if not isinstance(traceback, list):
        return None
    found: str | None = None
    for part in traceback[:2000]:
        match = _FRAME.search(str(part)[:5000])
        if match and "run_cell_magic" not in match.group(2):
            found = f"line {match.group(1)}: `{match.group(2).strip()[:80]}`"
    return found


def _plain(text: Any, longest: int) -> str:
    clean = " ".join(_ANSI.sub("", str(text or "")).split())
    return clean if len(clean) <= longest else clean[: longest - 3] + "..."
