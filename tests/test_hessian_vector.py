import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import (
    CASES,
    autograd_error,
    autograd_outputs,
    case,
    case_name,
    targets,
)
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg, eigsh, minres

import jachess_lib as jl
from jachess_lib import (
    GaussNewtonOperator,
    HessianOperator,
    central_difference,
    complex_step,
    error_gradient,
    exact_hessian,
    gauss_newton_vector_product,
    hessian_vector_product,
    outer_product_hessian,
)

EVERY_CASE = pytest.mark.parametrize("c", CASES, ids=case_name)


def direction(net, seed=3):
    """Return a random direction in parameter space."""
    return np.random.default_rng(seed).standard_normal(net.n_parameters)


@EVERY_CASE
def test_against_the_complex_step_along_v(c):
    net, X, T = case(*c)
    v = direction(net)
    expected = complex_step(
        lambda r: error_gradient(net.with_parameters(net.w + r * v), X, T), 0.0
    )
    Hv = hessian_vector_product(net, X, T, v)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(Hv, expected, rtol=1e-10, atol=1e-14 * scale)


@EVERY_CASE
def test_against_the_matrices(c):
    net, X, T = case(*c)
    v = direction(net)
    H, G = exact_hessian(net, X, T), outer_product_hessian(net, X)
    for found, A in [
        (hessian_vector_product(net, X, T, v), H),
        (gauss_newton_vector_product(net, X, v), G),
    ]:
        np.testing.assert_allclose(found, A @ v, atol=1e-13 * max(1, np.abs(A).max()))


@pytest.mark.parametrize("c", [c for c in CASES if "gelu" not in c[1]], ids=case_name)
def test_against_autograd(c):
    net, X, T = case(*c, seed=6)
    v = direction(net)
    gradient = autograd.grad(lambda w: autograd_error(net, w, X, T))
    expected = autograd.grad(lambda w: anp.dot(gradient(w), v))(net.w.copy())
    Hv = hessian_vector_product(net, X, T, v)
    np.testing.assert_allclose(
        Hv, expected, rtol=1e-8, atol=1e-12 * max(1, np.abs(expected).max())
    )


@EVERY_CASE
def test_second_derivatives_in_the_inputs_by_the_complex_step_of_the_jacobian(c):
    net, X, _ = case(*c)
    v = np.random.default_rng(5).standard_normal(X.shape)
    d2y = np.stack(
        [complex_step(lambda x: jl.input_jacobian(net, x[None])[0], x) for x in X]
    )
    scale = max(1, np.abs(d2y).max())
    for found, expected in [
        (jl.input_hessian_vector_product(net, X, v), np.einsum("nkij,nj->nki", d2y, v)),
        (jl.input_laplacian(net, X), np.einsum("nkii->nk", d2y)),
    ]:
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14 * scale)


def test_second_derivatives_in_complex_inputs():
    net, X, _ = case((3, 5, 4, 2), "tanh", "softmax")
    along, v, u = np.random.default_rng(6).standard_normal((3, *X.shape))
    product = jl.input_hessian_vector_product
    for f in (lambda X: jl.input_laplacian(net, X), lambda X: product(net, X, v)):
        step = f(X + 1e-30j * along).imag / 1e-30
        by_differences = (f(X + 1e-6 * along) - f(X - 1e-6 * along)) / 2e-6
        np.testing.assert_allclose(step, by_differences, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        product(net, X, v + 1j * u),
        product(net, X, v) + 1j * product(net, X, u),
        rtol=1e-12,
        atol=1e-13,
    )


