"""The compiled twins against the chapters' own lines, which are tested elsewhere."""

import os
import subprocess
import sys

import numpy as np
import pytest
from jachess_lib._compiled import sweeps, units
from oracles import CASES, case, case_name, targets

import jachess_lib as jl
from jachess_lib import (
    hessian,
    hessian_vector,
    jacobian,
    outer_product,
)
from jachess_lib._engine import compiled, kernels


def names_of(c):
    """Return the names of the hidden units of a case."""
    return {c[1]} if isinstance(c[1], str) else set(c[1])


COMPILED = [c for c in CASES if not {"gelu", "exp"} & names_of(c)]
COMPILED += [
    ((2, 5, 3, 4), ("sigmoid", "identity"), "sigmoid"),
    ((4, 3, 6, 2), ("relu", "softplus"), "linear"),
]
EVERY_CASE = pytest.mark.parametrize("c", COMPILED, ids=case_name)


@pytest.fixture
def twins(monkeypatch):
    """Let the public functions use the twins, as they do where Numba is installed."""
    monkeypatch.setenv("JACHESS_COMPILED", "1")
    kernels._import_twins.cache_clear()
    yield
    kernels._import_twins.cache_clear()


def close(actual, expected, rtol=1e-12):
    scale = np.abs(expected).max(initial=0)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale)


def both_jacobians(net, X):
    J = np.empty((2, len(X), net.sizes[-1], net.sizes[0]), X.dtype)
    compiled.from_outputs(net, X, J[0])
    jacobian.from_outputs(net, X, J[1])
    return J


def test_the_cases_reach_every_unit_that_is_compiled():
    assert set.union(*map(names_of, COMPILED)) == set(compiled.UNITS)
    assert {c[2] for c in COMPILED} == set(compiled.OUTPUTS)


@EVERY_CASE
@pytest.mark.parametrize("N", [1, 7])
def test_input_jacobian(c, N):
    net, X, _ = case(*c, N=N)
    close(*both_jacobians(net, X))


@EVERY_CASE
@pytest.mark.parametrize("of", ["outputs", "activations"])
def test_parameter_jacobian(c, of):
    net, X, _ = case(*c)
    J = np.empty((2, len(X), net.sizes[-1], net.n_parameters))
    compiled.of_parameters(net, X, of, J[0])
    jacobian.of_parameters(net, X, of, J[1])
    close(*J)


@EVERY_CASE
@pytest.mark.parametrize("exact", [True, False])
def test_products_with_a_vector(c, exact):
    net, X, T = case(*c)
    T = T if exact else None
    v = np.random.default_rng(1).standard_normal((2, net.n_parameters))
    twin = compiled.linearised(net, X, T)
    plain = hessian_vector.linearised(net, X, T)
    close(twin.times(v), hessian_vector.product(plain, v))
    close(twin.times(v[0]), hessian_vector.product(plain, v[0]))
    assert twin.dtype == plain.dtype


@EVERY_CASE
@pytest.mark.parametrize("N", [1, 7])
def test_diagonal_of_the_outer_product(c, N):
    net, X, _ = case(*c, N=N)
    close(compiled.sum_of_squares(net, X), outer_product.sum_of_squares(net, X))


@EVERY_CASE
@pytest.mark.parametrize("N", [1, 7])
@pytest.mark.parametrize("exact", [True, False])
def test_square_matrices(c, N, exact):
    net, X, T = case(*c, N=N)
    H = np.full((2, net.n_parameters, net.n_parameters), np.nan)
    compiled.fill_square(net, X, T if exact else None, H[0])
    hessian.fill_square(net, X, T if exact else None, H[1])
    close(*H)
    np.testing.assert_array_equal(H[0], H[0].T)


def test_a_diagonal_keeps_its_digits_where_the_softmax_is_certain():
    net = jl.Network((1, 2), [0.0, 0.0, 40.0, 0.0], output="softmax")
    diagonal = compiled.sum_of_squares(net, np.zeros((1, 1)))
    certain = np.exp(-40.0) / (1 + np.exp(-40.0)) ** 2
    np.testing.assert_allclose(diagonal, [certain, 0, certain, 0], rtol=1e-13)


