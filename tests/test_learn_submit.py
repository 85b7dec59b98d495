"""Check and submit: another process judges, the learner reads; what passed is exported."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ffcourse.learn import checking, command, history, judgement, locate, mine, report, store
from tests.learn_shell import Shell, course, shell  # noqa: F401  (fixtures)

RIGHT = "def neuron(X, w, b):\n    return X @ w + b"
NO_BIAS = "def neuron(X, w, b):\n    return X @ w"


@pytest.fixture
def ready(shell: Shell, course) -> Shell:  # noqa: F811
    shell.run("import numpy as np\nfrom ffcourse.learn import check, submit")
    return shell


def fill(course, answers):  # noqa: F811
    """Write answers into the learner's copy, by cell id."""
    place = course / "work" / "exercises" / "01_tiny.ipynb"
    notebook = json.loads(place.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    place.write_text(json.dumps(notebook), encoding="utf-8")
    return place


def test_check_tells_right_wrong_error_and_not_attempted(ready):
    ready.run(RIGHT)
    (shown,) = ready.run("check('01.1')")
    assert shown["text/plain"].startswith("✔ 01.1 One neuron · right")
    assert store.load()["exercises"]["01.1"]["visible"] == "passed"
    ready.run(NO_BIAS)
    (shown,) = ready.run("check('01.1')")
    assert "✘ two rows: Expected [0.5, 4.5], got [-1.5, 2.5]" in shown["text/plain"]
    assert "the bias is missing" in shown["text/html"]
    ready.run("def neuron(X, w, b):\n    raise NotImplementedError('01.1')")
    (shown,) = ready.run("check('01.1')")
    assert shown["text/plain"].startswith("○ 01.1 One neuron · not attempted")


def test_check_of_what_cannot_be_checked_says_why(ready):
    for exercise, words in [("01.9", "no exercise 01.9"), ("01.2", "no visible checks")]:
        (shown,) = ready.run(f"check({exercise!r})")
        assert words in shown["text/plain"]


def test_no_expected_value_enters_the_kernel(course, monkeypatch):  # noqa: F811
    """What the judge sends before it has the values is source code only."""
    sent = []
    ask = judgement._ask
    monkeypatch.setattr(
        judgement, "_ask", lambda child, request: sent.append(ask(child, request)) or sent[-1]
    )
    judgement.visible_verdict("01.1", lambda bodies: [[] for _ in bodies], None)
    assert set(sent[0]) == {"checks"}
    assert all(set(check) == {"label", "source"} for check in sent[0]["checks"])


def test_a_judge_that_does_not_answer_is_told(monkeypatch, course):  # noqa: F811
    def silent():
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", ""], stdin=pipe, stdout=pipe, text=True)

    monkeypatch.setattr(judgement, "_child", silent)
    with pytest.raises(judgement.JudgeError, match="did not answer"):
        judgement.visible_verdict("01.1", lambda bodies: [], None)


def test_where_an_error_was_raised_is_found_in_the_learners_cell():
    source = "def f(x):\n    return x / 0\n"
    space: dict = {}
    exec(compile(source, "/tmp/ipykernel_1/2.py", "exec"), space)
    with pytest.raises(ZeroDivisionError) as raised:
        space["f"](1)
    assert "line 2" in checking.where(raised.value)
    assert checking.where(None) == ""
    assert checking.where(NotImplementedError()) == ""


def test_names_of_cells_that_were_not_run_are_told_once(monkeypatch):
    def error(source, file="<check>"):
        with pytest.raises(NameError) as raised:
            exec(compile(source, file, "exec"), {})
        return raised.value

    told = checking.not_run([error("X_rows"), None, error("gain"), error("gain")])
    assert told.startswith("Not yet defined in this notebook: `X_rows`, `gain`. Run the cells")
    typo = error("X_row", "/tmp/ipykernel_1/2.py")  # in the learner's own cell: where() tells that
    assert checking.not_run([typo, NameError("by hand"), ValueError()]) == ""
    record = SimpleNamespace(error=error("X_rows"), payloads=[])
    monkeypatch.setattr(checking, "run_checks", lambda exercise, bodies: record)
    checking._run("01.1", ["body", "body"])
    assert checking._wheres == [checking.not_run([record.error])]


def test_the_notebook_is_found(course, monkeypatch):  # noqa: F811
    place = course / "work" / "exercises" / "01_tiny.ipynb"
    monkeypatch.setattr(history, "_kept", history.History())
    assert locate.notebook_path("01") == place
    assert locate.notebook_path("01.2") == place
    assert locate.notebook_path(str(place)) == place
    monkeypatch.setenv("JPY_SESSION_NAME", "exercises/01_tiny.ipynb")
    assert locate.notebook_path() == place
    monkeypatch.setenv("JPY_SESSION_NAME", str(place))
    assert locate.notebook_path() == place
    monkeypatch.delenv("JPY_SESSION_NAME")
    with pytest.raises(LookupError, match=r'submit\("01"\)'):
        locate.notebook_path()
    history.kept().note(SimpleNamespace(cell_id="01-2-answer", raw_cell="x = 1"))
    assert locate.notebook_path() == place
    with pytest.raises(LookupError, match="no exercise notebook"):
        locate.notebook_path("77")


def cells(source):
    about = {"ffcourse": {"exercise": "01.1", "role": "answer"}}
    return [{"cell_type": "code", "id": "01-1-answer", "metadata": about, "source": source}]


def test_unsaved_answers_are_noticed(monkeypatch):
    kept = history.History()
    monkeypatch.setattr(history, "_kept", kept)
    assert locate.unsaved(cells("x = 1")) == []
    kept.note(SimpleNamespace(cell_id="01-1-answer", raw_cell="x = 1  # the same"))
    assert locate.unsaved(cells("x = 1")) == []
    kept.note(SimpleNamespace(cell_id="01-1-answer", raw_cell="x = 2"))
    assert locate.unsaved(cells("x = 1")) == ["01.1"]
    assert locate.unsaved(cells(["x =", " 2"])) == []


def test_unsaved_answers_are_noticed_without_cell_ids(monkeypatch):
    kept = history.History()
    monkeypatch.setattr(history, "_kept", kept)
    kept.note(SimpleNamespace(cell_id=None, raw_cell="def f(x):\n    return 1"))
    kept.note(SimpleNamespace(cell_id=None, raw_cell="other = 2"))
    assert locate.unsaved(cells("def f(x):\n    return 0")) == ["01.1"]
    assert locate.unsaved(cells("def f(x):\n    return 1")) == []
    assert locate.unsaved(cells("def (broken")) == []


@pytest.mark.slow
def test_submit_grades_the_file_and_exports_what_passed(ready, course, monkeypatch):  # noqa: F811
    monkeypatch.setattr(history, "_kept", history.History())
    fill(course, {"01-1-answer": RIGHT, "01-2-answer": "crossing = 3\nwhy = 'A'"})
    shown = ready.run("submit('01')")[-1]["text/plain"]
    assert "01_tiny: 3 of 7 points" in shown
    assert "The size is right, the sign is not." in shown
    assert "Try next: 01.2" in shown
    kept = store.load()["exercises"]
    assert [kept[f"01.{k}"]["status"] for k in (1, 2, 3)] == ["passed", "wrong", "not_attempted"]
    assert kept["01.2"]["tries"] == 1
    assert mine.own("01.1", "neuron", None) is not None
    assert mine.own("01.1", "nothing", "otherwise") == "otherwise"
    assert mine.own("01.2", "neuron", "otherwise") == "otherwise"  # it has not passed


def test_submit_under_test_does_nothing(ready, monkeypatch):
    monkeypatch.setenv("FFCOURSE_NBVAL", "1")
    (shown,) = ready.run("submit()")
    assert shown["text/plain"] == "submit"
    (shown,) = ready.run("check('01.1')")
    assert shown["text/plain"] == "check 01.1"


def test_submit_of_an_unknown_notebook_says_what_to_write(ready, monkeypatch):
    monkeypatch.setattr(history, "_kept", history.History())
    shown = ready.run("submit()")[-1]
    assert 'submit("01")' in shown["text/plain"]


RESULT = {
    "status": "graded",
    "notebook": "01_tiny",
    "score": 1.5,
    "max_score": 4,
    "repairs": ["The answer of 01.1 was there twice."],
    "exercises": [
        {
            "id": "01.1",
            "title": "A < B?",
            "points": 1.5,
            "max_points": 2,
            "status": "wrong",
            "checks": [
                {"label": "a", "hidden": False, "passed": True, "message": None},
                {"label": "b", "hidden": True, "passed": False, "message": "Try D = 1."},
                {"label": "c", "hidden": True, "passed": False, "message": "Try D = 1."},
            ],
            "feedback": "b (hidden check): Try D = 1.\nYou forgot `b`.\nHint 2: Add <it>.",
        },
        {"id": "01.2", "points": 0, "max_points": 2, "status": "missing", "checks": []},
    ],
}


def test_a_report_says_everything_once():
    text = report.submission_text(RESULT, ["Save first."])
    assert text.splitlines() == [
        "⚠ Save first.",
        "⚠ The answer of 01.1 was there twice.",
        "01_tiny: 1.5 of 4 points",
        "✘ 01.1 A < B? · not right yet (1.5 of 2 points)",
        "    ✔ a: right",
        "    ✘ b (hidden): Try D = 1.",
        "    ✘ c (hidden): not yet",
        "    You forgot `b`.",
        "    Hint 2: Add <it>.",
        "∅ 01.2 · answer cell missing (0 of 2 points)",
        "Try next: 01.1. Its hints are folded under the task.",
    ]


def test_a_report_is_safe_html_with_the_hint_folded():
    page = report.submission_html(RESULT, [])
    assert "A &lt; B?" in page
    assert "<details><summary>Hint 2</summary><p>Add &lt;it&gt;.</p></details>" in page
    assert "<details open>" in page


def test_what_next_goes_from_wrong_to_missing_to_new():
    def advice(*statuses):
        exercises = [{"id": f"01.{k}", "status": s} for k, s in enumerate(statuses, 1)]
        return report.what_next({"status": "graded", "exercises": exercises})

    assert "01.2" in advice("missing", "error", "not_attempted")
    assert "ffcourse reset 01.2" in advice("passed", "missing")
    assert "01.2, not begun" in advice("passed", "not_attempted")
    assert "All right" in advice("passed", "passed")
    assert report.what_next({"status": "rejected", "exercises": []}) == ""


def test_a_rejected_notebook_gives_its_reason():
    result = {"status": "rejected", "reason": "The file is empty.", "exercises": []}
    assert "The file is empty." in report.submission_text(result, [])
    assert "The file is empty." in report.submission_html(result, [])


def test_exports_keep_what_other_notebooks_gave(course):  # noqa: F811
    place = fill(course, {"01-1-answer": f"# mine\n@staticmethod\n{RIGHT}\nprint('plot')\n"})
    assert mine.export(place, ["01.1"])
    assert mine.export(place, ["01.3"])
    text = mine.place().read_text(encoding="utf-8")
    assert text.count("# --- 01.1 ---") == 1
    assert "@staticmethod" in text
    assert "print" not in text
    assert "# --- 01.3 ---" in text
    compile(text, "mine.py", "exec")


def test_a_broken_export_falls_back(course):  # noqa: F811
    mine.place().write_text("\n\n# --- 01.1 ---\nraise SystemError\n", encoding="utf-8")
    assert mine.own("01.1", "neuron", 3) == 3


def test_own_takes_the_version_of_the_exercise_asked_for(course):  # noqa: F811
    parts = {"01.1": "helper = 1\ndef f(): return helper", "01.3": "def f(): return 10 * helper"}
    parts["02.1"] = "def f(): return 'another notebook'"
    text = "".join(f"\n\n# --- {key} ---\n{part}\n" for key, part in parts.items())
    mine.place().write_text(text, encoding="utf-8")
    assert [mine.own(key, "f", None)() for key in parts] == [1, 10, "another notebook"]


def test_the_command_grades_one_exercise_or_all(course, capsys, monkeypatch):  # noqa: F811
    monkeypatch.setattr(command.submitting, "grade", lambda place: RESULT)
    assert command.main(["check", "01.1"]) == 0
    assert capsys.readouterr().out.startswith("✘ 01.1 A < B? · not right yet (1.5 of 2 points)")
    assert command.main(["check", "01"]) == 0
    assert "01_tiny: 1.5 of 4 points" in capsys.readouterr().out
    assert command.main(["check", "01.7"]) == 2
    assert "there are 01.1, 01.2" in capsys.readouterr().err


def test_the_command_tells_wrong_calls(course, capsys):  # noqa: F811
    assert command.main(["check", "88"]) == 2
    assert "no exercise notebook" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["check"])
