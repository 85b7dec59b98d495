"""A quiz: every wrong choice gets its reason, and earlier chapters' questions come back."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from typing import Any

from ffcourse.learn import bank, cards, store, widgets

_LETTERS = "abcdefgh"


def quiz(chapter: str) -> None:
    """Ask three questions of a chapter and two that come back from earlier ones.

    Parameters
    ----------
    chapter : str
        Number of the chapter, such as ``"01"``.
    """
    items = bank.pick(chapter, store.load()["quiz"])
    show_items(items, f"Quiz {chapter}", _finished)


def show_items(
    items: Sequence[bank.Item],
    title: str,
    finish: Callable[[dict[str, bool]], str],
) -> None:
    """Display questions as controls, and as text and HTML for readers without a kernel.

    Parameters
    ----------
    items : sequence of Item
        The questions.
    title : str
        Heading of the panel.
    finish : callable
        Gets ``{id: right at the first try}`` when all are answered; returns HTML.
    """
    panel = _Panel(items, title, finish).box if widgets.interactive() else None
    widgets.show(panel, as_text(items, title), as_html(items, title))


def as_text(items: Sequence[bank.Item], title: str) -> str:
    """Return the questions as plain text, without the answers."""
    lines = [title]
    for number, item in enumerate(items, 1):
        lines += ["", f"{number}. {cards.plain(item.question)}"]
        lines += [
            f"   {letter}) {cards.plain(choice.text)}"
            for letter, choice in zip(_LETTERS, item.choices, strict=False)
        ]
    return "\n".join(lines)


def as_html(items: Sequence[bank.Item], title: str) -> str:
    """Return the questions as HTML that works without a kernel: each choice unfolds its reason."""
    parts = [f"<p><strong>{html.escape(title)}</strong> (open a choice to see if it is right)</p>"]
    for number, item in enumerate(items, 1):
        parts.append(f"<p><strong>{number}.</strong> {cards.markup(item.question)}</p>")
        parts += [
            cards.folded(f"{letter}) {cards.markup(choice.text)}", f"<p>{_reason(choice)}</p>")
            for letter, choice in zip(_LETTERS, item.choices, strict=False)
        ]
    return cards.card("".join(parts), "ask", title)


def _reason(choice: bank.Choice) -> str:
    verdict = "✔ Right." if choice.right else "✘ No."
    return f"{verdict} {cards.markup(choice.because)}".strip()


class _Panel:
    """The live quiz: one block of controls a question, and a line that sums up."""

    def __init__(
        self,
        items: Sequence[bank.Item],
        title: str,
        finish: Callable[[dict[str, bool]], str],
    ) -> None:
        self.first_try: dict[str, bool] = {}
        self.done: set[str] = set()
        self.finish = finish
        self.count = len(items)
        self.own = items[0].chapter if items else ""
        self.summary = widgets.note()
        heading = widgets.words(f"<strong>{html.escape(title)}</strong>")
        blocks = [part for n, item in enumerate(items, 1) for part in self._block(n, item)]
        self.box = widgets.panel(heading, *blocks, self.summary)

    def _block(self, number: int, item: bank.Item) -> list[Any]:
        back = (
            "" if item.chapter == self.own else f" <em>(chapter {html.escape(item.chapter)})</em>"
        )
        ask = widgets.words(f"<strong>{number}.</strong> {cards.markup(item.question)}{back}")
        ask.add_class("ffc-question")
        radio = widgets.choose([cards.plain(choice.text) for choice in item.choices], "")
        feedback = widgets.note()
        press = widgets.button(
            f"Check answer {number}", lambda: self._answer(item, radio.index, feedback), main=False
        )
        return [ask, radio, widgets.row(press, feedback)]

    def _answer(self, item: bank.Item, index: int | None, feedback: Any) -> None:
        if index is None:
            widgets.say(feedback, "Choose an answer first.")
            return
        choice = item.choices[index]
        widgets.say(feedback, _reason(choice))
        if item.id not in self.first_try:
            self.first_try[item.id] = choice.right
            _remember(item, choice.right)
        if choice.right:
            self.done.add(item.id)
        if len(self.done) == self.count:
            widgets.say(self.summary, self.finish(self.first_try))


def _remember(item: bank.Item, right: bool) -> None:
    """Move a question to the next box, or back to the first."""

    def change(data: dict[str, Any]) -> None:
        before = data["quiz"].get(item.id)
        box = int(before.get("box", 0)) if isinstance(before, dict) else 0
        data["quiz"][item.id] = {"box": box + 1 if right else 0, "when": int(time.time())}

    store.update(change)


def _finished(first_try: dict[str, bool]) -> str:
    right = sum(first_try.values())
    tail = "" if right == len(first_try) else " The others will come back in a later chapter."
    return f"<strong>{right} of {len(first_try)} right at the first try.</strong>{tail}"
