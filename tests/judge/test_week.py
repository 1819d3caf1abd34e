"""A week with a class of sixty: the page for instructors, command by command.

The page shows what each command prints; here the commands are run, with the archives of
a made-up class, and print that. Every table that goes back to a platform is compared
with the bytes that the platform documents.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from judge import class_of_60, toy
from judge.night import needs
from judge.notebooks import RIGHT, STUB, honest, notebook

from benchmarks.judge import variant
from coursework import release
from coursework.judge import __main__, exam
from coursework.judge import term as terms

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book" / "instructors.md"
FENCE = re.compile(r"^```(console|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLASS = class_of_60.people()
LATECOMER = next(p for p in CLASS if p.wrapping == "again in the second archive")


@pytest.fixture(scope="module", autouse=True)
def isolation():
    needs("bubblewrap")


def test_the_class_is_one_of_sixty_in_twelve_scripts():
    assert len(CLASS) == len({p.name for p in CLASS}) == 60
    assert len({p.number for p in CLASS}) == 60
    wrapped = [p for p in CLASS if p.wrapping]
    assert len({p.wrapping for p in wrapped}) == len(
        set(class_of_60.WRAPPINGS.values())
    )


# What the page has people do between two commands.


def roster(project):
    text = class_of_60.roster(CLASS)
    (project / "autumn" / "roster.csv").write_text(text, encoding="utf-8")


def marks(project):
    """Mark the written answers of all, and leave a comment for the first."""
    path = project / "autumn" / "hw1" / "written.csv"
    by_hand = {f"canvas-{p.number}": p.by_hand for p in CLASS}
    lines = path.read_text(encoding="utf-8").splitlines()
    for n, line in enumerate(lines[1:], start=1):
        student, question, *_ = line.split(",")
        comment = "well said" if n == 1 else ""
        lines[n] = f"{student},{question},{by_hand[student]},{comment}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


AFTER = {
    "python -m coursework.judge new-term autumn": roster,
    "python -m coursework.judge mark hw1 autumn": marks,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a copy of the project with what the class handed in on Canvas."""
    place = tmp_path_factory.mktemp("week") / "project"
    place.mkdir()
    for name in ("coursework", "benchmarks", "jachess_lib"):
        (place / name).symlink_to(ROOT / name)
    drawn = exam.draw(exam.load("hw1"), bytes(range(32)))
    solved, stub = release.notebooks("hw1")
    other = {"another assignment": release.notebooks("hw4")[1]}

    def work(kind, number):
        if kind in other:
            return variant(solved, other[kind], "stub", drawn, number)
        return variant(solved, stub, kind, drawn, number)

    def all_of(people):
        return [
            file
            for p in people
            for file in class_of_60.files(p, work, class_of_60.canvas_name, "hw1")
        ]

    first = all_of(p for p in CLASS if p != LATECOMER)
    class_of_60.archive(place / "download.zip", first)
    class_of_60.archive(place / "latecomers.zip", all_of([LATECOMER]))
    return place


@pytest.fixture(scope="module")
def week(project):
    """Work through the page; return [(command, what it says, what was printed)]."""
    told = []
    for language, text in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if language == "toml":
            (project / "autumn" / "policy.toml").write_text(text, encoding="utf-8")
        for command, printed in commands(text):
            told.append((command, printed, say(command, project)))
            AFTER.get(command, lambda _: None)(project)
    return told


