"""What a learner calls in a notebook: predict, check, submit, quiz, progress.

Importing this inside IPython also registers the cell magics of solution notebooks
(``%%check``, ``%%truth``, ``%%stub``, ``%%mistake``, ``%%alternative``).
Kept light: widgets and the grader are imported only when they are used.
"""

from ffcourse.learn import magics as _magics
from ffcourse.learn.board import placement, progress
from ffcourse.learn.checking import check
from ffcourse.learn.emitting import check_rng, emit
from ffcourse.learn.mine import own
from ffcourse.learn.prompts import predict, reveal
from ffcourse.learn.quizzes import quiz
from ffcourse.learn.selfcheck import self_check
from ffcourse.learn.submitting import submit

__all__ = [
    "check",
    "check_rng",
    "emit",
    "own",
    "placement",
    "predict",
    "progress",
    "quiz",
    "reveal",
    "self_check",
    "submit",
]

_magics.register()
