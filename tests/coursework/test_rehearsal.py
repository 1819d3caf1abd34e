"""The dry run of check.py: it finds what the judge would, before it costs points."""

import json
import sys
import types

import pytest
from coursework_tools import stripped

from coursework import rehearsal
from coursework.release import assignment, self_check

HW = "hw1"


def cell(source, *tags):
    """Return a code cell."""
    return {
        "cell_type": "code", "id": "x", "metadata": {"tags": list(tags)},
        "source": source, "outputs": [], "execution_count": None,
    }  # fmt: skip


@pytest.fixture
def student(tmp_path):
    """Return a function that saves a notebook with more cells and rehearses it."""
    for path in assignment(HW).files:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "check.py").write_text(self_check(HW), encoding="utf-8")
    check = types.ModuleType("check_rehearsed")
    check.__file__ = str(tmp_path / "check.py")
    sys.modules[check.__name__] = check
    exec(self_check(HW), check.__dict__)
    check.place = tmp_path

    def rehearse(*more, version=0):
        notebook = stripped(HW)[version]
        whole = notebook | {"cells": [*notebook["cells"], *more]}
        (tmp_path / "mine.ipynb").write_text(json.dumps(whole), encoding="utf-8")
        return check.everything()

    rehearse.check = check
    yield rehearse
    del sys.modules[check.__name__]


def test_a_solved_notebook_is_fit_to_hand_in(student):
    verdict = student()
    assert verdict.ok
    assert verdict.text.count("✓") == len(assignment(HW).judged)
    assert "not graded: cells" in verdict.text


def test_a_stub_is_told_of_every_question(student):
    verdict = student(version=1)
    assert not verdict.ok
    for question in assignment(HW).judged:
        assert f"✗ {question.name}: nothing comes back" in verdict.text


TROUBLE = {
    "another package": ("from scipy.special import expit", "no module scipy"),
    "a file of one's own": ("import helpers", "no module helpers"),
    "data of one's own": ("np.loadtxt('mine.csv')", "`np.loadtxt('mine.csv')`"),
    "a new file": ("open('a.txt', 'w')", "no file can be written"),
    "an error": ("y = np.zeros(3)\ny[7]", "IndexError in `y[7]`: index 7"),
    "wrong syntax": ("x = 1\ndef f(:", "SyntaxError in `def f(:`"),
    "an error that cannot be told": (
        "class A(Exception):\n    def __str__(self): raise self\nraise A",
        "A in `raise A`: its text cannot be told",
    ),
    "an order of cells": ("print(later)", "name 'later' is not defined"),
    "too many cells": (None, "more than 1000 cells"),
    "the end": ("import os\nos._exit(3)", "it ended the whole program"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_what_will_not_survive_is_said_with_its_line(student, trouble):
    source, says = TROUBLE[trouble]
    more = [cell(source)] if source else [cell("1")] * 1000
    verdict = student(*more)
    assert not verdict.ok
    assert says in verdict.text
    assert verdict.text.endswith("does not work where it is marked.")


def test_habits_are_no_trouble(student):
    habits = "%matplotlib inline\n!ls\nimport pandas as pd\npd.read_csv('x')\ninput()"
    again = "import check\ncheck.everything()"
    assert student(cell(habits), cell(again), cell("1 / 0", "not-graded")).ok


def test_a_loop_is_stopped_and_named(student, monkeypatch):
    monkeypatch.setitem(student.check.__dict__, "PATIENCE", 3)
    verdict = student(cell("while True: pass"))
    assert not verdict.ok
    number = len(stripped(HW)[0]["cells"]) + 1
    assert f"✗ cell {number}: it did not come to its end" in verdict.text


def test_what_takes_long_is_said(student):
    verdict = student(cell("import time\nend = time.process_time() + 3\n"
                           "while time.process_time() < end: pass"))  # fmt: skip
    assert "the judge gives 5.2 in all" in verdict.text


def test_a_notebook_that_is_not_there_is_asked_for(student):
    check = student.check
    assert "there is no notebook in" in check.everything().text
    assert "there is no" in check.everything("his.ipynb").text
    student()
    (check.place / "copy.ipynb").write_text("{}", encoding="utf-8")
    assert "one of copy.ipynb, mine.ipynb" in check.everything().text
    assert "not a notebook of format 4" in check.everything("copy.ipynb").text
    assert check.everything("mine.ipynb").ok


def test_a_browser_is_told_what_to_do(student, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert "Restart the kernel" in student.check.everything().text


def test_ages_are_told_in_words():
    assert rehearsal._ago(-1) == "0 seconds ago"
    assert rehearsal._ago(600) == "10 minutes ago"
    assert rehearsal._ago(7200) == "2 h ago"
