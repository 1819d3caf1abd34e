"""Grade one submission: every failure becomes a zero and words, never a crash."""

from coursework.judge import notebook, sandbox, view
from coursework.judge.attempt import attempt

GRADED = "graded"
OPENING_LIMIT = 60


def grade(exam, data):
    """Return the result of a submission as plain data that JSON can hold."""
    try:
        cells = notebook.code_cells(data)
    except notebook.RefusedError as reason:
        return refused(exam, str(reason))
    folder, level = view.build(exam.files), sandbox.level()
    with sandbox.slot() as uid:
        found = attempt(
            exam.questions, cells, lambda: sandbox.start(level, folder, uid)
        )
    return {
        "status": GRADED,
        "level": level,
        "questions": {q.name: _mark(q, found.reasons[q.name]) for q in exam.questions},
        "cells": _reports(cells, found.reports),
    }


def refused(exam, reason):
    """Return the result of a submission that is not graded, for a reason."""
    questions = {q.name: _mark(q, reason) for q in exam.questions}
    return {"status": reason, "level": "", "questions": questions, "cells": []}


def _mark(question, reason):
    """Return the points of a question, and why there are none."""
    return {"points": 0 if reason else question.points, "reason": reason or ""}


def _reports(cells, reports):
    """Return [number, first line, what went wrong] of each cell that stopped."""
    openings = {number: source.strip().partition("\n")[0] for number, source in cells}
    return [
        [number, openings[number][:OPENING_LIMIT], words]
        for number, words in sorted(reports.items())
    ]
