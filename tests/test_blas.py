"""Products against NumPy's own, and the threads that share the work."""

import ctypes
import os
import threading
import time
import types

import numpy as np
import pytest

import jachess_lib as jl
from jachess_lib._engine import blas, hessian_vector, kernels

RNG = np.random.default_rng(0)
LAYOUTS = {
    "rows": lambda A: A.copy(),
    "columns": lambda A: A.T.copy().T,
    "a slice of rows": lambda A: np.pad(A, ((1, 2), (3, 1)))[1:-2, 3:-1],
    "a slice of columns": lambda A: np.pad(A, ((1, 2), (3, 1))).T.copy().T[1:-2, 3:-1],
    "every other": lambda A: np.repeat(A, 2, axis=1)[:, ::2],
    "backwards": lambda A: A[:, ::-1].copy()[:, ::-1],
}


@pytest.mark.parametrize("left", LAYOUTS)
@pytest.mark.parametrize("right", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("add", [False, True])
def test_a_product_of_any_layout(left, right, dtype, add):
    A, B = RNG.standard_normal((4, 5)), RNG.standard_normal((5, 3))
    before = RNG.standard_normal((4, 7)).astype(dtype)
    whole = before.copy()
    total = whole[:, 2:5]
    A_there, B_there = LAYOUTS[left](A.astype(dtype)), LAYOUTS[right](B.astype(dtype))
    blas.add_product(A_there, B_there, total, add=add)
    expected = A @ B + add * before[:, 2:5]
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(total, expected, rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(whole[:, :2], before[:, :2])  # nothing beside it
    np.testing.assert_array_equal(whole[:, 5:], before[:, 5:])
    np.testing.assert_array_equal(A_there, A.astype(dtype))


def test_one_row_or_column_that_stands_for_many():
    row, column = RNG.standard_normal((1, 5)), RNG.standard_normal((5, 1))
    A, B = np.broadcast_to(row, (4, 5)), np.broadcast_to(column, (5, 3))
    total = np.empty((4, 3))
    blas.add_product(A, B, total, add=False)
    np.testing.assert_allclose(total, A @ B, rtol=1e-13)


@pytest.mark.parametrize("shape", [(0, 2, 3), (4, 0, 3), (4, 2, 0), (1, 1, 1)])
@pytest.mark.parametrize("add", [False, True])
def test_products_of_nothing_and_of_one_number(shape, add):
    M, K, N = shape
    A, B, total = np.ones((M, K)), np.ones((K, N)), np.full((M, N), 7.0)
    blas.add_product(A, B, total, add=add)
    np.testing.assert_array_equal(total, np.full((M, N), 7.0 * add + K))


def test_a_sum_that_is_not_a_number_is_overwritten():
    total = np.full((2, 2), np.nan)
    blas.add_product(np.eye(2), np.eye(2), total, add=False)
    np.testing.assert_array_equal(total, np.eye(2))


@pytest.mark.parametrize("dtypes", ["ddD", "dfd", "gdg"])
def test_numbers_that_blas_does_not_know(dtypes):
    A, B, total = (np.ones((2, 2), d) for d in dtypes)
    blas.add_product(A, B, total, add=True)
    np.testing.assert_array_equal(total, np.full((2, 2), 3))


@pytest.mark.parametrize(
    ("A", "B", "total"),
    [((4, 5), (4, 3), (4, 3)), ((4, 5), (5, 3), (3, 4)), ((4, 5), (5, 3), (5, 3))],
)
def test_shapes_that_do_not_fit_are_refused_before_blas_sees_them(A, B, total):
    with pytest.raises(ValueError, match="cannot go into"):
        blas.add_product(np.ones(A), np.ones(B), np.ones(total), add=False)
    with pytest.raises(ValueError, match="cannot go into"):
        blas.add_product(np.eye(3), np.eye(3), np.ones((3, 3)).T, add=False)


@pytest.fixture
def two_threads():
    """Let BLAS have two threads, whatever the machine has."""
    with blas._controller().limit(limits=2):
        yield


def test_each_task_is_done_once_by_threads_of_one_blas_thread(two_threads):
    seen, threads = [], []

    def work(tasks):
        threads.append(threading.get_ident())
        for task in tasks:
            seen.append((task, blas.n_threads()))

    assert blas.n_threads() == 2
    with blas.in_threads():
        blas.share(work, list(range(10)))
    assert sorted(seen) == [(task, 1) for task in range(10)]
    assert len(threads) == 2
    assert threading.get_ident() not in threads
    assert blas.n_threads() == 2


@pytest.mark.parametrize("tasks", [[], ["only"]])
def test_one_task_or_none_stays_where_it_is(two_threads, tasks):
    seen = []
    with blas.in_threads():
        blas.share(lambda tasks: seen.append((threading.get_ident(), *tasks)), tasks)
    assert seen == [(threading.get_ident(), *tasks)]


def test_threads_are_for_those_who_ask_and_for_as_long(two_threads):
    def threads_of_three_tasks():
        started = []

        def work(tasks):
            started.append(list(tasks))

        blas.share(work, [1, 2, 3])
        return len(started)

    assert threads_of_three_tasks() == 1
    with blas.in_threads():
        assert threads_of_three_tasks() == 2
    assert threads_of_three_tasks() == 1
    with blas._controller().limit(limits=1), blas.in_threads():
        assert threads_of_three_tasks() == 1


def test_an_error_in_a_thread_reaches_the_caller_and_the_limit_is_lifted(two_threads):
    def work(tasks):
        for task in tasks:
            raise ZeroDivisionError(task)

    with pytest.raises(ZeroDivisionError), blas.in_threads():
        blas.share(work, [1, 2, 3])
    assert blas.n_threads() == 2


def test_callers_in_several_threads_leave_the_limit_as_it_was(two_threads):
    def work(tasks):
        for task in tasks:
            done.append(task)
            time.sleep(0.002)

    def call():
        with blas.in_threads():
            blas.share(work, list(range(20)))

    done = []
    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(done) == sorted(list(range(20)) * 4)
    assert blas.n_threads() == 2


@pytest.mark.parametrize("function", ["exact_hessian", "outer_product_hessian"])
def test_threads_change_no_bit_of_a_matrix(two_threads, function, monkeypatch):
    monkeypatch.setattr(kernels, "_TEMPORARY", 400)
    net = jl.Network.random((5, 12, 9, 7, 3), output="softmax")
    X = RNG.standard_normal((90, 5))
    T = jl.one_hot(RNG.integers(3, size=90), 3)
    arguments = (net, X, T) if function == "exact_hessian" else (net, X)
    shared = getattr(jl, function)(*arguments)
    with blas._controller().limit(limits=1):
        alone = getattr(jl, function)(*arguments)
    np.testing.assert_array_equal(shared, alone)


def test_integers_of_another_size_are_left_to_numpy(monkeypatch):
    published = {"dgemm": _capsule(b"void (char *, char *, blas_int *, ...")}
    monkeypatch.setattr(
        blas, "cython_blas", types.SimpleNamespace(__pyx_capi__=published)
    )
    monkeypatch.setitem(blas._GEMM, np.dtype(np.float64), blas._gemm("d", None))
    assert blas._GEMM[np.dtype(np.float64)] is None
    total = np.ones((2, 2))
    blas.add_product(np.eye(2), np.eye(2), total, add=True)
    np.testing.assert_array_equal(total, np.ones((2, 2)) + np.eye(2))


def _capsule(name):
    """Return a capsule of that name; what it points to is never called."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    _capsule.kept = name  # a capsule does not own its name
    return new(1, name, None)


def test_callers_that_overlap_leave_the_limit_as_it_was(two_threads):
    # in turn: the first leaves while the second still needs BLAS to have one thread
    entered, leave, seen = threading.Event(), threading.Event(), []

    def second():
        with blas.in_threads():
            seen.append(blas._threads.get())
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=second)
    with blas.in_threads():
        thread.start()
        assert entered.wait(30)
    assert blas.n_threads() == 1
    assert seen == [2]  # it had its share, though BLAS was held already
    leave.set()
    thread.join()
    assert blas.n_threads() == 2


def test_matrices_from_many_threads_at_once_leave_the_limit_as_it_was(two_threads):
    net = jl.Network.random((3, 20, 2))
    X, T = RNG.standard_normal((50, 3)), RNG.standard_normal((50, 2))
    barrier = threading.Barrier(4)

    def chunk():
        for _ in range(20):
            barrier.wait()
            jl.exact_hessian(net, X, T)

    threads = [threading.Thread(target=chunk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blas.n_threads() == 2
    assert blas._hold.users == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_of_a_process_that_holds_blas_has_its_threads(two_threads):
    with blas.in_threads():
        pid = os.fork()
        if pid == 0:
            os._exit(0 if (blas._hold.users, blas.n_threads()) == (0, 2) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert blas.n_threads() == 1


@pytest.mark.parametrize(("size", "threads"), [(10, 2), (10**6, 1), (10**9, 2)])
def test_short_products_are_held_to_one_thread(two_threads, size, threads):
    with blas.held_if_short(size):
        assert blas.n_threads() == threads
    assert blas.n_threads() == 2
    with pytest.raises(ZeroDivisionError), blas.held_if_short(size):
        raise ZeroDivisionError
    assert blas.n_threads() == 2


@pytest.mark.parametrize("name", ["hessian_vector_product", "HessianOperator"])
def test_products_with_a_vector_hold_blas(two_threads, name, monkeypatch):
    seen, product = [], hessian_vector._product
    monkeypatch.setattr(
        hessian_vector,
        "_product",
        lambda *given: seen.append(blas.n_threads()) or product(*given),
    )
    net = jl.Network.random((30, 40, 3))
    X, T, v = np.ones((200, 30)), np.ones((200, 3)), np.ones(net.n_parameters)
    if name == "HessianOperator":
        jl.HessianOperator(net, X, T) @ v
    else:
        jl.hessian_vector_product(net, X, T, v)
    assert seen == [1]
    assert blas.n_threads() == 2
