"""What a sum over shards costs beyond the sum itself, and when it pays.

    python benchmarks/shards.py --json shards.json

`measure` returns plain numbers, and `estimate` works out a large run from them. One
thread for linear algebra, float64. Where all work stays in this process, its CPU time
is taken, which a busy machine does not disturb; else the shortest of a few wall times.
"""

import argparse
import json
import math
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import dask
import dask.array as da
import distributed
import numpy as np
from threadpoolctl import threadpool_limits

import jachess_lib as jl

TINY = (4, 10, 3)
DIGITS = (64, 64, 32, 10)
# Patterns in a chunk of the exact Hessian.
CHUNKS = (32, 128, 512, 2048)


def measure(chunks=CHUNKS, sizes=DIGITS, tasks=(50, 450), repeats=3):
    """Return overheads, bytes and times per chunk as a dict that JSON can hold.

    It starts processes: call it below ``if __name__ == "__main__":``.
    """
    with threadpool_limits(1):
        measured = {
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "dask": dask.__version__,
                "distributed": distributed.__version__,
            },
            "overhead_seconds_per_task": overheads(tasks, repeats),
            "moved": bytes_moved(sizes),
            "exact_hessian": times_per_chunk(chunks, sizes, repeats),
        }
    measured["break_even"] = break_even(measured["exact_hessian"])
    measured["estimate"] = estimate(measured)
    return measured


def problem(sizes, n_patterns):
    """Return a softmax network with random data in memory."""
    rng = np.random.default_rng(0)
    net = jl.Network.random(sizes, output="softmax", seed=1)
    T = jl.one_hot(rng.integers(sizes[-1], size=n_patterns), sizes[-1])
    return net, rng.standard_normal((n_patterns, sizes[0])), T


def chunked(A, n_patterns):
    """Return a Dask array with chunks of so many rows."""
    return da.from_array(A, chunks=(n_patterns, -1))


def shortest(f, repeats, clock=time.perf_counter):
    """Return the least time of a few calls, after one that warms up."""
    return min(_times(f, repeats, clock))


def _times(f, repeats, clock):
    f()
    times = []
    for _ in range(repeats):
        start = clock()
        f()
        times.append(clock() - start)
    return times


# The cost of a task


@contextmanager
def _threads():
    with dask.config.set(scheduler="threads", num_workers=1):
        yield


@contextmanager
def _processes():
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        yield


