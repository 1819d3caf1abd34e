"""A sum over shards is the sum in memory, on every scheduler, whatever goes wrong."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import case
from scipy.sparse.linalg import eigsh
from test_hidden_units import with_silu

import jachess_lib as jl
from jachess_lib._engine import memory, shards

SIZES, N = (3, 4, 5, 2), 23
NET, X, T = case(SIZES, "tanh", "softmax", N=N)
V = np.random.default_rng(3).standard_normal((NET.n_parameters, 18))
CHUNKS = (4, 0, 1, 9, 7, 2)

SUMS = {
    "error": jl.error,
    "error_gradient": jl.error_gradient,
    "exact_hessian": jl.exact_hessian,
    "hessian_block": lambda net, X, T: jl.hessian_block(net, X, T, 0, l_of(net)),
    "hessian_diagonal": jl.hessian_diagonal,
    "outer_product_hessian": lambda net, X, T: jl.outer_product_hessian(net, X),
    "outer_product_diagonal": lambda net, X, T: jl.outer_product_diagonal(net, X),
    "residual_hessian": jl.residual_hessian,
    "hessian_vector_product": lambda net, X, T: jl.hessian_vector_product(
        net, X, T, V[: net.n_parameters, 0]
    ),
    "gauss_newton_vector_product": lambda net, X, T: jl.gauss_newton_vector_product(
        net, X, V[: net.n_parameters, 0]
    ),
    "vector_jacobian_product": lambda net, X, T: jl.vector_jacobian_product(net, X, T),
    "HessianOperator": lambda net, X, T: (
        jl.HessianOperator(net, X, T) @ V[: net.n_parameters]
    ),
    "GaussNewtonOperator": lambda net, X, T: (
        jl.GaussNewtonOperator(net, X) @ V[: net.n_parameters, 0]
    ),
}
EVERY_SUM = pytest.mark.parametrize("f", SUMS.values(), ids=SUMS)
WITH_TARGETS = pytest.mark.parametrize(
    "f", [f for name, f in SUMS.items() if name[0] not in "goGv"]
)


def l_of(net):
    """Return the last weight layer."""
    return net.depth - 1


def chunked(A, rows=CHUNKS, columns=-1):
    """Return a Dask array of these rows."""
    return da.from_array(A, chunks=(rows, columns))


def assert_same(found, expected, rtol=1e-12):
    """Require the same type, dtype and shape, and the numbers to rounding."""
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        assert found.flags.writeable
    scale = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


# Four schedulers


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start two worker processes, quick to see that the other is gone."""
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "2s"}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",  # None takes 8787, which another may have
            scheduler_port=0,
            local_directory=str(tmp_path_factory.mktemp("workers")),
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def client(cluster, gathered):
    with Client(cluster) as client:
        gathered(cluster, client)
        yield client


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.fixture(params=["synchronous", "threads", "processes", "cluster"])
def scheduler(request):
    if request.param == "cluster":
        request.getfixturevalue("client")
        yield
    else:
        options = {"scheduler": request.param, "num_workers": 3}
        if request.param == "processes":
            options["pool"] = request.getfixturevalue("pool")
        with dask.config.set(options):
            yield


@pytest.fixture
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


@EVERY_SUM
def test_the_sum_over_shards_is_the_sum_in_memory(f, scheduler):
    assert_same(f(NET, chunked(X), chunked(T, 5)), f(NET, X, T))


@EVERY_SUM
@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
@pytest.mark.parametrize("rows", [(1,), (3,), (1, 1, 1), (0, 3), (0,), (0, 0)])
def test_few_patterns(f, output, rows, synchronous):
    net, X, T = case((2, 3, 2), "gelu", output, N=sum(rows))
    assert_same(f(net, chunked(X, (rows,)[0]), chunked(T, (rows,)[0])), f(net, X, T))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_any_chunks_and_any_number_of_slots(rows, slots):
    net, X, T = case((3, 4, 2), "tanh", "sigmoid", N=sum(rows))
    with (
        ThreadPoolExecutor(slots) as pool,
        dask.config.set(scheduler="threads", pool=pool),
    ):
        args = net, chunked(X, tuple(rows)), chunked(T, max(1, sum(rows)))
        assert_same(jl.exact_hessian(*args), jl.exact_hessian(net, X, T))
        assert_same(
            jl.HessianOperator(*args) @ V[:26, 0],
            jl.HessianOperator(net, X, T) @ V[:26, 0],
        )


