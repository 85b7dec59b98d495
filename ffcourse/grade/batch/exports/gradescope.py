"""A Gradescope ``results.json``: the score, and what each exercise says."""

from __future__ import annotations

import json
from typing import Any


def gradescope_json(report: dict[str, Any]) -> str:
    """Return the JSON that a Gradescope autograder writes to ``/autograder/results``.

    Parameters
    ----------
    report : dict
        The JSON of one submission. Hidden checks are in it only as their written hints.
    """
    if report["status"] != "graded":
        data: dict[str, Any] = {
            "score": report["score"],
            "output": "\n".join([str(report["reason"]), *report.get("notes", [])]),
            "output_format": "text",
            "visibility": "visible",
            "tests": [],
        }
    else:
        data = {
            "score": report["score"],
            "execution_time": max(1, round(report["seconds"])),
            "output": "\n".join([*report.get("notes", []), *report.get("repairs", [])]),
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "tests": [_test(e) for e in report["exercises"]],
            "extra_data": {"notebook": report["notebook"], "sandbox": report["sandbox"]},
        }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _test(exercise: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": exercise["id"],
        "name": exercise.get("title") or exercise["id"],
        "score": exercise["points"],
        "max_score": exercise["max_points"],
        "status": "passed" if exercise["status"] == "passed" else "failed",
        "output": exercise["feedback"],
        "output_format": "text",
        "visibility": "visible",
    }
