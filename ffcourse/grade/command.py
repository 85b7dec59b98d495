"""``ffcourse grade PATH…``: grade notebooks, print the reports, write JSON, CSV or HTML.

Single files are graded and told about; a folder, or anything that concerns a class (a roster,
a gradebook, an export), goes through the gradebook: see `ffcourse.grade.batch.command`.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ffcourse.grade.batch.options import (
    add_export_options,
    add_gradebook_options,
    export_fault,
    pairs,
    rule_settings,
)
from ffcourse.grade.limits import Limits
from ffcourse.grade.report import rejection, totals
from ffcourse.workspace import replace

GRADED, SOME_REJECTED, WRONG_CALL = 0, 1, 2
_CLASS_OPTIONS = ("db", "roster", "due", "late", "keep", "format", "feedback", "again", "override",
                  "cluster", "names", "times")  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``ffcourse grade``."""
    p = argparse.ArgumentParser(
        prog="ffcourse grade",
        description="Grade exercise notebooks, each in a sandbox of its own. Folders and classes "
        "go into a gradebook; the same command, given again, goes on where it stopped.",
    )
    p.add_argument("paths", nargs="*", metavar="PATH", help="a notebook, or a folder of them")
    p.add_argument("--solutions", type=Path, metavar="DIR", help="a folder, a solution or a bundle")
    p.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the results as JSON (- for standard output)",
    )
    p.add_argument("--html", type=Path, metavar="FILE", help="write the feedback as a page")
    p.add_argument("--seed", type=int, metavar="N", help="draw fresh inputs, the same for all")
    p.add_argument("--trusted", action="store_true", help="grade even without walls for files")
    p.add_argument("--jobs", type=int, metavar="N", help="how many at the same time")
    p.add_argument("--seconds", type=float, metavar="S", help="processor seconds for one cell")
    p.add_argument("--quiet", action="store_true", help="print only the totals")
    add_export_options(p)
    group = p.add_argument_group("classes")
    add_gradebook_options(group)
    group.add_argument("--names", metavar="SCHEME", help="how file names tell who handed in")
    group.add_argument("--times", type=Path, metavar="CSV", help="when each was handed in")
    group.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler to grade on")
    group.add_argument("--again", action="append", metavar="STUDENT", help="grade once more")
    group.add_argument(
        "--override", action="append", metavar="STUDENT:EXERCISE=POINTS", help="set a mark by hand"
    )
    group.add_argument("--reason", metavar="TEXT", help="of --again or --override; it is kept")
    group.add_argument("--by", metavar="NAME", default="", help="who decided it")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all were graded, 1 if one was not, 2 for a wrong call."""
    try:
        options = parser().parse_args(argv)
        fault = _fault(options)
        if fault:
            print(f"ffcourse grade: {fault}", file=sys.stderr)
            return WRONG_CALL
    except SystemExit as stop:
        return int(stop.code or 0)
    # With a "-" among the files, standard output is for it alone; people read the other one.
    options.output = sys.stdout
    with contextlib.redirect_stdout(sys.stderr if _outputs(options) else sys.stdout):
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    from ffcourse.grade.service import GraderError, end_ahead

    try:
        if options.paths and not options.cluster:
            _start_ahead(options)
        if is_class(options):
            from ffcourse.grade.batch.command import grade_class

            return grade_class(options)
        reports = grade_all(options)
    except GraderError as error:
        print(f"ffcourse grade: {error}", file=sys.stderr)
        return SOME_REJECTED
    finally:
        end_ahead()
    try:
        write_outputs(options, reports)
    except OSError as error:
        about = f" ({error.filename})" if error.filename else ""
        print(f"ffcourse grade: cannot write: {error.strerror or error}{about}.", file=sys.stderr)
        return WRONG_CALL
    return GRADED if all(r["status"] == "graded" for r in reports) else SOME_REJECTED


def _start_ahead(options: argparse.Namespace) -> None:
    """Let the workers get ready while the gradebook and what it needs are loaded."""
    from ffcourse.grade.service import start_ahead

    jobs = options.jobs or (processors() if is_class(options) else 1)
    start_ahead(
        min(jobs, sum(1 for _ in notebooks(options.paths))), options.solutions,
        trusted=options.trusted, limits=limits_of(options),
    )  # fmt: skip


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def is_class(options: argparse.Namespace) -> bool:
    """Whether a call concerns a class: a folder, or an option that needs the gradebook."""
    asked = any(getattr(options, name) for name in _CLASS_OPTIONS)
    return asked or any(Path(path).is_dir() for path in options.paths)


def _fault(options: argparse.Namespace) -> str | None:
    if options.solutions is not None and not options.solutions.exists():
        return f"--solutions {options.solutions}: there is no such file or folder."
    if options.jobs is not None and options.jobs < 1:
        return f"--jobs must be 1 or more, got {options.jobs}."
    if options.seconds is not None and not 0 < options.seconds < 1e6:
        return f"--seconds must be more than 0, got {options.seconds:g}."
    if len(_outputs(options)) > 1:
        return f"only one of {' and '.join(_outputs(options))} can go to standard output (-)."
    if options.seed is not None and options.seed < 0:
        return f"--seed must be 0 or more, got {options.seed}."
    if (options.again or options.override) and not (options.reason or "").strip():
        return "--again and --override need a --reason, which is kept with the mark."
    if not options.paths and not options.override:
        return "name a notebook or a folder to grade."
    if options.paths and not list(notebooks(options.paths)):
        return f"no notebook (.ipynb) found in {', '.join(options.paths)}."
    try:
        rule_settings(options)
        pairs(options.title, "--title")
    except ValueError as error:
        return str(error)
    return export_fault(options)


def _outputs(options: argparse.Namespace) -> list[str]:
    """Return the options whose file is standard output."""
    names = ["json", "html"] + ([] if options.format else ["csv"])
    return [f"--{name}" for name in names if str(getattr(options, name)) == "-"]


def notebooks(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the files to grade: those named, and every .ipynb below a named folder."""
    from ffcourse.grade.batch.collect import notebook_files

    for path, _ in notebook_files(paths):
        yield path


