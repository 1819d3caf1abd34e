"""Optimisers: their first steps by hand, their exact identities, and where they go."""

import numpy as np
import pytest

import jachess_lib as jl
from jachess_lib.language_model import (
    StackOperator,
    named_blocks,
    newton_schulz,
    sampled_diagonal,
    stack_error,
    stack_gradient,
    token_inputs,
    transformer,
)
from jachess_lib.optimisers import (
    adam,
    gauss_newton,
    momentum,
    muon,
    shampoo,
    soap,
    sophia,
)

NET = transformer(6, 4, 6, 2, 3, seed=1)  # no width is 4: its root is its half
BLOCKS = named_blocks(NET)
RNG = np.random.default_rng(0)
LETTERS = RNG.integers(0, 6, (12, 5))
X = token_inputs(LETTERS[:, :4], 6)
T = jl.one_hot(LETTERS[:, 1:].ravel(), 6)
G_1, G_2 = RNG.standard_normal((2, NET.n_parameters))
GRADIENT_ONLY = {"momentum": momentum, "adam": adam, "shampoo": shampoo, "soap": soap,
                 "muon": muon}  # fmt: skip


def matrices(g):
    return {name: g[place].reshape(shape) for name, (place, shape) in BLOCKS.items()}


def test_momentum_is_an_average_without_bias():
    step = momentum(BLOCKS, 0.8)
    np.testing.assert_allclose(step(G_1), G_1)
    np.testing.assert_allclose(step(G_2), (0.8 * G_1 + G_2) / 1.8)


def test_adam_takes_signs_first_and_then_averages():
    step = adam(BLOCKS, 0.9, 0.95)
    np.testing.assert_allclose(step(G_1), G_1 / (abs(G_1) + 1e-8), rtol=1e-12)
    assert abs(step(G_1) - np.sign(G_1)).max() < 1e-4
    step = adam(BLOCKS, 0.9, 0.95)
    step(G_1)
    m = (0.9 * 0.1 * G_1 + 0.1 * G_2) / (1 - 0.9**2)
    s = (0.95 * 0.05 * G_1**2 + 0.05 * G_2**2) / (1 - 0.95**2)
    np.testing.assert_allclose(step(G_2), m / (np.sqrt(s) + 1e-8), rtol=1e-12)


def test_sophia_divides_by_the_diagonal_and_cuts():
    h = sampled_diagonal(NET, X, seed=0) + 0.1
    step = sophia(BLOCKS, 0.5, 0.9, rho=2.0)
    np.testing.assert_allclose(step(G_1, h), np.clip(G_1 / (2 * h), -1, 1))
    m = (0.5 * G_1 + G_2) / 1.5
    np.testing.assert_allclose(step(G_2), np.clip(m / (2 * h), -1, 1))
    assert abs(step(1e9 * G_1, 3 * h)).max() == 1
    with pytest.raises(ValueError, match="the first step needs h"):
        sophia(BLOCKS)(G_1)


def test_the_first_step_of_shampoo_is_the_polar_factor_as_long_as_adam_s():
    found = matrices(shampoo(BLOCKS, epsilon=1e-15)(G_1))
    for name, Gamma in matrices(G_1).items():
        U, _, Vt = np.linalg.svd(Gamma, full_matrices=False)
        scale = np.sqrt(Gamma.size) / np.linalg.norm(U @ Vt)
        np.testing.assert_allclose(found[name], scale * U @ Vt, atol=1e-5)
    whole = matrices(shampoo(BLOCKS, power=-0.5, epsilon=1e-15)(G_1))["1"]
    U, sigma, Vt = np.linalg.svd(matrices(G_1)["1"], full_matrices=False)
    inverse = U / sigma @ Vt
    truth = inverse * np.sqrt(inverse.size) / np.linalg.norm(inverse)
    np.testing.assert_allclose(whole, truth, atol=1e-5)


def test_shampoo_averages_both_sides():
    step = shampoo(BLOCKS, beta=0.8, beta1=0.0, epsilon=1e-12)
    step(G_1)
    found = matrices(step(G_2))["2"]
    A, B = matrices(G_1)["2"], matrices(G_2)["2"]
    L, R = ((0.8 * C @ C.T + D @ D.T) / 1.8 for C, D in ((A, B), (A.T, B.T)))
    roots = []
    for S in (L, R):
        values, Q = np.linalg.eigh(S)
        roots.append(Q * (values + 1e-12 * values[-1]) ** -0.25 @ Q.T)
    truth = roots[0] @ B @ roots[1]
    s = (0.8 * A**2 + B**2) / 1.8
    truth *= np.linalg.norm(B / np.sqrt(s)) / np.linalg.norm(truth)
    np.testing.assert_allclose(found, truth, rtol=1e-6)


