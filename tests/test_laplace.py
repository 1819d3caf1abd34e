import mpmath as mp
import numpy as np
import pytest
from oracles import case, exact
from scipy.stats import multivariate_normal, norm

import jachess_lib as jl
from jachess_lib.laplace import (
    activation_variance,
    determined,
    laplace,
    log_evidence,
    moderated,
    posterior_precision,
)


def minimum(net, X, T, alpha, beta=1.0):
    """Return the network at the minimum of βE + ½α‖w‖², whatever its outputs."""
    if net.output.name == "linear":
        fit = jl.levenberg_marquardt(net, X, T, alpha=alpha / beta, tolerance=1e-13)
        return fit.net
    for _ in range(50):  # one layer: convex
        g = beta * jl.error_gradient(net, X, T) + alpha * net.w
        A = beta * jl.outer_product_hessian(net, X) + alpha * np.eye(len(g))
        net = net.with_parameters(net.w - np.linalg.solve(A, g))
    return net


def line(N=6, D=2, K=1, alpha=0.7, beta=2.5, seed=0):
    """Return a linear network at its minimum, its data, and its inputs with ones."""
    net, X, T = case((D, K), N=N, seed=seed)
    return minimum(net, X, T, alpha, beta), X, T, np.column_stack([np.ones(N), X])


# Exact where it must be


@pytest.mark.parametrize("K", [1, 3])
def test_the_evidence_of_a_linear_gaussian_model_is_exact(K):
    """Each output is a draw of N(0, I/β + ZZᵀ/α)."""
    net, X, T, Z = line(K=K)
    found = laplace(net, X, T, 0.7, 2.5).log_evidence
    cov = np.eye(6) / 2.5 + Z @ Z.T / 0.7
    truth = sum(multivariate_normal.logpdf(t, cov=cov) for t in T.T)
    assert found == pytest.approx(truth, abs=1e-11)


def test_the_evidence_of_a_linear_gaussian_model_in_fifty_digits():
    net, X, T, Z = line(N=4, D=1)
    z, t = mp.matrix(exact(Z)), mp.matrix(exact(T))
    C = mp.eye(4) / mp.mpf(2.5) + z * z.T / mp.mpf(0.7)
    fit = (t.T * (C**-1) * t)[0]
    truth = -(fit + mp.log(mp.det(C)) + 4 * mp.log(2 * mp.pi)) / 2
    assert abs(laplace(net, X, T, 0.7, 2.5).log_evidence - truth) < 1e-12


def test_the_prediction_of_a_linear_gaussian_model_is_exact():
    """Condition the joint Gaussian of old and new targets."""
    net, X, T, Z = line()
    new = np.array([[0.3, -2.0], [4.0, 1.0]])
    z = np.column_stack([np.ones(2), new])
    mean, variance, noise = laplace(net, X, T, 0.7, 2.5).predict(new)
    S = np.linalg.inv(np.eye(6) / 2.5 + Z @ Z.T / 0.7)
    np.testing.assert_allclose(mean, z @ Z.T / 0.7 @ S @ T, rtol=1e-10)
    cov = z @ z.T / 0.7 - z @ Z.T @ S @ Z @ z.T / 0.7**2
    np.testing.assert_allclose(variance[:, 0], np.diag(cov), rtol=1e-9)
    assert noise == 1 / 2.5


def test_the_predictions_of_the_linearised_network_are_exact_too():
    """With the outer product: features are the Jacobian's rows."""
    net, X, T = case((2, 3, 2), N=9)
    post = laplace(net, X, T, 0.5, 3.0)
    J = jl.parameter_jacobian(net, X).reshape(18, -1)
    C = np.linalg.inv(3.0 * J.T @ J + 0.5 * np.eye(len(net.w)))
    np.testing.assert_allclose(post.covariance, C, rtol=1e-9, atol=1e-12)
    J_new = jl.parameter_jacobian(net, X[:2] + 1)
    expected = np.einsum("nkp,pq,nkq->nk", J_new, C, J_new)
    np.testing.assert_allclose(post.predict(X[:2] + 1).variance, expected, rtol=1e-9)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_without_patterns_the_posterior_is_the_prior(output):
    net = jl.Network((2, 3), np.zeros(9), output=output)
    post = laplace(net, np.empty((0, 2)), np.empty((0, 3)), 4.0)
    np.testing.assert_allclose(post.covariance, np.eye(9) / 4, atol=1e-15)
    assert post.log_evidence == pytest.approx(0, abs=1e-14)
    assert post.gamma == pytest.approx(0, abs=1e-14)