def commands(text):
    """Yield (command, what it prints) of a block in which commands begin with `$`."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def say(command, project):
    """Return what a command prints; it must end well."""
    if command.startswith("make "):
        return None
    done = subprocess.run(
        command.replace("python", sys.executable, 1),
        shell=True, cwd=project, text=True, check=False,
        stdin=subprocess.DEVNULL, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(project)},
    )  # fmt: skip
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_the_page_shows_what_the_commands_print(week):
    assert len(week) >= 10
    for command, printed, seen in week:
        if seen is not None:
            assert seen == printed, command


def known_marks():
    """Return {student: (judge's points, by hand, days late)} as the class was made."""
    drawn = exam.draw(exam.load("hw1"), bytes(range(32)))
    found = {}
    for person in CLASS:
        if person.wrapping in ("absent", "pdf"):
            found[f"canvas-{person.number}"] = 0, 0, 0
            continue
        points = {"solved": drawn.points, "stub": 0}.get(person.kind)
        if points is None:
            lost = drawn.questions[person.place % len(drawn.questions)].points
            points = drawn.points - lost
        if person.wrapping == "another assignment":
            points = 0
        # 1, 20, 30, 73 and 200 hours; 20 minutes before is when it was handed in.
        days = {0: 0, 1: 1, 20: 1, 30: 2, 73: 4, 200: 9}[person.hours]
        found[f"canvas-{person.number}"] = points, float(person.by_hand or 0), days
    return found


def read(path):
    """Return the rows of a table by student."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {row["student"]: row for row in csv.DictReader(lines)}


def test_every_mark_is_the_one_that_was_earned(week, project):
    rows = read(project / "autumn" / "hw1" / "grades.csv")
    right = known_marks()
    assert set(rows) == set(right)
    for student, (points, by_hand, days) in right.items():
        share = 0 if days > 5 else 1 - days / 10
        row = rows[student]
        assert int(row["days late"] or 0) == days, student
        assert float(row["total"]) == pytest.approx((points + by_hand) * share), student
    assert {row["name"].lstrip("'") for row in rows.values()} == {p.name for p in CLASS}
    assert all(row["email"].startswith("s1") for row in rows.values())


def quoted(value):
    """Return a value as a line of CSV holds it."""
    text = f"'{value}" if str(value)[:1] in "=+-@" else str(value)
    return f'"{text}"' if set(text) & set(',"') else text


def test_canvas_gets_the_bytes_that_its_importer_reads(week, project):
    """Header, the line of points that begins with four blanks, the number as the ID."""
    hw1 = project / "autumn" / "hw1"
    grades = read(hw1 / "grades.csv")
    title = quoted(exam.load("hw1").title)
    of = next(iter(grades.values()))["of"]
    lines = [f"Student,ID,SIS User ID,SIS Login ID,Section,{title}"]
    lines += [f"    Points Possible,,,,,{of}"]
    people = {str(p.number): p for p in CLASS}
    for student, row in sorted(grades.items()):
        number = student.removeprefix("canvas-")
        name = quoted(people[number].name)
        lines.append(f"{name},{number},,,,{row['total']}")
    assert (hw1 / "canvas.csv").read_bytes() == ("\n".join(lines) + "\n").encode()


def test_the_pages_go_back_under_the_names_they_came_with(week, project):
    """Canvas reads the first two numbers between the signs `_` of a name."""
    hw1 = project / "autumn" / "hw1"
    handed_in = {f"canvas-{p.number}" for p in CLASS if p.wrapping != "absent"}
    with zipfile.ZipFile(hw1 / "feedback-canvas.zip") as archive:
        found = {}
        for name in archive.namelist():
            numbers = [
                part for part in name.split("_") if part.isascii() and part.isdecimal()
            ][:2]
            found[f"canvas-{numbers[0]}"] = archive.read(name).decode()
            assert name.endswith(".html")
            assert int(numbers[1]) >= 50_000
    assert set(found) == handed_in
    for student, page in found.items():
        assert page == (hw1 / "feedback" / f"{student}.html").read_text("utf-8")
    assert not (hw1 / "feedback-moodle.zip").exists()


def test_the_totals_are_in_per_cent(week, project):
    rows = read(project / "autumn" / "totals.csv")
    grades = read(project / "autumn" / "hw1" / "grades.csv")
    for student, row in rows.items():
        share = 100 * float(grades[student]["total"]) / float(grades[student]["of"])
        assert float(row["per cent"]) == pytest.approx(share, abs=0.005)


# The same class on Moodle, with the toy assignment.

FAULTY = RIGHT["forward"].replace("np.tanh(a)", "np.sin(a)")
WORK = {"solved": honest(), "one wrong": honest(forward=FAULTY), "stub": STUB}


@pytest.fixture(scope="module")
def moodle(tmp_path_factory):
    """Return a term in which the class has handed in on Moodle and is graded."""
    term = tmp_path_factory.mktemp("moodle") / "term"
    terms.new(term)
    (term / "roster.csv").write_text(class_of_60.roster(CLASS), encoding="utf-8")

    def work(kind, number):
        return notebook(*WORK.get(kind, STUB), f"# {number}")

    members = [
        file
        for p in CLASS
        for file in class_of_60.files(p, work, class_of_60.moodle_name, "toy")
    ]
    path = class_of_60.archive(term.parent / "download.zip", members)
    for command, *more in (("collect", str(path)), ("run", "-j", "2")):
        assert __main__.main([command, "judge.toy", str(term), *more]) == 0
    return SimpleNamespace(folder=term / "toy", members=members, term=term)


def test_moodle_gets_the_worksheet_that_it_reads(moodle):
    """With everybody's number; by the roster, who handed in nothing has a line too."""
    points = {"solved": 10, "one wrong": 8.5, "stub": 0}
    lines = ["Identifier,Grade,Last modified (grade),Feedback comments"]
    missing = []
    for person in CLASS:
        if person.wrapping in ("absent", "pdf"):
            missing.append(person.number)
            continue
        earned = 0 if person.wrapping == "another assignment" else points[person.kind]
        lines.append(f"Participant {person.number},{earned},,{earned} of 10")
    missing_lines = [
        f"Participant {number},0,,0 of 10: nothing was handed in" for number in missing
    ]
    seen = (moodle.folder / "moodle.csv").read_bytes().decode()
    assert sorted(seen.splitlines()[1:]) == sorted([*lines[1:], *missing_lines])
    assert seen.startswith(lines[0] + "\n")
    assert seen.endswith("\n")


def test_moodle_gets_the_pages_back_in_its_own_folders(moodle):
    """It splits the folder's name at each sign `_`: name, number, kind, plugin."""
    with zipfile.ZipFile(moodle.folder / "feedback-moodle.zip") as archive:
        names = archive.namelist()
    handed_in = {p.number for p in CLASS if p.wrapping != "absent"}
    seen = set()
    for name in names:
        folder, _, file = name.partition("/")
        _, number, kind, plugin, *rest = folder.split("_")
        assert (kind, plugin, rest, file) == (
            "assignsubmission", "file", [], "feedback.html",
        )  # fmt: skip
        seen.add(int(number))
    assert seen == handed_in
    assert len(names) == len(seen)


def test_who_handed_in_what_is_listed(moodle):
    with (moodle.folder / "collected.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    offered = [name for name, *_ in moodle.members if not name.startswith("__MACOSX")]
    assert len(lines) == len(offered)
    assert sum(line["why"] == "another attempt counts" for line in lines) == 2
    assert sum(line["why"] == "no notebook" for line in lines) == 1


def test_each_student_has_numbers_of_her_own_where_that_is_wanted(moodle, capsys):
    command = ["--variants", "per-student"]
    before = read(moodle.folder / "grades.csv")
    assert __main__.main(["verify", "judge.toy", str(moodle.term), *command]) == 2
    assert "Nothing is graded yet" in capsys.readouterr().err
    copy = moodle.term.parent / "own"
    shutil.copytree(moodle.term, copy)
    assert __main__.main(["run", "judge.toy", str(copy), "-j", "2", *command]) == 0
    after = read(copy / "toy" / "grades.csv")
    assert {s: r["total"] for s, r in after.items()} == {
        s: r["total"] for s, r in before.items()
    }
    records = (copy / "toy" / "grades.log.jsonl").read_text().splitlines()
    assert len({json.loads(line)["key"] for line in records}) == len(records)
    own = exam.variants(toy.ASSIGNMENT, toy.SECRET)
    messages = {
        own.of(student).questions[0].calls[0].message for student in ("ada", "bob", "")
    }
    assert len(messages) == 3
    assert own.of("ada").fingerprint == own.of("ada").fingerprint
