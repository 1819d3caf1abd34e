"""One submission: honest ones get their marks, and levels of isolation are kept."""

import builtins
import ctypes
import os
import re
import select
import threading
from pathlib import Path

import psutil
import pytest
from judge.night import needs
from judge.notebooks import RIGHT, STUB, cell, honest, notebook

from coursework.judge import (
    attempt,
    clock,
    errors,
    exam,
    feedback,
    grade,
    report,
    sandbox,
    view,
)
from coursework.judge.process import EndedError


@pytest.fixture(scope="module", autouse=True)
def isolation():
    needs("bubblewrap")


def points(drawn, *cells):
    """Return the points of each question of one submission."""
    result = grade.grade(drawn, notebook(*cells))
    return [mark["points"] for mark in result["questions"].values()]


def test_the_reference_scores_full_and_the_stub_nothing(drawn):
    assert points(drawn, *honest()) == [3, 4, 1, 2]
    assert points(drawn, *STUB) == [0, 0, 0, 0]


def test_all_cases_of_a_question_must_be_right(drawn):
    shallow = "def forward(W, X): return W[0][:, 0] + X @ W[0][:, 1:].T"
    assert points(drawn, *honest(forward=shallow)) == [0, 4, 1, 2]


def test_honest_habits_cost_nothing(drawn):
    """Magics, plots, files, lists for arrays, and cells that fail or are not graded."""
    habits = [
        "%matplotlib inline\nimport numpy as np\n!pip install numpy",
        "import matplotlib as mpl\nfrom matplotlib.colors import LogNorm\n"
        "import matplotlib.ticker as ticker\nLogNorm(1, ticker.x)\nmpl.use('agg')",
        "from scipy import linalg",
        cell("while True: pass", tags=["not-graded"]),
        "data = np.loadtxt('toy_data.csv', delimiter=',')\nassert data[1, 1] == 4",
        "with plt.style.context('x'):\n    fig, axes = plt.subplots(2, 2)\n"
        "    for ax in axes.flat: line, = ax.plot(data); ax.set(title='x')\nplt.show()",
        "import time\nstart = time.perf_counter()\nprint(time.perf_counter() - start)",
        "display(data)",
        "def split(X): return [(X * (X > 0)).tolist(), (X * (X < 0)).tolist()]",
        "total_before = total\ndef total(X, kind): return float(total_before(X, kind))",
    ]
    result = grade.grade(drawn, notebook(*honest(), *habits))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    (report_of_scipy,) = result["cells"]
    assert report_of_scipy[1:] == [
        "from scipy import linalg",
        "it stopped: a name, an attribute or a module is not there",
    ]


def test_a_slow_cell_and_a_slow_function_get_their_time(drawn):
    slow = "import time\ntime.sleep(0.8)\nfactor = 1"
    late = "def total(X, kind):\n    time.sleep(0.8)\n"
    late += "    return factor * (X.sum() if kind == 'plain' else (X**2).sum())"
    result = grade.grade(drawn, notebook(slow, *honest(total=late)))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    assert result["cells"] == []


def clocks(monkeypatch):
    """Return a function that says how many seconds the last submission has used."""
    states = []

    def watched(*values):
        states.append(attempt.attempt(*values))
        return states[-1]

    monkeypatch.setattr(grade, "attempt", watched)
    return lambda: states[-1].clock.now


def test_a_page_says_no_more_than_it_can_carry(drawn):
    """Whatever there is to say: the first that failed in full, one word of the rest."""
    page = feedback.page(drawn, "ada", result_of(drawn, ["VALUE", None, "X", None]))
    assert "VALUE" in page
    assert "no answer" in page
    assert "X" not in page
    reasons = {
        None: feedback.RIGHT,
        f"a label: {exam.VALUES}": feedback.WRONG,
        f"a label: {exam.SHAPE}": feedback.WRONG,
        attempt.TOO_LONG: feedback.LATE,
        attempt.NOT_ASKED: feedback.LATE,
        attempt.GONE: feedback.SILENT,
        "the function stopped: the syntax is wrong": feedback.SILENT,
    }
    for reason, word in reasons.items():
        assert feedback.brief(reason) == word
    result = result_of(drawn, [None] * 4)
    result["cells"] = [[feedback.NAMED_CELLS + 1, "SECRET", "it stopped: WHY"]]
    page = feedback.page(drawn, "ada", result)
    words = "A cell after the first 100 is the first that failed: it stopped: WHY"
    assert words in page
    assert "SECRET" not in page


