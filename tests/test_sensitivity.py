import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import Plain, case, exact, mp_gradient

import jachess_lib as jl
from jachess_lib import (
    chain_jacobian,
    complex_step,
    error_gradient,
    input_jacobian,
    parameter_jacobian,
    propagate_covariance,
    propagate_error,
)


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_error_index_by_index(output):
    net, X, _ = case((3, 5, 4, 2), "softplus", output)
    dX = np.random.default_rng(5).standard_normal(X.shape)
    J, dY = input_jacobian(net, X), propagate_error(net, X, dX)
    for n in range(len(X)):
        for k in range(2):
            assert dY[n, k] == pytest.approx(
                sum(J[n, k, i] * dX[n, i] for i in range(3))
            )


def test_error_against_the_directional_complex_step():
    net, X, _ = case((4, 5, 3), "gelu", "softmax")
    dX = np.random.default_rng(6).standard_normal(X.shape)
    slope = complex_step(lambda s: net(X + s * dX), 0.0)
    np.testing.assert_allclose(
        propagate_error(net, X, dX), slope, rtol=1e-12, atol=1e-15
    )


def test_error_against_fifty_digits():
    net, X, _ = case((2, 4, 3), "tanh", "sigmoid", N=1)
    plain, w = Plain(net), exact(net.w)
    dx = [0.7, -0.2]
    for k in range(3):
        row = mp_gradient(lambda x, k=k: plain.outputs(w, x)[k], exact(X[0]))
        expected = sum(float(r) * d for r, d in zip(row, dx, strict=True))
        assert propagate_error(net, X, [dx])[0, k] == pytest.approx(expected, rel=1e-12)


def test_the_relative_error_grows_with_the_step():
    net, X, _ = case((3, 6, 2), "tanh", "softmax", N=1)
    d = np.array([[0.5, -0.4, 0.2]])

    def relative(s):
        true = net(X + s * d) - net(X)
        return np.linalg.norm(propagate_error(net, X, s * d) - true) / np.linalg.norm(
            true
        )

    assert relative(1e-2) / relative(1e-3) == pytest.approx(10, rel=0.1)


def test_the_jacobian_at_another_input_is_caught():
    net, X, _ = case((3, 6, 2), "tanh", "linear", N=2)
    d = np.array([[1e-6, 1e-6, 1e-6]])
    true = net(X[:1] + d) - net(X[:1])
    assert np.allclose(propagate_error(net, X[:1], d), true, rtol=1e-4)
    assert not np.allclose(propagate_error(net, X[1:], d), true, rtol=1e-2)


def test_covariance_index_by_index_for_one_and_for_each():
    net, X, _ = case((3, 4, 2), "tanh", "sigmoid")
    A = np.random.default_rng(1).standard_normal((3, 3, 3))
    each = A @ A.transpose(0, 2, 1)
    J = input_jacobian(net, X)
    for covariance in (each[0], each):
        result = propagate_covariance(net, X, covariance)
        assert result.shape == (3, 2, 2)
        for n in range(3):
            C = covariance if covariance.ndim == 2 else covariance[n]
            for k in range(2):
                for l in range(2):
                    expected = sum(
                        J[n, k, i] * C[i, m] * J[n, l, m]
                        for i in range(3)
                        for m in range(3)
                    )
                    assert result[n, k, l] == pytest.approx(expected, rel=1e-12)


def test_covariance_is_exact_for_linear_networks_and_close_for_small_noise():
    rng = np.random.default_rng(2)
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    for hidden, scale in [("identity", 1.0), ("tanh", 0.02)]:
        net = jl.Network.random((2, 4, 3), hidden, seed=4)
        x = np.array([[0.3, -0.7]])
        noise = rng.multivariate_normal([0, 0], scale**2 * covariance, 200_000)
        sampled = np.cov(net(x + noise).T)
        predicted = propagate_covariance(net, x, scale**2 * covariance)[0]
        np.testing.assert_allclose(
            predicted, sampled, rtol=0.03, atol=0.01 * np.abs(sampled).max()
        )


def test_chain_against_the_complex_step_of_both():
    inner, X, _ = case((3, 5, 2), "tanh", "softmax")
    outer = jl.Network.random((2, 4, 3), "gelu", "sigmoid", seed=8)
    J = chain_jacobian(outer, inner, X)
    for n in range(3):
        expected = complex_step(lambda x: outer(inner(x[None]))[0], X[n])
        np.testing.assert_allclose(J[n], expected, rtol=1e-12, atol=1e-16)
    wrong_place = input_jacobian(outer, X[:, :2]) @ input_jacobian(inner, X)
    assert not np.allclose(J, wrong_place, rtol=1e-2)


def test_weights_of_the_earlier_module_through_the_jacobian_of_the_later():
    inner, X, _ = case((3, 5, 2), "tanh", "linear")
    outer = jl.Network.random((2, 4, 3), "gelu", "linear", seed=8)
    T = np.random.default_rng(3).standard_normal((3, 3))
    dE_dy = outer(inner(X)) - T
    gradient = np.einsum(
        "nk,nkj,njp->p",
        dE_dy,
        input_jacobian(outer, inner(X)),
        parameter_jacobian(inner, X),
    )
    expected = complex_step(
        lambda w: ((outer(inner.with_parameters(w)(X)) - T) ** 2).sum() / 2, inner.w
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    assert gradient.shape != error_gradient(outer, inner(X), T).shape


@given(st.integers(0, 4), st.integers(1, 4), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_shapes(N, D, K):
    net, X, _ = case((D, 3, K), N=N)
    assert propagate_error(net, X, X).shape == (N, K)
    assert propagate_covariance(net, X, np.eye(D)).shape == (N, K, K)
    assert chain_jacobian(jl.Network.random((K, 2)), net, X).shape == (N, 2, D)


def test_float32_stays_float32():
    net, X, _ = case((3, 4, 2))
    single = jl.Network(net.sizes, net.w.astype(np.float32))
    X = X.astype(np.float32)
    outer = jl.Network((2, 1), np.ones(3, np.float32))
    assert propagate_error(single, X, X).dtype == np.float32
    assert propagate_covariance(single, X, np.eye(3)).dtype == np.float32
    assert chain_jacobian(outer, single, X).dtype == np.float32


@pytest.mark.parametrize("of", ["X", "net", "neither"])
def test_a_covariance_has_the_precision_of_network_and_patterns(of):
    net, X = jl.Network.random((3, 4, 2)), np.ones((5, 3), np.float32)
    net = jl.Network(net.sizes, net.w.astype(np.float32))
    if of == "X":
        X = X.astype(float)
    if of == "net":
        net = jl.Network(net.sizes, net.w.astype(float))
    covariance = jl.propagate_covariance(net, X, np.eye(3))
    assert covariance.dtype == (np.float32 if of == "neither" else np.float64)