def test_the_evidence_nears_an_integral_as_patterns_come():
    """Two weights, a sigmoid: the integral is computed."""
    misses = []
    rng = np.random.default_rng(3)
    X_all = rng.normal(size=(1280, 1))
    T_all = (rng.random((1280, 1)) < 1 / (1 + np.exp(-1 - 2 * X_all))) * 1.0
    for N in (5, 80, 1280):
        X, T = X_all[:N], T_all[:N]
        net = minimum(jl.Network((1, 1), [0, 0], output="sigmoid"), X, T, 0.5)
        post = laplace(net, X, T, 0.5)
        top = -post.error - 0.25 * net.w @ net.w
        steps = np.linspace(-7, 7, 141)
        u = np.array(np.meshgrid(steps, steps)).reshape(2, -1)
        half = np.linalg.inv(post.root).T  # w = ŵ + half u, with volume |half|
        w = net.w[:, None] + half @ u
        a = w[0] + X * w[1]
        E = np.sum(np.logaddexp(0, a) - T * a, axis=0)
        heights = np.exp(-E - 0.25 * (w**2).sum(axis=0) - top)
        volume = heights.sum() * 0.1**2 * np.linalg.det(half)
        truth = np.log(volume) + top + np.log(0.5 / (2 * np.pi))
        misses.append(abs(post.log_evidence - truth))
    assert misses[0] > 3 * misses[1] > 24 * misses[2]
    assert misses[2] < 2e-3


# The parts


def random_root(P=4, seed=1):
    B = np.random.default_rng(seed).normal(size=(P + 2, P))
    A = B.T @ B + 0.3 * np.eye(P)
    return A, np.linalg.cholesky(A)


def test_precision_and_evidence_term_by_term():
    A, root = random_root()
    np.testing.assert_array_equal(
        posterior_precision(A, 0.3, 2.0), 2 * A + 0.3 * np.eye(4)
    )
    w = np.array([0.1, -2.0, 0.4, 1.0])
    found = log_evidence(3.0, w, root, 0.3, 2.0, 5)
    prior = norm.logpdf(w, scale=0.3**-0.5).sum()
    data = -2.0 * 3.0 + 5 * np.log(2.0 / (2 * np.pi)) / 2
    occam = 2 * np.log(2 * np.pi) - np.linalg.slogdet(A)[1] / 2
    assert found == pytest.approx(data + prior + occam, rel=1e-13)


def test_gamma_counts_by_eigenvalues():
    A, root = random_root()
    lam = np.linalg.eigvalsh(A) - 0.3
    assert determined(root, 0.3) == pytest.approx((lam / (lam + 0.3)).sum(), rel=1e-12)


def test_variance_in_loops():
    A, root = random_root()
    J = np.random.default_rng(2).normal(size=(5, 3, 4))
    C = np.linalg.inv(A)
    expected = [[J[n, k] @ C @ J[n, k] for k in range(3)] for n in range(5)]
    np.testing.assert_allclose(activation_variance(J, root), expected, rtol=1e-11)


def test_the_probit_formula_is_near_the_integral():
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    for a in (-3.0, 0.0, 0.7, 5.0):
        for s in (0.0, 0.5, 2.0, 5.0):
            truth = weight @ (1 / (1 + np.exp(-(a + s * z))))
            found = 1 / (1 + np.exp(-moderated(a, s**2)))
            assert abs(found - truth) < 0.02
    assert moderated(2.0, 0.0) == 2.0
    assert moderated(2.0, 8 / np.pi) == pytest.approx(2**0.5)


# The posterior


def test_the_evidence_is_level_where_reestimation_stays():
    """Linear: by α and β the evidence has no slope at the fixed point."""
    net, X, T, _ = line(N=30, alpha=1.0, beta=1.0)
    alpha = beta = 1.0
    for _ in range(400):
        net = minimum(net, X, T, alpha, beta)
        alpha, beta = laplace(net, X, T, alpha, beta).reestimate()

    def at(alpha, beta):
        return laplace(minimum(net, X, T, alpha, beta), X, T, alpha, beta).log_evidence

    for slope in (
        jl.central_difference(lambda s: np.array(at(alpha * np.exp(s), beta)), 0.0),
        jl.central_difference(lambda s: np.array(at(alpha, beta * np.exp(s))), 0.0),
    ):
        assert abs(slope) < 1e-5
    assert at(alpha, beta) > max(at(1.2 * alpha, beta), at(alpha, 1.2 * beta))


