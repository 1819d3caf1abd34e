"""What an attack is: a hostile submission, and what may come of it.

An attack is a notebook whose functions are stubs, so every point would be unearned
unless `points` says otherwise. `shows` must stand in the feedback or the log. What a
cell finds out it raises; the feedback keeps that back, so the cell itself looks for
what `finds` says, and stops with one class of error or with another.
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


FOUND = "stopped: the arithmetic fails"
WATCHED = """
try:
    exec(compile({source!r}, "attack", "exec"))
except BaseException as error:
    if {finds!r} in f"{{type(error).__name__}}: {{error}}":
        raise ArithmeticError from None
raise LookupError
"""


def watched(source, finds):
    """Return a cell that stops as `FOUND` says if the source raises such words."""
    return WATCHED.format(source=source, finds=finds)


def attack(tries, *sources, finds="", **options):
    """Return an attack whose cells come after the stubs."""
    if finds:
        *sources, last = sources
        sources = [*sources, watched(last, finds)]
        options["shows"] = FOUND
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
