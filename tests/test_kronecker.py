import itertools

import mpmath as mp
import numpy as np
import pytest
from oracles import SIZES, case, exact
from scipy.linalg import sqrtm

import jachess_lib as jl
from jachess_lib.kronecker import (
    ekfac,
    kronecker_factors,
    natural_gradient,
    nearest_kronecker,
    shampoo_factors,
    shared_factors,
)

KINDS = ("expected", "sampled", "empirical")


def far(found, truth):
    """Return the distance in the Frobenius norm, relative to the truth."""
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


def blocks(net, X):
    """Return the diagonal blocks of the outer-product Hessian."""
    G = jl.outer_product_hessian(net, X)
    return [G[s, s] for s in net.slices]


def shaped(net):
    return [(l, W.shape) for l, W in enumerate(net.W)]


# The factors, written again


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
@pytest.mark.parametrize("sizes", SIZES)
def test_factors_are_sums_and_means_over_patterns(sizes, output):
    """∂a_k/∂a_j by complex steps of what comes after; sums in loops."""
    net, X, _ = case(sizes, output=output, N=4)
    trace = jl.forward(net, X)
    for l, (A, B) in enumerate(kronecker_factors(net, X)):

        def onward(a, l=l):
            for m in range(l, net.depth - 1):
                z = np.concatenate([[1], net.hidden[m].h(a)])
                a = net.W[m + 1] @ z
            return a

        A_sum, B_sum = np.zeros_like(A), np.zeros_like(B)
        for n in range(4):
            S = jl.complex_step(onward, trace.a[l][n])
            B_sum += S.T @ net.output.dy_da(trace.a[-1][n : n + 1])[0] @ S
            A_sum += np.outer(trace.z[l][n], trace.z[l][n]) / 4
        np.testing.assert_allclose(A, A_sum, atol=1e-14)
        np.testing.assert_allclose(B, B_sum, atol=1e-14)


def test_a_block_is_the_sum_of_kronecker_products_of_its_patterns():
    net, X, _ = case((3, 4, 2, 5), output="softmax", N=6)
    alone = [kronecker_factors(net, X[n : n + 1]) for n in range(6)]
    for l, G in enumerate(blocks(net, X)):
        assert far(sum(np.kron(f[l].B, f[l].A) for f in alone), G) < 1e-14


def test_what_is_dropped_is_a_covariance():
    """G − B ⊗ A = N cov(B_n, z_n z_nᵀ), place by place."""
    net, X, _ = case((3, 4, 5), output="softmax", N=6)
    alone = [kronecker_factors(net, X[n : n + 1]) for n in range(6)]
    for l, G in enumerate(blocks(net, X)):
        B = np.array([f[l].B for f in alone])
        A = np.array([f[l].A for f in alone])
        cov = sum(map(np.kron, B - B.mean(axis=0), A - A.mean(axis=0)))
        dropped = G - kronecker_factors(net, X)[l].to_dense()
        np.testing.assert_allclose(dropped, cov, atol=1e-14)


def test_the_order_of_the_product_is_that_of_the_weights():
    net = jl.Network((1, 3), np.arange(6.0))
    X = np.array([[1.0], [3.0]])
    (f,) = kronecker_factors(net, X)
    np.testing.assert_allclose(f.to_dense(), np.kron(np.eye(3), [[2, 4], [4, 10]]))
    assert far(np.kron(f.A, f.B), f.to_dense()) > 0.5


# Exact where it must be


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
def test_one_pattern(output, kind):
    net, X, T = case((3, 4, 5, 2), ("gelu", "tanh"), output, N=1)
    found = kronecker_factors(net, X, T, kind=kind, draws=3, seed=1)
    truth = blocks(net, X)
    if kind == "empirical":
        g = jl.error_gradient(net, X, T)
        truth = [np.outer(g[s], g[s]) for s in net.slices]
    for l, G in enumerate(truth):
        if kind == "sampled":  # no block, but one of rank 3 at most
            assert np.linalg.matrix_rank(found[l].to_dense(), tol=1e-12) <= 3
        else:
            assert far(found[l].to_dense(), G) < 1e-13
            assert far(ekfac(net, X, T, kind=kind)[l].to_dense(), G) < 1e-13


