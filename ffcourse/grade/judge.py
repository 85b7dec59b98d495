"""The judge: pure functions from what a kernel showed to a verdict.

The kernel is not trusted. Whatever it shows is compared with stored references, and every
metric (accuracy, error, size, ...) is computed here. A label that is missing, doubled or
unexpected fails its check; there is no third outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ffcourse.grade.compare import alike, told_of_hidden
from ffcourse.grade.rules import RuleError, apply_rule
from ffcourse.grade.solution import Check
from ffcourse.grade.values import ERROR_LABEL, ErrorValue, ValueFormatError, decode

NO_HINT = "A hidden check failed: try your code on other inputs (sizes, signs, a single row)."


@dataclass
class CheckResult:
    """The verdict on one check.

    Attributes
    ----------
    outcome : str
        passed, wrong, error, timed_out, crashed, not_attempted or missing.
    message : str or None
        None when passed; for a hidden check never a value.
    points : float
        What it earned.
    """

    label: str
    hidden: bool
    outcome: str
    message: str | None
    points: float = 0

    @property
    def passed(self) -> bool:
        """Whether the check was passed."""
        return self.outcome == "passed"


def judge(
    check: Check,
    emitted: Sequence[Mapping[str, Any]],
    reference: Sequence[Mapping[str, Any]] | None = None,
) -> CheckResult:
    """Return the verdict on the values that one check cell showed.

    Parameters
    ----------
    check : Check
        The check, with its rules, truths and stored reference.
    emitted : sequence of payloads
        What the kernel showed while the check ran.
    reference : sequence of payloads or None
        Fresh reference values in place of the stored ones.
    """
    wanted = check.reference if reference is None else reference
    raised = _error_among(emitted)
    if raised is not None:
        return _raised(check, raised)
    label_fault = _labels_fault(wanted, emitted)
    if label_fault:
        return failed(check, "wrong", label_fault)
    fault, harmless = _values_fault(check, wanted, emitted)
    if fault is None:
        return CheckResult(check.label, check.hidden, "passed", None, check.points)
    return failed(check, "wrong", fault, harmless=harmless)


def failed(
    check: Check, outcome: str, message: str, public: bool = False, harmless: str | None = None
) -> CheckResult:
    """Return a failed verdict; a hidden check's message is replaced by its written hint.

    Parameters
    ----------
    public : bool
        Whether the message holds no values, so that it may be shown for a hidden check too.
    harmless : str or None
        What may be told besides the hint; see `ffcourse.grade.patterns.without_values`.
    """
    if check.hidden and not public:
        message = " ".join(filter(None, [harmless, check.hint or NO_HINT]))
    return CheckResult(check.label, check.hidden, outcome, message)


def _error_among(emitted: Sequence[Mapping[str, Any]]) -> ErrorValue | None:
    for payload in emitted:
        if payload.get("kind") == "error" and payload.get("label") == ERROR_LABEL:
            try:
                value = decode(payload)
            except ValueFormatError:
                continue
            if isinstance(value, ErrorValue):
                return value
    return None


def _raised(check: Check, raised: ErrorValue) -> CheckResult:
    if raised.type == "NotImplementedError":
        return failed(check, "not_attempted", "Not written yet.", public=True)
    if check.hidden:
        hint = check.hint or NO_HINT
        return failed(check, "error", f"Your code raised an exception here. {hint}", public=True)
    return failed(check, "error", f"Your code raised {raised.type}: {raised.message}")


def _labels_fault(
    wanted: Sequence[Mapping[str, Any]], emitted: Sequence[Mapping[str, Any]]
) -> str | None:
    expected = Counter(str(p.get("label")) for p in wanted)
    came = Counter(str(p.get("label")) for p in emitted)
    for label, count in came.items():
        if label not in expected:
            return f"A value {label[:60]!r} was shown that this check does not ask for."
        if count > expected[label]:
            return f"The value {label!r} was shown {count} times."
    for label, count in expected.items():
        if came[label] < count:
            return f"The value {label!r} was not shown."
    for payload in emitted:
        if payload.get("variant") or payload.get("schema") != 1:
            return "A value was shown that the check itself did not show."
        theirs, ours = payload.get("exercise"), wanted[0].get("exercise") if wanted else None
        if theirs != ours:
            return "A value was shown for another exercise."
    return None


def _values_fault(
    check: Check, wanted: Sequence[Mapping[str, Any]], emitted: Sequence[Mapping[str, Any]]
) -> tuple[str | None, str | None]:
    """Return what is wrong with the values, and what may be told of it if they are hidden."""
    queues: dict[str, list[Mapping[str, Any]]] = {}
    for payload in emitted:
        queues.setdefault(str(payload.get("label")), []).append(payload)
    for reference in wanted:
        label = str(reference.get("label"))
        rule = check.rules.get(label, {})
        prefix = "" if label == check.label or len(wanted) == 1 else f"{label}: "
        try:
            got = decode(queues[label].pop(0))
        except ValueFormatError as error:
            return f"{prefix}{error}", None
        expected = decode(reference)
        fault, harmless = _fault(rule, expected, got, check.truths)
        if fault:
            return f"{prefix}{fault}", harmless
    return None, None


def _fault(
    rule: Mapping[str, Any], expected: Any, got: Any, truths: Mapping[str, Mapping[str, Any]]
) -> tuple[str | None, str | None]:
    try:
        words = apply_rule(rule, expected, got, truths)
        return words, told_of_hidden(expected, got, rule) if words else None
    except RuleError:
        raise
    except Exception as error:  # an odd value is wrong; it must not end the grading of the rest
        return f"It could not be compared with what was expected ({type(error).__name__}).", None


def agree(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> bool:
    """Whether two sequences of payloads have the same labels and (nearly) the same values.

    Two exceptions agree when their types and messages are the same.
    """
    if len(a) != len(b):
        return False
    for x, y in zip(a, b, strict=True):
        if x.get("label") != y.get("label"):
            return False
        try:
            left, right = decode(x), decode(y)
        except ValueFormatError:
            return False
        if isinstance(left, ErrorValue) and isinstance(right, ErrorValue):
            if (left.type, left.message) != (right.type, right.message):
                return False
        elif isinstance(right, ErrorValue) or not alike(left, right):
            return False
    return True