@contextmanager
def _cluster(n_workers=1):
    with (
        distributed.LocalCluster(
            n_workers=n_workers, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def overheads(tasks=(50, 450), repeats=3):
    """Return the seconds that each scheduler adds to one task, on one slot.

    The tasks are gradients of one pattern, and what a gradient takes in memory is
    taken off. From two numbers of tasks, so that what a call costs once drops out.
    `wall` is what passes; `here` is CPU time in this process alone, which builds the
    graph and, for all but the processes' own work, schedules it.
    """
    few, many = tasks
    net, X, T = problem(TINY, many)
    gradient = shortest(lambda: jl.error_gradient(net, X[:1], T[:1]), 100)
    found = {}
    for name, scheduler in (
        ("threads", _threads),
        ("processes", _processes),
        ("distributed", _cluster),
    ):
        with scheduler():
            wall, here = (
                [
                    shortest(
                        lambda n=n: jl.error_gradient(
                            net, chunked(X[:n], 1), chunked(T[:n], 1)
                        ),
                        repeats,
                        clock,
                    )
                    for n in tasks
                ]
                for clock in (time.perf_counter, time.process_time)
            )
        found[name] = {
            "wall": (wall[1] - wall[0]) / (many - few) - gradient,
            "here": (here[1] - here[0]) / (many - few),
        }
    return found


# The bytes of a partial sum


def bytes_moved(sizes=DIGITS, n_chunks=16, chunk=8):
    """Return the bytes of a partial sum, and what two workers sent each other."""
    net, X, T = problem(sizes, n_chunks * chunk)
    P = net.n_parameters
    with _cluster(2) as client:
        jl.exact_hessian(net, chunked(X, chunk), chunked(T, chunk))
        sent = sum(client.run(_received).values())
    return {
        "bytes_per_partial_sum": 8 * P * P,
        "partial_sums": n_chunks,
        "bytes_between_workers": sent,
        "partial_sums_between_workers": sent / (8 * P * P),
    }


def _received(dask_worker):
    return sum(entry["total"] for entry in dask_worker.transfer_incoming_log)


# The time of a chunk


def times_per_chunk(chunks=CHUNKS, sizes=DIGITS, repeats=3, n_chunks=4):
    """Return the CPU seconds of one chunk of the exact Hessian, in memory and summed.

    Also a line through each, seconds = per_chunk + per_pattern · patterns.
    """
    rows = []
    for n in chunks:
        net, X, T = problem(sizes, n * n_chunks)
        dX, dT = chunked(X, n), chunked(T, n)
        with dask.config.set(scheduler="synchronous"):
            in_shards = median(
                _times(
                    lambda net=net, dX=dX, dT=dT: jl.exact_hessian(net, dX, dT),
                    repeats,
                    time.process_time,
                )
            )
        in_memory = median(
            _times(
                lambda net=net, X=X, T=T, n=n: jl.exact_hessian(net, X[:n], T[:n]),
                repeats,
                time.process_time,
            )
        )
        rows.append(
            {"patterns": n, "in_memory": in_memory, "in_shards": in_shards / n_chunks}
        )
    return {
        "sizes": list(sizes),
        "parameters": net.n_parameters,
        "chunks": rows,
        "line_in_memory": _line(rows, "in_memory"),
        "line_in_shards": _line(rows, "in_shards"),
    }


def _line(rows, key):
    """Fit a line with least relative error."""
    n, t = (np.array([row[k] for row in rows], float) for k in ("patterns", key))
    per_chunk, per_pattern = np.linalg.lstsq(
        np.stack([1 / t, n / t], axis=1), np.ones(len(n)), rcond=None
    )[0]
    return {"per_chunk": float(per_chunk), "per_pattern": float(per_pattern)}


def break_even(times, slots=(2, 4, 16), loss=0.1):
    """Return the chunks at which s slots equal one array in memory, and a good chunk.

    With a chunk of c patterns, s slots take (o + k c)/(s c) seconds a pattern, and one
    array in memory takes k: they are equal at c = o / (k (s − 1)). The time lost to the
    cost o of a chunk is a share `loss` at c = o / (loss · k).
    """
    o = times["line_in_shards"]["per_chunk"]
    k = times["line_in_shards"]["per_pattern"]
    return {
        "patterns_by_slots": {str(s): math.ceil(o / k / (s - 1)) for s in slots},
        "loss": loss,
        "patterns_for_loss": math.ceil(o / k / loss),
    }


# A large run


def estimate(measured, patterns=10**9, workers=1000, bandwidth=1.25e9):
    """Return the time of one exact Hessian on a cluster, worked out and not measured.

    `bandwidth` is that of each machine in bytes a second: 1.25e9 is 10 Gbit/s. The
    workers compute while one scheduler hands out tasks, so that the slower of the two
    counts. A chunk is as large as it must be for both: little is lost to its own cost,
    and the scheduler keeps up. Then the totals of two branches a worker are added, and
    each level of the tree waits for one P×P. Loading the data comes on top.
    """
    line = measured["exact_hessian"]["line_in_shards"]
    size = measured["moved"]["bytes_per_partial_sum"]
    overhead = measured["overhead_seconds_per_task"]["distributed"]
    keeps_up = math.ceil(workers * overhead["here"] / line["per_pattern"])
    chunk = max(measured["break_even"]["patterns_for_loss"], keeps_up)
    chunks = math.ceil(patterns / chunk)
    each = line["per_chunk"] + line["per_pattern"] * chunk + overhead["wall"]
    computing = math.ceil(chunks / workers) * each
    scheduling = (chunks + 4 * workers) * overhead["here"]  # with starts and tree
    levels = math.ceil(math.log2(2 * workers))
    adding = (levels + 1) * size / bandwidth  # and once to the client
    return {
        "patterns": patterns,
        "workers": workers,
        "bandwidth": bandwidth,
        "patterns_per_chunk": chunk,
        "chunks": chunks,
        "computing_seconds": computing,
        "scheduling_seconds": scheduling,
        "tree_levels": levels,
        "adding_seconds": adding,
        "total_seconds": max(computing, scheduling) + adding,
        "one_core_seconds": patterns * line["per_pattern"],
        "bytes_per_worker_at_most": 5 * size,
    }


def main():
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="where to store the numbers")
    arguments = parser.parse_args()
    text = json.dumps(measure(), indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
