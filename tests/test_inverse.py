"""The inverse, pattern by pattern: against mpmath, refits and constrained minima."""

import mpmath as mp
import numpy as np
import pytest
from oracles import case

import jachess_lib as jl
from jachess_lib import (
    Network,
    inverse_outer_product,
    obd_saliency,
    obs_saliency,
    outer_product_hessian,
    parameter_jacobian,
    prune,
    update_inverse,
)

ALPHA = 0.7
NETWORKS = [
    ((3, 4, 2, 5), "softplus", "softmax"),
    ((2, 5, 3), "tanh", "sigmoid"),
    ((3, 2, 4, 1), "gelu", "linear"),
    ((4, 2), "tanh", "softmax"),
]
EVERY = pytest.mark.parametrize("arguments", NETWORKS, ids=lambda a: a[2] + str(a[0]))


def curvature(net, X, alpha=ALPHA, weights=1.0):
    """Return αI + Σ JᵀMJ, index by index."""
    J = parameter_jacobian(net, X, of="activations")
    M = net.output.dy_da(jl.forward(net, X).a[-1])
    A = alpha * np.eye(net.n_parameters)
    for n, k, l in np.ndindex(M.shape):
        A += (
            np.broadcast_to(weights, len(X))[n]
            * M[n, k, l]
            * np.outer(J[n, k], J[n, l])
        )
    return A


def by_mpmath(A):
    """Return the inverse in forty digits, rounded once."""
    with mp.workdps(40):
        return np.array((mp.matrix(A.tolist()) ** -1).tolist(), float)


def ridge(X, T, alpha):
    """Return the network without hidden units that least squares with ridge fits."""
    Z = np.column_stack([np.ones(len(X)), X])
    w = np.linalg.solve(Z.T @ Z + alpha * np.eye(Z.shape[1]), Z.T @ T)
    return Network((X.shape[1], 1), w.ravel())


# The inverse


@EVERY
def test_it_is_the_inverse(arguments, engine):
    net, X, _ = case(*arguments)
    truth = by_mpmath(curvature(net, X))
    found = inverse_outer_product(net, X, ALPHA)
    np.testing.assert_allclose(found, truth, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found, found.T, rtol=1e-13, atol=1e-13)


@EVERY
def test_the_engines_agree_with_weights_of_both_signs(arguments, engine):
    net, X, _ = case(*arguments)
    weights = np.linspace(-0.3, 2, len(X))
    truth = by_mpmath(curvature(net, X, 3.0, weights))
    found = inverse_outer_product(net, X, 3.0, weights=weights)
    np.testing.assert_allclose(found, truth, rtol=1e-10, atol=1e-12)


def test_an_indefinite_sum_has_an_inverse_too(engine):
    net = Network((1, 1), [0.0, 1.0])
    found = inverse_outer_product(net, [[2.0]], 1.0, weights=[-1.0])
    np.testing.assert_allclose(found, by_mpmath(np.array([[0.0, -2], [-2, -3]])))


def test_a_pattern_that_is_deleted_leaves_no_trace(engine):
    net, X, _ = case((2, 5, 3), "tanh", "softmax", N=7)
    J = parameter_jacobian(net, X, of="activations")
    M = net.output.dy_da(jl.forward(net, X).a[-1])
    whole = inverse_outer_product(net, X, ALPHA)
    without = inverse_outer_product(net, np.delete(X, 3, axis=0), ALPHA)
    np.testing.assert_allclose(
        update_inverse(whole, J[3], -M[3]), without, rtol=1e-11, atol=1e-12
    )
    np.testing.assert_allclose(
        update_inverse(without, J[3], M[3]), whole, rtol=1e-11, atol=1e-12
    )


