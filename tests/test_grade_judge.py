"""The judge: comparison, words, rules, labels, named mistakes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from ffcourse.grade.compare import difference
from ffcourse.grade.judge import NO_HINT, agree, judge
from ffcourse.grade.mistakes import named_mistake
from ffcourse.grade.report import overall_status
from ffcourse.grade.rules import apply_rule
from ffcourse.grade.solution import Check, Exercise, Variant
from ffcourse.grade.values import (
    ErrorValue,
    ValueFormatError,
    decode,
    encode,
    encode_value,
    error_payload,
    text,
)

A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def payload(label: str, value: Any, exercise: str = "01.1", **extra: Any) -> dict[str, Any]:
    if isinstance(value, BaseException):
        made = error_payload(value, exercise=exercise)
    else:
        made = encode(value, label=label, exercise=exercise)
    return {**json.loads(json.dumps(made)), **extra}


def a_check(reference: list[Any], **options: Any) -> Check:
    return Check("01.1", "values", "", reference, points=2, **options)


# ------------------------------------------------------------------------------------ values


@pytest.mark.parametrize(
    "value",
    [
        1,
        -(10**30),
        True,
        2.5,
        "text",
        None,
        [1, 2.0, "a"],
        {"a": A, "b": None},
        A,
        A.astype(np.float32),
        A.astype(int),
        A > 2,
        np.array(["a", "bc"]),
        np.zeros((0, 3)),
        np.array(3.0),
        np.array([np.nan, np.inf, -np.inf]),
        np.float32(0.1),
        (1, (2, 3)),
    ],
)
def test_values_survive_json(value: Any) -> None:
    back = decode(json.loads(json.dumps(encode_value(value), allow_nan=False)))
    assert difference(back, back) is None
    if isinstance(value, np.ndarray):
        assert back.shape == value.shape
        assert back.dtype == value.dtype
        np.testing.assert_array_equal(back, value)
    elif isinstance(value, (int, float, str, np.generic)):
        assert back == value


def test_float32_is_written_short() -> None:
    assert encode_value(np.array([0.1], dtype=np.float32))["data"] == [0.1]


def test_values_have_limits() -> None:
    with pytest.raises(TypeError, match="function"):
        encode_value(lambda: 1)
    with pytest.raises(TypeError, match="complex"):
        encode_value(np.array([1j]))
    with pytest.raises(ValueError, match="200000"):
        encode_value(np.zeros(200_001))
    with pytest.raises(ValueError, match="200000"):
        encode_value([np.zeros(150_000), np.zeros(150_000)])
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="deep"):
        encode_value(endless)


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {},
        {"kind": "array"},
        {"kind": "array", "dtype": "float64", "shape": [2], "data": [1.0]},
        {"kind": "array", "dtype": "O", "shape": [1], "data": [1]},
        {"kind": "array", "dtype": "i8,i8", "shape": [1], "data": [1]},
        {"kind": "array", "dtype": "int8", "shape": [1], "data": [10**9]},
        {"kind": "array", "dtype": "float64", "shape": [-1], "data": []},
        {"kind": "array", "dtype": "float64", "shape": [1], "data": ["1; drop"]},
        {"kind": "array", "dtype": "float64", "shape": [1], "data": [[1]]},
        {"kind": "scalar", "dtype": "float64", "data": "x"},
        {"kind": "int", "data": True},
        {"kind": "__class__", "data": 1},
        {"kind": "list", "data": [1]},
        {"kind": "str", "data": 1},
    ],
)
def test_malformed_payloads_are_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="emit"):
        decode(bad)


def test_text_line() -> None:
    assert text(payload("z", 0.5)) == "z = 0.5"
    assert "shape (2, 3)" in text(payload("z", A))
    assert text(payload("z", ValueError("no"))) == "error: raised ValueError: no"


# -------------------------------------------------------------------------------- comparison


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A * (1 + 1e-8)),
        (A, A.astype(np.float32)),
        (A, A.astype(int)),
        (A, A.tolist()),
        (1.0, 1),
        (3, 3.0),
        (1.0, np.array(1.0)),
        (np.array([0.0, 1.0]), np.array([1e-17, 1.0])),
        (np.array([1e-20, 2e-20]), np.array([1e-20, 2e-20])),
        (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
        (np.array([True, False]), np.array([1, 0])),
        ([1, 2], (1, 2)),
        ([1.0, "a"], [1, "a"]),
        ("b", "b"),
    ],
)
def test_same(expected: Any, got: Any) -> None:
    assert difference(expected, _through_json(got)) is None


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A * (1 + 1e-5)),
        (A, A + 1e-5),
        (A, A[0]),
        (A, A[None]),
        (1.0, np.array([1.0])),
        (3, 3.001),
        (3, 4),
        (True, False),
        (np.array([1e-20, 2e-20]), np.array([0.0, 0.0])),
        (np.array([1.0, np.nan]), np.array([1.0, 1.0])),
        (np.array([1.0, np.inf]), np.array([1.0, -np.inf])),
        ("b", "B"),
        ("b", 1),
        (None, 0),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {}),
        ([1, 2], [1, 2, 3]),
        (A.astype(np.float32), A.astype(np.float32) * np.float32(1.001)),
        (np.array([1e6, 0.5]), np.array([1e6, 0.6])),
    ],
)
def test_different(expected: Any, got: Any) -> None:
    assert difference(expected, _through_json(got)) is not None


def _through_json(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode_value(value))))


def test_exact_rule_and_dtype() -> None:
    assert difference(A, A * (1 + 1e-8), {"rule": "exact"}) is not None
    assert difference(A, A * 1.1, {"rtol": 0.2}) is None
    assert "dtype float32" in str(difference(A, A, {"dtype": "float32"}))


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (A, A.T, "transposed"),
        (A[:, :2], A[:, :2].T, "transposed"),
        (A, A.ravel(), "only the shape"),
        (A[0], A, "first axis"),
        (6.0, np.array([1.0, 2.0, 3.0]), "The sum of your values"),
        (A, -A, "sign is flipped"),
        (A[0], A[0] / 3, "3 times too small"),
        (A[0], A[0] * 3, "3 times too large"),
        (A, A * 2.5, "same factor, 2.5"),
        (A, A + 7, "same amount: 7"),
        (A[0], A[0, ::-1], "reverse order"),
        (A[0], A[0][[1, 0, 2]], "another order"),
        (A, A * 0, "zero everywhere"),
        (A, A * np.nan, "NaN"),
        (A, A + np.inf, "infinity"),
        (A, A + np.array([[0, 0, 0.001], [0, 0, 0]]), "close, but not"),
        (4.5, 9.0, "twice"),
        (4.0, 8.0, "Expected 4, got 8."),  # counts: twice may be chance
        (A, None, "`return` missing"),
        (A, "x", "the text 'x'"),
        ("Yes", "yes ", "capital letters or spaces"),
    ],
)
def test_words(expected: Any, got: Any, words: str) -> None:
    with np.errstate(all="ignore"):
        assert words in str(difference(expected, got))


def test_words_name_the_first_index() -> None:
    big = np.arange(20.0)
    other = big.copy()
    other[7] = 0.5
    assert "at index [7]: expected 7, got 0.5" in str(difference(big, other))
    assert "1 of 20 values" in str(difference(big, other))


# ------------------------------------------------------------------------------------- judge


def test_labels_must_be_as_asked() -> None:
    check = a_check([payload("a", 1.0), payload("b", 2.0)])
    right = [payload("b", 2.0), payload("a", 1.0)]
    assert judge(check, right).passed
    assert judge(check, right).points == 2
    for wrong in (
        [],
        right[:1],
        [*right, right[0]],
        [*right, payload("c", 1.0)],
        [payload("a", 1.0), payload("b", 2.5)],
        [{**p, "variant": "mistake:x"} for p in right],
        [{**p, "exercise": "01.2"} for p in right],
        [{**p, "schema": 2} for p in right],
        [*right, payload("", ValueError("late"))],
        [{**right[0], "kind": "nonsense"}, right[1]],
    ):
        result = judge(check, wrong)
        assert not result.passed
        assert result.points == 0
        assert result.message


def test_exceptions() -> None:
    check = a_check([payload("a", 1.0)])
    result = judge(check, [payload("", ZeroDivisionError("by zero"))])
    assert (result.outcome, result.message) == (
        "error",
        "Your code raised ZeroDivisionError: by zero",
    )
    result = judge(check, [payload("", NotImplementedError("01.1"))])
    assert result.outcome == "not_attempted"


def test_hidden_checks_tell_only_the_hint() -> None:
    for hint in ("Try zeros.", None):
        check = a_check([payload("a", 123.25)], hidden=True, hint=hint)
        for emitted in ([payload("a", 77.5)], [payload("", ValueError("secret 123.25"))], []):
            message = str(judge(check, emitted).message)
            assert (hint or NO_HINT) in message
            assert not any(number in message for number in ("123", "77.5", "secret"))


def test_a_claimed_number_earns_nothing() -> None:
    truth = {"labels": payload("labels", np.array([0, 1, 1, 0]))}
    rule = {"predictions": {"rule": "accuracy", "truth": "labels", "at_least": 0.75}}
    check = a_check([payload("predictions", np.array([0, 1, 1, 0]))], rules=rule, truths=truth)
    assert judge(check, [payload("predictions", np.array([0, 1, 1, 1]))]).passed
    assert not judge(check, [payload("predictions", np.array([0, 1, 0, 1]))]).passed
    assert not judge(check, [payload("predictions", 1.0)]).passed
    assert not judge(check, [payload("predictions", np.array([np.nan] * 4))]).passed


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"rule": "at_most", "value": 3}, A[0], A),
        ({"rule": "at_most", "value": 3}, 2.0, np.nan),
        ({"rule": "at_least", "value": 1}, A, A - 1),
        ({"rule": "at_most", "value": 6, "measure": "size"}, A, np.zeros(7)),
        ({"rule": "shape"}, A * 9, A.T),
        ({"rule": "finite"}, A * 9, A * np.inf),
        ({"rule": "up_to_sign"}, -A, A * 2),
        ({"rule": "one_of", "choices": ["a", 2]}, 2, "c"),
        ({"rule": "any"}, "whatever", ErrorValue("E", "")),
        ({"rule": "error", "truth": "t", "at_most": 0.1}, A + 0.1, A + 1),
        ({"rule": "error", "truth": "t", "at_most": 0.1}, A, A * np.nan),
    ],
)
def test_rules(rule: dict[str, Any], good: Any, bad: Any) -> None:
    truths = {"t": payload("t", A)}
    assert apply_rule(rule, A, good, truths) is None
    assert apply_rule(rule, A, bad, truths)


def test_unknown_rules_are_errors_of_the_author() -> None:
    with pytest.raises(ValueError, match="unknown rule"):
        apply_rule({"rule": "magic"}, 1.0, 1.0, {})
    with pytest.raises(ValueError, match="no %%truth value"):
        apply_rule({"rule": "accuracy", "truth": "x", "at_least": 1}, A, A, {})
    with pytest.raises(ValueError, match="unknown measure"):
        apply_rule({"rule": "at_most", "value": 1, "measure": "x"}, A, A, {})


# ---------------------------------------------------------------------------------- mistakes


def _exercise() -> Exercise:
    checks = [
        a_check([payload("a", 1.0), payload("b", 2.0)]),
        a_check([payload("c", 3.0)], hidden=True),
    ]
    variants = [
        Variant("minus", "Minus!", [payload("a", -1.0), payload("b", -2.0), payload("c", -3.0)]),
        Variant(
            "late", "Late!", [payload("a", 1.0), payload("", KeyError("k")), payload("c", 9.0)]
        ),
        Variant("early", "Early!", [payload("", NameError("n"))]),
        Variant("twin", "Twin", [payload("a", 5.0), payload("b", 5.0), payload("c", 5.0)]),
        Variant("other twin", "Twin", [payload("a", 5.0), payload("b", 5.0), payload("c", 5.0)]),
    ]
    return Exercise("01.1", "t", checks=checks, mistakes=variants)


def test_a_mistake_is_named_when_exactly_one_fits() -> None:
    exercise = _exercise()

    def name(first: list[Any], second: list[Any]) -> str | None:
        found = named_mistake(exercise, {0: first, 1: second})
        return found.name if found else None

    assert name([payload("a", -1.0), payload("b", -2.0)], [payload("c", -3.0)]) == "minus"
    assert name([payload("a", -1.0), payload("b", -2.0)], [payload("c", 3.0)]) is None
    late = [payload("a", 1.0), payload("", KeyError("k"))]
    assert name(late, [payload("c", 9.0)]) == "late"
    other = [payload("a", 1.0), payload("", KeyError("other"))]
    assert name(other, [payload("c", 9.0)]) is None
    early = [payload("", NameError("n"))]
    assert name(early, early) == "early"
    assert name([payload("a", 5.0), payload("b", 5.0)], [payload("c", 5.0)]) is None
    assert named_mistake(exercise, {0: late}) is None


def test_a_mistake_is_named_with_the_room_that_its_rules_leave() -> None:
    rules = {"log": {"rule": "close", "rtol": 0.01}, "price": {"rule": "at_most", "value": 5.0}}
    check = a_check([payload("log", 2.303), payload("price", 4.0)], rules=rules)
    stored = [payload("log", 0.693), payload("price", 3.0)]
    exercise = Exercise("01.1", "t", checks=[check], mistakes=[Variant("two", "Two!", stored)])

    def named(log: Any, price: Any) -> bool:
        return (
            named_mistake(exercise, {0: [payload("log", log), payload("price", price)]}) is not None
        )

    assert named(0.69, 3.0)  # wrong, and no further from the stored mistake than the rule allows
    assert named(0.693, 4.9)  # another right price
    assert not named(0.693, 5.1)
    assert not named(0.6, 3.0)
    assert not named(2.3, 3.0)
    assert not named(ValueError("v"), 3.0)
    assert not named("0.69", 3.0)


def test_agree() -> None:
    one, two = [payload("a", 1.0)], [payload("a", 2.0)]
    assert agree(one, one)
    assert not agree(one, two)
    assert not agree(one, one * 2)
    assert not agree(one, [payload("b", 1.0)])
    assert not agree(one, [{"label": "a", "kind": "?"}])


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([], "missing"),
        (["passed", "passed"], "passed"),
        (["passed", "wrong"], "wrong"),
        (["wrong", "error"], "error"),
        (["timed_out", "error"], "timed_out"),
        (["crashed", "wrong"], "crashed"),
        (["not_attempted", "not_attempted"], "not_attempted"),
        (["passed", "not_attempted"], "wrong"),
    ],
)
def test_status(outcomes: list[str], status: str) -> None:
    assert overall_status(outcomes) == status


def test_a_broken_payload_is_a_value_error() -> None:
    assert issubclass(ValueFormatError, ValueError)
