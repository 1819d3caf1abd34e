"""Matrix products as `_kernels` needs them: of slices, added to a sum, side by side.

NumPy's product makes a new array, which a second pass then adds to the sum, and SciPy's
copies slices and holds up all other threads. The BLAS below both does neither. It is
called here through the pointers that SciPy publishes for Cython.
"""

import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache

import numpy as np
from scipy.linalg import cython_blas
from threadpoolctl import ThreadpoolController

_INT, _PLACE = ctypes.c_int, ctypes.c_void_p


def _gemm(letter, number):
    """Return xGEMM and its kind of number; None where its integers are not C's int."""
    capsule = cython_blas.__pyx_capi__[letter + "gemm"]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = _PLACE, [ctypes.py_object, ctypes.c_char_p]
    signature = name(capsule)
    if not signature.startswith(b"void (char *, char *, int *, int *, int *,"):
        return None
    types = [ctypes.c_char_p] * 2 + [_PLACE] * 11
    return ctypes.CFUNCTYPE(None, *types)(pointer(capsule, signature)), number


_GEMM = {
    np.dtype(np.float64): _gemm("d", ctypes.c_double),
    np.dtype(np.float32): _gemm("s", ctypes.c_float),
}


def add_product(A, B, total, *, add):
    """Put A B into `total`, or add it.

    Each has an axis without gaps, `total` its last. Other threads run meanwhile.
    Numbers that BLAS does not know are left to NumPy.
    """
    (M, K), N = A.shape, B.shape[1]
    gapless = total.size == 0 or total.strides[1] == total.itemsize
    if B.shape[0] != K or total.shape != (M, N) or not gapless:
        shapes = f"{A.shape} and {B.shape} cannot go into {total.shape}"
        raise ValueError(f"the product of {shapes}: BLAS would write beside it")
    gemm = _GEMM.get(total.dtype)
    if gemm is None or not A.dtype == B.dtype == total.dtype:
        _store(total, A @ B, add)
    elif 0 in (M, K, N):  # a sum over nothing, which BLAS refuses
        _store(total, 0, add)
    else:
        multiply, number = gemm
        # BLAS counts by columns. So it computes the transpose of what we say, Bᵀ Aᵀ.
        (b, ldb, B), (a, lda, A) = _as_columns(B), _as_columns(A)
        multiply(
            b, a, _at(_INT(N)), _at(_INT(M)), _at(_INT(K)),
            _at(number(1)), B.ctypes.data, _at(_INT(ldb)), A.ctypes.data,
            _at(_INT(lda)), _at(number(add)), total.ctypes.data,
            _at(_INT(total.strides[0] // total.itemsize)),
        )  # fmt: skip


_at = ctypes.byref
_threads = ContextVar("threads", default=1)


def _store(total, values, add):
    if add:
        total += values
    else:
        total[...] = values


def _as_columns(A):
    """Return BLAS's letter for Aᵀ, the distance of its columns, and the array."""
    rows, columns = (stride // A.itemsize for stride in A.strides)
    if columns == 1 and rows >= A.shape[1]:
        return b"N", rows, A
    if rows == 1 and columns >= A.shape[0]:
        return b"T", columns, A
    return _as_columns(np.array(A, order="C"))


@cache
def _controller():
    """Return what counts and limits the threads of each BLAS that is loaded."""
    return ThreadpoolController().select(user_api="blas")


def n_threads():
    """Return how many threads BLAS may use now: by its environment, or by a limit."""
    return max((lib.num_threads for lib in _libraries()), default=1)


def _libraries():
    return _controller().lib_controllers


def _set_threads(numbers):
    for lib, number in zip(_libraries(), numbers, strict=True):
        # threadpoolctl lets only the first thread that asks set a limit, and ignores
        # all others: but who leaves last must lift it, whichever thread that is
        getattr(lib, "_real_set_num_threads", lib.set_num_threads)(number)


class _Hold:
    """BLAS held to one thread, for as long as anyone in the process needs it.

    The limit belongs to the process. So its users are counted: the first sets it, the
    last lifts it, and who comes between finds out what it was before.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.users, self.before = 0, []

    def enter(self):
        """Return how many threads there are to share; 1 if BLAS was not held."""
        with self.lock:
            if self.users == 0:
                if n_threads() == 1:
                    return 1
                self.before = [lib.num_threads for lib in _libraries()]
                _set_threads([1] * len(self.before))
            self.users += 1
            return max(self.before)

    def leave(self):
        with self.lock:
            self.users -= 1
            if self.users == 0:
                _set_threads(self.before)

    def forget(self):
        """Start anew in a child process, which has none of the threads that hold."""
        if self.users > 0:
            _set_threads(self.before)
        self.__init__()


_hold = _Hold()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_hold.forget)


@contextmanager
def in_threads():
    """Let `share` use the threads that BLAS may use, and BLAS itself just one.

    The two do not mix: BLAS's own threads keep a core busy, waiting for more to do,
    long after their last product.
    """
    n = _hold.enter()
    if n == 1:
        yield
        return
    token = _threads.set(n)
    try:
        yield
    finally:
        _threads.reset(token)
        _hold.leave()


# Multiply–adds of one pass, N·P, between which BLAS's own threads cost more than they
# bring: each product is short, and between two of them they only wait. Below, BLAS
# takes no threads itself.
_TINY, _SHORT = 1 << 17, 1 << 27
_FREE = nullcontext()


def held_if_short(multiply_adds):
    """Hold BLAS to one thread while many short products are computed."""
    return _held() if _TINY < multiply_adds < _SHORT else _FREE


@contextmanager
def _held():
    n = _hold.enter()
    try:
        yield
    finally:
        if n > 1:
            _hold.leave()


def share(work, tasks):
    """Call `work` with an iterator over the tasks: once, or in each of some threads.

    There are several threads within `in_threads` alone. The iterator is one for all, so
    each takes the next task when it is ready.
    """
    shared, n = iter(tasks), min(_threads.get(), len(tasks))
    if n <= 1:
        work(shared)
        return
    with ThreadPoolExecutor(n) as pool:
        for done in [pool.submit(work, shared) for _ in range(n)]:
            done.result()
