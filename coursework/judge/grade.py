"""Grade one submission: every failure becomes a zero and words, never a crash."""

from coursework.judge import notebook, sandbox, view
from coursework.judge.attempt import attempt

GRADED = "graded"
OPENING_LIMIT = 60


def grade(exam, data):
    """Return the result of a submission as plain data that JSON can hold."""
    folder, level = view.build(exam.files), sandbox.level()
    with sandbox.slot() as uid, sandbox.start(level, folder, uid) as first:
        try:
            cells = notebook.code_cells(first, data)
        except notebook.RefusedError as reason:
            return refused(exam, str(reason))
        ready = [first]  # it has read the notebook, and run nothing of it yet

        def start():
            return ready.pop() if ready else sandbox.start(level, folder, uid)

        found = attempt(exam.questions, cells, start, dict(exam.helpers))
    return {
        "status": GRADED,
        "level": level,
        "questions": {
            q.name: _mark(
                q,
                found.reasons[q.name],
                found.right.get(q.name, 0),
                found.followed.get(q.name, ()),
            )
            for q in exam.questions
        },
        "cells": _reports(cells, found.reports),
        "not graded": [number for number, _, graded in cells if not graded],
    }


def refused(exam, reason):
    """Return the result of a submission that is not graded, for a reason."""
    questions = {q.name: _mark(q, reason) for q in exam.questions}
    return {
        "status": reason,
        "level": "",
        "questions": questions,
        "cells": [],
        "not graded": [],
    }


def _mark(question, reason, right=0, followed=()):
    """Return the points of a question, one part for each call, and why some are lost.

    `with` are the questions whose functions were put right for it.
    """
    share = round(question.points * right / len(question.calls), 2)
    return {
        "points": int(share) if share == int(share) else share,
        "reason": reason or "",
        "right": right,
        "with": list(followed),
    }


def _reports(cells, reports):
    """Return [[number, first line, what went wrong]] of the first cell that stopped.

    Of the first alone: what a thousand cells could say would be a letter to a friend.
    """
    openings = {
        number: source.strip().partition("\n")[0] for number, source, _ in cells
    }
    return [
        [number, openings[number][:OPENING_LIMIT], words]
        for number, words in sorted(reports.items())[:1]
    ]
