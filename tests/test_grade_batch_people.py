"""Finding what was handed in, and by whom, and when."""

from __future__ import annotations

import os
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ffcourse.grade.batch.collect import collect, no_notebooks, notebook_files, printable
from ffcourse.grade.batch.late import (
    Due,
    LateRuleError,
    due_for,
    read_due,
    read_rule,
    read_time,
    read_times,
    submitted_at,
    unread_stamp,
)
from ffcourse.grade.batch.names import PatternError, reader
from ffcourse.grade.batch.people import Roster, RosterError, Student, read_roster
from ffcourse.grade.batch.sheets import SheetError

ANN = Student("bergann", "Ann", "Berg", "ann@example.org", canvas_id="1234", moodle_id="77")
BO = Student("lindbo", "Bo", "Lind", "bo@example.org", canvas_id="5678", moodle_id="78")


def test_a_folder_from_hell(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.ipynb").write_text("1")
    (tmp_path / "A.IPYNB").write_text("2")
    (tmp_path / "notes.txt").write_text("3")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "folder.ipynb" / "inner.ipynb").write_text("4")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "x-checkpoint.ipynb").write_text("5")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "x.ipynb").write_text("6")
    (tmp_path / "._b.ipynb").write_text("7")
    (tmp_path / "new\nline \x1b[31m.ipynb").write_text("8")
    found = {h.name: h for h in collect(notebook_files([tmp_path]))}
    assert list(found) == ["A.IPYNB", "b/x.ipynb", "folder.ipynb", r"new\nline \x1b[31m.ipynb"]
    assert found["folder.ipynb"].problem is not None
    assert "folder" in found["folder.ipynb"].problem
    assert found["A.IPYNB"].problem is None


def test_what_is_no_notebook_is_told(tmp_path: Path) -> None:
    assert no_notebooks([tmp_path, tmp_path / "gone"]) is None
    for name in (
        "x.ipynb",
        "timestamp.txt",
        ".DS_Store",
        "b.zip",
        "a.zip",
        "README",
        ".git/config",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    told = "3 files are no .ipynb and passed over (.zip 2, no ending 1), such as README"
    assert no_notebooks([tmp_path]) == told


def test_a_folder_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "x.ipynb").touch()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = {h.name: h.problem for h in collect(notebook_files([tmp_path]))}
    assert found["x.ipynb"] is None
    assert "cannot be opened" in str(found["closed"])


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights on Windows")
def test_links_are_told_about_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.ipynb").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.ipynb").symlink_to(outside / "secret.ipynb")
    (inside / "loop").symlink_to(inside)
    (inside / "away").symlink_to(outside)
    (inside / "nowhere.ipynb").symlink_to(inside / "gone")
    found = list(collect(notebook_files([inside])))
    assert [h.name for h in found] == ["away", "link.ipynb", "loop", "nowhere.ipynb"]
    assert all("symbolic link" in str(h.problem) for h in found)
    assert len({h.sha for h in found}) == 4, "each problem is a row"


def test_names_stay_apart_and_printable(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.ipynb").write_text(folder)
    names = [n for _, n in notebook_files([tmp_path / "one", tmp_path / "two"])]
    assert names == ["x.ipynb", "two/x.ipynb"]
    assert printable("caf\udce9.ipynb") == r"caf\udce9.ipynb"
    if sys.platform == "linux":
        odd = os.fsencode(tmp_path) + b"/one/caf\xe9.ipynb"
        with open(odd, "wb") as file:
            file.write(b"x")
        names = [h.name for h in collect(notebook_files([tmp_path / "one"]))]
        assert r"caf\udce9.ipynb" in names


@pytest.mark.parametrize(
    ("scheme", "name", "who"),
    [
        ("auto", "bergann_1234_99_01_neuron.ipynb", "bergann"),
        ("auto", "bergann_LATE_1234_99_01_neuron-2.ipynb", "bergann"),
        ("auto", "Ann Berg_77_assignsubmission_file_/01_neuron.ipynb", "bergann"),
        ("auto", "week1/Ann Berg_77_assignsubmission_file_01_neuron.ipynb", "bergann"),
        ("auto", "bergann/01_neuron.ipynb", "bergann"),
        ("auto", "Berg, Ann/01_neuron.ipynb", "bergann"),
        ("auto", "ann@example.org/deep/01_neuron.ipynb", "bergann"),
        ("auto", "01_neuron_bergann.ipynb", "bergann"),
        ("auto", "week1/bergann/01_neuron.ipynb", "bergann"),
        ("auto", "week1/01_neuron_bergann.ipynb", "bergann"),
        ("auto", "week1/nobody/01_neuron.ipynb", "week1"),
        ("folder", "week1/bergann/01_neuron.ipynb", "week1"),
        ("auto", "LINDBO.ipynb", "lindbo"),
        ("auto", "01_neuron_final.ipynb", "01_neuron_final"),
        ("auto", "bergann_lindbo.ipynb", "bergann_lindbo"),
        ("nbgrader", "submitted/bergann/01_neuron/01_neuron.ipynb", "bergann"),
        ("{last}-{first}-{any}.ipynb", "Lind-Bo-v2.ipynb", "lindbo"),
        ("{notebook}/{student}.ipynb", "01_neuron/lindbo.ipynb", "lindbo"),
        ("file", "some/where/lindbo.ipynb", "lindbo"),
    ],
)
def test_who_is_who(scheme: str, name: str, who: str) -> None:
    assert Roster([ANN, BO]).find(reader(scheme)(name)).id == who


def test_what_a_name_tells_without_a_roster() -> None:
    read = reader("auto")
    canvas = read("bergann_LATE_1234_99_01_neuron-2.ipynb")
    assert (canvas.late, canvas.notebook) == (True, "01_neuron")
    stranger = Roster().find(canvas)
    assert (stranger.id, stranger.canvas_id, stranger.listed) == ("bergann", "1234", False)
    moodle = Roster().find(read("Ann Maria Berg_77_assignsubmission_file_/x.ipynb"))
    assert (moodle.first, moodle.last, moodle.moodle_id) == ("Ann Maria", "Berg", "77")


def test_a_name_is_the_same_however_it_was_unpacked() -> None:
    zoe = Student("zoe", "Zoë", "Müller")
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "Müller Zoë") + "/x.ipynb"
        assert Roster([zoe]).find(reader("auto")(name)) == zoe