@EVERY_SUM
def test_one_of_the_two_in_memory(f, synchronous):
    expected = f(NET, X, T)
    assert_same(f(NET, chunked(X), T), expected)
    assert_same(f(NET, X.tolist(), chunked(T)), expected)


@EVERY_SUM
def test_columns_in_chunks_are_joined(f, synchronous):
    assert_same(f(NET, chunked(X, 6, (1, 2)), chunked(T, 6, 1)), f(NET, X, T))


@EVERY_SUM
def test_precision_is_that_of_the_arrays(f, synchronous):
    single = jl.Network(NET.sizes, NET.w.astype(np.float32), output="softmax")
    for net, X_, rtol in [
        (single, X.astype(np.float32), 2e-5),
        (NET, X.astype(np.float32), 1e-6),
        (single, X, 1e-6),
        (single, np.rint(X).astype(int), 2e-5),
    ]:
        assert_same(f(net, chunked(X_), chunked(T)), f(net, X_, T), rtol)


def test_complex_numbers_where_they_are_welcome(synchronous):
    for f in (jl.error, jl.error_gradient):
        net = NET.with_parameters(NET.w + 1e-3j)
        assert_same(f(net, chunked(X + 1e-3j), chunked(T)), f(net, X + 1e-3j, T))


def test_arguments_by_name_and_by_place(synchronous):
    dX, dT = chunked(X), chunked(T)
    assert_same(jl.error(X=dX, T=dT, net=NET), jl.error(NET, X, T))
    assert_same(
        jl.hessian_block(NET, dX, dT, m=0, l=2), jl.hessian_block(NET, X, T, 2, 0)
    )


@pytest.mark.parametrize(
    "name", ["exact_hessian", "outer_product_hessian", "hessian_diagonal"]
)
def test_out_takes_the_result(name, synchronous):
    function = getattr(jl, name)
    arrays = (X,) if name.startswith("outer") else (X, T)
    expected = function(NET, *arrays)
    out = np.full_like(expected, 7)
    found = function(NET, *map(chunked, arrays), out=out)
    assert found is out
    assert_same(out, expected)
    out = np.full_like(expected, 7)
    arrays = (spoilt(X, (9, 1), np.nan), *arrays[1:])
    with pytest.raises(ValueError, match=r"X\[9, 1\]"):
        function(NET, *map(chunked, arrays), out=out)
    np.testing.assert_array_equal(out, 7)


def test_arguments_are_left_alone(synchronous):
    before = X.copy(), T.copy()
    jl.exact_hessian(NET, chunked(X), chunked(T))
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(T, before[1])


def test_public_functions_can_be_sent_to_a_worker():
    for name in jl.__all__:
        function = getattr(jl, name)
        if hasattr(function, "plain"):
            assert pickle.loads(pickle.dumps(function)) is function


def test_the_engine_is_sent_along(scheduler):
    with jl.engine("plain"):
        found = jl.exact_hessian(NET, chunked(X), chunked(T, 5))
    assert_same(found, jl.exact_hessian(NET, X, T))


