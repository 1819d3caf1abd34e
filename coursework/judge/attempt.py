"""Run a submission's cells and ask all its questions, in as many processes as it takes.

There are `SECONDS` in all. In the first round each cell and each question gets a short
slice; one that takes longer is set aside, the process is ended, and the rest is done in
a new one. In the second round what was set aside gets the time that is left. So a loop
costs its own question alone, and never more than `SECONDS`. They are those of a `Clock`
that stands still while the judge itself is held; a process costs the same, however long
it took to start.

Last, a question that builds on another is not lost with it: where an earlier one is
wrong, the question is asked once more, in a process in which right functions stand in
the place of the wrong ones. That process is asked nothing that these could answer.
"""

from dataclasses import dataclass, field

from coursework.judge import answers, errors, wire
from coursework.judge.clock import Clock, TimedOutError
from coursework.judge.process import EndedError

SECONDS = 5.2
KEPT = 1  # of these, for what is asked again with something put right
SLICE = 0.5
START = 0.1
TOO_LONG = "it took too long"
GONE = "the program ended before it answered"
STOPPED = "it ended the whole program"
GARBLED = "the program sent no answer, or one that is far too large"
BROKEN = (TOO_LONG, GONE, STOPPED, GARBLED)
NOT_ASKED = "the time of the whole notebook was up before this question's turn"


@dataclass
class Attempt:
    """What is known so far; a step is a cell, by number, or a question, by name."""

    reasons: dict  # question → None if it is right, otherwise why it is not
    right: dict = field(default_factory=dict)  # question → how many calls are right
    followed: dict = field(default_factory=dict)  # question → those put right for it
    reports: dict = field(default_factory=dict)  # cell → what went wrong
    clock: Clock = field(default_factory=Clock)
    second: bool = False  # the second round has begun
    blind: bool = True  # no input has been sent to any process yet
    late: set = field(default_factory=set)  # steps that took too long once
    dropped: set = field(default_factory=set)  # steps that are not tried again
    kept: float = 0  # seconds that are not spent yet

    def left(self):
        """Return the seconds that are left."""
        return max(SECONDS - self.kept - self.clock.now, 0)

    def aside(self):
        """Return the steps that are not taken in this round."""
        return self.dropped if self.second else self.dropped | self.late

    def deadline(self):
        """Return when, by the clock, the next step must be done."""
        if not self.second:
            return self.clock.now + min(SLICE, self.left() / 4)
        return self.clock.now + self.left() / max(len(self.late - self.dropped), 1)

    def strike(self, step, reason):
        """Set a step aside that broke its process, and say why."""
        if isinstance(step, int) and reason == TOO_LONG and not self.left():
            return  # the time of the whole was up: that is not this cell's doing
        again = reason == TOO_LONG and not self.second
        (self.late if again else self.dropped).add(step)
        if isinstance(step, str):
            self.reasons[step] = reason
        elif self.blind and step is not None:
            self.reports[step] = reason


def attempt(questions, cells, start, helpers=None):
    """Return the `Attempt` of a submission; `start` starts a process in a sandbox.

    `helpers` are {question: source}: what defines the functions up to that question.
    """
    state = Attempt({q.name: NOT_ASKED for q in questions}, kept=KEPT * bool(helpers))
    _round(state, questions, cells, start)
    if state.late:
        state.second = True
        # A cell that was too slow may be what the other answers wanted.
        all_wrong = any(isinstance(step, int) for step in state.late)
        todo = [
            q for q in questions
            if q.name in state.late or (all_wrong and state.reasons[q.name])
        ]  # fmt: skip
        _round(state, todo, cells, start)
    if helpers:
        state.kept = 0
        _follow_through(state, questions, cells, start, helpers)
    return state


def _follow_through(state, questions, cells, start, helpers):
    """Ask again what is wrong behind something wrong, the latter put right."""
    for place, question in enumerate(questions):
        wrong = [q for q in questions[:place] if state.reasons[q.name]]
        if not (wrong and state.reasons[question.name] and state.left()):
            continue
        again = Attempt(dict(state.reasons), clock=state.clock, dropped=state.dropped)
        again.second = True  # what is late now has no other turn
        names = [q.function for q in wrong]
        message = {"helpers": helpers[wrong[-1].name], "names": names}
        taken = [cell for cell in cells if cell[0] not in state.dropped | state.late]
        with start() as process:
            process.clock = state.clock
            state.clock.now += START
            _pass(again, process, taken, [question], message)
        name = question.name
        if again.right.get(name, 0) > state.right.get(name, 0):
            state.right[name], state.reasons[name] = (
                again.right[name],
                again.reasons[name],
            )
            state.followed[name] = [q.name for q in wrong]


def _round(state, todo, cells, start):
    """Ask the questions of one round; a process that breaks is followed by another."""
    todo, broken = list(todo), True
    while broken and todo and state.left():
        taken = [cell for cell in cells if cell[0] not in state.aside()]
        with start() as process:
            process.clock = state.clock
            state.clock.now += START
            broken = _pass(state, process, taken, todo)
        todo = [q for q in todo if q.name not in state.aside()]


def _pass(state, process, cells, todo, helpers=None):
    """Run cells and ask questions in one process; tell whether a step has broken it.

    A question that was answered leaves `todo`, whether it was right or not. `helpers`
    is a message that puts functions in the place of the student's.
    """
    step = None
    try:
        process.send(wire.encode({"cells": cells}), SECONDS)
        for step, *_ in cells:
            _hear_of_cell(state, process, step)
        process.receive(state.deadline())  # the cells are done
        state.blind = False
        if helpers:
            step = todo[0].name
            process.send(wire.encode(helpers), state.deadline())
            process.receive(state.deadline())
        while todo and state.left():
            step = todo[0].name
            state.right[step], faults = 0, []
            for fault in answers.ask(process, todo[0], state.deadline()):
                state.right[step] += fault is None
                faults.append(fault)
            state.reasons[step] = next(filter(None, faults), None)
            del todo[0]
    except TimedOutError:
        state.strike(step, TOO_LONG)
    except EndedError:
        state.strike(step, GONE if isinstance(step, str) else STOPPED)
    except wire.GarbledError:
        state.strike(step, GARBLED)
    else:
        return False
    return step is not None


def _hear_of_cell(state, process, number):
    """Wait for one cell, and keep what it says as long as it cannot know an input."""
    header, _ = process.receive(state.deadline())
    if header.get("cell") != number:
        raise wire.GarbledError
    error = header.get("error")
    if error is None:
        if number in state.late:
            state.reports.pop(number, None)  # it was slow, and no more than that
    elif state.blind:
        if not isinstance(error, str):
            raise wire.GarbledError
        state.reports[number] = f"it stopped: {errors.words(error)}"