def test_two_of_the_same_name_are_not_guessed() -> None:
    twin = Student("bergann2", "Ann", "Berg")
    found = Roster([ANN, twin]).find(reader("auto")("Ann Berg_99_assignsubmission_file_/x.ipynb"))
    assert not found.listed


@pytest.mark.parametrize("pattern", ["{wer}.ipynb", "{any}.ipynb", "nothing"])
def test_a_pattern_that_names_nobody(pattern: str) -> None:
    with pytest.raises(PatternError, match="--names"):
        reader(pattern)


def test_rosters_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("\ufeffstudent_id,first_name,last_name,email\nbergann,Ann,Berg,a@b.c\n\n",
                    encoding="utf-8")  # fmt: skip
    assert read_roster(path).students == [Student("bergann", "Ann", "Berg", "a@b.c")]
    path.write_text("Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\n"
                    '"Berg, Ann",1234,S1,bergann,A\n', encoding="utf-8")  # fmt: skip
    [ann] = read_roster(path).students
    assert ann == Student("bergann", "Ann", "Berg", "", "1234", "S1", "bergann", "A")
    path.write_text("Identifier;Full name;Email address\nParticipant 77;Ann Berg;a@b.c\n",
                    encoding="utf-8")  # fmt: skip
    [ann] = read_roster(path).students
    assert (ann.id, ann.first, ann.last, ann.moodle_id) == ("a@b.c", "Ann", "Berg", "77")


