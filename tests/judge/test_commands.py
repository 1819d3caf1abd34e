"""The command line, the log, the tables and the pages that a run writes."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from judge.night import needs
from judge.notebooks import honest, notebook

from coursework.judge import (
    __main__,
    attempt,
    exam,
    feedback,
    log,
    report,
    run,
    sandbox,
    seed,
    stop,
    submissions,
    view,
)
from coursework.judge import notebook as notebook_limits
from coursework.questions import names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def isolation():
    needs("bubblewrap")


def judge(command, term, *options):
    """Run the command line on a term."""
    return __main__.main([command, "judge.toy", str(term), *options])


def table(path):
    """Return the rows of a table."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_a_run_writes_tables_feedback_and_the_level(term, capsys):
    assert judge("run", term, "-j", "2") == 0
    assert "Isolation: bubblewrap" in capsys.readouterr().out
    term = term / "toy"
    rows = table(term / "grades.csv")
    assert [r["student"] for r in rows] == ["ada", "bob", "cyd"]
    assert [r["total"] for r in rows] == ["10", "0", "0"]
    assert [r["isolation"] for r in rows] == ["bubblewrap", "bubblewrap", ""]
    assert rows[2]["status"] == "the file is not a notebook (.ipynb)"
    assert rows[0]["w1"] == ""
    pages = {p.stem: p.read_text() for p in (term / "feedback").iterdir()}
    assert set(pages) == {"ada", "bob", "cyd"}
    assert "10 of 10 points" in pages["ada"]
    assert "Not graded: the file is not a notebook" in pages["cyd"]
    canvas = list(csv.reader((term / "canvas.csv").read_text().splitlines()))
    assert canvas[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert canvas[1] == ["    Points Possible", "", "", "", "", "10"]
    assert canvas[2] == ["ada", "", "", "ada", "", "10"]
    moodle = list(csv.reader((term / "moodle.csv").read_text().splitlines()))
    assert moodle[0] == ["Username", "A toy assignment", "Feedback"]
    assert moodle[1] == ["ada", "10", "10 of 10"]


def test_grading_again_gives_the_same_bytes(term):
    place = term / "toy"

    def everything():
        paths = [place / "grades.csv", *sorted((place / "feedback").iterdir())]
        return [path.read_bytes() for path in paths]

    judge("run", term)
    first = everything()
    assert judge("regrade", term, "-j", "2") == 0
    assert everything() == first
    (place / "grades.log.jsonl").unlink()
    judge("run", term)
    assert everything() == first


def test_what_is_in_the_log_is_not_graded_again(term, monkeypatch):
    graded = []
    timed = run.timed_grade
    monkeypatch.setattr(run, "timed_grade", lambda *a: graded.append(a[1]) or timed(*a))
    judge("run", term)
    judge("run", term)
    assert len(graded) == 2
    judge("regrade", term, "--student", "bob")
    assert graded[2:] == [(term / "toy" / "submissions" / "bob.ipynb").read_bytes()]
    (term / "toy" / "submissions" / "bob.ipynb").write_bytes(
        notebook(*honest(), "1")
    )  # again
    judge("run", term)
    assert len(graded) == 4
    (term / "term.key").unlink()
    seed.make(term / "term.key")  # another term
    judge("run", term)
    assert len(graded) == 6
    assert judge("regrade", term, "--student", "eve") == 2


def test_status_counts(term, capsys):
    judge("status", term)
    assert "0 graded, 1 refused, 2 to do" in capsys.readouterr().out
    judge("run", term)
    capsys.readouterr()
    judge("status", term)
    words = capsys.readouterr().out
    assert "2 graded, 1 refused, 0 to do" in words
    assert "mean 5.00 of 10 points" in words


def test_verify_finds_a_changed_mark(term, capsys):
    judge("run", term)
    assert judge("verify", term) == 0
    book = term / "toy" / "grades.log.jsonl"
    records = [json.loads(line) for line in book.read_text().splitlines()]
    bob = next(r for r in records if r["student"] == "bob")
    bob["result"]["questions"]["q1"]["points"] = 3
    book.write_text("".join(json.dumps(r) + "\n" for r in records))
    before = book.read_bytes()
    capsys.readouterr()
    assert judge("verify", term) == 1
    assert "bob: 3 then, 0 now" in capsys.readouterr().out
    assert judge("verify", term, "--sample", "1") in (0, 1)
    assert book.read_bytes() == before


def test_a_log_that_was_cut_short_is_gone_on_with(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"key": "a", "result": 1}\n{"key": "b", "res')
    with log.Log(path) as book:
        book.append(key="c", result=3)
    assert set(log.read(path)) == {"a", "c"}
    assert log.read(tmp_path / "none.jsonl") == {}


# Grade three, and then none until a signal has come: no clock decides which is first.
HELD = """
import itertools, sys, threading
from coursework.judge import __main__, run, stop
stopped, count = threading.Event(), itertools.count()
grade, hear = run.timed_grade, stop._on_signal
def held(*values):
    if next(count) >= 3: stopped.wait()
    return grade(*values)
def heard(*values):
    stopped.set()
    hear(*values)
run.timed_grade, stop._on_signal = held, heard
sys.exit(__main__.main(sys.argv[1:]))
"""
DEAF = "trap '' INT TERM HUP CHLD; exec \"$@\""


@pytest.mark.parametrize("number", stop.SIGNALS, ids=lambda number: number.name)
def test_an_interrupted_run_loses_nothing(term, number):
    """Ctrl-C or its like in the middle; the same command goes on from there.

    A process inherits what it does at a signal: this one is told to ignore them all.
    """
    for n in range(10):
        (term / "toy" / "submissions" / f"student{n}.ipynb").write_bytes(
            notebook(*honest(), f"# {n}")
        )
    command = ["run", "judge.toy", str(term), "-j", "2"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    book = term / "toy" / "grades.log.jsonl"
    process = subprocess.Popen(
        ["sh", "-c", DEAF, "sh", sys.executable, "-c", HELD, *command],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    while not (book.exists() and len(book.read_text().splitlines()) >= 3):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "goes on from there" in words
    done = len(log.read(book))
    assert 3 <= done < 12
    assert not (term / "toy" / "grades.csv").exists()
    again = [sys.executable, "-m", "coursework.judge", *command]
    subprocess.run(again, env=environment, cwd=ROOT, check=True)
    assert len(book.read_text().splitlines()) == len(log.read(book)) == 12
    totals = [row["total"] for row in table(term / "toy" / "grades.csv")]
    assert totals == ["10", "0", "0"] + ["10"] * 10


def test_a_signal_never_comes_between_a_mark_and_the_log():
    """It waits until what is being written is written."""
    steps, before = [], signal.getsignal(signal.SIGTERM)

    def work():
        with stop.listening():
            with stop.deferred():
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0)  # a place for the signal to be heard
                steps.append("written")
            steps.append("never")

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert steps == ["written"]
    assert stop.status(caught.value) == 143
    assert signal.getsignal(signal.SIGTERM) == before


ODD = {
    "no home, no terminal, plain C": ({"LC_ALL": "C"}, 'exec "$@" </dev/null'),
    "nothing open": ({}, 'exec "$@" <&- >&- 2>&-'),
    "all is private": ({}, 'umask 077; exec "$@"'),
    "all is public": ({}, 'umask 000; exec "$@"'),
}


@pytest.mark.parametrize("start", ODD.values(), ids=ODD)
def test_how_the_judge_is_started_changes_no_mark(term, start):
    """Nor does a path with blanks and letters of other languages."""
    environment, shell = start
    moved = term.with_name(f"{term.name} a täst, Übung")
    term.rename(moved)
    place = moved / "toy"
    command = [sys.executable, "-m", "coursework.judge", "run", "judge.toy", str(moved)]
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    path["XDG_CACHE_HOME"] = str(view.build().parents[1])  # who is not root needs one
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *command],
        env={**path, **environment},
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert b"Traceback" not in done.stderr
    assert [row["total"] for row in table(place / "grades.csv")] == ["10", "0", "0"]
    assert {p.stem for p in (place / "feedback").iterdir()} == {"ada", "bob", "cyd"}
    lines = (place / "grades.log.jsonl").read_text().splitlines()
    assert all(json.loads(line)["result"]["status"] == "graded" for line in lines)


def test_a_lack_of_a_home_is_said(monkeypatch):
    def nobody(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(view.os, "geteuid", lambda: 12345)
    monkeypatch.setattr(view.Path, "expanduser", nobody)
    with pytest.raises(OSError, match="Set XDG_CACHE_HOME"):
        view._cache()


@pytest.mark.usefixtures("fresh_level")
def test_nothing_is_graded_without_isolation(monkeypatch, term, capsys):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert judge("run", term) == 2
    words = capsys.readouterr().err
    assert "without isolation" in words
    assert "bubblewrap: bwrap is not installed" in words
    assert not (term / "toy" / "grades.csv").exists()
    assert not (term / "toy" / "grades.log.jsonl").exists()


def test_a_failure_of_the_judge_is_a_zero_that_is_tried_again(term, monkeypatch, drawn):
    def fail(exam, data):
        raise ZeroDivisionError

    found = submissions.collect(term / "toy" / "submissions")
    book = term / "log.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(run, "timed_grade", fail)
        results = run.run(drawn, found, book)
    assert results["ada"]["status"] == "the judge itself failed (ZeroDivisionError)"
    assert log.read(book) == {}
    assert report.total(run.run(drawn, found, book)["ada"]) == 10


def test_a_missing_assignment_or_folder_is_said_in_one_line(term, capsys):
    assert __main__.main(["run", "hw99", str(term)]) == 2
    error = capsys.readouterr().err
    assert error == "There is no assignment hw99. There are hw1, hw2, hw3, hw4, hw5.\n"
    (term / "toy").rename(term / "out")
    assert judge("run", term) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_new_term_has_its_files_and_is_made_once(tmp_path, capsys):
    folder = tmp_path / "courses" / "autumn"
    assert __main__.main(["new-term", str(folder)]) == 0
    assert {p.name for p in folder.iterdir()} == {
        "term.key", "policy.toml", "roster.csv", ".gitignore",
    }  # fmt: skip
    secret = (folder / "term.key").read_bytes()
    assert __main__.main(["new-term", str(folder)]) == 2
    assert "a new one needs a new folder" in capsys.readouterr().err
    assert (folder / "term.key").read_bytes() == secret


SECRETS = {
    "nothing": (None, 0o600, "Make a term with"),
    "too short": (bytes(range(9)), 0o600, "9 bytes of at least 32"),
    "for all to read": (bytes(range(32)), 0o644, "others may read"),
    "the same byte": (bytes(32), 0o600, "the same bytes again"),
}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_is_none_is_refused_in_one_line(term, secret, capsys):
    data, mode, says = SECRETS[secret]
    path = term / "term.key"
    path.unlink()
    if data is not None:
        path.write_bytes(data)
        path.chmod(mode)
    for command in ("run", "status", "verify", "regrade", "mark"):
        assert judge(command, term) == 2
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1


def test_control_characters_and_formulas_are_taken_out():
    assert report.plain("a\x1b[31m\n\u202eb\x00") == "a [31m  b"
    assert report.cell("=1+1") == "'=1+1"
    assert report.cell("\t=1") == "'=1"
    assert report.cell(3) == 3
    assert feedback.safe("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"


def test_the_page_for_instructors_states_the_limits_that_hold():
    page = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
    exams = [exam.draw(exam.load(name), bytes(32)) for name in names()]
    bits = math.ceil(max(map(feedback.bits, exams)))
    for fact in (
        f"{attempt.SECONDS} seconds",
        f"{attempt.SECONDS} s in all",
        f"more than {notebook_limits.SIZE_LIMIT >> 20} MB",
        f"or {notebook_limits.CELL_LIMIT} cells",
        f"{sandbox.MEMORY >> 30} GB of memory",
        f"shorter than {seed.BYTES} bytes",
        f"the first {feedback.NAMED_CELLS} cells",
        f"at most {bits} bits",
    ):
        assert fact in page
    assert attempt.SLICE == 0.5
    assert "after half a second" in page


def test_every_command_of_the_page_is_understood():
    page = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
    lines = [line.removeprefix("$ ") for line in page.splitlines()]
    commands = [x for x in lines if x.startswith("python -m coursework.judge")]
    assert len(commands) >= 8
    for command in commands:
        words = command.partition("#")[0].split()[3:]
        assert __main__.parser().parse_args(words).command == words[0]
