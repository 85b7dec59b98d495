"""Whatever a kernel shows, the judge gives a verdict: nothing raises, nothing passes by chance."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import numpy as np
import pytest

from ffcourse.grade.code import MAX_SOURCE, is_stub, parse
from ffcourse.grade.compare import alike, difference
from ffcourse.grade.judge import agree, judge
from ffcourse.grade.rules import RuleError
from ffcourse.grade.solution import Check
from ffcourse.grade.values import ValueFormatError, decode, encode, encode_value, text

KINDS = ["array", "array", "array", "scalar", "int", "bool", "str", "list", "dict", "none",
         "error", "number", "__class__", None, 5, []]  # fmt: skip
DTYPES = ["float64", "float32", "float16", "int64", "uint8", "bool", "str", "O", "i8,i8",
          "i4,,i4", "1,2", "V9", "S3", "M8[s]", "U5", "{'a'", "complex64", "", ">f8",
          "S99999999999999", "(9999999999,)f8", "9" * 30, "[('a','f8')]", None, 5]  # fmt: skip
SHAPES = [[], [0], [1], [2], [3], [6], [2, 3], [3, 2], [0, 10**30], [0, -1], [10**20], [0] * 16,
          [1] * 20, None, 5, "ab", [True], [2.0], [0, 2**62]]  # fmt: skip
NUMBERS = [0, 1, -1, 1.5, "nan", "inf", True, None, 10**30, 10**400, 1e308, "x", [], {}, 2**63]
REFERENCES = [1.0, 3, True, "b", None, [1, 2], ["a", "b"], {"a": 1.0}, np.arange(6.0).reshape(2, 3),
              np.arange(3), np.array(["a", "b"]), np.array([True, False]), np.zeros((0, 3)),
              np.float32(2.5), [np.arange(3), np.arange(2)], np.array(3.0)]  # fmt: skip
RULES: list[dict[str, Any]] = [
    {}, {}, {"rule": "exact"}, {"rule": "shape"}, {"rule": "finite"}, {"rule": "up_to_sign"},
    {"rule": "one_of", "choices": ["a", 2]}, {"rule": "at_most", "value": 3},
    {"rule": "at_least", "value": 1}, {"rule": "at_most", "value": 3, "measure": "last"},
    {"rule": "accuracy", "truth": "t", "at_least": 0.5},
    {"rule": "error", "truth": "t", "at_most": 0.5},
]  # fmt: skip


def _data(draw: random.Random, depth: int) -> Any:
    form = draw.random()
    if form < 0.5:
        return [draw.choice(NUMBERS) for _ in range(draw.choice([0, 1, 2, 3, 6]))]
    if form < 0.7:
        return [_node(draw, depth + 1) for _ in range(draw.randint(0, 3))]
    if form < 0.8:
        return {draw.choice("ab"): _node(draw, depth + 1)}
    return draw.choice(NUMBERS)


def _node(draw: random.Random, depth: int = 0) -> Any:
    if depth > 4:
        return 5
    made = {"kind": draw.choice(KINDS), "dtype": draw.choice(DTYPES),
            "shape": draw.choice(SHAPES), "data": _data(draw, depth)}  # fmt: skip
    return {key: value for key, value in made.items() if draw.random() < 0.95}


def _payload(node: Any) -> dict[str, Any]:
    head = {"schema": 1, "exercise": "90.1", "label": "x", "variant": None}
    return dict(json.loads(json.dumps({**head, **node})))


@pytest.mark.parametrize("seed", range(2))
def test_every_payload_gets_a_verdict(seed: int) -> None:
    draw = random.Random(seed)
    truth = encode(np.array([0, 1, 1]), label="t", exercise="90.1")
    for _ in range(1200):
        hostile = _payload(_node(draw))
        honest = encode(draw.choice(REFERENCES), label="x", exercise="90.1")
        wanted = encode(draw.choice(REFERENCES), label="x", exercise="90.1")
        check = Check("90.1", "x", "", [_payload(wanted)], hidden=draw.random() < 0.5,
                      rules={"x": draw.choice(RULES)}, truths={"t": truth})  # fmt: skip
        for payload in (hostile, _payload(honest)):
            verdict = judge(check, [payload])
            assert verdict.passed or verdict.message
            assert "could not be compared" not in str(verdict.message), (check, payload)
            assert isinstance(agree([payload], [wanted]), bool)
            assert text(payload)
        with contextlib.suppress(ValueFormatError):
            decode(hostile)


def test_a_comparison_that_fails_is_a_wrong_value(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check("90.1", "x", "", [_payload(encode(1.0, label="x", exercise="90.1"))])

    def fails(*_: Any) -> None:
        raise IndexError("odd")

    monkeypatch.setattr("ffcourse.grade.judge.apply_rule", fails)
    verdict = judge(check, check.reference)
    assert (verdict.outcome, verdict.points) == ("wrong", 0)
    assert "could not be compared" in str(verdict.message)


def test_a_faulty_rule_is_the_author_s_error() -> None:
    reference = [_payload(encode(1.0, label="x", exercise="90.1"))]
    with pytest.raises(RuleError, match="unknown rule"):
        judge(Check("90.1", "x", "", reference, rules={"x": {"rule": "magic"}}), reference)


def test_alike_is_difference_without_words() -> None:
    for expected in REFERENCES:
        for got in REFERENCES:
            a = decode(_payload(encode(expected, label="x", exercise="1")))
            b = decode(_payload(encode(got, label="x", exercise="1")))
            for rule in ({}, {"rule": "exact"}, {"dtype": "float64"}, {"rtol": 0.5}):
                assert alike(a, b, rule) == (difference(a, b, rule) is None), (a, b, rule)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_arrays_with_ideas_of_their_own() -> None:
    class Lying(np.ndarray):
        def ravel(self, *_: Any) -> Any:
            return self

    view = np.arange(6.0).reshape(2, 3).view(Lying)
    assert encode_value(view) == encode_value(np.arange(6.0).reshape(2, 3))
    for odd in (np.matrix([[1.0]]), np.ma.masked_array([1.0], mask=[True])):
        with pytest.raises(TypeError, match=type(odd).__name__):
            encode_value(odd)


@pytest.mark.parametrize(
    "unit", ["\n", " ", "x\n", "?\n", "%\n", "(\n", "'\n", '"""\n', "a ", "x?", "= !", "\\\n", "#"]
)
def test_no_cell_takes_long_to_look_at(unit: str) -> None:
    import time

    source = unit * (MAX_SOURCE // len(unit) - 20) + "\nx ="
    began = time.process_time()
    parse(source)
    is_stub(source, ["def f():\n    return 1"])
    assert time.process_time() - began < 20  # seconds; the patterns of old took minutes
