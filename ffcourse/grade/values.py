"""How a value travels from a kernel to the judge: plain JSON, no pickles.

A check cell in the kernel *shows* what it computed as a display of the MIME type
:data:`VALUE_MIME`; the judge, in another process, reads it back. Both sides use this file, so
it imports nothing but NumPy and the standard library.

A payload is ``{"schema": 1, "exercise", "label", "variant", **encode_value(value)}``
with ``kind`` one of array, scalar, int, bool, str, list, dict, none, error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

VALUE_MIME = "application/vnd.ffcourse.value+json"
SCHEMA = 1
ERROR_LABEL = "error"
MAX_ELEMENTS = 200_000
MAX_TEXT = 100_000
MAX_DEPTH = 12

_DTYPE = re.compile(r"[<>=|]?[a-z]{1,10}\d{0,3}")
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_NUMERIC = "biuf"


class ValueFormatError(ValueError):
    """A value cannot be shown to the judge, or what came is not a value payload."""


def encode(
    value: Any, *, label: str, exercise: str | None, variant: str | None = None
) -> dict[str, Any]:
    """Return the whole payload that ``emit(label, value)`` displays."""
    head = {"schema": SCHEMA, "exercise": exercise, "label": label, "variant": variant}
    return {**head, **encode_value(value)}


def error_payload(
    error: BaseException, *, exercise: str | None, variant: str | None = None
) -> dict[str, Any]:
    """Return the payload that stands for an exception raised by a check."""
    head = {"schema": SCHEMA, "exercise": exercise, "label": ERROR_LABEL, "variant": variant}
    return {**head, **encode_error(type(error).__name__, _message(error))}


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # a learner's own exception class may have a broken __str__
        return ""


def encode_error(name: str, message: str) -> dict[str, Any]:
    """Return the encoding of an exception: its type's name and its message."""
    data = {"type": name[:200], "message": message[:2000]}
    return {"kind": "error", "dtype": None, "shape": None, "data": data}


def encode_value(obj: Any) -> dict[str, Any]:
    """Return ``{"kind", "dtype", "shape", "data"}`` for a value.

    Parameters
    ----------
    obj : numpy array or scalar, int, float, bool, str, None, list, tuple, dict, or an
        object with ``__array__`` (a tensor)
        The value to encode. Array data is flat, in C order.

    Raises
    ------
    TypeError
        For an object that has no such form.
    ValueFormatError
        (a ValueError) For more than 200,000 elements or nesting too deep.
    """
    return _Encoder().encode(obj, 0)