@EVERY_SUM
def test_weights_go_with_their_chunks(f, synchronous):
    weights = np.random.default_rng(4).normal(size=N)
    name = next(name for name, g in SUMS.items() if g is f)
    function = getattr(jl, name)
    if name == "hessian_block":
        more = (0, 1)
    elif name.endswith("vector_product"):
        more = (V[: NET.n_parameters, 0],)
    else:
        more = ()
    with_targets = name[0] not in "goG"
    inside = (X, T) if with_targets else (X,)
    outside = (chunked(X), chunked(T)) if with_targets else (chunked(X),)
    expected = function(NET, *inside, *more, weights=weights)
    found = function(NET, *outside, *more, weights=weights)
    if name.endswith("Operator"):
        expected, found = (
            expected @ V[: NET.n_parameters],
            found @ V[: NET.n_parameters],
        )
    assert_same(found, expected)
    with pytest.raises(ValueError, match=rf"weights must have shape \(N,\) = \({N},\)"):
        function(NET, *outside, *more, weights=weights[1:])


# Where the numbers come from


def test_chunks_with_a_history(scheduler):
    """Targets made from X, pieces that two chunks share, and data loaded late."""
    whole = da.from_array(X, chunks=(6, -1))
    dX = (whole + 1).rechunk({0: (4, 9, 10)})
    dT = dX.map_blocks(NET, chunks=(dX.chunks[0], (2,)), dtype=float)
    assert_same(
        jl.error_gradient(NET, dX, dT * 0.5 + 0.25),
        jl.error_gradient(NET, X + 1, NET(X + 1) * 0.5 + 0.25),
    )
    pieces = [X[:9], X[9:18], X[18:]]
    late = [
        da.from_delayed(dask.delayed(np.negative)(x), x.shape, float) for x in pieces
    ]
    assert_same(
        jl.exact_hessian(NET, da.concatenate(late), T), jl.exact_hessian(NET, -X, T)
    )


def test_an_array_that_is_no_numpy_array(scheduler, tmp_path):
    np.save(tmp_path / "X.npy", X)
    dX = da.from_array(np.load(tmp_path / "X.npy", mmap_mode="r"), chunks=(5, -1))
    assert_same(jl.exact_hessian(NET, dX, T), jl.exact_hessian(NET, X, T))


def test_each_chunk_with_a_pattern_has_one_task():
    parts, _ = shards._shards(*shards._aligned(NET, chunked(X), chunked(T, 5)))
    assert [shard.first for shard in parts] == [0, 4, 5, 14, 21]
    assert all(type(shard.first) is int for shard in parts)


def test_chunks_that_workers_hold(client):
    dX, dT = dask.persist(chunked(X), chunked(T, 7))
    assert_same(jl.exact_hessian(NET, dX, dT), jl.exact_hessian(NET, X, T))
    futures = client.scatter([X[:10], X[10:]])
    parts = [
        da.from_delayed(dask.delayed(np.negative)(f), (n, 3), float)
        for f, n in zip(futures, (10, 13), strict=True)
    ]
    assert_same(
        jl.exact_hessian(NET, da.concatenate(parts), T), jl.exact_hessian(NET, -X, T)
    )


def test_what_serves_one_chunk_alone_goes_with_it():
    graph = {"data": 1, "a": (abs, "data"), "b": (abs, "a"), "c": (abs, "a")}
    graph.update(d=(abs, "c"), late=(abs, "data"), e=(abs, "late"))
    needs = {"data": (), "a": ["data"], "b": ["a"], "c": ["a"], "d": ["c"]}
    needs.update(late=["elsewhere"], e=["late"])
    inside, outside = shards._private([["b"], ["d"], ["e"]], graph, needs)
    assert inside == [{"b"}, {"c", "d"}, {"e"}]
    assert outside == {"data", "a", "late"}


# Memory


class Counted:
    """A partial sum that knows how many of its kind are alive in this process."""

    lock = threading.RLock()
    live = peak = 0

    def __init__(self):
        with self.lock:
            Counted.live += 1
            Counted.peak = max(Counted.peak, Counted.live)

    def __del__(self):
        with self.lock:
            Counted.live -= 1

    def __add__(self, other):
        return Counted()

    def __iadd__(self, other):
        return self

    def __reduce__(self):
        return Counted, ()


