"""Checks show values; mistakes and alternatives leave no trace."""

from __future__ import annotations

import numpy as np
import pytest

from ffcourse.grade.values import VALUE_MIME, decode
from ffcourse.learn import check_rng, emit
from tests.learn_shell import Shell, shell  # noqa: F401  (a fixture)

ANSWER = "def f(x):\n    print('noise')\n    return 2 * x\n\ndef g(x):\n    return f(x) + 1"
CHECK = "%%check 01.1\nemit('twice', f(3.0))\nemit('twice and one', g(np.ones(2)))"


@pytest.fixture
def ready(shell: Shell) -> Shell:  # noqa: F811
    shell.run("import numpy as np\nfrom ffcourse.learn import check_rng, emit")
    shell.run(ANSWER)
    return shell


def payloads(displays: list[dict]) -> list[dict]:
    return [data[VALUE_MIME] for data in displays]


def test_a_check_shows_values_and_nothing_else(ready, capsys):
    capsys.readouterr()
    first, second = payloads(ready.run(CHECK))
    assert (first["label"], first["exercise"], first["variant"]) == ("twice", "01.1", None)
    assert decode(first) == 6.0
    assert decode(second).tolist() == [3.0, 3.0]
    assert "noise" not in capsys.readouterr().out


def test_displays_and_figures_of_checked_code_are_dropped(ready):
    ready.run(
        "def f(x):\n    from IPython.display import display\n    display('hello')\n    return x"
    )
    assert len(ready.run(CHECK)) == 2


def test_an_error_is_shown_after_the_values_before_it_and_raised(ready):
    with pytest.raises(ZeroDivisionError):
        ready.run("%%check 01.1\nemit('one', 1)\n1 / 0\nemit('two', 2)")
    labels = [(p["label"], p["kind"]) for p in payloads(ready.shown)]
    assert labels == [("one", "int"), ("error", "error")]


@pytest.mark.parametrize("kind", ["mistake", "alternative"])
def test_a_variant_runs_the_checks_and_is_undone(ready, kind):
    ready.run(CHECK)
    ready.run("kept = np.zeros(3)")
    body = "# Said to the learner.\nnew = 1\nkept += 7\ndef f(x):\n    return 10 * x"
    first, second = payloads(ready.run(f"%%{kind} 01.1 ten\n{body}"))
    assert first["variant"] == f"{kind}:ten"
    assert decode(first) == 30.0
    assert decode(second).tolist() == [11.0, 11.0], "g must call the variant's f"
    space = ready.shell.user_ns
    assert space["f"](1) == 2
    assert "new" not in space
    assert space["kept"].tolist() == [0, 0, 0]


def test_a_variant_that_raises_shows_the_exception(ready):
    ready.run(CHECK)
    (shown,) = payloads(ready.run("%%mistake 01.1 typo\nraise KeyError('w')"))
    assert decode(shown).type == "KeyError"
    shown = payloads(ready.run("%%mistake 01.1 later\ndef f(x):\n    return y"))
    assert {decode(p).type for p in shown} == {"NameError"}


def test_a_variant_before_any_check_is_told_so(ready):
    with pytest.raises(ValueError, match="run the exercise's %%check cells first"):
        ready.run("%%mistake 01.9 early\nx = 1")


def test_a_check_that_is_run_twice_is_checked_once(ready):
    ready.run(CHECK)
    ready.run(CHECK)
    assert len(ready.run("%%alternative 01.1 same\npass")) == 2


def test_a_truth_is_marked(ready):
    (shown,) = payloads(ready.run("%%truth 01.1\nemit('labels', [0, 1])"))
    assert shown["variant"] == "truth"


def test_a_stub_needs_only_be_python(ready):
    assert ready.run("%%stub 01.1\ndef f(x):\n    return undefined(...)") == []
    with pytest.raises(SyntaxError):
        ready.run("%%stub 01.1\ndef f(x:")


def test_a_magic_without_its_words_says_what_to_write(ready):
    with pytest.raises(ValueError, match=r"write %%mistake NN\.k name"):
        ready.run("%%mistake 01.1\nx = 1")


def test_what_cannot_be_shown_is_an_error_that_says_so(ready):
    with pytest.raises((TypeError, ValueError), match="function"):
        ready.run("%%check 01.1\nemit('f', f)")


def test_emit_wants_a_label():
    with pytest.raises(TypeError, match="label"):
        emit("", 1)


def test_emit_outside_ipython_prints(monkeypatch, capsys):
    monkeypatch.setattr("ffcourse.learn.emitting.ipython", lambda: None)
    emit("alone", 4)
    assert capsys.readouterr().out.strip() == "alone = 4"


def test_inputs_follow_key_and_seed(monkeypatch):
    monkeypatch.delenv("FFCOURSE_SEED", raising=False)
    again = [check_rng(key).normal() for key in ("01.1", "01.1", "01.2")]
    assert again[0] == again[1] != again[2]
    monkeypatch.setenv("FFCOURSE_SEED", "7")
    assert check_rng("01.1").normal() != again[0]
    monkeypatch.setenv("FFCOURSE_SEED", "-1")
    with pytest.raises(ValueError, match="FFCOURSE_SEED"):
        check_rng("01.1")
    with pytest.raises(TypeError, match="check_rng"):
        check_rng(1)


def test_large_values_are_refused():
    with pytest.raises(ValueError, match="200000"):
        emit("big", np.zeros(300_000))
