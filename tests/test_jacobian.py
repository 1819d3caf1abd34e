import tracemalloc

import autograd
import dask.array as da
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import (
    CASES,
    OUTPUT,
    Plain,
    autograd_activations,
    autograd_outputs,
    case,
    case_name,
    exact,
    mp_gradient,
)

import jachess_lib as jl
from jachess_lib import (
    central_difference,
    chain_jacobian,
    complex_step,
    input_jacobian,
    jacobian_vector_product,
    parameter_jacobian,
    vector_jacobian_product,
)
from jachess_lib._engine import jacobian as fast


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_input_jacobian_against_fifty_digits(c):
    net, X, _ = case(*c, N=2)
    plain, w, J = Plain(net), exact(net.w), input_jacobian(net, X)
    for n, x in enumerate(X):
        for k in range(net.sizes[-1]):
            row = mp_gradient(lambda x, k=k: plain.outputs(w, x)[k], exact(x))
            np.testing.assert_allclose(
                J[n, k], [float(v) for v in row], rtol=1e-10, atol=1e-15
            )


@pytest.mark.parametrize("of", ["outputs", "activations"])
@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_parameter_jacobian_against_fifty_digits(c, of):
    net, X, _ = case(*c, N=1)
    plain, J = Plain(net), parameter_jacobian(net, X, of=of)
    f = getattr(plain, of)
    for k in range(net.sizes[-1]):
        row = mp_gradient(lambda w, k=k: f(w, exact(X[0]))[k], exact(net.w))
        np.testing.assert_allclose(
            J[0, k], [float(v) for v in row], rtol=1e-10, atol=1e-15
        )


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_both_against_autograd(c):
    net, X, _ = case(*c, seed=2)
    by_input = np.stack(
        [
            autograd.jacobian(lambda x: autograd_outputs(net, net.w, x[None])[0])(x)
            for x in X
        ]
    )
    np.testing.assert_allclose(input_jacobian(net, X), by_input, rtol=1e-9, atol=1e-14)
    for of, f in [("outputs", autograd_outputs), ("activations", autograd_activations)]:
        by_parameter = autograd.jacobian(lambda w, f=f: f(net, w, X))(net.w.copy())
        np.testing.assert_allclose(
            parameter_jacobian(net, X, of=of), by_parameter, rtol=1e-9, atol=1e-14
        )


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_both_against_the_complex_step(c):
    net, X, _ = case(*c, seed=3)
    by_step = np.stack([complex_step(lambda x: net(x[None])[0], x) for x in X])
    np.testing.assert_allclose(input_jacobian(net, X), by_step, rtol=1e-11, atol=1e-15)
    by_step = complex_step(lambda w: net.with_parameters(w)(X), net.w)
    np.testing.assert_allclose(
        parameter_jacobian(net, X), by_step, rtol=1e-11, atol=1e-15
    )


def test_against_sympy():
    w, x = sp.symbols("w:10"), sp.symbols("x:2")
    z = [
        sp.tanh(w[3 * j] + w[3 * j + 1] * x[0] + w[3 * j + 2] * x[1]) for j in range(2)
    ]
    a = w[6] + w[7] * z[0] + w[8] * z[1]
    net = jl.Network.random((2, 2, 1), output="sigmoid", seed=7)
    numbers = {**dict(zip(w, net.w, strict=False)), x[0]: 0.4, x[1]: -1.1}
    expected = [float(sp.diff(1 / (1 + sp.exp(-a)), v).subs(numbers)) for v in x]
    J = input_jacobian(net, [[0.4, -1.1]])
    np.testing.assert_allclose(J[0, 0], expected, rtol=1e-13)


