"""Draws a bank: so many questions of every template, the same for the same seed."""

import numpy as np

from coursework.bank.applications import APPLICATIONS
from coursework.bank.question import UnusableError, question
from coursework.bank.reading_code import READING_CODE
from coursework.bank.second_order import SECOND_ORDER
from coursework.bank.templates import FIRST_ORDER

TEMPLATES = FIRST_ORDER + SECOND_ORDER + READING_CODE + APPLICATIONS
TRIES = 200


def bank(count, seed):
    """Return `count` questions: the templates in turn, as a number and as a choice."""
    return [one(n, seed) for n in range(count)]


def one(n, seed):
    """Return question n of a seed."""
    turn, which = divmod(n, len(TEMPLATES))
    template = TEMPLATES[which]
    rng = np.random.default_rng([seed, n])
    for _ in range(TRIES):
        title, text, witnesses, wrong = template(rng)
        name = f"q{n + 1:03d}-{template.__name__.replace('_', '-')}"
        choice = (turn + which) % 2 == 0  # each template is both in two turns
        try:
            return question(name, title, text, witnesses, wrong, rng, choice)
        except UnusableError:
            continue
    raise ValueError(
        f"{template.__name__}: {TRIES} draws gave no usable numbers; widen its ranges"
    )
