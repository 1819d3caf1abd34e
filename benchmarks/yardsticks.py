"""What the machine itself can do: a matrix product, and writing to memory."""

import numpy as np

from benchmarks.peers.base import Call

ORDER = 1536  # of the square matrices
MULTIPLY_ADDS = ORDER**3


def beside(dtype):
    """Return the call to time beside a function: one product of square matrices."""
    A = np.random.default_rng(0).standard_normal((2, ORDER, ORDER)).astype(dtype)
    product = np.empty_like(A[0])
    return {"gemm": Call(lambda: np.matmul(A[0], A[1], out=product))}


def speeds(seconds_of, numbers=1 << 26):
    """Return GFlop/s of both precisions and GB/s of three kinds of writing.

    "write_fresh" fills an array that the system has to provide, page by page, and
    "write_warm" one that is there. `seconds_of` times a function; `numbers` is the
    length of the arrays, 512 MB.
    """
    found = {}
    for dtype, name in ((np.float64, "dgemm"), (np.float32, "sgemm")):
        product = beside(dtype)["gemm"]
        found[name] = 2e-9 * MULTIPLY_ADDS / seconds_of(product.run)
    source, target = np.ones(numbers), np.ones(numbers)
    gigabytes = 8e-9 * numbers
    found["write_fresh"] = gigabytes / seconds_of(lambda: np.empty(numbers).fill(1))
    found["write_warm"] = gigabytes / seconds_of(lambda: target.fill(1))
    found["copy"] = gigabytes / seconds_of(lambda: np.copyto(target, source))
    return found
