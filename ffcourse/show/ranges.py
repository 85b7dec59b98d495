"""What a control of a live figure can be set to, and how it is read off a signature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import numpy as np


@dataclass
class Control:
    """What one parameter can be set to.

    Parameters
    ----------
    value : object
        What it starts with; None takes the default of the function's parameter.
    label : str
        What stands beside the slider; the parameter's name if empty.
    """

    value: Any = None
    label: str = ""

    def start(self) -> Any:
        """Return the value to start with."""
        """Return the value to start with where neither control nor function name one."""
        raise NotImplementedError

    def clean(self, name: str, value: Any) -> Any:
        """Return `value` in its own type, or raise ValueError."""
        """Return `value` in the control's own type; raise ValueError if it is out of range."""
        raise NotImplementedError

    def sweep(self) -> list[Any]:
        """Return values from end to end."""
        """Return values from end to end, for tests."""
        raise NotImplementedError


class Range(Control):
    """Numbers from `low` to `high`; integers if `low`, `high` and `step` are integers.

    Parameters
    ----------
    low, high : float
        Ends, both included.
    step : float, optional
        Distance of neighbours; about sixty steps if None.
    value, label
        As in `Control`.
    """

    def __init__(
        self,
        low: float,
        high: float,
        step: float | None = None,
        value: float | None = None,
        label: str = "",
    ) -> None:
        super().__init__(value, label)
        if not low < high:
            raise ValueError(f"Range: low must lie under high, got {low} and {high}")
        self.low, self.high = low, high
        self.step = nice_step(high - low) if step is None else step
        self.whole = all(isinstance(v, int) for v in (low, high, step))

    def start(self) -> Any:
        """Return the value to start with."""
        middle = self.low + self.step * round((self.high - self.low) / 2 / self.step)
        return int(middle) if self.whole else float(middle)

    def clean(self, name: str, value: Any) -> Any:
        """Return `value` in its own type, or raise ValueError."""
        number = _number(name, value)
        slack = 1e-9 * (self.high - self.low)
        if not self.low - slack <= number <= self.high + slack:
            raise ValueError(f"{name} must lie between {self.low} and {self.high}, got {value}")
        return round(number) if self.whole else number

    def sweep(self) -> list[Any]:
        """Return values from end to end."""
        values = np.linspace(self.low, self.high, 9)
        if self.whole:
            values = np.unique(np.rint(values).astype(int))
        return list(values.tolist())


class Log(Control):
    """Positive numbers from `low` to `high` in even ratios, as for a learning rate.

    Parameters
    ----------
    low, high : float
        Ends, both positive and included.
    value, label
        As in `Control`.
    """

    def __init__(
        self, low: float, high: float, value: float | None = None, label: str = ""
    ) -> None:
        super().__init__(value, label)
        if not 0 < low < high:
            raise ValueError(f"Log: need 0 < low < high, got {low} and {high}")
        self.low, self.high = low, high

    def start(self) -> float:
        """Return the value to start with."""
        return math.sqrt(self.low * self.high)

    def clean(self, name: str, value: Any) -> float:
        """Return `value` in its own type, or raise ValueError."""
        number = _number(name, value)
        if not self.low * (1 - 1e-9) <= number <= self.high * (1 + 1e-9):
            raise ValueError(f"{name} must lie between {self.low} and {self.high}, got {value}")
        return number

    def sweep(self) -> list[float]:
        """Return values from end to end."""
        out: list[float] = np.geomspace(self.low, self.high, 9).tolist()
        return out


class Choice(Control):
    """One of several values.

    Parameters
    ----------
    *options : object
        The values; strings and numbers show as themselves.
    value, label
        As in `Control`.
    """

    def __init__(self, *options: Any, value: Any = None, label: str = "") -> None:
        super().__init__(value, label)
        if not options:
            raise ValueError("Choice: give at least one option")
        self.options = options

    def start(self) -> Any:
        """Return the value to start with."""
        return self.options[0]

    def clean(self, name: str, value: Any) -> Any:
        """Return `value` in its own type, or raise ValueError."""
        for option in self.options:
            if value is option or value == option:
                return option
        raise ValueError(f"{name} must be one of {list(self.options)}, got {value!r}")

    def sweep(self) -> list[Any]:
        """Return values from end to end."""
        return list(self.options)


class Switch(Control):
    """On or off.

    Parameters
    ----------
    value, label
        As in `Control`.
    """

    def __init__(self, value: bool | None = None, label: str = "") -> None:
        super().__init__(value, label)

    def start(self) -> bool:
        """Return the value to start with."""
        return False

    def clean(self, name: str, value: Any) -> bool:
        """Return `value` in its own type, or raise ValueError."""
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {value!r}")
        return bool(value)

    def sweep(self) -> list[bool]:
        """Return values from end to end."""
        return [False, True]


