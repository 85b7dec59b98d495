"""Run the whole test suite: unit, gradient, parity, notebooks, graders, browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from ffcourse import workspace
from ffcourse.environment import python_path


def main(argv: Sequence[str]) -> int:
    """Run pytest from the folder of the course; options go to pytest."""
    # NumPy's own threads fight with parallel kernels on small machines, and gain nothing here.
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    environment["PYTHONPATH"] = python_path()
    command = [sys.executable, "-m", "pytest", *argv]
    return subprocess.run(command, cwd=workspace.root(), env=environment, check=False).returncode
