"""What the tests of the coursework share: its notebooks, run without a kernel."""

import json
import os
import re
import sys
import types
from functools import cache
from importlib import import_module
from itertools import pairwise

import numpy as np

from coursework.questions import names
from coursework.release import HERE, assignment, notebooks, self_check


@cache
def check_of(hw):
    """Return the released check.py of an assignment as a module."""
    module = types.ModuleType(f"check_{hw}")
    sys.modules[module.__name__] = module  # where dataclasses look for their module
    module.__file__ = str(HERE / hw / "check.py")
    exec(compile(self_check(hw), f"{hw}/check.py", "exec"), module.__dict__)
    return module


def planted(hw):
    """Return {question: {name of the mistake: wrong function}} of an assignment."""
    return import_module(f"planted_{hw.removeprefix('hw')}").PLANTED


def independent(hw):
    """Return {question: right function}, written without the library."""
    return import_module(f"planted_{hw.removeprefix('hw')}").RIGHT


@cache
def master(hw):
    """Return the master notebook of an assignment."""
    return json.loads((HERE / hw / f"{hw}.ipynb").read_text(encoding="utf-8"))


@cache
def stripped(hw):
    """Return (with solutions, with stubs), as otter makes them of the master."""
    return notebooks(hw)


def sources(notebook, kind):
    """Return the texts of the cells of one kind."""
    cells = notebook["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def graded_code(notebook):
    """Return the code of the cells that the judge runs, one text a cell."""
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        and "not-graded" not in cell["metadata"].get("tags", ())
        and not "".join(cell["source"]).startswith("# HIDDEN")
    ]


@cache
def solved(hw):
    """Return the namespace that the master leaves, its graded cells run in order."""
    return run(graded_code(master(hw)), hw)


def run(cells, hw, *, go_on=False):
    """Return the namespace after the cells, where the data files of `hw` lie."""
    space, here = {}, os.getcwd()
    sys.modules["check"] = check_of(hw)
    os.chdir(assignment(hw).files[0].parent)
    try:
        for cell in cells:
            try:
                exec(compile(cell, hw, "exec"), space)
            except Exception:
                if not go_on:
                    raise
    finally:
        os.chdir(here)
        del sys.modules["check"]
    return space


def tables(answer):
    """Return an answer as a tuple of arrays: one, or one a layer."""
    layers = answer if isinstance(answer, (list, tuple)) else (answer,)
    return tuple(np.asarray(layer, float) for layer in layers)


def counts(question, answer, arguments):
    """Tell whether an answer counts, by the rule of `Question`."""
    if answer is None:
        return False
    answer, right = tables(answer), tables(question.reference(*arguments))
    return len(answer) == len(right) and all(
        a.shape == r.shape
        and np.all(
            np.abs(a - r) <= question.atol + question.rtol * np.abs(r).max(initial=0.0)
        )
        for a, r in zip(answer, right, strict=True)
    )


def bare(line):
    """Return a line without spaces, quotes and escapes, so that copies look alike."""
    return re.sub(r"[\s\"'\\]", "", line)


@cache
def solution_lines():
    """Return the lines of all solutions of all assignments, of code and of prose.

    Short lines, and the head of a loop over the layers, give nothing away.
    """
    lines = set()
    for hw in names():
        for code in sources(master(hw), "code"):
            for block in re.findall(
                r"# BEGIN SOLUTION\n(.*?)# END SOLUTION", code, re.DOTALL
            ):
                lines |= {bare(line) for line in block.splitlines()}
        for before, cell in pairwise(master(hw)["cells"]):
            answer = "".join(before["source"]) == "# BEGIN SOLUTION"
            if answer and cell["cell_type"] == "markdown":
                sentences = re.split(r"\. ", "".join(cell["source"]))
                lines |= {bare(sentence) for sentence in sentences}
    return {line for line in lines if len(line) >= 18 and not line.startswith("forlin")}


def leaked(text):
    """Return the lines of solutions that stand in a text."""
    text = bare(text.replace("\\n", "\n").replace("\\u2202", "∂"))
    return [line for line in solution_lines() if line in text]
