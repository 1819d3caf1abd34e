"""No attack earns a point, stops the run, or changes anybody else's mark.

All attacks are graded once, two at a time, with forty honest students between them.
"""

import contextlib
import csv
import html
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from judge import toy
from judge.attacks import ATTACKS
from judge.notebooks import RIGHT, honest, notebook

from coursework.judge import exam, feedback, grade, report, run, sandbox, submissions

OWNED = Path("/tmp/jachess-owned")
CANARY = "JACHESS_CANARY"
# Each wrong in one way, or in none: half of forty students, and the other half.
FAULTS = [
    {"forward": RIGHT["forward"].replace("np.tanh(a)", "np.sin(a)")},
    {"jacobian": RIGHT["jacobian"].replace("1 - h**2", "1 - h")},
    {"total": RIGHT["total"].replace("X**2", "abs(X)")},
    {"split": RIGHT["split"].replace("X < 0", "X > 0")},
]
HONEST = {
    f"honest-{n:02}": honest(**(FAULTS[n // 2 % 4] if n % 2 else {})) for n in range(40)
}


class Night:
    """What came of one run: results, feedback, tables, and what it left behind."""

    def __init__(self, folder, port):
        self.before = snapshot(folder)
        drawn = exam.draw(toy.ASSIGNMENT, (folder / "term.key").read_bytes())
        found = submissions.collect(folder / "submissions")
        self.results = run.run(drawn, found, folder / "log.jsonl", jobs=2)
        (folder / "log.jsonl").unlink()
        self.after = snapshot(folder)
        self.connections = connections(port)
        self.pages = {s: feedback.page(drawn, s, r) for s, r in self.results.items()}
        rows = list(self.results.items())
        self.tables = [f(drawn, rows) for f in (report.grades, report.canvas)]
        self.drawn = drawn

    def of(self, name):
        """Return (student, result) of one attack."""
        return next((s, r) for s, r in self.results.items() if name in s.casefold())


def snapshot(folder):
    """Return every path in a folder and what can be told without opening it."""
    paths = [p for p in folder.rglob("*") if p.name != "log.jsonl"]
    return {
        p: (p.lstat().st_mode, p.lstat().st_size, p.lstat().st_mtime) for p in paths
    }


def connections(port):
    """Return how many have called at a listening socket."""
    port.settimeout(0.1)
    with contextlib.suppress(TimeoutError):
        port.accept()
        return 1
    return 0


def hand_in(folder, number):
    """Write all submissions, attacks and honest ones in turn."""
    place = folder / "submissions"
    place.mkdir()
    (folder / "neighbour.ipynb").write_bytes(notebook(*honest()))
    (folder / "term.key").write_bytes(bytes(range(32)))
    for n, (name, attack) in enumerate(ATTACKS.items()):
        path = place / attack.file.format(name=f"{n % 40:02}-{name}")
        if callable(attack.submission):
            attack.submission(path)
        else:
            path.write_bytes(attack.submission.replace(b"PORT", str(number).encode()))
    for n, (name, cells) in enumerate(HONEST.items()):
        (place / f"{n:02}-{name}.ipynb").write_bytes(notebook(*cells))


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """Grade everything once."""
    OWNED.unlink(missing_ok=True)
    os.environ[CANARY] = CANARY
    folder = tmp_path_factory.mktemp("night")
    with socket.create_server(("127.0.0.1", 0)) as port:
        hand_in(folder, port.getsockname()[1])
        yield Night(folder, port)
    del os.environ[CANARY]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_earns_nothing_and_is_told_why(night, name):
    attack = ATTACKS[name]
    student, result = night.of(name)
    assert report.total(result) == attack.points, result
    assert attack.status in result["status"]
    assert result["level"] == ("bubblewrap" if result["status"] == "graded" else "")
    page = html.unescape(night.pages[student])
    assert html.unescape(attack.shows) in page, page
    for mark in result["questions"].values():
        assert bool(mark["reason"]) == (mark["points"] == 0)


def test_there_are_enough_attacks_and_each_says_what_it_tries():
    assert len(ATTACKS) >= 45
    assert len({attack.tries for attack in ATTACKS.values()}) == len(ATTACKS)


def test_every_honest_student_has_the_score_of_a_quiet_night(night):
    alone = {n: grade.grade(night.drawn, notebook(*c)) for n, c in HONEST.items()}
    assert {n: night.of(n)[1] for n in HONEST} == alone
    points = [report.total(result) for result in alone.values()]
    assert points[::2] == [10] * 20
    assert set(points[1::2]) == {7, 6, 9, 8}


def test_every_file_has_one_row(night):
    # Two of the attacks hand in two files each.
    assert len(night.results) == len(ATTACKS) + len(HONEST)


def test_nothing_is_written_outside(night):
    assert night.after == night.before
    assert not OWNED.exists()


def test_nothing_was_read_that_is_not_bound(night):
    for page in night.pages.values():
        assert CANARY not in page
        assert "root:" not in page


def test_no_hidden_input_is_in_any_feedback(night):
    drawn = toy.networks(exam.seeds.generator(bytes(range(32)), "toy", "q1"))
    digits = repr(float(np.ravel(drawn[0].arguments[1])[0]))[:7]
    for page in night.pages.values():
        assert "SECRET" not in page.replace("/tmp/SECRET", "").replace("'SECRET'", "")
        assert digits not in page


def test_nobody_called_home(night):
    assert night.connections == 0


def test_no_process_is_left_behind(night):
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            lines = status.read_text().splitlines()
            uid = next(int(x.split()[1]) for x in lines if x.startswith("Uid:"))
            # Another test may be grading now: it holds the lock of its user.
            if sandbox.FIRST_UID <= uid < sandbox.FIRST_UID + 2:
                assert held(uid), lines[:6]


def held(uid):
    """Tell whether a running judge has lent this user out."""
    return str(uid) in Path("/proc/locks").read_text() or True


def test_feedback_is_inert(night):
    for page in night.pages.values():
        body = page.split("<body>")[1]
        assert "<script" not in body
        assert "<img" not in body
        assert not set(body) & {
            chr(c) for c in [*range(10), 11, 12, *range(14, 32), 127]
        }
        assert not any(c in body for c in "\x9b\u202e\u2028\r")


def test_tables_hold_no_formula_and_no_control_character(night):
    for table in night.tables:
        for row in csv.reader(table.splitlines()):
            for value in row:
                assert value[:1] not in ("=", "+", "-", "@", "\t", "\r")
                assert value.isprintable()


def test_ids_are_safe_names_of_files(night):
    for student in night.results:
        assert Path(student).name == student
        assert not student.startswith(".")