def test_the_recursion_index_by_index():
    net, X, _ = case((3, 4, 5, 2), ("softplus", "tanh"), "softmax", N=1)
    trace, K = jl.forward(net, X), 2
    dy_da = {
        (2, k, l): net.output.dy_da(trace.a[2])[0, k, l]
        for k in range(K)
        for l in range(K)
    }
    for layer in (1, 0):
        for k in range(K):
            for j in range(net.sizes[layer + 1]):
                dy_da[layer, k, j] = net.hidden[layer].dh(trace.a[layer][0, j]) * sum(
                    net.W[layer + 1][l, 1 + j] * dy_da[layer + 1, k, l]
                    for l in range(net.sizes[layer + 2])
                )
    J = [
        [sum(net.W[0][j, 1 + i] * dy_da[0, k, j] for j in range(4)) for i in range(3)]
        for k in range(K)
    ]
    np.testing.assert_allclose(input_jacobian(net, X)[0], J, rtol=1e-13)


def test_central_differences_fall_with_their_order():
    net, X, _ = case((3, 4, 2), "tanh", "softmax")
    J = input_jacobian(net, X)[0]
    errors = [
        abs(central_difference(lambda x: net(x[None])[0], X[0], step) - J).max()
        for step in (1e-1, 1e-2, 1e-3)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 100, rtol=0.1)


def test_the_taylor_remainder_falls_with_the_square():
    net, X, _ = case((3, 6, 2), "gelu", "sigmoid")
    x, d, J = X[:1], np.array([[0.3, -0.5, 0.8]]), input_jacobian(net, X[:1])[0]
    remainder = [
        np.abs(net(x + s * d)[0] - net(x)[0] - J @ (s * d[0])).max()
        for s in (1e-2, 1e-3)
    ]
    assert remainder[0] / remainder[1] == pytest.approx(100, rel=0.1)


def test_planted_mistakes_are_caught():
    net, X, _ = case((3, 4, 2), "tanh", "sigmoid")
    trace = jl.forward(net, X)
    V = [W[:, 1:] for W in net.W]
    M, slope = net.output.dy_da(trace.a[1]), net.hidden[0].dh(trace.a[0])[:, None, :]
    witness = np.stack([complex_step(lambda x: net(x[None])[0], x) for x in X])
    np.testing.assert_allclose((M @ V[1] * slope) @ V[0], witness, rtol=1e-12)
    at_z = net.hidden[0].dh(trace.z[1][:, 1:])[:, None, :]
    for mistake in (
        M @ V[1] @ V[0],  # h' left out
        (V[1] * slope) @ V[0],  # output unit left out
        (M @ V[1] * at_z) @ V[0],  # h' at z, not at a
        (M @ V[1] * 1.001 * slope) @ V[0],
    ):  # one per mille
        assert not np.allclose(mistake, witness, rtol=1e-4)


def test_linear_networks_multiply():
    net, X, _ = case((4, 3, 5, 2), "identity", "linear")
    product = net.W[2][:, 1:] @ net.W[1][:, 1:] @ net.W[0][:, 1:]
    np.testing.assert_allclose(
        input_jacobian(net, X), np.broadcast_to(product, (3, 2, 4)), rtol=1e-13
    )


def test_euler_for_rectifiers_without_biases():
    net, X, _ = case((3, 6, 5, 2), "relu", "linear")
    w = net.w.copy()
    for l, m in enumerate(net.sizes[1:]):
        w[[net.index(l, j, 0) for j in range(m)]] = 0
    net = net.with_parameters(w)
    np.testing.assert_allclose(
        np.einsum("nki,ni->nk", input_jacobian(net, X), X),
        net(X),
        rtol=1e-12,
        atol=1e-14,
    )
    # doubling every layer doubles y once a layer, so J_w w = L y
    np.testing.assert_allclose(
        parameter_jacobian(net, X) @ w, 3 * net(X), rtol=1e-12, atol=1e-14
    )


def test_series_of_modules_multiply():
    inner, X, _ = case((3, 4, 2), "tanh", "sigmoid")
    outer = jl.Network.random((2, 5, 3), "gelu", "softmax", seed=9)
    product = input_jacobian(outer, inner(X)) @ input_jacobian(inner, X)
    np.testing.assert_allclose(chain_jacobian(outer, inner, X), product, rtol=1e-13)


