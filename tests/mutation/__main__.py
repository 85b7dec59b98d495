"""Mutation testing from the command line; see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import queue
import random
import sys
import threading
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from tests.mutation.mutants import Mutant, mutants  # noqa: E402
from tests.mutation.runner import ROOT, SURVIVED, project_copy, run_tests, survives  # noqa: E402


def stages_for(file: str) -> list[list[str]]:
    """Return the test files to run: the file's own first, then all others of the part."""
    part, stem = Path(file).parts[-2], Path(file).stem
    everything = sorted(p.name for p in (ROOT / "tests").glob(f"test_{part}_*.py"))
    own = [f"test_{part}_{name}.py" for name in OWN_TESTS.get(f"{part}/{stem}", (stem,))]
    own += [f"test_{part}_parity.py", f"test_{part}_checks.py"]
    first = [name for name in own if name in everything]
    rest = [name for name in everything if name not in first]
    return [[f"tests/{name}" for name in stage] for stage in (first, rest) if stage]


# Where the tests of a file are, when they are not in test_PART_FILE.py.
OWN_TESTS = {
    "nn/functional": ("functional", "activations"),
    "nn/module": ("module", "linear"),
    "nn/cross_entropy": ("losses",),
    "nn/distill": ("losses",),
    "nn/penalties": ("losses",),
    "nn/batchnorm": ("norm",),
    "nn/dropout": ("norm",),
    "nn/lora": ("adapt",),
    "nn/quantize": ("adapt",),
    "nn/prune": ("adapt",),
    "nn/summary": ("module",),
    "nn/pool": ("conv",),
    "nn/lstm": ("recurrent",),
    "nn/gru": ("recurrent",),
    "nn/buffers": ("recurrent", "conv"),
    "nn/embedding": ("attention", "gpt"),
    "nn/feedforward": ("attention",),
    "nn/transformer": ("attention",),
    "train/sgd": ("optimizers",),
    "train/adam": ("optimizers",),
    "train/adagrad": ("optimizers",),
    "train/rmsprop": ("optimizers",),
    "train/optimizer": ("optimizers",),
    "train/pieces": ("optimizers",),
    "train/one_cycle": ("schedules",),
    "train/callbacks": ("trainer",),
    "train/checkpoint": ("trainer",),
    "train/history": ("trainer",),
    "train/metrics": ("trainer",),
    "train/passes": ("trainer", "threads", "progress"),
    "train/trainer": ("trainer", "nonfinite", "progress"),
    "train/watchdog": ("nonfinite", "trainer"),
}


def main() -> int:
    """Mutate the files named, print the kill rate and the survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="+", help="such as nn/linear.py or train/sgd.py")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sample", type=int, help="only so many mutants of each file")
    parser.add_argument("--lines", type=int, nargs="+", help="only mutants of these lines")
    parser.add_argument("--tests", nargs="+", help="test files, instead of those of the part")
    parser.add_argument("--quick", action="store_true", help="only the file's own tests")
    args = parser.parse_args()
    total = killed = 0
    for name in args.files:
        file = f"ffcourse/{name.removeprefix('ffcourse/')}"
        stages = [args.tests] if args.tests else stages_for(file)
        stages = stages[:1] if args.quick else stages
        found = list(mutants((ROOT / file).read_text(encoding="utf-8")))
        found = [m for m in found if not args.lines or m.line in args.lines]
        if args.sample and args.sample < len(found):
            found = sorted(random.Random(0).sample(found, args.sample), key=lambda m: m.line)
        left = mutate_file(file, found, stages, args.jobs)
        total, killed = total + len(found), killed + len(found) - len(left)
        print(f"{name}: {len(found) - len(left)} of {len(found)} killed", flush=True)
        for m in left:
            print(f"  line {m.line}, {m.kind}:\n    - {m.before}\n    + {m.after}", flush=True)
    print(f"\nkill rate: {killed} of {total} = {killed / max(total, 1):.1%}")
    return 0 if killed >= 0.95 * total else 1


def mutate_file(file: str, found: list[Mutant], stages: list[list[str]], jobs: int) -> list[Mutant]:
    """Return the mutants that the tests did not notice."""
    work: queue.Queue[Mutant] = queue.Queue()
    for mutant in found:
        work.put(mutant)
    left: list[Mutant] = []
    problems: list[BaseException] = []

    def worker() -> None:
        try:
            with project_copy() as folder:
                limit = baseline(folder, stages)
                while not problems:
                    mutant = work.get_nowait()
                    if survives(folder, file, mutant, stages, limit):
                        left.append(mutant)
                    print(f"  {work.qsize()} to go   ", end="\r", file=sys.stderr, flush=True)
        except queue.Empty:
            pass
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=worker) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return sorted(left, key=lambda m: m.line)


def baseline(folder: Path, stages: list[list[str]]) -> float:
    """Check that the tests pass without any mutant; return a generous time limit."""
    slowest = 0.0
    for tests in stages:
        status, seconds = run_tests(folder, tests, 600)
        if status != SURVIVED:
            raise SystemExit(f"These tests fail without any mutant: {' '.join(tests)}")
        slowest = max(slowest, seconds)
    return 20 + 5 * slowest


if __name__ == "__main__":
    raise SystemExit(main())
