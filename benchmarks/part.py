"""One part of the benchmark, in a process of its own: prints its record as JSON.

`python -m benchmarks.part '{"kind": "compare", "size": "tiny", …}'`
"""

import json
import math
import os
import sys
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager

import numpy as np

import jachess_lib as jl
from benchmarks import measure, peers, yardsticks
from benchmarks.goals import AGREEMENT
from benchmarks.machine import quietest_core
from benchmarks.problems import GROWTH, ON_DISK, SIZES, SQUARE, problem, result_shape

CALLING = "calling "


def compare(spec):
    """Time one function of one size by every peer that can do it."""
    return {"rows": rows(SIZES[spec["size"]], spec)}


def rows(size, spec, growing=False):
    """Return the rows of one function for a Size, by the families of the part.

    While a size grows, the first way of each family is enough, and no yardstick.
    """
    function, dtype = spec["function"], spec["dtype"]
    shape = result_shape(function, size)
    result_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    if result_bytes > measure.MOST_BYTES:
        note = f"the result alone needs {result_bytes / 2**30:.0f} GiB"
        return [{"peer": "all", "family": "all", "status": "skipped", "note": note}]
    built, family_of, unbuilt = {}, {}, {}
    for family in peers.families(function):
        if family not in spec["families"]:
            continue
        try:
            found = peers.calls(family, function, problem(size, dtype))
        except Exception as failure:  # not installed, or it refuses: its row says so
            row = {"status": "failed", "note": measure.short(failure)}
            unbuilt[family], found = row, {}
        if growing:
            found = dict(list(found.items())[:1])
        built |= found
        family_of |= dict.fromkeys(found, family)
    for name, note in spec.get("lost", {}).items():
        if built.pop(name, None):
            unbuilt[name] = {"status": "failed", "note": note}
    effort = measure.QUICK if spec["quick"] else measure.FULL
    table, good, cold = measure.compare(built, AGREEMENT[dtype], effort.limit, announce)
    beside = {}
    if function in SQUARE and not growing:
        beside = yardsticks.beside(dtype)
    table |= {name: {"status": "timed"} for name in beside}
    measure.time_calls(good | beside, table, cold, effort, result_bytes, announce)
    family_of |= dict.fromkeys(beside, "machine")
    family_of = {name: name for name in unbuilt} | family_of
    return [
        {"peer": name, "family": family_of[name], **row}
        for name, row in (table | unbuilt).items()
    ]


def announce(name):
    """Say whose turn it is: the last one named is to blame if the process dies."""
    print(CALLING + name, flush=True)


def growth(spec):
    """Time one function while one number grows."""
    points = []
    for value, size in GROWTH[spec["axis"]].items():
        found = rows(size, spec, growing=True)
        points.append({"value": value, **size.describe(), "rows": found})
    return {"points": points}


def speed(spec):
    """Measure the machine itself: the best of several, on the clock of the part."""
    rounds = 3 if spec["quick"] else 9
    clock = 0 if spec["threads"] == 1 else 1  # CPU or wall

    def seconds_of(run):
        run()
        return min(measure.timed(run, 1)[clock] for _ in range(rounds))

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    library = f"{blas['name']} {blas['version']}"
    return {"speed": yardsticks.speeds(seconds_of), "blas": library}


def on_disk(_):
    """Write a Hessian that is a file, and watch the memory that is no file."""
    case = problem(ON_DISK)
    P = case.net.n_parameters
    folder = tempfile.mkdtemp(dir=os.environ.get("BENCH_SCRATCH"))
    path = os.path.join(folder, "hessian")
    try:
        H = np.memmap(path, np.float64, "w+", shape=(P, P))
        with anonymous_peak() as beyond:
            cpu, wall = measure.timed(
                lambda: jl.exact_hessian(case.net, case.X, case.T, out=H), 1
            )
        start = time.perf_counter()
        H.flush()
        flush = time.perf_counter() - start
        check = jl.HessianOperator(case.net, case.X, case.T) @ case.v
        error = measure.relative_error(H @ case.v, check)
        numbers = {"cpu": cpu, "wall": wall, "flush": flush, "error": error}
        return {**ON_DISK.describe(), **numbers, "bytes": H.nbytes, "peak": beyond()}
    finally:
        if os.path.exists(path):
            os.remove(path)
        os.rmdir(folder)


@contextmanager
def anonymous_peak():
    """Yield a function: how much the memory that is no file's grew by at most.

    Looks every 5 ms; None where the system does not tell.
    """
    start = measure.status("RssAnon")
    most, stop = start, threading.Event()

    def watch():
        nonlocal most
        while not stop.wait(0.005):
            most = max(most, measure.status("RssAnon"))

    thread = threading.Thread(target=watch if start is not None else stop.set)
    thread.start()
    try:
        yield lambda: None if start is None else most - start
    finally:
        stop.set()
        thread.join()


def shards(_):
    """Run benchmarks/shards.py, if there is one: sums over patterns in many tasks."""
    from benchmarks.shards import measure as measure_shards

    return measure_shards()


KINDS = {f.__name__: f for f in (compare, growth, speed, on_disk, shards)}


def run(spec):
    """Return the record of a part: what it measured, and the load around it."""
    start, before = time.perf_counter(), os.getloadavg()[0]
    record = KINDS[spec["kind"]](spec)
    seconds = time.perf_counter() - start
    return record | {"seconds": seconds, "load": [before, os.getloadavg()[0]]}


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    spec = json.loads(sys.argv[1])
    if spec["threads"] == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {quietest_core()})
    print("\n" + json.dumps(run(spec)))