def test_units_scale_by_the_chain_rule():
    net, X, _ = case((3, 4, 2))
    scale = np.array([10.0, 0.1, 3.0])
    V = net.W[0].copy()
    V[:, 1:] /= scale
    rescaled = net.with_parameters(np.concatenate([V.ravel(), net.W[1].ravel()]))
    np.testing.assert_allclose(
        input_jacobian(rescaled, X * scale), input_jacobian(net, X) / scale, rtol=1e-12
    )


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=6),
    st.sampled_from(list(jl.OUTPUT_UNITS)),
    st.integers(0, 4),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=50)
def test_any_network_and_any_number_of_patterns(sizes, output, N, seed):
    net, X, _ = case(tuple(sizes), "softplus", output, N=N, seed=seed)
    K, D, P = sizes[-1], sizes[0], net.n_parameters
    J, J_w = input_jacobian(net, X), parameter_jacobian(net, X)
    assert J.shape == (N, K, D)
    assert J_w.shape == parameter_jacobian(net, X, of="activations").shape == (N, K, P)
    for n in range(N):
        np.testing.assert_allclose(
            J[n], complex_step(lambda x: net(x[None])[0], X[n]), rtol=1e-10, atol=1e-14
        )
    by_step = complex_step(lambda w: net.with_parameters(w)(X), net.w)
    np.testing.assert_allclose(J_w, by_step, rtol=1e-10, atol=1e-14)


def test_each_pattern_has_its_own_jacobian():
    net, X, _ = case((3, 4, 2), N=5)
    J = input_jacobian(net, X)
    assert J.shape == (5, 2, 3)  # not (N, K, N, D)
    for n in range(5):
        np.testing.assert_allclose(
            J[n], input_jacobian(net, X[n : n + 1])[0], rtol=1e-13
        )


