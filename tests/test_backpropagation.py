import autograd
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import (
    CASES,
    Plain,
    autograd_error,
    case,
    case_name,
    exact,
    mp_gradient,
    targets,
)

import jachess_lib as jl
from jachess_lib import central_difference, complex_step, error, error_gradient
from jachess_lib.backpropagation import error_signals


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_error_and_gradient_against_fifty_digits(c):
    net, X, T = case(*c, N=2)
    plain = Plain(net)
    E = lambda w: plain.error(w, exact(X), exact(T))  # noqa: E731
    assert error(net, X, T) == pytest.approx(float(E(exact(net.w))), rel=1e-13)
    expected = [float(v) for v in mp_gradient(E, exact(net.w))]
    np.testing.assert_allclose(
        error_gradient(net, X, T), expected, rtol=1e-11, atol=1e-14
    )


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_gradient_against_autograd_and_complex_step(c):
    net, X, T = case(*c, seed=4)
    gradient = error_gradient(net, X, T)
    by_autograd = autograd.grad(lambda w: autograd_error(net, w, X, T))(net.w.copy())
    np.testing.assert_allclose(gradient, by_autograd, rtol=1e-10, atol=1e-13)
    by_step = complex_step(lambda w: error(net.with_parameters(w), X, T), net.w)
    np.testing.assert_allclose(gradient, by_step, rtol=1e-12, atol=1e-14)


def test_gradient_against_sympy():
    w = sp.symbols("w:7")
    x, t = sp.Rational(3, 10), sp.Rational(7, 10)
    z = [sp.tanh(w[0] + w[1] * x), sp.tanh(w[2] + w[3] * x)]
    E = (w[4] + w[5] * z[0] + w[6] * z[1] - t) ** 2 / 2
    net = jl.Network.random((1, 2, 1), seed=3)
    numbers = dict(zip(w, net.w, strict=True))
    expected = [float(sp.diff(E, v).subs(numbers)) for v in w]
    np.testing.assert_allclose(
        error_gradient(net, [[0.3]], [[0.7]]), expected, rtol=1e-13
    )


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_error_signals_index_by_index(output):
    net, X, T = case((2, 4, 5, 3), ("gelu", "softplus"), output)
    trace = jl.forward(net, X)
    delta = error_signals(net, trace, T)
    np.testing.assert_allclose(delta[-1], trace.y - T, rtol=1e-14, atol=1e-16)
    for l in range(net.depth - 1):
        for n in range(len(X)):
            for j in range(net.sizes[l + 1]):
                later = sum(
                    net.W[l + 1][k, 1 + j] * delta[l + 1][n, k]
                    for k in range(net.sizes[l + 2])
                )
                expected = net.hidden[l].dh(trace.a[l][n, j]) * later
                assert delta[l][n, j] == pytest.approx(expected, rel=1e-13)


def test_central_differences_fall_with_their_order():
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    gradient = error_gradient(net, X, T)
    errors = [
        abs(
            central_difference(
                lambda w: error(net.with_parameters(w), X, T), net.w, step
            )
            - gradient
        ).max()
        for step in (1e-1, 1e-2, 1e-3)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 100, rtol=0.1)


def test_planted_mistakes_are_caught():
    net, X, T = case((3, 4, 2), "tanh", "linear")
    trace, gradient = jl.forward(net, X), error_gradient(net, X, T)
    delta = error_signals(net, trace, T)
    no_slope = delta[1] @ net.W[1][:, 1:]
    mistakes = {
        "h' left out": np.concatenate(
            [(no_slope.T @ trace.z[0]).ravel(), (delta[1].T @ trace.z[1]).ravel()]
        ),
        "mean for sum": gradient / len(X),
        "sign": -gradient,
        "half lost": 2 * gradient,
    }
    witness = complex_step(lambda w: error(net.with_parameters(w), X, T), net.w)
    for mistake in mistakes.values():
        assert not np.allclose(mistake, witness, rtol=1e-2)


@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=5),
    st.sampled_from(list(jl.OUTPUT_UNITS)),
    st.integers(0, 3),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=40)
def test_any_network_and_any_number_of_patterns(sizes, output, N, seed):
    net, X, T = case(tuple(sizes), "softplus", output, N=N, seed=seed)
    gradient = error_gradient(net, X, T)
    by_step = complex_step(lambda w: error(net.with_parameters(w), X, T), net.w)
    np.testing.assert_allclose(gradient, by_step, rtol=1e-11, atol=1e-13)


def test_the_error_is_a_sum_over_patterns():
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=6)
    pairs = [(X[n : n + 1], T[n : n + 1]) for n in range(6)]
    assert error(net, X, T) == pytest.approx(
        sum(error(net, *p) for p in pairs), rel=1e-13
    )
    np.testing.assert_allclose(
        error_gradient(net, X, T),
        sum(error_gradient(net, *p) for p in pairs),
        rtol=1e-12,
    )


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_no_patterns(output):
    net, X, T = case((3, 4, 2), "tanh", output, N=0)
    assert error(net, X, T) == 0
    np.testing.assert_array_equal(error_gradient(net, X, T), np.zeros(net.n_parameters))


def test_types():
    net, X, T = case((3, 4, 2), "tanh", "sigmoid")
    assert type(error(net, X, T)) is float
    single = jl.Network(net.sizes, net.w.astype(np.float32), "tanh", "sigmoid")
    gradient = error_gradient(single, X.astype(np.float32), T)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(
        gradient, error_gradient(net, X, T), rtol=1e-4, atol=1e-5
    )
    assert type(error(single, X.astype(np.float32), T)) is float


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
@pytest.mark.parametrize("hidden", list(jl.HIDDEN_UNITS))
def test_extreme_inputs(hidden, output):
    net = jl.Network.random((3, 4, 2), hidden, output)
    X = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [90, 40, -300]])
    X *= 0.01 if hidden == "exp" else 1  # its matrices may exceed any number
    T = targets(np.random.default_rng(0), output, 3, 2)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(error(net, X, T))
        assert np.isfinite(error_gradient(net, X, T)).all()


def test_arguments_are_left_alone():
    net, X, T = case((3, 4, 2))
    before = X.copy(), T.copy(), net.w.copy()
    error_gradient(net, X, T)
    for array, was in zip((X, T, net.w), before, strict=True):
        np.testing.assert_array_equal(array, was)
