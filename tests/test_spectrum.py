"""The spectrum: against LAPACK, exact averages over all signs, and polynomials."""

from itertools import product

import numpy as np
import pytest
from oracles import case
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import jachess_lib as jl
from jachess_lib import (
    Network,
    hessian_spectrum,
    hutchinson_trace,
    lanczos,
    spectral_density,
)

ARGUMENTS = [
    ((3, 4, 2, 5), "softplus", "softmax"),
    ((2, 5, 3), "tanh", "sigmoid"),
    ((3, 2, 4, 1), "gelu", "linear"),
]
EVERY = pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda a: a[2])


def symmetric(P, seed=0):
    A = np.random.default_rng(seed).standard_normal((P, P))
    return A + A.T


# All eigenvalues, and some


@EVERY
@pytest.mark.parametrize("curvature", ["exact", "outer_product"])
def test_the_spectrum_rebuilds_the_matrix(arguments, curvature, engine):
    net, X, T = case(*arguments)
    H = (
        jl.exact_hessian(net, X, T)
        if curvature == "exact"
        else jl.outer_product_hessian(net, X)
    )
    values, vectors = hessian_spectrum(net, X, T, curvature=curvature)
    assert (np.diff(values) >= 0).all()
    np.testing.assert_allclose(
        vectors @ np.diag(values) @ vectors.T, H, rtol=1e-10, atol=1e-11
    )
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(H)), atol=1e-12)


@pytest.mark.parametrize(
    ("which", "of"),
    [
        ("LA", lambda v: v[-3:]),
        ("SA", lambda v: v[:3]),
        ("LM", lambda v: np.sort(v[np.argsort(abs(v))[-3:]])),
        ("BE", lambda v: np.r_[v[:1], v[-2:]]),
    ],
)
def test_some_eigenvalues_by_products_alone(which, of, engine, monkeypatch):
    net, X, T = case((4, 6, 3), "tanh", "softmax", N=9)
    everything = hessian_spectrum(net, X, T).values
    monkeypatch.setattr("jachess_lib.spectrum.exact_hessian", None)
    some, vectors = hessian_spectrum(net, X, T, 3, which=which)
    np.testing.assert_allclose(some, of(everything), rtol=1e-9, atol=1e-9)
    H = jl.exact_hessian(net, X, T)
    np.testing.assert_allclose(H @ vectors, vectors * some, atol=1e-8)
    again = hessian_spectrum(net, X, T, 3, which=which)
    np.testing.assert_array_equal(again.values, some)  # nothing hangs on luck


@pytest.mark.parametrize("curvature", ["exact", "outer_product"])
@pytest.mark.parametrize("k", [None, 3])
def test_weights_count_patterns(curvature, k):
    net, X, T = case((2, 5, 3), "tanh", "sigmoid", N=4)
    often = [0, 2, 2, 3, 3, 3]
    ways = {"k": k, "which": "LA", "curvature": curvature}
    found = hessian_spectrum(net, X, T, weights=[1.0, 0.0, 2.0, 3.0], **ways)
    same = hessian_spectrum(net, X[often], T[often], **ways)
    np.testing.assert_allclose(found.values, same.values, rtol=1e-9, atol=1e-11)
    with pytest.raises(ValueError, match=r"weights must have shape \(N,\) = \(4,\)"):
        hessian_spectrum(net, X, T, weights=[1.0], **ways)


def test_the_outer_product_by_products_needs_no_targets():
    net, X, _ = case((4, 6, 3), "tanh", "softmax", N=9)
    values = np.linalg.eigvalsh(jl.outer_product_hessian(net, X))
    some = hessian_spectrum(net, X, None, 4, curvature="outer_product").values
    np.testing.assert_allclose(some, values[-4:], rtol=1e-9)


def test_as_many_as_there_are_is_all_of_them():
    net, X, T = case((2, 1), "tanh", "linear")
    for k in (3, 99):
        np.testing.assert_array_equal(
            hessian_spectrum(net, X, T, k).values, hessian_spectrum(net, X, T).values
        )


def test_closed_forms():
    """A scalar network at its minimum: 0 and (w₁² + w₂²) x²; ±t x at the origin."""
    minimum = Network((1, 1, 1), [0, 2, 0, 3], "identity")
    places, x = [1, 3], 0.5
    H = jl.exact_hessian(minimum, [[x]], [[3.0]])[np.ix_(places, places)]
    theta, _ = lanczos(H, 2).quadrature()
    np.testing.assert_allclose(theta, [0, 13 * x**2], atol=1e-13)
    saddle = minimum.with_parameters(np.zeros(4))
    H = jl.exact_hessian(saddle, [[x]], [[3.0]])[np.ix_(places, places)]
    np.testing.assert_allclose(np.linalg.eigvalsh(H), [-1.5, 1.5])


