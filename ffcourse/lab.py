"""Open the course in JupyterLab, on the learner's own copies."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ffcourse import workspace
from ffcourse.environment import python_path

START_PAGE = "chapters/00_welcome.ipynb"
CONFIG = Path(__file__).parent / "lab_config"


def main(argv: Sequence[str]) -> int:
    """Bring the copies up to date and start JupyterLab; options go to JupyterLab."""
    try:
        update = workspace.sync()
    except OSError as error:
        print(
            f"ffcourse: the folder {workspace.work()} can't be written to ({error.strerror}): "
            "make room or move the course to a folder of your own.",
            file=sys.stderr,
        )
        return 2
    for sentence in update.sentences():
        print(sentence, file=sys.stderr)
    port = asked_port(argv)
    if port is not None and is_busy(port):
        print(
            f"ffcourse: port {port} is in use (perhaps by another JupyterLab): "
            "choose another with --port, or leave --port out to get a free one.",
            file=sys.stderr,
        )
        return 2
    try:
        return subprocess.run(command(argv), env=environment(), check=False).returncode
    except KeyboardInterrupt:
        return 0


def command(argv: Sequence[str]) -> list[str]:
    """Return the command that starts JupyterLab at the welcome page."""
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        "--log-level=WARN",  # the address is printed all the same, without a wall of text
        f"--ServerApp.root_dir={workspace.work()}",
        f"--LabApp.default_url=/lab/tree/{START_PAGE}",
        *argv,
    ]


def environment() -> dict[str, str]:
    """Return the environment of the server: our package, our settings, nothing phoned out."""
    paths = [str(CONFIG), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {
        **threads(),
        **os.environ,
        "PYTHONPATH": python_path(),
        "JUPYTER_CONFIG_PATH": os.pathsep.join(paths),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "FFCOURSE_ROOT": str(workspace.root()),
    }


def threads() -> dict[str, str]:
    """Return the setting that gives the kernels' matrix products one thread, unless the user chose.

    Loops written by hand are not limited by anything else. Measured on two cores: with one thread
    the steps of networks up to 512 units wide are quicker, and those of 1024 units take a third
    longer; but where other programs want the cores as well, threads wait for one another, and a
    step takes 5 to 50 times as long with two. PyTorch has its own threads and is left alone.
    """
    chosen = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"} & os.environ.keys()
    return {} if chosen else {"OPENBLAS_NUM_THREADS": "1"}


def asked_port(argv: Sequence[str]) -> int | None:
    """Return the port that the options ask for, or None."""
    for i, option in enumerate(argv):
        name, _, value = option.partition("=")
        if name in ("--port", "--ServerApp.port"):
            text = value or (argv[i + 1] if i + 1 < len(argv) else "")
            return int(text) if text.isdigit() else None
    return None


def is_busy(port: int) -> bool:
    """Tell whether something listens on a port of this machine already."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
