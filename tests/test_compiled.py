"""Numba's part of the engine: its units, its blocks, and what it does where it cannot.

That it answers as NumPy does is held in test_engine.py, for every function.
"""

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba.core.errors import TypingError
from oracles import case, targets

import jachess_lib as jl
from jachess_lib._engine import choice, compiled
from jachess_lib._engine.compiled import products, sweeps, units


def close(actual, expected, rtol=1e-12):
    scale = np.abs(expected).max(initial=0)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale)


def assert_compiled_answers(functions, dtype):
    for f in functions:
        with jl.engine("blocked"):
            expected = f()
        with jl.engine("compiled"):
            close(f(), expected, 1e-12 if dtype == np.float64 else 2e-5)
            assert jl.engine_used() == "compiled"


def of_precision(dtype, net, *arrays):
    return net.with_parameters(net.w.astype(dtype)), *(A.astype(dtype) for A in arrays)


def every_result(net, X, T):
    """Return what each function that was compiled gives, by name."""
    v = np.random.default_rng(1).standard_normal(net.n_parameters).astype(X.dtype)
    return {
        "error": np.asarray(jl.error(net, X, T)),
        "error_gradient": jl.error_gradient(net, X, T),
        "input_jacobian": jl.input_jacobian(net, X),
        "parameter_jacobian": jl.parameter_jacobian(net, X),
        "exact_hessian": jl.exact_hessian(net, X, T),
        "outer_product_hessian": jl.outer_product_hessian(net, X),
        "outer_product_diagonal": jl.outer_product_diagonal(net, X),
        "hessian_vector_product": jl.hessian_vector_product(net, X, T, v),
        "gauss_newton_vector_product": jl.gauss_newton_vector_product(net, X, v),
        "linearise": jl.HessianOperator(net, X, T) @ v,
    }


