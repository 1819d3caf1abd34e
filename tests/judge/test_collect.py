"""From the archive of a platform to its gradebook, and nobody in another's place."""

import csv
import io
import zipfile
from hashlib import sha256
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge import toy
from judge.notebooks import honest, notebook

from coursework.judge import (
    __main__,
    book,
    collect,
    grade,
    report,
    returning,
    submissions,
    term,
)

WHOLE = notebook(*honest())
# Neither how fast the machine is nor whether this folder can be written to matters.
CALM = settings(
    deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("lovelaceada_17_99_hw1.ipynb", "canvas-17"),
        ("lovelaceada_LATE_17_99_hw1-2.ipynb", "canvas-17"),
        ("lovelaceada_17_99_evil_5_hw1.ipynb", "canvas-17"),
        ("x_17_9_y_55_1000_hw1.ipynb", None),  # 55 is called x_17_9_y, or is it 17?
        ("x_17_9_LATE_55_1000_hw1.ipynb", None),
        ("lovelaceada_55_1000_x_17_9_hw1.ipynb", None),
        ("ada_５_17_99_hw1.ipynb", "canvas-17"),  # Canvas writes no such digits,
        ("ada_٥_٦_hw1.ipynb", None),  # nor such
        ("ada_05_17_99_hw1.ipynb", "canvas-17"),
        ("ada_17_17_99_hw1.ipynb", "canvas-17"),  # either way
        ("Ada_４２_assignsubmission_file/hw1.ipynb", None),
        ("ada_5_17_99_hw1.ipynb", None),  # is this 5, or 17 who is called ada_5?
        ("ada_LATE_5_17_99_hw1.ipynb", None),
        ("ada_x_5_17_99_hw1.ipynb", None),
        ("Ada Lovelace_42_assignsubmission_file/hw1.ipynb", "moodle-42"),
        ("Ada Lovelace_42_assignsubmission_file_/a/hw1.ipynb", "moodle-42"),
        ("Ada_5_42_assignsubmission_file/x_7_assignsubmission_file", "moodle-42"),
        ("Ada/17_99_hw1.ipynb", None),
        ("../../etc/passwd.ipynb", None),
        ("hw1.ipynb", None),
    ],
)
def test_a_student_is_who_the_platform_says(path, name):
    assert collect.student(PurePosixPath(path)) == name


@CALM
@given(
    st.lists(st.sampled_from(["ada", "17", "9", "LATE", "5", "", "x.y"]), max_size=6),
    st.lists(st.sampled_from(["hw1", "17", "9", "", "2"]), min_size=0, max_size=5),
)
def test_no_name_and_no_file_earns_the_mark_of_another(name, file):
    """Whatever a student is called and calls the file, it is 55's or nobody's."""
    path = "_".join([*(name or ["ada"]), "55", "1000", *file, "hw1.ipynb"])
    assert collect.student(PurePosixPath(path)) in ("canvas-55", None)
    folder = "_".join([*(name or ["ada"]), "55", "assignsubmission", "file"])
    inside = "_".join([*file, "17_assignsubmission_file", "hw1.ipynb"])
    assert collect.student(PurePosixPath(f"{folder}/{inside}")) == "moodle-55"


def test_who_a_file_may_be_of_is_said(tmp_path, capsys):
    path = archive(
        tmp_path / "all.zip", "ada_17_99_hw1.ipynb", "x_17_9_y_55_1000_hw1.ipynb"
    )
    assert __main__.main(["collect", "hw1", str(tmp_path), str(path)]) == 0
    words = capsys.readouterr().out
    assert (
        "not counted: x_17_9_y_55_1000_hw1.ipynb (it may be of 2 students: see who it "
        "is, and save it as canvas-17.ipynb or canvas-55.ipynb; kept as "
        "unclear-1.unclear)" in words
    )
    folder = tmp_path / "hw1" / "submissions"
    found = {s.student: s.refusal for s in submissions.collect(folder)}
    why = "its name may be that of several students"
    assert found == {"canvas-17": "", "unclear-1": why}


@pytest.mark.parametrize(
    "names",
    [
        ("strauß", "strauss"),
        ("o'neil", "o neil", "o_neil", "o’neil"),
        ("रवि", "रवी"),
        ("ａｄａ", "ada"),
        ("ﬁona", "fiona"),
        (".ada", "ada"),
        ("x" * 130, "x" * 131),
        ("o'neil", "o neil", "o neil-" + sha256(b"o'neil").hexdigest()[:8]),
        ("canvas-17", "canvas-１７", "canvas-١٧"),
    ],
    ids=lambda names: names[0][:9],
)
def test_nobody_loses_a_mark_for_the_name_of_another(tmp_path, names):
    for name in names:
        (tmp_path / f"{name}.ipynb").write_bytes(WHOLE)
    found = submissions.collect(tmp_path)
    assert [s.refusal for s in found] == [""] * len(names)
    assert {s.path.stem for s in found} == set(names)
    assert len({s.student.lower() for s in found}) == len(names)
    for submission in found:
        if submissions.student_id(submission.path.name) == submission.path.stem:
            assert submission.student == submission.path.stem
    numbers = [report.collected("canvas", s.student) for s in found]
    assert [n for n in numbers if n] == ["17"] * ("canvas-17" in names)