def counted_part(net, X):
    """Take a moment, as a kernel does, and return a partial sum."""
    time.sleep(1e-3 * len(X))
    return Counted()


def counted(net, X):
    """Return the sum over the chunks."""
    return shards.sum_over_shards(counted_part, {"net": net, "X": X})


def counters():
    """Return how many partial sums are alive here, and how many were at most."""
    live, peak = Counted.live, Counted.peak
    Counted.peak = live
    return live, peak


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("n_chunks", [40, 160])
def test_partial_sums_alive_are_as_many_as_slots_not_as_chunks(slots, n_chunks):
    counters()
    dX = da.random.default_rng(0).random((2 * n_chunks, 3), chunks=(2, -1))
    with dask.config.set(scheduler="threads", num_workers=slots):
        total = counted(NET, dX)
    live, peak = counters()
    assert live == 1
    assert slots < peak <= 3 * slots
    del total
    assert counters()[0] == 0


def test_partial_sums_alive_on_a_cluster(client):
    client.run(counters)
    counted(NET, da.random.default_rng(0).random((160, 3), chunks=(2, -1)))
    peaks = [peak for live, peak in client.run(counters).values()]
    assert 2 <= min(peaks)
    assert max(peaks) <= 5
    for _ in range(500):  # the scheduler forgets in its own time
        if not any(live for live, peak in client.run(counters).values()):
            return
        time.sleep(0.01)
    pytest.fail("a partial sum was kept")


@pytest.mark.parametrize("n", [1, 2, 3, 9, 16, 17])
@pytest.mark.parametrize("fan_in", [shards._MATRICES, shards._VECTORS])
def test_a_tree_adds_each_partial_sum_once_and_few_at_a_time(n, fan_in):
    leaves = [("leaf", i) for i in range(n)]
    graph = {leaf: 2**i for i, leaf in enumerate(leaves)}
    top = shards._tree(graph, "name", leaves, fan_in)
    assert dask.get(graph, top) == 2**n - 1
    groups = [task[1] for task in graph.values() if isinstance(task, tuple)]
    assert max(map(len, groups), default=1) <= fan_in
    assert shards._MATRICES == 2


def test_what_the_scheduler_holds_is_left_alone():
    """A total may have been copied to another worker, or be wanted a second time."""
    total, part = np.ones(2), SimpleNamespace(first=0, load=lambda values: (X, None))
    found = shards._fold(total, lambda X, T, first: np.full(2, 3.0), part, [])
    np.testing.assert_array_equal(found, 4)
    np.testing.assert_array_equal(shards._add([total, total, total]), 3)
    np.testing.assert_array_equal(total, 1)


@pytest.mark.parametrize("slots", [1, 3])
def test_no_chunk_is_loaded_before_its_turn(slots):
    lock, waiting, peak = threading.Lock(), set(), [0]

    def load(block, block_info=None):
        with lock:
            waiting.add(block_info[0]["chunk-location"])
            peak[0] = max(peak[0], len(waiting))
        return block

    def slow(net, X, T):
        time.sleep(2e-3)
        with lock:
            waiting.discard((int(X[0, 0]) if len(X) else -1, 0))
        return 0

    dX = da.arange(50, chunks=1)[:, None] * np.ones(3)
    dX = dX.map_blocks(load, dtype=float)
    with dask.config.set(scheduler="threads", num_workers=slots):
        dT = da.ones((50, 2), chunks=(1, -1)) / 2
        shards.sum_over_shards(slow, {"net": NET, "X": dX, "T": dT})
    assert waiting == set()
    assert peak[0] <= slots


def test_the_network_is_sent_once_and_not_with_each_task(client, monkeypatch):
    sent, reduce = [], jl.Network.__reduce__
    monkeypatch.setattr(
        jl.Network, "__reduce__", lambda net: sent.append(net) or reduce(net)
    )
    for rows in (12, 1):
        jl.exact_hessian(NET, chunked(X, rows), chunked(T, rows))
        sent.append(None)
    few, many = sent.index(None), len(sent) - sent.index(None) - 2
    assert few == many <= 2  # one of them to name the graph


