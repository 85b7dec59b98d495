"""Predict, run, explain: commit to an answer before the next cell shows it."""

from __future__ import annotations

import html
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ffcourse.learn import cards, store, widgets

CONFIDENCE = ("a guess", "fairly sure", "certain")


@dataclass(frozen=True)
class Question:
    """One question of a chapter: what is asked, and in which form the answer comes."""

    key: str
    text: str
    kind: str  # "choice", "number" or "text"
    choices: tuple[str, ...] = ()
    unit: str = ""


_asked: dict[str, Question] = {}


def predict(
    key: str,
    question: str,
    *,
    choices: Sequence[Any] | None = None,
    unit: str | None = None,
    text: bool = False,
) -> None:
    """Ask the reader for a prediction, and keep it with how sure they are.

    Parameters
    ----------
    key : str
        Name of the prompt, unique in the course: ``"01.line"``.
    question : str
        What will the next cell show? One or two sentences.
    choices : sequence of str, optional
        The answers to choose from. Without it, and without `text`, a number is asked for.
    unit : str, optional
        Unit of the number, shown after the field; ``""`` for none.
    text : bool
        Ask for a few words.

    See Also
    --------
    reveal : show the answer and score the prediction.
    """
    asked = _question(key, question, choices, unit, text)
    _asked[key] = asked
    panel = _panel(asked) if widgets.interactive() else None
    widgets.show(panel, _as_text(asked), _as_html(asked))


def _question(
    key: str, question: str, choices: Sequence[Any] | None, unit: str | None, text: bool
) -> Question:
    if not isinstance(key, str) or not key:
        raise TypeError(f"predict(key, question) needs a key such as '01.line', got {key!r}")
    if choices is not None and text:
        raise ValueError(f"predict({key!r}): give either choices or text=True, not both")
    if choices is None:
        return Question(key, question, "text" if text else "number", unit=unit or "")
    named = tuple(str(choice) for choice in choices)
    if len(named) < 2 or len(set(named)) != len(named):
        raise ValueError(f"predict({key!r}): choices must be two or more different answers")
    return Question(key, question, "choice", named)


def _as_text(asked: Question) -> str:
    forms = {"number": f"  a number{_unit(asked)}: ____", "text": "  in a few words: ____"}
    lines = [f"  ( ) {cards.plain(choice)}" for choice in asked.choices] or [forms[asked.kind]]
    return "\n".join([f"Predict first: {cards.plain(asked.text)}", *lines])


def _as_html(asked: Question) -> str:
    if asked.choices:
        items = "".join(f"<li>{cards.markup(choice)}</li>" for choice in asked.choices)
        answer = f"<ul>{items}</ul>"
    else:
        form = f"a number{_unit(asked)}" if asked.kind == "number" else "a few words"
        answer = f"<p>Your answer: {html.escape(form)}.</p>"
    ask = cards.paragraphs(f"<strong>Predict first.</strong> {cards.markup(asked.text)}")
    return cards.card(ask + answer, "ask", "Prediction")


def _unit(asked: Question) -> str:
    return f" in {asked.unit}" if asked.unit else ""


def _panel(asked: Question) -> Any:
    """Build the controls, filled in with what was kept before."""
    if asked.kind == "choice":
        field = widgets.choose([(cards.plain(choice), choice) for choice in asked.choices], "")
    else:
        field = widgets.line("Your answer:", "a number" if asked.kind == "number" else "")
    sure = widgets.choose(CONFIDENCE, "How sure are you?", row=True)
    status = widgets.note()
    keep = widgets.button("Keep my answer", lambda: _keep(asked, field.value, sure.value, status))
    parts = [field, sure]
    if asked.unit:
        parts[0] = widgets.row(field, widgets.words(html.escape(asked.unit)))
    _fill_in(asked, field, sure, keep, status)
    ask = widgets.words(f"<strong>Predict first.</strong> {cards.markup(asked.text)}")
    return widgets.panel(ask, *parts, widgets.row(keep, status))


def _fill_in(asked: Question, field: Any, sure: Any, keep: Any, status: Any) -> None:
    kept = store.load()["predictions"].get(asked.key)
    if not kept or (asked.choices and kept.get("answer") not in asked.choices):
        return
    field.value = kept["answer"] if asked.kind != "number" else f"{kept['answer']:g}"
    sure.value = kept.get("confidence") if kept.get("confidence") in CONFIDENCE else None
    if "right" in kept:  # the answer has been shown: a prediction can't be changed afterwards
        field.disabled = sure.disabled = keep.disabled = True
        widgets.say(status, "You have seen the answer; this is what you predicted.")
    else:
        widgets.say(status, "Kept earlier. You can still change it.")