def limits_of(options: argparse.Namespace) -> Limits:
    """Return the limits that the options ask for."""
    if options.seconds is None:
        return Limits()
    return Limits(cell_seconds=options.seconds, cell_wall=3 * options.seconds)


def grade_all(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Grade every notebook, in order, printing each report when it is there."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import local

    from ffcourse.grade.feedback import headline, print_report
    from ffcourse.grade.service import Grader

    paths = list(notebooks(options.paths))
    own = local()
    graders: list[Grader] = []

    def grade(path: Path) -> dict[str, Any]:
        if path.is_symlink():
            words = "This is a symbolic link; hand in the file itself."
            return rejection(path.name, None, words, None)
        if not hasattr(own, "grader"):
            own.grader = Grader(
                options.solutions,
                seed=options.seed,
                trusted=options.trusted,
                limits=limits_of(options),
            )
            graders.append(own.grader)
        report: dict[str, Any] = own.grader.grade(path)
        return report

    reports = []
    try:
        with ThreadPoolExecutor(min(options.jobs or 1, len(paths))) as pool:
            for report in pool.map(grade, paths):
                reports.append(report)
                if options.quiet:
                    print(headline(report))
                else:
                    print_report(report)
    finally:
        for grader in graders:
            grader.close()
    return reports


def write_outputs(options: argparse.Namespace, reports: list[dict[str, Any]]) -> None:
    """Write the files that were asked for, each atomically, or to standard output for ``-``."""
    if options.json:
        data = reports[0] if len(reports) == 1 else totals(reports)
        _write(options, options.json, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    if options.csv and not options.format:
        _write(options, options.csv, _csv(reports))
    if options.html:
        from ffcourse.grade.feedback import html_page

        _write(options, options.html, html_page(reports))


def _write(options: argparse.Namespace, path: Path, text: str) -> None:
    # A file's name need not be UTF-8; what of it is not is written as an escape.
    data = text.encode("utf-8", "backslashreplace")
    if str(path) != "-":
        replace(path, data)
        return
    options.output.write(data.decode())
    options.output.flush()


def _csv(reports: list[dict[str, Any]]) -> str:
    import io

    columns = ["submission", "notebook", "status", "reason", "score", "max_score"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(reports)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
