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
from judge import toy
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


def test_each_case_has_its_part_of_the_points(drawn):
    shallow = "def forward(W, X): return W[0][:, 0] + X @ W[0][:, 1:].T"
    assert points(drawn, *honest(forward=shallow)) == [1.5, 4, 1, 2]
    stops = "def total(X, kind):\n    assert kind != 'plain'\n    return (X**2).sum()"
    result = grade.grade(drawn, notebook(*honest(total=stops, forward=shallow)))
    assert report.total(result) == 8
    marks = result["questions"]
    assert marks["q3"]["points"] == 0.5
    assert marks["q3"]["right"] == 1
    page = toy.page(drawn, "ada", result)
    assert "0.5 of 1</td><td>right in 1 of 2 cases" in page


def test_an_answer_that_changes_its_argument_does_not_count(drawn):
    changes = "def split(X):\n    P, M = X * (X > 0), X * (X < 0)\n    X[:] = 0\n"
    result = grade.grade(drawn, notebook(*honest(split=changes + "    return P, M")))
    assert result["questions"]["q4"]["reason"] == "the function changes its arguments"
    inside = "def forward(W, X):\n    W.append(0)\n    return X"
    assert points(drawn, *honest(forward=inside)) == [0, 4, 1, 2]


# Cells of honest notebooks, each of which must run on to its last line.
HABITS = {
    "magics": "%matplotlib inline\n%config x = 1\n%time q = 3\nassert q == 3",
    "timing": "t = %timeit -o -n1 forward\nprint(t.average)",
    "a timed cell": "%%time\nq = 5",
    "what a timed cell leaves": "assert q == 5",
    "a captured cell": "%%capture out\nprint(3)\nw = 1",
    "what a captured cell leaves": "out.show()\nassert w == 1",
    "a shell": "!pip install numpy\nfiles = !ls\nassert len(files) == 0",
    "another language": "%%bash\nls",
    "a written file": "%%writefile a.py\nimport nothing",
    "help": "np.einsum?\n?np.tanh\nnp.linalg.inv??",
    "a question": "name = input('who are you?')",
    "IPython": "from IPython.display import display, Image, HTML\ndisplay(HTML('x'))\n"
    "ip = get_ipython()\nip.run_line_magic('matplotlib', 'inline')",
    "Colab": "from google.colab import drive, files\ndrive.mount('/content/drive')",
    "pandas": "import pandas as pd\ndf = pd.read_csv('x')\nprint(df['a'].mean() < 3)",
    "plots": "import matplotlib as mpl\nfrom matplotlib.colors import LogNorm\n"
    "import matplotlib.ticker as ticker\nLogNorm(1, ticker.x)\nmpl.use('agg')\n"
    "from mpl_toolkits.mplot3d import Axes3D\nplt.rcParams['figure.dpi'] = 90",
    "what plots return": "n, bins, patches = plt.hist([1])\n"
    "a, *more, c = plt.pie([1])\n"
    "lo, hi = plt.gca().get_xlim()\nx = np.linspace(0, 1, 3) + float(lo - hi / 2)\n"
    "for line in plt.gca().lines: line.set(lw=abs(-lo))\nassert x.shape == (3,)",
    "axes": "with plt.style.context('x'):\n    fig, axes = plt.subplots(2, 2)\n"
    "    for ax in axes.flat: line, = ax.plot([1]); ax.set(title='x')\nplt.show()\n"
    "fig, ax = plt.subplots()\nfig, axes = plt.subplots(1, 2, squeeze=False)\n"
    "assert axes.shape == (1, 2)",
    "threads": "from concurrent.futures import ThreadPoolExecutor\n"
    "with ThreadPoolExecutor(4) as pool: r = list(pool.map(abs, [1, -2]))\n"
    "assert r == [1, 2] and pool.submit(abs, -1).result() == 1",
    "processes": "from multiprocessing import Pool, cpu_count\n"
    "with Pool(cpu_count()) as pool: r = pool.map(abs, [-1])\nassert r == [1]\n"
    "assert pool.starmap(max, [(1, 2)]) == [2]\npool.close()",
    "a progress bar": "from tqdm.auto import tqdm, trange\n"
    "for i in tqdm(range(3)): k = i\nassert k == 2 == [*trange(3)][-1]",
    "a widget": "import ipywidgets as w\n@w.interact(x=3)\ndef g(x): return x",
    "the future": "from __future__ import annotations\ndef f(x: what): return x",
    "a clock": "import time\nstart = time.time()\nprint(time.time() - start)",
    "the end": "exit()\nquit\nexit",
    "data": "data = np.loadtxt('toy_data.csv', delimiter=',')\nassert data[1, 1] == 4",
    "the check": "verdict = check.q1(forward)\nassert verdict.ok\nprint(verdict)",
}
SCRATCH = """
def helper(x): return factor * x
def forward(W, X): return 0  # an old one
EPS = 1e-3
np.zeros(3) / np.undefined
while True: pass
"""


