"""Tells a student at once whether an answer holds, and if not, what is wrong with it.

It needs NumPy alone and holds no formula. What is right is found by moving numbers a
little and running a network forward; a mistake is known by the numbers that it gives.
"""

import linecache
import traceback
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from coursework.differences import difference, parts, permuted, same, shapes
from coursework.naming import Naming

HIDDEN_CASES = "Public checks passed; hidden cases remain."


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check says: whether the answer holds, the mistake's name, and a text."""

    ok: bool
    name: str
    text: str

    def __repr__(self):
        return self.text


@dataclass(frozen=True)
class Case:
    """One call of the student's function, and what to call it when it goes wrong."""

    label: str
    arguments: tuple


@dataclass(frozen=True)
class Mistake:
    """A misconception: its name, what to tell, and the numbers that it leads to.

    `answer` takes what is right and the arguments, and gives what this mistake gives.
    """

    name: str
    says: str
    answer: Callable


class AnswerError(Exception):
    """An answer that cannot be compared with anything."""


@dataclass(frozen=True)
class Check:
    """The check of one question: call it with the student's function.

    `right` finds the answer of a case from small steps; `holds` is the property that a
    ✓ reports, `shape` the shape in symbols, `not_finite` what to tell about a NaN. An
    answer is near by the same rule as in the marks: |answer − right| ≤ atol + rtol ·
    max|right|. `terms` names the terms whose sum is right, {name: the mistake that
    lacks it}, with "" for what is left; `varied` the arguments that are tried in other
    forms where it would take long to try them all.
    """

    question: str
    shape: str
    holds: str
    cases: tuple
    right: Callable
    mistakes: tuple
    not_finite: str = "a division by 0, or a number too large for exp?"
    rtol: float = 1e-11
    atol: float = 1e-13
    terms: dict = field(default_factory=dict)
    varied: tuple = ()

    def __call__(self, function):
        """Return the verdict on the student's function."""
        try:
            with np.errstate(all="ignore"):
                return self._verdict(function)
        except AnswerError as trouble:
            name, says = trouble.args
            return Verdict(False, name, f"✗ {self.question}: {says}")

    def _verdict(self, function):
        if not callable(function):
            says = f"hand in the function itself: check.{self.question}(name)."
            raise AnswerError("not a function", says)
        rights = [self.right(*case.arguments) for case in self.cases]
        answers = [
            answer_of(function, case, layers=isinstance(right, list))
            for case, right in zip(self.cases, rights, strict=True)
        ]
        pairs = list(zip(answers, rights, strict=True))
        listed = not any(isinstance(answer, Unlisted) for answer in answers)
        fine = [same(*pair, self.rtol, self.atol) and listed for pair in pairs]
        if all(fine):
            text = f"✓ {self.question}: {self.holds}\n  {HIDDEN_CASES}"
            return Verdict(True, "", text)
        if listed and all(same(*pair, 1e-5, 1e-7) for pair in pairs):
            raise AnswerError("few digits", FEW_DIGITS)
        self._name(answers, rights, fine)
        if not listed:
            raise AnswerError("not a list", NO_LIST.format("one array"))
        raise self._unknown(answers, rights, fine)

    def _name(self, answers, rights, fine):
        """Name the mistake, if there is a name for it."""
        found = Naming(self, answers, rights, fine).name()
        if found:
            name, says = found
            raise AnswerError(name, f"{says} [{name}]{self._passed(fine)}")

    def _passed(self, fine):
        """Return words for the cases that are right."""
        passed = [c.label for c, good in zip(self.cases, fine, strict=True) if good]
        return f" It is right for {'; '.join(passed)}." if passed else ""

    def _unknown(self, answers, rights, fine):
        """Return the trouble with an answer that no mistake of the table explains."""
        wrong = fine.index(False)
        case, answer, right = self.cases[wrong], answers[wrong], rights[wrong]
        only = self._passed(fine)
        found, wanted = shapes(answer), shapes(right)
        if found != wanted:
            turned = permuted(answer, right)
            if turned:
                return AnswerError("axes permuted", f"{turned} for {case.label}.{only}")
            says = f"the shape is {found}, and {self.shape} is {wanted} here"
            return AnswerError("shape", f"{says}: {case.label}.{only}")
        if not all(np.isfinite(part).all() for part in parts(answer)):
            says = f"NaN or infinity for {case.label}: {self.not_finite}{only}"
            return AnswerError("not finite", says)
        name, says = difference(answer, right)
        return AnswerError(name, f"{says}, for {case.label}.{only}")