def result_of(drawn, reasons):
    """Return a result with these reasons."""
    result = grade.refused(drawn, "no")
    marks = result["questions"].values()
    for mark, reason in zip(marks, reasons, strict=True):
        mark["reason"] = reason or ""
    return result | {"status": grade.GRADED}


def test_every_error_is_one_of_a_handful():
    assert len(errors.WORDS) <= 8
    names = [n for n, v in vars(builtins).items() if isinstance(v, type)]
    for name in [*names, "SECRET", "", None, 3, ["ValueError"], {"a": 1}]:
        assert errors.words(name) in errors.WORDS
    for name, part in {
        "ModuleNotFoundError": "not there", "IndentationError": "syntax",
        "LinAlgError": "value", "IndexError": "value", "FloatingPointError": "arith",
        "RecursionError": "stack", "PermissionError": "right", "SECRET": "another",
    }.items():  # fmt: skip
        assert part in errors.words(name)


LOOP = "while True:\n    try: pass\n    except BaseException: pass"


@pytest.mark.parametrize(
    "cells",
    [
        [LOOP, *honest()],
        [LOOP] * 6 + honest() + [LOOP] * 6,
        honest(**{n: f"def {n}(*a):\n    while True: pass" for n in RIGHT}),
        ["import os\nos._exit(0)"] * 300,
    ],
    ids=["a cell", "twelve cells", "every function", "three hundred exits"],
)
def test_whatever_loops_costs_its_seconds_and_no_more(drawn, cells, monkeypatch):
    used = clocks(monkeypatch)
    monkeypatch.setattr(attempt, "SECONDS", 1.5)  # as with 5.2, but not so long
    grade.grade(drawn, notebook(*cells))
    assert used() <= attempt.SECONDS + attempt.START + clock.TICK


def test_what_holds_the_judge_up_is_on_nobody_s_clock(drawn, monkeypatch):
    """Another thread has the interpreter for most of the time, as a slow parser had."""
    used, over = clocks(monkeypatch), threading.Event()
    hold = ctypes.PyDLL(None).usleep  # PyDLL: the interpreter's lock is kept

    def holder():
        while not over.wait(0.001):
            hold(500_000)

    thread = threading.Thread(target=holder)
    thread.start()
    try:
        slow = "import time\ntime.sleep(0.3)"
        result = grade.grade(drawn, notebook(slow, *honest()))
    finally:
        over.set()
        thread.join()
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    assert result["cells"] == []
    assert used() < 2


@pytest.mark.parametrize(
    ("used", "waits"),
    [
        ([(3, 5), *((3 + n / 100, 5) for n in range(99))], 10),
        ([(3, 5), *((3, 5 + n * 9) for n in range(50)), (9, 450)], 51),
        ([(3, 5), (99, 5)], 1),
        ([(3, 5), (0, 0)], 10),
    ],
    ids=["it computes", "it stands in line", "we were held", "it sleeps, or has ended"],
)
def test_a_clock_counts_what_a_process_computes_or_sleeps(monkeypatch, used, waits):
    """What it does is told by the kernel; here we say it in its place."""
    reading, writing = os.pipe()
    told, asked = iter(used), []

    def usage(pid):
        asked.append(pid)
        return next(told, used[-1])

    monkeypatch.setattr(clock, "usage", usage)
    ticking = clock.Clock()
    with pytest.raises(clock.TimedOutError):
        ticking.wait(reading, select.POLLIN, 0.1)
    assert ticking.now == pytest.approx(0.1)
    # A tick may be a little short, and never counts for more than one.
    assert len(asked) - 1 in (waits, waits + 1)
    os.close(reading)
    os.close(writing)


def test_a_message_in_a_million_pieces_is_not_for_nothing():
    """Each piece is there when it is asked for, and none of them takes any time."""
    ticking = clock.Clock()

    def read_on(endless):
        for _ in range(1_000_000):
            ticking.wait(endless, select.POLLIN, 1)

    with open("/dev/zero", "rb") as endless, pytest.raises(clock.TimedOutError):
        read_on(endless)


