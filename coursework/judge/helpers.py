"""Right functions for earlier questions: a wrong one costs its own points alone.

They are the solutions of the master notebook. A process that holds some of them is
asked a later question and no other: what they could answer has its turn elsewhere.
"""

import ast
import json

from coursework.judge.desk.cells import DEFINITIONS


def of(assignment):
    """Return ((question, source of all definitions up to its function), ...)."""
    if assignment.master is None:
        return ()
    notebook = json.loads(assignment.master.read_text(encoding="utf-8"))
    found, whole = {}, []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", ())
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "not-graded" in tags:
            continue
        kept = [s for s in ast.parse(source).body if isinstance(s, DEFINITIONS)]
        whole += map(ast.unparse, kept)
        for question in assignment.judged:
            if any(getattr(s, "name", None) == question.function for s in kept):
                found[question.name] = "\n".join(whole)
    return tuple(found.items())
