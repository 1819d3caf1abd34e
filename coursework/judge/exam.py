"""An assignment with its inputs drawn and its right answers worked out.

An `Exam` is plain data: it can be sent to another machine, and its fingerprint changes
whenever anything that can change a mark does.
"""

import copy
import functools
import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coursework.judge import helpers, wire
from coursework.judge import seed as seeds
from coursework.questions import names

SHAPE = "the answer has the wrong shape"
NOT_FINITE = "the answer holds values that are not finite"
VALUES = "the answer has the right shape, but not the values"
DISAGREEMENTS = (SHAPE, NOT_FINITE, VALUES)


@dataclass(frozen=True)
class Call:
    """One hidden call: its message, and what is right: arrays, and how near is near."""

    label: str
    message: bytes
    expected: tuple
    rtol: float
    atol: float

    def agrees(self, answer):
        """Say in words why an answer is wrong, or return None."""
        if [a.shape for a in answer] != [e.shape for e in self.expected]:
            return SHAPE
        if not all(np.isfinite(a).all() for a in answer):
            return NOT_FINITE
        with np.errstate(all="ignore"):  # the answer may be any number there is
            near = all(map(self._is_near, answer, self.expected))
        return None if near else VALUES

    def _is_near(self, a, e):
        return (abs(a - e) <= self.atol + self.rtol * abs(e).max(initial=0)).all()


@dataclass(frozen=True)
class ExamQuestion:
    """One question, ready to be asked."""

    name: str
    title: str
    function: str
    points: int
    calls: tuple


@dataclass(frozen=True)
class Exam:
    """One assignment, ready to be asked.

    `written` are (name, title, points), `files` are (name, bytes), `helpers` are
    (question, what defines its function and all before it).
    """

    name: str
    title: str
    questions: tuple
    written: tuple
    files: tuple
    fingerprint: str
    helpers: tuple = ()

    @property
    def points(self):
        """The points that the judge can give."""
        return sum(question.points for question in self.questions)

    def of(self, student):
        """Return the exam of a student: everybody's."""
        return self


@dataclass(frozen=True)
class Variants(Exam):
    """An exam of which each student has her own: it asks the same, of other numbers.

    It holds the seed, and so it stays where the seed is.
    """

    source: tuple = ()

    def of(self, student):
        """Return the exam of a student: her own."""
        return draw(*self.source, student)


def load(name):
    """Return the assignment of a name, `hw1`, or of a module that holds one."""
    if "." not in name and name not in names():
        there = ", ".join(names())
        raise ModuleNotFoundError(f"There is no assignment {name}. There are {there}.")
    module = name if "." in name else f"coursework.{name}.questions"
    return importlib.import_module(module).ASSIGNMENT


def draw(assignment, seed, student=""):
    """Return the exam of an assignment for one secret seed: everybody's, or one's own.

    What is asked is the same, and only the numbers differ.
    """
    drawn = [
        seeds.generator(seed, assignment.name, q.name, student)
        for q in assignment.judged
    ]
    questions = tuple(map(_question, assignment.judged, drawn))
    names = {q.name for q in assignment.judged}
    written = tuple(
        (q.name, q.title, q.points) for q in assignment.questions if q.name not in names
    )
    files = tuple((Path(f).name, Path(f).read_bytes()) for f in assignment.files)
    found = helpers.of(assignment)
    return Exam(
        assignment.name,
        assignment.title,
        questions,
        written,
        files,
        _fingerprint(assignment, questions, written, files + found),
        found,
    )


def variants(assignment, seed):
    """Return the exam of an assignment of which each student has her own."""
    return Variants(**vars(draw(assignment, seed)), source=(assignment, seed))


def _question(question, rng):
    cases = question.cases(rng)
    if not cases:
        raise ValueError(f"question {question.name} has no case")
    calls = tuple(_call(question, case) for case in cases)
    return ExamQuestion(
        question.name, question.title, question.function, question.points, calls
    )


def _call(question, case):
    # The reference works on a copy: what is sent is what was drawn.
    right = question.reference(*copy.deepcopy(case.arguments))
    many = isinstance(right, (tuple, list))
    expected = tuple(np.array(r, dtype=float) for r in (right if many else [right]))
    if not all(np.isfinite(e).all() for e in expected):
        raise ValueError(f"question {question.name}, {case.label}: no finite answer")
    message = wire.encode_call(
        question.function, case.arguments, len(expected) if many else 0
    )
    return Call(case.label, message, expected, question.rtol, question.atol)


@functools.cache
def code_fingerprint():
    """Return a hash of the judge's own code."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        name = path.relative_to(here).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _fingerprint(assignment, questions, written, files):
    """Return a hash of the judge, the inputs, the right answers and the files."""
    whole = (code_fingerprint(), assignment.name, assignment.title, written, files)
    digest = hashlib.sha256(repr(whole).encode())
    for question in questions:
        digest.update(repr((question.name, question.title, question.points)).encode())
        for call in question.calls:
            digest.update(repr((call.label, call.rtol, call.atol)).encode())
            digest.update(call.message)
            for right in call.expected:
                digest.update(repr(right.shape).encode() + right.tobytes())
    return digest.hexdigest()
