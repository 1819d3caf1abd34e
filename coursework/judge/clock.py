"""The time that a submission has used, whatever became of the judge meanwhile.

The hands of a wall clock go on while the judge itself is held: by another thread, by a
stopped machine, by too much work. None of that is a student's. So a wait is cut into
ticks, and a tick counts as one tick however late we were woken from it; and the time
for which the process stood in line for a processor, which Linux tells, is taken off.
What remains is the time in which it ran or slept.
"""

import select
import time

TICK = 0.01
PIECE = 1e-5  # a message in a million pieces is not for nothing


class TimedOutError(Exception):
    """The process in the sandbox took too long."""


class Clock:
    """A clock that stands still unless a submission is waited for."""

    def __init__(self):
        self.now = 0.0

    def wait(self, pipe, event, deadline, pid=None):
        """Wait for a pipe of a process; raises a `TimedOutError` at the deadline."""
        poll = select.poll()
        poll.register(pipe, event)
        if self.now >= deadline:
            raise TimedOutError
        self.now += PIECE
        there = poll.poll(0)
        begin, waited, queued = self.now, 0.0, queueing(pid)
        while not there:
            if self.now >= deadline:
                raise TimedOutError
            asleep = time.monotonic()
            there = poll.poll(TICK * 1000)
            waited += min(time.monotonic() - asleep, TICK)
            in_line = max(queueing(pid) - queued, 0)  # it may just have ended
            self.now = begin + max(waited - in_line, 0)


def queueing(pid):
    """Return the seconds for which a process has stood in line for a processor."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):  # ended, or a kernel that does not tell
        return 0.0