@pytest.mark.parametrize("sizes", [(3, 2), (4, 3, 5), (4, 3, 5, 2, 6)])
def test_deep_linear_regression(sizes):
    net, X, _ = case(sizes, "identity", N=7)
    for f, G in zip(kronecker_factors(net, X), blocks(net, X), strict=True):
        assert far(f.to_dense(), G) < 1e-13


def test_a_factor_too_much_shows_where_the_product_is_exact():
    """The conventions of the page Which matrix?, on seven patterns and two outputs."""
    net, X, _ = case((4, 3, 2), "identity", N=7)
    f, G = kronecker_factors(net, X)[0], blocks(net, X)[0]
    np.testing.assert_allclose(7 * np.kron(f.B / 7, f.A), G, atol=1e-12)  # both means
    c = 2 / (7 * 2)  # the mean squared error is cE, and its signals are c(y − t)
    S, r = net.W[1][:, 1:], np.sqrt(7) * np.eye(2)  # answers one off in each output
    products = (c * r @ S).T @ (c * r @ S)
    np.testing.assert_allclose(np.kron(products / c, f.A), c * G, atol=1e-12)
    np.testing.assert_allclose(np.kron(products / c**2, f.A), G, atol=1e-12)


def test_the_last_layer_of_any_regression():
    net, X, _ = case((3, 5, 4, 2), "gelu", N=7)
    *_, last = kronecker_factors(net, X)
    np.testing.assert_allclose(last.B, 7 * np.eye(2))
    assert far(last.to_dense(), blocks(net, X)[-1]) < 1e-14
    first = kronecker_factors(net, X)[0]
    assert far(first.to_dense(), blocks(net, X)[0]) > 1e-3


def shared_case(hidden, positions=4, *, every, seed=0):
    """Return z, S, M of a layer used at some places, and the block of its weights.

    Two layers for each position, the first of them asked for; outputs at every
    position, or the sum over positions. The block is JᵀMJ with J by complex steps.
    """
    rng = np.random.default_rng(seed)
    N, D, J, K = 3, 2, 4, 3
    x = rng.normal(size=(N, positions, D))
    W, V = rng.normal(size=(J, 1 + D)), rng.normal(size=(K, J))
    h = jl.HIDDEN_UNITS[hidden]
    z = np.concatenate([np.ones((N, positions, 1)), x], axis=2)

    def outputs(w):
        a = h.h(z @ w.reshape(W.shape).T) @ V.T
        return a.reshape(N, -1) if every else a.sum(axis=1)

    Jac = jl.complex_step(outputs, W.ravel())
    S = V * h.dh(z @ W.T)[:, :, None, :]  # (N, positions, K, J)
    if every:  # one row of outputs for each position
        wide = np.zeros((N, positions, positions, K, J))
        for s in range(positions):
            wide[:, s, s] = S[:, s]
        S = wide.reshape(N, positions, positions * K, J)
    M = np.tile(np.eye(S.shape[2]), (N, 1, 1))
    return z, S, M, np.einsum("nkp,nkq->pq", Jac, Jac)


def test_shared_weights_with_an_error_at_every_position():
    z, S, M, G = shared_case("identity", every=True)
    assert far(shared_factors(z, S, M, "expand").to_dense(), G) < 1e-14
    assert far(shared_factors(z, S, M, "reduce").to_dense(), G) > 0.1


def test_shared_weights_that_are_summed():
    z, S, M, G = shared_case("identity", every=False)
    assert far(shared_factors(z, S, M, "reduce").to_dense(), G) < 1e-14
    assert far(shared_factors(z, S, M).to_dense(), G) > 0.1