def test_exact_curvature_is_the_hessian_s():
    net, X, T = case((2, 3, 1), N=40, seed=2)
    net = minimum(net, X, T, 2.0)
    post = laplace(net, X, T, 2.0, curvature="exact")
    A = jl.exact_hessian(net, X, T) + 2.0 * np.eye(13)
    np.testing.assert_allclose(post.root @ post.root.T, A, atol=1e-12)
    np.testing.assert_allclose(post.covariance @ A, np.eye(13), atol=1e-12)


def test_the_decrement_is_zero_at_the_minimum_alone():
    net, X, T = case((2, 3, 1), N=40, seed=2)
    at = minimum(net, X, T, 2.0)
    assert laplace(at, X, T, 2.0).decrement < 1e-16
    post = laplace(at, X, T, 6.0)  # another alpha, after the fact
    g = jl.error_gradient(at, X, T) + 6.0 * at.w
    assert post.decrement == pytest.approx(g @ post.covariance @ g / 2, rel=1e-10)
    assert post.decrement > 0.01


def test_exact_curvature_of_a_last_layer_in_a_deeper_network_with_weights():
    net, X, T = case((2, 4, 3, 2), output="softmax", N=9)
    weights, s = np.linspace(0.5, 1.5, 9), net.slices[-1]
    H = jl.exact_hessian(net, X, T, weights=weights)
    found = laplace(
        net, X, T, 9.0, curvature="exact", structure="last_layer", weights=weights
    )
    A = H[s, s] + 9.0 * np.eye(8)
    np.testing.assert_allclose(found.root @ found.root.T, A, rtol=1e-12, atol=1e-14)
    whole = laplace(net, X, T, 9.0, curvature="exact", weights=weights)
    A = H + 9.0 * np.eye(net.n_parameters)
    np.testing.assert_allclose(whole.root @ whole.root.T, A, rtol=1e-12, atol=1e-14)


def test_structures():
    net, X, T = case((2, 3, 2), output="softmax", N=9)
    G = jl.outer_product_hessian(net, X)
    full, diagonal, last = (
        laplace(net, X, T, 0.5, structure=s) for s in ("full", "diagonal", "last_layer")
    )
    np.testing.assert_allclose(full.covariance, np.linalg.inv(G + 0.5 * np.eye(17)))
    np.testing.assert_allclose(
        diagonal.covariance, np.diag(1 / (np.diag(G) + 0.5)), atol=1e-15
    )
    s = net.slices[-1]
    assert (last.covariance[:9] == 0).all()
    np.testing.assert_allclose(
        last.covariance[s, s], np.linalg.inv(G[s, s] + 0.5 * np.eye(8))
    )
    assert (last.predict(X).variance < full.predict(X).variance).all()


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
def test_the_kronecker_structure_is_exact_for_one_pattern(output):
    net, X, T = case((2, 3, 4, 2), output=output, N=1)
    G = jl.outer_product_hessian(net, X)
    post = laplace(net, X, T, 0.5, structure="kronecker")
    A = post.root @ post.root.T
    for s in net.slices:
        np.testing.assert_allclose(
            A[s, s], G[s, s] + 0.5 * np.eye(len(A[s])), atol=1e-12
        )
    assert (A[net.slices[0], net.slices[1]] == 0).all()


def test_the_kronecker_structure_by_loops():
    net, X, T = case((2, 3, 2), output="softmax", N=5)
    A = laplace(net, X, T, 0.5, structure="kronecker")
    A = A.root @ A.root.T - 0.5 * np.eye(17)
    trace = jl.forward(net, X)
    B, Z = np.zeros((2, 2)), np.zeros((4, 4))
    for n in range(5):
        y, z = trace.y[n], trace.z[1][n]
        B += np.diag(y) - np.outer(y, y)
        Z += np.outer(z, z) / 5
    np.testing.assert_allclose(A[9:, 9:], np.kron(B, Z), atol=1e-13)


