"""A process in a sandbox, and messages to and from it."""

import json
import os
import select
import subprocess
from contextlib import contextmanager

from coursework.judge import syscalls, wire
from coursework.judge.clock import Clock, TimedOutError

START_SECONDS = 20
FILTER, TOLD = "{filter}", "{told}"


class EndedError(Exception):
    """The process in the sandbox has ended."""


class NotReadyError(Exception):
    """The process in the sandbox does not begin; says why."""


class Process:
    """A process in a sandbox that has said that it is ready.

    In its command, `FILTER` stands for a descriptor with the filter of system calls,
    and `TOLD` for one on which bubblewrap tells which process is the worker. `clock`
    counts what is waited for; the start is on nobody's.
    """

    def __init__(self, command, **options):
        self.clock, self.pid = Clock(), None
        with _descriptors() as (ends, told):
            self._process = subprocess.Popen(
                [*(str(ends.get(w, w)) for w in command), syscalls.program().hex()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,  # until the worker is ready: then it has none
                cwd="/",
                start_new_session=True,
                bufsize=0,
                pass_fds=[end for word, end in ends.items() if word in command],
                **options,
            )
            self._begin()
            self.pid = self._process.pid
            if TOLD in command:
                self.pid = json.loads(os.read(told, 4096))["child-pid"]

    def _begin(self):
        os.set_blocking(self._process.stdin.fileno(), False)
        try:
            header, _ = self.receive(START_SECONDS)
        except (EndedError, TimedOutError, wire.GarbledError):
            header = None
        if header != {"ready": True}:
            self._process.kill()
            words = self._process.stderr.read(1000).decode(errors="replace").split("\n")
            self.kill()
            raise NotReadyError(f"it does not start, {words[0] or 'silently'}")

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.kill()

    def send(self, message, deadline):
        """Send bytes, as fast as they are taken, until the deadline of the clock."""
        pipe, left = self._process.stdin.fileno(), memoryview(message)
        while left:
            self.clock.wait(pipe, select.POLLOUT, deadline, self.pid)
            try:
                left = left[os.write(pipe, left[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise EndedError from None

    def receive(self, deadline):
        """Return the next (header, body) that arrives before the deadline."""
        header, body = wire.sizes(self._read(8, deadline))
        text = self._read(header, deadline)
        return wire.decode_header(text), self._read(body, deadline)

    def _read(self, size, deadline):
        pipe, parts = self._process.stdout.fileno(), []
        while size:
            self.clock.wait(pipe, select.POLLIN, deadline, self.pid)
            part = os.read(pipe, min(size, 1 << 16))
            if not part:
                raise EndedError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def kill(self):
        """End the process, and with it everything in its sandbox."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            pipe.close()


@contextmanager
def _descriptors():
    """Give those that the words of a command stand for, and where we are told."""
    filter_, (told, telling) = os.memfd_create("filter"), os.pipe()
    try:
        os.write(filter_, syscalls.program(more=syscalls.START))
        os.lseek(filter_, 0, os.SEEK_SET)
        yield {FILTER: filter_, TOLD: telling}, told
    finally:
        for descriptor in (filter_, told, telling):
            os.close(descriptor)
