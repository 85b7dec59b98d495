"""``ffcourse grade PATH…``: grade notebooks, print the reports, write JSON, CSV or HTML."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ffcourse.grade.limits import Limits
from ffcourse.grade.report import rejection, totals

GRADED, SOME_REJECTED, WRONG_CALL = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``ffcourse grade``."""
    p = argparse.ArgumentParser(
        prog="ffcourse grade", description="Grade exercise notebooks, each in a sandbox of its own."
    )
    p.add_argument("paths", nargs="+", metavar="PATH", help="a notebook, or a folder of them")
    p.add_argument("--solutions", type=Path, metavar="DIR", help="a folder, a solution or a bundle")
    p.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    p.add_argument("--csv", type=Path, metavar="FILE", help="write one line a submission")
    p.add_argument("--html", type=Path, metavar="FILE", help="write the feedback as a page")
    p.add_argument("--seed", type=int, metavar="N", help="draw fresh inputs, the same for all")
    p.add_argument("--trusted", action="store_true", help="grade even without walls for files")
    p.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at the same time")
    p.add_argument("--seconds", type=float, metavar="S", help="processor seconds for one cell")
    p.add_argument("--quiet", action="store_true", help="print only the totals")
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
    from ffcourse.grade.service import GraderError

    try:
        reports = grade_all(options)
    except GraderError as error:
        print(f"ffcourse grade: {error}", file=sys.stderr)
        return SOME_REJECTED
    write_outputs(options, reports)
    return GRADED if all(r["status"] == "graded" for r in reports) else SOME_REJECTED


def _fault(options: argparse.Namespace) -> str | None:
    if options.solutions is not None and not options.solutions.exists():
        return f"--solutions {options.solutions}: there is no such file or folder."
    if options.jobs < 1:
        return f"--jobs must be 1 or more, got {options.jobs}."
    if options.seed is not None and options.seed < 0:
        return f"--seed must be 0 or more, got {options.seed}."
    if not list(notebooks(options.paths)):
        return f"no notebook (.ipynb) found in {', '.join(options.paths)}."
    return None


def notebooks(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the files to grade: those named, and every .ipynb below a named folder."""
    for name in paths:
        path = Path(name)
        if not path.is_dir():
            yield path
            continue
        for found in sorted(path.rglob("*.ipynb")):
            if ".ipynb_checkpoints" not in found.parts:
                yield found


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
        with ThreadPoolExecutor(min(options.jobs, len(paths))) as pool:
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
    """Write the files that were asked for, each atomically."""
    if options.json:
        data = reports[0] if len(reports) == 1 else totals(reports)
        _write(options.json, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    if options.csv:
        _write(options.csv, _csv(reports))
    if options.html:
        from ffcourse.grade.feedback import html_page

        _write(options.html, html_page(reports))


def _csv(reports: list[dict[str, Any]]) -> str:
    import io

    columns = ["submission", "notebook", "status", "reason", "score", "max_score"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(reports)
    return out.getvalue()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


if __name__ == "__main__":
    sys.exit(main())