def test_the_laplacian_of_a_network_known_on_paper():
    # y = e^(2 x_1) + e^(3 x_2 − 1): Σ_i ∂²y/∂x_i² = 4 e^(2 x_1) + 9 e^(3 x_2 − 1)
    net = jl.Network((2, 2, 1), [0, 2, 0, -1, 0, 3, 0, 1, 1], hidden="exp")
    X = np.array([[0.3, -0.2], [1.0, 0.5], [-2.0, 0.1]])
    one, two = np.exp(2 * X[:, 0]), np.exp(3 * X[:, 1] - 1)
    np.testing.assert_allclose(
        jl.input_laplacian(net, X)[:, 0], 4 * one + 9 * two, rtol=1e-14
    )
    np.testing.assert_allclose(
        jl.input_hessian_vector_product(net, X, np.tile([10.0, 1.0], (3, 1)))[:, 0],
        np.stack([40 * one, 9 * two], axis=1),
        rtol=1e-14,
    )


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
def test_second_derivatives_in_the_inputs_by_autograd(output):
    net, X, _ = case((3, 5, 4, 2), "tanh", output)
    d2y = autograd.jacobian(
        autograd.jacobian(lambda x: autograd_outputs(net, net.w, x[None])[0])
    )
    np.testing.assert_allclose(
        jl.input_laplacian(net, X),
        [np.trace(d2y(x), axis1=1, axis2=2) for x in X],
        rtol=1e-11,
    )


@pytest.mark.parametrize("engine", ["plain", "blocked"])
def test_second_derivatives_in_the_inputs_of_many_patterns_few_and_none(engine):
    net, X, _ = case((3, 40, 30, 2), "softplus", "softmax")
    many = np.repeat(X, 2000, axis=0)
    with jl.engine(engine):
        for of in (
            jl.input_laplacian,
            lambda net, X: jl.input_hessian_vector_product(net, X, X + 1),
        ):
            one_by_one = np.concatenate([of(net, x[None]) for x in X])
            np.testing.assert_allclose(
                of(net, many), np.repeat(one_by_one, 2000, axis=0), rtol=1e-12
            )
            assert of(net, X[:0]).shape == (0, *one_by_one.shape[1:])
            single = net.with_parameters(net.w.astype(np.float32))
            assert of(single, X.astype(np.float32)).dtype == np.float32


def test_forgotten_terms_of_the_laplacian_are_seen():
    net, X, _ = case((3, 5, 4, 2), "tanh", "softmax")
    right = jl.input_laplacian(net, X)
    straight = jl.HiddenUnit(
        "no bend", np.tanh, lambda a: 1 - np.tanh(a) ** 2, np.zeros_like
    )
    no_bend = jl.Network(net.sizes, net.w, straight, "softmax")
    linear = jl.Network(net.sizes, net.w, "tanh", "linear")
    for wrong in (jl.input_laplacian(no_bend, X), jl.input_laplacian(linear, X)):
        assert np.abs(wrong - right).max() > 0.1 * np.abs(right).max()


def test_central_differences_of_the_gradient_fall_with_their_order():
    net, X, T = case((3, 4, 5, 2), "tanh", "softmax")
    v = direction(net) / 10
    Hv = hessian_vector_product(net, X, T, v)

    def gradient(r):
        return error_gradient(net.with_parameters(net.w + r * v), X, T)

    errors = [
        abs(central_difference(gradient, 0.0, step) - Hv).max()
        for step in (1, 1e-1, 1e-2)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 100, rtol=0.2)


def test_pearlmutter_s_lines_index_by_index():
    net, X, T = case((2, 3, 4), "gelu", "softmax", N=2)
    v = direction(net)
    V, W, unit = net.with_parameters(v).W, net.W, net.hidden[0]
    trace, expected = jl.forward(net, X), np.zeros(net.n_parameters)
    M, delta = net.output.dy_da(trace.a[1]), trace.y - T
    for n in range(2):
        x, z, a = trace.z[0][n], trace.z[1][n], trace.a[0][n]
        R_a = [sum(V[0][j, i] * x[i] for i in range(3)) for j in range(3)]
        R_z = [0, *(unit.dh(a[j]) * R_a[j] for j in range(3))]
        R_out = [
            sum(V[1][k, j] * z[j] + W[1][k, j] * R_z[j] for j in range(4))
            for k in range(4)
        ]
        R_d = [sum(M[n, k, l] * R_out[l] for l in range(4)) for k in range(4)]
        for k, j in np.ndindex(4, 4):
            expected[net.index(1, k, j)] += R_d[k] * z[j] + delta[n, k] * R_z[j]
        for j in range(3):
            back = sum(W[1][k, 1 + j] * delta[n, k] for k in range(4))
            R_back = sum(
                V[1][k, 1 + j] * delta[n, k] + W[1][k, 1 + j] * R_d[k] for k in range(4)
            )
            R_dj = unit.d2h(a[j]) * R_a[j] * back + unit.dh(a[j]) * R_back
            for i in range(3):
                expected[net.index(0, j, i)] += R_dj * x[i]
    np.testing.assert_allclose(
        hessian_vector_product(net, X, T, v), expected, rtol=1e-11, atol=1e-13
    )