def _keep(asked: Question, answer: Any, confidence: str | None, status: Any) -> None:
    """Check what was typed, keep it, and say so."""
    value = _read(asked, answer)
    if value is None:
        want = {"choice": "Choose an answer", "number": "Type a number, such as 0.25"}
        widgets.say(status, f"⚠ {want.get(asked.kind, 'Type a few words')} first.")
        return
    if confidence is None:
        widgets.say(status, "⚠ Say how sure you are, too.")
        return
    entry = {"kind": asked.kind, "answer": value, "confidence": confidence}
    _in_memory[asked.key] = entry
    written = store.remember("predictions", asked.key, entry)
    where = "" if written else " (until this notebook closes)"
    widgets.say(status, f"✔ Kept{where}. Now run the next cell.")


_in_memory: dict[str, dict[str, Any]] = {}


def _read(asked: Question, answer: Any) -> Any:
    """Return the typed answer as a value, or None if there is none."""
    if asked.kind != "number":
        return (answer or "").strip() or None
    try:
        value = float((answer or "").strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def kept_prediction(key: str) -> dict[str, Any] | None:
    """Return what the reader predicted, or None."""
    if store.testing():
        return None
    kept = store.load()["predictions"].get(key) or _in_memory.get(key)
    return kept if isinstance(kept, dict) and "answer" in kept else None


def reveal(key: str, answer: Any, because: str = "", *, tolerance: float | None = None) -> None:
    """Show the answer, score the reader's prediction, and fold the explanation.

    Parameters
    ----------
    key : str
        The key given to `predict`.
    answer : str or number
        The right answer; for a choice, exactly one of its choices.
    because : str
        Why; ``code``, **strong** and $math$ are understood.
    tolerance : float, optional
        How far a number may be off and still count as right; by default 5 % of the answer.

    Raises
    ------
    ValueError
        If `answer` is not one of the choices of that prompt.
    """
    asked = _asked.get(key)
    if asked and asked.choices and str(answer) not in asked.choices:
        raise ValueError(f"reveal({key!r}): the answer {answer!r} is not among {asked.choices}")
    kept = kept_prediction(key)
    right = None if kept is None else _is_right(kept, answer, tolerance)
    if kept is not None and "right" not in kept:
        store.remember("predictions", key, {**kept, "right": right})
        _in_memory[key] = {**kept, "right": right}
    text, page = _reveal_bundle(kept, right, _shown(answer), because)
    widgets.show(None, text, page)


def _is_right(kept: dict[str, Any], answer: Any, tolerance: float | None) -> bool | None:
    """Score a prediction; None where words have to be compared by the reader."""
    if kept.get("kind") == "text":
        return None
    if isinstance(answer, numbers.Real) and kept.get("kind") == "number":
        allowed = 0.05 * abs(float(answer)) if tolerance is None else tolerance
        return abs(float(kept["answer"]) - float(answer)) <= allowed + 1e-12
    return str(kept["answer"]) == str(answer)


def _shown(answer: Any) -> str:
    if isinstance(answer, numbers.Real) and not isinstance(answer, (bool, numbers.Integral)):
        return f"{float(answer):.4g}"
    return str(answer)


def _reveal_bundle(
    kept: dict[str, Any] | None, right: bool | None, answer: str, because: str
) -> tuple[str, str]:
    why = cards.folded("Why", cards.paragraphs(cards.markup(because))) if because else ""
    tail = f"\nWhy: {cards.plain(because)}" if because else ""
    shown = f"<strong>{cards.markup(answer)}</strong>"
    if kept is None:
        body = cards.folded("Show the answer", cards.paragraphs(f"Answer: {shown}")) + why
        return f"Answer: {cards.plain(answer)}{tail}", cards.card(body, "ask", "Answer")
    said = f"{_shown(kept['answer'])} ({kept.get('confidence', 'a guess')})"
    verdict, kind = _verdict(right, str(kept.get("confidence", "")))
    lines = cards.paragraphs(f"{verdict}", f"You said: {html.escape(said)}. Answer: {shown}")
    text = f"{verdict} You said: {said}. Answer: {cards.plain(answer)}{tail}"
    return text, cards.card(lines + why, kind, "Your prediction and the answer")


def _verdict(right: bool | None, confidence: str) -> tuple[str, str]:
    if right is None:
        return "Compare your words with the answer.", "ask"
    if right:
        luck = " It was a guess: read why." if confidence == CONFIDENCE[0] else ""
        return f"✔ Right.{luck}", "right"
    sure = " You were certain: this one is worth a second look." if confidence == "certain" else ""
    return f"✘ Not this time.{sure}", "wrong"