@pytest.mark.parametrize(
    ("header", "who"),
    [
        ("ID;Vollständiger Name;E-Mail-Adresse;Status", "Teilnehmer/in77;Ann Berg;a@b.c;"),
        ("Identifiant,Nom complet,Adresse de courriel,Statut", "Participant 77,Ann Berg,a@b.c,"),
        ("编号,全名,电子邮件地址,状态", "参与者77,Ann Berg,a@b.c,已提交"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_worksheet_in_any_language_is_a_roster(
    tmp_path: Path, header: str, who: str, encoding: str
) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f"{header}\n{who}\n", encoding=encoding)
    assert read_roster(path).students == [Student("a@b.c", "Ann", "Berg", "a@b.c", moodle_id="77")]


def test_lists_of_people_in_other_languages_and_from_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("sep=;\nVorname;Nachname;ID-Nummer;E-Mail-Adresse\nAnn;Berg;77;a@b.c\n",
                    encoding="utf-8-sig")  # fmt: skip
    assert read_roster(path).students == [Student("77", "Ann", "Berg", "a@b.c")]
    path.write_text("学号\t姓\t名\n77\t李\t雷\n77\t李\t雷\n", encoding="utf-16-le")
    assert read_roster(path).students == [Student("77", "雷", "李")], "the same line twice"
    path.write_text('id;"a, b, c and d, e";email\n7;;a@b.c\n', encoding="utf-8")
    assert read_roster(path).students == [Student("7", email="a@b.c")]


def test_rosters_in_an_unknown_encoding(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(b"student_id,last_name\nmue,M\xfcller\n")
    with pytest.raises(RosterError, match=r"line 2 is not UTF-8. Save it again"):
        read_roster(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("colour\nred\n", "no student found"),
     ("student_id,last_name\nbo,Lind\nbo,Berg\n", "'bo' stands there for two people"),
     ("student_id,due\nbo,5.3.2026\n", "due of bo: '5.3.2026' is not a time")],
)  # fmt: skip
def test_rosters_that_cannot_be_used(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RosterError, match=words):
        read_roster(path)


@pytest.mark.parametrize(
    ("rule", "late", "part"),
    [
        ("none", 10**9, 0.0),
        ("20%", 1, 0.2),
        ("10%/day", 0, 0.0),
        ("10%/day", 1, 0.1),
        ("10%/day", 86400, 0.1),
        ("10%/day", 86401, 0.2),
        ("10% per day, at most 50%", 10 * 86400, 0.5),
        ("10%/day, grace 15 min", 900, 0.0),
        ("10%/day, max 50%, grace 15min", 901, 0.1),
        ("60%/hour", 7200, 1.0),
    ],
)
def test_late_rules(rule: str, late: float, part: float) -> None:
    assert read_rule(rule).penalty(late) == pytest.approx(part)


def test_rules_and_times_that_cannot_be_read() -> None:
    with pytest.raises(LateRuleError, match="10%/day"):
        read_rule("a little")
    with pytest.raises(LateRuleError, match="2026-03-01T23:59"):
        read_time("tomorrow")


def test_due_times() -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert read_time("2026-03-01T13:00+01:00") == noon
    assert read_time("2026-03-01 12:00:00 UTC") == noon
    assert read_time("2026-03-01 13:00:00.5 Europe/Berlin").second == 0
    due = Due(noon, "UTC")
    assert due_for("", due) == due
    assert due_for("+2 days", due) == Due(datetime(2026, 3, 3, 12, tzinfo=UTC), "UTC")
    assert due_for("2026-03-09T12:00Z", due).time == datetime(2026, 3, 9, 12, tzinfo=UTC)
    assert due_for("2026-03-09", due).time == datetime(2026, 3, 9, 23, 59, 59, tzinfo=UTC)
    assert due_for("+2 days", None) is None
    assert read_due(str(due)) == due, "it is kept in the gradebook as a text"


def test_a_day_is_a_day_where_summer_time_begins_or_ends() -> None:
    """The clocks of Berlin go forward on 2026-03-29 and back on 2026-10-25."""
    rule = read_rule("10%/day")
    for day, next_day, offset in (("2026-03-28", "2026-03-29", 2), ("2026-10-24", "2026-10-25", 1)):
        due = read_due(f"{day}T23:59 Europe/Berlin")
        longer = due_for("+1 day", due)
        assert longer is not None
        assert longer.local.isoformat() == f"{next_day}T23:59:00+0{offset}:00"
        came = longer.time.timestamp()
        late = came - due.time.timestamp()
        assert late != 86400, "that day has 23 or 25 hours"
        assert rule.penalty(late, due.on_the_clock(came)) == pytest.approx(0.1)
        assert rule.penalty(late + 60, due.on_the_clock(came + 60)) == pytest.approx(0.2)
    in_the_repeated_hour = read_due("2026-10-25T02:30 Europe/Berlin")
    came = in_the_repeated_hour.time.timestamp() + 1800  # the clock shows 02:00 once more
    assert in_the_repeated_hour.on_the_clock(came) < 0
    assert rule.penalty(1800, in_the_repeated_hour.on_the_clock(came)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "text", ["05.03.2026", "2026-03-01T12:00 Mars/Base", "2026-13-01", "9999-12-31 UTC "]
)
def test_times_that_are_none(text: str) -> None:
    if text.startswith("9999"):
        assert read_time(text).year == 9999
    else:
        with pytest.raises(LateRuleError):
            read_time(text)


def test_lists_of_times(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for text in ("who,when\nbo,2026-03-01T12:00Z\n", "bo;2026-03-01 12:00 UTC\n"):
        path.write_text(text, encoding="utf-8")
        assert read_times(path) == {"bo": noon}
    path.write_text("bo\t2026-03-01T12:00Z\n", encoding="utf-16")
    assert read_times(path) == {"bo": noon}
    for text, told in (("bo\n", "has no times"), ("bo,1.3.2026\n", "bo: '1.3.2026' is not a time")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(LateRuleError, match=told):
            read_times(path)
    path.write_bytes(b"who,when\nM\xfcller,2026-03-01T12:00Z\n")
    with pytest.raises(SheetError, match=r"line 2 is not UTF-8. Save it"):
        read_times(path)


def test_when_it_was_handed_in(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    written = datetime(2026, 1, 1, tzinfo=UTC)
    stamp = datetime(2026, 1, 2, tzinfo=UTC)
    listed = datetime(2026, 1, 3, tzinfo=UTC)
    assert submitted_at(path, written.timestamp(), {}, ("bo",)) == written
    (tmp_path / "timestamp.txt").write_text("2026-01-02 00:00:00.000000 UTC", encoding="utf-8")
    assert submitted_at(path, written.timestamp(), {}, ("bo",)) == stamp
    assert submitted_at(path, written.timestamp(), {"bo": listed}, ("bo",)) == listed
    assert unread_stamp(path) is None
    (tmp_path / "timestamp.txt").write_text("2026-01-02 00:00:00 PST", encoding="utf-8")
    assert submitted_at(path, written.timestamp(), {}, ("bo",)) == written
    assert unread_stamp(path) == "2026-01-02 00:00:00 PST"
    assert submitted_at(tmp_path / "y" / "x.ipynb", 1e15, {}, ("bo",)) is None
