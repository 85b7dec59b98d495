"""`ffcourse grade` on single files: what goes where, and wrong calls."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from ffcourse.grade.command import main
from ffcourse.grade.feedback import headline
from ffcourse.grade.report import rejection
from tests.submissions.kinds import FULL, SOLUTIONS, filled


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "ann.ipynb"
    path.write_text(json.dumps(filled()), encoding="utf-8")
    return [str(path), "--solutions", str(SOLUTIONS), "--trusted"]


def test_a_dash_is_standard_output(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json", "-"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["score"] == FULL
    assert "ann.ipynb: 12 of 12 points" in told.err, "people read the other one"
    assert not Path("-").exists()


def test_a_dash_for_a_class(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = [str(Path(words[0]).parent), *words[1:]]
    assert main([*folder, "--json", "-", "--db", "sqlite:///marks.db"]) == 0
    assert json.loads(capsys.readouterr().out)["score"] == FULL
    assert not Path("-").exists()


def test_only_one_can_go_there(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--json", "-", "--html", "-"]) == 2
    assert "only one of --json and --html" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_seconds_must_be_some(
    seconds: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--seconds", seconds]) == 2
    assert "--seconds must be more than 0" in capsys.readouterr().err


def test_what_cannot_be_written_is_told(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("a file, no folder", encoding="utf-8")
    assert main([*words, "--quiet", "--json", "taken/marks.json"]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="file names are text there")
def test_a_file_name_that_is_not_utf_8(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = os.path.join(os.fsencode(tmp_path), b"J\xfcrgen\x1b[2J\n.ipynb")
    os.rename(words[0], odd)
    files = ["--json", "a.json", "--csv", "a.csv", "--html", "a.html"]
    assert main([os.fsdecode(odd), *words[1:], *files]) == 0
    printed = capsys.readouterr().out
    assert "J\\udcfcrgen\\x1b[2J\\n.ipynb: 12 of 12" in printed
    assert "\x1b" not in printed
    report = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert report["submission"] == os.path.basename(os.fsdecode(odd))
    for name in ("a.csv", "a.html"):
        assert "rgen" in Path(name).read_text(encoding="utf-8")


def test_a_headline_is_one_line() -> None:
    assert headline(rejection("a\nb\x1b.ipynb", None, "x", None)).startswith("a\\nb\\x1b.ipynb: ")
