"""The time that a submission has used, whatever became of the judge meanwhile.

The hands of a wall clock go on while the judge itself is held: by another thread, by a
stopped machine, by too much work. None of that is a student's. What is: the time for
which the process has computed, which Linux tells, and the time for which it has slept.
To find that, a wait is cut into ticks, and a tick counts as one tick however late we
were woken from it; less what the process stood in line for a processor, which Linux
tells too. And no wait counts for more than was granted.
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
        begin, waited, (ran, queued) = self.now, 0.0, usage(pid)
        used = ran, queued
        while not there:
            if self.now >= deadline:
                raise TimedOutError
            asleep = time.monotonic()
            there = poll.poll(TICK * 1000)
            waited += min(time.monotonic() - asleep, TICK)
            used = max(used, usage(pid))  # what has ended has used nothing
            slept = waited - (used[1] - queued)
            self.now = min(begin + max(used[0] - ran, slept, 0), deadline)


def usage(pid):
    """Return for how long a process has run, and stood in line for a processor."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            ran, queued, _ = file.read().split()
    except (OSError, ValueError):  # ended, or a kernel that does not tell
        return 0.0, 0.0
    return int(ran) / 1e9, int(queued) / 1e9
