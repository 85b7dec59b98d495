"""The quiz questions of all chapters, and which of them to ask now.

``chapters/quiz/NN.json`` is a list of questions::

    [{"id": "01.q1", "question": "…",
      "choices": [{"text": "…", "right": true, "because": "…"}, …]}]

One choice is right; every wrong one has its reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.learn import store

OWN, RETURNING = 3, 2
_DAY = 86_400.0
_REST = (0.0, 1.0, 3.0, 7.0, 21.0, 60.0)  # days before a question answered n times right returns


@dataclass(frozen=True)
class Choice:
    """One answer to a question, and why it is right or wrong."""

    text: str
    right: bool
    because: str


@dataclass(frozen=True)
class Item:
    """One quiz question."""

    id: str
    question: str
    choices: tuple[Choice, ...]

    @property
    def chapter(self) -> str:
        """Number of the chapter that it belongs to."""
        return self.id.split(".")[0]


def folder() -> Path:
    """Return the folder of the question files."""
    return store.project_root() / "chapters" / "quiz"


def chapters() -> list[str]:
    """Return the numbers of the chapters that have questions, in order."""
    return sorted(path.stem for path in folder().glob("*.json"))


def load(chapter: str) -> list[Item]:
    """Read the questions of one chapter.

    Raises
    ------
    LookupError
        If the chapter has no questions.
    ValueError
        If the file does not have the form given above; the message names the question.
    """
    place = folder() / f"{chapter}.json"
    if not place.is_file():
        known = ", ".join(chapters()) or "none yet"
        raise LookupError(f"there is no quiz {chapter!r}; quizzes: {known}")
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{place.name} is not JSON: {error}") from error
    if not isinstance(found, list):
        raise ValueError(f"{place.name} must be a list of questions")
    items = [_item(entry, f"{place.name}, question {n}") for n, entry in enumerate(found, 1)]
    if len({item.id for item in items}) != len(items):
        raise ValueError(f"{place.name}: two questions have the same id")
    return items


def _item(entry: Any, where: str) -> Item:
    if not isinstance(entry, Mapping) or not {"id", "question", "choices"} <= entry.keys():
        raise ValueError(f"{where}: needs 'id', 'question' and 'choices'")
    choices = tuple(
        Choice(str(c["text"]), bool(c.get("right", False)), str(c.get("because", "")))
        for c in entry["choices"]
    )
    if sum(choice.right for choice in choices) != 1 or len(choices) < 2:
        raise ValueError(f"{where}: exactly one of two or more choices must be right")
    if any(not choice.because.strip() for choice in choices if not choice.right):
        raise ValueError(f"{where}: every wrong choice needs its reason, 'because'")
    return Item(str(entry["id"]), str(entry["question"]), choices)


def pick(chapter: str, history: Mapping[str, Any], now: float | None = None) -> list[Item]:
    """Choose five questions: three of the chapter's own and two that come back from earlier.

    Parameters
    ----------
    chapter : str
        Number of the chapter, ``"03"``.
    history : mapping of str to dict
        What was answered before: ``{"03.q1": {"box": 2, "when": seconds}}``. `box` counts
        right answers in a row; the more, the longer a question rests.
    now : float, optional
        Seconds since the epoch; the clock's by default.
    """
    moment = time.time() if now is None else now
    own = sorted(load(chapter), key=lambda item: _box(history, item) > 0)
    earlier = [item for number in chapters() if number < chapter for item in load(number)]
    back = returning(earlier, history, moment)[:RETURNING]
    return [*own[: OWN + RETURNING - len(back)], *back]


def returning(items: Sequence[Item], history: Mapping[str, Any], now: float) -> list[Item]:
    """Sort questions by how much they are due: wrong ones, then rested ones, then unseen ones.

    Among equals the nearest chapters come first, one question each.
    """
    turn: dict[str, int] = {}
    keys = {}
    for place, item in enumerate(reversed(items)):
        turn[item.chapter] = turn.get(item.chapter, 0) + 1
        keys[item.id] = (-_overdue(history, item, now), turn[item.chapter], place)
    return sorted(items, key=lambda item: keys[item.id])


def _overdue(history: Mapping[str, Any], item: Item, now: float) -> int:
    """Rank: 3 answered wrong last time, 2 rested enough, 1 never asked, 0 still resting."""
    entry = history.get(item.id)
    if not isinstance(entry, Mapping):
        return 1
    box = _box(history, item)
    if box == 0:
        return 3
    rest = _REST[min(box, len(_REST) - 1)] * _DAY
    return 2 if now - float(entry.get("when", 0)) >= rest else 0


def _box(history: Mapping[str, Any], item: Item) -> int:
    entry = history.get(item.id)
    return int(entry.get("box", 0)) if isinstance(entry, Mapping) else 0
