"""Tells a student at once whether an answer holds, and if not, what is wrong with it.

It needs NumPy alone and holds no solution. What is right is found by moving numbers a
little and running a network forward; a mistake is known by the numbers that it gives.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

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

    `right` finds the answer of a case by differences; `holds` is the property that a
    ✓ reports, `shape` the shape in symbols, `not_finite` what to tell about a NaN.
    """

    question: str
    shape: str
    holds: str
    cases: tuple
    right: Callable
    mistakes: tuple
    not_finite: str = "a division by 0, or a number too large for exp?"

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
        if all(map(same, answers, rights)):
            text = f"✓ {self.question}: {self.holds}\n  {HIDDEN_CASES}"
            return Verdict(True, "", text)
        for mistake in self.mistakes:
            if self._explains(mistake, answers, rights):
                raise AnswerError(mistake.name, f"{mistake.says} [{mistake.name}]")
        raise self._unknown(answers, rights)

    def _explains(self, mistake, answers, rights):
        """Tell whether every answer is what the mistake would give."""
        return all(
            same(answer, mistake.answer(right, *case.arguments))
            for case, answer, right in zip(self.cases, answers, rights, strict=True)
        )

    def _unknown(self, answers, rights):
        """Return the trouble with an answer that no mistake explains."""
        for case, answer, right in zip(self.cases, answers, rights, strict=True):
            found, wanted = shapes(answer), shapes(right)
            if found != wanted:
                wrong = f"the shape is {found}, and {self.shape} is {wanted} here"
                return AnswerError("shape", f"{wrong}: {case.label}.")
            if not all(np.isfinite(part).all() for part in parts(answer)):
                says = f"NaN or infinity for {case.label}: {self.not_finite}"
                return AnswerError("not finite", says)
            if not same(answer, right):
                off = distance(answer, right)
                break
        says = (
            f"the shape is right and the numbers are not, for {case.label}; they are "
            f"off by {off:.1e} of the largest. No common mistake gives these numbers: "
            "try one pattern by hand."
        )
        return AnswerError("numbers", says)


def answer_of(function, case, layers):
    """Return the student's answer to a case: an array, or a list of one a layer."""
    given = deepcopy(case.arguments)
    try:
        answer = function(*given)
    except NotImplementedError:
        answer = None
    except (Exception, SystemExit) as error:
        says = f"{type(error).__name__} for {case.label}: {str(error)[:200]}"
        raise AnswerError("raises", says) from None
    if answer is None or answer is Ellipsis:
        raise AnswerError("nothing", "nothing comes back yet. Is there a return?")
    try:
        if not unchanged(given, case.arguments):
            says = "it changes its argument. Work on a copy: x = x.copy()."
            raise AnswerError("changes its argument", says)
        return [real(part) for part in answer] if layers else real(answer)
    except AnswerError:
        raise
    except Exception as error:
        says = f"the answer is no array of numbers ({type(error).__name__})."
        raise AnswerError("not numbers", says) from None


def real(part):
    """Return one part of an answer as an array of float64, or say why it is none."""
    part = np.asarray(part)
    if part.dtype.kind == "c":
        raise AnswerError("complex", "the answer is complex; what is wanted is real.")
    if part.dtype.kind not in "iuf":
        says = f"the answer is no array of numbers, but of {part.dtype}."
        raise AnswerError("not numbers", says)
    if part.dtype.kind == "f" and part.dtype.itemsize < 8:
        says = f"{part.dtype} keeps seven digits at most: stay with float64."
        raise AnswerError("single precision", says)
    return part.astype(float)


def unchanged(given, original):
    """Tell whether arguments are what they were before the call."""
    if isinstance(original, (list, tuple)):
        return len(given) == len(original) and all(map(unchanged, given, original))
    return np.array_equal(given, original)


def parts(answer):
    """Return an answer as a list of arrays."""
    return answer if isinstance(answer, list) else [answer]


def shapes(answer):
    """Return the shape of an answer, or the list of those of its layers."""
    if isinstance(answer, list):
        return [np.shape(part) for part in answer]
    return np.shape(answer)


def same(answer, right):
    """Tell whether an answer agrees with what is right to six digits."""
    return shapes(answer) == shapes(right) and all(
        np.all(np.abs(a - r) <= 1e-8 + 1e-6 * np.abs(r).max(initial=0.0))
        for a, r in zip(parts(answer), parts(right), strict=True)
    )


def distance(answer, right):
    """Return the largest difference of two answers over the largest entry."""
    pairs = list(zip(parts(answer), parts(right), strict=True))
    off = max(np.abs(a - r).max(initial=0.0) for a, r in pairs)
    return off / max(1e-300, *(np.abs(r).max(initial=0.0) for _, r in pairs))