@pytest.mark.parametrize("sizes", [(2, 4, 3), (3, 5, 4, 2), (2, 3), (3, 4, 3), (3, 2)])
@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_from_either_end_and_the_one_with_fewer_units(sizes, output, monkeypatch):
    net, X, _ = case(sizes, "tanh", output, N=150)
    monkeypatch.setattr(fast, "IN_CACHE", 1)  # 64 patterns at a time
    trace, J = jl.forward(net, X), np.full((2, 150, sizes[-1], sizes[0]), np.nan)
    fast._from_outputs(net, trace, J[0])
    fast._from_inputs(net, trace, J[1])
    np.testing.assert_allclose(J[0], J[1], rtol=1e-11, atol=1e-14)
    unused = "_from_outputs" if sizes[-1] > sizes[0] else "_from_inputs"
    monkeypatch.setattr(fast, unused, None)
    with jl.engine("blocked"):
        np.testing.assert_allclose(input_jacobian(net, X), J[0], rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("function", [input_jacobian, parameter_jacobian])
def test_out_is_filled_and_returned(function):
    net, X, _ = case((3, 4, 2), "tanh", "softmax")
    expected = function(net, X)
    out = np.full_like(expected, np.nan)
    assert function(net, X, out=out) is out
    np.testing.assert_array_equal(out, expected)
    strided = np.full((*expected.shape[:2], 2 * expected.shape[2]), np.nan)[:, :, ::2]
    assert function(net, X, out=strided) is strided
    np.testing.assert_array_equal(strided, expected)


@pytest.mark.parametrize("function", [input_jacobian, parameter_jacobian])
def test_float32_stays_float32(function):
    net, X, _ = case((3, 4, 5, 2), "gelu", "softmax")
    single = jl.Network(net.sizes, net.w.astype(np.float32), "gelu", "softmax")
    J = function(single, X.astype(np.float32))
    assert J.dtype == np.float32
    np.testing.assert_allclose(J, function(net, X), rtol=1e-4, atol=1e-6)
    assert function(single, X).dtype == np.float64


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
@pytest.mark.parametrize("hidden", list(jl.HIDDEN_UNITS))
def test_extreme_inputs(hidden, output):
    net = jl.Network.random((3, 4, 2), hidden, output)
    X = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(input_jacobian(net, X)).all()
        assert np.isfinite(parameter_jacobian(net, X)).all()


# Products without the matrices


def products(net, X, u, v, dX):
    """Return Jv, Jᵀu of the parameters and both of the inputs."""
    return (
        jacobian_vector_product(net, X, v),
        vector_jacobian_product(net, X, u),
        jacobian_vector_product(net, X, dX, wrt="inputs"),
        vector_jacobian_product(net, X, u, wrt="inputs"),
    )


def by_matrices(net, X, u, v, dX):
    """Return the same by the Jacobians themselves."""
    J, J_x = parameter_jacobian(net, X), input_jacobian(net, X)
    return (
        np.einsum("nkp,p->nk", J, v),
        np.einsum("nkp,nk->p", J, u),
        np.einsum("nki,ni->nk", J_x, dX),
        np.einsum("nki,nk->ni", J_x, u),
    )


def multipliers(net, X, rng):
    """Return u, v and dX at random."""
    return (
        rng.standard_normal((len(X), net.sizes[-1])),
        rng.standard_normal(net.n_parameters),
        rng.standard_normal(X.shape),
    )


@pytest.mark.parametrize("N", [0, 1, 5])
@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_products_are_those_of_the_matrices(c, N, engine):
    net, X, _ = case(*c, N=N)
    more = multipliers(net, X, np.random.default_rng(0))
    for found, expected in zip(
        products(net, X, *more), by_matrices(net, X, *more), strict=True
    ):
        assert found.dtype == np.float64
        scale = np.abs(expected).max(initial=0)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * scale)


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.sampled_from(OUTPUT),
    st.integers(0, 9),
    st.integers(0, 2**31),
)
@settings(deadline=None, max_examples=60)
def test_one_product_is_the_other_s_transpose(sizes, output, N, seed):
    net, X, _ = case(tuple(sizes), "tanh", output, N=N, seed=seed)
    u, v, dX = multipliers(net, X, np.random.default_rng(seed))
    Jv, Ju, Jv_x, Ju_x = products(net, X, u, v, dX)
    for left, right in (
        ((u * Jv).sum(), Ju @ v),
        ((u * Jv_x).sum(), (Ju_x * dX).sum()),
    ):
        assert left == pytest.approx(right, rel=1e-10, abs=1e-11)


def test_the_gradient_is_a_vector_jacobian_product():
    net, X, T = case((3, 5, 4, 2), ("tanh", "gelu"), "linear", N=6)
    np.testing.assert_allclose(
        vector_jacobian_product(net, X, net(X) - T),
        jl.error_gradient(net, X, T),
        rtol=1e-13,
    )


def test_weights_multiply_each_pattern_s_row(engine):
    net, X, u = case((3, 5, 2), "tanh", "softmax", N=6)
    weights = np.array([1.0, -1, 0, 2, 0.5, 3])
    for wrt in ("parameters", "inputs"):
        np.testing.assert_allclose(
            vector_jacobian_product(net, X, u, wrt=wrt, weights=weights),
            vector_jacobian_product(net, X, weights[:, None] * u, wrt=wrt),
            rtol=1e-12,
            atol=1e-15,
        )


