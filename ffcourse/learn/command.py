"""``ffcourse check FILE|NN|NN.k`` and ``ffcourse progress``: the same in the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from ffcourse.learn import board, locate, report, store, submitting


def main(argv: Sequence[str]) -> int:
    """Run ``check`` or ``progress``; the verb is the first word.

    Returns
    -------
    int
        0 when the notebook could be graded, 1 when not, 2 for a wrong call.
    """
    options = _parser().parse_args(list(argv))
    if options.verb == "progress":
        data = store.load()
        print(board.as_text(board.board(data), data))
        return 0
    return _check(str(options.what))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ffcourse")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    check = verbs.add_parser(
        "check", help="grade a notebook of yours", description="Grade a notebook of yours."
    )
    check.add_argument("what", help="a file, 01 for a notebook, or 01.2 for one exercise")
    verbs.add_parser("progress", help="show how far you are", description="Show how far you are.")
    return parser


def _check(what: str) -> int:
    exercise = what if "." in what and not what.endswith(".ipynb") else None
    try:
        place = locate.notebook_path(what)
        result = submitting.grade(place)
    except (LookupError, RuntimeError) as error:
        print(f"ffcourse check: {error}", file=sys.stderr)
        return 2 if isinstance(error, LookupError) else 1
    submitting.record(result, place)
    if exercise is not None and result.get("status") == "graded":
        return _one(result, exercise)
    print(report.submission_text(result, []))
    return 0 if result.get("status") == "graded" else 1


def _one(result: dict[str, Any], exercise: str) -> int:
    found = [entry for entry in result["exercises"] if entry["id"] == exercise]
    if not found:
        known = ", ".join(entry["id"] for entry in result["exercises"])
        print(
            f"ffcourse check: there is no exercise {exercise}; there are {known}", file=sys.stderr
        )
        return 2
    print(report.exercise_text(found[0]))
    return 0
