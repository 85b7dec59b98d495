"""``ffcourse author VERB``: the authors' tools. Every verb can be repeated without harm."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ffcourse.author import notebook as nb
from ffcourse.author.solution import solutions
from ffcourse.workspace import root


def main(argv: Sequence[str]) -> int:
    """Run one verb.

    Returns
    -------
    int
        0 when all is well, 1 when something is found or fails, 2 for a wrong call.
    """
    options = _parser().parse_args(list(argv))
    try:
        status: int = options.run(options)
    except (ValueError, OSError, LookupError) as error:
        print(f"ffcourse author: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ffcourse author", description="Make and check the course's notebooks."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    new = _verb(verbs, "new", _new, "write the skeleton of a chapter and its exercises")
    new.add_argument("key", help="number and topic, such as 03_layer")
    for name, run, text in [
        ("run", _run, "run chapters and solutions, store their outputs"),
        ("generate", _generate, "make exercises/ from solutions/"),
        ("nav", _nav, "write the navigation lines, the course map and the README's table"),
        ("check", _check, "hold notebooks to the limits of style"),
        ("mutants", _mutants, "change reference answers and see whether the checks notice"),
        ("seeds", _seeds, "draw other inputs and see whether the checks stay fair"),
    ]:
        verb = _verb(verbs, name, run, text)
        verb.add_argument("names", nargs="*", metavar="NN", help="01 or 01_neuron; all by default")
        if name == "seeds":
            verb.add_argument("--seeds", type=int, default=20, metavar="N", help="20 by default")
        if name in ("generate", "nav"):
            verb.add_argument("--check", action="store_true", help="change nothing, only look")
    release = _verb(verbs, "release", _release, "make a course folder without solutions")
    release.add_argument("folder", type=Path)
    release.add_argument("names", nargs="*", metavar="NN", help="01 or 01_neuron; all by default")
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    made = verbs.add_parser(name, help=text, description=text.capitalize() + ".")
    made.set_defaults(run=run)
    return made


def _new(options: argparse.Namespace) -> int:
    from ffcourse.author.new import create

    for path in create(options.key):
        print(f"wrote {path.relative_to(root())}")
    return 0


def _run(options: argparse.Namespace) -> int:
    from ffcourse.author.run import RunError, run

    failed = 0
    for path in _asked([*nb.find("chapters"), *solutions()], options.names):
        try:
            run(path, say=lambda line: print(line, flush=True))
        except RunError as error:
            failed += 1
            print(f"{path.name}: not stored. {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def _generate(options: argparse.Namespace) -> int:
    from ffcourse.author.generate import generate

    changed = generate(_asked(solutions(), options.names), check=options.check)
    for path in changed:
        print(f"{'out of step' if options.check else 'wrote'}: exercises/{path.name}")
    return 1 if changed and options.check else 0


def _nav(options: argparse.Namespace) -> int:
    from ffcourse.author.course_map import update_readme
    from ffcourse.author.navigation import update

    asked = _asked([*nb.find("chapters"), *nb.find("exercises")], options.names)
    changed = [path for path in asked if update(path, check=options.check)]
    if not options.names:
        changed += update_readme(check=options.check)
    for path in changed:
        place = path.relative_to(root()).as_posix()
        print(f"{'out of step' if options.check else 'wrote'}: {place}")
    return 1 if changed and options.check else 0


def _check(options: argparse.Namespace) -> int:
    from ffcourse.author.gates import exercise_faults
    from ffcourse.author.style import chapter_faults

    faults = []
    for path in _asked([*nb.find("chapters"), *solutions()], options.names):
        look = chapter_faults if path.parent.name == "chapters" else exercise_faults
        faults += [f"{path.parent.name}/{path.name}: {fault}" for fault in look(path)]
    print("\n".join(faults) if faults else "nothing to mend")
    return 1 if faults else 0


def _mutants(options: argparse.Namespace) -> int:
    from ffcourse.author.mutation import report

    return report(_asked(solutions(), options.names))


def _seeds(options: argparse.Namespace) -> int:
    from ffcourse.author.seeds import report

    return report(_asked(solutions(), options.names), options.seeds)


def _release(options: argparse.Namespace) -> int:
    from ffcourse.author.release import release

    for path in release(options.folder, _asked(solutions(), options.names)):
        print(f"wrote {path}")
    return 0


def _asked(paths: list[Path], names: list[str]) -> list[Path]:
    """Return the notebooks that were asked for; all if none was named."""
    if not names:
        return paths
    found = [path for path in paths if any(nb.wanted(path.stem, name) for name in names)]
    if not found:
        raise LookupError(f"there is no notebook {' or '.join(names)} here")
    return found
