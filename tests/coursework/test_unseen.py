"""Mistakes that students make: most of them are named, and none is named wrongly.

Some of each list is tried here, and all of it where MUTANTS=1 is set.
"""

import os
import re

import numpy as np
import pytest
from coursework_tools import check_of
from unseen import unseen

from coursework.questions import names
from coursework.release import assignment
from coursework.spoil import definitions

ALL = bool(os.environ.get("MUTANTS"))
# What a check says of an answer that it has no name for: how it differs.
DESCRIBED = {
    "numbers", "shape", "not finite", "raises", "some signs", "factor", "places",
    "not numbers",
}  # fmt: skip


def verdicts(kind, stride):
    """Return [(assignment, question, what a student did, pattern, verdict)]."""
    found = []
    for hw in names():
        helpers, _ = definitions(hw)
        functions = {q.name: q.function for q in assignment(hw).judged}
        for question, what, pattern, source in unseen(hw, kind)[::stride]:
            space = dict(helpers)
            exec(source, space)
            with np.errstate(all="ignore"):
                verdict = getattr(check_of(hw), question)(space[functions[question]])
            found.append((hw, question, what, pattern, verdict))
    return found


@pytest.mark.parametrize(
    ("kind", "stride", "least", "rate"),
    [
        ("", 16, 390, 0.9),
        ("second-", 2, 70, 0.6),
        ("untuned-", 2, 55, 0.4),
        ("fresh-", 1, 96, 0.9),
    ],
)
def test_most_mistakes_are_named_and_none_wrongly(kind, stride, least, rate):
    stride = 1 if ALL else stride
    found = verdicts(kind, stride)
    assert len(found) >= least // stride
    assert [at for *at, verdict in found if verdict.ok] == []
    named = [case for case in found if case[-1].name not in DESCRIBED]
    assert [
        (*at, verdict.text)
        for *at, pattern, verdict in named
        if not re.search(pattern, verdict.text.split(": ", 1)[1])
    ] == []
    assert len(named) >= rate * len(found)
    for *_, verdict in found:
        if verdict.name == "numbers":
            assert re.search(r"in place of .*off by .*, for ", verdict.text)