NO_LIST = "this is {}; a list with one table for each layer is wanted."
FEW_DIGITS = (
    "these are the right numbers, to a few digits: a difference quotient? Eleven are "
    "wanted, and the formula has them."
)


def answer_of(function, case, layers):
    """Return the student's answer to a case: an array, or a list of one a layer."""
    given = deepcopy(case.arguments)
    try:
        answer = function(*given)
    except NotImplementedError:
        answer = None
    except (Exception, SystemExit) as error:
        says = f"{type(error).__name__} for {case.label}{line_of(error)}"
        says += f": {text_of(error)}{hint(error)}"
        raise AnswerError("raises", says) from None
    if answer is None or answer is Ellipsis:
        says = f"nothing comes back yet for {case.label}. Is there a return?"
        raise AnswerError("nothing", says)
    try:
        if not unchanged(given, case.arguments):
            says = "it changes its argument. Work on a copy: x = x.copy()."
            raise AnswerError("changes its argument", says)
        if not layers:
            return real(answer)
        if not isinstance(answer, (list, tuple, np.ndarray)):
            kind = type(answer).__name__
            raise AnswerError("not a list", NO_LIST.format(f"a {kind}"))
        pieces = [real(part) for part in answer]
        return Unlisted(pieces) if isinstance(answer, np.ndarray) else pieces
    except AnswerError:
        raise
    except Exception as error:
        says = f"the answer is no array of numbers ({type(error).__name__})."
        if isinstance(answer, tuple) and not layers:
            says = f"{len(answer)} things come back; one array is wanted: the [0]?"
            raise AnswerError("several things", says) from None
        raise AnswerError("not numbers", says) from None


class Unlisted(list):
    """The parts of an answer that was one array: never right, but may be explained."""


def line_of(error):
    """Return the line of the student's in which an error came up, as words."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is ours
    own = [f for f in frames if "site-packages" not in f.filename and f.lineno]
    line = linecache.getline(own[-1].filename, own[-1].lineno).strip() if own else ""
    return f" in `{line}`" if line else ""


def hint(error):
    """Return what to look for, if shapes do not fit."""
    about = ("align", "broadcast", "mismatch", "dimension", "shape")
    if any(word in text_of(error) for word in about):
        return ". Print both shapes: transposed, a column of biases kept, an axis lost?"
    return ""


def text_of(error):
    """Return the text of an error, which may raise one of its own."""
    try:
        return str(error)[:200]
    except Exception:
        return "its text cannot be told"


def real(part):
    """Return one part of an answer as an array of float64, or say why it is none."""
    part = np.asarray(part)
    if part.dtype.kind == "c":
        raise AnswerError("complex", "the answer is complex; what is wanted is real.")
    if part.dtype.kind not in "biuf":
        says = f"the answer is no array of numbers, but of {part.dtype}."
        raise AnswerError("not numbers", says)
    whole = part.astype(float)
    short = part.dtype.kind == "f" and part.dtype.itemsize < 8
    if short and np.isfinite(whole).all() and not (whole == np.rint(whole)).all():
        says = f"{part.dtype} keeps seven digits at most: stay with float64."
        raise AnswerError("single precision", says)
    return whole


def unchanged(given, original):
    """Tell whether arguments are what they were before the call."""
    if isinstance(original, (list, tuple)):
        return len(given) == len(original) and all(map(unchanged, given, original))
    return np.array_equal(given, original)
