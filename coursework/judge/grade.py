"""Grade one submission: ask, compare, and turn every failure into a zero and words.

A submission has `SECONDS` in all. In the first round each cell and each question gets a
short slice; one that takes longer is set aside, the process is ended, and the rest is
done in a new one. In the second round what was set aside gets the time that is left. So
a loop costs its own question alone, and never more than `SECONDS`.
"""

import time
from dataclasses import dataclass, field

from coursework.judge import notebook, sandbox, view, wire

GRADED = "graded"
SECONDS = 5.4
SLICE = 0.5
REPORT_LIMIT = 300
# A name that a submission made up itself could carry the hidden inputs out.
KNOWN_ERRORS = {
    name
    for name, value in vars(__import__("builtins")).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {"LinAlgError", "AxisError"}
BAD_ANSWERS = {
    "nothing": "the function returned nothing",
    "parts": "the function did not return as many arrays as were asked for",
    "numbers": "the function did not return an array of real numbers",
}
TOO_LONG = "it took too long"
GONE = "the program ended before it answered"
STOPPED = "it ended the whole program"
GARBLED = "the program sent no answer, or one that is far too large"
NOT_ASKED = "the time of the whole notebook was up before this question's turn"


@dataclass
class Attempt:
    """What is known so far about one submission."""

    deadline: float
    answers: dict  # question name → None if it is right, otherwise the reason
    reports: dict = field(default_factory=dict)  # cell number → what went wrong
    first: bool = True  # no input has been sent to any process yet
    late: set = field(default_factory=set)  # steps set aside, to be tried once more
    dropped: set = field(default_factory=set)  # steps that are not tried again

    def left(self):
        """Return the seconds that are left."""
        return self.deadline - time.monotonic()


def grade(exam, data):
    """Return the result of a submission as plain data that JSON can hold."""
    try:
        cells = notebook.code_cells(data)
    except notebook.RefusedError as reason:
        return refused(exam, str(reason))
    folder = view.build(exam.files)
    with sandbox.slot() as uid:
        level = sandbox.level()
        attempt = _attempt(exam, cells, lambda: sandbox.start(level, folder, uid))
    questions = {
        q.name: {
            "points": q.points if attempt.answers[q.name] is None else 0,
            "reason": attempt.answers[q.name] or "",
        }
        for q in exam.questions
    }
    openings = {number: source.strip().partition("\n")[0] for number, source in cells}
    reports = [[n, openings[n][:60], w] for n, w in sorted(attempt.reports.items())]
    return {
        "status": GRADED, "level": level, "questions": questions, "cells": reports
    }  # fmt: skip


def refused(exam, reason):
    """Return the result of a submission that is not graded, for a reason."""
    questions = {q.name: {"points": 0, "reason": reason} for q in exam.questions}
    return {"status": reason, "level": "", "questions": questions, "cells": []}


def _attempt(exam, cells, process):
    """Ask all questions, in as many processes as it takes."""
    attempt = Attempt(
        time.monotonic() + SECONDS, {q.name: NOT_ASKED for q in exam.questions}
    )
    _round(exam, cells, process, attempt, second=False)
    if attempt.late:
        _round(exam, cells, process, attempt, second=True)
    return attempt


def _round(exam, cells, process, attempt, second):
    """Ask what this round has to ask; each failure of a process starts a new one."""
    again = second and any(isinstance(step, int) for step in attempt.late)
    todo = [
        q for q in exam.questions
        if not second or q.name in attempt.late or (again and attempt.answers[q.name])
    ]  # fmt: skip
    while todo and attempt.left() > 0:
        aside = attempt.dropped if second else attempt.dropped | attempt.late
        todo = [q for q in todo if q.name not in aside]
        run = [cell for cell in cells if cell[0] not in aside]
        with process() as sandboxed:
            step = _pass(sandboxed, run, todo, attempt, second)
        if (
            step is None
        ):  # all is asked, or the worker itself never got as far as a cell
            return


def _pass(sandboxed, cells, todo, attempt, second):
    """Run cells and questions in one process; return the step that broke it, or None.

    A question that was answered leaves `todo`, whether it was right or not.
    """
    step = None
    try:
        sandboxed.send(wire.encode({"cells": cells}), attempt.deadline)
        for step, _ in cells:
            _hear_of_cell(sandboxed, step, attempt, _deadline(attempt, second))
        sandboxed.receive(_deadline(attempt, second))
        attempt.first = False
        while todo and attempt.left() > 0:
            step = todo[0].name
            attempt.answers[step] = _ask(sandboxed, todo[0], _deadline(attempt, second))
            del todo[0]
        return None
    except sandbox.TimedOutError:
        _strike(step, TOO_LONG, attempt, attempt.dropped if second else attempt.late)
    except sandbox.EndedError:
        reason = GONE if isinstance(step, str) else STOPPED
        _strike(step, reason, attempt, attempt.dropped)
    except wire.GarbledError:
        _strike(step, GARBLED, attempt, attempt.dropped)
    return step


def _deadline(attempt, second):
    """Return when the next step must be done."""
    left = max(attempt.left(), 0)
    if second:
        left /= max(len(attempt.late - attempt.dropped), 1)
    else:
        left = min(SLICE, left / 4)
    return time.monotonic() + left


def _strike(step, reason, attempt, aside):
    """Set a step aside that broke its process, and say why."""
    aside.add(step)
    if isinstance(step, str):
        attempt.answers[step] = reason
    elif attempt.first and step is not None:
        attempt.reports[step] = reason


def _hear_of_cell(sandboxed, number, attempt, deadline):
    """Wait for one cell, and keep what it says as long as it cannot know an input."""
    header, _ = sandboxed.receive(deadline)
    if header.get("cell") != number:
        raise wire.GarbledError
    error = header.get("error")
    if number in attempt.late and error is None:
        attempt.reports.pop(number, None)  # it was slow, and no more than that
    if not attempt.first or error is None:
        return
    if not (isinstance(error, list) and all(isinstance(e, str) for e in error)):
        raise wire.GarbledError
    attempt.reports[number] = ": ".join(error)[:REPORT_LIMIT]


def _ask(sandboxed, question, deadline):
    """Return None if a question is answered right, otherwise why it is not."""
    for call in question.calls:
        sandboxed.send(call.message, deadline)
        header, body = sandboxed.receive(deadline)
        if header == {"missing": True}:
            return f"there is no function {question.function}"
        fault = _fault(call, header, body)
        if fault:
            return f"{call.label}: {fault}"
    return None


def _fault(call, header, body):
    """Return what is wrong with the answer to one call, or None."""
    error = header.get("error")
    if isinstance(error, str):
        known = error if error in KNOWN_ERRORS else "an error of its own"
        return f"the function stopped with {known}"
    bad = header.get("bad")
    if isinstance(bad, str) and bad in BAD_ANSWERS:
        return BAD_ANSWERS[bad]
    return call.agrees(wire.decode_arrays(header.get("sizes"), body))