@pytest.mark.parametrize("hidden", compiled.UNITS)
@pytest.mark.parametrize("output", compiled.OUTPUTS)
def test_several_blocks_of_patterns(hidden, output, monkeypatch):
    net = jl.Network.random((3, 70, 60, 4), hidden, output)
    rng = np.random.default_rng(0)
    X, T = rng.standard_normal((1300, 3)), targets(rng, output, 1300, 4)
    _, width = sweeps.layout(np.array(net.sizes))
    assert sweeps.rows_of_a_block(width, len(X)) < len(X) / 2
    close(*both_jacobians(net, X))
    J = np.empty((2, len(X), 4, net.n_parameters))
    compiled.of_parameters(net, X, "outputs", J[0])
    jacobian.of_parameters(net, X, "outputs", J[1])
    close(*J)
    v = rng.standard_normal(net.n_parameters)
    for T_n in (T, None):
        at = compiled.linearised(net, X, T_n), hessian_vector.linearised(net, X, T_n)
        close(at[0].times(v), hessian_vector.product(at[1], v))
    close(compiled.sum_of_squares(net, X), outer_product.sum_of_squares(net, X))


@pytest.mark.parametrize("exact", [True, False])
def test_square_matrices_of_several_blocks_of_patterns(exact):
    net = jl.Network.random((3, 5, 4, 6, 2), "softplus", "softmax")
    rng = np.random.default_rng(0)
    X, T = rng.standard_normal((2000, 3)), targets(rng, "softmax", 2000, 2)
    _, width = sweeps.layout(np.array(net.sizes))
    assert sweeps.rows_of_a_block(width, len(X)) < len(X) / 2
    H = np.empty((2, net.n_parameters, net.n_parameters))
    for fill, H_there in zip(
        (compiled.fill_square, hessian.fill_square), H, strict=True
    ):
        fill(net, X, T if exact else None, H_there)
    close(*H)


