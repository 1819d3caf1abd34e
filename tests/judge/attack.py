"""What an attack is: a hostile submission, and what may come of it.

An attack is a notebook whose functions are stubs, so every point would be unearned
unless `points` says otherwise. What a cell finds out it raises, and so it stands in the
feedback, where `shows` must be found.
"""

from collections.abc import Callable
from dataclasses import dataclass

from judge.notebooks import OPENING, RIGHT, STUB, notebook


@dataclass(frozen=True)
class Attack:
    """One hostile submission: bytes, or a function that makes something at a path."""

    tries: str
    submission: bytes | Callable
    points: int = 0
    status: str = "graded"
    shows: str = ""
    file: str = "{name}.ipynb"


def attack(tries, *sources, **options):
    """Return an attack whose cells come after the stubs."""
    return Attack(tries, notebook(*STUB, *sources), **options)


def function(tries, body, **options):
    """Return an attack that defines all functions with one body."""
    body = "\n".join("    " + line for line in body.strip().splitlines())
    source = "import os, sys, time\n"
    for name in RIGHT:
        source += f"def {name}(*values):\n{body}\n"
    return Attack(tries, notebook(OPENING, source), **options)


def file(tries, data, status, points=0, **options):
    """Return an attack that is a file of these bytes, or made by a function."""
    return Attack(tries, data, points, status, **options)


# Finds the stream on which the worker answers, and says what it likes there.
