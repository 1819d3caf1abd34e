import mpmath as mp
import numpy as np
import pytest
from oracles import case, exact
from scipy.optimize import minimize

import jachess_lib as jl
from jachess_lib.differences import complex_step
from jachess_lib.influence import (
    first_moves,
    gradient_descent,
    influence,
    newton_moves,
    way_back,
)


def fit(net, X, T, alpha, weights=None):
    """Return the network at the minimum of Σ c_n E_n + ½α‖w‖², by Newton's method."""

    def slope(w):
        at = net.with_parameters(w)
        E = jl.error(at, X, T, weights=weights) + alpha * w @ w / 2
        return E, jl.error_gradient(at, X, T, weights=weights) + alpha * w

    def hessian(w):
        at = net.with_parameters(w)
        return jl.exact_hessian(at, X, T, weights=weights) + alpha * np.eye(len(w))

    found = minimize(
        slope, net.w, jac=True, hess=hessian, method="trust-exact",
        options={"gtol": 1e-9},
    )  # fmt: skip
    w = found.x
    for _ in range(3):
        w = w - np.linalg.solve(hessian(w), slope(w)[1])
    return net.with_parameters(w)


def fitted(sizes, output="linear", N=12, alpha=0.8, seed=0, weights=None):
    net, X, T = case(sizes, output=output, N=N, seed=seed)
    return fit(net, X, T, alpha, weights), X, T


def without(group, N, weights=None):
    c = np.ones(N) if weights is None else weights.copy()
    c[group] = 0
    return c


# Exact where outputs are linear in the weights


@pytest.mark.parametrize("K", [1, 3])
def test_least_squares_without_a_pattern_is_exact(K):
    net, X, T = fitted((2, K))
    Z = np.insert(X, 0, 1, axis=1)
    found = influence(net, X, T, 0.8).moves()
    for n in range(12):
        Z_n, T_n = np.delete(Z, n, axis=0), np.delete(T, n, axis=0)
        W = np.linalg.solve(Z_n.T @ Z_n + 0.8 * np.eye(3), Z_n.T @ T_n).T
        np.testing.assert_allclose(net.w + found[n], W.ravel(), rtol=1e-11, atol=1e-12)


def test_least_squares_without_a_pattern_in_fifty_digits():
    net, X, T = fitted((2, 1), N=5, alpha=0.3)
    Z = np.insert(X, 0, 1, axis=1)
    z, t = mp.matrix(exact(Z[1:])), mp.matrix(exact(T[1:]))
    w = mp.lu_solve(z.T * z + mp.mpf(0.3) * mp.eye(3), z.T * t)
    found = net.w + influence(net, X, T, 0.3).moves()[0]
    assert max(abs(a - b) for a, b in zip(w, found, strict=True)) < 1e-13


def test_least_squares_without_a_group_is_exact_and_groups_do_not_add_up():
    net, X, T = fitted((2, 2))
    who, group = influence(net, X, T, 0.8), [7, 0, 3, 9]
    truth = fit(net, X, T, 0.8, without(group, 12)).w - net.w
    np.testing.assert_allclose(who.move(group), truth, rtol=1e-10, atol=1e-12)
    added = who.moves()[group].sum(axis=0)
    assert np.linalg.norm(added - truth) > 0.05 * np.linalg.norm(truth)


def test_weights_leave_with_their_pattern():
    c = np.random.default_rng(1).uniform(0, 2, 12)
    c[4] = 0
    net, X, T = fitted((2, 2), weights=c)
    who = influence(net, X, T, 0.8, weights=c)
    for group in ([5], [2, 6, 4]):
        truth = fit(net, X, T, 0.8, without(group, 12, c)).w - net.w
        np.testing.assert_allclose(who.move(group), truth, rtol=1e-10, atol=1e-12)
    assert not who.moves()[4].any()
    np.testing.assert_allclose(who.moves()[5], who.move([5]), rtol=1e-11)


def test_a_pattern_held_twice_is_a_weight_of_two():
    net, X, T = case((3, 4, 2), output="softmax", N=7)
    twice = [0, 0, *range(1, 7)]
    c = np.array([2.0, *np.ones(6)])
    one = influence(net, X, T, 0.5, weights=c).move([0, 3])
    two = influence(net, X[twice], T[twice], 0.5).move([0, 1, 4])
    np.testing.assert_allclose(one, two, rtol=1e-11, atol=1e-14)


