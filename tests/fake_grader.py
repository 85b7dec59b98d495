"""A grader that grades nothing, for tests of what stands around one.

It gives as many points as the notebook's last answer cell says (``points = 3``), writes a
line for each grading into FAKE_GRADER_LOG, and takes FAKE_GRADER_SECONDS.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

EXERCISES = ("90.1", "90.2")


class FakeGrader:
    """Stands in for `ffcourse.grade.service.Grader`."""

    def __init__(self, solutions: Path, **options: Any) -> None:
        self.seed = options.get("seed")
        assert solutions.exists()

    def grade(self, path: Path) -> dict[str, Any]:
        text = path.read_text(encoding="utf-8")
        log = os.environ.get("FAKE_GRADER_LOG")
        if log:
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {len(text)} {text[-40:]!r}\n")
        time.sleep(float(os.environ.get("FAKE_GRADER_SECONDS", "0")))
        if "no sandbox" in text:
            raise RuntimeError("There is no sandbox here.")
        if "break the grader" in text:
            raise ValueError("boom")
        if "not a notebook" in text:
            return report(path.name, None)
        return report(path.name, float((re.findall(r"points = (\d+)", text) or ["0"])[-1]))

    def close(self) -> None:
        pass


def report(name: str, points: float | None, status: str = "wrong") -> dict[str, Any]:
    """Return a report with so many points in the first exercise; None for a rejection."""
    if points is None:
        return {"schema": 1, "submission": name, "notebook": None, "status": "rejected",
                "reason": "The file is not a notebook.", "score": 0, "max_score": 0,
                "seconds": 0.0, "sandbox": None, "exercises": [], "repairs": []}  # fmt: skip
    exercises = [
        exercise("90.1", points, 5, "passed" if points == 5 else status),
        exercise("90.2", 5, 5, "passed"),
    ]
    return {"schema": 1, "submission": name, "notebook": "90_fake", "status": "graded",
            "reason": None, "score": points + 5, "max_score": 10, "seconds": 0.5,
            "sandbox": "none", "exercises": exercises, "repairs": [], "seed": None}  # fmt: skip


def exercise(key: str, points: float, most: float, status: str) -> dict[str, Any]:
    """Return one exercise of a report."""
    passed = status == "passed"
    return {
        "id": key, "title": f"Title {key}", "points": points, "max_points": most,
        "status": status, "mistake": None if passed else "off-by-one",
        "feedback": "All checks passed." if passed else "Count from <0> & up.",
        "checks": [{"label": "values", "hidden": False, "passed": passed,
                    "message": None if passed else "Expected 1.", "points": points,
                    "max_points": most}],
    }  # fmt: skip


def solution_bytes(checks: dict[str, str] | None = None, answer: str = "x = 1") -> bytes:
    """Return a small solution notebook with two exercises, whose checks can be varied."""
    value = {"schema": 1, "exercise": "", "label": "x", "kind": "int", "data": 1, "shape": []}
    cells = [_cell("given", "90", "import math")]
    for key in EXERCISES:
        cells.append(_cell("answer", key, answer if key == "90.1" else "y = 2"))
        shown = [{"output_type": "display_data", "metadata": {}, "data": {
            "application/vnd.ffcourse.value+json": {**value, "exercise": key}}}]  # fmt: skip
        source = (checks or {}).get(key, "emit('x', x)")
        cells.append(_cell("check", key, f"%%check {key}\n{source}", shown, points=5))
    meta = {"ffcourse": {"schema": 1, "notebook": "90_fake", "chapter": "90"}}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": meta, "cells": cells}
    ).encode()


def _cell(role: str, key: str, source: str, outputs: Any = (), **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {"ffcourse": {"exercise": key, "role": role, **more}},
            "source": source, "outputs": list(outputs), "execution_count": 1}  # fmt: skip


def submission(points: int, extra: str = "") -> str:
    """Return a notebook that the fake grader gives so many points in the first exercise."""
    cells = [_cell("answer", "90.1", f"{extra}\npoints = {points}")]
    meta = {"ffcourse": {"notebook": "90_fake"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": meta, "cells": cells})