@pytest.mark.parametrize("size", [0.01, 1.0, 1e4])
def test_the_floor_of_shampoo_is_a_share_of_the_largest_eigenvalue(size):
    found = matrices(shampoo(BLOCKS, beta1=0.0, epsilon=0.3)(size * G_1))["2"]
    A = matrices(G_1)["2"]
    U, sigma, Vt = np.linalg.svd(A, full_matrices=False)
    truth = U * (sigma * (sigma**2 + 0.3 * sigma[0] ** 2) ** -0.5) @ Vt
    truth *= np.sqrt(A.size) / np.linalg.norm(truth)
    np.testing.assert_allclose(found, truth, rtol=1e-3)  # Adam's own ε


def test_soap_is_adam_where_the_gradient_is_turned_to():
    """Along its own singular vectors a first gradient is diagonal: a polar factor."""
    found = matrices(soap(BLOCKS, epsilon=1e-8)(G_1))
    for name in ("Q", "1", "U"):
        U, _, Vt = np.linalg.svd(matrices(G_1)[name], full_matrices=False)
        np.testing.assert_allclose(found[name], U @ Vt, atol=1e-6)


def test_soap_over_two_steps():
    step = soap(BLOCKS, 0.9, 0.7, epsilon=1e-6)
    step(G_1)
    found = matrices(step(G_2))["1"]
    A, B = matrices(G_1)["1"], matrices(G_2)["1"]
    turns = [
        [np.linalg.eigh(f(A))[1], np.linalg.eigh((0.7 * f(A) + f(B)) / 1.7)[1]]
        for f in (lambda C: C @ C.T, lambda C: C.T @ C)
    ]
    old, new = (turns[0][k].T @ C @ turns[1][k] for k, C in ((0, A), (1, B)))
    s = (0.7 * old**2 + new**2) / 1.7
    M = turns[0][1].T @ ((0.9 * A + B) / 1.9) @ turns[1][1]
    truth = turns[0][1] @ (M / (np.sqrt(s) + 1e-6)) @ turns[1][1].T
    np.testing.assert_allclose(found, truth, rtol=1e-8, atol=1e-10)


def test_muon_turns_the_inner_matrices_and_leaves_the_outer_to_adam():
    step, beside = muon(BLOCKS, 0.9, 0.7, ratio=3.0), adam(BLOCKS, 0.9, 0.7)
    found = matrices(step(G_1))
    beside(G_1)
    second, outer = matrices(step(G_2)), matrices(beside(G_2))
    for name, Gamma in matrices(G_1).items():
        if name in "EU":
            np.testing.assert_allclose(found[name], 3 * np.sign(Gamma), rtol=1e-3)
            np.testing.assert_allclose(second[name], 3 * outer[name], rtol=1e-12)
            continue
        scale = 0.2 * max(Gamma.shape) ** 0.5
        np.testing.assert_allclose(found[name], scale * newton_schulz(Gamma))
        other = matrices(G_2)[name]
        ahead = 0.9 * (0.9 * Gamma + other) / 1.9 + 0.1 * other
        np.testing.assert_allclose(second[name], scale * newton_schulz(ahead))


@pytest.mark.parametrize(("times", "grows"), [(0.99, False), (1.01, True)])
def test_adam_on_a_quadratic_is_stable_below_38_over_eta(times, grows):
    """With s held fast, Adam is averaged momentum: (2 + 2β)/(1 − β) = 38."""
    eta, w, step = 0.1, 1e-6, momentum(None, 0.9)
    curvature = times * 38 / eta
    for _ in range(3000):
        w = w - eta * step(curvature * w)
    assert (abs(w) > 1e-6) == grows


# Gauss–Newton


def test_enough_products_solve_the_damped_system():
    G = StackOperator(NET, X, T, curvature="outer_product")
    dense, g = G.to_dense(), G.gradient
    lam = 0.5
    p = -np.linalg.solve(dense + lam * np.eye(len(g)), g)
    step = gauss_newton(iterations=100, damping=lam)
    w, spent = step(NET, X, T)
    np.testing.assert_allclose(w - NET.w, p, atol=1e-8)
    np.testing.assert_allclose(spent, 1 + 101 * 4 / 3 + 1 / 3)
    half, _ = gauss_newton(iterations=100, damping=lam)(NET, X, T, 0.5)
    np.testing.assert_allclose(half - NET.w, p / 2, atol=1e-8)


def test_layer_by_layer_the_system_falls_apart():
    G = StackOperator(NET, X, T, curvature="outer_product")
    dense, g, lam, p = G.to_dense(), G.gradient, 0.5, np.zeros(NET.n_parameters)
    names = ["E", "QKVO", "12", "U"]
    for group in names:
        start, stop = BLOCKS[group[0]][0].start, BLOCKS[group[-1]][0].stop
        s = slice(start, stop)
        p[s] = -np.linalg.solve(dense[s, s] + lam * np.eye(stop - start), g[s])
    p *= -(g @ p) / (p @ dense @ p + lam * p @ p)
    w, spent = gauss_newton(iterations=80, damping=lam, layerwise=True)(NET, X, T)
    np.testing.assert_allclose(w - NET.w, p, atol=1e-8)
    tails = sum(len(g) - BLOCKS[name[0]][0].start for name in names) / len(g)
    np.testing.assert_allclose(spent, 1 + (80 * tails + 1) * 4 / 3 + 1 / 3)


