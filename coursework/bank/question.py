"""One question of the bank: its text, its key by two witnesses, and its distractors."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

AGREE = 1e-9  # what two witnesses may differ by, relative to the key
MOST = 4  # distractors of a choice
LEAST = 3


class UnusableError(Exception):
    """Numbers that make no good question: draw others."""


@dataclass(frozen=True)
class Wrong:
    """A distractor: the misconception, the number it gives, and what to tell."""

    name: str
    value: float
    says: str


@dataclass(frozen=True)
class Question:
    """A question of the bank; `choices` are in the order shown, None for a number."""

    name: str
    title: str
    text: str
    key: float
    tolerance: float
    wrong: tuple
    choices: tuple | None = None


def question(name, title, text, witnesses, wrong, rng, choice):
    """Return a question, or say why its numbers make none.

    `witnesses` are two values of the key, found in two ways; `wrong` lists (name,
    value, what to tell).
    """
    key, other = map(float, witnesses)
    if not np.isfinite(key) or abs(key) < 1e-3:
        raise UnusableError("the key is too small to be told from 0")
    if abs(key - other) > AGREE * abs(key):
        raise ValueError(
            f"{title}: the witnesses differ: {key!r} and {other!r}; mend one of them"
        )
    tolerance = 0.005 * abs(key)
    kept = []
    for misconception, value, says in wrong:
        near = [key, *(w.value for w in kept)]
        apart = 2.5 * max(tolerance, 0.005 * abs(value))
        if np.isfinite(value) and all(abs(value - v) > apart for v in near):
            kept.append(Wrong(misconception, float(value), says))
    if len(kept) < LEAST:
        raise UnusableError(f"only {len(kept)} distractors differ from the key")
    choices = None
    if choice:
        kept = [kept[n] for n in sorted(rng.permutation(len(kept))[:MOST])]
        options = [None, *kept]
        choices = tuple(options[n] for n in rng.permutation(len(options)))
    made = Question(name, title, text, key, tolerance, tuple(kept), choices)
    shown = [number(key), *(number(w.value) for w in kept)]
    if any(a == b for a, b in combinations(shown, 2)):
        raise UnusableError("two options look alike")
    return made


def number(value):
    """Return a number as a question shows it, to four digits."""
    return np.format_float_positional(
        float(f"{value:.4g}"), trim="-"
    )  # never 1e-05, which a student may misread


def table(values):
    """Return numbers as rows of TeX."""
    rows = [" & ".join(number(v) for v in row) for row in np.atleast_2d(values)]
    return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"