@pytest.mark.parametrize("setting", ["expand", "reduce"])
def test_shared_weights_in_loops(setting):
    z, S, M, _ = shared_case("tanh", every=False)
    M = M + np.arange(3)[:, None, None]  # another for each pattern
    A, B = shared_factors(z, S, M, setting)
    A_sum, B_sum = np.zeros_like(A), np.zeros_like(B)
    for n, s, r in itertools.product(range(3), range(4), range(4)):
        if setting == "expand" and s == r:
            A_sum += np.outer(z[n, s], z[n, s]) / 12
            B_sum += S[n, s].T @ M[n] @ S[n, s]
        if setting == "reduce":
            A_sum += np.outer(z[n, s], z[n, r]) / 16 / 3
            B_sum += S[n, s].T @ M[n] @ S[n, r]
    np.testing.assert_allclose(A, A_sum, atol=1e-14)
    np.testing.assert_allclose(B, B_sum, atol=1e-13)


@pytest.mark.parametrize("setting", ["expand", "reduce"])
@pytest.mark.parametrize(("K", "J"), [(1, 4), (2, 1)])
def test_a_single_output_or_unit_at_several_positions(setting, K, J):
    rng = np.random.default_rng(3)
    z, S = rng.normal(size=(3, 2, 5)), rng.normal(size=(3, 2, K, J))
    A, B = shared_factors(z, S, np.tile(np.eye(K), (3, 1, 1)), setting)
    every = z.sum(axis=1) / 2 if setting == "reduce" else z.reshape(6, 5)
    uses = S.sum(axis=1) if setting == "reduce" else S.reshape(6, K, J)
    np.testing.assert_allclose(A, every.T @ every / len(every), rtol=1e-13)
    np.testing.assert_allclose(B, sum(s.T @ s for s in uses), rtol=1e-13)


@pytest.mark.parametrize("setting", ["expand", "reduce"])
def test_one_position_is_no_sharing(setting):
    net, X, _ = case((3, 4, 2), output="softmax", N=5)
    trace = jl.forward(net, X)
    S = net.W[1][:, 1:] * net.hidden[0].dh(trace.a[0])[:, None, None, :]
    M = net.output.dy_da(trace.a[-1])
    found = shared_factors(trace.z[0][:, None], S, M, setting)
    assert far(found.to_dense(), kronecker_factors(net, X)[0].to_dense()) < 1e-14


# Three kinds of Fisher


def test_the_mean_over_all_answers_is_the_expected_kind():
    """Each class as the target, with its probability as the pattern's weight."""
    net, X, _ = case((3, 4, 5), output="softmax", N=2)
    y = net(X)
    every = 0
    for k in range(5):
        T = np.tile(np.eye(5)[k], (2, 1))
        for n in range(2):
            given = (net, X[n : n + 1], T[n : n + 1])
            every += y[n, k] * kronecker_factors(*given, kind="empirical")[0].B
    np.testing.assert_allclose(every, kronecker_factors(net, X)[0].B, atol=1e-15)


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
def test_draws_come_near_the_expected_kind(output):
    net, X, _ = case((3, 4, 3), output=output, N=3)
    truth = kronecker_factors(net, X)[0].B
    few, many = (
        [
            far(kronecker_factors(net, X, kind="sampled", draws=d, seed=s)[0].B, truth)
            for s in range(20)
        ]
        for d in (100, 10_000)
    )
    assert 5 < np.mean(few) / np.mean(many) < 20  # as 1/√draws
    assert np.mean(many) < 0.02