@pytest.mark.parametrize("unit", compiled.UNITS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_units_from_the_smallest_to_the_largest_sums(unit, dtype):
    size = np.logspace(-300 if dtype == np.float64 else -37, 4, 4000).astype(dtype)
    a = np.concatenate([-size[::-1], [0, -0.0], size, np.linspace(-40, 40, 9001)])
    a = a.astype(dtype)
    z, slope, bend = a.copy(), np.empty_like(a), np.empty_like(a)
    units.hidden_units(compiled.UNITS[unit], z, slope, bend, True)
    wide = a.astype(np.float64)  # the twins compute in double precision and round once
    plain, eps = jl.HIDDEN_UNITS[unit], np.finfo(dtype).eps
    smallest = np.finfo(dtype).tiny * 8
    # 1 − z² near |z| = 1, and 1 − 2σ near a = 0, have no more digits in NumPy either
    flat = 8 * eps if unit == "tanh" else smallest
    bent = 16 * eps if unit in ("tanh", "sigmoid") else smallest
    np.testing.assert_allclose(z, plain.h(wide), rtol=8 * eps, atol=smallest)
    np.testing.assert_allclose(slope, plain.dh(wide), rtol=8 * eps, atol=flat)
    np.testing.assert_allclose(bend, plain.d2h(wide), rtol=16 * eps, atol=bent)


@pytest.mark.parametrize("output", compiled.OUTPUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sums_of_ten_thousand_stay_finite(output, dtype):
    net = jl.Network.random((2, 3, 4), "tanh", output)
    net = jl.Network(net.sizes, (1e4 * net.w).astype(dtype), "tanh", output)
    X = np.random.default_rng(0).standard_normal((9, 2)).astype(dtype)
    T = targets(np.random.default_rng(1), output, 9, 4).astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        J = both_jacobians(net, X)
        close(*J, rtol=1e-4 if dtype == np.float32 else 1e-10)
        v = np.ones(net.n_parameters, dtype)
        assert np.isfinite(compiled.linearised(net, X, T).times(v)).all()


@EVERY_CASE
def test_float32(c):
    net, X, T = case(*c)
    narrow = jl.Network(net.sizes, net.w.astype(np.float32), *c[1:])
    J = both_jacobians(narrow, X.astype(np.float32))
    close(*J, rtol=1e-5)
    v = np.random.default_rng(1).standard_normal(net.n_parameters)
    at = compiled.linearised(narrow, X.astype(np.float32), T.astype(np.float32))
    assert at.times(v).dtype == np.float64  # the precision of v, as in NumPy
    assert at.times(v.astype(np.float32)).dtype == np.float32
    close(at.times(v), jl.hessian_vector_product(net, X, T, v), rtol=2e-4)
    diagonal = compiled.sum_of_squares(narrow, X.astype(np.float32))
    assert diagonal.dtype == np.float32
    exact = outer_product.sum_of_squares(net, X)
    close(diagonal.astype(np.float64), exact, rtol=2e-4)
    H = np.empty((net.n_parameters,) * 2, np.float32)
    compiled.fill_square(narrow, X.astype(np.float32), T.astype(np.float32), H)
    close(H.astype(np.float64), jl.exact_hessian(net, X, T), rtol=2e-4)


def test_nothing_that_is_handed_in_changes():
    net, X, T = case((3, 5, 4), "tanh", "softmax")
    v = np.ones(net.n_parameters)
    before = [A.copy() for A in (net.w, X, T, v)]
    at = compiled.linearised(net, X, T)
    state = at.state.copy()
    first, second = at.times(v), at.times(v)
    both_jacobians(net, X)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(state, at.state)
    for A, B in zip(before, (net.w, X, T, v), strict=True):
        np.testing.assert_array_equal(A, B)


def stand_in(plain, net, X):
    """Return the compiled function that `twin` calls first."""
    return kernels.twin(plain, net, X).args[0]


def test_the_public_functions_use_the_twins(twins):
    net, X, T = case((3, 5, 4), "tanh", "softmax")
    for plain in (
        jacobian.from_outputs,
        hessian.fill_square,
        outer_product.sum_of_squares,
    ):
        assert stand_in(plain, net, X) is getattr(compiled, plain.__name__)
    assert isinstance(
        hessian_vector.linearise(net, X, T), compiled.CompiledLinearisation
    )
    v = np.random.default_rng(0).standard_normal(net.n_parameters)
    H = jl.exact_hessian(net, X, T)
    close(jl.hessian_vector_product(net, X, T, v), H @ v)
    operator = jl.HessianOperator(net, X, T)
    close(operator @ v, H @ v)
    close(operator @ np.eye(net.n_parameters), H)
    close(jl.GaussNewtonOperator(net, X) @ v, jl.outer_product_hessian(net, X) @ v)
    out = np.empty((len(X), 4, 3))
    assert jl.input_jacobian(net, X, out=out) is out
    close(jl.input_jacobian(net, X[::2]), out[::2])


def test_what_the_twins_do_not_take(twins):
    net, X, _ = case((3, 5, 4), "tanh", "linear")
    twin, plain = kernels.twin, jacobian.from_outputs
    gelu = jl.Network.random((3, 5, 4), "gelu")
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
        (net, X, np.empty((len(X), 4, 6))[:, :, ::2]),
    ):
        assert twin(plain, *refused) is plain
    large = jl.Network.random((3, 20, 20, 4))
    assert twin(hessian.fill_square, large, X) is hessian.fill_square
    assert stand_in(outer_product.sum_of_squares, large, X) is compiled.sum_of_squares
    assert jl.input_jacobian(net, X[:0]).shape == (0, 4, 3)
    out = np.empty((len(X), 4, 6))[:, :, ::2]
    close(jl.input_jacobian(net, X, out=out), jl.input_jacobian(net, X))


@pytest.mark.parametrize(("value", "expected"), [("0", "False"), ("1", "True")])
def test_the_switch_and_that_numba_waits_until_it_is_needed(value, expected):
    code = """if True:
        import sys, numpy as np, jachess_lib as jl
        assert "numba" not in sys.modules
        jl.input_jacobian(jl.Network.random((2, 3, 1)), np.ones((4, 2)))
        print("numba" in sys.modules)
    """
    run = subprocess.run(
        [sys.executable, "-c", code], env={"JACHESS_COMPILED": value, "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == expected


def test_without_numba_everything_works(monkeypatch):
    net, X, T = case((3, 5, 4), "tanh", "softmax")
    monkeypatch.setenv("JACHESS_COMPILED", "1")
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    kernels._import_twins.cache_clear()
    try:
        assert kernels.compiled_twins() is None
        assert jl.input_jacobian(net, X).shape == (len(X), 4, 3)
        assert jl.HessianOperator(net, X, T).shape == (net.n_parameters,) * 2
    finally:
        kernels._import_twins.cache_clear()


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
    fill = "import numpy as np, jachess_lib as jl; " + (
        "jl.input_jacobian(jl.Network.random((3, 4, 2), output='softmax'), np.eye(3))"
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


def test_one_twin_that_fails_is_warned_of_once(twins, monkeypatch):
    net, X, _ = case((3, 5, 2), "tanh", "softmax")

    def fail(*arguments):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(compiled, "from_outputs", fail)
    monkeypatch.setattr(kernels, "_broken", False)
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError: planted"):
        J = jl.input_jacobian(net, X)
    assert kernels.compiled_twins() is None
    np.testing.assert_array_equal(jl.input_jacobian(net, X), J)  # and no warning