def test_a_second_step_starts_from_part_of_the_first_and_damping_follows_the_gain():
    ranges = set()
    for times, lam in ((1, 0.3), (3, 0.3), (5, 0.3), (5, 1e-5)):
        net = NET.with_parameters(times * NET.w)
        step, p = gauss_newton(1, lam, keep=0.7), 0 * NET.w
        for _ in range(5):
            G = StackOperator(net, X, T, curvature="outer_product")
            A, g = G.to_dense(), G.gradient
            p = 0.7 * p
            r = -g - A @ p - lam * p
            p = p + (r @ r) / (r @ A @ r + lam * r @ r) * r
            p = p * -(g @ p) / (p @ A @ p + lam * p @ p)
            w, _ = step(net, X, T)
            np.testing.assert_allclose(w - net.w, p, atol=1e-11)
            at = net.with_parameters(w)
            gain = (stack_error(at, X, T) - G.error) / (g @ p + p @ A @ p / 2)
            lam, net = lam * (2 / 3 if gain > 0.75 else 3 / 2 if gain < 0.25 else 1), at
            ranges.add("high" if gain > 0.75 else "low" if gain < 0.25 else "between")
    assert ranges == {"high", "low", "between"}


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        (momentum, (0.9,)),
        (adam, (0.9, 0.95, 1e-8)),
        (shampoo, (0.9, 0.9, -0.25, 1e-5)),
        (soap, (0.9, 0.98, 1e-5)),
        (muon, (0.95, 0.95, 2.0)),
    ],
)
def test_what_nobody_sets_is_what_is_documented(rule, settings):
    plain, told = rule(BLOCKS), rule(BLOCKS, *settings)
    for g in (G_1, G_2):
        np.testing.assert_array_equal(plain(g), told(g))


def test_what_gauss_newton_does_unless_told():
    plain, told = gauss_newton(), gauss_newton(10, 0.03, False, 0.9)
    net = NET
    for _ in range(2):
        (w, spent), (same, same_spent) = plain(net, X, T), told(net, X, T)
        np.testing.assert_array_equal(w, same)
        assert spent == same_spent
        net = net.with_parameters(w)


@pytest.mark.parametrize("layerwise", [False, True])
def test_gauss_newton_leads_down_and_never_up(layerwise):
    step, net = gauss_newton(5, 0.03, layerwise=layerwise), NET
    losses = [stack_error(net, X, T)]
    for _ in range(15):
        w, _ = step(net, X, T)
        net = net.with_parameters(w)
        losses.append(stack_error(net, X, T))
    assert (np.diff(losses) <= 0).all()
    assert losses[-1] < 0.6 * losses[0]


def test_a_step_that_leads_up_is_not_taken_and_damps():
    far = NET.with_parameters(NET.w)
    step = gauss_newton(60, 1e-9)
    moved = [step(far, X[:4], T[:4])[0] for _ in range(3)]
    errors = [
        stack_error(far.with_parameters(w), X[:4], T[:4]) for w in [far.w, *moved]
    ]
    assert max(errors) == errors[0]


@pytest.mark.parametrize("name", GRADIENT_ONLY)
def test_every_rule_leads_down(name):
    eta = {"momentum": 2.0}.get(name, 0.02)
    step, net = GRADIENT_ONLY[name](BLOCKS), NET
    for _ in range(40):
        w = net.w - eta * step(stack_gradient(net, X, T))
        net = net.with_parameters(w)
    assert stack_error(net, X, T) < 0.75 * stack_error(NET, X, T)


def test_settings_that_cannot_be():
    for rule in (momentum, muon, shampoo):
        with pytest.raises(ValueError, match="beta must be at least 0 and below 1"):
            rule(BLOCKS, 1.0)
    for rule in (adam, sophia, soap):
        with pytest.raises(ValueError, match="beta1 must be at least 0 and below 1"):
            rule(BLOCKS, -0.1)
    for rule in (adam, shampoo, soap):
        with pytest.raises(ValueError, match="epsilon must be larger than 0"):
            rule(BLOCKS, epsilon=0.0)
    for rule in (adam, sophia, soap):
        with pytest.raises(ValueError, match="beta2 must be at least 0 and below 1"):
            rule(BLOCKS, beta2=1.5)
    with pytest.raises(ValueError, match="rho must be larger than 0"):
        sophia(BLOCKS, rho=0)
    with pytest.raises(ValueError, match="iterations must be a positive whole number"):
        gauss_newton(0)
    with pytest.raises(ValueError, match="damping must be larger than 0"):
        gauss_newton(damping=0)
    with pytest.raises(ValueError, match="keep must be at least 0 and below 1"):
        gauss_newton(keep=1)