# The derivative by the weight of a pattern, and one step of Newton


@pytest.mark.parametrize(
    ("sizes", "output"),
    [((2, 3), "softmax"), ((3, 2), "sigmoid"), ((2, 3, 1), "linear")],
)
def test_the_first_order_is_the_slope_of_the_minimum(sizes, output):
    """Central differences of refits, whose weights differ by little."""
    net, X, T = fitted(sizes, output, N=15, alpha=1.0)
    found = influence(net, X, T, 1.0, curvature="exact").moves("first")
    for n in (0, 8):
        step = np.zeros(15)
        step[n] = 1e-4
        ends = [fit(net, X, T, 1.0, 1 + s * step).w for s in (-1, 1)]
        slope = -(ends[1] - ends[0]) / 2e-4
        np.testing.assert_allclose(found[n], slope, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
@pytest.mark.parametrize("curvature", ["outer_product", "exact"])
@pytest.mark.parametrize("structure", ["full", "diagonal", "kronecker", "last_layer"])
def test_newtons_step_solves_in_the_bowl_without_the_pattern(
    output, curvature, structure
):
    if (curvature, structure) == ("exact", "kronecker"):
        return
    net, X, T = case((3, 4, 2), output=output, N=6)
    alpha = 1.0 if curvature == "outer_product" else 20.0
    keywords = {"curvature": curvature, "structure": structure}
    found = influence(net, X, T, alpha, **keywords).moves()
    for n in range(6):
        rest = jl.laplace(net, X, T, alpha, weights=without(n, 6), **keywords)
        g = jl.error_gradients(net, X, T)[n]
        np.testing.assert_allclose(found[n], rest.covariance @ g, rtol=1e-8, atol=1e-11)


def test_the_plain_body_against_sums_index_by_index():
    rng = np.random.default_rng(3)
    J, r = rng.standard_normal((4, 2, 5)), rng.standard_normal((4, 2))
    M = np.array([S @ S.T for S in rng.standard_normal((4, 2, 2))])
    A = sum(J_n.T @ M_n @ J_n for J_n, M_n in zip(J, M, strict=True)) + np.eye(5)
    root = np.linalg.cholesky(A)
    found = newton_moves(root, J, M, r)
    for n in range(4):
        rest = np.array([
            [A[p, q] - sum(J[n, k, p] * M[n, k, l] * J[n, l, q]
                           for k in range(2) for l in range(2)) for q in range(5)]
            for p in range(5)
        ])  # fmt: skip
        np.testing.assert_allclose(found[n], np.linalg.solve(rest, J[n].T @ r[n]))
    np.testing.assert_allclose(first_moves(root, J[0]), np.linalg.solve(A, J[0].T).T)


def test_for_one_output_the_first_order_is_divided_by_one_minus_the_leverage():
    net, X, T = fitted((3, 4, 1), "sigmoid", alpha=0.1)
    who = influence(net, X, T, 0.1)
    assert who.leverages.max() > 0.3
    np.testing.assert_allclose(
        who.moves(), who.moves("first") / (1 - who.leverages)[:, None], rtol=1e-11
    )


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
def test_leverages_sum_to_what_the_data_determine(output):
    net, X, T = case((3, 4, 2), output=output, N=9)
    c = np.linspace(0, 2, 9)
    who = influence(net, X, T, 0.6, weights=c)
    assert who.leverages.sum() == pytest.approx(who.posterior.gamma, rel=1e-12)
    single = influence(net, X[:1], T[:1], 0.6).leverages
    G = jl.outer_product_hessian(net, X[:1])
    truth = np.trace(np.linalg.solve(G + 0.6 * np.eye(len(G)), G))
    assert single == pytest.approx([truth], rel=1e-11)


def test_effects_are_slopes_of_queries_along_the_moves():
    net, X, T = fitted((2, 3), "softmax")
    X_q, T_q = X[:4] + 0.5, T[2:6]
    who = influence(net, X, T, 0.8)
    for order in ("first", "newton"):
        found = who.effects(X_q, T_q, order)
        assert found.shape == (4, 12)
        for n in (0, 5):
            move = who.moves(order)[n]
            slope = complex_step(
                lambda s, move=move: net.output.errors(
                    jl.forward(net.with_parameters(net.w + s * move), X_q).a[-1], T_q
                ),
                0.0,
            )
            np.testing.assert_allclose(found[:, n], slope, rtol=1e-12)


# Through a training


def trained(net, X, T, c, rate, steps, momentum, alpha):
    """Return the weights after a training, complex if c is: written again."""
    w = net.w.astype(c.dtype)
    v = np.zeros_like(w)
    for _ in range(steps):
        g = jl.error_gradients(net.with_parameters(w), X, T)
        v = momentum * v - rate * (c @ g + alpha * w)
        w = w + v
    return w


@pytest.mark.parametrize("output", jl.OUTPUT_UNITS)
@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_the_way_back_is_a_complex_step_through_the_training(output, momentum):
    net, X, T = case((3, 4, 2), output=output, N=7)
    X_q, T_q = X[:3] - 0.4, T[4:]
    c = np.random.default_rng(0).uniform(0.5, 1.5, 7)
    given = {"rate": 0.04, "steps": 25, "momentum": momentum, "alpha": 0.3}
    run = gradient_descent(net, X, T, weights=c, **given)
    np.testing.assert_allclose(run.net.w, trained(net, X, T, c, **given), rtol=1e-12)
    assert run.path.shape == (26, net.n_parameters)
    np.testing.assert_array_equal(run.path[0], net.w)

    def errors(c):
        at = net.with_parameters(trained(net, X, T, c, **given))
        return at.output.errors(jl.forward(at, X_q).a[-1], T_q)

    truth = -c * complex_step(errors, c)
    np.testing.assert_allclose(run.effects(X_q, T_q), truth, rtol=1e-10, atol=1e-13)
    # planted: the last gradients alone, and no momentum on the way back
    last = -c * (jl.error_gradients(run.net, X_q, T_q)
                 @ jl.error_gradients(run.net, X, T).T)  # fmt: skip
    assert np.linalg.norm(last + truth) > 0.1 * np.linalg.norm(truth)


def test_a_training_that_has_converged_knows_no_path():
    net, X, T = fitted((3, 2), "softmax", alpha=1.0)
    away = net.with_parameters(net.w + 0.3)
    run = gradient_descent(away, X, T, rate=0.1, steps=600, momentum=0.5, alpha=1.0)
    X_q, T_q = X[:2] + 1, T[:2]
    who = influence(net, X, T, 1.0, curvature="exact")
    np.testing.assert_allclose(
        run.effects(X_q, T_q), who.effects(X_q, T_q, "first"), rtol=1e-9, atol=1e-12
    )


def test_a_short_training_is_a_filter_of_the_curvature():
    """Least squares from zero: λ⁻¹ becomes (1 − (1 − ηλ)^t)/λ, at the old gradients."""
    net, X, T = case((2, 1), N=8)
    Z = np.insert(X, 0, 1, axis=1)
    run = gradient_descent(net, X, T, rate=0.02, steps=9)
    values, U = np.linalg.eigh(Z.T @ Z)
    truth = np.zeros((8, 3))
    for s in range(9):  # what step s does, and how it decays until the end
        g = (Z @ run.path[s] - T[:, 0])[:, None] * Z
        truth += 0.02 * g @ U @ np.diag((1 - 0.02 * values) ** (8 - s)) @ U.T
    found = way_back(run, np.eye(3))
    np.testing.assert_allclose(found, truth, rtol=1e-12, atol=1e-14)


def test_by_hand():
    # y = 1 + x, targets 0 and 3: residuals 0 and −1, A = 3I
    line = jl.Network((1, 1), [1.0, 1.0])
    who = influence(line, [[-1.0], [1.0]], [[0.0], [3.0]], 1.0)
    first = [[0, 0], [-1 / 3, -1 / 3]]
    np.testing.assert_allclose(who.moves("first"), first, atol=1e-15)
    np.testing.assert_allclose(who.moves(), [[0, 0], [-1, -1]], atol=1e-14)
    # the query x = 0, t = 2: y = 1, so F falls by nothing but the bias: ∇F = (−1, 0)
    np.testing.assert_allclose(who.effects([[0.0]], [[2.0]]), [[0, 1]], atol=1e-14)


# Bad input


def test_what_does_not_fit():
    net, X, T = case((3, 4, 2), N=6)
    who = influence(net, X, T, 1.0)
    with pytest.raises(ValueError, match="order must be one of newton, first"):
        who.moves("second")
    with pytest.raises(ValueError, match="order must be one of newton, first"):
        who.move([0], "second")
    with pytest.raises(ValueError, match="group must be a whole number from 0 to 5"):
        who.move([6])
    with pytest.raises(ValueError, match="group names pattern 2 twice"):
        who.move([0, 2, 1, 2])
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        influence(net, X, None, 1.0)
    with pytest.raises(ValueError, match="alpha must be larger than 0"):
        influence(net, X, T, 0.0)
    with pytest.raises(ValueError, match=r"weights\[1\] is -1: a pattern cannot count"):
        influence(net, X, T, 1.0, weights=[0.5, -1, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="curvature must be one of"):
        influence(net, X, T, 1.0, curvature="fisher")
    with pytest.raises(ValueError, match="X must have shape"):
        who.effects(X[:, :2], T)


def test_a_bowl_that_is_none():
    net, X, T = case((3, 4, 2), N=6)
    with pytest.raises(ValueError, match="precision of the posterior"):
        influence(net, X, 50 * T, 1e-3, curvature="exact")


def test_trainings_that_cannot_be():
    net, X, T = case((3, 4, 2), N=6)
    good = {"rate": 0.1, "steps": 3}
    for change, message in (
        ({"rate": 0.0}, "rate must be larger than 0"),
        ({"steps": 0}, "steps must be a positive whole number"),
        ({"momentum": 1.0}, "momentum must be from 0 to below 1, got 1"),
        ({"momentum": -0.1}, "momentum must be from 0 to below 1"),
        ({"alpha": -1.0}, "alpha must be 0 or larger, got -1"),
        ({"weights": [1.0]}, "weights must have shape"),
    ):
        with pytest.raises(ValueError, match=message):
            gradient_descent(net, X, T, **{**good, **change})
    line = jl.Network((1, 1), [1.0, 1.0])
    w, step = 1.0, 0  # of both weights
    while np.isfinite(w):
        w, step = w - 1e9 * (w + w), step + 1
    with pytest.raises(ValueError, match=f"not finite any more after step {step}: use"):
        gradient_descent(line, [[1.0]], [[0.0]], rate=1e9, steps=100)
    with pytest.raises(ValueError, match="X must have shape"):
        gradient_descent(net, X, T, **good).effects(X[:, :1], T)


def test_no_patterns_and_no_group():
    net, X, T = case((3, 4, 2), N=6)
    none = influence(net, X[:0], T[:0], 1.0)
    assert none.moves().shape == none.moves("first").shape == (0, net.n_parameters)
    assert none.leverages.shape == (0,)
    assert none.effects(X, T).shape == (6, 0)
    diagonal = influence(net, X[:0], T[:0], 1.0, structure="diagonal")
    assert diagonal.moves().shape == (0, net.n_parameters)
    assert not influence(net, X, T, 1.0).move([]).any()
    run = gradient_descent(net, X[:0], T[:0], rate=0.1, steps=2)
    assert run.effects(X, T).shape == (6, 0)
    assert run.effects(X[:0], T[:0]).shape == (0, 0)


def test_single_precision_is_computed_in_double():
    net, X, T = case((3, 4, 2), N=6)
    single = net.with_parameters(net.w.astype(np.float32))
    X, T = X.astype(np.float32), T.astype(np.float32)
    double = net.with_parameters(single.w.astype(float))
    found = influence(single, X, T, 1.0).moves()
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, influence(double, X, T, 1.0).moves())
    run = gradient_descent(single, X, T, rate=0.1, steps=3)
    assert run.path.dtype == np.float64
    assert run.effects(X, T).shape == (6, 6)


def test_targets_far_away():
    net, X, T = case((2, 1), N=6)
    far = 1e150 * T
    moves = influence(net.with_parameters(1e150 * net.w), X, far, 1.0).moves()
    expected = 1e150 * influence(net, X, T, 1.0).moves()
    np.testing.assert_allclose(moves, expected, rtol=1e-10)