def test_dual_eigenvalues_of_the_outer_product():
    net, X, _ = case((3, 5, 2), "tanh", "linear", N=4)
    J = jl.parameter_jacobian(net, X).reshape(8, -1)
    values = hessian_spectrum(net, X, None, curvature="outer_product").values
    np.testing.assert_allclose(values[-8:], np.linalg.eigvalsh(J @ J.T), rtol=1e-9)
    assert abs(values[:-8]).max() < 1e-10


# Lanczos


def test_lanczos_by_hand():
    found = lanczos([[5.0, 2.0], [2.0, 2.0]], 2, [1.0, 0.0])
    np.testing.assert_allclose(found.diagonal, [5, 2])
    np.testing.assert_allclose(found.off_diagonal, [2])
    np.testing.assert_allclose(found.V, np.eye(2))
    theta, tau = found.quadrature()
    np.testing.assert_allclose(theta, [1, 6])
    np.testing.assert_allclose(tau, [0.2, 0.8])


@pytest.mark.parametrize("steps", [1, 5, 30])
def test_lanczos_makes_a_tridiagonal_matrix(steps):
    A = symmetric(30)
    for B in (A, aslinearoperator(A), A.tolist()):
        kappa, beta, V = lanczos(B, steps, seed=3)
        assert V.shape == (30, steps)
        small = np.diag(kappa) + np.diag(beta, 1) + np.diag(beta, -1)
        np.testing.assert_allclose(V.T @ A @ V, small, atol=1e-12)
        np.testing.assert_allclose(V.T @ V, np.eye(steps), atol=1e-13)
    assert (beta > 0).all()
    if steps == 30:
        theta, _ = lanczos(A, 30).quadrature()
        np.testing.assert_allclose(theta, np.linalg.eigvalsh(A), atol=1e-11)


def test_the_recurrence_alone_is_right_for_a_few_steps():
    A = symmetric(30)
    with_help = lanczos(A, 6, seed=1)
    for found, truth in zip(
        lanczos(A, 6, seed=1, reorthogonalise=False), with_help, strict=True
    ):
        np.testing.assert_allclose(found, truth, rtol=1e-10, atol=1e-12)


def test_without_help_an_eigenvalue_is_found_more_than_once():
    A = np.diag(np.r_[np.linspace(0, 1, 150), 30.0])
    copies = [
        (abs(lanczos(A, 80, reorthogonalise=helped).quadrature()[0] - 30) < 1e-6).sum()
        for helped in (True, False)
    ]
    assert copies[0] == 1 < copies[1]


@pytest.mark.parametrize("steps", [2, 4])
def test_the_quadrature_is_exact_for_polynomials(steps):
    """Up to the degree 2 m − 1, and not for the next."""
    A, v = symmetric(12, 1), np.random.default_rng(2).standard_normal(12)
    theta, tau = lanczos(A, steps, v).quadrature()
    assert np.isclose(tau.sum(), 1)
    power, off = v, []
    for degree in range(2 * steps + 1):
        truth = v @ power / (v @ v)
        off.append(abs(tau @ theta**degree - truth) / np.abs(A).max() ** degree)
        power = A @ power
    assert max(off[:-1]) < 1e-12 < 1e-4 < off[-1]


def test_lanczos_stops_where_no_direction_is_new():
    A = np.diag([3.0, 3.0, 1.0, 1.0, 1.0])
    found = lanczos(A, 5, np.ones(5))
    assert found.V.shape == (5, 2)
    theta, tau = found.quadrature()
    np.testing.assert_allclose(theta, [1, 3])
    np.testing.assert_allclose(tau, [0.6, 0.4])
    alone = lanczos(A, 5, [0, 1.0, 0, 0, 0])
    np.testing.assert_allclose(alone.quadrature(), [[3], [1]])
    nothing = lanczos(np.zeros((4, 4)), 3)
    np.testing.assert_array_equal(nothing.quadrature(), [[0], [1]])


def test_lanczos_stops_where_only_rounding_is_left():
    Q, _ = np.linalg.qr(np.random.default_rng(4).standard_normal((20, 20)))
    A = Q @ np.diag(np.repeat([1.0, 2.0, 5.0], [9, 6, 5])) @ Q.T
    found = lanczos((A + A.T) / 2, 20, seed=1)
    assert found.V.shape == (20, 3)
    np.testing.assert_allclose(found.quadrature()[0], [1, 2, 5], atol=1e-12)


def test_the_vectors_stay_orthogonal_over_many_powers_of_ten():
    Q, _ = np.linalg.qr(np.random.default_rng(4).standard_normal((80, 80)))
    A = Q @ np.diag(np.logspace(0, -11, 80)) @ Q.T
    V = lanczos((A + A.T) / 2, 60, seed=1).V
    assert abs(V.T @ V - np.eye(V.shape[1])).max() < 1e-14


