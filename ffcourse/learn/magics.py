"""The cell magics of solution notebooks.

==================  ====================================================================
``%%check 01.2``        run the body, which emits values; in the grader too
``%%truth 01.6``        the same, for what only the judge may know; never sent to a learner
``%%stub 01.5``         what a learner starts from; only its syntax is looked at
``%%mistake 01.2 name``      a wrong answer: run it, then the exercise's checks, then undo
``%%alternative 01.2 name``  another right answer: the same
==================  ====================================================================

So the stored outputs of a solution notebook hold the values of the answer, of every
mistake and of every alternative, and a plain nbval run verifies all of them.
"""

from __future__ import annotations

import ast

from ffcourse.learn.emitting import (
    Recording,
    check_rng,
    emit,
    ipython,
    publish,
    recording,
)
from ffcourse.learn.history import watch
from ffcourse.learn.undo import undone

_seen_checks: dict[str, list[str]] = {}


def register() -> None:
    """Register the magics with the running IPython shell; do nothing outside IPython."""
    shell = ipython()
    if shell is None:
        return
    watch()
    for name, magic in _MAGICS.items():
        shell.register_magic_function(magic, "cell", name)


def _check(line: str, body: str) -> None:
    """Run a check and show the values it emits; an error is shown as a value and raised."""
    exercise = _words(line, "check", 1)[0]
    if body not in _seen_checks.setdefault(exercise, []):
        _seen_checks[exercise].append(body)
    _run_and_publish(exercise, None, body)


def _truth(line: str, body: str) -> None:
    """Emit what only the judge may know, such as hidden labels."""
    _run_and_publish(_words(line, "truth", 1)[0], "truth", body)


def _stub(line: str, body: str) -> None:
    """Look only at the syntax of what the learner starts from."""
    ast.parse(body, filename=f"stub {_words(line, 'stub', 1)[0]}")


def _mistake(line: str, body: str) -> None:
    """Run a named wrong answer and the exercise's checks, show the values, undo all of it."""
    _variant("mistake", line, body)


def _alternative(line: str, body: str) -> None:
    """Run another right answer and the exercise's checks, show the values, undo all of it."""
    _variant("alternative", line, body)


_MAGICS = {
    "check": _check,
    "truth": _truth,
    "stub": _stub,
    "mistake": _mistake,
    "alternative": _alternative,
}


def run_checks(exercise: str, bodies: list[str], variant: str | None = None) -> Recording:
    """Run check bodies in the learner's namespace; an error ends its own body only.

    Parameters
    ----------
    exercise : str
        Exercise id.
    bodies : list of str
        Source of each check cell, without its magic line.
    variant : str or None
        Tag of the emitted values.

    Returns
    -------
    Recording
        The payloads: values, and one of kind "error" where a body raised.
    """
    for name, tool in (("emit", emit), ("check_rng", check_rng)):
        ipython().user_ns.setdefault(name, tool)
    with recording(exercise, variant) as record:
        for body in bodies:
            try:
                _execute(body, f"check {exercise}")
            except (Exception, SystemExit) as error:
                record.add_error(error)
    return record


def _run_and_publish(exercise: str, variant: str | None, body: str) -> None:
    with recording(exercise, variant) as record:
        failure: BaseException | None = None
        try:
            _execute(body, f"{variant or 'check'} {exercise}")
        except BaseException as error:  # an interrupt too: show what came before it
            record.add_error(error)
            failure = error
    publish(record.payloads)
    if failure is not None:
        raise failure


def _variant(kind: str, line: str, body: str) -> None:
    exercise, name = _words(line, kind, 2)
    checks = _seen_checks.get(exercise)
    if not checks:
        raise ValueError(f"%%{kind} {exercise} {name}: run the exercise's %%check cells first")
    variant = f"{kind}:{name}"
    with undone(ipython().user_ns):
        with recording(exercise, variant) as record:
            try:
                _execute(body, f"{kind} {name}")
            except (Exception, SystemExit) as error:
                record.add_error(error)
        if not record.payloads:
            record = run_checks(exercise, checks, variant)
    publish(record.payloads)


def _execute(body: str, name: str) -> None:
    """Run source in the notebook's namespace; the name appears in tracebacks."""
    shell = ipython()
    source = shell.transform_cell(body)
    exec(compile(source, f"<{name}>", "exec"), shell.user_ns)


def _words(line: str, magic: str, count: int) -> list[str]:
    words = line.split()
    if len(words) != count:
        form = "NN.k" if count == 1 else "NN.k name"
        raise ValueError(f"write %%{magic} {form}; got '%%{magic} {line}'")
    return words


def seen_checks(exercise: str) -> list[str]:
    """Return the check bodies of an exercise that this kernel has run, in order."""
    return list(_seen_checks.get(exercise, []))


def forget() -> None:
    """Forget all check bodies seen; for tests."""
    _seen_checks.clear()