def test_planted_mistakes_are_caught():
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    v = direction(net)
    no_biases = v.copy()
    no_biases[[net.index(l, j, 0) for l, m in enumerate((4, 2)) for j in range(m)]] = 0
    witness = complex_step(
        lambda r: error_gradient(net.with_parameters(net.w + r * v), X, T), 0.0
    )
    for mistake in (
        gauss_newton_vector_product(net, X, v),
        hessian_vector_product(net, X, T, no_biases),
        hessian_vector_product(net, X, T, v) / len(X),
        hessian_vector_product(net, X, net(X), v),
    ):
        assert not np.allclose(mistake, witness, rtol=1e-2)


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=6),
    st.sampled_from(["tanh", "softplus", "gelu"]),
    st.sampled_from(list(jl.OUTPUT_UNITS)),
    st.integers(0, 4),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_any_network_and_any_number_of_patterns(sizes, hidden, output, N, seed):
    net, X, T = case(tuple(sizes), hidden, output, N=N, seed=seed)
    u, v = direction(net, 1), direction(net, 2)
    H, G = HessianOperator(net, X, T), GaussNewtonOperator(net, X)
    scale = max(1, np.abs(exact_hessian(net, X, T)).max()) * len(u)
    np.testing.assert_allclose(H @ v, exact_hessian(net, X, T) @ v, atol=1e-12 * scale)
    assert u @ (H @ v) == pytest.approx(v @ (H @ u), abs=1e-12 * scale)
    assert v @ (G @ v) > -1e-12 * scale


@pytest.mark.parametrize("columns", [0, 1, 16, 17, 40])
def test_operators_times_matrices(columns):
    net, X, T = case((3, 4, 5, 2), "tanh", "softmax", N=6)
    V = np.random.default_rng(0).standard_normal((net.n_parameters, columns))
    for operator, A in [
        (HessianOperator(net, X, T), exact_hessian(net, X, T)),
        (GaussNewtonOperator(net, X), outer_product_hessian(net, X)),
    ]:
        assert isinstance(operator, LinearOperator)
        assert operator.shape == A.shape
        assert operator.dtype == A.dtype
        assert (operator @ V).shape == V.shape
        np.testing.assert_allclose(operator @ V, A @ V, atol=1e-12)
        np.testing.assert_allclose(operator.T @ V, A @ V, atol=1e-12)
        np.testing.assert_allclose(operator.H @ V, A @ V, atol=1e-12)


def test_operators_serve_scipy_s_solvers():
    net, X, T = case((4, 5, 3), "tanh", "softmax", N=30)
    H, G = exact_hessian(net, X, T), outer_product_hessian(net, X)
    operator = HessianOperator(net, X, T)
    extremes = eigsh(operator, 2, which="BE", return_eigenvectors=False)
    np.testing.assert_allclose(
        sorted(extremes), np.linalg.eigvalsh(H)[[0, -1]], rtol=1e-8
    )
    b, eye = direction(net), LinearOperator(H.shape, lambda v: v, dtype=float)
    for solver, operator, A in [
        (cg, GaussNewtonOperator(net, X) + eye, G + np.eye(len(b))),
        (minres, HessianOperator(net, X, T) + eye, H + np.eye(len(b))),
    ]:
        solution, failed = solver(operator, b, rtol=1e-10, maxiter=1000)
        assert failed == 0
        np.testing.assert_allclose(A @ solution, b, atol=1e-6)


def test_the_product_serves_a_trust_region():
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=20)

    def value(w):
        return jl.error(net.with_parameters(w), X, T) + w @ w / 2

    def gradient(w):
        return error_gradient(net.with_parameters(w), X, T) + w

    def hessp(w, v):
        return hessian_vector_product(net.with_parameters(w), X, T, v) + v

    found = minimize(value, net.w, jac=gradient, hessp=hessp, method="trust-krylov")
    assert found.success
    assert np.abs(gradient(found.x)).max() < 1e-4