def test_capitals_and_accents_in_two_pieces_are_the_same_name(tmp_path):
    for name in ("Ada.ipynb", "ada.ipynb", "ren\u00e9.ipynb", "rene\u0301.ipynb"):
        (tmp_path / name).write_bytes(WHOLE)
    found = submissions.collect(tmp_path)
    assert [s.student for s in found] == ["Ada", "ren\u00e9"]
    assert {s.refusal for s in found} == {"there are 2 files of this name"}


def archive(path, *members):
    """Write an archive of honest notebooks, each with its own bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for member in members:
            name, when = member if isinstance(member, tuple) else (member, 1)
            info = zipfile.ZipInfo(name, (2026, 10, when, 12, 0, 0))
            data = notebook(*honest(), f"# {name}") if name.endswith("ipynb") else b""
            made.writestr(info, data)
    return path


def collected(tmp_path, *members, name="all.zip"):
    """Return {file: (student, what was kept, why not)} of a collected archive."""
    place = term.Place(tmp_path / "term", "hw1")
    entries = collect.collect(archive(tmp_path / name, *members), place)
    return {e.file: (e.student, e.kept, e.why) for e in entries}


def test_every_file_of_an_archive_is_told_of(tmp_path):
    found = collected(
        tmp_path,
        "ada_17_99_hw1.ipynb",
        "bob_LATE_18_98_hw1.ipynb",
        "cyd_19_96_hw1.pdf",
        "../escape.ipynb",
        "dot_20_95_x/../../../escape.ipynb",
        "__MACOSX/ada_17_99_hw1.ipynb",
        "Eve_43_assignsubmission_file/._hw1.ipynb",
        "Eve_43_assignsubmission_file/.ipynb_checkpoints/hw1-checkpoint.ipynb",
        "Eve_43_assignsubmission_file/hw1 (1).ipynb",
        "Zoë Łęcka_44_assignsubmission_file_hw1.ipynb",
    )
    nobody = "no number of a student in its name"
    assert found == {
        "ada_17_99_hw1.ipynb": ("canvas-17", "canvas-17.ipynb", ""),
        "bob_LATE_18_98_hw1.ipynb": ("canvas-18", "canvas-18.ipynb", ""),
        "cyd_19_96_hw1.pdf": ("", "", "no notebook"),
        "../escape.ipynb": ("", "", nobody),
        "dot_20_95_x/../../../escape.ipynb": ("", "", nobody),
        "Eve_43_assignsubmission_file/hw1 (1).ipynb": (
            "moodle-43", "moodle-43.ipynb", "",
        ),
        "Zoë Łęcka_44_assignsubmission_file_hw1.ipynb": (
            "moodle-44", "moodle-44.ipynb", "",
        ),
    }  # fmt: skip
    names = {p.name for p in (tmp_path / "term" / "hw1" / "submissions").iterdir()}
    assert names == {f"{n}.ipynb" for n in
                     ("canvas-17", "canvas-18", "moodle-43", "moodle-44")}  # fmt: skip
    assert {p.parent.name for p in tmp_path.rglob("*.ipynb")} == {"submissions"}
    table = (tmp_path / "term" / "hw1" / "collected.csv").read_text(encoding="utf-8")
    assert len(table.splitlines()) == 1 + len(found)
    assert "Zoë Łęcka" in table


def test_the_latest_attempt_counts_and_the_others_are_kept(tmp_path):
    """Within an archive, and from one archive to the next, in whatever order."""
    first = collected(
        tmp_path, ("ada_17_99_hw1-2.ipynb", 2), ("ada_17_97_hw1.ipynb", 1)
    )
    later = "another attempt counts"
    assert first["ada_17_97_hw1.ipynb"] == (
        "canvas-17", "attempts/canvas-17/1.ipynb", later,
    )  # fmt: skip
    place = tmp_path / "term" / "hw1"
    counted = place / "submissions" / "canvas-17.ipynb"
    assert b"hw1-2" in counted.read_bytes()
    collected(tmp_path, ("ada_17_99_hw1-2.ipynb", 2), name="again.zip")
    assert len(list((place / "attempts" / "canvas-17").iterdir())) == 1
    collected(tmp_path, ("ada_LATE_17_100_hw1-3.ipynb", 5), name="third.zip")
    assert b"hw1-3" in counted.read_bytes()
    kept = [p.read_bytes() for p in (place / "attempts" / "canvas-17").iterdir()]
    assert len(kept) == 2
    collected(tmp_path, ("bob_18_5_hw1.ipynb", 1), name="fourth.zip")
    assert len(list((place / "submissions").iterdir())) == 2


def test_what_is_replaced_is_said_and_the_assignment_s_own_name_comes_first(tmp_path):
    found = collected(tmp_path, ("ada_17_9_hw1.ipynb", 1), ("ada_17_8_notes.ipynb", 3))
    assert found["ada_17_8_notes.ipynb"][2] == "another attempt counts"
    collected(tmp_path, ("ada_17_10_hw1-2.ipynb", 4), name="again.zip")
    table = (tmp_path / "term" / "hw1" / "collected.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(table.splitlines()))
    assert [row["why"] for row in lines] == ["another attempt counts"] * 2 + [""]
    assert [row["kept"] for row in lines] == [
        "attempts/canvas-17/2.ipynb", "attempts/canvas-17/1.ipynb", "canvas-17.ipynb",
    ]  # fmt: skip
    times, _ = book._collected(tmp_path / "term" / "hw1" / "collected.csv")
    assert times["canvas-17"].day == 4


def test_a_time_that_cannot_be_is_none(tmp_path):
    path = archive(tmp_path / "all.zip", "ada_17_99_hw1.ipynb")
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 12), (b"PK\x01\x02", 14)):
        at = data.index(mark) + place
        data[at : at + 2] = b"\0\0"  # day 0 of month 0
    path.write_bytes(data)
    (entry,) = collect.collect(path, term.Place(tmp_path, "hw1"))
    assert (entry.student, entry.handed_in) == ("canvas-17", "")


def test_an_archive_within_the_archive_is_opened(tmp_path):
    inner = tmp_path / "inner.zip"
    archive(inner, "work/hw1.ipynb", "work/._hw1.ipynb", "notes.txt")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as made:
        made.writestr("ada_17_99_hw1.zip", inner.read_bytes())
        made.writestr("bob_18_99_hw1.zip", b"no archive")
    place = term.Place(tmp_path, "hw1")
    entries = collect.collect(tmp_path / "all.zip", place)
    assert [(e.student, e.why) for e in entries] == [
        ("canvas-17", ""), ("", "an archive that cannot be opened"),
    ]  # fmt: skip


def test_a_bomb_is_written_no_further_than_it_takes_to_refuse_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("ada_17_99_hw1.ipynb", bytes(100 << 20))
    collect.collect(tmp_path / "all.zip", term.Place(tmp_path, "hw1"))
    (found,) = submissions.collect(tmp_path / "hw1" / "submissions")
    assert found.path.stat().st_size == collect.SIZE_LIMIT + 1
    with pytest.raises(grade.notebook.RefusedError, match="larger than"):
        found.read()


def test_what_is_no_archive_is_said(tmp_path, capsys):
    (tmp_path / "all.zip").write_bytes(b"no")
    arguments = ["collect", "hw1", str(tmp_path), str(tmp_path / "all.zip")]
    assert __main__.main(arguments) == 2
    assert "not a zip file" in capsys.readouterr().err
    assert __main__.main([*arguments[:-1], str(tmp_path / "none.zip")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert __main__.main(["collect", "hw99", *arguments[2:]]) == 2
    assert not (tmp_path / "hw99").exists()


def rows(text):
    """Return the rows of a table."""
    return list(csv.reader(text.splitlines()))


def test_marks_go_back_under_the_platform_s_own_numbers(drawn):
    result = grade.refused(drawn, "no")
    canvas = rows(
        report.canvas(drawn, toy.book_of({"canvas-17": result, "17": result}, drawn))
    )
    assert canvas[2] == ["canvas-17", "17", "", "", "", "0"]
    assert canvas[3] == ["17", "", "", "17", "", "0"]
    worksheet = rows(report.moodle(drawn, toy.book_of({"moodle-42": result}, drawn)))
    assert worksheet == [
        ["Identifier", "Grade", "Last modified (grade)", "Feedback comments"],
        ["Participant 42", "0", "", "0 of 10: no"],
    ]
    mixed = rows(
        report.moodle(drawn, toy.book_of({"moodle-42": result, "ada": result}, drawn))
    )
    assert mixed[0][0] == "Username"
    assert [row[0] for row in mixed[1:]] == ["moodle-42", "ada"]


def test_a_page_goes_back_whatever_the_file_was_called(tmp_path):
    """Also to who handed in no notebook, in a file with dots and without an ending."""
    place = term.Place(tmp_path / "term", "hw1")
    members = ("o.neil_17_99_hw1", "17_18_98_a.b_c.ipynb", "x_5_19_97_hw1.ipynb")
    collect.collect(archive(tmp_path / "all.zip", *members), place)
    pages = dict.fromkeys(["canvas-17", "canvas-18", "canvas-19", "ada"], "page")
    archives, left = returning.archives(place, pages)
    with zipfile.ZipFile(io.BytesIO(archives["feedback-canvas.zip"])) as packed:
        assert sorted(packed.namelist()) == [
            "17-_18_98_a.b-c.html", "o.neil-_17_99_hw1.html", "x-5-_19_97_hw1.html",
        ]  # fmt: skip
    assert left == ["ada"]