def test_draws_hang_on_the_seed_alone():
    net, X, _ = case((3, 4, 3), output="softmax", N=3)
    one, same, other = (
        kronecker_factors(net, X, kind="sampled", seed=s)[0].B for s in (5, 5, 6)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_class_that_cannot_be_is_not_drawn():
    net = jl.Network((1, 3), [-900.0, 0, 900, 0, -900, 0], output="softmax")
    (f,) = kronecker_factors(net, np.zeros((4, 1)), kind="sampled", draws=500)
    assert (f.B == 0).all()


def test_the_empirical_kind_is_made_of_gradients():
    net, X, T = case((3, 4, 5), output="softmax", N=6)
    found = kronecker_factors(net, X, T, kind="empirical")
    delta = jl.backpropagation.error_signals(net, jl.forward(net, X), T)
    for f, d in zip(found, delta, strict=True):
        np.testing.assert_allclose(f.B, d.T @ d, atol=1e-14)


# The nearest product, and Shampoo's


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (3, 2), (4, 1), (1, 4)])
def test_no_product_is_nearer(rows, columns):
    rng = np.random.default_rng(rows)
    J = rng.normal(size=(5, rows * columns))
    G = J.T @ J
    A, B = nearest_kronecker(G, rows, columns)
    least = np.linalg.norm(np.kron(B, A) - G)
    others = [
        (A + s * rng.normal(size=A.shape), B + s * rng.normal(size=B.shape))
        for s in (1e-4, 1e-2, 1.0)
        for _ in range(50)
    ]
    assert all(np.linalg.norm(np.kron(b, a) - G) >= least for a, b in others)
    assert np.linalg.eigvalsh(A)[0] > -1e-12
    assert np.linalg.eigvalsh(B)[0] > -1e-12
    assert np.linalg.norm(A) == pytest.approx(1)
    # where it is level, each factor is the projection with the other held
    G4 = G.reshape(rows, columns, rows, columns)
    np.testing.assert_allclose(np.einsum("jiqp,ip->jq", G4, A), B, atol=1e-10)


def test_a_product_is_found_again():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(3, 3)), rng.normal(size=(2, 2))  # not symmetric
    assert far(nearest_kronecker(np.kron(B, A), 2, 3).to_dense(), np.kron(B, A)) < 1e-14
    assert far(nearest_kronecker(-np.kron(B, A), 2, 3).A, 1) > 0


def test_the_nearest_in_fifty_digits():
    """Its distance, from the largest eigenvalue of RRᵀ."""
    rng = np.random.default_rng(3)
    J = rng.normal(size=(4, 6))
    G = J.T @ J
    R = mp.matrix(4, 9)
    for j, q, i, p in itertools.product(range(2), range(2), range(3), range(3)):
        R[2 * j + q, 3 * i + p] = mp.mpf(float(G[3 * j + i, 3 * q + p]))
    values = mp.eigsy(R * R.T)[0]
    truth = mp.sqrt(sum(values[k] for k in range(3)))
    found = nearest_kronecker(G, 2, 3).to_dense()
    assert abs(np.linalg.norm(found - G) - float(truth)) < 1e-13


def test_shampoo_s_sums():
    net, X, T = case((3, 4, 5), output="softmax", N=6)
    g = jl.error_gradients(net, X, T)
    for l, (J, I) in shaped(net):
        V = g[:, net.slices[l]].reshape(-1, J, I)
        G = np.einsum("nji,nqp->jiqp", V, V).reshape(J * I, J * I)
        L, R = sum(v @ v.T for v in V), sum(v.T @ v for v in V)
        whole, half = (shampoo_factors(G, J, I, power=p) for p in (1.0, 0.5))
        assert far(whole.to_dense(), np.kron(L, R) / np.trace(G)) < 1e-13
        roots = np.kron(sqrtm(L).real, sqrtm(R).real)
        assert far(half.to_dense(), roots) < 1e-6


def test_shampoo_is_exact_for_a_product_and_its_roots_are_not():
    rng = np.random.default_rng(1)
    A, B = (M.T @ M for M in (rng.normal(size=(4, 3)), rng.normal(size=(4, 2))))
    G = np.kron(B, A)
    assert far(shampoo_factors(G, 2, 3).to_dense(), G) < 1e-14
    assert far(shampoo_factors(G, 2, 3, power=0.5).to_dense(), G) > 0.1


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
def test_the_order_of_the_distances(output):
    """The nearest is the least; EK-FAC is never farther than K-FAC."""
    net, X, _ = case((3, 4, 2, 5), output=output, N=8)
    K, E = kronecker_factors(net, X), ekfac(net, X)
    for (l, (J, I)), G in zip(shaped(net), blocks(net, X), strict=True):
        least = far(nearest_kronecker(G, J, I).to_dense(), G)
        for p in (1.0, 0.5):
            assert far(shampoo_factors(G, J, I, power=p).to_dense(), G) >= least - 1e-14
        kfac, eigen = far(K[l].to_dense(), G), far(E[l].to_dense(), G)
        assert kfac >= least - 1e-14
        assert eigen <= kfac + 1e-14