class Weights(Control):
    """An array of numbers: one menu to choose an entry, one slider to set it (two controls).

    Parameters
    ----------
    low, high : float
        Range of every entry.
    step : float, optional
        As in `Range`.
    value : array_like, optional
        What it starts with; any shape.
    names : sequence of str, optional
        One name an entry, in row-major order; ``"[0, 1]"`` and so on if None.
    label
        As in `Control`.
    """

    def __init__(
        self,
        low: float,
        high: float,
        step: float | None = None,
        value: Any = None,
        names: Sequence[str] | None = None,
        label: str = "",
    ) -> None:
        super().__init__(value, label)
        self.entry = Range(float(low), float(high), step)
        self.names = names

    def start(self) -> Any:
        """Return the value to start with."""
        raise ValueError("Weights: give the array to start with, as value or as the default")

    def clean(self, name: str, value: Any) -> Any:
        """Return `value` in its own type, or raise ValueError."""
        array = np.array(value, float)
        for i, v in np.ndenumerate(array):
            self.entry.clean(f"{name}{list(i)}", v)
        array.setflags(write=False)  # a function that wrote into it would change the state
        return array

    def sweep(self) -> list[Any]:
        """Return values from end to end."""
        out = []
        for i in np.ndindex(self.value.shape):
            for v in (self.entry.low, 0.5 * (self.entry.low + self.entry.high), self.entry.high):
                array = np.array(self.value)
                array[i] = v
                out.append(array)
        return out

    def entry_names(self) -> list[str]:
        """Return one name an entry, in row-major order."""
        if self.names is not None:
            return list(self.names)
        return [str(list(i)) for i in np.ndindex(self.value.shape)]


def nice_step(span: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that cuts `span` into about sixty."""
    raw = span / 60
    power: float = 10.0 ** math.floor(math.log10(raw))
    return power * min((1, 2, 5, 10), key=lambda m: abs(math.log(m * power / raw)))


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def control_of(spec: Any, default: Any = None) -> Control | None:
    """Return the control that `spec` describes, or None if it describes none.

    Parameters
    ----------
    spec : object
        A control; ``(low, high)`` or ``(low, high, step)``; a list of options; a bool; a
        ``Literal``; or one of the types float, int, bool.
    default : object
        The default value of the parameter, which decides between int and float.
    """
    if isinstance(spec, Control):
        return spec
    if isinstance(spec, bool) or spec is bool:
        return Switch(spec if isinstance(spec, bool) else None)
    if isinstance(spec, tuple) and len(spec) in (2, 3):
        whole = all(isinstance(v, int) for v in spec) and not isinstance(default, float)
        if whole and len(spec) == 2:
            spec = (*spec, 1)
        return Range(*(spec if whole else (float(v) for v in spec)))
    if isinstance(spec, list | range):
        return Choice(*spec)
    if get_origin(spec) is Literal:
        return Choice(*get_args(spec))
    if spec is float or spec is int:
        return _around(default, spec)
    for part in getattr(spec, "__metadata__", ()):  # Annotated[float, Range(...)]
        return control_of(part, default)
    return None


def _around(default: Any, kind: type) -> Control:
    """Return a range around a default value, for a parameter that names only its type."""
    if kind is int:
        high = 2 * default if isinstance(default, int) and default > 5 else 10
        return Range(0, high, 1)
    reach = max(3.0, 2 * abs(default)) if isinstance(default, int | float) else 3.0
    return Range(-reach, reach)


def controls_of(fn: Callable[..., Any], given: dict[str, Any]) -> dict[str, Control]:
    """Return the controls of `fn`, in the order of its parameters, with their start values.

    A parameter takes its control from `given`, from its annotation, or from the type of its
    default, in this order. Other parameters keep their defaults and get no control.

    Raises
    ------
    TypeError
        If `given` names no parameter, or a parameter has neither control nor default.
    ValueError
        If there are more than four controls, or a start value is out of range.
    """
    parameters = dict(inspect.signature(fn, eval_str=True).parameters)
    various = [n for n, p in parameters.items() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    open_ended = any(parameters.pop(n).kind == inspect.Parameter.VAR_KEYWORD for n in various)
    for name in set(getattr(fn, "keywords", ())) - set(given):  # fixed by functools.partial
        parameters.pop(name, None)
    unknown = set(given) - set(parameters)
    if open_ended:
        free = [name for name in given if name in unknown]
        parameters |= {n: inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in free}
    elif unknown:
        names = ", ".join(parameters)
        raise TypeError(f"{fn_name(fn)} has no parameter {min(unknown)!r}; it has: {names}")
    out: dict[str, Control] = {}
    for name, parameter in parameters.items():
        empty = parameter.default is parameter.empty
        default = None if empty else parameter.default
        specs = [given.get(name), parameter.annotation]
        if isinstance(default, Control):
            specs, default = [default], None
        elif type(default) in (bool, int, float):
            specs.append(type(default))
        found = next((c for s in specs if (c := control_of(s, default)) is not None), None)
        if found is None:
            if empty:
                raise TypeError(
                    f"{fn_name(fn)}: no range for {name!r}; pass {name}=(low, high) or a control"
                )
            continue
        start = next(v for v in (found.value, default, found) if v is not None)
        found.value = found.clean(name, found.start() if start is found else start)
        out[name] = found
    count = sum(2 if isinstance(c, Weights) else 1 for c in out.values())
    if count > 4:
        two = [name for name, c in out.items() if isinstance(c, Weights)]
        counted = f" ({', '.join(two)}: Weights, a menu and a slider, count as two)" if two else ""
        raise ValueError(
            f"{fn_name(fn)} would get {count} controls, and four is the limit{counted}; fix some "
            f"of {', '.join(out)} with functools.partial"
        )
    return out


def fn_name(fn: Callable[..., Any]) -> str:
    """Return the name of `fn`, also of a partial or a callable object."""
    inner = getattr(fn, "func", fn)
    return getattr(inner, "__name__", type(inner).__name__)