class _Encoder:
    """Counts elements over the whole value, so that nesting cannot get past the cap."""

    def __init__(self) -> None:
        self.left = MAX_ELEMENTS

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueFormatError(
                f"The value has more than {MAX_ELEMENTS} elements; "
                "emit a smaller part of it (for example the first rows)."
            )

    def encode(self, obj: Any, depth: int) -> dict[str, Any]:
        if depth > MAX_DEPTH:
            raise ValueFormatError(f"The value is nested more than {MAX_DEPTH} deep.")
        if obj is None:
            self.take(1)
            return _node("none", None, None, None)
        if isinstance(obj, (bool, np.bool_)):
            self.take(1)
            return _node("bool", "bool", [], bool(obj))
        if isinstance(obj, (int, np.integer)):
            self.take(1)
            return _node("int", str(getattr(obj, "dtype", "int")), [], int(obj))
        if isinstance(obj, (float, np.floating)):
            self.take(1)
            dtype = str(getattr(obj, "dtype", "float64"))
            return _node("scalar", dtype, [], _number(obj))
        if isinstance(obj, str):
            return self._text(obj)
        if isinstance(obj, np.ndarray):
            return self._array(obj)
        if isinstance(obj, Mapping):
            return self._dict(obj, depth)
        if isinstance(obj, (list, tuple)):
            return self._list(obj, depth)
        if hasattr(obj, "__array__"):
            return self._array(np.asarray(obj))
        raise _refusal(obj)

    def _text(self, obj: str) -> dict[str, Any]:
        self.take(1)
        if len(obj) > MAX_TEXT:
            raise ValueFormatError(f"The text has more than {MAX_TEXT} characters.")
        # Lone surrogates cannot be written as UTF-8; a replacement keeps the file readable.
        clean = str(obj).encode("utf-8", "replace").decode("utf-8")
        return _node("str", "str", [], clean)

    def _array(self, obj: np.ndarray) -> dict[str, Any]:
        for base in type(obj).__mro__:
            if base.__name__ in ("matrix", "MaskedArray"):  # other ideas of shapes and values
                raise _refusal(obj)
        obj = np.asarray(obj)
        self.take(max(1, obj.size))
        kind = obj.dtype.kind
        flat = obj.ravel()
        data: list[Any]
        if kind in "biuU":
            data = flat.tolist()
        elif kind == "f":
            data = _floats(flat)
        else:
            raise TypeError(
                f"An array of dtype {obj.dtype} cannot be checked; "
                "expected floats, integers, booleans or text."
            )
        dtype = "str" if kind == "U" else str(obj.dtype)
        return _node("array", dtype, [int(n) for n in obj.shape], data)

    def _list(self, obj: list[Any] | tuple[Any, ...], depth: int) -> dict[str, Any]:
        self.take(1)
        if len(obj) > MAX_ELEMENTS:
            self.take(len(obj))
        return _node("list", None, [len(obj)], [self.encode(item, depth + 1) for item in obj])

    def _dict(self, obj: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        self.take(1)
        items = {str(key): self.encode(item, depth + 1) for key, item in obj.items()}
        return _node("dict", None, [len(items)], items)


def _refusal(obj: Any) -> TypeError:
    return TypeError(
        f"A value of type {type(obj).__name__} cannot be checked; expected numbers, text, "
        "arrays, or lists and dicts of these."
    )


def _node(kind: str, dtype: str | None, shape: list[int] | None, data: Any) -> dict[str, Any]:
    return {"kind": kind, "dtype": dtype, "shape": shape, "data": data}


def _number(value: Any) -> float | str:
    """One float for JSON: the shortest digits that give the same value back in its dtype."""
    number = float(str(value)) if isinstance(value, np.floating) else float(value)
    if math.isfinite(number):
        return number
    return "nan" if math.isnan(number) else ("inf" if number > 0 else "-inf")


def _floats(flat: np.ndarray) -> list[Any]:
    if flat.dtype == np.float64 and bool(np.isfinite(flat).all()):
        values: list[Any] = flat.tolist()
        return values
    return [_number(v) for v in flat]


def text(payload: Mapping[str, Any]) -> str:
    """Return one readable line for a payload, the same on every machine.

    Only the label, kind and shape are told for arrays, and numbers are rounded, so that
    the line does not change with the last digit of a float.
    """
    label = payload.get("label")
    kind, data = payload.get("kind"), payload.get("data")
    if kind == "error" and isinstance(data, Mapping):
        return f"{label}: raised {data.get('type')}: {data.get('message')}"
    value = _show(payload)
    variant = payload.get("variant")
    return f"{label} = {value}" + (f"  [{variant}]" if variant else "")


def _show(node: Any) -> str:
    if not isinstance(node, Mapping):  # hostile code may write anything
        return _digits(node)
    kind, data = node.get("kind"), node.get("data")
    if kind == "array" and isinstance(data, list):
        head = ", ".join(_digits(v) for v in data[:6]) + (", ..." if len(data) > 6 else "")
        lengths = node.get("shape")
        shape = tuple(lengths) if isinstance(lengths, list) else ()
        return f"array of shape {shape}, {node.get('dtype')}: {head}"
    if kind == "list" and isinstance(data, list):
        items = [_show(item) for item in data[:6]] + (["..."] if len(data) > 6 else [])
        return "[" + ", ".join(items) + "]"
    if kind == "dict" and isinstance(data, Mapping):
        return "{" + ", ".join(f"{k}: {_show(v)}" for k, v in list(data.items())[:6]) + "}"
    return _digits(data)


def _digits(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return repr(value) if isinstance(value, str) else str(value)


# ---------------------------------------------------------------------------- reading back


class ErrorValue:
    """An exception that a check raised: ``type`` and ``message``, both text."""

    def __init__(self, name: str, message: str) -> None:
        self.type = name
        self.message = message

    def __repr__(self) -> str:
        return f"{self.type}: {self.message}"


def decode(payload: Mapping[str, Any]) -> Any:
    """Return the value of a payload: an array, number, text, list, dict, None or ErrorValue.

    Every field is checked, since a payload may have been written by hostile code.

    Raises
    ------
    ValueFormatError
        When the payload is not well formed.
    """
    return _Decoder().decode(payload, 0)


class _Decoder:
    def __init__(self) -> None:
        self.left = MAX_ELEMENTS

    def decode(self, node: Any, depth: int) -> Any:
        if not isinstance(node, Mapping) or depth > MAX_DEPTH:
            raise ValueFormatError("This is not a value that emit() wrote.")
        self.left -= 1
        if self.left < 0:
            raise ValueFormatError(f"The value has more than {MAX_ELEMENTS} elements.")
        kind, data = node.get("kind"), node.get("data")
        reader = getattr(self, f"_read_{kind}", None) if isinstance(kind, str) else None
        if reader is None:
            raise ValueFormatError("This is not a value that emit() wrote: unknown kind.")
        return reader(data, node, depth)

    def _read_none(self, data: Any, node: Mapping[str, Any], depth: int) -> None:
        return None

    def _read_bool(self, data: Any, node: Mapping[str, Any], depth: int) -> bool:
        _expect(isinstance(data, bool))
        return bool(data)

    def _read_int(self, data: Any, node: Mapping[str, Any], depth: int) -> int:
        _expect(isinstance(data, int) and not isinstance(data, bool))
        return int(data)

    def _read_scalar(self, data: Any, node: Mapping[str, Any], depth: int) -> np.floating:
        value: np.floating = _float_dtype(node.get("dtype")).type(_read_number(data))
        return value

    def _read_str(self, data: Any, node: Mapping[str, Any], depth: int) -> str:
        _expect(isinstance(data, str) and len(data) <= MAX_TEXT)
        return str(data)

    def _read_array(self, data: Any, node: Mapping[str, Any], depth: int) -> np.ndarray:
        shape = _read_shape(node.get("shape"))
        _expect(isinstance(data, list) and len(data) == math.prod(shape))
        self.left -= len(data)
        _expect(self.left >= 0)
        name = node.get("dtype")
        values: list[Any] = data
        if name == "str":
            _expect(all(isinstance(v, str) for v in data))
            dtype = np.dtype(str)
        else:
            dtype = _known_dtype(name)
            _expect(dtype.kind in _NUMERIC)
            values = [_read_number(v) for v in data] if dtype.kind == "f" else data
            _expect(all(isinstance(v, (bool, int, float)) for v in values))
        try:
            with np.errstate(over="ignore"):
                return np.array(values, dtype=dtype).reshape(shape)
        except (OverflowError, ValueError, TypeError):
            raise ValueFormatError("This is not a value that emit() wrote: data.") from None

    def _read_list(self, data: Any, node: Mapping[str, Any], depth: int) -> list[Any]:
        _expect(isinstance(data, list))
        return [self.decode(item, depth + 1) for item in data]

    def _read_dict(self, data: Any, node: Mapping[str, Any], depth: int) -> dict[str, Any]:
        _expect(isinstance(data, dict))
        return {str(key): self.decode(item, depth + 1) for key, item in data.items()}

    def _read_error(self, data: Any, node: Mapping[str, Any], depth: int) -> ErrorValue:
        _expect(isinstance(data, dict))
        return ErrorValue(str(data.get("type", ""))[:200], str(data.get("message", ""))[:2000])


def _expect(condition: bool) -> None:
    if not condition:
        raise ValueFormatError("This is not a value that emit() wrote.")


def _read_number(data: Any) -> float:
    if isinstance(data, str):
        _expect(data in _SPECIAL)
        return _SPECIAL[data]
    _expect(isinstance(data, (int, float)) and not isinstance(data, bool))
    try:
        return float(data)
    except OverflowError:
        raise ValueFormatError("This is not a value that emit() wrote: too large.") from None


def _known_dtype(name: Any) -> np.dtype[Any]:
    """Return a plain dtype by its name; NumPy would take a whole language of others."""
    _expect(isinstance(name, str) and _DTYPE.fullmatch(name) is not None)
    try:
        return np.dtype(str(name))
    except (TypeError, ValueError):
        raise ValueFormatError("This is not a value that emit() wrote: dtype.") from None


def _float_dtype(name: Any) -> np.dtype[Any]:
    try:
        dtype = _known_dtype(name)
    except ValueFormatError:
        return np.dtype(np.float64)
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def _read_shape(shape: Any) -> tuple[int, ...]:
    _expect(isinstance(shape, list) and len(shape) <= 16)
    _expect(all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape))
    return tuple(shape)
