"""What learners really hand in by accident, and some more who mean harm."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

from tests.submissions.hostile import FAILS, WRONG
from tests.submissions.kinds import (
    CASES,
    RIGHT,
    Case,
    Notebook,
    about,
    answer_cells,
    case,
    code_cell,
    filled,
    hostile,
)

GOOD = "def scale(X, factor):\n    return X * factor\n"
ERRS = {"status": {"90.1": "error"}, "score": 9}
CRASHES = {"status": {"90.1": "crashed|timed_out|error"}, "score": 9}

# ------------------------------------------------------------ right, though it does not look it

hostile("a question to IPython at the end", GOOD + "scale?")
hostile("a question in between, two marks", "np.sum??\n" + GOOD)
hostile(
    "a line that begins with percent",
    "def scale(X, factor):\n    rest = (X * factor\n            % 1)\n"
    "    return X * factor - rest + rest",
)
hostile(
    "a line that begins with an exclamation mark",
    "def scale(X, factor):\n    assert (len(X)\n            != -1)\n    return X * factor",
)
hostile("a text that looks like commands", 'NOTE = """\n!rm -rf /\n%reset -f\n"""\n' + GOOD)
hostile("a timed cell", "%%time\n" + GOOD)
hostile("everything forgotten first", "%reset -f\n" + GOOD)
hostile("the output of a command", "there = !ls\n" + GOOD)
hostile("asyncio", "import asyncio\nasync def f():\n    return 1\nawait f()\n" + GOOD)
hostile("uses of the words of the course", "exercise = check_it = hidden = 90.1\n" + GOOD)


def _split(first: str, *rest: str) -> Notebook:
    """JupyterLab's "split cell": each part keeps the metadata."""
    notebook = filled()
    cell = answer_cells(notebook)[0]
    place = notebook["cells"].index(cell)
    parts = []
    for source in (first, *rest):
        part = copy.deepcopy(cell)
        part["source"] = source
        parts.append(part)
    notebook["cells"][place : place + 1] = parts
    return notebook


case("split between helper and answer",
     _split("def times(a, b):\n    return a * b", GOOD.replace("X * factor", "times(X, factor)")),
     status={"90.1": "error"}, says={"90.1": "move it into the answer cell"})  # fmt: skip
case("split within the function",
     _split("def scale(X, factor):\n    product = X * factor", "    return product"),
     says={"": "spread over 2 cells"})  # fmt: skip
case("helper split off behind the answer",
     _split("def scale(X, factor):\n    return times(X, factor)",
            "def times(a, b):\n    return a * b"),
     says={"": "spread over 2 cells"})  # fmt: skip
case("old answer kept above", _split("def scale(X, factor):\n    return X + factor", GOOD),
     says={"": "2 answer cells"})  # fmt: skip
case("handed-out stub pasted again below",
     _split(GOOD, "def scale(X, factor):\n    raise NotImplementedError"),
     says={"": "2 answer cells"})  # fmt: skip


def _odd_bytes(folder: Path) -> Path:
    """A name that is not UTF-8, with what a terminal would obey."""
    path = os.path.join(os.fsencode(folder), b"J\xfcrgen\x1b[2J.ipynb")
    try:
        with open(path, "wb") as file:
            file.write(RIGHT)
    except OSError:  # a system that only takes UTF-8
        path = os.fsencode(folder / "plain.ipynb")
        (folder / "plain.ipynb").write_bytes(RIGHT)
    return Path(os.fsdecode(path))


CASES.append(Case("a file name that is not UTF-8", _odd_bytes))

# --------------------------------------------------------------------- wrong, and said how

hostile("another name", "def scalee(X, factor):\n    return X * factor",
        says={"90.1": "must define `scale`; this one defines `scalee`"}, **ERRS)  # fmt: skip
hostile("a generator", "def scale(X, factor):\n    yield X * factor",
        says={"90.1": "use `return`"}, **ERRS)  # fmt: skip
hostile("a coroutine", "async def scale(X, factor):\n    return X * factor",
        says={"90.1": "Leave out `async`"}, **ERRS)  # fmt: skip
hostile("a method instead of its call", "def scale(X, factor):\n    return X.sum",
        says={"90.1": "brackets of a call"}, **ERRS)  # fmt: skip
hostile("a matrix", "def scale(X, factor):\n    return np.matrix(X) * factor",
        says={"90.1": "plain array"}, **ERRS)  # fmt: skip
hostile("a masked array",
        "def scale(X, factor):\n    return np.ma.masked_array(X * factor, mask=X > 1)",
        says={"90.1": "plain array"}, **ERRS)  # fmt: skip
hostile("rows of different lengths", "def scale(X, factor):\n    return [[1.0, 2.0], [3.0]]",
        says={"90.1": "got a list of 2"}, **FAILS)  # fmt: skip
hostile("a comma too many", "def scale(X, factor):\n    return X * factor,",
        says={"90.1": "only the shape"}, **FAILS)  # fmt: skip
hostile("a debugger", "def scale(X, factor):\n    breakpoint()\n    return X * factor",
        says={"90.1": "breakpoint()"}, **ERRS)  # fmt: skip
hostile("everything imported", "from numpy import *\ndef scale(X, factor):\n"
        "    return multiply(X, factor)", says={"90.1": "`np.multiply`"}, **ERRS)  # fmt: skip
