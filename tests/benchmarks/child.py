"""One contender in a process of its own, that runs steps when told to.

Each contender has its own process because their pools of threads disturb one another: after a
product, idle threads keep turning for a while, on the cores that the next contender wants. Only our
process imports ffcourse, which changes what malloc does (``ffcourse/nn/buffers.py``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from typing import Any, Self

from tests.benchmarks.rows import Row, all_rows
from tests.benchmarks.timing import Step

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Child:
    """The parent's end: starts the process, asks for measurements."""

    def __init__(self, contender: str, threads: int) -> None:
        env = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.child", contender],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, order: str, **what: Any) -> Any:
        """Send an order, return the answer."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"order": order, **what}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the benchmark process died; it was asked to {order} {what}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.communicate(timeout=30)  # closes its input, at which it ends


def seconds(step: Step, calls: int) -> float:
    """Return seconds per call; one call before is not counted, to warm the caches.

    With one thread it is the processor's time, in which other programs have no part. With more,
    it must be the time on the wall.
    """
    clock = time.process_time if os.environ["OMP_NUM_THREADS"] == "1" else time.perf_counter
    step()
    started = clock()
    for _ in range(calls):
        step()
    return (clock() - started) / calls


def memory() -> tuple[float, float]:
    """Return resident memory now, and at its peak so far, in megabytes."""
    import psutil

    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):  # Windows
        peak = info.peak_wset
    else:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return info.rss / 1e6, peak / 1e6


def build(row: Row, contender: str) -> Step:
    """Build the step of a contender, or the matrix products of the row alone."""
    if contender == "products":
        assert row.products is not None
        return row.products()
    if contender == "ours":
        share_products(row.shared)
    return row.steps[contender]()


def share_products(shared: bool) -> None:
    """Give NumPy's products as many threads as ``Trainer.fit`` would."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(int(os.environ["OMP_NUM_THREADS"]) if shared else 1, user_api="blas")


def answer(request: dict[str, Any], contender: str, state: dict[str, Any]) -> Any:
    """Do what the parent wants."""
    if request["order"] == "build":
        row = next(r for r in all_rows() if r.name == request["row"])
        state["step"] = build(row, contender)
        for _ in range(3):  # buffers, caches, lazy initialisation
            state["step"]()
        return seconds(state["step"], 3)
    if request["order"] == "run":
        return seconds(state["step"], request["calls"])
    assert request["order"] == "memory"
    return memory()


def main() -> None:
    """Answer requests, one JSON object a line, until there are no more."""
    contender = sys.argv[1]
    warnings.simplefilter("ignore")  # scikit-learn warns that one step is not enough
    if contender == "pytorch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if contender == "sklearn":
        import sklearn.neural_network  # noqa: F401
    state: dict[str, Any] = {}
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), contender, state)), flush=True)


if __name__ == "__main__":
    main()
