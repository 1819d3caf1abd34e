"""Finds a name for what is wrong with the answers to a question.

First come the mistakes that the question lists, then those that need no list, then two
at once, then what explains some of the cases alone. A name that does not give the
student's own numbers is never told.
"""

from dataclasses import dataclass
from inspect import signature
from itertools import chain

import numpy as np

from coursework.beside import beside_arguments, factors, other_arguments
from coursework.differences import (
    factor_of,
    joined,
    parts,
    permuted,
    place_of,
    same,
    shapes,
)
from coursework.generic import changes, of_the_answer

# {question: [(name, what to tell, the mark of each case)]}: the release fills it in.
MARKED = {}
# {question: {what to tell: [(which cases stay right, marks of two others)]}} of what
# is wrong in one place of a solution, None where it is not finite: filled in, too.
SLIPS = {}


@dataclass(frozen=True)
class Marked:
    """A mistake that is known by a number for each case, None where it is none."""

    name: str
    says: str
    marks: tuple


def mark(answer):
    """Return one number for an answer, to six digits."""
    entries = joined(answer)
    return float(f"{entries @ np.cos(1 + 1.7 * np.arange(len(entries))):.5e}")


def fits(answer, wanted, fine):
    """Tell whether an answer has this mark, or is right where there is none."""
    if wanted is None or fine:
        return wanted is None and fine
    found = mark(answer)
    if not np.isfinite(found):
        return False
    size = np.abs(joined(answer)).max(initial=0.0)
    return abs(found - wanted) <= 1e-5 * max(abs(found), size)