hostile("waits for what never comes", "import asyncio\nawait asyncio.sleep(1000)\n" + GOOD,
        status={"90.1": "timed_out"}, says={"90.1": "waits"}, score=9, slow=True)  # fmt: skip

# ---------------------------------------------------------------------------------- hostile

hostile("a cell of 100,000 lines", "x\n" * 20_000 + GOOD + "x\n" * 80_000,
        says={"90.1": "50000 characters"}, **ERRS)  # fmt: skip
hostile("a cell of blank lines", "\n" * 49_000 + GOOD)
hostile("files laid on the host's disk",
        "import os\nlaid = 0\n"
        "for place in ('/run/k', '/k', '/run', '/etc', '/usr', '/var/tmp'):\n"
        "    try:\n        with open(os.path.join(place, 'x'), 'wb') as f:\n"
        "            laid += f.write(bytes(1000))\n"
        "    except OSError:\n        pass\n"
        "def scale(X, factor):\n    return X if laid else X * factor")  # fmt: skip
hostile("shared memory", "import mmap\ndef scale(X, factor):\n"
        "    m = mmap.mmap(-1, 3_000_000_000)\n    return X * factor",
        says={"90.1": "emory"}, **ERRS)  # fmt: skip
hostile("threads without end", "import threading, time\ndef scale(X, factor):\n"
        "    while True:\n        threading.Thread(target=time.sleep, args=(99,), daemon=True)"
        ".start()", status={"90.1": "error|timed_out"}, score=9)  # fmt: skip
hostile("closes every file", "import os\nos.closerange(3, 256)\n" + GOOD, **CRASHES)
hostile("becomes another program",
        "import os\ndef scale(X, factor):\n    os.execv('/bin/sleep', ['sleep', '1000'])",
        slow=True, **CRASHES)  # fmt: skip
hostile("goes on twice, right answer", "import os\nos.fork()\n" + GOOD)
hostile("stops itself", "import os, signal\ndef scale(X, factor):\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n    return X * factor",
        slow=True, **CRASHES)  # fmt: skip
hostile("an alarm clock", "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_DFL)\n"
        "def scale(X, factor):\n    signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
        "    time.sleep(0.5)\n    return X * factor", **CRASHES)  # fmt: skip
hostile("no limits to recursion", "import sys\nsys.setrecursionlimit(10**9)\n"
        "def scale(X, factor):\n    return scale(X, factor)", slow=True, **CRASHES)  # fmt: skip
hostile("another magic for the checks",
        "get_ipython().register_magic_function(lambda line, body: print('passed'), 'cell', 'check')"
        "\n" + WRONG, **FAILS)  # fmt: skip
hostile("cells that do not run", "get_ipython().run_cell = lambda *a, **k: None\n" + WRONG,
        status={"90.1": "wrong|crashed|timed_out|error"}, score=9)  # fmt: skip
hostile("modules all gone", "import sys\nsys.modules.clear()\n" + WRONG,
        status={"90.1": "wrong|crashed|timed_out|error"}, score=9)  # fmt: skip
hostile("limits of its own",
        "import resource\nfor limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):\n"
        "    resource.setrlimit(limit, (0, 0))\n" + GOOD)  # fmt: skip
BAD_DTYPES = (
    "from IPython.display import display\nimport ffcourse.learn.magics as m\n"
    "M = 'application/vnd.ffcourse.value+json'\n"
    "def bad(payloads):\n"
    "    head = {'schema': 1, 'exercise': '90.1', 'label': LABEL, 'kind': 'array'}\n"
    "    display({M: {**head, 'dtype': DTYPE, 'shape': SHAPE, 'data': []}}, raw=True)\n"
    "m.publish = bad\ndef scale(X, factor):\n    return X"
)
for number, (dtype, shape) in enumerate(
    [("'i4,,i4'", "[0]"), ("'9' * 30", "[0]"), ("'str'", "[0, 10 ** 30]"), ("'float64'", "5")]
):
    source = BAD_DTYPES.replace("LABEL", "'two rows'").replace("DTYPE", dtype)
    hostile(f"a dtype or shape that is none, {number}", source.replace("SHAPE", shape), **FAILS)


def _blank_cell_below() -> Notebook:
    """No answer cell, and a cell of blank lines under its heading, for slow patterns."""
    notebook = filled()
    notebook["cells"] = [
        code_cell("\n" * 40_000 + "x") if c is answer_cells(notebook)[0] else c
        for c in notebook["cells"]
    ]
    return notebook


def _headings() -> Notebook:
    notebook = filled()
    text = "#" + "\n" * 200_000 + "# Exercise" + " " * 200_000
    notebook["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": text})
    return notebook


def _surrogates() -> Notebook:
    """Lone surrogates wherever a text is read."""
    notebook: Notebook = json.loads(json.dumps(filled()))
    notebook["metadata"]["ffcourse"]["title"] = "\ud800"
    for cell in notebook["cells"]:
        cell["id"] = "\udfff" + str(about(cell).get("exercise"))
    answer_cells(notebook)[0]["source"] += "\n# \ud800"
    return notebook


case("blank lines for an answer", _blank_cell_below, status={"90.1": "missing|error"}, score=9)
case("headings without end", _headings)
case("halves of characters", _surrogates)