# EK-FAC


def test_scales_are_what_the_block_has_along_the_eigenvectors():
    net, X, T = case((3, 4, 5), output="softmax", N=6)
    g = jl.error_gradients(net, X, T)
    empirical = [g[:, s].T @ g[:, s] for s in net.slices]
    for kind, truth in (("expected", blocks(net, X)), ("empirical", empirical)):
        K = kronecker_factors(net, X, T, kind=kind)
        for f, e, G in zip(K, ekfac(net, X, T, kind=kind), truth, strict=True):
            Q = np.kron(e.U, e.V)
            along = np.diag(Q.T @ G @ Q)
            np.testing.assert_allclose(e.scales.ravel(), along, atol=1e-14)
            assert np.trace(e.to_dense()) == pytest.approx(np.trace(G), rel=1e-12)
            for C, vectors in ((f.A, e.V), (f.B, e.U)):
                D = vectors.T @ C @ vectors
                np.testing.assert_allclose(D, np.diag(np.diag(D)), atol=1e-13)


# Solving


def factors(seed=2):
    net, X, _ = case((3, 4, 5), output="softmax", N=8, seed=seed)
    return kronecker_factors(net, X)[0], ekfac(net, X)[0]


def test_solving_is_dividing_by_the_damped_matrix():
    f, e = factors()
    V = np.random.default_rng(0).normal(size=(4, 4))
    for M in (f, e):
        truth = np.linalg.solve(M.to_dense() + 0.3 * np.eye(16), V.ravel())
        np.testing.assert_allclose(M.solve(V, 0.3).ravel(), truth, rtol=1e-10)


def test_a_split_damping_damps_each_factor():
    f, _ = factors()
    V = np.random.default_rng(0).normal(size=(4, 4))
    pi = np.sqrt(np.trace(f.A) / np.trace(f.B))  # both have four rows
    A, B = f.A + pi * 0.3**0.5 * np.eye(4), f.B + 0.3**0.5 / pi * np.eye(4)
    truth = np.linalg.solve(np.kron(B, A), V.ravel())
    found = f.solve(V, 0.3, split=True).ravel()
    np.testing.assert_allclose(found, truth, rtol=1e-10)
    # the two terms more are of equal trace, and they shorten
    more = np.kron(B, A) - f.to_dense() - 0.3 * np.eye(16)
    assert np.linalg.eigvalsh(more)[0] > 0
    assert V.ravel() @ found < V.ravel() @ f.solve(V, 0.3).ravel()


def test_the_split_takes_the_counts_of_rows():
    net, X, _ = case((2, 5, 3), N=4)
    f = kronecker_factors(net, X)[0]
    pi = np.sqrt(np.trace(f.A) / 3 / (np.trace(f.B) / 5))
    A, B = f.A + pi * np.eye(3), f.B + np.eye(5) / pi
    V = np.ones((5, 3))
    expected = np.linalg.solve(B, V) @ np.linalg.inv(A)
    np.testing.assert_allclose(f.solve(V, 1.0, split=True), expected, rtol=1e-11)
    two = (np.kron(B, A) - f.to_dense() - np.eye(15)).trace()
    for other in (0.9 * pi, 1.1 * pi):
        A, B = f.A + other * np.eye(3), f.B + np.eye(5) / other
        assert (np.kron(B, A) - f.to_dense() - np.eye(15)).trace() > two