def test_nothing_but_the_interpreter_is_in_the_view():
    folder = view.build((("toy_data.csv", b"1,2"),))
    assert {p.name for p in folder.iterdir()} == {
        "bin", "desk", "dev", "lib", "lib64", "numpy", "python", "tmp",
    }  # fmt: skip
    assert {p.name for p in (folder / "numpy").iterdir()} == {"numpy", "numpy.libs"}
    names = {p.name for p in (folder / "desk").iterdir()}
    assert names == {
        "worker.py",
        "reading.py",
        "check.py",
        "matplotlib",
        "toy_data.csv",
    }
    every = {p.name for p in folder.rglob("*")}
    assert not every & {"scipy", "site-packages", "jachess_lib", "questions.py", "pip"}


def test_who_has_read_a_file_of_the_view_is_not_noted():
    """Else the first submission that reads one could tell all that come after it."""
    path = view.build() / "desk" / "check.py"
    before = path.stat().st_atime
    assert before > 2**30 * 1.9
    path.read_bytes()
    assert path.stat().st_atime == before


def test_nothing_in_the_sandbox_is_without_limits_and_filters():
    """Its first process is the worker, and there is no other."""
    with (
        sandbox.slot() as uid,
        sandbox.start("bubblewrap", view.build(), uid) as process,
    ):
        inside = psutil.Process(process._process.pid).children(recursive=True)
        place = Path(f"/proc/{process.pid}")
        status, limits = (place / "status").read_text(), (place / "limits").read_text()
    assert [p.pid for p in inside] == [process.pid]
    assert re.search(r"^NSpid:.*\t1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp_filters:\t2$", status, re.MULTILINE)
    for name, limit in {
        "address space": sandbox.MEMORY, "processes": 0, "file size": 0,
        "locked memory": 0, "core file size": 0, "msgqueue size": 0, "open files": 32,
    }.items():  # fmt: skip
        assert re.search(rf"^Max {name} +{limit} +{limit} ", limits, re.MULTILINE), name


def test_a_killed_sandbox_leaves_no_process():
    with sandbox.slot() as uid:
        process = sandbox.start(sandbox.level(), view.build(), uid)
        family = psutil.Process(process._process.pid).children(recursive=True)
        assert family
        process.kill()
        _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


def test_two_slots_never_share_a_user():
    with sandbox.slot() as first, sandbox.slot() as second:
        assert first is None or first != second


class Scripted:
    """A process that says what it is told to, and ends when it has said it."""

    def __init__(self, *headers):
        self.headers = list(headers)

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        pass

    def send(self, message, deadline):
        """Take what is sent, and pay no heed."""

    def receive(self, deadline):
        """Return the next header."""
        if not self.headers:
            raise EndedError
        return self.headers.pop(0), b""


def test_a_cell_is_believed_only_as_long_as_it_cannot_know_an_input(drawn):
    """A second process might have heard of the inputs from the first."""
    broken, done = {"cell": 1, "error": "TypeError"}, {"cells": "done"}
    leak = {"cell": 1, "error": "ValueError"}
    processes = iter(
        [Scripted(broken, done), *(Scripted(leak, done) for _ in range(9))]
    )
    cells = [(1, "1 / 0")]
    state = attempt.attempt(drawn.questions, cells, lambda: next(processes))
    assert state.reports == {1: "it stopped: a value has the wrong type"}
    assert set(state.reasons.values()) == {attempt.GONE}


# Levels


@pytest.mark.usefixtures("fresh_level")
def test_bubblewrap_is_taken_where_it_starts():
    assert sandbox.level() == "bubblewrap"


@pytest.mark.usefixtures("fresh_level")
@pytest.mark.skipif(os.geteuid() != 0, reason="the fallback needs root")
def test_the_fallback_is_taken_where_bubblewrap_does_not_start(monkeypatch, drawn):
    def broken(folder, uid):
        return ["/bin/sh", "-c", "echo no namespaces >&2; exit 1"], {}

    monkeypatch.setitem(sandbox.LEVELS, "bubblewrap", broken)
    with pytest.raises(sandbox.IsolationError, match="not start, no namespaces"):
        sandbox.start("bubblewrap", view.build(), None)
    result = grade.grade(drawn, notebook(*honest()))
    assert result["level"] == sandbox.level() == "setpriv"
    assert report.total(result) == 10


@pytest.mark.usefixtures("fresh_level")
def test_the_fallback_is_refused_without_root(monkeypatch):
    programs = {"bwrap": None}
    monkeypatch.setattr(sandbox.shutil, "which", lambda n: programs.get(n, f"/bin/{n}"))
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 1000)
    with pytest.raises(sandbox.IsolationError, match="setpriv: it needs root"):
        sandbox.level()
