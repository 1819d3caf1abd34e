"""Tells a student at once whether an answer holds, and if not, what is wrong with it.

It needs NumPy alone and holds no formula. What is right is found by moving numbers a
little and running a network forward; a mistake is known by the numbers that it gives.
"""

import linecache
import traceback
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from itertools import permutations

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

    `right` finds the answer of a case from small steps; `holds` is the property that a
    ✓ reports, `shape` the shape in symbols, `not_finite` what to tell about a NaN. An
    answer is near by the same rule as in the marks: |answer − right| ≤ atol + rtol ·
    max|right|.
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
        for mistake in self.mistakes:
            if self._explains(mistake, answers, rights):
                raise AnswerError(mistake.name, f"{mistake.says} [{mistake.name}]")
        if not listed:
            raise AnswerError("not a list", NO_LIST.format("one array"))
        raise self._unknown(answers, rights, fine)

    def _explains(self, mistake, answers, rights):
        """Tell whether every answer is what the mistake would give."""
        return all(
            same(answer, mistake.answer(right, *case.arguments))
            for case, answer, right in zip(self.cases, answers, rights, strict=True)
        )

    def _unknown(self, answers, rights, fine):
        """Return the trouble with an answer that no mistake of the table explains."""
        wrong = fine.index(False)
        case, answer, right = self.cases[wrong], answers[wrong], rights[wrong]
        passed = [c.label for c, good in zip(self.cases, fine, strict=True) if good]
        only = f" It is right for {'; '.join(passed)}." if passed else ""
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


def difference(answer, right):
    """Return (name, words): in what an answer of the right shape differs."""
    turned = permuted(answer, right)
    if turned:
        return "axes permuted", turned
    a, r = (np.concatenate([np.ravel(p) for p in parts(x)]) for x in (answer, right))
    large = np.abs(r) > 1e-9 * np.abs(r).max(initial=0.0)
    if large.any() and same(a[~large], r[~large], 0, 1e-9):
        ratios = a[large] / r[large]
        if same(ratios, np.full_like(ratios, ratios[0])):
            return "factor", f"every entry is {ratios[0]:.6g} times what it should be"
        if same(np.abs(a), np.abs(r)):
            count = f"{np.sum(ratios < 0)} of {len(ratios)} entries"
            return "some signs", f"the sizes are right, and the signs of {count} wrong"
    off = np.abs(a - r) > 1e-8 + 1e-6 * np.abs(r).max(initial=0.0)
    where = place_of(answer, right, off) or f"{off.sum()} of {len(off)} entries"
    first = int(off.argmax())
    at = index_of(answer, first)
    says = (
        f"the shape is right and the numbers are not: {where} are wrong; the first, "
        f"{at}, is {a[first]:.6g} in place of {r[first]:.6g}; off by "
        f"{distance(answer, right):.1e} of the largest"
    )
    return "numbers", says


def place_of(answer, right, off):
    """Return words for where the wrong entries lie, if it has a name."""
    if isinstance(answer, list):
        ends = np.cumsum([np.size(part) for part in right])[:-1]
        bad = [piece.any() for piece in np.split(off, ends)]
        if sum(bad) < len(bad):
            which = ", ".join(f"[{l}]" for l, wrong in enumerate(bad) if wrong)
            return f"the tables {which} alone"
        columns = [
            np.flatnonzero(piece.reshape(np.shape(part)).any(0)).tolist()
            for piece, part in zip(np.split(off, ends), right, strict=True)
            if np.ndim(part) == 2
        ]
        return "column 0, the biases, alone" if all(c == [0] for c in columns) else ""
    off = off.reshape(np.shape(right))
    if off.all():
        return "all entries"
    if off.ndim >= 2 and off.shape[-1] == off.shape[-2]:
        on = np.broadcast_to(np.eye(off.shape[-1], dtype=bool), off.shape)
        if not off[~on].any():
            return "entries on the diagonal alone"
        if not off[on].any():
            return "entries off the diagonal alone"
    for axis in range(off.ndim):
        others = tuple(n for n in range(off.ndim) if n != axis)
        bad = np.flatnonzero(off.any(others))
        if off.shape[axis] > 1 and len(bad) < off.shape[axis]:
            which = ", ".join(map(str, bad))
            return f"entries with index {which} on axis {axis} alone"
    return ""


def index_of(answer, place):
    """Return where an entry of the flattened answer stands, as code has it."""
    for l, part in enumerate(parts(answer)):
        if place < np.size(part):
            at = ", ".join(map(str, np.unravel_index(place, np.shape(part))))
            return f"[{l}][{at}]" if isinstance(answer, list) else f"[{at}]"
        place -= np.size(part)


def permuted(answer, right):
    """Return words if the axes of an answer are those of the right one, reordered."""
    if len(parts(answer)) != len(parts(right)):
        return ""
    pairs = list(zip(parts(answer), parts(right), strict=True))
    axes = max(np.ndim(r) for _, r in pairs)
    if not 2 <= axes <= 4 or any(np.ndim(a) != np.ndim(r) for a, r in pairs):
        return ""
    for order in list(permutations(range(axes)))[1:]:
        fits = [np.ndim(r) == axes and same(a, r.transpose(order)) for a, r in pairs]
        if all(fits):
            names = ", ".join(map(str, order))
            return f"the axes are in another order: yours are the axes {names} of it"
    return ""


def answer_of(function, case, layers):
    """Return the student's answer to a case: an array, or a list of one a layer."""
    given = deepcopy(case.arguments)
    try:
        answer = function(*given)
    except NotImplementedError:
        answer = None
    except (Exception, SystemExit) as error:
        says = f"{type(error).__name__} for {case.label}{line_of(error)}"
        raise AnswerError("raises", f"{says}: {text_of(error)}") from None
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
        raise AnswerError("not numbers", says) from None


class Unlisted(list):
    """The parts of an answer that was one array: never right, but may be explained."""


def line_of(error):
    """Return the line of the student's in which an error came up, as words."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is ours
    own = [f for f in frames if "site-packages" not in f.filename and f.lineno]
    line = linecache.getline(own[-1].filename, own[-1].lineno).strip() if own else ""
    return f" in `{line}`" if line else ""


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


def parts(answer):
    """Return an answer as a list of arrays."""
    return answer if isinstance(answer, list) else [answer]


def shapes(answer):
    """Return the shape of an answer, or the list of those of its layers."""
    if isinstance(answer, list):
        return [np.shape(part) for part in answer]
    return np.shape(answer)


def same(answer, right, rtol=1e-6, atol=1e-8):
    """Tell whether two answers agree, to six digits if nothing else is said."""
    return shapes(answer) == shapes(right) and all(
        np.all(np.abs(a - r) <= atol + rtol * np.abs(r).max(initial=0.0))
        for a, r in zip(parts(answer), parts(right), strict=True)
    )


def distance(answer, right):
    """Return the largest difference of two answers over the largest entry."""
    pairs = list(zip(parts(answer), parts(right), strict=True))
    off = max(np.abs(a - r).max(initial=0.0) for a, r in pairs)
    return off / max(1e-300, *(np.abs(r).max(initial=0.0) for _, r in pairs))
