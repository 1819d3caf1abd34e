"""Sums over many patterns, and what the caller's np.errstate says."""

import numpy as np
import pytest
from oracles import HIDDEN, OUTPUT, case

import jachess_lib as jl
from jachess_lib._engine import floats, kernels

MANY = 500_003
SINGLE = 2e-6


def test_sums_are_taken_in_double_precision_at_least():
    for given, sums in [("f4", "f8"), ("f8", "f8"), ("c8", "c16"), ("c16", "c16")]:
        assert floats.wide(np.dtype(given)) == np.dtype(sums)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
@pytest.mark.parametrize("N", [0, 1, 70_000])
def test_the_sum_over_patterns(dtype, N):
    rng = np.random.default_rng(0)
    left = rng.uniform(0, 1, (2, N, 3)).astype(dtype)
    right = rng.uniform(0, 1, (N, 4)).astype(dtype)
    found = kernels.sum_over_patterns(left, right)
    expected = np.einsum("bnj,ni->bji", left.astype(complex), right.astype(complex))
    assert found.dtype == dtype
    assert found.shape == (2, 3, 4)
    np.testing.assert_allclose(
        found, expected, rtol=1e-12 if dtype == np.float64 else 1e-7
    )


def single(net):
    names = [unit.name for unit in net.hidden]
    return jl.Network(net.sizes, net.w.astype(np.float32), names, net.output.name)


SUMS = {
    "error": jl.error,
    "error_gradient": jl.error_gradient,
    "exact_hessian": jl.exact_hessian,
    "hessian_block": lambda net, X, T: jl.hessian_block(net, X, T, net.depth - 1, 0),
    "hessian_diagonal": jl.hessian_diagonal,
    "outer_product_hessian": lambda net, X, T: jl.outer_product_hessian(net, X),
    "outer_product_diagonal": lambda net, X, T: jl.outer_product_diagonal(net, X),
    "residual_hessian": jl.residual_hessian,
    "hessian_vector_product": lambda net, X, T: jl.hessian_vector_product(
        net, X, T, np.ones(net.n_parameters, np.float32)
    ),
    "gauss_newton_vector_product": lambda net, X, T: jl.gauss_newton_vector_product(
        net, X, np.ones(net.n_parameters, np.float32)
    ),
    "HessianOperator": lambda net, X, T: (
        jl.HessianOperator(net, X, T) @ np.ones((net.n_parameters, 2), np.float32)
    ),
}


@pytest.mark.parametrize("f", SUMS.values(), ids=SUMS)
@pytest.mark.parametrize("sizes", [(1, 1), (1, 2, 1), (2, 9, 8, 1)])
def test_a_million_equal_patterns_in_single_precision(f, sizes, engine):
    # a running sum of 0.7 in single precision stands still long before it is right
    net, X, _ = case(sizes, "softplus", N=1)
    net = single(net)
    N = MANY if net.n_parameters < 9 else 30_000
    X = np.broadcast_to(X.astype(np.float32), (N, sizes[0]))
    T = np.full((N, 1), 1.7, np.float32)
    alone = np.asarray(f(net, X[:1], T[:1]), float)
    found = np.asarray(f(net, X, T), float) / N
    # the pattern alone is rounded too, and differences more than that
    np.testing.assert_allclose(
        found, alone, rtol=SINGLE, atol=SINGLE * abs(alone).max()
    )


def test_many_chunks_of_patterns_in_single_precision(monkeypatch):
    monkeypatch.setattr(kernels, "_PATTERNS", 10_000)
    net, X, T = case((2, 9, 8, 1), "softplus", N=40_000)
    X, T = (np.ones_like(A, np.float32) for A in (X, T))
    net = single(net)
    for f in ("exact_hessian", "hessian_block", "outer_product_hessian"):
        alone = SUMS[f](net, X[:1], T[:1])
        np.testing.assert_allclose(
            SUMS[f](net, X, T) / len(X),
            alone,
            rtol=SINGLE,
            atol=4e-6 * abs(alone).max(),
        )


@pytest.mark.parametrize("output", OUTPUT)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_harmless_underflow_stops_nobody(hidden, output):
    net, X, T = case((2, 3, 4, 2), hidden, output, N=4)
    X[0], X[1] = (40, -90), (-300, 280)
    X *= 0.1 if hidden == "exp" else 1
    v = np.full(net.n_parameters, 1e-300)
    with np.errstate(all="raise"):
        for f in SUMS.values():
            f(net, X, T)
        jl.HessianOperator(net, X, T) @ v
        jl.hessian_vector_product(net, X, T, v)
        net(X), jl.input_jacobian(net, X), jl.parameter_jacobian(net, X)
        jl.propagate_error(net, X, 1e-300 * X)
        jl.propagate_covariance(net, X, 1e-300 * np.eye(2))
        jl.chain_jacobian(jl.Network.random((2, 3, 1), hidden), net, X)
        for unit in (net.hidden[0].h, net.hidden[0].dh, net.hidden[0].d2h):
            unit(np.array([-1e4, -700.0, -40, 0, 40, 350]))
        a = np.array([[700.0, -700.0], [40, 0]])
        for part in (net.output.y, net.output.dy_da, net.output.diagonal):
            part(a)
        net.output.times(a, np.ones((3, 2, 2)))
        net.output.error(a, np.eye(2)), net.output.residual(a, np.eye(2))
        jl.complex_step(lambda x: np.exp(x) * x**2, np.array([0.0, 1e-200]))
