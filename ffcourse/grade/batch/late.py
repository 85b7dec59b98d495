"""When a submission came, and what coming late costs."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_UNITS = {"min": 60, "hour": 3600, "day": 86400, "week": 604800}
_RULE = re.compile(
    r"^\s*(?P<part>\d+(?:\.\d+)?)\s*%\s*(?:(?:/|per|a)\s*(?P<unit>min|hour|day|week))?"
    r"(?:\s*,?\s*(?:at most|max)\s*(?P<most>\d+(?:\.\d+)?)\s*%)?"
    r"(?:\s*,?\s*grace\s*(?P<grace>\d+(?:\.\d+)?)\s*(?P<grace_unit>min|hour|day)s?)?\s*$"
)


class LateRuleError(ValueError):
    """A due date or late rule that cannot be read; the message shows one that can."""


@dataclass(frozen=True)
class LateRule:
    """What is taken off for coming late, as a part of the points earned.

    Attributes
    ----------
    part : float
        From 0 to 1; taken off once, or for each unit begun.
    unit : int or None
        Seconds; None takes `part` off once.
    most : float
        The largest part that is taken off.
    grace : int
        Seconds that do not count.
    """

    part: float = 0.0
    unit: int | None = None
    most: float = 1.0
    grace: int = 0

    def penalty(self, seconds_late: float) -> float:
        """Return the part of the points that is taken off."""
        if seconds_late <= self.grace:
            return 0.0
        times = 1 if self.unit is None else -(-seconds_late // self.unit)
        return min(self.part * times, self.most, 1.0)


def read_rule(text: str) -> LateRule:
    """Return the rule in words such as ``10%/day, at most 50%, grace 15 min``.

    ``none`` takes nothing off; ``100%`` counts a late submission as zero.
    """
    if text.strip().lower() in ("", "none"):
        return LateRule()
    match = _RULE.match(text.lower())
    if match is None:
        raise LateRuleError(
            f"--late {text!r} is not understood; write for example "
            "'10%/day, at most 50%, grace 15 min', '20%' or 'none'."
        )
    return LateRule(
        part=min(float(match["part"]) / 100, 1.0),
        unit=_UNITS[match["unit"]] if match["unit"] else None,
        most=float(match["most"]) / 100 if match["most"] else 1.0,
        grace=int(float(match["grace"]) * _UNITS[match["grace_unit"]]) if match["grace"] else 0,
    )


def read_time(text: str) -> datetime:
    """Return a time in UTC; without a zone it is meant in this computer's."""
    plain = text.strip()
    utc = plain.endswith(" UTC")
    try:
        time = datetime.fromisoformat(plain.removesuffix(" UTC"))
    except ValueError:
        raise LateRuleError(
            f"{text!r} is not a time; write for example 2026-03-01T23:59 or 2026-03-01T23:59+01:00."
        ) from None
    if time.tzinfo is None and utc:
        time = time.replace(tzinfo=UTC)
    return time.astimezone(UTC)


def due_for(student_due: str, due: datetime | None) -> datetime | None:
    """Return when it was due for one student: their own time, or so many hours or days more."""
    if not student_due:
        return due
    match = re.match(r"^\+?\s*(\d+(?:\.\d+)?)\s*(hour|day|week)s?$", student_due.lower())
    if match is None:
        return read_time(student_due)
    return due + timedelta(seconds=float(match[1]) * _UNITS[match[2]]) if due else None


def submitted_at(
    path: Path, modified: float | None, times: Mapping[str, datetime], keys: tuple[str, ...]
) -> datetime | None:
    """Return when a file was handed in.

    In this order: the teacher's list of times, nbgrader's ``timestamp.txt`` beside the file,
    the file's own time, which is right if the archive that it came in kept it.
    """
    for key in keys:
        if key in times:
            return times[key]
    stamp = path.with_name("timestamp.txt")
    if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < 100:
        try:
            return read_time(stamp.read_text(encoding="utf-8"))
        except (LateRuleError, OSError, UnicodeDecodeError):
            pass
    return datetime.fromtimestamp(modified, UTC) if modified is not None else None


def read_times(path: Path) -> dict[str, datetime]:
    """Return the times in a CSV with two columns: file name or student id, and time."""
    times: dict[str, datetime] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            if len(row) >= 2 and any(c.isdigit() for c in row[1]):
                times[row[0].strip()] = read_time(row[1])
    return times
