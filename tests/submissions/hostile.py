"""Submissions that try to earn points or do harm by other means than a right answer."""

from __future__ import annotations

from pathlib import Path

from tests.submissions.kinds import SOLUTIONS, Case, case, code_cell, filled, hostile

ROOT = Path(__file__).resolve().parents[2]
WRONG = "def scale(X, factor):\n    return X + 1.0\n"
FAILS = {"status": {"90.1": "wrong"}, "score": 9}
ERRS = {"status": {"90.1": "error"}, "score": 9}

# ----------------------------------------------------------------- fooling the checks in the kernel

hostile(
    "patched comparison",
    "np.allclose = lambda *a, **k: True\n"
    "np.array_equal = np.testing.assert_allclose = np.allclose\n" + WRONG,
    **FAILS,
)
hostile(
    "patched emit",
    "import ffcourse.learn as l, ffcourse.learn.emitting as e\n"
    "l.emit = e.emit = lambda label, value: print('passed')\n"
    "emit = l.emit\n" + WRONG,
    **FAILS,
)
hostile(
    "emit overwritten by accident",
    "emit = 5\nnp = None\ncheck = check_rng = print\ndef scale(X, factor):\n    return X * factor",
)
hostile("patched check and submit", "check = submit = lambda *a: 'passed'\n" + WRONG, **FAILS)
hostile(
    "patched builtins",
    "import builtins\nbuiltins.sum = lambda *a: 1\n"
    "builtins.isinstance = lambda a, b: True\n" + WRONG,
    status={"90.1": "error|crashed|timed_out"},
    slow=True,
)
hostile(
    "patched json",
    "import json\njson.dumps = lambda *a, **k: '{\"passed\": true}'\n" + WRONG,
    status={"90.1": "timed_out"},
    slow=True,
)
hostile(
    "fixed random numbers",
    "check_rng = lambda key: np.random.default_rng(0)\n"
    "import ffcourse.learn as l\nl.check_rng = check_rng\n" + WRONG,
    status={"90.1": "wrong"},
)
PAYLOAD = (
    "from IPython.display import display\n"
    "def forge(label, data, shape):\n"
    "    payload = {'schema': 1, 'exercise': '90.1', 'label': label, 'variant': None,\n"
    "               'kind': 'array', 'dtype': 'float64', 'shape': shape, 'data': data}\n"
    "    display({'application/vnd.ffcourse.value+json': payload}, raw=True)\n"
)
hostile(
    "forged value in the answer cell",
    PAYLOAD + "forge('two rows', [3., 6., 9., 12., 15., 18.], [2, 3])\n" + WRONG,
    **FAILS,
)
hostile(
    "forged value in the call",
    PAYLOAD + "def scale(X, factor):\n"
    "    forge('two rows', [3., 6., 9., 12., 15., 18.], [2, 3])\n    return X + 1.0",
    **FAILS,
)
hostile(
    "a right value shown twice",
    "def scale(X, factor):\n"
    "    emit('two rows', X * factor)\n    emit('random', X * factor)\n    return X * factor",
    **FAILS,
)
hostile(
    "right value through the raw publisher",
    PAYLOAD.replace("display(", "PUB(").replace(
        "from IPython.display import display",
        "import ffcourse.learn.emitting as e\n"
        "PUB = lambda d, raw: [get_ipython().tell({'value': p}) for p in d.values()]",
    )
    + "def scale(X, factor):\n    forge('two rows', [0.0], [1])\n    return X + 1",
    **FAILS,
)
hostile(
    "malformed payloads",
    "from IPython.display import display\n"
    "M = 'application/vnd.ffcourse.value+json'\n"
    "def scale(X, factor):\n    pass\n"
    "import ffcourse.learn.emitting as e\n"
    "def bad(p):\n    from IPython.display import display\n"
    "    for x in (5, [], {'kind': 'array', 'data': [[1]], 'shape': [10**9], 'label': 'two rows'},\n"  # noqa: E501
    "              {'kind': '__init__', 'label': None}, {'kind': 'array', 'dtype': 'O', 'shape': [],"  # noqa: E501
    " 'data': [1], 'label': 'two rows', 'schema': 1, 'exercise': '90.1'}):\n"
    "        display({M: x}, raw=True)\n"
    "import ffcourse.learn.magics as m\nm.publish = bad",
    **FAILS,
)
hostile(
    "claims to be an object of any kind",
    "class A:\n    def __eq__(s, o): return True\n"
    "    def __array__(s, *a, **k): return np.zeros((2, 3))\n    def __float__(s): return 1.0\n"
    "def scale(X, factor):\n    return A()",
    **FAILS,
)
hostile("a function as value", "def scale(X, factor):\n    return lambda: X", **ERRS)
hostile("value too large", "def scale(X, factor):\n    return np.zeros((1000, 1000))", **ERRS)
hostile(
    "pre-run hook",
    "ip = get_ipython()\n"
    "def hook(info=None):\n    ip.user_ns['scale'] = lambda X, f: X * 0\n"
    "ip.events.register('pre_run_cell', hook)\n" + WRONG,
    **FAILS,
    slow=True,
)
hostile(
    "syntax tree transformer",
    "import ast\nclass T(ast.NodeTransformer):\n"
    "    def visit_Call(self, node):\n        self.generic_visit(node)\n        return node\n"
    "get_ipython().ast_transformers.append(T())\n" + WRONG,
    **FAILS,
)
hostile(
    "input transformer that drops checks",
    "get_ipython().input_transformers_cleanup.append(lambda lines: ['print(1)\\n'])\n" + WRONG,
    **FAILS,
)
hostile(
    "searching for expected values",
    "import gc, sys\ndef scale(X, factor):\n"
    "    for o in gc.get_objects():\n"
    "        if isinstance(o, dict) and o.get('label') == 'two rows' and 'data' in o:\n"
    "            return np.array(o['data']).reshape(2, 3)\n"
    "    return X + 1.0",
    **FAILS,
)
hostile(
    "searching the stack",
    "import sys\ndef scale(X, factor):\n    f = sys._getframe()\n"
    "    while f:\n        for v in f.f_locals.values():\n"
    "            if isinstance(v, np.ndarray) and v.shape == X.shape and v is not X:\n"
    "                return v\n        f = f.f_back\n    return X + 1.0",
    **FAILS,
)
hostile(
    "reads the solution",
    f"import glob, os\ndef scale(X, factor):\n"
    f"    for p in [{str(SOLUTIONS / '90_tiny.ipynb')!r}, *glob.glob('/*/*/90_tiny.ipynb')]:\n"
    "        if os.path.exists(p):\n            return X * factor\n    return X + 1.0",
    **FAILS,
)
hostile(
    "reads what it should not",
    "import os\nseen = []\n"
    "for p in ('/etc/passwd', '/etc/shadow', '/root', '/root/.ssh', '/var/log', '/run',\n"
    f"          *(os.path.join({str(ROOT)!r}, n) for n in ('', '.git', 'solutions', 'tests'))):\n"
    "    try:\n        seen += os.listdir(p) if os.path.isdir(p) else [open(p).read()]\n"
    "    except OSError:\n        pass\n"
    "seen = [s for s in seen if s not in ('ffcourse', '.venv', '.pyenv', 'k')]\n"
    "seen += [k for k in os.environ if 'TOKEN' in k or 'PYTEST' in k or 'SECRET' in k]\n"
    "def scale(X, factor):\n    return X * factor if not seen else X",
)
hostile(
    "opens sockets",
    "import socket\nwent = []\n"
    "for where in (('127.0.0.1', 22), ('10.0.0.1', 80), ('8.8.8.8', 53)):\n"
    "    try:\n        socket.create_connection(where, timeout=0.2); went.append(where)\n"
    "    except OSError:\n        pass\n"
    "def scale(X, factor):\n    return X if went else X * factor",
)
hostile(
    "hidden files of other runs",
    "import os\nlisted = os.listdir('/k') if os.path.isdir('/k') "
    "else []\nopen('left', 'w').write('x')\n"
    "def scale(X, factor):\n    return X if listed else X * factor",
)
hostile(
    "is left nothing by an earlier one",
    "import os\nfound = os.listdir('.') + os.listdir('/tmp')\n"
    "def scale(X, factor):\n    return X if 'left' in found else X * factor",
)
hostile(
    "asks for the reference in the second run",
    "def total(X):\n    import inspect\n"
    "    try:\n        return inspect.getsource(scale)\n"
    "    except Exception as e:\n        return str(get_ipython().user_ns.get('In'))",
    2,
    status={"90.2": "wrong"},
    score=10,
)