def test_honest_habits_cost_nothing(drawn):
    """Whatever Jupyter, Colab and habit put before and after the answers."""
    *before, _ = after = list(HABITS.values())  # the check wants answers
    opening = "import numpy as np\nimport matplotlib.pyplot as plt\nimport check"
    result = grade.grade(drawn, notebook(opening, *before, *honest(), *after))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    assert result["cells"] == []


def test_a_statement_that_fails_stops_nothing_else(drawn):
    """Neither its cell nor the others, and the first is named."""
    source = "from scipy.special import expit\n" + RIGHT["total"] + "nothing.there"
    result = grade.grade(drawn, notebook(*honest(total=source)))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    (report_of_scipy,) = result["cells"]
    assert report_of_scipy[1:] == [
        "from scipy.special import expit",
        "it stopped: a name, an attribute or a module is not there",
    ]


def test_of_a_cell_that_is_not_graded_the_definitions_are_kept(drawn):
    """They help, they never replace an answer, and the page says which cell it was."""
    uses = "factor = 3\nassert helper(2) == 6 and EPS == 1e-3"
    scratch = cell(SCRATCH, tags=["not-graded"])
    result = grade.grade(drawn, notebook(scratch, *honest(), scratch, uses))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    assert result["cells"] == []
    assert result["not graded"] == [1, 9]
    page = toy.page(drawn, "ada", result)
    assert "Tagged <code>not-graded</code>: cells 1, 9." in page
    result["not graded"] = list(range(1, 200))
    assert "100 and others" in toy.page(drawn, "ada", result)


def test_saved_pictures_do_not_make_a_notebook_too_large(drawn):
    picture = {"data": {"image/png": "A" * (30 << 20)}, "output_type": "display_data"}
    large = cell("x = 1") | {"outputs": [picture | {"metadata": {}}]}
    assert points(drawn, large, *honest()) == [3, 4, 1, 2]


def test_answers_come_in_other_forms_too(drawn):
    lists = "def split(X): return [(X * (X > 0)).tolist(), (X * (X < 0)).tolist()]"
    number = (
        "total_before = total\ndef total(X, kind): return float(total_before(X, kind))"
    )
    assert points(drawn, *honest(), lists, number) == [3, 4, 1, 2]


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
    page = toy.page(drawn, "ada", result_of(drawn, ["VALUE", None, "X", None]))
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
        mark = {"reason": reason, "right": 0}
        assert feedback.brief(mark, drawn.questions[0]) == word
    result = result_of(drawn, [None] * 4)
    result["cells"] = [[feedback.NAMED_CELLS + 1, "SECRET", "it stopped: WHY"]]
    page = toy.page(drawn, "ada", result)
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
        "bin", "desk", "dev", "ipython", "lib", "lib64", "numpy", "python", "tmp",
    }  # fmt: skip
    assert {p.name for p in (folder / "numpy").iterdir()} == {"numpy", "numpy.libs"}
    names = {p.name for p in (folder / "desk").iterdir()}
    assert names == {
        "cells.py", "check.py", "reading.py", "stand_ins.py", "worker.py",
        "toy_data.csv",
    }  # fmt: skip
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
