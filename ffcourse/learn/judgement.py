"""Talk to the judge, which lives in a process of its own.

Expected values never enter the kernel that runs a learner's code. The child,
``python -m ffcourse.grade.visible``, knows the visible references only; it reads and
writes one JSON object a line:

1. we send ``{"exercise": "01.2"}``;
   it answers ``{"checks": [{"label": …, "source": …}, …]}`` or ``{"error": sentence}``;
2. we send ``{"emitted": [[payload, …], …], "answer": source or null}``, one list a check;
   it answers with the exercise's result (see DESIGN.md: id, status, checks, mistake,
   feedback).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from ffcourse.learn import store

Payloads = list[dict[str, Any]]


class JudgeError(Exception):
    """The judge could not answer; the message is for the learner."""


def visible_verdict(
    exercise: str, run: Callable[[list[str]], list[Payloads]], answer: str | None
) -> dict[str, Any]:
    """Run an exercise's visible checks and have them judged.

    Parameters
    ----------
    exercise : str
        Exercise id.
    run : callable
        Gets the source of each visible check; returns the payloads of each.
    answer : str or None
        The learner's answer cell, if known: an untouched stub is "not attempted".

    Returns
    -------
    dict
        The exercise's result.

    Raises
    ------
    JudgeError
        If there is no such exercise, or the judge does not answer.
    """
    child = _child()
    try:
        asked = _ask(child, {"exercise": exercise})
        emitted = run([check["source"] for check in asked["checks"]])
        return _ask(child, {"emitted": emitted, "answer": answer})
    finally:
        _end(child)


def _end(child: subprocess.Popen[str]) -> None:
    """Let the judge go; it ends when its input does."""
    for pipe in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):  # it may be gone already
            if pipe is not None:
                pipe.close()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _child() -> subprocess.Popen[str]:
    environment = {**os.environ, "FFCOURSE_ROOT": str(store.project_root())}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [package_folder(), os.environ.get("PYTHONPATH")])
    )
    return subprocess.Popen(
        [sys.executable, "-m", "ffcourse.grade.visible"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        cwd=store.project_root(),  # not the learner's folder: a file there could shadow a module
    )


def package_folder() -> str:
    """Return the folder that holds the installed package."""
    import ffcourse

    return os.path.dirname(os.path.dirname(os.path.abspath(str(ffcourse.__file__))))


def _ask(child: subprocess.Popen[str], request: dict[str, Any]) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
        answer = json.loads(line)
    except (OSError, ValueError) as error:
        raise JudgeError("the judge did not answer; run the cell again") from error
    if not isinstance(answer, dict):
        raise JudgeError("the judge did not answer; run the cell again")
    if "error" in answer:
        raise JudgeError(str(answer["error"]))
    return answer