@pytest.mark.parametrize("structure", ["kronecker", "eigen"])
def test_the_natural_gradient_layer_by_layer(structure):
    net, X, T = case((3, 4, 5), output="softmax", N=6)
    found = natural_gradient(net, X, T, 0.2, structure=structure)
    g, make = jl.error_gradient(net, X, T), (kronecker_factors, ekfac)
    for l, s in enumerate(net.slices):
        V = g[s].reshape(net.W[l].shape)
        if structure == "kronecker":
            truth = make[0](net, X)[l].solve(V, 0.2, split=True)
        else:
            truth = make[1](net, X)[l].solve(V, 0.2)
        np.testing.assert_allclose(found[s], truth.ravel(), rtol=1e-12)
    assert found @ g > 0


def test_the_natural_gradient_of_linear_regression_is_newton_s():
    net, X, T = case((3, 2), N=9)
    step = natural_gradient(net, X, T, 1e-9, structure="eigen")
    w = net.w - step
    assert np.linalg.norm(jl.error_gradient(net.with_parameters(w), X, T)) < 1e-7


# Sums over patterns


def test_weights_count_patterns():
    net, X, T = case((3, 4, 5), output="softmax", N=5)
    weights = np.array([1.0, 2, 0, 1, 3])
    often = np.repeat(np.arange(5), weights.astype(int))
    for make, kind in itertools.product((kronecker_factors, ekfac), KINDS[::2]):
        found = make(net, X, T, kind=kind, weights=weights)
        same = make(net, X[often], T[often], kind=kind)
        for f, g in zip(found, same, strict=True):
            np.testing.assert_allclose(f.to_dense(), g.to_dense(), atol=1e-13)
    found = natural_gradient(net, X, T, 0.1, weights=weights)
    same = natural_gradient(net, X[often], T[often], 0.1)
    np.testing.assert_allclose(found, same, rtol=1e-9)


def test_small_weights_are_no_fewer_patterns():
    """A mean does not see a factor that all weights share, and a sum does."""
    net, X, _ = case((3, 4, 2), N=5)
    (A, B), _ = kronecker_factors(net, X)
    (a, b), _ = kronecker_factors(net, X, weights=np.full(5, 0.01))
    np.testing.assert_allclose(a, A, rtol=1e-13)
    np.testing.assert_allclose(b, 0.01 * B, rtol=1e-13)


def test_no_patterns():
    net, X, T = case((3, 4, 2), N=0)
    for f in (*kronecker_factors(net, X, T, kind="empirical"), *ekfac(net, X)):
        assert (f.to_dense() == 0).all()
    for structure in ("kronecker", "eigen"):
        assert (natural_gradient(net, X, T, 1.0, structure=structure) == 0).all()
    zero = np.zeros((6, 6))
    assert (nearest_kronecker(zero, 2, 3).to_dense() == 0).all()
    for power in (1.0, 0.5):
        assert (shampoo_factors(zero, 2, 3, power=power).to_dense() == 0).all()


def test_single_precision_comes_out_in_double():
    net, X, _ = case((3, 4, 2), N=5)
    single = net.with_parameters(net.w.astype(np.float32))
    (f, _), (truth, _) = (
        kronecker_factors(single, X.astype(np.float32)),
        kronecker_factors(net, X),
    )
    assert f.B.dtype == f.A.dtype == np.float64
    assert far(f.B, truth.B) < 1e-5


def test_extreme_weights_stay_finite():
    net, X, T = case((3, 4, 2), output="softmax", N=5)
    net = net.with_parameters(1e4 * net.w)
    found = natural_gradient(net, 1e3 * X, T, 1e-6)
    assert np.isfinite(found).all()


def test_the_engines_agree(engine):
    net, X, T = case((3, 4, 2), output="softmax", N=5)
    g = exact(jl.error_gradient(net, X, T))
    found = natural_gradient(net, X, T, 0.5, structure="eigen")
    truth = [
        e.solve(np.array(g[s], float).reshape(W.shape), 0.5).ravel()
        for e, s, W in zip(ekfac(net, X), net.slices, net.W, strict=True)
    ]
    np.testing.assert_allclose(found, np.concatenate(truth), rtol=1e-10)


