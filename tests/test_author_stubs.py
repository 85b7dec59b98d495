"""Stubs keep what the learner needs and nothing of the answer."""

from __future__ import annotations

import ast

import pytest

from ffcourse.author.stubs import assigned, defined, make_stub
from ffcourse.grade.code import is_stub


def test_a_function_keeps_decorators_signature_and_docstring():
    answer = (
        "@cache\ndef f(x,\n      y=2):  # (N, D)\n    # the trick\n"
        '    """Return x.\n\n    More.\n    """\n    return x + y  # done\n'
    )
    assert make_stub(answer, "01.2") == (
        '@cache\ndef f(x,\n      y=2):  # (N, D)\n    """Return x.\n\n    More.\n    """\n'
        '    raise NotImplementedError("01.2")'
    )


def test_comments_before_the_code_go():
    answer = "def f(x):\n    # the trick\n    return x"
    assert make_stub(answer, "01.1") == 'def f(x):\n    raise NotImplementedError("01.1")'


def test_one_line_and_async_functions():
    assert make_stub("def f(x): return x", "01.1").endswith('raise NotImplementedError("01.1")')
    assert make_stub("async def f(x):\n    return x", "01.1").startswith("async def f(x):")


def test_a_class_keeps_its_methods_and_hides_helpers():
    answer = (
        'class Layer:\n    """A layer."""\n    size: int = 3\n    rate = 0.1\n\n'
        "    def __init__(self, n):\n        self.n = n\n\n"
        '    @property\n    def shape(self):\n        """Shape."""\n        return self.n\n\n'
        "    def _help(self):\n        return 1\n"
    )
    stub = make_stub(answer, "03.1")
    ast.parse(stub)
    assert "_help" not in stub
    assert "self.n" not in stub
    assert "size: int\n" in stub
    assert "rate = ...\n" in stub
    assert stub.count("raise NotImplementedError") == 2
    assert '@property\n    def shape(self):\n        """Shape."""' in stub


def test_literals_become_blanks():
    answer = "# why\na, (b, *c) = 1, (2, 3)\nd: int = 4\nfor k in range(3):\n    e = k\n_f = 7"
    assert make_stub(answer, "01.1") == "a = ...\nb = ...\nc = ...\nd = ...\nk = ...\ne = ..."


def test_only_the_asked_names_are_left():
    answer = "import math\nhelper = 3\ndef f(x):\n    return x\ndef g(x):\n    return f(x)"
    stub = make_stub(answer, "01.1", ["g"])
    assert stub.startswith("import math\n")
    assert "def f" not in stub
    assert "helper" not in stub


@pytest.mark.parametrize(
    "answer", ["x = 1", "def f(x):\n    return x", "class A:\n    def f(self):\n        return 1"]
)
def test_the_grader_knows_a_stub_when_it_sees_one(answer):
    assert is_stub(make_stub(answer, "01.1"))


def test_names_inside_comprehensions_and_functions_are_not_defined():
    assert defined("a = [b for b in range(3)]\ndef f():\n    c = 1\nimport os") == ["a", "f"]
    assert assigned(ast.parse("lambda x: (y := x)").body[0]) == []