def test_draws_have_the_covariance():
    net, X, T = case((2, 2), N=9)
    post = laplace(net, X, T, 0.5, 2.0)
    w = post.sample(200_000, seed=1)
    assert w.shape == (200_000, 6)
    np.testing.assert_allclose(np.cov(w.T), post.covariance, atol=0.01)
    np.testing.assert_allclose(w.mean(axis=0), net.w, atol=0.01)
    assert np.array_equal(post.sample(3), post.sample(3))
    last = laplace(case((2, 3, 2), N=9)[0], X, T, 0.5, structure="last_layer")
    assert (last.sample(4)[:, :9] == last.net.w[:9]).all()


def test_the_mean_of_a_sigmoid_is_held_towards_a_half():
    net, X, T = case((2, 3, 1), output="sigmoid", N=9)
    post = laplace(net, X, T, 0.1)
    mean, variance, noise = post.predict(X)
    assert noise == 0
    assert (np.abs(mean - 0.5) < np.abs(net(X) - 0.5)).all()
    z, weight = np.polynomial.hermite_e.hermegauss(60)
    a = jl.forward(net, X).a[-1][:, 0]
    points = a[:, None] + np.sqrt(variance) * z
    truth = (1 / (1 + np.exp(-points))) @ (weight / weight.sum())
    np.testing.assert_allclose(mean[:, 0], truth, atol=0.02)


def test_the_variance_of_a_sigmoid_is_that_of_its_sum_and_moves_the_mean():
    net, X, T = case((2, 3, 2), output="sigmoid", N=9)
    post = laplace(net, X, T, 0.1)
    mean, variance, _ = post.predict(X)
    sums = net.with_output(jl.OUTPUT_UNITS["linear"])
    J = jl.complex_step(lambda w: sums.with_parameters(w)(X), net.w)
    truth = np.einsum("nkp,pq,nkq->nk", J, post.covariance, J)
    np.testing.assert_allclose(variance, truth, rtol=1e-9)
    a = sums(X) / np.sqrt(1 + np.pi * truth / 8)
    np.testing.assert_allclose(mean, 1 / (1 + np.exp(-a)), rtol=1e-9)


