"""Find or make the Python environment that the course runs in.

A suitable active environment is used as it is. Otherwise ``.venv`` beside the package is made,
``requirements.txt`` installed into it, and the same command started again inside it. A stamp in
``.venv`` remembers what was installed, so that a second start costs milliseconds.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(os.environ.get("FFCOURSE_ROOT") or Path(__file__).resolve().parent.parent)
VENV = ROOT / ".venv"
NETWORK_SIGNS = (
    "NewConnectionError",
    "Temporary failure in name resolution",
    "getaddrinfo failed",
    "Network is unreachable",
    "nodename nor servname",
    "Connection refused",
    "Read timed out",
    "Max retries exceeded",
)


class SetupError(Exception):
    """The environment can't be made; the message is one sentence that says why and what to do."""


def enter(args: Sequence[str], extras: tuple[str, ...] = ()) -> None:
    """Return if this interpreter can run the verb; otherwise start the command again where it can.

    Parameters
    ----------
    args : sequence of str
        The whole command line after ``ffcourse``, to start again with.
    extras : tuple of str
        Extras of ``pyproject.toml`` that the verb needs on top of the base.

    Raises
    ------
    SetupError
        If no environment can be found or made.
    """
    if not missing_packages(extras):
        return
    if not (ROOT / "requirements.txt").exists():  # an installed package, not a checkout
        names = ", ".join(missing_packages(extras))
        raise SetupError(f"these packages are missing here: {names}; install them with pip.")
    python = prepare(extras)
    if Path(sys.prefix).resolve() == VENV.resolve():
        return  # we are already inside, and what was missing has just been installed
    start_again(python, args)


def missing_packages(extras: tuple[str, ...] = ()) -> list[str]:
    """Return the requirements of ``pyproject.toml`` that this interpreter does not meet."""
    return [need for need in declared_requirements(extras) if not is_met(need)]


def declared_requirements(extras: tuple[str, ...] = ()) -> list[str]:
    """Return the direct requirements, from the checkout if there is one, else as installed."""
    pyproject = ROOT / "pyproject.toml"
    if pyproject.exists():
        import tomllib

        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        needs = list(project["dependencies"])
        for extra in extras:
            needs += project["optional-dependencies"][extra]
        return needs
    installed = metadata.requires("ffcourse") or []
    wanted = [need for need in installed if "extra ==" not in need]
    for extra in extras:
        wanted += [
            need.split(";")[0] for need in installed if re.search(f"extra == .{extra}", need)
        ]
    return wanted


def is_met(need: str) -> bool:
    """Tell whether a requirement such as ``numpy>=2.0`` is installed at that version or later."""
    match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([0-9.]+))?", need)
    if match is None:
        return True
    name, least = match.groups()
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return release(version) >= release(least or "0")


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version: ``"4.10.1rc1"`` becomes ``(4, 10, 1)``."""
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else (0,)


def prepare(extras: tuple[str, ...]) -> Path:
    """Make ``.venv`` and install what is needed there; return its interpreter."""
    requirements = ROOT / ("requirements-test.txt" if extras else "requirements.txt")
    python = venv_python()
    if python.exists() and stamp_is_current(requirements):
        return python
    check_can_make_venv()
    if not python.exists() or not runs(python):
        say(f"Making a Python environment in {VENV.name} (once) ...")
        make_venv()
    install(python, requirements)
    return python


def venv_python() -> Path:
    """Return where the interpreter of ``.venv`` is, on this system."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def runs(python: Path) -> bool:
    """Tell whether an interpreter starts and has pip; a half-made environment does not."""
    done = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    return done.returncode == 0


