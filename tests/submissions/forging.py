"""More ways to be given points without a right answer, and to make a grader run out of memory."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from tests.submissions.hostile import FAILS, WRONG
from tests.submissions.kinds import CASES, Case, Notebook, about, case, code_cell, filled, hostile

MIME = "application/vnd.ffcourse.value+json"
TWO_ROWS = "[3., 6., 9., 12., 15., 18.]"
FORGED = (
    f"P = {{'schema': 1, 'exercise': '90.1', 'label': 'two rows', 'variant': None,\n"
    f"     'kind': 'array', 'dtype': 'float64', 'shape': [2, 3], 'data': {TWO_ROWS}}}\n"
    f"BUNDLE = {{'data': {{{MIME!r}: P}}, 'metadata': {{}}, 'transient': {{}}}}\n"
)

# ------------------------------------------------------------------ inside the kernel's machinery

hostile(
    "emitter replaced among the modules",
    "import sys, types, ffcourse.learn as l\nreal = l.emit\n"
    "fake = types.ModuleType('ffcourse.learn.emitting')\n"
    "fake.__dict__.update(sys.modules['ffcourse.learn.emitting'].__dict__)\n"
    "fake.emit = lambda label, value: real(label, np.ones((2, 3)) * 3)\n"
    "sys.modules['ffcourse.learn.emitting'] = fake\nl.emit = emit = fake.emit\n" + WRONG,
    **FAILS,
)
hostile(
    "display publisher replaced",
    "ip = get_ipython()\nold = ip.display_pub\n"
    "class Pub(type(old)):\n    def publish(self, data, metadata=None, **more):\n"
    "        for p in data.values():\n            if isinstance(p, dict):\n"
    "                p.update(passed=True, points=99, score=12)\n"
    "        super().publish(data, metadata, **more)\n"
    "old.__class__ = Pub\n" + WRONG,
    **FAILS,
)
hostile(
    "value sent on the kernel's own line",
    FORGED + "def scale(X, factor):\n    get_ipython().tell({'value': P})\n    return X + 1.0",
    **FAILS,
)
hostile(
    "says that it is done before it is",
    FORGED + "def scale(X, factor):\n"
    "    for message in ({'value': P}, {'done': True}):\n        get_ipython().tell(message)\n"
    "    return X + 1.0",
    # The visible value is no secret, so this earns what writing it down would earn.
    status={"90.1": "wrong"},
    says={"90.1": "Try a negative factor."},
)
hostile(
    "answers for the cells to come",
    FORGED + "import json\nip = get_ipython()\n"
    "def scale(X, factor):\n"
    "    for number in range(ip.cell + 1, ip.cell + 40):\n"
    "        for message in ({'value': P}, {'done': True}):\n"
    "            ip.line.sendall(json.dumps({'cell': number, **message}).encode() + b'\\n')\n"
    "    return X + 1.0",
    **FAILS,
)
hostile(
    "takes the next cells off the line and says that they are done",
    "import json, threading\nip = get_ipython()\n"
    "def read():\n"
    "    for request in ip.line.makefile('rb'):\n"
    "        number = json.loads(request)['cell']\n"
    "        ip.line.sendall(json.dumps({'cell': number, 'done': True}).encode() + b'\\n')\n"
    "threading.Thread(target=read, daemon=True).start()\n"
    "def scale(X, factor):\n    return X * factor",
    status={"90.1": "wrong|passed"},
    slow=True,
)
hostile(
    "calls the grader once more",
    FORGED + "import glob, json, os, socket\n"
    "def scale(X, factor):\n"
    "    for place in ['/run/k/s', *glob.glob('/k/*/s'), os.path.expanduser('~/../s')]:\n"
    "        s = socket.socket(socket.AF_UNIX)\n"
    "        try:\n            s.connect(place)\n"
    "            s.sendall(json.dumps({'hello': 'x'}).encode() + b'\\n')\n"
    "        except OSError:\n            pass\n"
    "    return X + 1.0",
    **FAILS,
)
hostile(
    "noise on the line, right answer",
    "import os\nip = get_ipython()\n"
    "NOISE = [b'\\xff\\x00' * 500, b'[' * 100_000, b'null', b'{\"cell\": 1e999}', b'9' * 10_000,\n"
    '         b\'{"cell": %d, "done": 1}\', b\'{"cell": %d, "error": {"ename": 3}}\',\n'
    '         b\'{"cell": %d, "value": []}\', b\'{"cell": %d, "error": 5}\', b\'\',\n'
    "         b'x' * 7_000_000, os.urandom(100_000)]\n"
    "def scale(X, factor):\n"
    "    for line in NOISE:\n"
    "        ip.line.sendall(line.replace(b'%d', str(ip.cell).encode()) + b'\\n')\n"
    "    return X * factor",
)
hostile(
    "a line without end",
    "ip = get_ipython()\n"
    "def scale(X, factor):\n"
    "    while True:\n        ip.line.sendall(b'x' * 1_000_000)",
    slow=True,
    status={"90.1": "timed_out"},
    score=9,
)
hostile(
    "goes on in a fork of the kernel, right answer",
    "import os\ndef scale(X, factor):\n    os.fork()\n    return X * factor",
)


def _without_the_first(second: str) -> Notebook:
    """The first answer is missing, so its reference stands in the kernel in its place."""
    notebook = filled(e2=second)
    gone = next(c for c in notebook["cells"] if about(c).get("role") == "answer")
    notebook["cells"].remove(gone)
    return notebook


for _how, _body in {
    "raises": "    raise ValueError(str(scale.__code__.co_consts))",
    "returns": "    return scale.__doc__",
}.items():
    case(
        f"{_how} what it sees of a reference",
        _without_the_first(f"def total(X):\n{_body}"),
        status={"90.1": "missing", "90.2": "error|wrong"},
        says={"90.2": "is not shown"},
    )
hostile(
    "value under another label, too",
    "import ffcourse.learn as l\nreal = l.emit\n"
    "def both(label, value):\n    real(label, value)\n    real('random', value)\n"
    "l.emit = emit = both\n"
    "import ffcourse.learn.emitting as e\ne.emit = both\n"
    "def scale(X, factor):\n    real('random', X * factor)\n    return X * factor",
    status={"90.1": "wrong"},
)
hostile(
    "says that nothing was written yet",
    FORGED.replace("'array'", "'error'") + "from IPython.display import display\n"
    "P.update(label='error', data={'type': 'NotImplementedError', 'message': ''})\n"
    "def scale(X, factor):\n    display({**BUNDLE['data']}, raw=True)\n    return X + 1.0",
    status={"90.1": "not_attempted|wrong"},
    score=9,
)
hostile(
    "random generators made trivial",
    "class Zeros:\n    def __getattr__(self, name):\n"
    "        return lambda *a, size=(), **k: np.zeros(size)\n"
    "np.random.default_rng = lambda *a, **k: Zeros()\n"
    "import ffcourse.learn as l, ffcourse.learn.emitting as e\n"
    "l.check_rng = e.check_rng = check_rng = lambda *a, **k: Zeros()\n"
    "def scale(X, factor):\n    return X * 0.0",
    status={"90.1": "wrong"},
    score=9,
)
hostile(
    "test rows made trivial",
    "import ffcourse.learn as l, ffcourse.learn.emitting as e\n"
    "real = e.check_rng\n"
    "class Ones:\n    def normal(self, size):\n        return np.ones(size)\n"
    "l.check_rng = e.check_rng = lambda *a: Ones()\n"
    "def classify(X):\n    return np.ones(len(X), dtype=int)",
    5,
    status={"90.5": "wrong"},
    score=9,
)
hostile(
    "knows the visible inputs",
    "def scale(X, factor):\n    import ffcourse.learn.magics as m\n"
    "    if 'two rows' in str(m.seen_checks('90.1')) and X.shape == (2, 3):\n"
    "        return np.array([[3., 6., 9.], [12., 15., 18.]])\n    return X + 1.0",
    status={"90.1": "wrong"},
    says={"90.1": "Try a negative factor."},
    score=10,
)

# ---------------------------------------------------------------------------- values that lie

hostile(
    "array that lies about itself",
    "class A(np.ndarray):\n    shape = property(lambda s: (2, 3))\n"
    "    size = property(lambda s: 6)\n    dtype = property(lambda s: np.dtype('float64'))\n"
    "    def ravel(self, *a): return self\n"
    "    def tolist(self): return ['nan', True, None, {}, [], 1e400]\n"
    "def scale(X, factor):\n    return np.zeros(6).view(A)",
    status={"90.1": "wrong|error"},
    score=9,
)
hostile(
    "an object array",
    "def scale(X, factor):\n    return (X * factor).astype(object)",
    status={"90.1": "error"},
    says={"90.1": "dtype object"},
    score=9,
)
hostile(
    "infinity and nan for labels",
    "def classify(X):\n    out = np.full(len(X), np.nan)\n    out[::2] = np.inf\n    return out",
    5,
    status={"90.5": "wrong"},
    score=9,
)
hostile(
    "every label at once",
    "def classify(X):\n    return np.stack([np.zeros(len(X), int), np.ones(len(X), int)], axis=1)",
    5,
    status={"90.5": "wrong"},
    score=9,
)
hostile(
    "a number without end",
    "parameters = 10 ** 4000\nreason = 'b'",
    3,
    status={"90.3": "wrong|error"},
    score=10,
)
hostile(
    "a text that equals everything",
    "class S(str):\n    def __eq__(s, o): return True\n    __hash__ = str.__hash__\n"
    "    def encode(s, *a): return b'c'\n    def __str__(s): return s\n"
    "class T(str):\n    def __str__(s): return S('a')\n"
    "parameters = 12\nreason = T('c')",
    3,
    status={"90.3": "wrong|error"},
    score=10,
)
hostile(
    "speaks to the teacher's terminal",
    "def scale(X, factor):\n    raise ValueError('\\x1b]52;c;cm0gLXJm\\x07\\x1b[2J\\u202e')",
    status={"90.1": "error"},
    says={"90.1": "\\x1b]52"},
    score=9,
)
hostile(
    "crashes a later part, right answer",
    "import threading, os\n"
    "def scale(X, factor):\n"
    "    threading.Timer(0.02, os._exit, [1]).start()\n    return X + 1.0",
    status={"90.1": "wrong|crashed"},
    score=9,
)

# ---------------------------------------------------------------------- whose cell is whose


def _look_alikes() -> Notebook:
    """Ids that look like ours but are others: the cell ids still tell."""
    return dict(json.loads(json.dumps(filled()).replace('"90.1"', '"\uff190.1"')))


def _swapped() -> Notebook:
    notebook = filled()
    for cell in notebook["cells"]:
        if about(cell).get("role") == "answer" and about(cell)["exercise"] in ("90.1", "90.6"):
            other = {"90.1": "90.6", "90.6": "90.1"}[about(cell)["exercise"]]
            cell["metadata"]["ffcourse"]["exercise"] = other
    return notebook


def _claims_all() -> Notebook:
    notebook = filled()
    for number in range(1, 7):
        about_it = {"exercise": f"90.{number}", "role": "check", "hidden": False, "points": 99}
        notebook["cells"].append(code_cell(f"%%check 90.{number}\nemit('x', 1)", **about_it))
    return notebook


case("ids that look alike", _look_alikes)
case("answers that claim each other's ids", _swapped,
     status={"90.1": "error"}, score=9)  # fmt: skip
case("checks that claim points", _claims_all)

# ------------------------------------------------------------------------------- in its memory


def _many_cells(folder: Path) -> Path:
    notebook = filled()
    notebook["cells"] += [code_cell("x = 1")] * 100_000
    return _written(folder, notebook)


def _attachments(folder: Path) -> Path:
    """Zeros, which a zip makes small: 15 MB of an attached picture, and an emoji beside it."""
    notebook = filled()
    picture = base64.b64encode(bytes(11_000_000)).decode()
    notebook["cells"].insert(0, {
        "cell_type": "markdown", "metadata": {}, "source": "\U0001f9e0" + "x" * 1000,
        "attachments": {"a.png": {"image/png": picture}},
    })  # fmt: skip
    return _written(folder, notebook, ascii=False)


def _many_parts(folder: Path) -> Path:
    path = folder / "parts.ipynb"
    path.write_text('{"nbformat": 4, "cells": [' + "{}," * 6_000_000 + "{}]}", encoding="utf-8")
    return path


def _written(folder: Path, data: Any, ascii: bool = True) -> Path:
    path = folder / "large.ipynb"
    path.write_text(json.dumps(data, ensure_ascii=ascii), encoding="utf-8")
    return path


def _in_a_linked_folder(folder: Path) -> Path:
    (folder / "real").mkdir()
    path = _written(folder / "real", filled())
    os.symlink(folder / "real", folder / "linked")
    return folder / "linked" / path.name


CASES += [
    Case("100,000 cells", _many_cells, reason="more than 5000"),
    Case("a large attachment, right answer", _attachments),
    Case("millions of empty cells", _many_parts, reason="parts"),
    Case("in a linked folder", _in_a_linked_folder),
]
case("metadata nested deeply, right answer",
     lambda: {**filled(), "metadata": json.loads('{"a":' * 400 + "1" + "}" * 400)})  # fmt: skip
RAW = "from IPython.display import display\nM = 'application/vnd.ffcourse.value+json'\n"
hostile(
    "large values by the hundred",
    RAW + "def scale(X, factor):\n    for i in range(300):\n"
    "        display({M: {'label': str(i), 'data': [i / 7] * 150_000}}, raw=True)\n    return X",
    slow=True,
    status={"90.1": "wrong|timed_out"},
    score=9,
)
hostile(
    "values of empty lists",
    RAW + "BOMB = {'kind': 'list', 'data': [[]] * 1_200_000}\n"
    "def scale(X, factor):\n    for i in range(5):\n"
    "        display({M: BOMB}, raw=True)\n    return X",
    status={"90.1": "wrong|timed_out"},
    score=9,
)
# A gigabyte of output: which limit it meets first, if any, depends on the machine. What must
# hold is that the other exercises are unharmed.
FLOOD = "passed|timed_out|error|crashed"
hostile(
    "long texts by the hundred, right answer",
    "from IPython.display import display\nT = 'y' * 5_000_000\nfor i in range(200):\n"
    "    display({'text/plain': T}, raw=True)\n"
    "def scale(X, factor):\n    return X * factor",
    slow=True,
    status={"90.1": FLOOD},
)
hostile(
    "one display that grows, right answer",
    "from IPython.display import display\nhs = [display(i, display_id=True) for i in range(60)]\n"
    "for h in hs:\n    h.update({'text/plain': 'z' * 4_000_000}, raw=True)\n"
    "def scale(X, factor):\n    return X * factor",
    slow=True,
    status={"90.1": FLOOD},
)