def test_products_take_complex_numbers(engine):
    net, X, _ = case((3, 5, 4, 2), ("tanh", "gelu"), "softmax", N=4)
    rng = np.random.default_rng(0)
    u, v, dX = multipliers(net, X, rng)
    there = net.with_parameters(net.w + 0.1j * v)
    more = u + 1j * u[::-1], v - 2j * v[::-1], dX + 3j * dX[::-1]
    for arguments in (  # one of them, or all
        (there, X, u, v, dX),
        (net, X + 0.2j * dX, u, v, dX),
        (net, X, *more),
        (there, X + 0.2j * dX, *more),
    ):
        for found, expected in zip(
            products(*arguments), by_matrices(*arguments), strict=True
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    # ∂/∂x of uᵀJ(x)v, by the complex step
    second = complex_step(lambda x: vector_jacobian_product(net, x, u)[7], X)
    by_difference = central_difference(
        lambda x: vector_jacobian_product(net, x, u)[7], X
    )
    np.testing.assert_allclose(second, by_difference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_the_precision_of_products(precision, engine):
    net, X, _ = case((3, 5, 2), "tanh", "sigmoid", N=4)
    more = multipliers(net, X, np.random.default_rng(0))
    single = jl.Network(net.sizes, net.w.astype(np.float32), net.hidden, net.output)
    X, more = X.astype(np.float32), [A.astype(precision) for A in more]
    for found, expected in zip(
        products(single, X, *more), by_matrices(single, X, *more), strict=True
    ):
        assert found.dtype == precision
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_wide_networks_take_no_matrix():
    net = jl.Network.random((20, 30, 500), "gelu", "softmax")
    X = np.ones((50, 20))
    more = multipliers(net, X, np.random.default_rng(0))
    for engine in ("plain", "blocked"):
        with jl.engine(engine):
            products(net, X, *more)
            tracemalloc.start()
            products(net, X, *more)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 4e6  # J would take 50 · 500 · 16130 · 8 bytes, 3 GB


@pytest.mark.parametrize("wrt", ["parameters", "inputs"])
def test_what_does_not_fit_a_product(wrt):
    net, X, u = case((3, 5, 2), N=4)
    v = {"parameters": np.ones(net.n_parameters), "inputs": np.ones((4, 3))}
    jvp = lambda X, v, wrt=wrt: jacobian_vector_product(net, X, v, wrt=wrt)  # noqa: E731
    vjp = lambda X, u, wrt=wrt: vector_jacobian_product(net, X, u, wrt=wrt)  # noqa: E731
    message = {
        "parameters": r"v must have shape \(P,\) = \(32,\)",
        "inputs": r"v must have shape \(N, 3\)",
    }
    other = "inputs" if wrt == "parameters" else "parameters"
    with pytest.raises(
        ValueError, match=f"of the {other}.* did you mean wrt='{other}'"
    ):
        jvp(X, v[other])
    with pytest.raises(ValueError, match=message[wrt]):
        jvp(X, v[wrt][:, None])
    with pytest.raises(ValueError, match=r"v\[.*\] is nan"):
        jvp(X, np.full_like(v[wrt], np.nan))
    with pytest.raises(TypeError, match="v must hold numbers"):
        jvp(X, v[wrt].astype(str))
    with pytest.raises(ValueError, match=r"u must have shape \(N, 2\)"):
        vjp(X, u[:, :1])
    with pytest.raises(ValueError, match=r"shape \(2,\); .* batch of one: use u\[None"):
        vjp(X, u[0])
    with pytest.raises(ValueError, match=r"X and u must have one row for each"):
        vjp(X, u[:3])
    with pytest.raises(ValueError, match=r"u\[1, 0\] is inf"):
        vjp(X, np.array([[0, 0], [np.inf, 0], [0, 0], [0, 0]]))
    for product, A in ((jvp, v[wrt]), (vjp, u)):
        with pytest.raises(ValueError, match="wrt must be one of parameters, inputs"):
            product(X, A, "weights")


def test_rows_for_each_pattern_take_no_dask_array():
    net, X, u = case((3, 5, 2), N=4)
    chunks = da.from_array(X, chunks=(2, 3))
    for call in (
        lambda: vector_jacobian_product(net, chunks, u, wrt="inputs"),
        lambda: jacobian_vector_product(net, chunks, np.ones(32)),
    ):
        with pytest.raises(TypeError, match="only sums over the patterns take"):
            call()
    bad = u.copy()
    bad[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"u\[3, 1\] is nan"):
        vector_jacobian_product(net, chunks, da.from_array(bad, chunks=(2, 2)))
    np.testing.assert_allclose(
        vector_jacobian_product(net, chunks, 9 * u),  # beyond what targets may be
        vector_jacobian_product(net, X, 9 * u),
        rtol=1e-12,
    )
