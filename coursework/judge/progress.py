"""A progress bar that leaves the standard output alone."""

import contextlib
import sys
import time


class Progress:
    """A bar on a terminal, and a line now and then anywhere else."""

    def __init__(self, total, stream=None):
        self._total, self._stream = total, stream or sys.stderr
        self._begin = self._last = time.monotonic()
        self._bar = self._stream.isatty()

    def show(self, done):
        """Show how many of all are done."""
        now = time.monotonic()
        due = 0.1 if self._bar else 10
        if now - self._last < due and done < self._total:
            return
        self._last = now
        rate = done / max(now - self._begin, 1e-9)
        text = f"{done} of {self._total}, {rate:.1f} a second"
        if self._bar:
            filled = 30 * done // max(self._total, 1)
            text = f"\r[{'#' * filled}{'.' * (30 - filled)}] {text} "
        end = "\n" if not self._bar or done == self._total else ""
        with contextlib.suppress(OSError):  # a terminal may close; the marks go on
            self._stream.write(text + end)
            self._stream.flush()
