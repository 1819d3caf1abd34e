"""Whatever the check accepts the judge accepts, and the reverse, on spoilt solutions.

And whatever number a solution gives that is spoilt in one place has a name.

About 4200 mutants are made of the masters' solutions. A twentieth of them is tried
here, and all of them where MUTANTS=1 is set, which takes some minutes.
"""

import copy
import os
import signal
import warnings

import numpy as np
import pytest
from coursework_tools import check_of, counts, master, solved, sources

from coursework.questions import names
from coursework.release import assignment
from coursework.slips import slips

STRIDE = 1 if os.environ.get("MUTANTS") else 20
PATIENCE = 10  # seconds: a mutant may loop
pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGALRM"), reason="a mutant that loops needs an alarm"
)


def solution(hw, question):
    """Return the source of the master's function."""
    (text,) = [
        text for text in sources(master(hw), "code")
        if text.startswith(f"def {question.function}(")
    ]  # fmt: skip
    return text


def earns(question, function, cases):
    """Tell whether the judge would give the points: all answers right, none changed."""
    for case in cases:
        given = copy.deepcopy(case.arguments)
        try:
            answer = function(*given)
            if not counts(question, answer, case.arguments):
                return False
        except Exception:
            return False
    return True


@pytest.fixture
def alarm():
    """End a mutant that loops."""

    def late(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    yield signal.alarm
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("hw", names())
def test_the_check_and_the_judge_agree_on_every_mutant(hw, alarm):
    check, space, tried = check_of(hw), solved(hw), 0
    differ, unheard, unnamed = [], [], []
    for question in assignment(hw).judged:
        cases = question.cases(np.random.default_rng(7))
        for words, text in slips(solution(hw, question))[::STRIDE]:
            namespace = dict(space)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some index a number
                exec(text, namespace)
            function = namespace[question.function]
            alarm(PATIENCE)
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    verdict = getattr(check, question.name)(function)
                    fine = earns(question, function, cases)
            except TimeoutError:
                continue
            finally:
                alarm(0)
            tried += 1
            if verdict.ok != fine:
                differ.append((question.name, words, verdict.text))
            if not verdict.ok and len(verdict.text) < 30:
                unheard.append((question.name, words, verdict.text))
            if verdict.name in {"numbers", "factor", "places", "some signs"}:
                unnamed.append((question.name, words, verdict.text))
    assert tried > 400 // STRIDE
    assert differ == []
    assert unheard == []
    assert unnamed == []
