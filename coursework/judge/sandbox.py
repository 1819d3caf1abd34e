"""Processes without rights, in which a submission runs.

Two levels of isolation, the better one that starts is taken, and the report names it:

`bubblewrap`
    namespaces of its own: no network, no other process, the read-only view as its whole
    file system, a small folder in memory; as root, one plain user for each slot.
`setpriv`
    for a root in a container where bubblewrap cannot start: the same view by `chroot`,
    one plain user for each slot, no capabilities, no place to write; but no namespaces,
    so that the network is closed by the filter of system calls alone.

Both are under limits and under that filter, which the worker takes on by itself.
"""

import fcntl
import os
import select
import shutil
import subprocess
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from coursework.judge import syscalls, view, wire

FIRST_UID, UIDS = 61_000, 1000
TMP = 64 << 20
START_SECONDS = 20
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "LD_LIBRARY_PATH": "/python/lib:/python/lib64",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
# -S: no site-packages; -B: the view holds its bytecode; -I: nothing from outside.
PYTHON = ["/python/bin/python3", "-I", "-S", "-B", "/desk/worker.py"]


class IsolationError(Exception):
    """No sandbox can be had, and so nothing is graded."""


class EndedError(Exception):
    """The process in the sandbox has ended."""


class TimedOutError(Exception):
    """The process in the sandbox took too long."""


class Process:
    """A process in a sandbox, and messages to and from it."""

    def __init__(self, level, folder, uid):
        command, options = LEVELS[level](folder, uid)
        self._process = subprocess.Popen(
            [*command, syscalls.program().hex()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # until the worker is ready: then it has none
            cwd="/",
            start_new_session=True,
            bufsize=0,
            **options,
        )
        os.set_blocking(self._process.stdin.fileno(), False)
        try:
            header, _ = self.receive(time.monotonic() + START_SECONDS)
        except (EndedError, TimedOutError, wire.GarbledError):
            header = None
        if header != {"ready": True}:
            self._process.kill()
            words = self._process.stderr.read(1000).decode(errors="replace").split("\n")
            self.kill()
            raise IsolationError(
                f"{level}: it does not start, {words[0] or 'silently'}"
            )

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.kill()

    def send(self, message, deadline):
        """Send bytes, as fast as they are taken, until the deadline."""
        pipe, left = self._process.stdin.fileno(), memoryview(message)
        while left:
            _wait(pipe, select.POLLOUT, deadline)
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
            _wait(pipe, select.POLLIN, deadline)
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


def _wait(pipe, event, deadline):
    poll = select.poll()
    poll.register(pipe, event)
    # What is there already counts, even if we were held up ourselves.
    if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
        raise TimedOutError


def _bubblewrap(folder, uid):
    command = [shutil.which("bwrap"), "--unshare-user", "--unshare-all"]
    command += ["--disable-userns"]
    command += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    command += ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    command += ["--ro-bind", str(folder), "/", "--chdir", "/"]
    for device in ("/dev/null", "/dev/urandom"):
        command += ["--dev-bind", device, device]
    command += ["--size", str(TMP), "--tmpfs", "/tmp"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    user = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    return [*command, "--", *PYTHON], {"env": {}, **user}


def _setpriv(folder, uid):
    command = [shutil.which("chroot"), str(folder), "/bin/setpriv", f"--reuid={uid}"]
    command += [f"--regid={uid}", "--clear-groups", "--no-new-privs"]
    command += ["--inh-caps=-all", "--bounding-set=-all", "--pdeathsig=KILL", "--"]
    return [*command, *PYTHON], {"env": ENVIRONMENT}


LEVELS = {"bubblewrap": _bubblewrap, "setpriv": _setpriv}
NEEDS = {"bubblewrap": ["bwrap"], "setpriv": ["chroot", "setpriv"]}


@cache
def level():
    """Return the name of the best level that starts on this machine."""
    reasons = []
    for name, programs in NEEDS.items():
        missing = [p for p in programs if shutil.which(p) is None]
        if missing:
            reasons.append(f"{name}: {missing[0]} is not installed")
        elif name == "setpriv" and os.geteuid() != 0:
            reasons.append(f"{name}: it needs root")
        elif name == "setpriv" and not syscalls.program():
            reasons.append(f"{name}: no filter of system calls for this processor")
        else:
            try:
                with slot() as uid:
                    start(name, view.build(), uid).kill()
            except IsolationError as error:
                reasons.append(str(error))
            else:
                return name
    raise IsolationError(
        "No submission is graded without isolation. " + "; ".join(reasons) + ". "
        "On Debian and its kin: apt install bubblewrap."
    )


def start(name, folder, uid):
    """Return a process; a machine under load may need a second or a third try."""
    for left in (2, 1, 0):
        try:
            return Process(name, folder, uid)
        except (IsolationError, OSError) as error:
            if not left:
                raise IsolationError(str(error)) from None
            time.sleep(0.2)


@contextmanager
def slot():
    """Lend a user id that no other sandbox of this machine has; None if not root.

    Limits on processes are counted by user: a slot of its own keeps them apart.
    """
    if os.geteuid() != 0:
        yield None
        return
    for uid in range(FIRST_UID, FIRST_UID + UIDS):
        lock = os.open(Path("/run") / f"jachess-judge-{uid}", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        try:
            yield uid
        finally:
            os.close(lock)
        return
    raise IsolationError(f"all {UIDS} users for sandboxes are taken")
