"""The judge's own parts: seed, exam, log, reports, the command line, and levels."""

import csv
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from judge import toy
from judge.night import needs
from judge.notebooks import RIGHT, STUB, cell, honest, notebook

from coursework.judge import (
    __main__,
    attempt,
    exam,
    feedback,
    grade,
    log,
    report,
    run,
    sandbox,
    seed,
    submissions,
    syscalls,
    view,
    wire,
)
from coursework.judge import notebook as notebook_limits
from coursework.questions import Assignment, Case, Question

SECRET = bytes(range(32))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def isolation():
    needs("bubblewrap")


@pytest.fixture(scope="module")
def drawn():
    return exam.draw(toy.ASSIGNMENT, SECRET)


@pytest.fixture
def term(tmp_path):
    """Return a folder with a seed and three submissions: right, wrong and refused."""
    seed.make(tmp_path / "term.key")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ada.ipynb").write_bytes(notebook(*honest()))
    (folder / "bob.ipynb").write_bytes(notebook(*STUB))
    (folder / "cyd.txt").write_bytes(b"")
    return tmp_path


def judge(command, term, *options):
    """Run the command line on a term."""
    where = [str(term / "in"), "--seed-file", str(term / "term.key")]
    output = ["-o", str(term / "grades.csv")]
    return __main__.main([command, "judge.toy", *where, *output, *options])


