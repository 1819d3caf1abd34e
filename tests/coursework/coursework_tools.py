"""What the tests of the coursework share: its notebooks, run without a kernel."""

import json
import os
import sys
import types
from functools import cache
from importlib import import_module

from coursework.release import HERE, assignment, self_check


@cache
def check_of(hw):
    """Return the released check.py of an assignment as a module."""
    module = types.ModuleType(f"check_{hw}")
    sys.modules[module.__name__] = module  # where dataclasses look for their module
    exec(compile(self_check(hw), f"{hw}/check.py", "exec"), module.__dict__)
    return module


def planted(hw):
    """Return {question: {name of the mistake: wrong function}} of an assignment."""
    return import_module(f"planted_{hw.removeprefix('hw')}").PLANTED


@cache
def master(hw):
    """Return the master notebook of an assignment."""
    return json.loads((HERE / hw / f"{hw}.ipynb").read_text(encoding="utf-8"))


def graded_code(notebook):
    """Return the code of the cells that the judge runs, one text a cell."""
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        and "not-graded" not in cell["metadata"].get("tags", ())
    ]


@cache
def solved(hw):
    """Return the namespace that the master leaves, its graded cells run in order."""
    return run(graded_code(master(hw)), hw)


def run(cells, hw):
    """Return the namespace after the cells, where the data files of `hw` lie."""
    space, here = {}, os.getcwd()
    folder = assignment(hw).files[0].parent if assignment(hw).files else HERE
    checks, sys.modules["check"] = sys.modules.get("check"), check_of(hw)
    os.chdir(folder)
    try:
        for cell in cells:
            exec(compile(cell, hw, "exec"), space)
    finally:
        os.chdir(here)
        sys.modules.pop("check")
        if checks:
            sys.modules["check"] = checks
    return space
