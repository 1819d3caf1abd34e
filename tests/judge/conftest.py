"""What the tests of the judge share: an exam, and a term in a folder."""

import os
import signal
import sys

import pytest
from judge import toy
from judge.notebooks import STUB, honest, notebook

from coursework.judge import exam, sandbox
from coursework.judge import term as terms

# Where standard input is closed, pytest's own stand-in for it asks what it was.
sys.__stdin__ = sys.__stdin__ or open(os.devnull, encoding="utf-8")


@pytest.fixture(scope="session")
def drawn():
    """Return the toy assignment with its inputs drawn."""
    return exam.draw(toy.ASSIGNMENT, toy.SECRET)


@pytest.fixture
def term(tmp_path):
    """Return a term with three submissions of `toy`: right, wrong and refused."""
    terms.new(tmp_path)
    folder = tmp_path / "toy" / "submissions"
    folder.mkdir(parents=True)
    (folder / "ada.ipynb").write_bytes(notebook(*honest()))
    (folder / "bob.ipynb").write_bytes(notebook(*STUB))
    (folder / "cyd.txt").write_bytes(b"")
    return tmp_path


@pytest.fixture
def fresh_level():
    """Forget which level was found, before and after a test."""
    sandbox.level.cache_clear()
    yield
    sandbox.level.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _ends_are_told():
    """Hear how a program has ended, whatever we inherited."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