@pytest.mark.parametrize(
    ("options", "slots"),
    [
        ({"scheduler": "synchronous", "num_workers": 7}, 1),
        ({"scheduler": "threads", "num_workers": 7}, 7),
        ({"scheduler": "processes", "num_workers": 7}, 7),
        ({"scheduler": "threads", "pool": SimpleNamespace(_max_workers=5)}, 5),
        ({"scheduler": "threads"}, dask.system.CPU_COUNT),
    ],
)
def test_slots(options, slots):
    with dask.config.set(options):
        assert shards._slots() == slots


def test_slots_of_a_cluster(client):
    assert shards._slots() == 2


# Bad input


def spoilt(array, index, value):
    """Return a copy with one entry changed."""
    array = array.copy()
    array[index] = value
    return array


def message(f, *args):
    """Return the type and the text of the error."""
    with pytest.raises((ValueError, TypeError, MemoryError)) as error:
        f(*args)
    return error.type, str(error.value)


def untouched(array, chunks):
    """Return a Dask array whose chunks must not be loaded."""

    def load(block):
        pytest.fail("a chunk was loaded")

    return da.from_array(array, chunks=chunks).map_blocks(
        load, dtype=array.dtype, meta=np.empty((0,) * array.ndim, array.dtype)
    )


@WITH_TARGETS
@pytest.mark.parametrize(
    ("X", "T"),
    [
        (X[:, :2], T),
        (X[:, 0], T),
        (X[:, :, None], T),
        (X, T[:9]),
        (X, T[:, :1]),
        (X, T[:, 0]),
        (X.astype(object), T),
        (X.astype(str), T),
        (X, T.astype(str)),
        (X, T + 0j),
    ],
)
def test_what_the_shape_and_dtype_tell_is_refused_before_any_task(f, X, T):
    expected = message(f, NET, X, T)
    assert message(f, NET, untouched(X, 4), untouched(T, 5)) == expected
    if X.dtype == float:
        assert message(f, NET, X, untouched(T, 5)) == expected
    assert message(f, NET, untouched(X, 4), T) == expected


@pytest.mark.parametrize(
    "f",
    [
        lambda X, T: jl.hessian_vector_product(NET, X, T, V[:3, 0]),
        lambda X, T: jl.gauss_newton_vector_product(NET, X, V[:, 0] + np.nan),
        lambda X, T: jl.hessian_block(NET, X, T, 0, 3),
        lambda X, T: jl.exact_hessian(NET, X, T, out=np.empty(3)),
        lambda X, T: jl.exact_hessian(NET, X, T, out=[]),
        lambda X, T: jl.exact_hessian(NET, X + 0j, T),
        lambda X, T: jl.HessianOperator(NET, X + 0j, T),
    ],
)
def test_the_other_arguments_are_refused_before_any_task(f):
    assert message(f, untouched(X, 4), untouched(T, 4)) == message(f, X, T)


def test_a_matrix_too_large_is_refused_before_any_task(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1)
    monkeypatch.setattr(memory, "_SMALL", 0)
    with pytest.raises(MemoryError, match="use hessian_diagonal or a HessianOperator"):
        jl.exact_hessian(NET, untouched(X, 4), untouched(T, 4))


