"""The table of training steps: ``python -m tests.benchmarks``; see README.md beside this file."""

from __future__ import annotations

import argparse
import platform
from contextlib import ExitStack
from functools import partial

from tests.benchmarks.child import Child
from tests.benchmarks.rows import CONTENDERS, Row, all_rows
from tests.benchmarks.timing import Timing, take_turns

PAUSE = 0.05  # OpenBLAS's and OpenMP's idle threads turn for some 30 ms before they sleep


def main() -> None:
    """Measure, and print as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--only", default="", help="rows whose name holds this, such as MLP")
    parser.add_argument("--no-memory", action="store_true", help="leave out the peak memory")
    args = parser.parse_args()
    rows = [row for row in all_rows() if args.only in row.name]
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}\n")
    for threads in args.threads:
        print_times(rows, threads, args.rounds)
    if not args.no_memory:
        print_memory(rows)


def print_times(rows: list[Row], threads: int, rounds: int) -> None:
    """Print a table of times, for so many threads."""
    print(f"## {threads} thread{'s' * (threads > 1)}\n")
    print("How many times as long as ours; median and quartiles of paired rounds.\n")
    print("| training step | ours | PyTorch | scikit-learn | bare NumPy | in products |")
    print("|---|---|---|---|---|---|", flush=True)
    with ExitStack() as stack:
        names = (*CONTENDERS, "products")
        children = {name: stack.enter_context(Child(name, threads)) for name in names}
        for row in rows:
            taking_part = {name: children[name] for name in row.steps}
            if row.products is not None:
                taking_part["products"] = children["products"]
            print(line_of(row, measure(row, taking_part, threads, rounds)), flush=True)
    print()


def measure(row: Row, children: dict[str, Child], threads: int, rounds: int) -> dict[str, Timing]:
    """Let the contenders of a row take turns."""
    first = {name: child.ask("build", row=row.name) for name, child in children.items()}
    run = {name: partial(run_in, child) for name, child in children.items()}
    return take_turns(run, first, rounds, pause=PAUSE if threads > 1 else 0.0)


def run_in(child: Child, calls: int) -> float:
    """Return the seconds of one call, measured over so many."""
    seconds: float = child.ask("run", calls=calls)
    return seconds


def line_of(row: Row, times: dict[str, Timing]) -> str:
    """Format a line; a goal that was missed is marked."""
    ours = times["ours"]
    cells = [row.name, f"{ours.median * 1e6:,.0f} µs"]
    goals = {"pytorch": row.goal, "bare": 1 / 1.15}
    for name in ("pytorch", "sklearn", "bare"):
        if name not in times:
            cells.append("")
            continue
        middle, low, high = times[name].over(ours)
        missed = " ✗" if middle < goals.get(name, 0.0) else ""
        cells.append(f"{middle:.2f} ({low:.2f}-{high:.2f}){missed}")
    cells.append(f"{times['products'].over(ours)[0]:.0%}" if "products" in times else "")
    return f"| {' | '.join(cells)} |"


def print_memory(rows: list[Row]) -> None:
    """Print a table of peak memory, each contender of each row in a fresh process."""
    print("## Peak memory, one thread\n")
    print("In all, and above what the process had when it had imported everything.\n")
    print("| training step | ours | PyTorch |")
    print("|---|---|---|", flush=True)
    for row in rows:
        cells = [row.name]
        for contender in ("ours", "pytorch"):
            with Child(contender, 1) as child:
                before, _ = child.ask("memory")
                child.ask("build", row=row.name)
                child.ask("run", calls=20)
                _, peak = child.ask("memory")
            cells.append(f"{peak:.0f} MB (+{peak - before:.0f})")
        print(f"| {' | '.join(cells)} |", flush=True)
    print()


if __name__ == "__main__":
    main()