class Naming:
    """The answers to the cases of a check, beside what could explain them."""

    def __init__(self, check, answers, rights, fine):
        """Take a check, and the answer, what is right and if it is fine, by case."""
        self.check, self.fine = check, fine
        names = list(signature(check.right).parameters)
        self.given = [
            dict(zip(names, case.arguments, strict=False)) for case in check.cases
        ]
        self.arguments = [case.arguments for case in check.cases]
        marked = [Marked(*each) for each in MARKED.get(check.question, ())]
        self.mistakes = [*check.mistakes, *marked]
        self.answers, self.rights, self.known = answers, rights, {}
        self.wrong = sorted(  # what costs least comes first
            (n for n, good in enumerate(fine) if not good),
            key=lambda n: joined(rights[n]).size,
        )
        self.keys = [
            keys_of(*case) for case in zip(answers, rights, self.given, strict=True)
        ]

    def name(self):
        """Return (name, what to tell), or None."""
        ways = (
            self._listed, self._unlisted, self._terms, self._listed_in_part,
            self._unlisted_in_part, self._listed_by_layer, self._arguments,
            self._slips, self._doubled, self._part_times, self._case_by_case,
        )  # fmt: skip
        return next(filter(None, (way() for way in ways)), None)

    def spoilt(self, mistake, n):
        """Return what a listed mistake gives for case n; some of them take long."""
        at = id(mistake), n
        if at not in self.known:
            answer = mistake.answer(self.rights[n], *self.arguments[n])
            self.known[at] = answer
        return self.known[at]

    def is_spoilt(self, mistake, n):
        """Tell whether the answer to case n is what a listed mistake gives."""
        if isinstance(mistake, Marked):
            return fits(self.answers[n], mistake.marks[n], self.fine[n])
        return same(self.answers[n], self.spoilt(mistake, n))

    def _listed(self):
        for mistake in self.mistakes:
            if all(self.is_spoilt(mistake, n) for n in range(len(self.fine))):
                return mistake.name, mistake.says
        return None

    def _listed_in_part(self):
        for mistake in self.mistakes:
            if all(self.is_spoilt(mistake, n) for n in self.wrong):
                return mistake.name, mistake.says
        return None

    def _unlisted(self):
        for key in self.keys[self.wrong[0]][0]:
            if all(
                key in fits or (fine and key not in tried)
                for (fits, tried), fine in zip(self.keys, self.fine, strict=True)
            ):
                return key
        return None

    def _listed_by_layer(self):
        """Name a listed mistake that is made in some of the layers."""
        if not all(isinstance(self.answers[n], list) for n in self.wrong):
            return None
        for mistake in self.check.mistakes:
            if all(
                some_layers(self.answers[n], self.rights[n], self.spoilt(mistake, n))
                for n in self.wrong
            ):
                return mistake.name, f"in some of the layers: {mistake.says}"
        return None

    def _unlisted_in_part(self):
        for key in self.keys[self.wrong[0]][0]:
            if all(key in self.keys[n][0] for n in self.wrong):
                return key
        return None

    def _terms(self):
        """Name what is wrong with the terms whose sum is right."""
        common = None
        for n in self.wrong:
            answer, right = self.answers[n], self.rights[n]
            if not self.check.terms or shapes(answer) != shapes(right):
                return None
            bad = [not same(a, r) for a, r in zip(parts(answer), parts(right),
                                                  strict=True)]  # fmt: skip
            pieces = self._pieces(n, bad)
            found = mixture(joined_where(answer, bad), pieces)
            says = wrong_terms(found, self._patterns(n)) if found else {}
            common = says if common is None else {
                term: [words for words in common[term] if words in says[term]]
                for term in common.keys() & says.keys()
            }  # fmt: skip
            if not common or not all(common.values()):
                return None
        return "terms", f"{'; '.join(words[0] for words in common.values())}."

    def _pieces(self, n, bad):
        """Return {term: its part in the tables that are wrong} of the right answer."""
        right = joined_where(self.rights[n], bad)
        lacking = {m.name: m for m in self.check.mistakes}
        pieces = {
            term: right - joined_where(self.spoilt(lacking[without], n), bad)
            for term, without in self.check.terms.items()
            if without
        }
        rest = next(term for term, without in self.check.terms.items() if not without)
        return pieces | {rest: right - sum(pieces.values())}

    def _patterns(self, n):
        """Return how many patterns case n has."""
        arrays = [q for q in self.given[n].values() if isinstance(q, np.ndarray)]
        return len(arrays[0])

    def _arguments(self):
        """Name what became of an argument, in the wrong cases."""
        common = None
        for n in self.wrong:
            keys = {
                key: None
                for key, at in other_arguments(self.given[n], self.check.varied)
                if (common is None or key in common) and self._is_right_for(n, at)
            }
            common = list(keys)
            if not common:
                return None
        return common[0]

    def _is_right_for(self, n, arguments):
        """Tell whether the answer to case n is right for other arguments."""
        arrays = [q for q in arguments if isinstance(q, (np.ndarray, list))]
        if not all(np.isfinite(joined(q)).all() for q in arrays):
            return False
        try:
            right = self.check.right(*arguments)
        except (ValueError, IndexError, KeyError, np.linalg.LinAlgError):
            return False  # not every change can be asked
        finite = np.isfinite(joined(right)).all()
        return finite and same(self.answers[n], right)

    def _slips(self):
        """Name what is wrong in one place of a solution."""
        right = sum(2**n for n, fine in enumerate(self.fine) if fine)
        for says, known in SLIPS.get(self.check.question, {}).items():
            for cases, *marks in known:
                wrong = zip(sorted(self.wrong), marks, strict=False)
                if cases == right and all(
                    np.isfinite(mark(self.answers[n])) == (wanted is not None)
                    and (wanted is None or fits(self.answers[n], wanted, False))
                    for n, wanted in wrong
                ):
                    return "one place", says
        return None

    def _part_times(self):
        """Name what is wrong in one place alone, by one factor."""
        common = None
        for n in self.wrong:
            said = part_times(self.answers[n], self.rights[n], self.given[n])
            common = said if common is None else [w for w in common if w in said]
            if not common:
                return None
        return "factor in one place", common[0]

    def _doubled(self):
        """Name a listed mistake whose answer has one more change in all cases."""
        for mistake in self.check.mistakes:
            common = None
            for n in self.wrong:
                spoilt = self.spoilt(mistake, n)
                keys = second(self.answers[n], spoilt, self.given[n])
                common = [k for k in (common or keys) if k in keys]
                if not common:
                    break
            if common:
                name, says = common[0]
                return f"{mistake.name}; {name}", f"{mistake.says} And {says}"
        return None

    def _case_by_case(self):
        """Name at most two mistakes, each of which explains some of the cases."""
        found = {}
        for n in self.wrong:
            keys = [
                (mistake.name, mistake.says)
                for mistake in self.mistakes
                if self.is_spoilt(mistake, n)
            ] or list(self.keys[n][0])
            if not keys:
                return None
            key = next((k for k in keys if k in found), keys[0])
            found.setdefault(key, []).append(self.check.cases[n].label)
        if len(found) > 2:
            return None
        told = [f"{says} ({'; '.join(cases)}.)" for (_, says), cases in found.items()]
        return "; ".join(name for name, _ in found), " ".join(told)


