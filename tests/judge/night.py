"""A night with all attacks, and what must be true on the morning after.

All attacks are graded once, two at a time, with forty honest students between them.
"""

import contextlib
import csv
import html
import os
import socket
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from judge import toy
from judge.attacks import ATTACKS
from judge.notebooks import RIGHT, honest, notebook

from coursework.judge import (
    attempt,
    exam,
    feedback,
    grade,
    report,
    run,
    sandbox,
    submissions,
    view,
)

OWNED = Path(tempfile.gettempdir()) / f"jachess-owned-{os.getpid()}"
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
        self.ended = time.time()
        (folder / "log.jsonl").unlink()
        self.after = snapshot(folder)
        self.connections = connections(port)
        whole = toy.book_of(self.results, drawn)
        self.pages = {
            row.student: feedback.page(drawn, row, whole.of) for row in whole.rows
        }
        self.tables = [f(drawn, whole) for f in (report.grades, report.canvas)]
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
        port.accept()[0].close()
        return 1
    return 0


def hand_in(folder, number):
    """Write all submissions, attacks and honest ones in turn."""
    place = folder / "submissions"
    place.mkdir()
    (folder / "neighbour.ipynb").write_bytes(notebook(*honest()))
    (folder / "term.key").write_bytes(toy.SECRET)
    for n, (name, attack) in enumerate(ATTACKS.items()):
        path = place / attack.file.format(name=f"{n % 40:02}-{name}")
        if callable(attack.submission):
            attack.submission(path)
        else:
            data = attack.submission.replace(b"PORT", str(number).encode())
            path.write_bytes(data.replace(b"OWNED", bytes(OWNED)))
    for n, (name, cells) in enumerate(HONEST.items()):
        (place / f"{n:02}-{name}.ipynb").write_bytes(notebook(*cells))


def needs(level):
    """Skip a test where a level cannot be had, but fail in continuous integration."""
    try:
        with sandbox.slot() as uid:
            sandbox.start(level, view.build(), uid).kill()
    except sandbox.IsolationError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


class Morning:
    """What must be true, whatever the level of isolation."""

    level: str

    @pytest.fixture(scope="class")
    @classmethod
    def night(cls, tmp_path_factory):
        """Grade everything once."""
        needs(cls.level)
        OWNED.unlink(missing_ok=True)
        folder = tmp_path_factory.mktemp("night")
        with (
            pytest.MonkeyPatch.context() as patch,
            socket.create_server(("127.0.0.1", 0)) as port,
        ):
            patch.setenv(CANARY, CANARY)
            patch.setattr(sandbox, "level", lambda: cls.level)
            # Many loop until they are stopped: a third of the time shows the same.
            patch.setattr(attempt, "SECONDS", attempt.SECONDS / 3)
            hand_in(folder, port.getsockname()[1])
            yield Night(folder, port)

    @pytest.mark.parametrize("name", ATTACKS)
    def test_an_attack_earns_nothing_and_is_told_why(self, night, name):
        """Every attack ends as its table says, with words for every zero."""
        attack = ATTACKS[name]
        student, result = night.of(name)
        assert report.total(result) == attack.points, result
        assert attack.status in result["status"]
        assert result["level"] == (self.level if result["status"] == "graded" else "")
        page = html.unescape(night.pages[student])
        marks = result["questions"].values()
        told = page + "\n".join(mark["reason"] for mark in marks)
        assert html.unescape(attack.shows) in told, told
        assert len(result["cells"]) <= 1
        for mark in marks:
            assert bool(mark["reason"]) == (mark["points"] == 0)

    def test_there_are_enough_attacks_and_each_says_what_it_tries(self):
        """The table is long enough and repeats nothing."""
        assert len(ATTACKS) >= 120
        assert len({attack.tries for attack in ATTACKS.values()}) == len(ATTACKS)

    def test_every_honest_student_has_the_score_of_a_quiet_night(self, night):
        """Forty of forty honest students are marked as they are alone."""
        alone = {n: grade.grade(night.drawn, notebook(*c)) for n, c in HONEST.items()}
        assert {n: night.of(n)[1] for n in HONEST} == alone
        points = [report.total(result) for result in alone.values()]
        assert points[::2] == [10] * 20
        assert set(points[1::2]) == {8.5, 6, 9.5, 8}

    def test_every_file_has_one_row(self, night):
        """Nobody is left out."""
        # Two of the attacks hand in two files each.
        assert len(night.results) == len(ATTACKS) + len(HONEST)

    def test_nothing_is_written_outside(self, night):
        """The folder is as it was, and no command was run."""
        assert night.after == night.before
        assert not OWNED.exists()

    def test_nothing_was_read_that_is_not_bound(self, night):
        """Neither our environment nor the passwords show up."""
        for page in night.pages.values():
            assert CANARY not in page
            assert "root:" not in page

    def test_no_hidden_input_is_in_any_feedback(self, night):
        """No way out is found for the inputs."""
        drawn = toy.networks(exam.seeds.generator(toy.SECRET, "toy", "q1"))
        digits = repr(float(np.ravel(drawn[0].arguments[1])[0]))[:7]
        for page in night.pages.values():
            assert "SECRET" not in page.replace("/tmp/SECRET", "").replace(
                "'SECRET'", ""
            )
            assert digits not in page

    def test_nobody_called_home(self, night):
        """The listening socket was not called."""
        assert night.connections == 0

    def test_no_process_is_left_behind(self, night):
        """No sandbox outlives its run."""
        # Of another run, which ends it in time, or of ours, which should have.
        found = [
            process
            for process in psutil.process_iter(["exe", "create_time"])
            if (process.info["exe"] or "").endswith("/python/bin/python3")
            and process.info["create_time"] <= night.ended
        ]
        _, alive = psutil.wait_procs(found, timeout=60)
        assert not alive

    def test_feedback_is_inert(self, night):
        """The pages hold no markup of a student's and nothing invisible."""
        for page in night.pages.values():
            body = page.split("<body>")[1]
            assert "<script" not in body
            assert "<img" not in body
            assert not set(body) & {
                chr(c) for c in [*range(10), 11, 12, *range(14, 32), 127]
            }
            assert not any(c in body for c in "\x9b\u202e\u2028\r")

    def test_tables_hold_no_formula_and_no_control_character(self, night):
        """A spreadsheet finds plain values."""
        for table in night.tables:
            for row in csv.reader(table.splitlines()):
                for value in row:
                    assert value[:1] not in ("=", "+", "-", "@", "\t", "\r")
                    assert value.isprintable()

    def test_ids_are_safe_names_of_files(self, night):
        """A page is written into its folder and nowhere else."""
        for student in night.results:
            assert student.translate(dict.fromkeys(map(ord, "._-@"))).isalnum()
            assert not student.startswith(".")
            assert len(f".{student}.html.part".encode()) < 256
