"""The files that other programs read, letter by letter."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ffcourse.grade.batch.exports.canvas import canvas_csv
from ffcourse.grade.batch.exports.gradescope import gradescope_json
from ffcourse.grade.batch.exports.moodle import feedback_html, moodle_csv, read_worksheet
from ffcourse.grade.batch.exports.nbgrader import nbgrader_csv
from ffcourse.grade.batch.exports.pages import write_each
from ffcourse.grade.batch.exports.text import ExportError
from ffcourse.grade.batch.late import read_due
from ffcourse.grade.batch.marks import Mark, with_marks
from ffcourse.grade.batch.people import Student
from tests.fake_grader import report

ANN = Student("bergann", "Ann", "Berg", "ann@example.org", "1234", "S1", "bergann", "A", "77")
BO = Student("lindbo", "Bo", 'Lind, "B"', "bo@example.org", "5678", "S2", "lindbo", "A", "78")
EVE = Student("=1+1", listed=False)
DUE = read_due("2026-03-01T12:00Z")
NOON = DUE.time.timestamp()


def mark(student: Student, points: float | None, **more: Any) -> Mark:
    about = {"notebook": "90_fake", "max_score": 10.0, "due": DUE, **more}
    if points is None:
        return Mark(student, **about)
    return Mark(student, status="graded", name=f"{student.id}.ipynb", sha="x", result_id=1,
                submitted=NOON + 60, raw=points, **about)  # fmt: skip


MARKS = [mark(ANN, 8.5, penalty=0.85), mark(BO, None), mark(EVE, 5)]


def test_nbgrader() -> None:
    assert nbgrader_csv(MARKS) == (
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,"
        "raw_score,late_submission_penalty,score,max_score\n"
        "90_fake,2026-03-01 12:00:00,2026-03-01 12:01:00,bergann,Berg,Ann,ann@example.org,"
        "8.5,0.85,7.65,10.0\n"
        '90_fake,2026-03-01 12:00:00,,lindbo,"Lind, ""B""",Bo,bo@example.org,0.0,0.0,0.0,10.0\n'
        "90_fake,2026-03-01 12:00:00,2026-03-01 12:01:00,'=1+1,,,,5.0,0.0,5.0,10.0\n"
    )


def test_canvas() -> None:
    more = [*MARKS, mark(ANN, 3, notebook="91_more", max_score=4.0)]
    assert canvas_csv(more, {"90_fake": "Fake (4711)"}) == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Fake (4711),91_more\n"
        "    Points Possible,,,,,10,4\n"
        "'=1+1,,,'=1+1,,5,\n"
        '"Berg, Ann",1234,S1,bergann,A,7.65,3\n'
        '"Lind, ""B"", Bo",5678,S2,lindbo,A,,\n'
    )


ENGLISH = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 77,Ann Berg,ann@example.org,"Submitted for grading",,100.00,Yes,'
    '"Sunday, 1 March 2026, 12:01 PM",-,\r\n'
    "Participant 79,Cy Ode,cy@example.org,No submission,55.00,100.00,Yes,-,-,kept\r\n"
)
GERMAN = (
    "\ufeffID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;"
    "Bewertung kann geändert werden;Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung);"
    "Feedback als Kommentar\n"
    "Teilnehmer/in77;Ann Berg;ann@example.org;Abgegeben;;20,00;Ja;"
    "Sonntag, 1. März 2026, 12:01;-;\n"
    "Teilnehmer/in79;Cy Ode;cy@example.org;Keine Abgabe;;20,00;Ja;-;-;\n"
)
FEEDBACK = (
    "<b>7.65 / 10</b><br>Handed in late: 0.85 points were taken off.<br>"
    "<b>90.1 Title 90.1</b> (3.5 / 5): Count from &lt;0&gt; &amp; up.<br>"
    "<b>90.2 Title 90.2</b> (5 / 5): All checks passed."
)


def report_of(one: Mark) -> dict[str, Any]:
    return with_marks(report("x", 3.5), one)


