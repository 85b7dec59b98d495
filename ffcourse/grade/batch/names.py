"""Who handed a file in, as far as its name and folder tell.

Learning platforms put the student into the file name when all submissions are downloaded:

- Canvas: ``bergann_LATE_1234_567890_01_neuron-1.ipynb``
- Moodle: ``Ann Berg_1234_assignsubmission_file_/01_neuron.ipynb`` (or one flat file name)
- nbgrader: ``bergann/01_neuron/01_neuron.ipynb``, a ``timestamp.txt`` beside it

Anything else is told by a pattern such as ``{student}/{notebook}.ipynb``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_CANVAS = re.compile(
    r"^(?P<student>[^_/]+)_(?P<late>LATE_)?(?P<canvas>\d+)_(?P<file>\d+)_(?P<rest>.+?)(?:-\d+)?\.ipynb$",
    re.IGNORECASE,
)
_MOODLE = re.compile(r"^(?P<name>.+?)_(?P<moodle>\d+)_assignsubmission_file_?/?(?P<rest>.*)$")
_FIELDS = ("student", "notebook", "first", "last", "email", "canvas", "moodle", "any")
SCHEMES = ("auto", "canvas", "moodle", "nbgrader", "folder", "file")


class PatternError(ValueError):
    """A pattern for file names that cannot be used; the message says why."""


@dataclass(frozen=True)
class Traces:
    """What a file name tells about its author.

    Attributes
    ----------
    keys : tuple of (str, str)
        Kind (student, canvas, moodle, email, name) and value, surest first.
    late : bool
        Whether the platform marked it as late.
    notebook : str or None
        Which notebook the name speaks of.
    """

    keys: tuple[tuple[str, str], ...]
    late: bool = False
    notebook: str | None = None

    @property
    def fallback(self) -> str:
        """The key to use where no roster knows better."""
        return self.keys[0][1] if self.keys else "unknown"


def reader(scheme: str) -> Callable[[str], Traces]:
    """Return the function that reads names by a scheme, or by a pattern with ``{student}``.

    Raises
    ------
    PatternError
        When it is neither a known scheme nor a usable pattern.
    """
    known = {"auto": _auto, "canvas": _canvas, "moodle": _moodle, "folder": _folder,
             "nbgrader": _nbgrader, "file": _file}  # fmt: skip
    if scheme in known:
        function = known[scheme]
        return lambda name: function(name) or _file(name)
    pattern = compile_pattern(scheme)
    return lambda name: _by_pattern(pattern, name) or _file(name)


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern such as ``{last}_{student}_{any}.ipynb``."""
    parts = re.split(r"\{(\w+)\}", text)
    fields = parts[1::2]
    unknown = [f for f in fields if f not in _FIELDS]
    if unknown or not set(fields) & {"student", "email", "canvas", "moodle", "last"}:
        wrong = f"it has the unknown field {{{unknown[0]}}}" if unknown else "it names no student"
        raise PatternError(
            f"--names {text}: {wrong}; use one of {', '.join(SCHEMES)}, or a pattern with "
            f"{', '.join('{' + f + '}' for f in _FIELDS)}."
        )
    words, named = [], set()
    for i, part in enumerate(parts):
        if i % 2 == 0:
            words.append(re.escape(part))
        elif part == "any" or part in named:
            words.append(".*?")
        else:
            named.add(part)
            words.append(f"(?P<{part}>[^/]+?)")
    return re.compile("(?:^|/)" + "".join(words) + "$")


def _by_pattern(pattern: re.Pattern[str], name: str) -> Traces | None:
    match = pattern.search(name)
    if match is None:
        return None
    found = match.groupdict()
    kinds = ("student", "email", "canvas", "moodle")
    keys = [(kind, found[kind]) for kind in kinds if found.get(kind)]
    if found.get("last"):
        keys.append(("name", " ".join(filter(None, (found.get("first"), found["last"])))))
    return Traces(tuple(keys), notebook=found.get("notebook"))


def _auto(name: str) -> Traces | None:
    return _moodle(name) or _canvas(name) or _some_folder(name)


def _canvas(name: str) -> Traces | None:
    match = _CANVAS.match(name.rpartition("/")[2])
    if match is None:
        return None
    keys = (("canvas", match["canvas"]), ("student", match["student"]))
    return Traces(keys, bool(match["late"]), match["rest"])


def _moodle(name: str) -> Traces | None:
    for start in range(name.count("/") + 1):
        match = _MOODLE.match("/".join(name.split("/")[start:]))
        if match is not None:
            keys = (("moodle", match["moodle"]), ("name", match["name"]))
            return Traces(keys, notebook=_stem(match["rest"]) or None)
    return None


def _nbgrader(name: str) -> Traces | None:
    parts = name.split("/")
    if len(parts) < 3:
        return None
    return Traces((("student", parts[-3]),), notebook=parts[-2])


def _folder(name: str) -> Traces | None:
    parts = name.split("/")
    return Traces((("student", parts[0]),), notebook=_stem(parts[-1])) if len(parts) > 1 else None


def _some_folder(name: str) -> Traces | None:
    """Any folder's name may be somebody's; where a roster knows none, the first one is."""
    found = _folder(name)
    if found is None:
        return None
    keys = [("student", part) for part in name.split("/")[:-1]]
    return Traces((*keys, ("words", name)), notebook=found.notebook)


def _file(name: str) -> Traces:
    return Traces((("student", _stem(name.rpartition("/")[2])), ("words", name)))


def _stem(name: str) -> str:
    last = name.rpartition("/")[2]
    return last[:-6] if last.lower().endswith(".ipynb") else last