def test_float32_stays_float32_and_the_wider_precision_wins():
    net, X, T = case((3, 4, 2), "gelu", "softmax")
    v = direction(net)
    Hv = hessian_vector_product(net, X, T, v)
    single = jl.Network(net.sizes, net.w.astype(np.float32), "gelu", "softmax")
    X32, v32 = X.astype(np.float32), v.astype(np.float32)
    result = hessian_vector_product(single, X32, T, v32)
    assert result.dtype == np.float32
    for at, data, dtype in [
        (single, X32, np.float32),
        (single, X, np.float64),
        (net, X32, np.float64),
    ]:
        for operator in (HessianOperator(at, data, T), GaussNewtonOperator(at, data)):
            assert operator.dtype == dtype
            twice = np.stack([v32, v32], axis=1)
            assert (operator @ v32).dtype == (operator @ twice).dtype == dtype
    np.testing.assert_allclose(result, Hv, atol=1e-4 * np.abs(Hv).max())
    for args in [(net, X32, T, v32), (single, X, T, v32), (single, X32, T, v)]:
        assert hessian_vector_product(*args).dtype == np.float64


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
@pytest.mark.parametrize("hidden", list(jl.HIDDEN_UNITS))
def test_extreme_inputs(hidden, output):
    net = jl.Network.random((3, 4, 2), hidden, output)
    X = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [90, 40, -300]])
    X *= 0.01 if hidden == "exp" else 1  # its matrices may exceed any number
    T = targets(np.random.default_rng(0), output, 3, 2)
    v = direction(net)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(hessian_vector_product(net, X, T, v)).all()
        assert np.isfinite(gauss_newton_vector_product(net, X, v)).all()


@pytest.mark.parametrize(
    "f",
    [
        lambda net, X, T, v: hessian_vector_product(net, X, T, v),
        lambda net, X, T, v: gauss_newton_vector_product(net, X, v),
    ],
)
def test_bad_directions(f):
    net, X, T = case((3, 4, 2))
    P = net.n_parameters
    for v in (np.ones(P + 1), np.ones((P, 1)), 1.0):
        with pytest.raises(ValueError, match=rf"v must have shape \(P,\) = \({P},\)"):
            f(net, X, T, v)
    v = np.ones(P)
    v[2] = np.nan
    with pytest.raises(ValueError, match=r"v\[2\] is nan"):
        f(net, X, T, v)
    with pytest.raises(ValueError, match="v must be real"):
        f(net, X, T, np.ones(P) + 0j)
    with pytest.raises(TypeError, match="^v must hold numbers"):
        f(net, X, T, np.array(["a"] * P))


def test_operators_check_their_data_at_once():
    net, X, T = case((3, 4, 2))
    with pytest.raises(ValueError, match="X must have shape"):
        GaussNewtonOperator(net, X[:, :2])
    with pytest.raises(ValueError, match="T must have shape"):
        HessianOperator(net, X, T[:, :1])


def test_arguments_are_left_alone():
    net, X, T = case((3, 4, 2), "tanh", "sigmoid")
    v = direction(net)
    before = [array.copy() for array in (X, T, v)]
    operator = HessianOperator(net, X, T)
    first = operator @ v
    np.testing.assert_array_equal(operator @ v, first)
    for array, was in zip((X, T, v), before, strict=True):
        np.testing.assert_array_equal(array, was)


# Operands of any dtype