def test_sizes_do_not_matter_to_lanczos():
    A = symmetric(9)
    for size in (1e-100, 1e100):
        theta, _ = lanczos(A * size, 9).quadrature()
        np.testing.assert_allclose(theta / size, np.linalg.eigvalsh(A), atol=1e-12)


@EVERY
def test_lanczos_of_an_operator(arguments, engine):
    net, X, T = case(*arguments)
    values = np.linalg.eigvalsh(jl.exact_hessian(net, X, T))
    theta, _ = lanczos(jl.HessianOperator(net, X, T), 20).quadrature()
    np.testing.assert_allclose(theta[-1], values[-1], rtol=1e-8)


def test_an_operator_of_single_precision():
    net, X, _ = case((3, 4, 2), "tanh", "softmax")
    single = Network(net.sizes, net.w.astype(np.float32), "tanh", "softmax")
    G = jl.GaussNewtonOperator(single, X.astype(np.float32))
    values = np.linalg.eigvalsh(jl.outer_product_hessian(net, X))
    theta, _ = lanczos(G, 6).quadrature()
    np.testing.assert_allclose(theta[-1], values[-1], rtol=1e-5)


# Traces and densities


def test_the_mean_over_all_signs_is_the_trace(monkeypatch):
    A = symmetric(6)
    every = np.array(list(product([-1.0, 1.0], repeat=6)))
    assert np.isclose(np.mean([s @ A @ s for s in every]), np.trace(A))
    found = hutchinson_trace(A, 400)
    assert abs(found.value - np.trace(A)) < 4 * found.error
    by_error = hutchinson_trace(A, 1600).error
    assert 1.7 < found.error / by_error < 2.3
    assert hutchinson_trace(np.diag([1.0, 2.0]), 2) == (3, 0)
    assert hutchinson_trace(A, 1).error == np.inf


def test_the_trace_is_that_of_the_operator():
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=8)
    H = jl.HessianOperator(net, X, T)
    assert hutchinson_trace(H, 30, seed=4) == pytest.approx(H.trace(30, seed=4))


def test_the_density_with_all_steps_is_a_mean_over_starts():
    """By definition: Σ_p (u_pᵀv)² of a normal curve at λ_p, averaged."""
    A, x = symmetric(8), np.linspace(-9, 9, 40)
    found = spectral_density(A, x, 0.5, steps=8, probes=3, seed=5)
    values, vectors = np.linalg.eigh(A)
    curves = np.exp(-((x[:, None] - values) ** 2) / 0.5) / np.sqrt(2 * np.pi) / 0.5
    signs = np.random.default_rng(5).choice([-1.0, 1.0], (3, 8))
    shares = ((signs @ vectors) ** 2 / 8).mean(axis=0)
    np.testing.assert_allclose(found, curves @ shares, atol=1e-10)


def test_the_density_nears_that_of_the_eigenvalues():
    A, x = symmetric(60), np.linspace(-40, 40, 801)
    found = spectral_density(A, x, 2.0, steps=60, probes=200)
    values = np.linalg.eigvalsh(A)
    truth = np.exp(-((x[:, None] - values) ** 2) / 8).mean(axis=1) / np.sqrt(8 * np.pi)
    assert abs(found - truth).max() < 0.1 * truth.max()
    assert np.isclose(found.sum() * 0.1, 1, atol=1e-6)
    assert spectral_density(A, 0.0, 2.0, steps=9, probes=2).shape == ()


# What the chapter says


def test_descent_is_stable_below_two_over_the_largest_eigenvalue():
    A, w = np.array([[5.0, 2.0], [2.0, 2.0]]), np.array([1.0, -1.0])
    values, vectors = np.linalg.eigh(A)
    for eta, grows in ((1.99 / 6, False), (2.01 / 6, True)):
        walked = w
        for _ in range(300):
            walked = walked - eta * A @ walked
        expected = (1 - eta * values) ** 300 * (vectors.T @ w)
        np.testing.assert_allclose(vectors.T @ walked, expected, atol=1e-12)
        assert (np.linalg.norm(walked) > np.linalg.norm(w)) == grows


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_limit_of_averaged_momentum(beta):
    for factor, grows in ((0.999, False), (1.001, True)):
        eta = factor * (2 + 2 * beta) / (1 - beta)  # for an eigenvalue of 1
        step = np.array([[1 - eta * (1 - beta), -eta * beta], [1 - beta, beta]])
        assert (abs(np.linalg.eigvals(step)).max() > 1) == grows