# Bad input

NET, X, T = case((2, 3, 1), N=6)


@pytest.mark.parametrize("make", [kronecker_factors, ekfac])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": 3}, "net must be a Network"),
        ({"X": X[0]}, "X must have shape"),
        ({"kind": "fisher"}, "kind must be one of expected, sampled, empirical"),
        ({"kind": "empirical"}, "T must hold numbers, but it is None"),
        ({"kind": "empirical", "T": T[:4]}, "one row for each pattern"),
        ({"draws": 0}, "draws must be a positive whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"weights": np.ones(5)}, r"weights must have shape \(N,\) = \(6,\)"),
        ({"weights": [1, -1, 1, -1, 1, -1]}, "weights sum to 0, so that there is no"),
    ],
)
def test_bad_input_is_told(make, change, message):
    given = {"net": NET, "X": X} | change
    with pytest.raises((ValueError, TypeError), match=message):
        make(**given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"T": None}, "T must hold numbers, but it is None"),
        ({"damping": 0}, "damping must be larger than 0, got 0"),
        ({"damping": np.inf}, "damping must be one finite real number"),
        ({"structure": "full"}, "structure must be one of kronecker, eigen"),
        ({"weights": np.ones(2)}, "weights must have shape"),
        ({"weights": -np.ones(6)}, "B has the eigenvalue -.* weights above 0"),
    ],
)
def test_a_bad_step_is_told(change, message):
    given = {"net": NET, "X": X, "T": T, "damping": 0.1} | change
    with pytest.raises((ValueError, TypeError), match=message):
        natural_gradient(**given)


@pytest.mark.parametrize("split", [False, True])
def test_a_bad_gradient_is_told(split):
    f, e = factors()
    for V in (np.ones(16), np.ones((4, 5)), np.full((4, 4), np.nan)):
        with pytest.raises(ValueError, match=r"V(\[0, 0\])? (must have shape|is nan)"):
            f.solve(V, 1.0, split=split)
        with pytest.raises(ValueError, match=r"V(\[0, 0\])? (must have shape|is nan)"):
            e.solve(V, 1.0)
    with pytest.raises(ValueError, match="no pattern touches"):
        f.solve(np.ones((4, 4)), 0.0, split=split)
    with pytest.raises(ValueError, match="B must be symmetric"):
        jl.KroneckerFactors(f.A, np.triu(f.B)).solve(np.ones((4, 4)), 1.0, split=split)
    with pytest.raises(ValueError, match="A must be symmetric"):
        jl.KroneckerFactors(np.triu(f.A), f.B).solve(np.ones((4, 4)), 1.0, split=split)


def test_a_damping_that_is_hidden_is_told():
    f, e = factors()
    for M, how in ((f, {}), (f, {"split": True}), (e, {})):
        with pytest.raises(ValueError, match="rounding hides it beside an eigenvalue"):
            M.solve(np.ones((4, 4)), 1e-18, **how)
        assert np.isfinite(M.solve(np.ones((4, 4)), 1e-12, **how)).all()
    e = e._replace(scales=-e.scales)
    with pytest.raises(ValueError, match="a scale is -.* leaves it below 0"):
        e.solve(np.ones((4, 4)), 1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"setting": "sum"}, "setting must be one of expand, reduce"),
        ({"z": np.ones((3, 2))}, r"z must have shape \(N, positions, I\)"),
        ({"S": np.ones((3, 3, 2, 4))}, r"S must have shape .* = \(3, 2\)"),
        ({"M": np.ones((3, 2, 3))}, r"M must have shape \(3, 2, 2\)"),
        ({"z": np.ones((3, 0, 5)), "S": np.ones((3, 0, 2, 4))}, "z must have shape"),
        ({"z": np.ones((3, 2, 0))}, "z must have shape"),
        ({"S": np.ones((3, 2, 0, 4))}, "S must have shape"),
        ({"S": np.ones((3, 2, 2, 0))}, "S must have shape"),
        ({"z": np.full((3, 2, 5), np.nan)}, r"z\[0, 0, 0\] is nan"),
        ({"S": np.full((3, 2, 2, 4), np.nan)}, r"S\[0, 0, 0, 0\] is nan"),
        ({"M": np.full((3, 2, 2), np.nan)}, r"M\[0, 0, 0\] is nan"),
    ],
)
def test_bad_positions_are_told(change, message):
    given = {
        "z": np.ones((3, 2, 5)),
        "S": np.ones((3, 2, 2, 4)),
        "M": np.ones((3, 2, 2)),
    }
    with pytest.raises(ValueError, match=message):
        shared_factors(**(given | change))