def test_no_patterns_and_one(engine):
    net = Network.random((2, 3, 1), seed=1)
    none = inverse_outer_product(net, np.empty((0, 2)), 4.0)
    np.testing.assert_array_equal(none, np.eye(net.n_parameters) / 4)
    x = np.array([[0.3, -2.0]])
    g = parameter_jacobian(net, x)[0, 0]
    by_hand = np.eye(len(g)) / 4 - np.outer(g, g) / 16 / (1 + g @ g / 4)
    found = inverse_outer_product(net, x, 4.0)
    np.testing.assert_allclose(found, by_hand, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(update_inverse(none, g), by_hand, rtol=1e-13, atol=1e-15)


def test_single_precision_in_and_out(engine):
    net, X, _ = case((3, 4, 2), "tanh", "softmax")
    single = Network(net.sizes, net.w.astype(np.float32), "tanh", "softmax")
    for f in (inverse_outer_product, obd_saliency, obs_saliency):
        found, truth = f(single, X.astype(np.float32), 0.5), f(net, X, 0.5)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, truth, rtol=2e-5, atol=2e-6)
    pruned = prune(single, X.astype(np.float32), 0.5, 4).net
    assert pruned.w.dtype == np.float32
    assert (pruned.w == 0).sum() == 4


def test_out_is_filled(engine):
    net, X, _ = case((3, 4, 2), "tanh", "softmax")
    for f, shape in (
        (inverse_outer_product, (26, 26)),
        (obd_saliency, (26,)),
        (obs_saliency, (26,)),
    ):
        out = np.empty(shape)
        assert f(net, X, 0.5, out=out) is out
        np.testing.assert_array_equal(out, f(net, X, 0.5))


def test_extreme_values(engine):
    net = Network.random((2, 3, 2), output="softmax", seed=1)
    X = np.array([[1e4, -1e4], [1e-300, 0.0]])
    assert np.isfinite(inverse_outer_product(net, X, 1.0)).all()
    assert np.isfinite(obs_saliency(net, X, 1.0)).all()


def test_a_small_alpha_costs_the_updates_their_digits():
    """The trap of the chapter: the factor keeps its digits, the updates do not."""
    net = Network.random((3, 5, 4), seed=1)
    X = np.random.default_rng(0).standard_normal((200, 3))
    for alpha, least, most in ((1.0, 0, 1e-12), (1e-6, 1e-9, 1e-1)):
        truth = by_mpmath(curvature(net, X, alpha))
        size = np.linalg.norm(truth, 2)
        with jl.engine("plain"):
            updates = inverse_outer_product(net, X, alpha)
        with jl.engine("blocked"):
            factor = inverse_outer_product(net, X, alpha)
        assert least <= np.linalg.norm(updates - truth, 2) / size < most
        assert np.linalg.norm(factor - truth, 2) / size < 1e-11


# Leave one out


@pytest.mark.parametrize("alpha", [1e-3, 5.0])
def test_leave_one_out_is_exact_in_the_linear_case(alpha, engine):
    rng = np.random.default_rng(3)
    X, T = rng.standard_normal((12, 3)), rng.standard_normal((12, 1))
    net = ridge(X, T, alpha)
    B, Z = inverse_outer_product(net, X, alpha), np.column_stack([np.ones(12), X])
    h = np.einsum("np,pq,nq->n", Z, B, Z)
    e = (net(X) - T)[:, 0]
    for n in range(12):
        refit = ridge(np.delete(X, n, 0), np.delete(T, n, 0), alpha)
        left_out = (refit(X[n : n + 1]) - T[n]).item()
        assert np.isclose(e[n] / (1 - h[n]), left_out, rtol=1e-11)
        moved = net.w + B @ Z[n] * e[n] / (1 - h[n])
        np.testing.assert_allclose(moved, refit.w, rtol=1e-10, atol=1e-12)
    assert np.isclose(h.sum(), 4 - alpha * np.trace(B), rtol=1e-11)


def test_without_ridge_the_leverages_sum_to_the_number_of_weights():
    X = np.random.default_rng(3).standard_normal((12, 3))
    net = Network((3, 1), np.zeros(4))
    Z = np.column_stack([np.ones(12), X])
    h = np.einsum("np,pq,nq->n", Z, inverse_outer_product(net, X, 1e-9), Z)
    assert np.isclose(h.sum(), 4, atol=1e-8)


