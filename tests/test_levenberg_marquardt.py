import json
import warnings
from importlib.resources import files

import autograd
import mpmath as mp
import numpy as np
import pytest
from oracles import autograd_outputs, case, exact

import jachess_lib as jl
from jachess_lib.levenberg_marquardt import (
    covariance,
    damped_step,
    foretold_fall,
    levenberg_marquardt,
    next_damping,
)

NIST = json.loads(files(jl).joinpath("nist.json").read_text(encoding="utf-8"))
PROBLEMS = [name for name in NIST if name != "source"]


def nist(name, start):
    """Return a network at a start of NIST's, its data, and what is certified."""
    problem = NIST[name]
    net = jl.Network.random(problem["sizes"], problem["hidden"])
    w = np.zeros(net.n_parameters)
    w[problem["place"]] = np.multiply(problem["sign"], problem[start])
    X, T = (np.array(problem[key])[:, None] for key in "xy")
    return net.with_parameters(w), X, T, problem


def digits(found, certified):
    """Return how many digits the worst of the numbers has."""
    return -np.log10(np.abs(np.divide(found, certified) - 1).max())


def table(N=7, P=4, seed=0):
    """Return a J and an r with the right shapes, and a D of different scales."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, P)), rng.normal(size=N), rng.uniform(0.5, 9, P)


# The parts


@pytest.mark.parametrize("damping", [1e-9, 0.3, 40.0])
def test_a_step_solves_the_damped_equations_in_fifty_digits(damping):
    J, r, D = table()
    A = mp.matrix(exact(J.T)) * mp.matrix(exact(J)) + mp.mpf(damping) * mp.diag(
        exact(D)
    )
    p = mp.lu_solve(A, -mp.matrix(exact(J.T)) * mp.matrix(exact(r)))
    found = damped_step(J, r, damping, D)
    np.testing.assert_allclose(found, np.array(p, dtype=float).ravel(), rtol=1e-13)


def test_a_step_without_damping_is_gauss_newton_s_and_with_much_the_gradient_s():
    J, r, D = table()
    np.testing.assert_allclose(
        damped_step(J, r, 0.0, D), np.linalg.lstsq(J, -r)[0], rtol=1e-12
    )
    far = damped_step(J, r, 1e9, D)
    np.testing.assert_allclose(far * 1e9, -(J.T @ r) / D, rtol=1e-7)


def test_a_step_is_the_shortest_of_those_as_good_for_the_tangent():
    J, r, D = table(seed=1)
    p = damped_step(J, r, 0.7, D)
    rng = np.random.default_rng(2)
    for _ in range(200):
        q = p + rng.normal(size=4) * rng.choice([1e-3, 0.1, 1])
        q *= np.sqrt((p @ (D * p)) / (q @ (D * q)))  # as long as p
        assert np.sum((r + J @ q) ** 2) >= np.sum((r + J @ p) ** 2)


def test_a_step_keeps_the_digits_that_normal_equations_lose():
    """Columns almost alike: the condition is 1e7, and its square 1e14."""
    rng = np.random.default_rng(0)
    J = rng.normal(size=(20, 3))
    J[:, 1] = J[:, 0] + 1e-7 * J[:, 1]
    truth = np.array([1.0, -2.0, 3.0])
    found = damped_step(J, -J @ truth, 0.0, np.ones(3))
    squared = np.linalg.solve(J.T @ J, J.T @ (J @ truth))
    assert np.abs(found - truth).max() < 1e-7
    assert np.abs(squared - truth).max() > 1e-5


def test_what_is_foretold_is_what_the_tangent_says():
    J, r, D = table(seed=3)
    p = damped_step(J, r, 0.4, D)
    E, model = (sum(number**2 for number in row) / 2 for row in (r, r + J @ p))
    assert foretold_fall(J, p, 0.4, D) == pytest.approx(E - model, rel=1e-12)
    assert foretold_fall(J, p, 0.4, D) > 0


def test_a_gain_is_the_fall_over_what_was_foretold():
    net, X, T = case((2, 3, 1), N=9)
    fit = levenberg_marquardt(net, X, T, max_steps=1, damping=0.2)
    J = jl.parameter_jacobian(net, X)[:, 0]
    r = (net(X) - T)[:, 0]
    D = np.diag(J.T @ J)
    p = damped_step(J, r, 0.2, D)
    model = np.sum((r + J @ p) ** 2) / 2
    E, E_new = (jl.error(n, X, T) for n in (net, net.with_parameters(net.w + p)))
    assert fit.dampings == [0.2]
    assert fit.gains[0] == pytest.approx((E - E_new) / (E - model), rel=1e-9)
    assert fit.costs[0] == pytest.approx(E_new, rel=1e-12)


def test_the_rule_of_the_damping():
    assert next_damping(6.0, 8.0, 1.0) == (2.0, 2.0)
    assert next_damping(6.0, 8.0, 5.0) == (2.0, 2.0)
    assert next_damping(6.0, 8.0, 0.5) == (6.0, 2.0)
    assert next_damping(6.0, 8.0, 1e-12)[0] == pytest.approx(12.0)
    assert next_damping(6.0, 8.0, 0.0) == (48.0, 16.0)
    assert next_damping(6.0, 2.0, -np.inf) == (12.0, 4.0)
    assert next_damping(6.0, 2.0, 0.75)[0] == 6 * (1 - 0.125)


def test_the_covariance_in_fifty_digits():
    J, r, _ = table()
    inverse = (mp.matrix(exact(J.T)) * mp.matrix(exact(J))) ** -1
    s2 = sum(mp.mpf(float(number)) ** 2 for number in r) / 3
    expected = np.array((inverse * s2).tolist(), dtype=float)
    np.testing.assert_allclose(covariance(J, r), expected, rtol=1e-12)


# Certified


@pytest.mark.parametrize("scale", ["diagonal", "identity"])
@pytest.mark.parametrize("start", ["start 1", "start 2"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_nist(name, start, scale):
    net, X, T, problem = nist(name, start)
    fit = levenberg_marquardt(net, X, T, free=problem["place"], scale=scale)
    assert fit.status == 1
    assert fit.success
    w = np.multiply(fit.x[problem["place"]], problem["sign"])
    assert digits(w, problem["certified"]) > 9
    errors = fit.standard_errors[problem["place"]]
    assert digits(errors, problem["standard error"]) > 9
    assert digits(2 * fit.cost, problem["sum of squares"]) > 10
    assert fit.rank == len(problem["place"])
    assert set(np.flatnonzero(fit.x)) == set(problem["place"])


def test_the_table_of_nist_holds_together():
    for name in PROBLEMS:
        net, X, T, problem = nist(name, "certified")
        assert len(X) == len(T) == {"Rat42": 9, "MGH17": 33, "Lanczos3": 24}[name]
        assert digits(2 * jl.error(net, X, T), problem["sum of squares"]) > 6


@pytest.mark.parametrize("name", PROBLEMS)
def test_nist_certifies_the_outer_product_and_not_the_hessian(name):
    net, X, T, problem = nist(name, "start 2")
    fit = levenberg_marquardt(net, X, T, free=problem["place"])
    among = np.ix_(problem["place"], problem["place"])
    H = jl.exact_hessian(fit.net, X, T)[among]
    full = np.sqrt(fit.variance * np.diag(np.linalg.inv(H)))
    off = np.abs(full / problem["standard error"] - 1).max()
    assert 0.01 < off < 0.03


# The fit


def test_a_line_is_fitted_as_least_squares_does_it():
    net, X, T = case((3, 2), N=9)
    fit = levenberg_marquardt(net, X, T)
    Z = np.column_stack([np.ones(9), X])
    W, rss = np.linalg.lstsq(Z, T)[:2]
    np.testing.assert_allclose(fit.net.W[0].T, W, rtol=1e-9)
    assert fit.cost == pytest.approx(rss.sum() / 2)
    inverse = np.linalg.inv(Z.T @ Z)
    expected = rss.sum() / (18 - 8) * np.kron(np.eye(2), inverse)
    np.testing.assert_allclose(fit.covariance, expected, rtol=1e-9, atol=1e-15)
    assert fit.variance == pytest.approx(rss.sum() / 10)
    np.testing.assert_allclose(fit.standard_errors**2, np.diag(expected))
    assert fit.nfev == fit.nit + 1


def test_weight_decay_is_that_of_ridge_regression():
    net, X, T = case((3, 2), N=9)
    fit = levenberg_marquardt(net, X, T, alpha=0.6)
    Z = np.column_stack([np.ones(9), X])
    W = np.linalg.solve(Z.T @ Z + 0.6 * np.eye(4), Z.T @ T)
    np.testing.assert_allclose(fit.net.W[0].T, W, rtol=1e-9)
    penalised = jl.error(fit.net, X, T) + 0.3 * fit.x @ fit.x
    assert fit.cost == pytest.approx(penalised, rel=1e-12)
    assert (fit.covariance, fit.standard_errors, fit.variance) == (None,) * 3


def test_a_weight_counts_a_pattern_so_often():
    net, X, T = case((2, 3, 1), N=12, seed=4)
    weights = np.arange(12) % 3
    often = np.repeat(np.arange(12), weights)
    fit = levenberg_marquardt(net, X, T, alpha=0.1, weights=weights)
    same = levenberg_marquardt(net, X[often], T[often], alpha=0.1)
    assert fit.success
    np.testing.assert_allclose(fit.x, same.x, rtol=1e-6)


def test_a_weight_of_zero_leaves_a_pattern_out_of_the_variance_too():
    net, X, T = case((2, 1), N=8)
    weights = np.array([1.0] * 6 + [0.0] * 2)
    fit = levenberg_marquardt(net, X, T, weights=weights)
    same = levenberg_marquardt(net, X[:6], T[:6])
    np.testing.assert_allclose(fit.covariance, same.covariance, rtol=1e-8)
    assert fit.variance == pytest.approx(same.variance)


@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 4, 2), (2, 3, 4, 2)])
def test_it_ends_where_the_gradient_is_zero(sizes):
    net, X, T = case(sizes, N=40, seed=2)
    fit = levenberg_marquardt(net, X, T, alpha=0.5)
    assert fit.success, fit.message
    gradient = jl.error_gradient(fit.net, X, T) + 0.5 * fit.x
    assert np.abs(gradient).max() < 1e-7
    np.testing.assert_allclose(fit.grad, gradient, atol=1e-12)
    assert np.linalg.eigvalsh(jl.exact_hessian(fit.net, X, T)).min() > -0.5
    assert (np.diff(fit.costs[fit.gains > 0]) < 1e-12).all()
    assert len(fit.dampings) == len(fit.gains) == len(fit.costs) == fit.nit
    assert fit.nfev == 1 + fit.nit >= fit.njev >= 1 + (fit.gains > 0).sum()


def test_the_jacobian_is_that_of_another_program():
    net, X, T = case((2, 3, 2), "softplus", N=6)
    fit = levenberg_marquardt(net, X, T, free=[1, 4, 10], max_steps=2)

    def residuals(w):
        return (autograd_outputs(net, w, X) - T).ravel()

    J = autograd.jacobian(residuals)(fit.x)
    np.testing.assert_allclose(fit.jac, J[:, [1, 4, 10]], atol=1e-13)
    np.testing.assert_allclose(fit.fun, residuals(fit.x), atol=1e-13)


def test_with_ones_the_first_damping_is_a_share_of_the_largest_entry():
    net, X, T = case((2, 3, 1), N=9)
    fit = levenberg_marquardt(net, X, T, max_steps=1, damping=0.2, scale="identity")
    J = jl.parameter_jacobian(net, X)[:, 0]
    damping = 0.2 * np.diag(J.T @ J).max()
    assert fit.dampings == [pytest.approx(damping, rel=1e-14)]
    step = np.linalg.solve(J.T @ J + damping * np.eye(len(J.T)), -J.T @ (net(X) - T))
    np.testing.assert_allclose(fit.x - net.w, step[:, 0], rtol=1e-9)


def test_the_unit_of_an_input_does_not_matter_with_the_diagonal():
    """And it does with ones."""
    net, X, T, problem = nist("Rat42", "start 1")
    free, w = problem["place"], net.w.copy()
    w[1] *= 24  # days for weeks, say
    by = {"diagonal": [], "identity": []}
    for scale, costs in by.items():
        for net_, X_ in ((net, X), (net.with_parameters(w), X / 24)):
            costs.append(levenberg_marquardt(net_, X_, T, free=free, scale=scale).costs)
    np.testing.assert_allclose(*by["diagonal"], rtol=1e-6)
    assert len(by["identity"][0]) != len(by["identity"][1])


def test_free_may_be_truth_values_and_fixed_weights_stay():
    net, X, T = case((2, 3, 1), N=30, seed=1)
    mask = np.arange(net.n_parameters) % 2 == 0
    fit = levenberg_marquardt(net, X, T, free=mask)
    other = levenberg_marquardt(net, X, T, free=np.flatnonzero(mask)[::-1])
    assert np.array_equal(fit.x, other.x)
    assert np.array_equal(fit.x[~mask], net.w[~mask])
    assert (fit.standard_errors[~mask] == 0).all()
    assert (fit.standard_errors[mask] > 0).all()
    assert fit.jac.shape == (30, mask.sum())
    assert np.array_equal(fit.net.w, fit.x)


def test_a_network_of_single_precision_stays_one():
    net, X, T = case((2, 3, 1), N=20)
    single = net.with_parameters(net.w.astype(np.float32))
    fit = levenberg_marquardt(single, X.astype(np.float32), T, alpha=0.1)
    assert fit.x.dtype == fit.net.w.dtype == np.float32
    same = levenberg_marquardt(net, X, T, alpha=0.1)
    np.testing.assert_allclose(fit.x, same.x, rtol=2e-3, atol=1e-4)


def test_what_went_in_is_as_it_was():
    net, X, T = case((2, 3, 1), N=20)
    before = net.w.copy(), X.copy(), T.copy()
    levenberg_marquardt(net, X, T, max_steps=5)
    for a, b in zip(before, (net.w, X, T), strict=True):
        assert np.array_equal(a, b)


def test_the_engines_agree(engine):
    net, X, T, problem = nist("MGH17", "start 2")
    fit = levenberg_marquardt(net, X, T, free=problem["place"])
    w = np.multiply(fit.x[problem["place"]], problem["sign"])
    assert digits(w, problem["certified"]) > 9


# How it may end


def test_a_limit_of_steps_is_said():
    net, X, T, problem = nist("MGH17", "start 1")
    fit = levenberg_marquardt(net, X, T, free=problem["place"], max_steps=9)
    assert (fit.status, fit.success, fit.nit) == (0, False, 9)
    assert "too many steps: 9 were tried" in fit.message


def test_a_perfect_fit_converges():
    net, X, _ = case((2, 3, 1), N=20)
    rng = np.random.default_rng(0)
    near = net.with_parameters(net.w + 0.01 * rng.normal(size=len(net.w)))
    fit = levenberg_marquardt(near, X, net(X))
    assert fit.success
    assert fit.cost < 1e-25


def test_directions_left_open_are_said():
    """Two hidden units alike: their weights onward count as a sum alone."""
    net = jl.Network((1, 2, 1), [0.1, 0.5, 0.1, 0.5, 0.0, 1.0, 1.0])
    X = np.linspace(-1, 1, 9)[:, None]
    fit = levenberg_marquardt(net, X, np.sin(X), free=[4, 5, 6])
    assert (fit.status, fit.success, fit.rank) == (2, True, 2)
    assert "leaves 1 of 3 directions" in fit.message
    assert fit.covariance is None


def test_fewer_patterns_than_weights():
    net, X, T = case((2, 3, 1), N=5)
    fit = levenberg_marquardt(net, X, T)
    assert fit.status == 2
    assert fit.cost < 1e-20
    assert fit.standard_errors is None
    line = levenberg_marquardt(jl.Network.random((2, 1)), X[:3], T[:3])
    assert line.status == 1
    assert line.covariance is None  # as many weights as residuals: no s²


def test_a_jacobian_that_overflows_is_said():
    net = jl.Network((1, 1, 1), [0.0, 1.0, 0.0, 1e-300], "exp")
    fit = levenberg_marquardt(net, [[705.0]], [[0.0]], max_steps=3)
    assert (fit.status, fit.success) == (-2, False)
    assert fit.rank is None


def test_steps_that_overflow_are_taken_back():
    net = jl.Network((1, 1, 1), [0.0, -30.0, 0.0, 1e-9], "exp")
    X = np.linspace(0, 1, 9)[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = levenberg_marquardt(net, X, np.exp(-X), free=[1, 3])
    assert fit.success
    assert (fit.gains == -np.inf).any()
    np.testing.assert_allclose(fit.x[[1, 3]], [-1, 1], rtol=1e-7)


def test_no_step_that_helps_is_said():
    """At the bottom of a kink the slope is not zero on either side."""
    kink = jl.HiddenUnit("kink", np.abs, np.sign, np.zeros_like)
    net = jl.Network((1, 1, 1), [0.0, 0.8, 0.0, 1.0], kink)
    fit = levenberg_marquardt(net, [[1.0]], [[-1.0]], free=[1])
    assert (fit.status, fit.success) == (-1, False)
    assert "no step lowers" in fit.message
    assert abs(fit.x[1]) < 1e-12


# Bad input

NET, X, T = case((2, 3, 1), N=6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": jl.Network.random((2, 3, 1), output="sigmoid")}, "linear outputs"),
        ({"net": 3}, "net must be a Network"),
        ({"T": None}, "T must hold numbers, but it is None"),
        ({"T": T[:4]}, "one row for each pattern"),
        ({"X": X[:0], "T": T[:0]}, "X must have a pattern or more"),
        ({"free": []}, "free must hold 13 truth values"),
        ({"free": [0.5]}, "free must hold 13 truth values"),
        ({"free": np.ones(4, bool)}, "free must hold 13 truth values"),
        ({"free": np.zeros(13, bool)}, "free must hold 13 truth values"),
        ({"free": [1, 1]}, "places from 0 to 12, each once"),
        ({"free": [13]}, "places from 0 to 12, each once"),
        ({"free": [-1]}, "places from 0 to 12, each once"),
        ({"alpha": -1}, "alpha must be 0 or larger, got -1"),
        ({"alpha": np.nan}, "alpha must be one finite real number"),
        ({"damping": 0}, "damping must be larger than 0, got 0"),
        ({"tolerance": -1e-3}, "tolerance must be larger than 0"),
        ({"scale": "units"}, "scale must be one of diagonal, identity"),
        ({"max_steps": 0}, "max_steps must be a positive whole number"),
        ({"weights": -np.ones(6)}, r"weights\[0\] is -1: a square cannot count less"),
        ({"weights": np.ones(5)}, r"weights must have shape \(N,\) = \(6,\)"),
    ],
)
def test_bad_input_is_told(change, message):
    given = {"net": NET, "X": X, "T": T} | change
    with pytest.raises((ValueError, TypeError), match=message):
        levenberg_marquardt(**given)


def test_a_start_that_overflows_is_told():
    net = jl.Network((1, 1, 1), [0.0, 700.0, 0.0, 1e200], "exp")
    with pytest.raises(ValueError, match="the residuals at the start are not finite"):
        levenberg_marquardt(net, [[1.0]], [[0.0]])
