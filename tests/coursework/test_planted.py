"""Planted mistakes: the self-check names them, and never names a wrong one."""

import numpy as np
import pytest
from coursework_tools import check_of, planted, solved

from coursework.questions import names
from coursework.release import assignment

EVERY_ASSIGNMENT = pytest.mark.parametrize("hw", names())


def verdicts(hw):
    """Return {(question, planted mistake): verdict}."""
    check = check_of(hw)
    return {
        (question, name): getattr(check, question)(function)
        for question, mistakes in planted(hw).items()
        for name, function in mistakes.items()
    }


@EVERY_ASSIGNMENT
def test_planted_mistakes_are_named(hw):
    found = verdicts(hw)
    assert not [at for at, verdict in found.items() if verdict.ok]
    wrong = {at: v.name for at, v in found.items() if v.name not in (at[1], "numbers")}
    assert wrong == {}
    named = [verdict.name == name for (_, name), verdict in found.items()]
    assert np.mean(named) >= 0.9, [at for at, v in found.items() if v.name != at[1]]


@EVERY_ASSIGNMENT
def test_every_mistake_of_the_tables_is_planted(hw):
    check = check_of(hw)
    for question in assignment(hw).judged:
        table = {mistake.name for mistake in getattr(check, question.name).mistakes}
        assert table <= set(planted(hw)[question.name]), question.name


def test_at_least_thirty_mistakes_have_a_name():
    every = set()
    for hw in names():
        for question in assignment(hw).judged:
            every |= {m.name for m in getattr(check_of(hw), question.name).mistakes}
    assert len(every) >= 30


@EVERY_ASSIGNMENT
def test_the_solutions_pass(hw):
    check, space = check_of(hw), solved(hw)
    for question in assignment(hw).judged:
        verdict = getattr(check, question.name)(space[question.function])
        assert verdict.ok, verdict
        assert "hidden cases remain" in verdict.text
