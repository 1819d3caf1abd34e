"""What the machine itself can do: a matrix product, and writing to memory."""

import numpy as np

from benchmarks.peers.base import Call

ORDER = 1536  # of the square matrices
MULTIPLY_ADDS = ORDER**3


def beside(shape, dtype):
    """Return calls to time beside a function that fills an array of `shape`.

    "gemm" is one product of square matrices; "fresh fill" writes to an array that the
    system has to provide, page by page, and "warm fill" to one that is there.
    """
    warm = np.zeros(shape, dtype)
    A = np.random.default_rng(0).standard_normal((2, ORDER, ORDER)).astype(dtype)
    product = np.empty_like(A[0])

    def fresh():
        np.empty(shape, dtype).fill(1)

    return {
        "gemm": Call(lambda: np.matmul(A[0], A[1], out=product)),
        "fresh fill": Call(fresh),
        "warm fill": Call(lambda: warm.fill(1)),
    }


def speeds(seconds_of, numbers=1 << 26):
    """Return GFlop/s of both precisions and GB/s of three kinds of writing.

    `seconds_of` times a function; `numbers` is the length of the arrays, 512 MB.
    """
    found = {}
    for dtype, name in ((np.float64, "dgemm"), (np.float32, "sgemm")):
        calls = beside((1,), dtype)
        found[name] = 2e-9 * MULTIPLY_ADDS / seconds_of(calls["gemm"].run)
    calls = beside((numbers,), np.float64)
    source, target = np.ones(numbers), np.ones(numbers)
    gigabytes = 8e-9 * numbers
    found["write_fresh"] = gigabytes / seconds_of(calls["fresh fill"].run)
    found["write_warm"] = gigabytes / seconds_of(calls["warm fill"].run)
    found["copy"] = gigabytes / seconds_of(lambda: np.copyto(target, source))
    return found
