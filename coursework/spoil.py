"""Mistakes that a check knows by a number: the master's solutions, each spoilt.

`coursework/<name>/spoilt.py` lists them, {question: [(name, what to tell, changes)]},
where the changes are (old, new) pieces of the solution. Those of `slips.py` need no
list. What comes out is not released: of every wrong answer goes a number or two into
check.py, and of the right ones none.
"""

import ast
import copy
import json
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np

from coursework.differences import same
from coursework.naming import mark
from coursework.slips import slips

HERE = Path(__file__).parent
RIGHTS = {}  # {id of a check: (the check, what is right in its cases)}

# What may stand where the slope of tanh at {a} should, for any question with one.
SLOPES = (
    ("h′ missing", "the slope h′(a_j) is missing.", "np.ones_like({a})"),
    ("square lost", "a square is missing: 1 − z in place of 1 − z².",
     "(1 - np.tanh({a}))"),
    ("plus for minus", "this is 1 + z²; the slope is 1 − z².",
     "(1 + np.tanh({a}) ** 2)"),
    ("slope turned round", "the sign of h′ is turned round.",
     "(np.tanh({a}) ** 2 - 1)"),
    ("slope squared", "h′ stands there twice: it is squared.",
     "(1 - np.tanh({a}) ** 2) ** 2"),
    ("root of the slope", "1/cosh a wants a square.", "(1 / np.cosh({a}))"),
    ("slope upside down", "this is 1/h′: the slope multiplies.",
     "np.cosh({a}) ** 2"),
    ("bend for slope", "h″ stands where h′ should.",
     "(-2 * np.tanh({a}) * (1 - np.tanh({a}) ** 2))"),
    ("ReLU's slope", "this is the slope of a ReLU; the unit is tanh.",
     "({a} > 0)"),
    ("z beside the slope", "z h′ stands where h′ should: one factor too many.",
     "(np.tanh({a}) * (1 - np.tanh({a}) ** 2))"),
    ("a for slope", "a_j itself stands where its slope should.", "({a})"),
    ("sigmoid for slope", "the sigmoid itself stands where the slope of tanh should.",
     "(1 / (1 + np.exp(-({a}))))"),
    ("wrong unit's slope", "this is the slope of the sigmoid; the unit is tanh.",
     "(np.exp(-({a})) / (1 + np.exp(-({a}))) ** 2)"),
    ("sigmoid's formula", "z(1 − z) is the slope of a sigmoid; the unit is tanh.",
     "(np.tanh({a}) * (1 - np.tanh({a})))"),
    ("unit for slope", "h(a_j) stands where its slope should.", "np.tanh({a})"),
    ("1 − lost", "tanh² stands where the slope 1 − tanh² should.",
     "np.tanh({a}) ** 2"),
    ("a for z", "1 − z² wants z_j, and this is 1 − a_j².", "(1 - ({a}) ** 2)"),
    ("slope at z", "h′ is taken at z_j; it belongs at a_j.",
     "(1 - np.tanh(np.tanh({a})) ** 2)"),
)  # fmt: skip
# The same, where the sums have patterns on axis 0.
BATCH_SLOPES = (
    ("one slope for all patterns", "the slopes are those of the first pattern.",
     "(1 - np.tanh({a}[:1] + 0 * {a}) ** 2)"),
    ("mean slope", "the slopes are averaged over the patterns.",
     "((1 - np.tanh({a}) ** 2).mean(0) + 0 * {a})"),
)  # fmt: skip


def slopes(old, a, batch=True):
    """Return entries for wrong slopes at the sums `a`, in the place of `old`."""
    every = SLOPES + BATCH_SLOPES if batch else SLOPES
    return [
        (name, says, ((old, expression.format(a=a)),))
        for name, says, expression in every
    ]


def definitions(name):
    """Return (namespace, {function: source}) of the master's cells that define."""
    master = HERE / name / f"{name}.ipynb"
    cells = json.loads(master.read_text(encoding="utf-8"))["cells"]
    space, sources = {"np": np}, {}
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code" or not text.startswith("def "):
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                sources[node.name] = ast.get_source_segment(text, node)
                exec(sources[node.name], space)
    return space, sources


def marks(name):
    """Return {question: [(name, what to tell, [the mark of each case])]}."""
    checks = import_module(f"coursework.{name}.checks")
    listed = import_module(f"coursework.{name}.spoilt").SPOILT
    functions = {
        q.name: q.function
        for q in import_module(f"coursework.{name}.questions").ASSIGNMENT.judged
    }
    space, sources = definitions(name)
    found = {}
    for question, entries in listed.items():
        check = getattr(checks, question)
        known = {mistake.name for mistake in check.mistakes}
        source = sources[functions[question]]
        found[question] = [
            (title, says, marks_of(spoilt(source, functions[question], changes, space),
                                   check))
            for title, says, changes in entries
            if title not in known
        ]  # fmt: skip
    return found


def slips_marked(name):
    """Return {question: {what to tell: [(cases that stay right, marks of two more)]}}.

    The cases that a slip leaves right are the bits of a number. A mark of None is that
    of what is not finite.
    """
    checks = import_module(f"coursework.{name}.checks")
    questions = import_module(f"coursework.{name}.questions").ASSIGNMENT.judged
    space, sources = definitions(name)
    found = {}
    for question in questions:
        check, seen, told = getattr(checks, question.name), set(), {}
        for says, text in slips(sources[question.function]):
            made = mark_of_slip(text, question.function, check, space)
            if made and made not in seen:
                seen.add(made)
                told.setdefault(says, []).append(made)
        found[question.name] = told
    return found


def mark_of_slip(text, function, check, space):
    """Return what a check may know a slip by, or None if nothing comes out of it."""
    own = dict(space)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some slips index a number
        exec(text, own)
        try:
            found = marks_where_wrong(own[function], check)
        except Exception:  # most exchanges of names do not run
            return None
    right = sum(2**n for n, number in enumerate(found) if number is None)
    wrong = [
        number if np.isfinite(number) else None
        for number in found
        if number is not None
    ][:2]
    known = any(number is not None for number in wrong)
    return (right, *wrong) if known else None


def spoilt(source, function, changes, space):
    """Return the function of a solution with pieces of it changed."""
    for old, new in changes:
        if old not in source:
            raise ValueError(
                f"the solution of {function} has no {old!r}: mend spoilt.py"
            )
        source = source.replace(old, new)
    own = dict(space)
    exec(source, own)
    return own[function]


def marks_of(function, check):
    """Return the mark of what a function gives for each case, None if it is right."""
    found = marks_where_wrong(function, check)
    if not np.isfinite([m for m in found if m is not None]).all():
        raise ValueError("a mark is not finite: mend spoilt.py, or drop the mistake")
    return found


def marks_where_wrong(function, check):
    """Return the mark of what a function gives for each case, NaN included."""
    found = []
    for case, right in zip(check.cases, rights(check), strict=True):
        with np.errstate(all="ignore"):
            answer = as_answer(function(*copy.deepcopy(case.arguments)))
            found.append(None if same(answer, right) else mark(answer))
    return found


def rights(check):
    """Return the right answers to the cases of a check; some of them take long."""
    if id(check) not in RIGHTS:
        found = [check.right(*case.arguments) for case in check.cases]
        RIGHTS[id(check)] = check, found
    return RIGHTS[id(check)][1]


def as_answer(answer):
    """Return an answer as a check has it."""
    if isinstance(answer, (list, tuple)):
        return [np.asarray(part, float) for part in answer]
    return np.asarray(answer, float)