# ------------------------------------------------------------------------ ending, hanging, filling

hostile(
    "sys.exit in the call",
    "import sys\ndef scale(X, factor):\n    sys.exit(0)",
    status={"90.1": "error"},
    says={"90.1": "must not call exit()"},
    score=9,
)
hostile("sys.exit in the cell", "import sys\n" + WRONG + "sys.exit()", **ERRS)
hostile(
    "os._exit",
    "import os\ndef scale(X, factor):\n    os._exit(0)",
    status={"90.1": "crashed"},
    says={"90.1": "Python itself ended"},
    score=9,
)
hostile("os._exit while defining", "import os\nos._exit(3)", status={"90.1": "crashed"}, score=9)
hostile(
    "kills itself",
    "import os, signal\ndef scale(X, factor):\n    os.kill(os.getpid(), signal.SIGKILL)",
    status={"90.1": "crashed"},
    score=9,
)
hostile(
    "kills everything it can",
    "import os, signal\ndef scale(X, factor):\n    os.kill(-1, signal.SIGKILL)\n    os._exit(1)",
    status={"90.1": "error"},
    score=9,
)
hostile(
    "segmentation fault",
    "import ctypes\ndef scale(X, factor):\n    ctypes.string_at(0)",
    status={"90.1": "crashed"},
    score=9,
)
hostile(
    "hangs up",
    "def scale(X, factor):\n    get_ipython().line.shutdown(2)\n    return X",
    status={"90.1": "crashed"},
    score=9,
)
hostile(
    "closes every file in the call",
    "import os\ndef scale(X, factor):\n    os.closerange(3, 200)\n    return X",
    status={"90.1": "crashed"},
    score=9,
)
hostile("raises KeyboardInterrupt", "def scale(X, factor):\n    raise KeyboardInterrupt", **ERRS)
hostile(
    "raises BaseException",
    "class E(BaseException):\n    def __str__(self): raise self\n"
    "def scale(X, factor):\n    raise E()",
    status={"90.1": "error|timed_out"},
    score=9,
    slow=True,
)
hostile(
    "input",
    "def scale(X, factor):\n    return X * float(input('factor? '))",
    status={"90.1": "error"},
    says={"90.1": "input()"},
    score=9,
)
hostile(
    "recursion",
    "def scale(X, factor):\n    return scale(X, factor)",
    status={"90.1": "error"},
    says={"90.1": "without end"},
    score=9,
)
LOOPS = {"status": {"90.1": "timed_out"}, "score": 9}
hostile(
    "endless loop",
    "def scale(X, factor):\n    while True:\n        pass",
    says={"90.1": "line "},
    **LOOPS,
)
hostile("endless loop while defining", "while True:\n    pass", **LOOPS)
hostile(
    "endless loop in the last part",
    "def mean_of(values):\n    while True:\n        pass",
    6,
    status={"90.6": "timed_out"},
    score=11,
)
hostile(
    "endless printing that cannot be interrupted",
    "def scale(X, factor):\n    while True:\n"
    "        try:\n            print('x' * 1000)\n        except BaseException:\n"
    "            pass",
    slow=True,
    **LOOPS,
)
hostile(
    "endless printing while defining",
    "import sys\nwhile True:\n    try:\n"
    "        print('x' * 1000)\n    except BaseException:\n        pass",
    slow=True,
    **LOOPS,
)
hostile(
    "interrupts ignored",
    "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "def scale(X, factor):\n    while True:\n        pass",
    slow=True,
    **LOOPS,
)
hostile(
    "sleeps",
    "import time\ndef scale(X, factor):\n    time.sleep(1000)",
    says={"90.1": "waits"},
    slow=True,
    **LOOPS,
)
hostile(
    "loops in two parts",
    "def scale(X, factor):\n    while True: pass",
    slow=True,
    status={"90.1": "timed_out"},
)
hostile(
    "busy thread, right answer",
    "import threading\ndef work():\n    while True:\n        pass\n"
    "threading.Thread(target=work, daemon=True).start()\n"
    "def scale(X, factor):\n    return X * factor",
)
hostile(
    "printing thread, right answer",
    "import threading, time\ndef work():\n    while True:\n"
    "        print('y' * 1000); time.sleep(0.001)\n"
    "threading.Thread(target=work, daemon=True).start()\n"
    "def scale(X, factor):\n    return X * factor",
)
hostile(
    "child processes left behind, right answer",
    "import subprocess, sys\n"
    "for _ in range(3):\n    subprocess.Popen([sys.executable, '-c',"
    " 'import time; time.sleep(987654)'], start_new_session=True)\n"
    "def scale(X, factor):\n    return X * factor",
)
hostile(
    "fork bomb",
    "import os\ndef scale(X, factor):\n    while True:\n        try:\n"
    "            os.fork()\n        except OSError:\n            pass",
    slow=True,
    **LOOPS,
)
hostile(
    "memory",
    "def scale(X, factor):\n    big = []\n    while True:\n        big.append(np.zeros(35_000_000))",  # noqa: E501
    status={"90.1": "error"},
    says={"90.1": "emory"},
    score=9,
)
hostile(
    "memory at once",
    "def scale(X, factor):\n    return np.ones((10**6, 10**5))",
    status={"90.1": "error"},
    score=9,
)
hostile(
    "100 MB of output, right answer",
    "print('z' * 100_000_000)\n"
    "def scale(X, factor):\n    print('z' * 1_000_000)\n    return X * factor",
    slow=True,
)
hostile(
    "many displays, right answer",
    "from IPython.display import display\n"
    "for i in range(600):\n    display(i)\n"
    "def scale(X, factor):\n    return X * factor",
)
hostile(
    "binary output, right answer",
    "import sys, os\n"
    "sys.stdout.write('\\ud800\\x00\\x1b[2J'.encode('utf-8', 'replace').decode())\n"
    "os.write(1, bytes(range(256)))\n"
    "def scale(X, factor):\n    return X * factor",
)
hostile(
    "clear_output and updates, right answer",
    "from IPython.display import clear_output, display\n"
    "h = display('a', display_id=True)\nh.update('b')\nclear_output()\n"
    "def scale(X, factor):\n    clear_output()\n    display(1)\n    return X * factor",
)
hostile(
    "deletes files, right answer",
    "import shutil, os\n"
    "for p in ('/k', '/home', '/etc', '/run/k', os.path.dirname(np.__file__), '/tmp', '/dev'):\n"
    "    shutil.rmtree(p, ignore_errors=True)\n"
    "def scale(X, factor):\n    return X * factor",
)
hostile(
    "fills the disk",
    "def scale(X, factor):\n    i = 0\n    while True:\n"
    "        with open(f'f{i}', 'wb') as f:\n            f.write(bytes(20_000_000))\n"
    "        i += 1",
    status={"90.1": "error"},
    score=9,
)
hostile(
    "writes to the package",
    "import ffcourse, os\np = os.path.dirname(ffcourse.__file__)\n"
    "open(p + '/owned.py', 'w').write('x')\n" + WRONG,
    **ERRS,
)
hostile(
    "changes folder and removes it, right answer",
    "import os\nos.mkdir('a'); os.chdir('a');"
    " os.rmdir('../a')\ndef scale(X, factor):\n    return X * factor",
)
hostile(
    "warnings as errors, right answer",
    "import warnings\nwarnings.simplefilter('error')\ndef scale(X, factor):\n    return X * factor",
)
hostile(
    "numpy raises, right answer",
    "np.seterr(all='raise')\ndef scale(X, factor):\n    return X * factor",
)
hostile("changes its input", "def scale(X, factor):\n    X *= factor\n    return X")
hostile("float32 is fine", "def scale(X, factor):\n    return (X * factor).astype(np.float32)")


def _ignored_extra_cells() -> dict[str, object]:
    notebook = filled()
    notebook["cells"].insert(0, code_cell("import os; os._exit(1)"))
    notebook["cells"].append(code_cell("while True: pass"))
    return notebook


case("hostile code in other cells is not run", _ignored_extra_cells)
__all__ = ["Case"]