# Saliencies and pruning


@EVERY
def test_saliencies_by_their_definitions(arguments, engine):
    """By a minimum over all other weights, solved for one weight at a time."""
    net, X, _ = case(*arguments)
    A, w = curvature(net, X), net.w
    obs, obd = obs_saliency(net, X, ALPHA), obd_saliency(net, X, ALPHA)
    for q in range(len(w)):
        rest = np.delete(np.arange(len(w)), q)
        move = np.zeros(len(w))
        move[q] = -w[q]
        assert np.isclose(obd[q], move @ A @ move / 2, rtol=1e-12)
        move[rest] = np.linalg.solve(A[np.ix_(rest, rest)], A[rest, q] * w[q])
        assert np.isclose(obs[q], move @ A @ move / 2, rtol=1e-10)
    assert (obs <= obd * (1 + 1e-12)).all()


def test_surgery_is_the_exact_refit_in_the_linear_case():
    """And damage is not: the other weights have to move."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((15, 4)) @ rng.standard_normal((4, 4))
    T, alpha = rng.standard_normal((15, 1)), 0.2
    net = ridge(X, T, alpha)

    def cost(net):
        return jl.error(net, X, T) + alpha / 2 * net.w @ net.w

    before, Z = cost(net), np.column_stack([np.ones(15), X])
    for q in range(5):
        kept = np.delete(np.arange(5), q)
        A = Z[:, kept].T @ Z[:, kept] + alpha * np.eye(4)
        w = np.zeros(5)
        w[kept] = np.linalg.solve(A, Z[:, kept].T @ T[:, 0])
        rise = cost(net.with_parameters(w)) - before
        assert np.isclose(obs_saliency(net, X, alpha)[q], rise, rtol=1e-10)
        assert obd_saliency(net, X, alpha)[q] > 1.05 * rise

    for refresh in (1, 2, 9):
        pruned, deleted = prune(net, X, alpha, 3, refresh=refresh)
        kept = np.delete(np.arange(5), deleted)
        A = Z[:, kept].T @ Z[:, kept] + alpha * np.eye(2)
        best = np.linalg.solve(A, Z[:, kept].T @ T[:, 0])
        np.testing.assert_allclose(pruned.w[kept], best, rtol=1e-10)
        assert (pruned.w[list(deleted)] == 0).all()


@pytest.mark.parametrize(
    "of", [inverse_outer_product, obs_saliency, lambda *a, **k: prune(*a, 1, **k)]
)
def test_an_alpha_that_weights_hide_is_refused(of, engine):
    net, X, _ = case((2, 5, 3), "tanh", "sigmoid", N=4)
    of(net, X, 0.5, weights=[1e9] * 4)
    with pytest.raises(ValueError, match=r"alpha is 0\.5, and rounding hides it"):
        of(net, X, 0.5, weights=[1e20, 1, -1e20, 1])


def test_nothing_is_pruned_where_no_deletion_costs_least():
    net, X, _ = case((2, 5, 3), "tanh", "sigmoid", N=4)
    with pytest.raises(ValueError, match="no deletion costs least: use a larger alpha"):
        prune(net, X, 0.5, 2, weights=[-1e3] * 4)


@pytest.mark.parametrize("of", [inverse_outer_product, obd_saliency, obs_saliency])
def test_weights_count_patterns(of, engine):
    net, X, _ = case((2, 5, 3), "tanh", "sigmoid", N=4)
    found = of(net, X, 0.5, weights=[1.0, 0.0, 2.0, 3.0])
    same = of(net, X[[0, 2, 2, 3, 3, 3]], 0.5)
    np.testing.assert_allclose(found, same, rtol=1e-9, atol=1e-13)


def test_weights_count_patterns_for_pruning():
    net, X, _ = case((2, 5, 3), "tanh", "sigmoid", N=4)
    found = prune(net, X, 0.5, 6, refresh=2, weights=[1.0, 0.0, 2.0, 3.0])
    same = prune(net, X[[0, 2, 2, 3, 3, 3]], 0.5, 6, refresh=2)
    assert found.deleted == same.deleted
    np.testing.assert_allclose(found.net.w, same.net.w, rtol=1e-9, atol=1e-12)
    assert np.abs(found.net.w - prune(net, X, 0.5, 6).net.w).max() > 1e-3
    with pytest.raises(ValueError, match=r"weights must have shape \(N,\) = \(4,\)"):
        prune(net, X, 0.5, 1, weights=[1.0])


def test_each_rule_deletes_by_its_own_order():
    net, X, _ = case((3, 4, 2), "tanh", "softmax", N=20)
    size = np.argsort(abs(net.w))
    by_size = prune(net, X, 0.5, 5, rule="magnitude")
    assert by_size.deleted == tuple(size[:5])
    kept = size[5:]
    np.testing.assert_array_equal(by_size.net.w[kept], net.w[kept])
    by_damage = prune(net, X, 0.5, 5, rule="obd", refresh=5)
    order = np.argsort(obd_saliency(net, X, 0.5))
    assert by_damage.deleted == tuple(order[:5])
    assert prune(net, X, 0.5, 1).deleted[0] == np.argmin(obs_saliency(net, X, 0.5))


def test_which_goes_and_who_moves_are_two_choices():
    net, X, _ = case((3, 4, 2), "tanh", "softmax", N=20)
    A = outer_product_hessian(net, X) + 0.5 * np.eye(26)
    q = int(np.argmin(abs(net.w)))
    moved, deleted = prune(net, X, 0.5, 1, rule="magnitude", move=True)
    assert deleted == (q,)
    rest = np.delete(np.arange(26), q)
    step = np.linalg.solve(A[np.ix_(rest, rest)], A[rest, q] * net.w[q])
    np.testing.assert_allclose(moved.w[rest], net.w[rest] + step, rtol=1e-10)
    stays, deleted = prune(net, X, 0.5, 1, move=False)
    rest = np.delete(np.arange(26), deleted)
    np.testing.assert_array_equal(stays.w[rest], net.w[rest])


def test_pruning_goes_on_where_it_stopped():
    net, X, _ = case((3, 4, 2), "tanh", "softmax", N=20)
    whole = prune(net, X, 0.5, 6, refresh=2)
    first = prune(net, X, 0.5, 2, refresh=2)
    second = prune(first.net, X, 0.5, 4, refresh=2, deleted=first.deleted)
    assert second.deleted == whole.deleted
    np.testing.assert_allclose(second.net.w, whole.net.w, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="count is 25, but only 24 weights are left"):
        prune(first.net, X, 0.5, 25, deleted=first.deleted)
    empty = prune(net, X, 0.5, net.n_parameters).net
    np.testing.assert_array_equal(empty.w, np.zeros(net.n_parameters))


def test_saliencies_are_refreshed_after_every_weight_unless_told():
    net, X, _ = case((3, 4, 2), "tanh", "softmax", N=20)
    told, rarely = (prune(net, X, 0.5, 12, refresh=n) for n in (1, 2))
    assert prune(net, X, 0.5, 12).deleted == told.deleted != rarely.deleted


def test_between_two_looks_the_inverse_of_the_rest_is_kept_up():
    """Each deletion within one look agrees with an inverse of the rest made anew."""
    net, X, _ = case((3, 4, 2), "tanh", "softmax", N=20)
    A, w, gone = outer_product_hessian(net, X) + 0.5 * np.eye(26), net.w.copy(), []
    for _ in range(6):
        kept = np.delete(np.arange(26), gone)
        B = np.linalg.inv(A[np.ix_(kept, kept)])
        place = np.argmin(w[kept] ** 2 / np.diagonal(B))
        w[kept] -= w[kept][place] / B[place, place] * B[:, place]
        gone.append(int(kept[place]))
        w[gone] = 0
    found = prune(net, X, 0.5, 6, refresh=6)
    assert found.deleted == tuple(gone)
    np.testing.assert_allclose(found.net.w, w, rtol=1e-10, atol=1e-12)


# Bad input

NET = Network.random((3, 4, 2), seed=0)
X5 = np.random.default_rng(0).standard_normal((5, 3))


@pytest.mark.parametrize("alpha", [0.0, -1.0])
def test_alpha_must_be_above_zero(alpha, engine):
    for f in (inverse_outer_product, obd_saliency, obs_saliency):
        with pytest.raises(ValueError, match="alpha must be larger than 0"):
            f(NET, X5, alpha)
    with pytest.raises(ValueError, match="alpha must be larger than 0"):
        prune(NET, X5, alpha, 1)


@pytest.mark.parametrize("alpha", [np.nan, np.inf, [1.0, 2.0], 1j])
def test_alpha_must_be_one_number(alpha):
    with pytest.raises(ValueError, match="alpha must be one finite real number"):
        inverse_outer_product(NET, X5, alpha)


def test_alpha_must_be_seen_beside_the_patterns(engine):
    for f in (inverse_outer_product, obs_saliency):
        with pytest.raises(ValueError, match=r"rounding hides it .* use at least"):
            f(NET, X5, 1e-25)
    assert np.isfinite(obd_saliency(NET, X5, 1e-25)).all()


def test_updates_that_do_not_fit():
    B = np.eye(3)
    with pytest.raises(ValueError, match=r"inverse must have shape \(3, 3\)"):
        update_inverse(np.ones((3, 2)), np.ones(3))
    with pytest.raises(ValueError, match=r"J must have shape \(K, P\) .* got shape"):
        update_inverse(B, np.ones(2))
    with pytest.raises(ValueError, match=r"M must have shape \(2, 2\)"):
        update_inverse(B, np.ones((2, 3)), np.eye(3))
    with pytest.raises(ValueError, match="M must be real"):
        update_inverse(B, np.ones(3), [[1j]])
    with pytest.raises(ValueError, match="J must be real"):
        update_inverse(B, 1j * np.ones(3))
    with pytest.raises(ValueError, match=r"J\[1\] is nan"):
        update_inverse(B, [1.0, np.nan, 0.0])
    with pytest.raises(ValueError, match="is singular, so it has no inverse"):
        update_inverse(B, [1.0, 0.0, 0.0], -1.0)
    with pytest.raises(ValueError, match="inverse must be symmetric"):
        update_inverse(np.triu(np.ones((3, 3))), np.ones(3))
    with pytest.raises(ValueError, match="M must be symmetric"):
        update_inverse(B, np.ones((2, 3)), [[1.0, 2.0], [0.0, 1.0]])
    np.testing.assert_array_equal(update_inverse(B, np.empty((0, 3))), B)


def test_what_is_named_twice_has_gone_once():
    net = NET.with_parameters(np.r_[0.0, NET.w[1:]])
    assert prune(net, X5, 1.0, 2, deleted=(0, 0)) == prune(
        net, X5, 1.0, 2, deleted=(0,)
    )


def test_pruning_that_cannot_be():
    with pytest.raises(ValueError, match="rule must be one of obs, obd, magnitude"):
        prune(NET, X5, 1.0, 1, rule="size")
    with pytest.raises(ValueError, match="count is 27, but only 26 weights are left"):
        prune(NET, X5, 1.0, 27)
    for name in ("count", "refresh"):
        with pytest.raises(ValueError, match=f"{name} must be a positive whole number"):
            prune(NET, X5, 1.0, **{"count": 2, name: 0})
    with pytest.raises(ValueError, match="deleted names place 3, whose weight is"):
        prune(NET, X5, 1.0, 1, deleted=[3])
    with pytest.raises(ValueError, match="deleted must be a whole number from 0 to 25"):
        prune(NET, X5, 1.0, 1, deleted=[26])
    with pytest.raises(TypeError, match="net must be a Network"):
        prune(None, X5, 1.0, 1)
    with pytest.raises(ValueError, match=r"X must have shape \(N, 3\)"):
        prune(NET, np.ones((2, 2)), 1.0, 1)
