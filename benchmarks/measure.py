"""How it is measured: cold call, agreement, interleaved rounds, memory.

Every call of a part is made once cold and compared with the library's result. Those
that agree are timed in rounds, one after another within a round, so that a noisy
neighbour hits them alike. Everything happens in one process.
"""

import ctypes
import gc
import math
import signal
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from benchmarks.peers.base import Skip

MOST_BYTES = 8 << 30
# Seconds after which one call says enough.
LONG = 10


@dataclass(frozen=True)
class Effort:
    """How much time to spend on a call: `budget` seconds in `rounds` at most.

    A short call is made many times in a round, for `batch` seconds; one that takes
    longer than `limit` is stopped.
    """

    budget: float
    rounds: int
    batch: float
    limit: float


FULL = Effort(budget=1.5, rounds=15, batch=0.02, limit=60)
QUICK = Effort(budget=0.5, rounds=5, batch=0.01, limit=5)


class TooSlowError(Exception):
    """A call took longer than it may."""


@contextmanager
def at_most(seconds):
    """Stop what takes longer; compiled code is stopped when it returns."""

    def stop(*_):
        raise TooSlowError(f"more than {seconds:g} s a call")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def relative_error(result, reference):
    """Return max|result − reference| / max|reference|; infinity for another shape."""
    result = np.asarray(result)
    if result.shape != reference.shape:
        return math.inf
    scale = float(np.abs(reference).max(initial=0)) or 1.0
    # Row by row: the difference of two large matrices would be a third. NaN is kept.
    rows = (
        zip(result, reference, strict=True)
        if result.ndim > 1
        else [(result, reference)]
    )
    errors = [np.abs(a - b).max(initial=0) for a, b in rows]
    return float(np.max(errors, initial=0)) / scale


def short(exception):
    """Return what went wrong, without the paths of this machine."""
    text = " ".join(str(exception).split())
    words = [word for word in text.split(" ") if "/" not in word and "\\" not in word]
    return f"{type(exception).__name__}: {' '.join(words)}"[:160]


def quiet(_):
    """Tell nobody whose turn it is."""


def compare(calls, limit, seconds=FULL.limit, announce=quiet):
    """Call each once, cold: return {name: row}, the calls worth timing, and samples.

    The first call that works is the reference; one whose distance from it is above
    `limit`, or that takes longer than `seconds`, is not timed. A sample is (CPU
    seconds, wall seconds, bytes that the process grew by).
    """
    rows, good, cold, reference = {}, {}, {}, None
    for name, call in calls.items():
        rows[name] = row = {}
        if isinstance(call, Skip):
            row.update(status="skipped", note=call.reason)
            continue
        if call.needs > MOST_BYTES:
            gigabytes = f"{call.needs / 2**30:.0f} GiB"
            row.update(status="skipped", note=f"needs about {gigabytes}")
            continue
        announce(name)
        try:
            with peak_memory() as grown, at_most(seconds):
                result, *times = clocked(call.run)
            cold[name] = (*times, grown())
            row["first"] = times[1]
            array = call.as_array(result)
        except TooSlowError as slow:
            row.update(status="too slow", note=str(slow))
            continue
        except Exception as failure:  # a peer may fail in any way: its row says so
            row.update(status="failed", note=short(failure))
            continue
        if reference is None:
            reference = np.array(array)
        row["error"] = relative_error(array, reference)
        if row["error"] <= limit:  # not so for NaN
            row["status"], good[name] = "timed", call
        else:
            row.update(status="disagrees", note=f"off by {row['error']:.1e}")
        del result, array
    return rows, good, cold


def interleaved(rounds):
    """Yield names round after round: {name: number of rounds} sets who still runs.

    Every second round goes backwards, so that nobody always follows the same one.
    """
    for number in range(max(rounds.values(), default=0)):
        names = [name for name, most in rounds.items() if number < most]
        yield from names if number % 2 == 0 else reversed(names)


def clocked(run):
    """Return what a call returns, its process CPU seconds and its wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return result, cpu, wall


def timed(run, times):
    """Return (process CPU seconds, wall seconds) of one call, mean of `times`."""

    def batch():
        for _ in range(times):
            run()

    _, cpu, wall = clocked(batch)
    return cpu / times, wall / times


def second_call(call, cold):
    """Return the sample of a second call, or the cold one where that was long enough.

    What takes so long and compiles nothing is no faster the second time.
    """
    if cold is not None and cold[1] > LONG and not call.compiled:
        return cold
    with peak_memory() as grown:
        times = timed(call.run, 1)
    return (*times, grown())


def time_calls(calls, rows, cold, effort, result_bytes, announce=quiet):
    """Time the calls round after round and add the medians to their rows."""
    samples, batches, rounds = {}, {}, {}
    for name, call in calls.items():
        announce(name)
        *sample, grown = second_call(call, cold.get(name))
        fresh = result_bytes - call.keeps
        rows[name]["peak"] = None if grown is None else max(0, grown - fresh)
        seconds = shortest(call.run, sample[1], effort.batch)
        batches[name] = max(1, min(1000, round(effort.batch / seconds)))
        samples[name] = [sample] if batches[name] == 1 else []
        fewest = 3 if seconds < 5 else 1 if seconds < LONG else 0
        most = int(effort.budget / (seconds * batches[name]))
        rounds[name] = max(fewest, min(effort.rounds, most))
    with collected():
        for name in interleaved(rounds):
            gc.collect()
            samples[name].append(timed(calls[name].run, batches[name]))
    for name, pairs in samples.items():
        cpu, wall = zip(*pairs, strict=True)
        rows[name].update(
            cpu=summary(cpu), wall=summary(wall), rounds=len(pairs), calls=batches[name]
        )


@contextmanager
def collected():
    """Collect garbage when told to, and look at new objects alone: it is quick."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def shortest(run, seconds, batch):
    """Return the wall seconds of the shortest of some calls, the first included.

    One that takes longer than a batch is not called again.
    """
    for _ in range(5):
        if seconds > batch:
            break
        seconds = min(seconds, timed(run, 1)[1])
    return max(seconds, 1e-7)


def summary(values):
    """Return [lower quartile, median, upper quartile]."""
    if len(values) == 1:
        return list(values) * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def status(field):
    """Return a line of /proc/self/status in bytes, or None where there is none."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            for line in lines:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


@contextmanager
def peak_memory():
    """Yield a function: the bytes that the process grew by at most, its result too.

    Linux alone keeps a high-water mark that can be reset; elsewhere it is None.
    """
    try:
        settle()
        with open("/proc/self/clear_refs", "w", encoding="ascii") as mark:
            mark.write("5")
        before = status("VmRSS")
    except (OSError, AttributeError):
        before = None

    def grown():
        peak = status("VmHWM")
        return None if before is None or peak is None else peak - before

    yield grown


def settle(most=20, seconds=0.05):
    """Wait until freed memory is back with the system: some is freed in the back."""
    gc.collect()
    size = math.inf
    for _ in range(most):
        ctypes.CDLL(None).malloc_trim(0)
        last, size = size, status("VmRSS") or 0
        if size > last - (1 << 20):
            return
        time.sleep(seconds)
