import tracemalloc

import autograd
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import CASES, autograd_activations, case, case_name, targets

import jachess_lib as jl
from jachess_lib import (
    complex_step,
    error_gradient,
    exact_hessian,
    outer_product_diagonal,
    outer_product_hessian,
    parameter_jacobian,
    residual_hessian,
)
from jachess_lib._engine import kernels


def as_written(net, X):
    """Σ_n JᵀMJ in loops over n, k and k′, with J from autograd and M from y alone."""
    G = np.zeros((net.n_parameters,) * 2)
    if len(X) == 0:
        return G
    J = autograd.jacobian(lambda w: autograd_activations(net, w, X))(net.w.copy())
    for n, y in enumerate(net(X)):
        for k in range(len(y)):
            for kk in range(len(y)):
                M = {
                    "linear": float(k == kk),
                    "sigmoid": (k == kk) * y[k] * (1 - y[k]),
                    "softmax": (k == kk) * y[k] - y[k] * y[kk],
                }[net.output.name]
                G += M * np.outer(J[n, k], J[n, kk])
    return G


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_against_the_sum_as_written(c):
    net, X, _ = case(*c)
    G, expected = outer_product_hessian(net, X), as_written(net, X)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(G, expected, rtol=1e-9, atol=1e-14 * scale)
    np.testing.assert_array_equal(G, G.T)
    np.testing.assert_allclose(
        outer_product_diagonal(net, X),
        np.diag(expected),
        rtol=1e-10,
        atol=1e-15 * scale,
    )


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_against_the_linearised_network(c):
    """Gauss–Newton is the Hessian of the error with a(w) replaced by its tangent."""
    net, X, T = case(*c)
    a, J = jl.forward(net, X).a[-1], parameter_jacobian(net, X, of="activations")
    slope = lambda v: np.einsum(  # noqa: E731
        "nkp,nk->p", J, net.output.y(a + J @ v) - T
    )
    expected = complex_step(slope, np.zeros(net.n_parameters))
    np.testing.assert_allclose(
        outer_product_hessian(net, X),
        expected,
        rtol=1e-9,
        atol=1e-14 * np.abs(expected).max(),
    )


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_the_residual_is_the_second_term(c):
    """Σ (y − t)∇∇a, with ∇∇a by the complex step of the parameter Jacobian."""
    net, X, T = case(*c, N=2)
    bend = complex_step(
        lambda w: parameter_jacobian(net.with_parameters(w), X, of="activations"), net.w
    )
    expected = np.einsum("nk,nkpq->pq", net(X) - T, bend)
    scale = np.abs(exact_hessian(net, X, T)).max()
    np.testing.assert_allclose(
        residual_hessian(net, X, T), expected, rtol=1e-8, atol=1e-14 * scale
    )


def test_against_sympy():
    w = sp.symbols("w:7")
    x = sp.Rational(3, 10)
    a = w[4] + w[5] * sp.tanh(w[0] + w[1] * x) + w[6] * sp.tanh(w[2] + w[3] * x)
    y = 1 / (1 + sp.exp(-a))
    net = jl.Network.random((1, 2, 1), output="sigmoid", seed=3)
    numbers = dict(zip(w, net.w, strict=True))
    expected = [
        [float((y * (1 - y) * sp.diff(a, p) * sp.diff(a, q)).subs(numbers)) for p in w]
        for q in w
    ]
    np.testing.assert_allclose(
        outer_product_hessian(net, [[0.3]]), expected, rtol=1e-12
    )


def test_planted_mistakes_are_caught():
    net, X, T = case((4, 1), output="sigmoid", N=9)
    y, Z = net(X), np.column_stack([np.ones(9), X])
    right = Z.T @ (y * (1 - y) * Z)  # one layer: also the exact Hessian
    np.testing.assert_allclose(outer_product_hessian(net, X), right, rtol=1e-12)
    J = parameter_jacobian(net, X)[:, 0]  # ∇y where ∇a belongs
    for mistake in (
        J.T @ J,
        J.T @ (y * (1 - y) * J),
        Z.T @ Z,
        Z.T @ ((y - T) ** 2 * Z),
        right / 9,
    ):
        assert not np.allclose(mistake, right, rtol=0.05)
    np.testing.assert_allclose(J.T @ (J / (y * (1 - y))), right, rtol=1e-12)


def test_no_residual_without_hidden_layers():
    for output in jl.OUTPUT_UNITS:
        net, X, T = case((3, 2), output=output)
        np.testing.assert_allclose(residual_hessian(net, X, T), 0, atol=1e-15)


def test_no_residual_at_a_perfect_fit():
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    np.testing.assert_allclose(residual_hessian(net, X, net(X)), 0, atol=1e-14)
    assert np.abs(residual_hessian(net, X, T)).max() > 0.01


def test_rectifiers_agree_within_a_layer_and_not_between_layers():
    net, X, T = case((3, 6, 5, 2), "relu", "linear", N=8)
    R = residual_hessian(net, X, T)
    for s in net.slices:
        np.testing.assert_allclose(R[s, s], 0, atol=1e-13)
    assert np.abs(R[net.slices[2], net.slices[1]]).max() > 0.1


