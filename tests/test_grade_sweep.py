"""What a killed grader leaves behind is removed; what is in use is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ffcourse.grade.sandbox import linux
from ffcourse.grade.sandbox.sweep import SECONDS, sweep


def made(base: Path, name: str, age: float) -> Path:
    folder = base / name
    folder.mkdir()
    (folder / "home").mkdir()
    os.utime(folder, (time.time() - age, time.time() - age))
    return folder


def test_only_old_folders_of_graders_go(tmp_path: Path) -> None:
    old, kept = [], []
    for kind, seconds in SECONDS.items():
        head = f"ffc-{kind}-" if kind else "ffc-"
        old.append(made(tmp_path, f"{head}abcd_234", seconds + 9))
        kept.append(made(tmp_path, f"{head}abcd9999", seconds - 60))
    kept += [
        made(tmp_path, "ffc-mine", 9e6),
        made(tmp_path, "ffc-abcd1234.d", 9e6),
        made(tmp_path, "other", 9e6),
    ]
    assert sorted(sweep(tmp_path)) == sorted(old)
    assert not any(folder.exists() for folder in old)
    assert all(folder.exists() for folder in kept)


def test_links_are_not_followed(tmp_path: Path) -> None:
    target = made(tmp_path, "target", 9e6)
    try:
        os.symlink(target, tmp_path / "ffc-abcd1234")
        os.utime(tmp_path / "ffc-abcd1234", (1_000_000, 1_000_000), follow_symlinks=False)
    except (OSError, NotImplementedError):
        pytest.skip("no symbolic links here")
    assert sweep(tmp_path) == []
    assert (target / "home").exists()


def test_a_folder_that_a_process_names_stays(tmp_path: Path) -> None:
    used = made(tmp_path, "ffc-abcd1234", SECONDS[None] + 9)
    code = "import sys; sys.stdin.read()"
    words = [sys.executable, "-c", code, str(used)]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        assert sweep(tmp_path) == []
        process.communicate()
    assert sweep(tmp_path) == [used]


@pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")
def test_flags_of_a_mount(tmp_path: Path) -> None:
    assert linux.mount_flags(str(tmp_path)) & ~(8 | 1024 | 2048 | 1 << 21) == 0
