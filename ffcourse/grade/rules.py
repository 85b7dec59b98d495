"""The rules that a check can declare for a label, besides plain equality.

Each takes raw material (predictions, weights, curves), never a number the kernel claims.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ffcourse.grade.compare import alike, as_numbers, difference
from ffcourse.grade.values import ErrorValue, decode
from ffcourse.grade.words import noun, show

Truths = Mapping[str, Mapping[str, Any]]


class RuleError(ValueError):
    """A rule in the solution cannot be used: its author's mistake, not the learner's."""


MEASURES: dict[str, Callable[[np.ndarray], float]] = {
    "value": lambda a: float(a.max(initial=-np.inf)),
    "size": lambda a: float(a.size),
    "nonzero": lambda a: float(np.count_nonzero(a)),
    "mean": lambda a: float(a.mean()),
    "mean_square": lambda a: float((a**2).mean()),
    "max_abs": lambda a: float(np.abs(a).max(initial=0)),
    "norm": lambda a: float(np.sqrt((a**2).sum())),
    "last": lambda a: float(a.ravel()[-1]),
}


def apply_rule(rule: Mapping[str, Any], expected: Any, got: Any, truths: Truths) -> str | None:
    """Return None when a value meets its rule, else a sentence that tells why not.

    Parameters
    ----------
    rule : mapping
        ``rule``: close (default), exact, accuracy, error, at_most, at_least, shape, finite,
        up_to_sign, one_of or any, with that rule's own settings.
    expected, got : decoded values
        The reference's value and the learner's.
    truths : mapping
        Payloads of what only the judge knows, by label.

    Raises
    ------
    RuleError
        When the solution names an unknown rule or truth.
    """
    name = str(rule.get("rule", "close"))
    if name in ("close", "exact"):
        return difference(expected, got, rule)
    if isinstance(got, ErrorValue):
        return f"Your code raised {got}."
    if name == "any":
        return None
    if name == "one_of":
        return _one_of(rule, got)
    if name not in _NUMERIC_RULES:
        raise RuleError(f"unknown rule {name!r}; known: {sorted(_NUMERIC_RULES)}")
    numbers = as_numbers(got)
    if numbers is None:
        return f"Expected numbers, got {noun(got)}."
    return _NUMERIC_RULES[name](rule, expected, numbers, truths)


def meets(rule: Mapping[str, Any], expected: Any, got: Any, truths: Truths) -> bool:
    """Return whether `apply_rule` would be None, without looking for words."""
    if rule.get("rule", "close") in ("close", "exact"):
        return alike(expected, got, rule)
    return apply_rule(rule, expected, got, truths) is None


def _truth(rule: Mapping[str, Any], truths: Truths) -> np.ndarray:
    label = str(rule.get("truth"))
    if label not in truths:
        raise RuleError(f"the solution has no %%truth value {label!r}")
    numbers = as_numbers(decode(truths[label]))
    if numbers is None:
        raise RuleError(f"the %%truth value {label!r} is not numeric")
    return numbers


def _accuracy(
    rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths
) -> str | None:
    truth = _truth(rule, truths)
    if got.shape != truth.shape:
        return f"Expected {truth.shape[0]} predictions of shape {truth.shape}, got {got.shape}."
    accuracy = float((got == truth).mean())
    bar = float(rule["at_least"])
    if accuracy >= bar:
        return None
    return f"The accuracy is {accuracy:.1%}; at least {bar:.1%} is needed."


def _error(rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths) -> str | None:
    truth = _truth(rule, truths)
    if got.shape != truth.shape:
        return f"Expected predictions of shape {truth.shape}, got {got.shape}."
    error = float(((got.astype(float) - truth) ** 2).mean())
    bar = float(rule["at_most"])
    if error <= bar:  # False for NaN
        return None
    return f"The mean squared error is {show(error)}; at most {show(bar)} is allowed."


def _measured(rule: Mapping[str, Any], got: np.ndarray) -> tuple[str, float]:
    name = str(rule.get("measure", "value"))
    if name not in MEASURES:
        raise RuleError(f"unknown measure {name!r}; known: {sorted(MEASURES)}")
    if got.size == 0 and name not in ("size", "nonzero"):
        return name, float("nan")
    with np.errstate(all="ignore"):
        return name, MEASURES[name](got.astype(np.float64))


def _at_most(rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths) -> str | None:
    name, number = _measured(rule, got)
    if number <= float(rule["value"]):
        return None
    return (
        f"Its {name.replace('_', ' ')} is {show(number)}; at most {show(rule['value'])} is allowed."
    )


def _at_least(
    rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths
) -> str | None:
    smallest = rule.get("measure", "value") == "value" and got.size
    name, number = ("value", float(got.min())) if smallest else _measured(rule, got)
    if number >= float(rule["value"]):
        return None
    return (
        f"Its {name.replace('_', ' ')} is {show(number)}; at least {show(rule['value'])} is needed."
    )


def _shape(rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths) -> str | None:
    wanted = as_numbers(expected)
    if wanted is None or wanted.shape == got.shape:
        return None
    return f"Expected shape {wanted.shape}, got {got.shape}."


def _finite(rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths) -> str | None:
    if not np.isfinite(got).all():
        return "Some of the values are NaN or infinite."
    return _shape(rule, expected, got, truths)


def _up_to_sign(
    rule: Mapping[str, Any], expected: Any, got: np.ndarray, truths: Truths
) -> str | None:
    plain = {k: v for k, v in rule.items() if k != "rule"}
    words = difference(expected, got, plain)
    signed = got.astype(np.float64) if got.dtype.kind in "bu" else got
    return None if words is None or difference(expected, -signed, plain) is None else words


def _one_of(rule: Mapping[str, Any], got: Any) -> str | None:
    choices = list(rule.get("choices", []))
    if any(difference(choice, got) is None for choice in choices):
        return None
    return f"{show(got)} is not one of the values that were asked for."


_NUMERIC_RULES: dict[str, Callable[[Mapping[str, Any], Any, np.ndarray, Truths], str | None]] = {
    "accuracy": _accuracy,
    "error": _error,
    "at_most": _at_most,
    "at_least": _at_least,
    "shape": _shape,
    "finite": _finite,
    "up_to_sign": _up_to_sign,
}