@pytest.mark.parametrize("make", [nearest_kronecker, shampoo_factors])
def test_a_bad_block_is_told(make):
    for G, rows, columns in ((np.eye(5), 2, 3), (np.ones((6, 5)), 2, 3)):
        with pytest.raises(ValueError, match="P = rows × columns = 6, got shape"):
            make(G, rows, columns)
    with pytest.raises(ValueError, match="rows must be a positive whole number"):
        make(np.eye(6), 0, 3)
    with pytest.raises(ValueError, match=r"G\[0, 1\] is inf"):
        make(np.array([[0, np.inf], [1, 1]]), 1, 2)


def test_a_power_above_one():
    J = np.random.default_rng(5).normal(size=(4, 6))
    G = (J.T @ J).reshape(2, 3, 2, 3)
    L, R = np.einsum("jiqi->jq", G), np.einsum("jijp->ip", G)
    found = shampoo_factors(G.reshape(6, 6), 2, 3, power=2.0)
    whole = np.kron(L @ L, R @ R) / np.trace(L) ** 3
    np.testing.assert_allclose(found.to_dense(), whole, rtol=1e-10)


def test_a_bad_power_is_told():
    one_negative = np.kron(np.eye(2), np.diag([1.0, -3.0, 1.0]))
    with pytest.raises(ValueError, match="has the eigenvalue -6, and power 0.5"):
        shampoo_factors(one_negative, 2, 3, power=0.5)
    for power in (-1, 0):
        message = f"power must be larger than 0, got {power}"
        with pytest.raises(ValueError, match=message):
            shampoo_factors(np.eye(6), 2, 3, power=power)
    with pytest.raises(ValueError, match="eigenvalue -.* power 0.5 of it is not real"):
        shampoo_factors(-np.eye(6), 2, 3, power=0.5)


def test_what_cannot_fit_is_refused():
    wide = jl.KroneckerFactors(np.eye(700), np.eye(2000))
    with pytest.raises(MemoryError, match="use solve, which needs the factors alone"):
        wide.to_dense()


def test_a_factor_with_a_negative_eigenvalue_is_named():
    bad, good = np.diag([-1.0, 2.0, 5.0]), np.diag([1.0, 3.0])
    for A, B, name in ((bad, good, "A"), (good, bad, "B")):
        factors = jl.KroneckerFactors(A, B)
        with pytest.raises(ValueError, match=f"{name} has the eigenvalue -1, so"):
            factors.solve(np.ones((len(B), len(A))), 10.0)
    barely = jl.KroneckerFactors(np.diag([-5e-9, 1.0, 1.0]), good)  # by rounding alone
    assert np.isfinite(barely.solve(np.ones((2, 3)), 1.0)).all()


def test_the_least_damping_goes_by_the_largest_eigenvalues_of_both():
    factors = jl.KroneckerFactors(np.diag([1.0, 1e8]), np.diag([1.0, 1e7]))
    with pytest.raises(ValueError, match=r"damping is 2, .* of 1e\+15: use at least 2"):
        factors.solve(np.ones((2, 2)), 2.0)
    found = factors.solve(np.ones((2, 2)), 3.0)
    expected = 1 / (np.outer([1.0, 1e7], [1.0, 1e8]) + 3.0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