def check_can_make_venv() -> None:
    """Raise a clear error when this Python or this folder can't hold an environment."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise SetupError(
                f"this Python has no module {module!r}, which is needed to make an environment: "
                f"install it (on Debian and Ubuntu: sudo apt install "
                f"python3.{sys.version_info.minor}-venv) and run the command again."
            )
    try:
        with tempfile.TemporaryFile(dir=ROOT):
            pass
    except OSError as error:
        raise SetupError(
            f"the folder {ROOT} can't be written to ({error.strerror}): "
            "copy the course to a folder of your own and run the command there."
        ) from error


def make_venv() -> None:
    """Make an empty environment, replacing a broken one."""
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise SetupError(f"the environment {VENV} could not be made: {reason[0]}")


def install(python: Path, requirements: Path) -> None:
    """Install a requirements file and the course itself, with one progress line."""
    log = VENV / "install.log"
    total = sum(
        bool(re.match(r"[A-Za-z0-9]", line))
        for line in requirements.read_text(encoding="utf-8").splitlines()
    )
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    run_pip([*pip, "-r", str(requirements)], log, progress(total))
    # Installed, not only on the path: Jupyter and pytest find our plugins by their entry points.
    run_pip([*pip, "--no-deps", "-e", str(ROOT)], log, lambda _line: None)
    say("", end="\r")
    stamp(requirements).write_text(fingerprint(requirements), encoding="utf-8")
    if requirements.name == "requirements-test.txt":  # it holds the base as well
        base = ROOT / "requirements.txt"
        stamp(base).write_text(fingerprint(base), encoding="utf-8")


def progress(total: int) -> Callable[[str], None]:
    """Return a function that turns pip's output into one line that is written over."""
    seen: set[str] = set()

    def show(line: str) -> None:
        match = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9_.-]+)", line)
        if match:
            seen.add(match.group(1).split("==")[0].lower())
            text = f"Getting packages: {min(len(seen), total)} of about {total}"
        elif line.startswith("Installing collected packages"):
            text = "Installing the packages (a minute or two)"
        else:
            return
        if sys.stderr.isatty():
            say(f"\r{text:<60}", end="")
        elif line.startswith("Installing") or len(seen) in (1, total // 2):
            say(text)

    return show


def run_pip(command: list[str], log: Path, show: Callable[[str], None]) -> None:
    """Run pip, keep all it says in a log, and raise one clear sentence when it fails."""
    lines: list[str] = []
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            lines.append(line)
            show(line)
    if process.returncode == 0:
        return
    text = "".join(lines)
    if any(sign in text for sign in NETWORK_SIGNS):
        raise SetupError(
            "the packages could not be fetched because the network can't be reached: the first "
            "start needs it (later ones don't), so connect and run the same command again."
        )
    if "No space left on device" in text:
        raise SetupError("the disk is full: the course needs about 1 GB; make room and try again.")
    last = next((line.strip() for line in reversed(lines) if line.startswith("ERROR")), "see log")
    raise SetupError(f"pip could not install the packages ({last}); the whole story is in {log}.")


def stamp(requirements: Path) -> Path:
    """Return the file that remembers what was installed."""
    return VENV / f".installed-{requirements.stem}"


def fingerprint(requirements: Path) -> str:
    """Return what an installation depends on: the file, the Python, the place."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return f"{digest} {sys.version_info.major}.{sys.version_info.minor} {ROOT}"


def stamp_is_current(requirements: Path) -> bool:
    """Tell whether ``.venv`` holds what the requirements file asks for."""
    try:
        return stamp(requirements).read_text(encoding="utf-8") == fingerprint(requirements)
    except OSError:
        return False


def start_again(python: Path, args: Sequence[str]) -> None:
    """Run the same command in another interpreter and end with its exit status."""
    command = [str(python), "-m", "ffcourse", *args]
    environment = {**os.environ, "PYTHONPATH": python_path()}
    if os.name == "nt":  # exec on Windows returns to the shell before the program ends
        try:
            sys.exit(subprocess.run(command, env=environment, check=False).returncode)
        except KeyboardInterrupt:
            sys.exit(130)
    sys.stdout.flush()
    os.execve(python, command, environment)


def python_path() -> str:
    """Return ``PYTHONPATH`` with the course first, for the processes that we start."""
    rest = os.environ.get("PYTHONPATH")
    return str(ROOT) if not rest else f"{ROOT}{os.pathsep}{rest}"


def say(text: str, end: str = "\n") -> None:
    """Tell the user what is going on, on standard error."""
    print(text, end=end, file=sys.stderr, flush=True)
