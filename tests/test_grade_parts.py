"""Reading notebooks, looking at code, assembling, solutions and bundles, reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ffcourse.grade.assemble import assemble
from ffcourse.grade.code import (
    SyntaxFault,
    defined_names,
    forbidden_use,
    import_lines,
    is_stub,
    only_defines,
    parse,
)
from ffcourse.grade.feedback import headline, html_page, print_report
from ffcourse.grade.notebook import RejectedError, parse_notebook, read_notebook
from ffcourse.grade.report import next_hint, rejection
from ffcourse.grade.solution import (
    SolutionError,
    as_bundle,
    find_solution,
    hints_of,
    load_solution,
    read_solution,
)
from ffcourse.grade.trouble import describe
from tests.submissions.kinds import CASES, SOLUTIONS, filled

TINY = SOLUTIONS / "90_tiny.ipynb"


# --------------------------------------------------------------------------------------- code


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = ", 1), ("def f():\n  x\n y", 3), ("\n\nprint 'a'", 3), ("'open", 1), ("return 1", 1)],
)
def test_syntax_faults_name_the_line(source: str, line: int) -> None:
    fault = parse(source)
    assert isinstance(fault, SyntaxFault)
    assert fault.line == line
    assert f"line {line}" in str(fault)


@pytest.mark.parametrize(
    "source",
    [
        "%time x = 1",
        "!ls\nx = 1",
        "if 1:\n    %time\n    !ls",
        "x?",
        "await f()",
        "",
        "# only words",
    ],
)
def test_ipython_is_not_a_syntax_error(source: str) -> None:
    assert not isinstance(parse(source), SyntaxFault)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):\n    return x\nf?", ["f"]),
        ("y = (3\n  % 2)", ["y"]),
        ("y = (3\n  != 2)", ["y"]),
        ("y = (3\n  % 2)\n%time f()\nz = 1", ["y", "z"]),
        ("names = !ls\nt = %timeit -o f()", ["names", "t"]),
        ('a = """\n%time\n"""\n!ls \\\n  -l\nb = 1', ["a", "b"]),
        ("%%time\ndef g(): pass", ["g"]),
        ("a = 'it''s'  # ( why?\n?a\nb = ']'", ["a", "b"]),
    ],
)
def test_names_beside_what_only_ipython_understands(source: str, names: list[str]) -> None:
    assert defined_names(source) == names
    assert not is_stub(source) or names == ["g"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "# thinking",
        "x = ...",
        "x, y = ..., ...",
        "x: int = ...",
        'def f(x):\n    """Doc."""\n    raise NotImplementedError("01.2")',
        "def f(x):\n    pass",
        "class A:\n    def f(self):\n        raise NotImplementedError\n    x = ...",
        "import numpy as np\ndef f(x): ...",
    ],
)
def test_stubs(source: str) -> None:
    assert is_stub(source)


@pytest.mark.parametrize("source", ["x = 1", "def f(x):\n    return x", "def f(x", "f()"])
def test_no_stubs(source: str) -> None:
    assert not is_stub(source)


def test_given_stub_is_recognised_whatever_its_layout() -> None:
    stub = 'def f(x):\n    """Doc."""\n    return x - 1  # mend me'
    assert is_stub("def f(x): return (x-1)", [stub])
    assert not is_stub("def f(x): return x - 2", [stub])


@pytest.mark.parametrize(
    "source",
    [
        "nn.Linear(2, 3)",
        "from ffcourse.nn import Linear",
        "from ffcourse.nn.linear import Linear as L",
        "import ffcourse\nffcourse.nn.Linear",
        "import ffcourse.nn as k\nk.Linear",
        "getattr(nn, 'Linear')",
        "m = nn\nm.Linear",
        "from ffcourse.nn import *\nLinear(2, 3)",
        "def f():\n    return [nn.Linear(1, 1) for _ in range(3)]",
    ],
)
def test_forbidden(source: str) -> None:
    assert forbidden_use(source, ["nn.Linear"], "from ffcourse import nn") == "nn.Linear"


@pytest.mark.parametrize("source", ["nn.ReLU()", "Linear = 3", "x.Linear", "'nn.Linear'"])
def test_not_forbidden(source: str) -> None:
    assert forbidden_use(source, ["nn.Linear"], "from ffcourse import nn") is None


def test_names_and_imports() -> None:
    source = "import a\nx, (y, z) = 1, (2, 3)\ndef f(): pass\nclass C: pass\nw: int = 1"
    assert defined_names(source) == ["x", "y", "z", "f", "C", "w"]
    assert import_lines([source, "from b import c", "x ="]) == "import a\nfrom b import c"


@pytest.mark.parametrize(
    ("source", "only"),
    [
        ("def f(x):\n    return x", True),
        ("x = 3\nclass A:\n    def f(self):\n        self.n = 1", True),
        ("np.sum = 3", False),
        ("def f(x):\n    np.random.seed(0)", False),
        ("print(1)", False),
        ("def f():\n    global g\n    g = 1", False),
        ("ip = get_ipython()", False),
    ],
)
def test_only_defines(source: str, only: bool) -> None:
    assert only_defines(source) is only


# -------------------------------------------------------------------------------- the solution


def test_solution_is_read() -> None:
    solution = load_solution(TINY)
    assert list(solution.exercises) == [f"90.{k}" for k in range(1, 7)]
    first = solution.exercises["90.1"]
    assert [c.hidden for c in first.checks] == [False, True]
    assert first.max_points == 3
    assert [m.name for m in first.mistakes] == ["added", "squared", "too-many-indices"]
    assert first.mistakes[0].message == "You add the factor; multiply by it."
    assert first.answers[0].names == ["scale"]
    assert first.hints == [
        "At the shapes of scale.",
        "Write scale for one row first.",
        "It is one line.",
    ]
    assert set(solution.exercises["90.5"].checks[0].truths) == {"labels"}
    assert len(solution.exercises["90.6"].stubs) == 1
    assert solution.exercises["90.1"].mistakes[2].payloads[0]["kind"] == "error"


def test_every_stored_mistake_is_named_and_every_alternative_right() -> None:
    from ffcourse.grade.judge import judge
    from ffcourse.grade.mistakes import named_mistake, split_by_check

    for exercise in load_solution(TINY).exercises.values():
        for variant in exercise.mistakes:
            parts = split_by_check(variant.payloads, exercise.checks)
            found = named_mistake(exercise, parts)
            assert found is not None
            assert found.name == variant.name
        for variant in exercise.alternatives:
            parts = split_by_check(variant.payloads, exercise.checks)
            for number, check in enumerate(exercise.checks):
                shown = [{**p, "variant": None} for p in parts[number]]
                assert judge(check, shown).passed


def test_solution_without_outputs_is_refused(tmp_path: Path) -> None:
    data = json.loads(TINY.read_text(encoding="utf-8"))
    for cell in data["cells"]:
        cell["outputs"] = []
    path = tmp_path / "90_tiny.ipynb"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(SolutionError, match=r"no stored values.*author run"):
        load_solution(path)


def test_find_solution() -> None:
    assert find_solution("90", SOLUTIONS) == find_solution("90_tiny", SOLUTIONS) == TINY
    assert find_solution("9", SOLUTIONS) is None


def test_bundle_holds_no_secrets() -> None:
    bundle = as_bundle(TINY)
    text = json.dumps(bundle)
    solution = load_solution(TINY)
    for exercise in solution.exercises.values():
        for answer in exercise.answers:
            assert json.dumps(answer.source)[1:-1] not in text
        for check in exercise.checks:
            if check.hidden:
                for payload in (p for p in check.reference if p["kind"] == "array"):
                    assert json.dumps(payload["data"]) not in text
    read = read_solution(parse_notebook(text), TINY)
    assert read.bundle
    assert [c.label for c in read.exercises["90.1"].checks] == ["two rows"]
    assert read.exercises["90.1"].answers[0].names == ["scale"]


# ----------------------------------------------------------------------------------- assembling


def test_rejections_say_what_to_do(tmp_path: Path) -> None:
    for case in CASES:
        if case.reason and "symbolic" not in case.name and case.name != "no cells":
            path = case.make(tmp_path)
            with pytest.raises(RejectedError) as caught:
                assemble(read_notebook(path), load_solution(TINY))
            assert len(str(caught.value)) > 30


def test_answers_are_found_wherever_they_are() -> None:
    solution = load_solution(TINY)
    assembly = assemble(parse_notebook(json.dumps(filled())), solution)
    assert assembly.repairs == []
    assert {a.state for a in assembly.attempts.values()} == {"ready"}


def test_a_cell_is_used_once() -> None:
    data = filled()
    for cell in data["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    data["cells"] = [c for c in data["cells"] if "class Counter" not in c["source"]]
    assembly = assemble(parse_notebook(json.dumps(data)), load_solution(TINY))
    assert assembly.attempts["90.4"].state == "missing"
    assert assembly.attempts["90.5"].state == "ready"
    assert assembly.other_names == {}, "what was used as an answer is not elsewhere"


# -------------------------------------------------------------------------------------- reports


class Record:
    """Stands in for a cell record."""

    def __init__(self, outcome: str, **error: Any) -> None:
        self.outcome, self.error, self.detail, self.waited = outcome, error, "It ran.", False


def test_trouble_in_words() -> None:
    traceback = [
        "Traceback (most recent call last):\n",
        "  Cell In[1], line 1\n    get_ipython().run_cell_magic('check', '1', 'f()')\n",
        "  Cell In[1], line 3 in f\n    1/0\n",
        "ZeroDivisionError: division by zero\n",
    ]
    record = Record(
        "error", ename="ZeroDivisionError", evalue="division by zero", traceback=traceback
    )
    assert describe(record, {}) == (
        "Your code raised ZeroDivisionError: division by zero (in line 3: `1/0`)."
    )
    record = Record("error", ename="NameError", evalue="name 'h' is not defined")
    assert "cell 5" in describe(record, {"h": 4})
    assert "never end" in describe(Record("timed_out"), {})
    assert "Python itself ended" in describe(Record("crashed"), {})


def test_hints_go_up() -> None:
    exercise = load_solution(TINY).exercises["90.1"]
    none, some = [{"passed": False}], [{"passed": True}, {"passed": False}]
    assert str(next_hint(exercise, none, 0)).startswith("Hint 1: At the shapes")
    assert str(next_hint(exercise, some, 0)).startswith("Hint 2")
    assert str(next_hint(exercise, none, 1)).startswith("Hint 2")
    assert str(next_hint(exercise, some, 9)).startswith("Hint 3")
    assert hints_of("no hints") == []


def test_reports_are_escaped_and_readable(capsys: pytest.CaptureFixture[str]) -> None:
    report = rejection("<b>x</b>.ipynb", None, "bad <script>", "bubblewrap")
    page = html_page([report])
    assert "<script>" not in page
    assert "<b>" not in page
    assert headline(report) == "<b>x</b>.ipynb: could not be graded"
    print_report(report)
    assert "bad <script>" in capsys.readouterr().out