def keys_of(answer, right, given):
    """Return (keys that explain the answer, in order; all keys that were tried)."""
    fits, tried = {}, set()
    for key, spoilt in chain(changes(right), beside_arguments(right, given)):
        tried.add(key)
        if same(answer, spoilt) and np.isfinite(joined(spoilt)).all():
            fits[key] = None
    fits |= {key: None for key in of_the_answer(answer, right)}
    factor = factor_of(answer, right)
    if factor is not None:
        found = list(factors(given))
        tried |= {key for key, _ in found}
        fits |= {k: None for k, number in found if abs(factor / number - 1) < 1e-6}
    return fits, tried


def part_times(answer, right, given):
    """Return what may be said if all that is wrong is wrong by one factor."""
    if shapes(answer) != shapes(right):
        return []
    a, r = joined(answer), joined(right)
    off = ~(np.abs(a - r) <= 1e-8 + 1e-6 * np.abs(r).max(initial=0.0))
    where, factor = place_of(answer, right, off), factor_of(a[off], r[off])
    if not where or off.all() or (factor is None and a[off].any()):
        return []
    if factor is None:
        return [f"{where} are wrong: they are 0."]
    return [
        f"{where} are wrong: {key[1]}" for key, number in factors(given)
        if abs(factor / number - 1) < 1e-6
    ]  # fmt: skip


def second(answer, spoilt, given):
    """Return the keys of what turns the answer of a mistake into this one."""
    if not np.any(joined(spoilt)):
        return []
    turned = permuted(answer, spoilt)
    if turned:
        return [("axes permuted", f"{turned}.")]
    factor = factor_of(answer, spoilt)
    if factor is None:
        return []
    return [key for key, number in factors(given) if abs(factor / number - 1) < 1e-6]


def mixture(answer, pieces):
    """Return {term: coefficient} of the terms that make an answer, or None."""
    named = {
        name: piece for name, piece in pieces.items() if np.abs(piece).max() > 1e-9
    }
    if not named or not np.isfinite(answer).all():
        return None
    table = np.stack(list(named.values()), 1)
    found, _, rank, _ = np.linalg.lstsq(table, answer, rcond=None)
    if rank < len(named) or not same(table @ found, answer, 1e-7, 1e-9):
        return None
    return dict(zip(named, found, strict=True))


def joined_where(answer, kept):
    """Return the entries of some of the parts of an answer as one vector."""
    return joined([p for p, keep in zip(parts(answer), kept, strict=True) if keep])


def some_layers(answer, right, spoilt):
    """Tell whether each table is right, or what a mistake gives."""
    return shapes(answer) == shapes(right) == shapes(spoilt) and all(
        same(a, r) or same(a, s) for a, r, s in zip(answer, right, spoilt, strict=True)
    )


COUNTS = (
    (0, "{} is missing"), (-1, "the sign of {} is turned round"),
    (2, "{} counts twice"), (0.5, "{} is halved"),
)  # fmt: skip


def wrong_terms(found, patterns):
    """Return {term: [what may be said of its coefficient]} of those that are wrong."""
    if len(set(np.round(list(found.values()), 6))) == 1:
        return {}
    forms = (*COUNTS, (1 / patterns, "{} is divided by N"))
    said = {}
    for term, count in found.items():
        if abs(count - 1) > 1e-6:
            words = [form.format(term) for c, form in forms if abs(count - c) < 1e-6]
            if abs(4 * count - np.rint(4 * count)) < 1e-6:  # others may be chance
                words.append(f"{term} is {count:.3g} times what it should be")
            said[term] = words
    return said