def test_moodle_in_english(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_bytes(ENGLISH.encode())
    text, left = moodle_csv(read_worksheet(path), MARKS, report_of)
    assert text == (
        "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments\r\n"
        "Participant 77,Ann Berg,ann@example.org,Submitted for grading,76.5,100.00,Yes,"
        f'"Sunday, 1 March 2026, 12:01 PM",-,{FEEDBACK}\r\n'
        "Participant 79,Cy Ode,cy@example.org,No submission,55.00,100.00,Yes,-,-,kept\r\n"
    )
    assert left == ["Not in the worksheet: =1+1.ipynb"]
    assert path.read_bytes() == ENGLISH.encode(), "the teacher's own file is never changed"


def test_moodle_in_another_language(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_bytes(GERMAN.encode())
    text, _ = moodle_csv(read_worksheet(path), MARKS, report_of)
    expected = GERMAN.replace(
        "Abgegeben;;20,00;Ja;Sonntag, 1. März 2026, 12:01;-;\n",
        f'Abgegeben;15,3;20,00;Ja;Sonntag, 1. März 2026, 12:01;-;"{FEEDBACK}"\n',
    )
    assert text == expected.replace(f'"{FEEDBACK}"', '"' + FEEDBACK + '"')


WORKSHEETS = {
    "de": ("ID,Vollständiger Name,E-Mail-Adresse,Matrikelnummer,Status,Bewertung,Bestwertung,"
           "Bewertung kann geändert werden,Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung),"
           "Feedback als Kommentar", "Teilnehmer/in", "20,00", "15,3"),
    "fr": ("Identifiant,Nom complet,Adresse de courriel,Statut,Flux d'évaluation,Note,"
           "Note maximale,La note peut être modifiée,Dernière modification (travail remis),"
           "Dernière modification (note),Feedback par commentaires",
           "Participant", "20,00", "15,3"),
    "es": ("Identificador,Nombre completo,Dirección de correo,Estado,Calificación,"
           "Calificación máxima,La calificación puede ser cambiada,Última modificación (entrega),"
           "Última modificación (calificación),Comentarios de retroalimentación",
           "Participante", "10,00", "7,65"),
    "zh": ("标识符,全名,电子邮件地址,状态,成绩,最高分,可以修改成绩,最后修改(提交),"
           "最后修改(成绩),反馈评论",
           "参与者", "100.00", "76.5"),
    "ja": ("ID,フルネーム,メールアドレス,ステータス,評点,最大評点,評点は変更できます,"
           "最終更新日時(提出),最終更新日時(評点),フィードバックコメント",
           "参加者", "100.00", "76.5"),
}  # fmt: skip


@pytest.mark.parametrize("how", [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16")])
@pytest.mark.parametrize("language", sorted(WORKSHEETS))
def test_moodle_in_many_languages_however_it_was_saved(
    tmp_path: Path, language: str, how: tuple[str, str]
) -> None:
    header, participant, most, grade = WORKSHEETS[language]
    delimiter, encoding = how
    titles = header.split(",")
    at = next(i for i, t in enumerate(titles) if t in ("Bestwertung", "Note maximale", "最高分",
              "Calificación máxima", "最大評点"))  # fmt: skip
    rows = [titles]
    for number, name, mail in ((77, "Ann Berg", "ann@example.org"), (79, "Cy Ode", "c@d.e")):
        row = [f"{participant}{number}", name, mail, *["…"] * (len(titles) - 4), ""]
        row[at - 1], row[at], row[at + 2] = "", most, "2026-03-01 12:01"
        rows.append(row)
    path = tmp_path / "worksheet.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    text, notes = moodle_csv(read_worksheet(path), MARKS, report_of)
    made = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))
    rows[1][at - 1], rows[1][-1] = grade, FEEDBACK
    assert made == rows, "only the two cells that are ours have changed"
    asked = [n for n in notes if "choose the separator" in n]
    assert len(asked) == (delimiter != ","), "where Moodle must be told how to read it, we say so"


def test_moodle_refuses_what_would_be_lost_there(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_text(ENGLISH.replace("100.00", "Scale: pass/fail"), encoding="utf-8")
    with pytest.raises(ExportError, match="graded by a scale"):
        moodle_csv(read_worksheet(path), MARKS, report_of)
    path.write_text(ENGLISH, encoding="utf-8")
    _, notes = moodle_csv(read_worksheet(path), [mark(ANN, 12)], report_of)
    assert notes == ["Above the maximum, which Moodle passes over: bergann.ipynb"]
    path.write_bytes(ENGLISH.replace("Ann Berg", "Zoë").encode("latin1"))
    with pytest.raises(ExportError, match="line 2 is not UTF-8"):
        read_worksheet(path)
    essay = ENGLISH.replace("kept", "k" * 200_000)
    path.write_text(essay, encoding="utf-8", newline="")
    assert "k" * 200_000 in moodle_csv(read_worksheet(path), MARKS, report_of)[0]


def test_moodle_finds_people_by_mail_where_numbers_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_bytes(ENGLISH.encode())
    ann = Student("bergann", "Ann", "Berg", "Ann@Example.org")
    text, left = moodle_csv(read_worksheet(path), [mark(ann, 10)], report_of)
    assert ",100,100.00," in text
    assert left == []


def test_moodle_columns_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "worksheet.csv"
    path.write_text("Kennung,Punkte,Worte\nTeilnehmer 77,,\n", encoding="utf-8")
    with pytest.raises(ExportError, match=r"column of the grade .* \(Kennung, Punkte, Worte\)"):
        read_worksheet(path)
    named = {"grade": "Punkte", "feedback": "Worte"}
    text, _ = moodle_csv(read_worksheet(path, named), MARKS, report_of)
    assert text.splitlines()[1].startswith("Teilnehmer 77,7.65,<b>7.65 / 10</b>")
    with pytest.raises(ExportError, match="--columns grade=Nein"):
        read_worksheet(path, {"grade": "Nein"})


def test_feedback_of_a_rejected_file_is_escaped() -> None:
    rejected = {**report("x", None), "reason": "<b>no</b>"}
    assert feedback_html(MARKS[0], rejected) == "&lt;b&gt;no&lt;/b&gt;"


def test_gradescope() -> None:
    assert json.loads(gradescope_json(report("x", 3))) == {
        "score": 8,
        "execution_time": 1,
        "output": "",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {"number": "90.1", "name": "Title 90.1", "score": 3, "max_score": 5,
             "status": "failed", "output": "Count from <0> & up.", "output_format": "text",
             "visibility": "visible"},
            {"number": "90.2", "name": "Title 90.2", "score": 5, "max_score": 5,
             "status": "passed", "output": "All checks passed.", "output_format": "text",
             "visibility": "visible"},
        ],
        "extra_data": {"notebook": "90_fake", "sandbox": "none"},
    }  # fmt: skip
    rejected = json.loads(gradescope_json(report("x", None)))
    assert (rejected["score"], rejected["output"]) == (0, "The file is not a notebook.")
    by_hand = mark(ANN, 4, overrides={"": {"points": 4.0, "reason": "seen on paper"}})
    told = json.loads(gradescope_json(with_marks(report("x", None), by_hand)))
    assert told["score"] == 4
    assert "The teacher set the mark: 4. seen on paper" in told["output"]


def test_gradescope_has_only_what_its_documentation_names() -> None:
    """Names and kinds as in Gradescope's Autograder Specifications (results.json)."""
    top = {
        "score": (int, float),
        "execution_time": int,
        "output": str,
        "output_format": str,
        "test_output_format": str,
        "test_name_format": str,
        "visibility": str,
        "stdout_visibility": str,
        "extra_data": dict,
        "tests": list,
        "leaderboard": list,
    }
    one = {"score": (int, float), "max_score": (int, float), "status": str, "name": str,
           "name_format": str, "number": str, "output": str, "output_format": str, "tags": list,
           "visibility": str, "extra_data": dict}  # fmt: skip
    when = {"hidden", "after_due_date", "after_published", "visible"}
    forms = {"text", "html", "simple_format", "md", "ansi"}
    for made in (report("x", 3), report("x", None)):
        data = json.loads(gradescope_json(made))
        for known, parts in ((top, [data]), (one, data["tests"])):
            for part in parts:
                assert all(isinstance(value, known[key]) for key, value in part.items())
                assert {part["visibility"]} <= when
                assert {part["output_format"]} <= forms
                assert part.get("status", "passed") in ("passed", "failed")


def test_one_file_for_one_submission_and_a_folder_for_several(tmp_path: Path) -> None:
    one = tmp_path / "results.json"
    write_each(one, [MARKS[0]], report_of, gradescope_json, ".json")
    assert json.loads(one.read_text(encoding="utf-8"))["score"] == 7.65
    several = tmp_path / "results"
    write_each(several, MARKS, report_of, gradescope_json, ".json")
    assert sorted(p.name for p in several.iterdir()) == ["1+1_90_fake.json", "bergann_90_fake.json"]