def test_chunks_of_unknown_size(synchronous):
    dX = chunked(X)
    kept = dX[dX[:, 0] > 0]
    for f in (jl.outer_product_hessian, jl.GaussNewtonOperator):
        with pytest.raises(ValueError, match=r"call X\.compute_chunk_sizes\(\) first"):
            f(NET, kept)
    with pytest.raises(ValueError, match=r"call T\.compute_chunk_sizes\(\) first"):
        jl.error(NET, dX, chunked(T)[dX[:, 0] > 0])
    kept.compute_chunk_sizes()
    assert_same(
        jl.outer_product_hessian(NET, kept),
        jl.outer_product_hessian(NET, X[X[:, 0] > 0]),
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
@EVERY_SUM
def test_a_pattern_that_is_not_finite_is_named_by_its_place_in_all(f, value):
    bad = spoilt(X, (17, 1), value)
    with dask.config.set(scheduler="synchronous"):
        found = message(f, NET, chunked(bad), chunked(T))
    assert found == message(f, NET, bad, T)
    assert found[1].startswith(f"X[17, 1] is {value}")


def test_bad_patterns_on_every_scheduler(scheduler):
    sigmoid = jl.Network(NET.sizes, NET.w, output="sigmoid")
    for net, X_, T_, text in [
        (NET, spoilt(X, (17, 1), np.nan), T, "X[17, 1] is nan: "),
        (NET, X, spoilt(T, (22, 1), np.inf), "T[22, 1] is inf: "),
        (NET, X, spoilt(T, 16, [0.5, 0.3]), "row T[16] sums to 0.8, "),
        (sigmoid, X, spoilt(T, (20, 0), 1.5), "T[20, 0] is 1.5: "),
    ]:
        for f in (jl.exact_hessian, jl.HessianOperator):
            found = message(f, net, chunked(X_), chunked(T_, 8))
            assert found == message(f, net, X_, T_)
            assert text in found[1]


@pytest.mark.parametrize(
    "f",
    [
        jl.forward,
        lambda net, X: net(X),
        jl.input_jacobian,
        jl.parameter_jacobian,
        lambda net, X: jl.propagate_error(net, X, np.zeros((N, 3))),
        lambda net, X: jl.propagate_covariance(net, X, np.eye(3)),
        lambda net, X: jl.chain_jacobian(jl.Network.random((2, 1)), net, X),
    ],
)
def test_results_for_each_pattern_stay_in_chunks(f):
    with pytest.raises(TypeError, match="^X is a Dask array, which only sums"):
        f(NET, untouched(X, 4))


def test_the_advice_for_each_pattern_works(synchronous):
    dX = chunked(X)
    _, text = message(jl.forward, NET, dX)
    words = {"X": dX, "net": NET, "input_jacobian": jl.input_jacobian}
    outputs = text.split("the outputs by ")[1].split(", the Jacobian by ")
    jacobian = outputs[1].split(", and so on")[0]
    assert_same(eval(outputs[0], words).compute(), NET(X))
    assert_same(eval(jacobian, words).compute(), jl.input_jacobian(NET, X))


def test_other_arguments_are_not_dask_arrays():
    v = da.from_array(V[:, 0], chunks=9)
    with pytest.raises(TypeError, match=r"^v is a Dask Array.*use v\.compute\(\)$"):
        jl.gauss_newton_vector_product(NET, X, v)
    with pytest.raises(TypeError, match=r"^w is a Dask Array"):
        jl.Network(NET.sizes, v)


def run(code):
    """Run lines of Python in a process of its own."""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_dask_is_not_imported_for_arrays_in_memory():
    run(
        "import sys, jachess_lib as jl\n"
        "net = jl.Network.random((2, 1))\n"
        "jl.exact_hessian(net, [[1, 2]], [[3]])\n"
        "jl.HessianOperator(net, [[1, 2]], [[3]]) @ [1, 2, 3]\n"
        "assert not any(name.startswith('dask') for name in sys.modules)\n"
    )


def test_distributed_is_not_needed():
    run(
        "import sys\n"
        "sys.modules['distributed'] = None\n"
        "import dask.array as da, jachess_lib as jl\n"
        "net = jl.Network.random((2, 1))\n"
        "G = jl.outer_product_hessian(net, da.ones((6, 2), chunks=(2, 2)))\n"
        "assert G[0, 0] == 6\n"
    )


# The operators


def recorded(folder, array, rows):
    """Return a Dask array that leaves a file in `folder` each time a chunk loads."""

    def load(block, block_info=None):
        start = block_info[0]["array-location"][0][0]
        name = f"{start}-{os.getpid()}-{time.monotonic_ns()}"
        (Path(folder) / name).touch()
        return block

    return da.from_array(array, chunks=(rows, -1)).map_blocks(load, dtype=array.dtype)


def test_operators_are_linearised_once_and_kept(scheduler, tmp_path):
    operator = jl.HessianOperator(NET, recorded(tmp_path, X, 4), T)
    loaded = len(list(tmp_path.iterdir()))
    assert loaded == 6
    H = jl.exact_hessian(NET, X, T)
    assert_same(operator @ V, H @ V)
    assert_same(operator.T @ V[:, 0], H @ V[:, 0])
    assert len(list(tmp_path.iterdir())) == loaded
    assert (operator.shape, operator.dtype) == (H.shape, H.dtype)


def test_operators_serve_scipy(synchronous):
    operator = jl.GaussNewtonOperator(NET, chunked(X))
    found = eigsh(operator, 2, return_eigenvectors=False)
    expected = np.linalg.eigvalsh(jl.outer_product_hessian(NET, X))[-2:]
    np.testing.assert_allclose(sorted(found), expected, rtol=1e-10)
    assert_same(copy.deepcopy(operator) @ V[:, 0], operator @ V[:, 0])


# A worker is lost


def processes(client):
    """Return the process of each worker."""
    return set(client.run(os.getpid).values())


def test_an_operator_outlives_a_worker(client):
    operator = jl.HessianOperator(NET, chunked(X, 1), chunked(T, 1))
    held = client.has_what()
    assert all(len(keys) > 0 for keys in held.values())  # both hold parts
    os.kill(processes(client).pop(), signal.SIGKILL)
    assert_same(operator @ V[:, 0], jl.exact_hessian(NET, X, T) @ V[:, 0])


@contextmanager
def stuck(folder, start):
    """Yield a load that sticks, the first time only, at the chunk that starts there."""
    marker = Path(folder) / "stuck"

    def load(block, block_info=None):
        first = block_info[0]["array-location"][0][0]
        (Path(folder) / f"{first}-{os.getpid()}-{time.monotonic_ns()}").touch()
        if first == start and not marker.exists():
            marker.write_text(str(os.getpid()))
            time.sleep(60)
            os._exit(1)  # nobody killed us: the answer will not come
        return block

    yield load, marker


def test_a_worker_killed_in_the_middle_changes_nothing(client, tmp_path):
    before = processes(client)
    with stuck(tmp_path, 7) as (load, marker), ThreadPoolExecutor(1) as thread:
        dX = chunked(X, 1).map_blocks(load, dtype=float)
        # this runs in a thread of its own, so that the worker can be killed meanwhile
        answer = thread.submit(jl.exact_hessian, NET, dX, chunked(T, 1))
        for _ in range(3000):
            if marker.exists() and marker.read_text():
                break
            time.sleep(0.01)
        victim = int(marker.read_text())
        assert victim in before
        assert not answer.done()
        os.kill(victim, signal.SIGKILL)
        H = answer.result()
    assert_same(H, jl.exact_hessian(NET, X, T))
    loads = [tuple(map(int, p.name.split("-")[:2])) for p in tmp_path.glob("*-*")]
    # chunk 7 and those before it in its branch were loaded again, elsewhere
    again = {first for first, _ in loads if sum(f == first for f, _ in loads) > 1}
    assert 7 in again
    assert {first for first, pid in loads if pid == victim} >= {7}
    assert {pid for first, pid in loads if first == 7} > {victim}
    assert {first for first, _ in loads} == set(range(N))


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_a_unit_of_one_s_own_in_shards(scheduler):
    net, X, T = with_silu()
    chunks = [da.from_array(A, chunks=(3, -1)) for A in (X, T)]
    with dask.config.set(scheduler=scheduler, num_workers=2):
        found = jl.hessian_diagonal(net, *chunks)
    np.testing.assert_allclose(found, jl.hessian_diagonal(net, X, T), rtol=1e-12)
