"""Stop as gracefully for SIGTERM and SIGHUP as for Ctrl-C, however one was started.

A shell without job control starts its background with SIGINT ignored, `nohup` ignores
SIGHUP, and a parent may have blocked any of them: all of that is inherited. What stops
us comes as a `KeyboardInterrupt`, but never in the middle of writing a result down.
"""

import signal
import threading
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_deferred, _waiting = False, []


def _on_signal(number, frame):
    if _deferred:
        _waiting.append(number)
    else:
        raise KeyboardInterrupt(number)


@contextmanager
def listening():
    """Let each of the signals stop us, until the block ends."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread may say what a signal does
        return
    # With SIGCHLD ignored, nobody learns how a program has ended.
    meant = {**dict.fromkeys(SIGNALS, _on_signal), signal.SIGCHLD: signal.SIG_DFL}
    before = {number: signal.signal(number, what) for number, what in meant.items()}
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, meant)
    try:
        yield
    finally:
        for number, what in before.items():
            signal.signal(number, what)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def deferred():
    """Let a signal wait until the block has ended."""
    global _deferred
    _deferred = True
    try:
        yield
    finally:
        _deferred = False
        if _waiting:
            number = _waiting.pop()
            _waiting.clear()
            raise KeyboardInterrupt(number)


def status(interrupt):
    """Return the exit status for what stopped us: 130 for Ctrl-C."""
    return 128 + (interrupt.args[0] if interrupt.args else signal.SIGINT)