def test_rescaling_a_rectifier_is_a_curve_and_no_line():
    """H v = −A ∇E along it, so it is a null vector at a stationary point alone."""
    net, X, T = case((4, 3, 2), "relu", "linear", N=7)
    for j in range(3):
        v, A = np.zeros(net.n_parameters), np.zeros(net.n_parameters)
        into = slice(5 * j, 5 * j + 5)
        out = [net.index(1, k, j + 1) for k in range(2)]
        v[into], v[out] = net.w[into], -net.w[out]
        A[into], A[out] = 1, -1
        gradient = jl.error_gradient(net, X, T)
        Hv = jl.hessian_vector_product(net, X, T, v)
        assert abs(v @ gradient) < 1e-11
        np.testing.assert_allclose(Hv, -A * gradient, atol=1e-10)
        assert abs(jl.hessian_vector_product(net, X, net(X), v)).max() < 1e-12


# Bad input


def test_matrices_that_are_none():
    v = np.ones(3)
    for f in (
        lambda A: lanczos(A, 1),
        lambda A: hutchinson_trace(A),
        lambda A: spectral_density(A, 0.0, 1.0, steps=1),
    ):
        with pytest.raises(ValueError, match="A must be square, .* got shape"):
            f(np.ones((3, 2)))
        with pytest.raises(ValueError, match="A must be square"):
            f(v)
        with pytest.raises(ValueError, match="A must be square"):
            f(np.empty((0, 0)))
        with pytest.raises(ValueError, match="A is not symmetric"):
            f(np.triu(np.ones((3, 3))))
        with pytest.raises(ValueError, match=r"A\[0, 1\] is nan"):
            f([[1.0, np.nan], [0.0, 1.0]])
        with pytest.raises(ValueError, match="A must be real"):
            f(1j * np.eye(2))
        with pytest.raises(TypeError, match="A must hold numbers"):
            f("A")
        overflowing = LinearOperator((2, 2), lambda v: v * np.inf, dtype=float)
        with pytest.raises(ValueError, match="a product with A is not finite"):
            f(overflowing)


def test_starts_and_steps_that_do_not_fit():
    A = np.eye(3)
    with pytest.raises(ValueError, match="steps is 4, but A has only 3 eigenvalues"):
        lanczos(A, 4)
    with pytest.raises(ValueError, match="steps must be a positive whole number"):
        lanczos(A, 0)
    with pytest.raises(ValueError, match="v is zero"):
        lanczos(A, 1, np.zeros(3))
    with pytest.raises(ValueError, match=r"v must have shape \(3,\), got shape \(2,\)"):
        lanczos(A, 1, np.ones(2))
    with pytest.raises(ValueError, match=r"v\[1\] is inf"):
        lanczos(A, 1, [1.0, np.inf, 0.0])
    with pytest.raises(ValueError, match="v must be real"):
        lanczos(A, 1, 1j * np.ones(3))
    with pytest.raises(ValueError, match="probes must be a positive whole number"):
        hutchinson_trace(A, 0)
    # more steps than eigenvalues tell nothing more
    assert spectral_density(A, 0.0, 1.0) == spectral_density(A, 0.0, 1.0, steps=3)
    for width in (0.0, -1.0):
        with pytest.raises(ValueError, match="width must be larger than 0"):
            spectral_density(A, 0.0, width, steps=2)
    with pytest.raises(ValueError, match=r"x\[\d\] is .*: every entry must be finite"):
        spectral_density(A, [0.0, np.nan], 1.0, steps=2)


def test_a_spectrum_that_cannot_be(monkeypatch):
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    with pytest.raises(ValueError, match="which must be one of LM, LA, SA, BE"):
        hessian_spectrum(net, X, T, 2, which="top")
    with pytest.raises(ValueError, match="curvature must be one of exact, outer_pro"):
        hessian_spectrum(net, X, T, curvature="fisher")
    with pytest.raises(ValueError, match="k must be a positive whole number"):
        hessian_spectrum(net, X, T, 0)
    with pytest.raises(TypeError, match="net must be a Network"):
        hessian_spectrum(None, X, T)
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        hessian_spectrum(net, X, None)

    from jachess_lib._engine import spectrum

    def gives_up(*args, **kwargs):
        raise spectrum.ArpackNoConvergence("", np.ones(1), np.ones((26, 1)))

    monkeypatch.setattr(spectrum, "eigsh", gives_up)
    with pytest.raises(RuntimeError, match="only 1 of the 2 eigenvalues were found"):
        hessian_spectrum(net, X, T, 2)


@pytest.mark.parametrize("curvature", ["exact", "outer_product"])
def test_the_spectrum_of_no_patterns_is_zero(curvature):
    net = jl.Network.random((3, 4, 2))
    X, T = np.empty((0, 3)), np.empty((0, 2))
    for k in (None, 3):
        found = jl.hessian_spectrum(net, X, T, k, curvature=curvature)
        assert not found.values.any()
        np.testing.assert_array_equal(
            found.vectors.T @ found.vectors, np.eye(len(found.values))
        )
