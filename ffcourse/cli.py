"""The command ``ffcourse``: finds an environment to work in, then hands over to the part asked for.

Everything here runs on the standard library alone; parts are imported when their verb is called.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ffcourse import __version__
from ffcourse.environment import SetupError, enter


@dataclass(frozen=True)
class Verb:
    """One word after ``ffcourse``: where it lives, what it needs and what it does."""

    module: str
    help: str
    extras: tuple[str, ...] = ()
    pass_name: bool = False  # several verbs share one module and are told apart by name


VERBS = {
    "lab": Verb("ffcourse.lab", "open the course in JupyterLab (options go to JupyterLab)"),
    "test": Verb("ffcourse.testing", "run all tests (options go to pytest)", extras=("test",)),
    "check": Verb("ffcourse.learn.command", "check an exercise notebook", pass_name=True),
    "progress": Verb("ffcourse.learn.command", "show how far you are", pass_name=True),
    "reset": Verb("ffcourse.workspace", "start an exercise (01.2) or a notebook (01) afresh"),
    "grade": Verb("ffcourse.grade.command", "grade submissions (teachers)"),
    "report": Verb("ffcourse.grade.report_command", "report on a graded class (teachers)"),
    "author": Verb("ffcourse.author.command", "make and check notebooks (authors)"),
}


def usage() -> str:
    """Return the help text."""
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {verb.help}" for name, verb in VERBS.items()]
    return "\n".join(
        [
            f"ffcourse {__version__}: from one neuron to the feedforward layer of a language model",
            "",
            "usage: python3 -m ffcourse VERB [options]",
            "",
            *lines,
            "",
            "`python3 -m ffcourse VERB --help` tells the options of a verb.",
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns
    -------
    int
        The exit status: 0 when all went well, 2 for a wrong call or an unusable environment,
        otherwise whatever the verb says.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if args[0] in ("-V", "--version"):
        print(f"ffcourse {__version__}")
        return 0
    name, rest = args[0], args[1:]
    verb = VERBS.get(name)
    if verb is None:
        print(
            f"ffcourse: there is no verb {name!r}; use one of: {', '.join(VERBS)}.", file=sys.stderr
        )
        return 2
    try:
        enter(args, extras=verb.extras)
    except SetupError as error:
        print(f"ffcourse: {error}", file=sys.stderr)
        return 2
    run = importlib.import_module(verb.module).main
    return int(run([name, *rest] if verb.pass_name else rest))