def table(path):
    """Return the rows of a table."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def points(drawn, *cells):
    """Return the points of each question of one submission."""
    result = grade.grade(drawn, notebook(*cells))
    return [mark["points"] for mark in result["questions"].values()]


# Seed and exam


def test_a_new_seed_is_secret_and_never_written_over(tmp_path):
    path = tmp_path / "term.key"
    seed.make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(seed.read(path)) == 32
    with pytest.raises(FileExistsError):
        seed.make(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.chmod(0o640), "chmod 600"),
        (lambda path: path.write_bytes(b"x" * 31), "31 bytes of at least 32"),
        (lambda path: path.unlink(), "new-seed"),
        (lambda path: (path.unlink(), path.mkdir(0o700)), "not a file"),
        (lambda path: (path.rename("t"), path.symlink_to("t")), "new-seed"),
    ],
    ids=["open", "short", "absent", "folder", "link"],
)
def test_a_seed_that_is_no_secret_is_refused(tmp_path, spoil, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seed.make(Path("term.key"))
    spoil(Path("term.key"))
    with pytest.raises(seed.SeedError, match=words):
        seed.read(Path("term.key"))


def test_inputs_follow_from_the_seed_and_the_question_alone():
    first, again = (exam.draw(toy.ASSIGNMENT, SECRET) for _ in range(2))
    other = exam.draw(toy.ASSIGNMENT, SECRET[::-1])
    assert first.fingerprint == again.fingerprint != other.fingerprint
    messages = [[c.message for c in q.calls] for q in first.questions]
    assert messages == [[c.message for c in q.calls] for q in again.questions]
    assert messages != [[c.message for c in q.calls] for q in other.questions]
    draws = [seed.generator(SECRET, *pair).random() for pair in ["ab", "ac", "bb"]]
    assert len(set(draws)) == 3


def test_a_reference_that_changes_its_arguments_changes_nothing():
    def spoil(X):
        X[...] = 0
        return X.sum()

    question = Question("q", "", "f", 1, lambda rng: [Case("", (np.ones(3),))], spoil)
    (asked,) = exam.draw(Assignment("a", "", (question,)), SECRET).questions
    assert np.ones(3).tobytes() in asked.calls[0].message


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_question_without_a_finite_answer_is_no_question(bad):
    question = Question("q", "", "f", 1, lambda rng: [Case("", (1,))], lambda x: bad)
    with pytest.raises(ValueError, match="no finite answer"):
        exam.draw(Assignment("a", "", (question,)), SECRET)


def test_near_is_relative_to_the_largest_value():
    call = exam.Call("", b"", (np.array([100.0, 0.0]),), rtol=1e-6, atol=1e-9)
    assert call.agrees([np.array([100.0, 0.99e-4])]) is None
    assert "values" in call.agrees([np.array([100.0, 1.02e-4])])
    assert "shape" in call.agrees([np.array([[100.0, 0.0]])])
    assert "shape" in call.agrees([])
    assert "finite" in call.agrees([np.array([100.0, np.nan])])


# Grading


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
        "from scipy import linalg",
        cell("while True: pass", tags=["not-graded"]),
        "data = np.loadtxt('toy_data.csv', delimiter=',')\nassert data[1, 1] == 4",
        "with plt.style.context('x'):\n    fig, axes = plt.subplots(2, 2)\n"
        "    for ax in axes.flat: line, = ax.plot(data); ax.set(title='x')\nplt.show()",
        "import time\nstart = time.perf_counter()\nprint(time.perf_counter() - start)",
        "open('/tmp/mine.txt', 'w').write('x'); display(data)",
        "def split(X): return [(X * (X > 0)).tolist(), (X * (X < 0)).tolist()]",
        "total_before = total\ndef total(X, kind): return float(total_before(X, kind))",
    ]
    result = grade.grade(drawn, notebook(*honest(), *habits))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    (report_of_scipy,) = result["cells"]
    assert report_of_scipy[1:] == [
        "from scipy import linalg",
        "ModuleNotFoundError: No module named 'scipy'",
    ]


def test_a_slow_cell_and_a_slow_function_get_their_time(drawn):
    slow = "import time\ntime.sleep(0.8)\nfactor = 1"
    late = "def total(X, kind):\n    time.sleep(0.8)\n"
    late += "    return factor * (X.sum() if kind == 'plain' else (X**2).sum())"
    result = grade.grade(drawn, notebook(slow, *honest(total=late)))
    assert [m["points"] for m in result["questions"].values()] == [3, 4, 1, 2]
    assert result["cells"] == []


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
def test_whatever_loops_costs_six_seconds_at_most(drawn, cells):
    begin = time.monotonic()
    grade.grade(drawn, notebook(*cells))
    # Two tests run at once on two cores; the budget is 5.2 s and a start or two.
    assert time.monotonic() - begin < 6


def test_nothing_but_the_interpreter_is_in_the_view():
    folder = view.build((("toy_data.csv", b"1,2"),))
    assert {p.name for p in folder.iterdir()} == {
        "bin", "desk", "dev", "lib", "lib64", "numpy", "python", "tmp",
    }  # fmt: skip
    assert {p.name for p in (folder / "numpy").iterdir()} == {"numpy", "numpy.libs"}
    names = {p.name for p in (folder / "desk").iterdir()}
    assert names == {"worker.py", "check.py", "matplotlib", "toy_data.csv"}
    every = {p.name for p in folder.rglob("*")}
    assert not every & {"scipy", "site-packages", "jachess_lib", "questions.py", "pip"}


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


# The line between judge and sandbox


def npy(array):
    body = io.BytesIO()
    np.save(body, array)
    return body.getvalue()


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 2, 3, 4)])
def test_what_numpy_saves_is_read(shape):
    array = np.random.default_rng(0).normal(size=shape)
    piece = npy(array)
    (read,) = wire.decode_arrays([len(piece)], piece)
    assert read.shape == shape
    assert (read == array).all()


@pytest.mark.parametrize(
    "array",
    [np.arange(3), np.zeros(3, "f4"), np.zeros(3, ">f8"), np.asfortranarray(np.eye(3)),
     np.zeros(3, complex), np.zeros(3, [("a", "<f8")]), np.array(["right"])],
    ids=lambda array: str(array.dtype),
)  # fmt: skip
def test_what_the_worker_never_sends_is_not_read(array):
    piece = npy(array)
    with pytest.raises(wire.GarbledError):
        wire.decode_arrays([len(piece)], piece)


def test_no_byte_of_a_header_can_be_changed_to_advantage():
    """Every change of one byte is refused, or leaves an array of the same size."""
    good = npy(np.ones((2, 3)))
    for place in range(128):
        for byte in (0, 32, 39, 44, 49, 255):
            piece = good[:place] + bytes([byte]) + good[place + 1 :]
            try:
                (read,) = wire.decode_arrays([len(piece)], piece)
            except wire.GarbledError:
                continue
            assert read.nbytes == 48


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_what_it_names_and_nothing_else(machine):
    """Run the filter, step by step, as the kernel does."""
    code = syscalls.program(machine)
    steps = list(struct.iter_unpack("=HBBI", code))

    def verdict(architecture, number):
        value, place = None, 0
        while True:
            kind, yes, no, k = steps[place]
            place += 1
            if kind == syscalls.LOAD:
                value = {0: number, 4: architecture}[k]
            elif kind == syscalls.RETURN:
                return k
            else:
                hit = value == k if kind == syscalls.EQUAL else value >= k
                place += yes if hit else no

    mine = syscalls.ARCHITECTURES[machine]
    column = syscalls.COLUMN[machine]
    refused = {pair[column] for pair in syscalls.REFUSED.values()}
    for number in range(500):
        expected = syscalls.REFUSE if number in refused else syscalls.ALLOW
        assert verdict(mine, number) == expected
    assert verdict(mine, syscalls.X32 + 1) == syscalls.REFUSE
    assert verdict(0x40000003, 1) == syscalls.KILL  # 32-bit calls
    assert syscalls.program("z80") == b""


# Levels


@pytest.fixture
def fresh_level():
    sandbox.level.cache_clear()
    yield
    sandbox.level.cache_clear()


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
def test_nothing_is_graded_without_isolation(monkeypatch, term, capsys):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert judge("run", term) == 2
    words = capsys.readouterr().err
    assert "without isolation" in words
    assert "bubblewrap: bwrap is not installed" in words
    assert not (term / "grades.csv").exists()
    assert not (term / "grades.log.jsonl").exists()


@pytest.mark.usefixtures("fresh_level")
def test_the_fallback_is_refused_without_root(monkeypatch):
    programs = {"bwrap": None}
    monkeypatch.setattr(sandbox.shutil, "which", lambda n: programs.get(n, f"/bin/{n}"))
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 1000)
    with pytest.raises(sandbox.IsolationError, match="setpriv: it needs root"):
        sandbox.level()


# The command line, the log, and what is written


def test_a_run_writes_tables_feedback_and_the_level(term, capsys):
    options = ["--feedback", str(term / "feedback"), "-j", "2"]
    options += ["--canvas", str(term / "canvas.csv"), "--moodle", str(term / "m.csv")]
    assert judge("run", term, *options) == 0
    assert "Isolation: bubblewrap" in capsys.readouterr().out
    rows = table(term / "grades.csv")
    assert [r["student"] for r in rows] == ["ada", "bob", "cyd"]
    assert [r["total"] for r in rows] == ["10", "0", "0"]
    assert [r["isolation"] for r in rows] == ["bubblewrap", "bubblewrap", ""]
    assert rows[2]["status"] == "the file is not a notebook (.ipynb)"
    assert rows[0]["w1 (written, of 3)"] == ""
    pages = {p.stem: p.read_text() for p in (term / "feedback").iterdir()}
    assert set(pages) == {"ada", "bob", "cyd"}
    assert "10 of 10 points" in pages["ada"]
    assert "Not graded: the file is not a notebook" in pages["cyd"]
    canvas = list(csv.reader((term / "canvas.csv").read_text().splitlines()))
    assert canvas[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert canvas[1] == ["Points Possible", "", "", "", "", "10"]
    assert canvas[2] == ["ada", "", "", "ada", "", "10"]
    moodle = list(csv.reader((term / "m.csv").read_text().splitlines()))
    assert moodle[0] == ["Username", "A toy assignment", "Feedback"]
    assert moodle[1] == ["ada", "10", "10 of 10"]


def test_grading_again_gives_the_same_bytes(term):
    options = ["--feedback", str(term / "feedback")]

    def everything():
        paths = [term / "grades.csv", *sorted((term / "feedback").iterdir())]
        return [path.read_bytes() for path in paths]

    judge("run", term, *options)
    first = everything()
    assert judge("regrade", term, *options, "-j", "2") == 0
    assert everything() == first
    (term / "grades.log.jsonl").unlink()
    judge("run", term, *options)
    assert everything() == first


def test_what_is_in_the_log_is_not_graded_again(term, monkeypatch):
    graded = []
    timed = run.timed_grade
    monkeypatch.setattr(run, "timed_grade", lambda *a: graded.append(a[1]) or timed(*a))
    judge("run", term)
    judge("run", term)
    assert len(graded) == 2
    judge("regrade", term, "--student", "bob")
    assert graded[2:] == [(term / "in" / "bob.ipynb").read_bytes()]
    (term / "in" / "bob.ipynb").write_bytes(notebook(*honest(), "1"))  # again
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
    book = term / "grades.log.jsonl"
    records = [json.loads(line) for line in book.read_text().splitlines()]
    bob = next(r for r in records if r["student"] == "bob")
    bob["result"]["questions"]["q1"]["points"] = 3
    book.write_text("".join(json.dumps(r) + "\n" for r in records))
    before = book.read_bytes()
    capsys.readouterr()
    assert judge("verify", term) == 1
    assert "bob: 3 then, 0 now" in capsys.readouterr().out
    assert judge("verify", term, "--sample", "0") == 0
    assert book.read_bytes() == before


def test_a_log_that_was_cut_short_is_gone_on_with(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"key": "a", "result": 1}\n{"key": "b", "res')
    with log.Log(path) as book:
        book.append(key="c", result=3)
    assert set(log.read(path)) == {"a", "c"}
    assert log.read(tmp_path / "none.jsonl") == {}


def test_an_interrupted_run_loses_nothing(term):
    """Ctrl-C in the middle; the same command goes on from there."""
    slow = "import time\ntime.sleep(0.3)"
    for n in range(12):
        data = notebook(slow, *honest(), f"# {n}")
        (term / "in" / f"student{n:02}.ipynb").write_bytes(data)
    command = [sys.executable, "-m", "coursework.judge", "run", "judge.toy"]
    command += [str(term / "in"), "--seed-file", str(term / "term.key")]
    command += ["-o", str(term / "grades.csv"), "-j", "2"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    book = term / "grades.log.jsonl"
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    while not (book.exists() and len(book.read_text().splitlines()) >= 3):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "goes on from there" in words
    done = len(log.read(book))
    assert 3 <= done < 14
    assert not (term / "grades.csv").exists()
    assert (
        subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode == 0
    )
    assert len(book.read_text().splitlines()) == len(log.read(book)) == 14
    totals = [row["total"] for row in table(term / "grades.csv")]
    assert totals == ["10", "0", "0"] + ["10"] * 12


def test_a_failure_of_the_judge_is_a_zero_that_is_tried_again(term, monkeypatch, drawn):
    def fail(exam, data):
        raise ZeroDivisionError

    found = submissions.collect(term / "in")
    book = term / "log.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr(run, "timed_grade", fail)
        results = run.run(drawn, found, book)
    assert results["ada"]["status"] == "the judge itself failed (ZeroDivisionError)"
    assert log.read(book) == {}
    assert report.total(run.run(drawn, found, book)["ada"]) == 10


def test_a_missing_assignment_or_folder_is_said_in_one_line(term, capsys):
    assert __main__.main(
        ["run", "hw99", str(term), "--seed-file", str(term / "term.key")]
    ) == 2  # fmt: skip
    assert "coursework.hw99" in capsys.readouterr().err
    (term / "in").rename(term / "out")
    assert judge("run", term) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_new_seed_is_a_command(tmp_path, capsys):
    assert __main__.main(["new-seed", str(tmp_path / "k")]) == 0
    assert __main__.main(["new-seed", str(tmp_path / "k")]) == 2


def test_control_characters_and_formulas_are_taken_out():
    assert report.plain("a\x1b[31m\n\u202eb\x00") == "a [31m  b"
    assert report.cell("=1+1") == "'=1+1"
    assert report.cell("\t=1") == "'=1"
    assert report.cell(3) == 3
    assert feedback.safe("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"


def test_the_page_for_instructors_states_the_limits_that_hold():
    page = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
    memory = int(re.search(r"MEMORY, \S+ \S+ = 1 << (\d+)", worker_source())[1])
    for fact in (
        f"{attempt.SECONDS} seconds",
        f"{attempt.SECONDS} s in all",
        f"more than {notebook_limits.SIZE_LIMIT >> 20} MB",
        f"or {notebook_limits.CELL_LIMIT} cells",
        f"{sandbox.TMP >> 20} MB of files in memory",
        f"{2**memory >> 30} GB of memory",
        f"shorter than {seed.BYTES} bytes",
    ):
        assert fact in page
    assert attempt.SLICE == 0.5
    assert "after half a second" in page


def test_every_command_of_the_page_is_understood():
    page = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
    lines = page.replace("\\\n", " ").splitlines()
    commands = [x for x in lines if x.startswith("python -m coursework.judge")]
    assert len(commands) >= 6
    for command in commands:
        words = command.partition("#")[0].split()[3:]
        assert __main__.parser().parse_args(words).command == words[0]


def worker_source():
    """Return the source of the worker, which cannot be imported here."""
    return (view.DESK_SOURCE / "worker.py").read_text(encoding="utf-8")
