"""The secret, and the exam that is drawn from it."""

from pathlib import Path

import numpy as np
import pytest
from judge import toy
from judge.toy import SECRET

from coursework.judge import (
    exam,
    seed,
)
from coursework.questions import Assignment, Case, Question


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
        (lambda path: path.unlink(), "new-term"),
        (lambda path: (path.unlink(), path.mkdir(0o700)), "not a file"),
        (lambda path: (path.rename("t"), path.symlink_to("t")), "new-term"),
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
