"""``python -m ffcourse.grade.start``: the grader's own process, from its first moment on.

It puts up the walls and starts the program behind them before it imports anything slow, so
that both get ready at the same time: the kernels' imports there, pytest and nbval here.
Then `ffcourse.grade.worker` reads requests from the input and answers them, in JSON lines.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.sandbox.nursery import KernelStartError, Source, open_source
from ffcourse.grade.sandbox.paths import readable_paths, system_paths
from ffcourse.grade.sandbox.pick import NoWallsError, Walls, choose
from ffcourse.grade.sandbox.sweep import sweep


@dataclass
class Start:
    """The walls, and the source of kernels behind them, which is getting ready."""

    walls: Walls
    nursery: Source


def begin(options: dict[str, Any]) -> Start:
    """Put up the walls.

    Raises
    ------
    NoWallsError
        When there are none that are good enough.
    """
    walls = choose(bool(options["trusted"]), options.get("sandbox"))
    return Start(walls, open_source(walls, _hidden(options), Limits(**options["limits"])))


def _hidden(options: dict[str, Any]) -> list[Path]:
    """Return the folders with solutions: those asked for, and in any case the project's."""
    from ffcourse.workspace import root

    named = options["solutions"] or os.environ.get("FFCOURSE_SOLUTIONS")
    found = [root() / name for name in ("solutions", "bundles")]
    if named:
        place = Path(named)
        found.insert(0, place.parent if place.is_file() else place)
    return [folder.resolve() for folder in found if folder.is_dir()]


def hides(hidden: list[Path], folder: Path) -> bool:
    """Whether walls that hide some folders keep this one from the kernels, too."""
    place = folder.resolve()
    readable = [path.resolve() for path in (*system_paths(), *readable_paths())]
    if not any(place.is_relative_to(path) for path in readable):
        return True
    return any(place.is_relative_to(path) for path in hidden)


def main(argv: list[str]) -> int:
    """Serve until the input ends.

    The argument is what is known of the options, in JSON; the first line has all of them.
    """
    # Ctrl-C in the terminal reaches this process, too. It is the parent that decides: it closes
    # the input. (A handler that does nothing, since an ignored signal would be inherited.)
    signal.signal(signal.SIGINT, lambda *_: None)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing printed here may look like an answer
    try:
        start = begin(json.loads(argv[0]))
    except (NoWallsError, KernelStartError) as error:
        sys.stdin.readline()
        for _ in sys.stdin:
            out.write(json.dumps({"refused": str(error)}) + "\n")
            out.flush()
        return 0
    from ffcourse.grade.worker import serve

    serve(start, sys.stdin, out)
    with contextlib.suppress(OSError):
        out.close()
    with contextlib.suppress(Exception):  # tidying up after others is no reason to fail
        sweep()
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)  # nothing is left to tidy, and taking down the interpreter costs a moment
