"""Run a command while no other of its kind works in this folder: alone.py COMMAND...

Two that make .venv or the book at once would take it from under each other. The second
says so, and waits. The lock is the system's own: it goes with the process that holds
it, however that ends. On systems without such locks there is no waiting.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

try:
    import fcntl
except ImportError:
    fcntl = None

LOCK = Path("_build/lock")


def take():
    """Wait until the lock is ours; return it, for it goes when it is closed."""
    LOCK.parent.mkdir(exist_ok=True)
    lock = LOCK.open("a")
    if not fcntl:
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another make works in this folder: waiting for it.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    if LOCK.exists() and os.path.samestat(os.fstat(lock.fileno()), LOCK.stat()):
        return lock
    lock.close()  # `make clean` has thrown it away meanwhile
    return take()


def run(command):
    """Run the command and return its exit status; pass on what would stop it."""
    process, early = None, []

    def pass_on(number, _frame):
        process.send_signal(number) if process else early.append(number)

    # Ctrl-C reaches the command by itself, and we outlive it to see how it ends. What
    # is ignored (by nohup, say) stays so, for us and for the command.
    for name, answer in [
        ("SIGINT", lambda *_: None),
        ("SIGTERM", pass_on),
        ("SIGHUP", pass_on),
    ]:
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, answer)
    process = subprocess.Popen(command)
    for number in early:
        process.send_signal(number)
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    try:
        held = take()
    except KeyboardInterrupt:
        sys.exit(130)
    with held:
        sys.exit(run(sys.argv[1:]))
