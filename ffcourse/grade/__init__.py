"""Grading: assemble a submission, run it under nbval, judge the values, give feedback.

Light to import on purpose: each name is loaded where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ffcourse.grade.service import Grader, grade_submission

__all__ = ["Grader", "grade_submission"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ffcourse.grade import service

        return getattr(service, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