def test_rectifiers_without_biases_know_their_residual():
    """(H − G)w = (L − 1)∇E for a network of degree L in its weights."""
    net, X, T = case((3, 6, 5, 2), "relu", "linear", N=8)
    w = net.w.copy()
    w[[net.index(l, j, 0) for l, m in enumerate(net.sizes[1:]) for j in range(m)]] = 0
    net = net.with_parameters(w)
    left = residual_hessian(net, X, T) @ w
    keep = w != 0  # the biases are not part of the scaling
    np.testing.assert_allclose(
        left[keep], 2 * error_gradient(net, X, T)[keep], rtol=1e-9, atol=1e-11
    )


@pytest.mark.parametrize(
    ("output", "rank"), [("linear", 21), ("sigmoid", 21), ("softmax", 14)]
)
def test_rank_is_at_most_patterns_times_outputs(output, rank):
    net, X, _ = case((4, 5, 3), "tanh", output, N=7)
    assert np.linalg.matrix_rank(outer_product_hessian(net, X), tol=1e-10) == rank


def test_trace_is_the_squared_norm_of_the_jacobian():
    net, X, _ = case((4, 5, 3), N=7)
    trace = (parameter_jacobian(net, X) ** 2).sum()
    assert np.trace(outer_product_hessian(net, X)) == pytest.approx(trace, rel=1e-13)
    assert outer_product_diagonal(net, X).sum() == pytest.approx(trace, rel=1e-13)


def test_eigenvalues_are_those_of_the_gram_matrix():
    net, X, _ = case((4, 5, 1), N=7)
    J = parameter_jacobian(net, X)[:, 0]
    np.testing.assert_allclose(
        np.linalg.eigvalsh(outer_product_hessian(net, X))[-7:],
        np.linalg.eigvalsh(J @ J.T),
        rtol=1e-10,
    )


def test_fisher_information_is_the_same_matrix():
    """Σ_c p_c g_c g_cᵀ over the model's own labels; the data's labels give another."""
    net, X, T = case((3, 4, 3), "tanh", "softmax", N=5)
    fisher, empirical = np.zeros((2, net.n_parameters, net.n_parameters))
    for n, p in enumerate(net(X)):
        for c, label in enumerate(np.eye(3)):
            g = error_gradient(net, X[n : n + 1], label[None])
            fisher += p[c] * np.outer(g, g)
        g = error_gradient(net, X[n : n + 1], T[n : n + 1])
        empirical += np.outer(g, g)
    G = outer_product_hessian(net, X)
    np.testing.assert_allclose(G, fisher, rtol=1e-9, atol=1e-14)
    assert not np.allclose(G, empirical, rtol=0.1)


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=6),
    st.sampled_from(list(jl.OUTPUT_UNITS)),
    st.integers(0, 4),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_any_network_is_never_indefinite(sizes, output, N, seed):
    net, X, _ = case(tuple(sizes), "softplus", output, N=N, seed=seed)
    G = outer_product_hessian(net, X)
    assert G.shape == (net.n_parameters,) * 2
    scale = max(1, np.abs(G).max())
    assert np.linalg.eigvalsh(G).min() > -1e-13 * scale
    np.testing.assert_allclose(G, as_written(net, X), rtol=1e-9, atol=1e-13 * scale)
    np.testing.assert_allclose(
        outer_product_diagonal(net, X), np.diag(G), rtol=1e-10, atol=1e-14
    )


def test_chunks_of_patterns_add_up(monkeypatch):
    net, X, _ = case((3, 4, 5, 2), "tanh", "softmax", N=150)
    whole = outer_product_hessian(net, X), outer_product_diagonal(net, X)
    monkeypatch.setattr(kernels, "_PATTERNS", 1)  # chunks of 64
    scale = np.abs(whole[0]).max()
    np.testing.assert_allclose(
        outer_product_hessian(net, X), whole[0], atol=1e-13 * scale
    )
    np.testing.assert_allclose(outer_product_diagonal(net, X), whole[1], rtol=1e-12)


def test_out_is_filled_and_returned():
    net, X, _ = case((3, 4, 2), "tanh", "softmax")
    expected = outer_product_hessian(net, X)
    out = np.full_like(expected, np.nan)
    assert outer_product_hessian(net, X, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_float32_stays_float32():
    net, X, T = case((3, 4, 5, 2), "gelu", "softmax")
    single = jl.Network(net.sizes, net.w.astype(np.float32), "gelu", "softmax")
    X32 = X.astype(np.float32)
    for result, expected in [
        (outer_product_hessian(single, X32), outer_product_hessian(net, X)),
        (outer_product_diagonal(single, X32), outer_product_diagonal(net, X)),
        (residual_hessian(single, X32, T), residual_hessian(net, X, T)),
    ]:
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
@pytest.mark.parametrize("hidden", list(jl.HIDDEN_UNITS))
def test_extreme_inputs(hidden, output):
    net = jl.Network.random((3, 4, 2), hidden, output)
    X = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [90, 40, -300]])
    X *= 0.01 if hidden == "exp" else 1  # its matrices may exceed any number
    T = targets(np.random.default_rng(0), output, 3, 2)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(outer_product_hessian(net, X)).all()
        assert np.isfinite(outer_product_diagonal(net, X)).all()
        assert np.isfinite(residual_hessian(net, X, T)).all()


def test_no_array_of_patterns_times_outputs_rows():
    net, X, _ = case((4, 6, 40), "tanh", "softmax", N=20_000)
    G = np.empty((net.n_parameters,) * 2)
    tracemalloc.start()
    outer_product_hessian(net, X, out=G)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 20_000 * 40 * net.n_parameters / 5  # N·K×P is 2 GB
