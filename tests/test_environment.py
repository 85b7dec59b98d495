"""Setting up: what is suitable, and one clear sentence for everything that can go wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ffcourse import cli, environment, lab


def test_the_requirements_of_this_test_run_are_met() -> None:
    assert environment.missing_packages() == []


@pytest.mark.parametrize(
    ("need", "met"),
    [
        ("numpy>=1.0", True),
        ("numpy>=99", False),
        ("no-such-package-here>=1", False),
        ("numpy", True),
    ],
)
def test_is_met(need: str, met: bool) -> None:
    assert environment.is_met(need) is met


def test_versions_are_compared_as_numbers() -> None:
    assert environment.release("4.10.1rc1") == (4, 10, 1)
    assert environment.release("4.10") > environment.release("4.9")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty course folder on a machine that lacks every package."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "missing_packages", lambda extras=(): ["numpy"])
    (tmp_path / "requirements.txt").write_text("numpy==2.0\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_without_venv_the_sentence_tells_what_to_install(
    bare: Path, module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = environment.importlib.util.find_spec
    monkeypatch.setattr(
        environment.importlib.util, "find_spec", lambda n: None if n == module else real(n)
    )
    assert cli.main(["lab"]) == 2
    error = capsys.readouterr().err
    assert repr(module) in error
    assert "apt install" in error


def test_a_read_only_folder_is_named(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(environment.tempfile, "TemporaryFile", refuse)
    assert cli.main(["lab"]) == 2
    assert f"the folder {bare} can't be written to (Permission denied)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        (
            "NewConnectionError: Temporary failure in name resolution",
            "the network can't be reached",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: No matching distribution found for numpy==2.0", "No matching distribution"),
    ],
)
def test_when_pip_fails_the_sentence_tells_why(bare: Path, pip_says: str, sentence: str) -> None:
    program = f"import sys; print({pip_says!r}); sys.exit(1)"
    with pytest.raises(environment.SetupError, match=sentence):
        environment.run_pip([sys.executable, "-c", program], bare / "log", lambda _line: None)
    assert pip_says in (bare / "log").read_text(encoding="utf-8")


def test_a_half_made_environment_is_made_again(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = environment.venv_python()
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    steps: list[str] = []
    monkeypatch.setattr(environment, "runs", lambda _python: False)
    monkeypatch.setattr(environment, "make_venv", lambda: steps.append("make"))
    monkeypatch.setattr(environment, "install", lambda *_args: steps.append("install"))
    environment.prepare(())
    assert steps == ["make", "install"]


def test_the_stamp_spares_the_second_start_the_installation(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = bare / "requirements.txt"
    python = environment.venv_python()
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    environment.stamp(requirements).write_text(
        environment.fingerprint(requirements), encoding="utf-8"
    )
    monkeypatch.setattr(environment, "install", lambda *_args: pytest.fail("installed again"))
    assert environment.prepare(()) == python
    requirements.write_text("numpy==2.1\n", encoding="utf-8")
    assert not environment.stamp_is_current(requirements)


def test_an_unknown_verb_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["labb"]) == 2
    assert "there is no verb 'labb'; use one of: lab, test" in capsys.readouterr().err


def test_an_old_python_is_told_so() -> None:
    """The front door is written in the oldest syntax; here its version test is made to fail."""
    main = Path(environment.__file__).with_name("__main__.py")
    program = (
        "import sys; sys.version_info = (3, 8, 1)\n"
        f"exec(compile(open({str(main)!r}).read(), 'main', 'exec'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or later, and this is Python 3.8" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", [["--port", "{}"], ["--port={}"], ["--ServerApp.port={}"]])
def test_a_busy_port_is_named(
    form: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FFCOURSE_ROOT", str(tmp_path))
    monkeypatch.setattr(lab.subprocess, "run", lambda *_a, **_k: pytest.fail("started anyway"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert lab.main([part.format(port) for part in form]) == 2
    assert f"port {port} is in use" in capsys.readouterr().err


def test_options_go_through_to_jupyterlab() -> None:
    command = lab.command(["--no-browser", "--port", "8899"])
    assert command[-3:] == ["--no-browser", "--port", "8899"]
    assert "--LabApp.default_url=/lab/tree/chapters/00_welcome.ipynb" in command


def test_every_verb_leads_somewhere() -> None:
    for name, verb in cli.VERBS.items():
        assert environment.importlib.util.find_spec(verb.module), f"{name}: no {verb.module}"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "1"),
        ({"OPENBLAS_NUM_THREADS": "3"}, "3"),
        ({"OMP_NUM_THREADS": "3"}, None),
    ],
)
def test_matrix_products_in_the_lab_get_one_thread_unless_the_user_chose(
    chosen: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert lab.environment().get("OPENBLAS_NUM_THREADS") == expected
    assert lab.environment().get("OMP_NUM_THREADS") == chosen.get("OMP_NUM_THREADS")


def test_openblas_obeys_the_setting_of_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("threadpoolctl")
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    ask = (
        "import numpy, threadpoolctl; "
        "print([p['num_threads'] for p in threadpoolctl.threadpool_info() "
        "if p['internal_api'] == 'openblas'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", ask],
        env=lab.environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert told.stdout.strip() in ("[1]", "[]")  # no OpenBLAS on macOS
