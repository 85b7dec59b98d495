"""When a submission came, and what coming late costs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from ffcourse.grade.batch.sheets import read_sheet

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

    def penalty(self, seconds_late: float, on_the_clock: float | None = None) -> float:
        """Return the part of the points that is taken off.

        Parameters
        ----------
        seconds_late : float
        on_the_clock : float or None
            The same as a clock on the wall shows it: on the day when summer time ends, one day
            has 25 hours. Days and weeks are counted by it.
        """
        if seconds_late <= self.grace:
            return 0.0
        if self.unit is None:
            return min(self.part, self.most, 1.0)
        days = self.unit >= _UNITS["day"] and on_the_clock is not None
        seconds = on_the_clock if days and on_the_clock is not None else seconds_late
        return min(self.part * max(1, -(-seconds // self.unit)), self.most, 1.0)


@dataclass(frozen=True)
class Due:
    """When something was due.

    Attributes
    ----------
    time : datetime
        In UTC.
    zone : str
        Where, such as ``Europe/Berlin``; empty where it is not known.
    """

    time: datetime
    zone: str = ""

    def __str__(self) -> str:
        return f"{self.time.isoformat()} {self.zone}".strip()

    @property
    def local(self) -> datetime:
        """The time as a clock there showed it."""
        zone = zone_named(self.zone)
        return self.time.astimezone(zone) if zone else self.time

    def plus(self, amount: float, unit: str) -> Due:
        """Return a later time; days and weeks end at the same time of day."""
        more = timedelta(seconds=amount * _UNITS[unit])
        zone = zone_named(self.zone)
        if zone is None or _UNITS[unit] < _UNITS["day"]:
            return Due(self.time + more, self.zone)
        return Due((self.local + more).astimezone(UTC), self.zone)

    def on_the_clock(self, submitted: float) -> float:
        """Return how many seconds later a clock there showed when it was handed in."""
        zone = zone_named(self.zone)
        if zone is None:
            return submitted - self.time.timestamp()
        came = datetime.fromtimestamp(submitted, zone).replace(tzinfo=None)
        return (came - self.local.replace(tzinfo=None)).total_seconds()


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


def read_due(text: str, zone: str = "") -> Due:
    """Return a due time; a date alone means the end of that day.

    Parameters
    ----------
    text : str
        ``2026-03-01T23:59``, with ``+01:00`` or a zone's name after it where another than
        this computer's is meant.
    zone : str
        The zone to take where none is named, instead of this computer's.

    Raises
    ------
    LateRuleError
        When it is no time.
    """
    plain = text.strip()
    words, _, last = plain.rpartition(" ")
    if words and last[0].isalpha():
        if zone_named(last) is None:
            raise LateRuleError(f"{text!r}: no time zone is called {last!r}.")
        plain, zone = words, last
    if re.fullmatch(r"\d{4}-\d\d-\d\d", plain):
        plain += "T23:59:59"
    try:
        time = datetime.fromisoformat(plain)
    except ValueError:
        raise LateRuleError(
            f"{text!r} is not a time; write for example 2026-03-01T23:59, "
            "2026-03-01T23:59+01:00 or 2026-03-01T23:59 Europe/Berlin."
        ) from None
    zone = zone or local_zone()
    if time.tzinfo is None and zone:
        time = time.replace(tzinfo=zone_named(zone))
    try:
        return Due(time.astimezone(UTC), zone)
    except (OverflowError, ValueError, OSError):
        raise LateRuleError(f"{text!r} is too far from now.") from None


def read_time(text: str) -> datetime:
    """Return a time in UTC; without a zone it is meant in this computer's."""
    return read_due(text).time


@lru_cache(maxsize=100)
def zone_named(name: str) -> ZoneInfo | None:
    """Return a time zone, or None where nothing is known of it."""
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, LookupError):
        return None


def local_zone() -> str:
    """Return the name of this computer's time zone; empty where it can't be told."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        with_name = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
        named = with_name.removeprefix("posix/").removeprefix("right/")
    return named if zone_named(named) else ""


_EXTENSION = re.compile(r"^\+?\s*(\d+(?:\.\d+)?)\s*(hour|day|week)s?$")


def check_extension(text: str) -> None:
    """Raise a `LateRuleError` where a student's own due time can't be read."""
    if text and not _EXTENSION.match(text.lower()):
        read_due(text)


def due_for(student_due: str, due: Due | None) -> Due | None:
    """Return when it was due for one student: their own time, or so many hours or days more."""
    if not student_due:
        return due
    match = _EXTENSION.match(student_due.lower())
    if match is None:
        return read_due(student_due, due.zone if due else "")
    return due.plus(float(match[1]), match[2]) if due else None


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
    stamp = _stamp(path)
    if stamp is not None:
        try:
            return read_time(stamp)
        except LateRuleError:
            pass
    try:
        return datetime.fromtimestamp(modified, UTC) if modified is not None else None
    except (OverflowError, ValueError, OSError):  # a clock that was set to the year 60000
        return None


def unread_stamp(path: Path) -> str | None:
    """Return what stands in ``timestamp.txt`` beside a file, if that can't be read as a time."""
    stamp = _stamp(path)
    try:
        if stamp is not None:
            read_time(stamp)
    except LateRuleError:
        return stamp
    return None


def _stamp(path: Path) -> str | None:
    stamp = path.with_name("timestamp.txt")
    try:
        if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < 100:
            return stamp.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        pass
    return None


def read_times(path: Path) -> dict[str, datetime]:
    """Return the times in a table with two columns: file name or student id, and time.

    Raises
    ------
    SheetError
        When it cannot be read.
    LateRuleError
        When it has no times, or one that cannot be read.
    """
    times: dict[str, datetime] = {}
    for row in read_sheet(path, "--times").rows:
        if len(row) >= 2 and any(c.isdigit() for c in row[1]):
            try:
                times[row[0].strip()] = read_time(row[1])
            except LateRuleError as error:
                raise LateRuleError(f"--times {path}: {row[0].strip()}: {error}") from None
    if not times:
        raise LateRuleError(
            f"--times {path}: has no times; a line is a student's id or a file's name, and a time."
        )
    return times