def test_the_mean_of_a_softmax_is_a_distribution_near_that_of_many_draws():
    net, X, T = case((2, 3, 3), output="softmax", N=9)
    post = laplace(net, X, T, 0.5)
    mean, _, noise = post.predict(X)
    assert noise == 0
    np.testing.assert_allclose(mean.sum(axis=1), 1, rtol=1e-12)
    assert np.array_equal(mean, post.predict(X).mean)
    J = jl.parameter_jacobian(net, X, of="activations")
    a, moves = jl.forward(net, X).a[-1], post.sample(40_000, seed=3) - net.w
    y = np.exp(a + np.einsum("nkp,sp->snk", J, moves))
    y = (y / y.sum(axis=2, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(mean, y, atol=0.03)


def test_the_mean_of_a_softmax_knows_how_the_weights_hang_together():
    """Of the bias and the weight of an output little is known but their sum."""
    X = 5 + np.linspace(-0.1, 0.1, 30)[:, None]
    T = np.eye(3)[np.arange(30) % 3]
    post = laplace(jl.Network.random((1, 3), output="softmax", seed=1), X, T, 0.01)
    mean = post.predict(X).mean
    J = jl.parameter_jacobian(post.net, X[:1], of="activations")[0]
    cov, a = J @ post.covariance @ J.T, jl.forward(post.net, X[:1]).a[-1][0]
    scattered = np.random.default_rng(5).multivariate_normal(a, cov, 200_000)
    y = np.exp(scattered - scattered.max(axis=1, keepdims=True))
    truth = (y / y.sum(axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(mean[0], truth, atol=0.03)


def test_draws_of_activations_come_in_pairs():
    """Of two classes that are equal the mean is a half to rounding, whatever s."""
    X = np.random.default_rng(6).standard_normal((4, 2))
    net = jl.Network((2, 2), np.zeros(6), output="softmax")
    mean = laplace(net, X, np.eye(2)[[0, 1, 1, 0]], 0.1).predict(3 * X).mean
    np.testing.assert_allclose(mean, 0.5, rtol=1e-13)


def test_weights_count_patterns():
    net, X, T = case((2, 3, 1), N=6)
    weights = np.array([1.0, 2, 0, 1, 3, 1])
    often = np.repeat(np.arange(6), weights.astype(int))
    for structure in ("full", "diagonal", "kronecker", "last_layer"):
        found = laplace(net, X, T, 0.5, 2.0, structure=structure, weights=weights)
        same = laplace(net, X[often], T[often], 0.5, 2.0, structure=structure)
        assert found.log_evidence == pytest.approx(same.log_evidence, rel=1e-11)
        np.testing.assert_allclose(found.root, same.root, atol=1e-12)
        assert found.reestimate() == pytest.approx(same.reestimate(), rel=1e-9)
        assert found.decrement == pytest.approx(same.decrement, rel=1e-9)


def test_single_precision_comes_out_in_double():
    net, X, T = case((2, 3, 1), N=6)
    single = net.with_parameters(net.w.astype(np.float32))
    found = laplace(single, X.astype(np.float32), T, 0.5)
    assert found.root.dtype == np.float64
    assert found.log_evidence == pytest.approx(
        laplace(net, X, T, 0.5).log_evidence, rel=1e-5
    )


def test_the_engines_agree(engine):
    net, X, T = case((2, 3, 2), output="softmax", N=9)
    found = laplace(net, X, T, 0.5)
    J = jl.parameter_jacobian(net, X, of="activations")
    M = net.output.dy_da(jl.forward(net, X).a[-1])
    A = np.einsum("nkp,nkl,nlq->pq", J, M, J) + 0.5 * np.eye(17)
    np.testing.assert_allclose(found.root @ found.root.T, A, atol=1e-12)


# Bad input

NET, X, T = case((2, 3, 1), N=6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": 3}, "net must be a Network"),
        ({"T": None}, "T must hold numbers, but it is None"),
        ({"T": T[:4]}, "one row for each pattern"),
        (
            {"alpha": 0},
            "alpha must be larger than 0, got 0: it is the precision of the",
        ),
        ({"alpha": -1}, "alpha must be larger than 0"),
        ({"alpha": np.nan}, "alpha must be one finite real number"),
        ({"beta": 0.0}, "beta must be larger than 0, got 0: .* the noise"),
        ({"curvature": "fisher"}, "curvature must be one of outer_product, exact"),
        ({"structure": "block"}, "structure must be one of full, diagonal, kronecker"),
        ({"structure": "kronecker", "curvature": "exact"}, "made of outer products"),
        ({"weights": np.ones(5)}, r"weights must have shape \(N,\) = \(6,\)"),
        ({"weights": -np.ones(6)}, "precision of the posterior has the eigenvalue -"),
    ],
)
def test_bad_input_is_told(change, message):
    given = {"net": NET, "X": X, "T": T, "alpha": 0.1} | change
    with pytest.raises((ValueError, TypeError), match=message):
        laplace(**given)


def test_noise_belongs_to_linear_outputs():
    net = jl.Network.random((2, 1), output="sigmoid")
    with pytest.raises(ValueError, match="beta must be 1 with sigmoid outputs, got 2"):
        laplace(net, X, np.ones((6, 1)), 1.0, 2.0)


def test_an_indefinite_hessian_is_told():
    with pytest.raises(ValueError, match="at no minimum .* train on, or use"):
        laplace(NET, X, 50 * T, 1e-3, curvature="exact")


def test_bad_draws_and_patterns_are_told():
    post = laplace(NET, X, T, 0.5)
    with pytest.raises(ValueError, match="n must be a positive whole number"):
        post.sample(0)
    with pytest.raises(ValueError, match="X must have shape"):
        post.predict(X[0])
    with pytest.raises(ValueError, match="seed must be a whole number"):
        post.sample(3, seed=-1)


def test_where_the_evidence_rises_without_end():
    net, X = jl.Network.random((3, 4, 2), seed=1), np.ones((5, 3))
    with pytest.raises(ValueError, match="rises with alpha without end"):
        laplace(jl.Network((3, 2), np.zeros(8)), X, np.ones((5, 2)), 1.0).reestimate()
    for x in (X, X[:0]):
        with pytest.raises(ValueError, match="rises with beta without end"):
            laplace(net, x, net(x), 1.0, 2.0).reestimate()


def test_the_mean_of_a_softmax_does_not_depend_on_how_many_are_asked():
    net = jl.Network.random((3, 4, 5), output="softmax", seed=1)
    X, T = np.random.default_rng(0).normal(size=(9, 3)), np.full((9, 5), 0.2)
    post, many = laplace(net, X, T, 0.5), np.repeat(X, 60, axis=0)
    np.testing.assert_allclose(
        post.predict(many).mean, np.repeat(post.predict(X).mean, 60, axis=0), rtol=1e-12
    )
