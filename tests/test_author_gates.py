"""The gates notice every kind of fault: one tampered solution a fault."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from ffcourse.author import gates, leaks, seeds
from ffcourse.author import notebook as nb
from ffcourse.author.solution import load
from ffcourse.grade.values import decode
from tests.learn_shell import course  # noqa: F401  (a fixture)

SMALL = {  # the fixture has three exercises only, and no data
    "3 exercises; five to eight are wanted",
    "no exercise uses real data (data.load_…)",
    "the exercises take 17 minutes together; 45 to 75 are wanted",
}


def faults(course, change=lambda cells: None):  # noqa: F811
    place = course / "solutions" / "01_tiny.ipynb"
    notebook = json.loads(place.read_text(encoding="utf-8"))
    change({cell["id"]: cell for cell in notebook["cells"]})
    notebook["cells"] = [c for c in notebook["cells"] if not c.get("gone")]
    place.write_text(json.dumps(notebook), encoding="utf-8")
    return set(gates.exercise_faults(place)) - SMALL


def test_the_fixture_passes(course):  # noqa: F811
    assert faults(course) == set()


def about(cell):
    return cell["metadata"]["ffcourse"]


def gone(*names):
    return lambda cells: [cells[name].update(gone=True) for name in names]


def swap_outputs(cells):
    one, other = cells["01-1-mistake-forgot-bias"], cells["01-1-mistake-minus-bias"]
    other["outputs"] = copy.deepcopy(one["outputs"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (gone("01-1-mistake-forgot-bias"), "01.1: 2 mistakes"),
        (gone("01-1-alternative-loop"), "01.1: 1 alternatives"),
        (gone("01-1-check"), "01.1: no visible check"),
        (gone("01-3-prompt"), "01.3: needs one prompt cell"),
        (lambda c: about(c["01-3-prompt"]).update(kind="odd"), "unknown kind 'odd'"),
        (lambda c: about(c["01-3-prompt"]).update(kind="code"), "no exercise of kind 'bug'"),
        (lambda c: about(c["01-3-prompt"]).pop("minutes"), "lacks 'minutes'"),
        (lambda c: about(c["01-3-prompt"]).update(difficulty=4), "difficulty must be"),
        (lambda c: c["01-3-prompt"].update(source="## 01.3 X"), "three folded hints"),
        (lambda c: c["01-3-prompt"].update(source="# 01.3"), "must begin with '## 01.3"),
        (lambda c: about(c["01-2-check"]).pop("hint"), "no written hint"),
        (lambda c: about(c["01-2-check"]).update(points=0), "01.2: its checks give no points"),
        (lambda c: about(c["01-1-answer"]).update(names=["other"]), "does not define other"),
        (
            lambda c: c["01-1-mistake-minus-bias"].update(
                source="%%mistake 01.1 minus-bias\ndef neuron(X, w, b):\n    return X @ w - b"
            ),
            "'minus-bias' has no message",
        ),
        (lambda c: c["01-1-answer"].update(execution_count=None), "has the count None, not 2"),
        (lambda c: c["01-1-mistake-minus-bias"].update(outputs=[]), "no stored values"),
        (swap_outputs, "'minus-bias' is not named"),
        (
            lambda c: c["01-1-mistake-minus-bias"].update(
                outputs=c["01-1-alternative-loop"]["outputs"]
            ),
            "'minus-bias' gets full marks",
        ),
        (
            lambda c: c["01-1-alternative-loop"].update(
                outputs=c["01-1-mistake-minus-bias"]["outputs"]
            ),
            "the alternative 'loop' fails 'two rows'",
        ),
        (
            lambda c: c["01-1-check-2"].update(outputs=c["01-1-check"]["outputs"]),
            "the same values as a visible one",
        ),
        (
            lambda c: c["01-1-answer"]["source"].append("\n\nspare = 1"),
            "is not what generate makes",
        ),
    ],
)
def test_each_fault_is_named(course, change, words):  # noqa: F811
    found = faults(course, change)
    assert any(words in fault for fault in found), found


def write_chapter(course, number, *cells):  # noqa: F811
    place = course / "chapters" / f"{number}_x.ipynb"
    nb.write(place, nb.new([nb.markdown("t", "# T"), *cells], {}))
    return place


LEARN = (
    "def train(data, target, rounds):\n    v = np.zeros(data.shape[1])  # other names\n"
    "    for _ in range(rounds):\n        for row, t in zip(data, target):\n"
    "            v = v + (t - step(row @ v)) * row\n    return v"
)


@pytest.mark.parametrize(
    ("number", "cell", "leaked"),
    [
        ("01", nb.code("c", LEARN), True),
        ("00", nb.markdown("c", f"So:\n```python\n{LEARN}\n```"), True),
        ("02", nb.code("c", LEARN), False),
        ("01", nb.code("c", LEARN.replace("v + (t", "v - (t")), False),
        ("01", nb.code("c", "%matplotlib inline\n" + LEARN[LEARN.index("\n") + 1 :]), False),
    ],
)
def test_an_answer_in_an_earlier_chapter_leaks(course, number, cell, leaked):  # noqa: F811
    place = write_chapter(course, number, cell)
    found = leaks.leaks(load(course / "solutions" / "01_tiny.ipynb"), [place])
    assert [leak.name for leak in found] == (["learn"] if leaked else [])


def test_the_body_alone_leaks_too(course):  # noqa: F811
    lines = LEARN.splitlines()[1:-1]
    body = "\n".join(line[4:] for line in lines) + "\nv"
    place = write_chapter(course, "01", nb.code("c", f"data, target = X, y\n{body}"))
    found = leaks.leaks(load(course / "solutions" / "01_tiny.ipynb"), [place])
    assert [str(leak) for leak in found] == ["01.3: the answer `learn` stands in 01_x.ipynb"]


def test_what_the_exercise_hands_out_is_no_leak(course):  # noqa: F811
    solution = load(course / "solutions" / "01_tiny.ipynb")
    assert leaks.leaks(solution, []) == []


def test_other_seeds_are_tried(course):  # noqa: F811
    place = course / "solutions" / "01_tiny.ipynb"
    before = place.read_bytes()
    assert seeds.seed_faults(place, 3) == []
    assert place.read_bytes() == before


def test_a_bar_that_the_reference_misses_with_another_seed_is_a_fault(course):  # noqa: F811
    place = course / "solutions" / "01_tiny.ipynb"
    notebook = json.loads(place.read_text(encoding="utf-8"))
    check = next(c for c in notebook["cells"] if about(c).get("label") == "random rows")
    (stored,) = gates._payloads(check)
    most = float(np.abs(decode(stored)).max()) + 1e-9  # met by the stored inputs, by luck
    rule = {"rule": "at_most", "measure": "max_abs", "value": most}
    about(check)["rules"] = {"random rows": rule}
    place.write_text(json.dumps(notebook), encoding="utf-8")
    assert not list(seeds._reference_faults(place))
    found = [fault for seed in range(1, 5) for fault in seeds.seed_faults(place, seed)]
    assert any("the reference fails 'random rows'" in fault for fault in found)


def test_a_solution_that_raises_with_another_seed_is_a_fault(course):  # noqa: F811
    place = course / "solutions" / "01_tiny.ipynb"
    notebook = json.loads(place.read_text(encoding="utf-8"))
    check = next(c for c in notebook["cells"] if about(c).get("label") == "random rows")
    check["source"] = "import os\nassert os.environ['FFCOURSE_SEED'] == '0'"
    place.write_text(json.dumps(notebook), encoding="utf-8")
    (fault,) = seeds.seed_faults(place, 2)
    assert "does not run" in fault
    assert "AssertionError" in fault