OPERANDS = {
    "int64": np.int64, "int8": np.int8, "bool": bool, "uint16": np.uint16,
    "float16": np.float16, "float32": np.float32, "float64": np.float64,
    "longdouble": np.longdouble, "complex64": np.complex64, "complex128": complex,
}  # fmt: skip


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("shape", ["vector", "block"])
def test_operands_of_any_dtype(engine, dtype, precision, shape):
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    P = net.n_parameters
    v = np.random.default_rng(5).choice([-1, 1], (P, 3) if shape == "block" else P)
    kind = np.dtype(dtype).kind
    if kind in "bu":
        v = v > 0
    if kind in "fc":
        v = 1.3 * v
    if kind == "c":
        v = v + 0.7j * (v > 0)
    v = v.astype(dtype)
    net = jl.Network(net.sizes, net.w.astype(precision), output="softmax")
    X, T = X.astype(precision), T.astype(precision)
    for operator, H in [
        (HessianOperator(net, X, T), jl.exact_hessian(net, X, T)),
        (GaussNewtonOperator(net, X), jl.outer_product_hessian(net, X)),
    ]:
        found = operator @ v
        assert found.dtype == np.result_type(operator.dtype, v.dtype)
        expected = H.astype(complex) @ v
        tolerance = 3e-6 if precision == np.float32 else 1e-13
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.int64, bool, np.float16, np.float32, np.float64])
def test_directions_of_any_dtype(engine, dtype, precision):
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    net = jl.Network(net.sizes, net.w.astype(precision), output="softmax")
    X, T = X.astype(precision), T.astype(precision)
    v = np.random.default_rng(5).choice([0, 1], net.n_parameters).astype(dtype)
    H, G = jl.exact_hessian(net, X, T), jl.outer_product_hessian(net, X)
    for found, matrix in [
        (hessian_vector_product(net, X, T, v), H),
        (gauss_newton_vector_product(net, X, v), G),
    ]:
        assert found.dtype == np.result_type(precision, dtype)
        np.testing.assert_allclose(found, matrix @ v, rtol=0, atol=1e-5)


def test_a_direction_of_double_precision_keeps_it(engine):
    net, X, T = case((3, 4, 2), "tanh", "linear")
    net = jl.Network(net.sizes, net.w.astype(np.float32))
    X, T = X.astype(np.float32), T.astype(np.float32)
    v = np.random.default_rng(0).standard_normal(net.n_parameters)
    at = HessianOperator(net, X, T)
    small = 1e-9 * v  # below what single precision sees beside v
    np.testing.assert_allclose(
        at @ (v + small) - at @ v, at @ small, rtol=1e-4, atol=1e-13
    )


def test_operands_that_hold_no_numbers():
    net, X, T = case((3, 4, 2))
    operator = HessianOperator(net, X, T)
    for wrong in (np.array(["a"] * 26), np.zeros(26, object)):
        with pytest.raises(TypeError, match="^v must hold numbers"):
            operator @ wrong


@pytest.mark.parametrize(
    "method", ["trust-krylov", "trust-ncg", "Newton-CG", "trust-constr"]
)
@pytest.mark.parametrize("way", ["hess", "hessp"])
def test_the_operator_serves_scipy_s_minimisers(method, way):
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=20)
    # T = y at the start of a run from elsewhere: the minimum is known, and regular
    T = net(X)
    start = net.w + 0.1 * np.random.default_rng(0).standard_normal(net.n_parameters)

    def at(w):
        return net.with_parameters(w)

    curvature = {
        "hess": lambda w: HessianOperator(at(w), X, T),
        "hessp": lambda w, v: hessian_vector_product(at(w), X, T, v),
    }
    result = minimize(
        lambda w: jl.error(at(w), X, T),
        start,
        jac=lambda w: jl.error_gradient(at(w), X, T),
        method=method,
        **{way: curvature[way]},
    )
    assert jl.error(at(result.x), X, T) == pytest.approx(jl.error(net, X, T), rel=1e-5)


def test_an_operator_is_not_an_array_to_numpy():
    net, X, T = case((3, 4, 2))
    operator, v = HessianOperator(net, X, T), np.ones(26)
    np.testing.assert_array_equal(np.dot(operator, v), operator @ v)
    for call in (lambda: np.dot(v, operator), lambda: np.linalg.norm(operator)):
        with pytest.raises(TypeError):
            call()


def test_an_estimated_trace_is_that_of_its_seed_with_its_standard_error():
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    operator = HessianOperator(net, X, T)
    H = operator.to_dense()
    for seed in (0, 7):
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], (9, net.n_parameters))
        found = [s @ H @ s for s in signs]
        value, error = operator.trace(probes=9, seed=seed)
        assert value == pytest.approx(np.mean(found), rel=1e-12)
        assert error == pytest.approx(np.std(found, ddof=1) / 3, rel=1e-12)
    assert operator.trace(probes=9) == operator.trace(probes=9, seed=0)
    assert operator.trace(probes=1).error == np.inf
