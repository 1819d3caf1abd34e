"""Processes without rights, in which a submission runs.

Two levels of isolation, the better one that starts is taken, and the report names it:

`bubblewrap`
    namespaces of its own: no network, no other process, the read-only view as its whole
    file system; as root, one plain user for each slot. The worker is the first and only
    process in there, and bubblewrap starts it under a filter of system calls already.
`setpriv`
    for a root in a container where bubblewrap cannot start: the same view by `chroot`,
    one plain user for each slot, no capabilities; but no namespaces, so that the
    network is closed by the filter alone.

Limits are set before either begins. The worker takes on the last and narrowest filter
before it runs a cell: under the first it could still become another program.
"""

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from coursework.judge import syscalls, view
from coursework.judge.process import FILTER, TOLD, NotReadyError, Process

FIRST_UID, UIDS = 61_000, 1000
MEMORY, CPU_SECONDS = 1 << 30, 30  # the clock of the judge is meant to end it first
# Of prlimit(1). How many processes there may be, the worker itself says: bubblewrap
# would not start under that limit.
LIMITS = {
    "as": MEMORY,
    "cpu": CPU_SECONDS,
    "fsize": 0,
    "nofile": 32,
    "core": 0,
    "memlock": 0,
    "msgqueue": 0,
}
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


def _bubblewrap(folder, uid):
    command = [shutil.which("bwrap"), "--unshare-user", "--unshare-all"]
    command += ["--disable-userns"]
    command += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    command += ["--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    # No process of bubblewrap's own in there, and the filter from the first step on.
    command += ["--as-pid-1", "--seccomp", FILTER, "--info-fd", TOLD]
    command += ["--ro-bind", str(folder), "/", "--chdir", "/"]
    for device in ("/dev/null", "/dev/urandom"):
        command += ["--dev-bind", device, device]
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
NEEDS = {
    "bubblewrap": ["bwrap", "prlimit"],
    "setpriv": ["chroot", "setpriv", "prlimit"],
}


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
        elif not syscalls.program():
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
    command, options = LEVELS[name](folder, uid)
    limits = [shutil.which("prlimit"), *(f"--{k}={v}" for k, v in LIMITS.items()), "--"]
    for left in (2, 1, 0):
        try:
            return Process([*limits, *command], **options)
        except (NotReadyError, OSError) as error:
            if not left:
                raise IsolationError(f"{name}: {error}") from None
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
        path = Path("/run") / f"jachess-judge-{uid}"
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
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