def test_every_compiled_function_is_reached():
    net, X, T = case((4, 5, 3), "tanh", "softmax")
    names = every_result(net, X, T)
    assert set(names) == set(compiled._FUNCTIONS)
    for name in names:
        arrays = (X,) if name[:3] in ("inp", "par", "out", "gau") else (X, T)
        assert compiled.takes(name, net, arrays)
    assert {u for u, _ in units.UNITS.items()} < set(jl.HIDDEN_UNITS)
    assert set(compiled.OUTPUTS) == set(jl.OUTPUT_UNITS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_compiled_serves_every_network(dtype):
    """`make test` runs this one alone, and first, so that no worker compiles again."""
    net, X, T = of_precision(dtype, *case((4, 5, 3), "tanh", "softmax"))
    with jl.engine("compiled"):
        every_result(net, X, T)
        versions = [len(f.signatures) for f in compiled_functions()]
        other = case((2, 6, 5, 1), ("relu", "softplus"), "sigmoid", N=40)
        every_result(*of_precision(dtype, *other))
        assert jl.engine_used() == "compiled"
    assert [len(f.signatures) for f in compiled_functions()] == versions


def compiled_functions():
    """Return what Numba compiles, of every module."""
    modules = [
        m for name, m in sys.modules.items() if name.startswith(compiled.__name__)
    ]
    found = [f for m in modules for f in vars(m).values() if hasattr(f, "signatures")]
    assert len(found) > 20
    return found


@pytest.mark.parametrize("hidden", compiled.UNITS)
@pytest.mark.parametrize("output", compiled.OUTPUTS)
def test_several_blocks_of_patterns(hidden, output):
    net = jl.Network.random((4, 9, 7, 3), hidden, output)
    rng = np.random.default_rng(0)
    _, width = sweeps.layout(np.array(net.sizes))
    N = int(2.5 * sweeps.rows_of_a_block(width, 10**9, 8))
    X, T = rng.standard_normal((N, 4)), targets(rng, output, N, 3)
    with jl.engine("blocked"):
        expected = every_result(net, X, T)
    with jl.engine("compiled"):
        for name, found in every_result(net, X, T).items():
            close(found, expected[name])


@pytest.mark.parametrize("N", [100, 144, 145, 300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_layer_whose_sums_turn_a_factor(dtype, N):
    net, X, T = of_precision(dtype, *case((63, 65, 62, 2), "tanh", "softmax", N))
    assert 62 * 66 >= products._TURNED_FROM
    v = net.w[::-1].copy()
    functions = [
        lambda: jl.error_gradient(net, X, T),
        lambda: jl.hessian_vector_product(net, X, T, v),
        lambda: jl.HessianOperator(net, X, T) @ v,
        lambda: jl.outer_product_diagonal(net, X),
    ]
    assert_compiled_answers(functions, dtype)


@pytest.mark.parametrize("N", [60, 70, 80, 90, 128, 129])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_small_matrices_whose_sums_turn_a_factor(dtype, N):
    net, X, T = of_precision(dtype, *case((4, 10, 10, 2), "tanh", "softmax", N))
    assert 10 * 10 * 11 * 11 >= products._TURNED_FROM
    functions = [
        lambda: jl.exact_hessian(net, X, T),
        lambda: jl.outer_product_hessian(net, X),
    ]
    assert_compiled_answers(functions, dtype)


def test_a_vector_of_double_precision_meets_blocks_of_single():
    net, X, T = of_precision(np.float32, *case((4, 9, 3), "tanh", "softmax", N=200))
    v = np.random.default_rng(1).standard_normal(net.n_parameters)
    functions = [
        lambda: jl.HessianOperator(net, X, T) @ v,
        lambda: jl.GaussNewtonOperator(net, X) @ v,
    ]
    assert_compiled_answers(functions, np.float32)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arrays_are_turned_whatever_their_shape(dtype):
    rng = np.random.default_rng(0)
    for J in (*range(1, 19), 31):
        for I in (*range(1, 19), 32):
            W, turned = rng.random((J, I)).astype(dtype), np.full((I, J), np.nan, dtype)
            products.turn(W, turned)
            np.testing.assert_array_equal(turned, W.T)


# The last is added up in slices.
SHAPES = [(1, 1, 1), (1, 5, 3), (4, 1, 6), (7, 9, 1), (3, 2, 8), (61, 785, 70)]
assert np.prod(SHAPES[-1]) > products._SMALL


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_products_of_views_with_gaps(shape, dtype):
    rng = np.random.default_rng(0)

    def matrix(rows, columns):
        """Yield the same numbers by rows and by columns, each with gaps and without."""
        numbers = rng.standard_normal((rows, columns)).astype(dtype)
        yield numbers
        yield np.asfortranarray(numbers)
        wider, higher = (
            np.full((rows, columns + 2), np.nan, dtype),
            np.full((columns, rows + 3), np.nan, dtype),
        )
        wider[:, 1:-1], higher[:, 2:-1] = numbers, numbers.T
        yield wider[:, 1:-1]
        yield higher[:, 2:-1].T

    m, k, n = shape
    lefts, rights = list(matrix(m, k)), list(matrix(k, n))
    expected = lefts[0].astype(float) @ rights[0]
    for A, B in itertools.product(lefts, rights):
        for add in (False, True):
            around = np.full((m, n + 2), 2.0 if add else np.nan, dtype)
            products.product(A, B, around[:, 1:-1], add)
            rounding = 4 * k * np.finfo(dtype).eps
            np.testing.assert_allclose(
                around[:, 1:-1], expected + (2 if add else 0), atol=rounding
            )
            np.testing.assert_array_equal(around[:, [0, -1]], 2.0 if add else np.nan)


def test_a_product_of_two_precisions_does_not_compile():
    A = np.ones((2, 2))
    with pytest.raises(TypingError, match="the same precision"):
        products.product(A, A.astype(np.float32), A.copy(), False)


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 127, 128])
def test_a_sum_in_single_precision_is_added_up_in_double(rows):
    total = np.full((2, 3), 1e9)
    left, right = (np.full((j, rows), 0.1, np.float32) for j in (2, 3))
    products.add_sum(left, right, total, np.full(12, np.nan, np.float32))
    each = np.float64(np.float32(0.1)) ** 2
    np.testing.assert_allclose(total - 1e9, rows * each, rtol=2e-6, atol=1e-7)


def test_no_half_of_a_block_is_lost_in_the_other():
    left = np.repeat(np.float32([2.0**12, 2.0**-14]), 64)[None, :]
    total, ones = np.zeros((1, 1)), np.ones((1, 128), np.float32)
    products.add_sum(left, ones, total, np.full(2, np.nan, np.float32))
    assert total.item() == 2.0**18 + 2.0**-8  # which single precision does not hold


def test_matrices_are_symmetric_to_the_last_bit():
    net, X, T = case((3, 5, 4), "tanh", "softmax", N=30)
    with jl.engine("compiled"):
        for H in (jl.exact_hessian(net, X, T), jl.outer_product_hessian(net, X)):
            assert jl.engine_used() == "compiled"
            np.testing.assert_array_equal(H, H.T)


@pytest.mark.parametrize("unit", compiled.UNITS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_units_from_the_smallest_to_the_largest_sums(unit, dtype):
    size = np.logspace(-300 if dtype == np.float64 else -37, 4, 4000).astype(dtype)
    a = np.concatenate([-size[::-1], [0, -0.0], size, np.linspace(-40, 40, 9001)])
    a = a.astype(dtype)
    z, slope, bend = a.copy(), np.empty_like(a), np.empty_like(a)
    units.hidden_units(compiled.UNITS[unit], z, slope, bend, 2)
    wide = a.astype(np.float64)
    plain, eps = jl.HIDDEN_UNITS[unit], np.finfo(dtype).eps
    smallest = np.finfo(dtype).tiny * 8
    np.testing.assert_allclose(z, plain.h(wide), rtol=8 * eps, atol=smallest)
    np.testing.assert_allclose(slope, plain.dh(wide), rtol=8 * eps, atol=smallest)
    np.testing.assert_allclose(bend, plain.d2h(wide), rtol=16 * eps, atol=smallest)


def test_nothing_that_is_handed_in_changes():
    net, X, T = case((4, 5, 3), "tanh", "softmax")
    v = np.ones(net.n_parameters)
    before = [A.copy() for A in (net.w, X, T, v)]
    at = compiled.linearise(net, X, T)
    state = at.state.copy()
    np.testing.assert_array_equal(at.times(v), at.times(v))
    with jl.engine("compiled"):
        every_result(net, X, T)
    np.testing.assert_array_equal(state, at.state)
    for A, B in zip(before, (net.w, X, T, v), strict=True):
        np.testing.assert_array_equal(A, B)


def _spoilt_memory(size, dtype):
    return np.full(size, np.nan, dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "sizes", [(4, 5, 3), (9, 2, 3, 8), (3, 11), (2, 9, 3, 4, 1), (63, 65, 2)]
)
@pytest.mark.parametrize("N", [1, 6, 200, 300])
def test_memory_suffices_and_is_written_before_it_is_read(sizes, N, dtype, monkeypatch):
    output = "softmax" if sizes[-1] > 1 else "sigmoid"
    net, X, T = of_precision(dtype, *case(sizes, "tanh", output, N))
    with jl.engine("compiled"):
        expected = every_result(net, X, T)
        monkeypatch.setattr(compiled, "_memory", _spoilt_memory)
        for name, result in every_result(net, X, T).items():
            np.testing.assert_array_equal(result, expected[name])


def test_memory_is_kept_for_the_next_call_of_a_thread(monkeypatch):
    single, double = np.dtype(np.float32), np.dtype(np.float64)
    first = compiled._memory(1000, single)
    assert np.shares_memory(first, compiled._memory(500, single))
    assert not np.shares_memory(first, compiled._memory(first.size + 1, single))
    assert not np.shares_memory(first, compiled._memory(500, double))
    with ThreadPoolExecutor(1) as other:
        theirs = other.submit(compiled._memory, 500, single).result()
    assert not np.shares_memory(compiled._memory(500, single), theirs)
    monkeypatch.setattr(compiled, "_MOST_KEPT", 4 * first.size)
    large = compiled._memory(100 * first.size, single)
    assert not np.shares_memory(large, compiled._memory(100 * first.size, single))


def test_threads_do_not_write_into_each_other_s_sums():
    net, X, T = case((40, 30, 10), "tanh", "softmax", N=200)
    batches = [(X[n:].copy(), T[n:].copy()) for n in range(8)]
    with jl.engine("compiled"):
        expected = [jl.error_gradient(net, *batch) for batch in batches]

    def gradient(batch):
        with jl.engine("compiled"):
            return jl.error_gradient(net, *batch)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(gradient, batches * 20))
    for a, b in zip(found, expected * 20, strict=True):
        np.testing.assert_array_equal(a, b)


def spoilt(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("output", compiled.OUTPUTS)
def test_a_quick_look_takes_only_what_the_checks_return(output, dtype):
    net, X, T = case((4, 5, 3), "tanh", output, N=7)
    net = net.with_parameters(net.w.astype(dtype))
    good = {"X": X.astype(dtype), "T": T.astype(dtype), "v": net.w[::-1].copy()}
    given = {"net": net, **good}
    ready = compiled.ready
    assert ready("hessian_vector_product", given)
    assert ready("error", {k: given[k] for k in ("net", "X", "T")})
    assert ready("input_jacobian", {k: given[k] for k in ("net", "X")})
    bad = [("X", spoilt(good["X"], (6, 3), x)) for x in (np.nan, np.inf, -np.inf)]
    bad += [("T", spoilt(good["T"], (6, 2), x)) for x in (np.nan, np.inf, -np.inf)]
    bad += [("v", spoilt(good["v"], -1, x)) for x in (np.nan, np.inf, -np.inf)]
    bad += [(name, A.tolist()) for name, A in good.items()]
    bad += [(name, A[:-1]) for name, A in good.items() if name != "X"]
    bad += [(name, A[..., None]) for name, A in good.items()]
    bad += [(name, np.ma.array(A)) for name, A in good.items()]
    bad += [(name, A.astype(complex)) for name, A in good.items()]
    bad += [(name, A.astype(A.dtype.newbyteorder())) for name, A in good.items()]
    bad += [("X", good["X"][:, :-1]), ("T", good["T"][:, :-1]), ("T", None)]
    bad += [("net", None), ("net", net.with_parameters(net.w + 1e-20j))]
    if output != "linear":
        bad += [("T", spoilt(good["T"], (6, 2), x)) for x in (-0.1, 1.1)]
    if output == "softmax":
        bad += [("T", good["T"] * dtype(x)) for x in (0.9999, 1 - 2e-5)]
    for name, value in bad:
        assert not ready("hessian_vector_product", given | {name: value}), (name, value)
    assert not ready("hessian_vector_product", given | {"of": "outputs"})


def test_what_a_quick_look_refuses_is_refused_in_words():
    net, X, T = case((4, 5, 3), "tanh", "softmax")
    for place, value, message in (
        ("X", spoilt(X, (1, 2), np.nan), r"X\[1, 2\] is nan"),
        ("T", spoilt(T, (0, 1), -1.0), r"T\[0, 1\] is -1"),
        ("T", T * 0.5, r"row T\[0\] sums to 0.5"),
        ("v", net.w[:-1], r"v must have shape \(P,\)"),
    ):
        given = {"net": net, "X": X, "T": T, "v": net.w} | {place: value}
        with jl.engine("compiled"), pytest.raises(ValueError, match=message):
            jl.hessian_vector_product(**given)


def test_what_is_not_taken():
    net, X, _ = case((4, 5, 3), "tanh", "linear")
    gelu = jl.Network.random((4, 5, 3), "gelu")
    complex_net = net.with_parameters(net.w + 1e-20j)
    narrow = jl.Network(net.sizes, net.w.astype(np.float32))
    for refused in (
        (gelu, X),
        (complex_net, X),
        (complex_net, X.astype(complex)),
        (net, X.astype(np.float32)),
        (narrow, X),
        (net, X[:0]),
        (net, X.T.copy().T),
    ):
        assert not compiled.takes("input_jacobian", refused[0], refused[1:])
    assert compiled.takes("input_jacobian", net, (X,))
    assert not compiled.takes("hessian_diagonal", net, (X,))
    more_outputs = jl.Network.random((3, 5, 4))
    assert not compiled.takes("input_jacobian", more_outputs, (X[:, :3].copy(),))
    large = jl.Network.random((4, 20, 20, 3))
    assert not compiled.takes("exact_hessian", large, (X,))
    assert compiled.takes("outer_product_diagonal", large, (X,))


@pytest.mark.parametrize(
    ("value", "expected"), [("blocked", "False"), ("auto", "True"), ("", "True")]
)
def test_numba_waits_until_it_is_needed(value, expected):
    code = """if True:
        import sys, numpy as np, jachess_lib as jl
        assert "numba" not in sys.modules
        jl.input_jacobian(jl.Network.random((2, 3, 1)), np.ones((4, 2)))
        print("numba" in sys.modules)
    """
    run = subprocess.run(
        [sys.executable, "-c", code], env={"JACHESS_ENGINE": value, "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == expected


# Numba present, but unable


UNABLE = """if True:
    import os, sys, warnings
    import numpy as np
    import jachess_lib as jl
    {before}
    net = jl.Network.random((3, 4, 2), output="softmax")
    X = np.arange(15.0).reshape(5, 3) / 9
    T = jl.one_hot([0, 1, 1, 0, 1], 2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        J = jl.input_jacobian(net, X)
        H = jl.exact_hessian(net, X, T)
        v = np.ones(26)
        assert np.allclose(jl.hessian_vector_product(net, X, T, v), H @ v)
        assert np.allclose(jl.HessianOperator(net, X, T) @ v, H @ v)
        assert np.allclose(jl.outer_product_diagonal(net, X),
                           np.diag(jl.outer_product_hessian(net, X)))
    assert np.isfinite(J).all()
    print(len([w for w in seen if issubclass(w.category, RuntimeWarning)]))
    print(*(w.message for w in seen))
"""


def run_unable(before="", **environment):
    """Run everything in a process whose Numba fails; return its two lines."""
    run = subprocess.run(
        [sys.executable, "-c", UNABLE.format(before=before)],
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere"} | environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout.splitlines()


def test_compiling_switched_off():
    count, message = run_unable(NUMBA_DISABLE_JIT="1")
    assert count == "1"
    assert "NumPy computes everything" in message


def test_no_place_for_the_cache():
    # as in a read-only container: no folder beside the code and none of the user's
    before = [
        "from numba.core import caching",
        "for locator in caching.CacheImpl._locator_classes:",
        "    locator.from_function = classmethod(lambda *_: None)",
    ]
    count, message = run_unable("\n    ".join(before))
    assert count == "1"
    assert "no locator available" in message
    assert "NUMBA_CACHE_DIR" in message


def test_a_truncated_cache(tmp_path):
    # one small function is enough: all others call it
    fill = "import numpy as np; from jachess_lib._engine.compiled import sweeps; " + (
        "sweeps.layout(np.array([3, 4, 2]))"
    )
    environment = {"PATH": os.environ["PATH"], "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", fill], env=environment, check=True)
    indices = list(tmp_path.rglob("*.nbi"))
    assert indices
    for index in indices:
        whole = index.read_bytes()
        index.write_bytes(whole[: len(whole) // 2])
    count, message = run_unable(NUMBA_CACHE_DIR=str(tmp_path))
    assert count == "1"
    assert "empty it" in message


def test_one_function_that_fails_is_warned_of_once(monkeypatch, nothing_compiled_fails):
    net, X, _ = case((3, 5, 2), "tanh", "softmax")

    def fail(*arguments, **keywords):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(compiled, "input_jacobian", fail)
    with jl.engine("compiled"):
        with pytest.warns(RuntimeWarning, match="ZeroDivisionError: planted"):
            J = jl.input_jacobian(net, X)
        assert jl.engine_used() == "blocked"
        assert choice.compiled_functions() is None
        np.testing.assert_array_equal(jl.input_jacobian(net, X), J)  # and no warning
    assert [str(error) for error in nothing_compiled_fails] == ["planted"]
    nothing_compiled_fails.clear()
