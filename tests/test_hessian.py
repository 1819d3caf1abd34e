import itertools
import tracemalloc

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
    mp_hessian_entry,
    targets,
)

import jachess_lib as jl
from jachess_lib import (
    central_difference,
    complex_step,
    error_gradient,
    exact_hessian,
    hessian_block,
    hessian_diagonal,
)
from jachess_lib._engine import hessian as fast
from jachess_lib._engine import kernels
from jachess_lib._engine import outer_product as fast_outer_product
from jachess_lib.network import forward


def by_complex_step(net, X, T):
    return complex_step(lambda w: error_gradient(net.with_parameters(w), X, T), net.w)


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_entries_against_fifty_digits(c):
    net, X, T = case(*c, N=1)
    plain, H = Plain(net), exact_hessian(net, X, T)
    E = lambda w: plain.error(w, exact(X), exact(T))  # noqa: E731
    w, scale = exact(net.w), np.abs(H).max()
    for p, q in np.random.default_rng(0).integers(net.n_parameters, size=(25, 2)):
        expected = float(mp_hessian_entry(E, w, p, q))
        assert H[p, q] == pytest.approx(expected, rel=1e-9, abs=1e-14 * scale)


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_against_the_complex_step_of_the_gradient(c):
    net, X, T = case(*c)
    H = exact_hessian(net, X, T)
    np.testing.assert_allclose(
        H, by_complex_step(net, X, T), rtol=1e-10, atol=1e-14 * np.abs(H).max()
    )
    np.testing.assert_array_equal(H, H.T)


@pytest.mark.parametrize("c", [c for c in CASES if "gelu" not in c[1]], ids=case_name)
def test_against_autograd(c):
    net, X, T = case(*c, seed=6)
    gradient = autograd.grad(lambda w: autograd_error(net, w, X, T))
    H = exact_hessian(net, X, T)
    np.testing.assert_allclose(
        H,
        autograd.jacobian(gradient)(net.w.copy()),
        rtol=1e-8,
        atol=1e-12 * np.abs(H).max(),
    )


def test_against_sympy():
    w = sp.symbols("w:13")
    x, t = [sp.Rational(3, 10), sp.Rational(-7, 10)], sp.Rational(3, 5)
    z = [
        sp.tanh(w[3 * j] + w[3 * j + 1] * x[0] + w[3 * j + 2] * x[1]) for j in range(3)
    ]
    a = w[9] + w[10] * z[0] + w[11] * z[1] + w[12] * z[2]
    E = sp.log(1 + sp.exp(a)) - t * a
    net = jl.Network.random((2, 3, 1), output="sigmoid", seed=3)
    numbers = dict(zip(w, net.w, strict=True))
    expected = [[float(sp.diff(E, p, q).subs(numbers)) for p in w] for q in w]
    np.testing.assert_allclose(
        exact_hessian(net, [[0.3, -0.7]], [[0.6]]), expected, rtol=1e-10, atol=1e-15
    )


def test_central_differences_of_the_gradient_fall_with_their_order():
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    H = exact_hessian(net, X, T)
    errors = [
        abs(
            central_difference(
                lambda w: error_gradient(net.with_parameters(w), X, T), net.w, step
            )
            - H
        ).max()
        for step in (1e-1, 1e-2, 1e-3)
    ]
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 100, rtol=0.15)


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_the_two_layer_blocks_index_by_index(output):
    """PRML (5.93) to (5.95) with j and j′ of the last put right, biases included."""
    net, X, T = case((3, 4, 2), "gelu", output, N=2)
    H, unit = exact_hessian(net, X, T), net.hidden[0]
    trace = jl.forward(net, X)
    M, W2 = net.output.dy_da(trace.a[1]), net.W[1]
    delta = trace.y - T
    D1, D2 = 4, 5  # columns of the two layers
    printed = np.zeros((16, 10))
    for n in range(2):
        h1, h2 = unit.dh(trace.a[0][n]), unit.d2h(trace.a[0][n])
        z0, z1 = trace.z[0][n], trace.z[1][n]
        for (k, j), (kk, jj) in itertools.product(np.ndindex(2, D2), repeat=2):
            H[net.index(1, k, j), net.index(1, kk, jj)] -= z1[j] * z1[jj] * M[n, k, kk]
        for (j, i), (jj, ii) in itertools.product(np.ndindex(4, D1), repeat=2):
            bent = (j == jj) * h2[j] * sum(W2[k, 1 + j] * delta[n, k] for k in range(2))
            straight = (
                h1[j]
                * h1[jj]
                * sum(
                    W2[k, 1 + j] * W2[kk, 1 + jj] * M[n, k, kk]
                    for k in range(2)
                    for kk in range(2)
                )
            )
            H[net.index(0, j, i), net.index(0, jj, ii)] -= (
                z0[i] * z0[ii] * (bent + straight)
            )
        for (j, i), (k, jj) in itertools.product(np.ndindex(4, D1), np.ndindex(2, D2)):
            fed = delta[n, k] * (1 + j == jj)
            p, q = net.index(0, j, i), net.index(1, k, jj)
            value = (
                z0[i]
                * h1[j]
                * (fed + z1[jj] * sum(W2[kk, 1 + j] * M[n, k, kk] for kk in range(2)))
            )
            H[p, q] -= value
            H[q, p] -= value
            if jj > 0:  # as printed: j and j′ exchanged
                printed[p, q - 16] += (
                    z0[i]
                    * h1[jj - 1]
                    * (
                        fed
                        + z1[1 + j] * sum(W2[kk, jj] * M[n, k, kk] for kk in range(2))
                    )
                )
    np.testing.assert_allclose(H, 0, atol=1e-13)
    right = exact_hessian(net, X, T)[:16, 16:]
    weights = [q for q in range(10) if q % D2]
    assert (
        np.abs(printed[:, weights] - right[:, weights]).max()
        > 0.1 * np.abs(right).max()
    )


def test_general_blocks_index_by_index():
    """Every pair of three weight layers, in loops, from the definition of B and G."""
    net, X, T = case((2, 3, 4, 3), ("gelu", "softplus"), "softmax", N=2)
    H = exact_hessian(net, X, T)
    trace = jl.forward(net, X)

    def signals(a_moved, layer, n):
        """δ of all layers and z of all layers when a[layer] is given."""
        a, z = [None] * 3, [trace.z[0][n], None, None]
        for l in range(3):
            a[l] = (
                a_moved
                if l == layer
                else (trace.a[l][n] if l < layer else net.W[l] @ z[l])
            )
            if l < 2:
                z[l + 1] = np.concatenate([[1], net.hidden[l].h(a[l])])
        delta = [None, None, net.output.y(a[2][None])[0] - T[n]]
        for l in (1, 0):
            delta[l] = net.hidden[l].dh(a[l]) * (net.W[l + 1][:, 1:].T @ delta[l + 1])
        return delta, z

    def moved(l, m, j, i, n):
        """Return (δ_j, z_i) of layer l as a function of a[m] at pattern n."""

        def f(a):
            delta, z = signals(a, m, n)
            return np.array([delta[l][j], z[l][i]]) + 0j

        return f

    for l, m in itertools.combinations_with_replacement(range(3), 2):
        l, m = m, l  # m ≤ l
        for j, i in np.ndindex(net.W[l].shape):
            for q, p in np.ndindex(net.W[m].shape):
                total = 0
                for n in range(2):
                    delta, z = signals(trace.a[m][n], m, n)
                    slope = complex_step(moved(l, m, j, i, n), trace.a[m][n])
                    B, G = slope[0, q], slope[1, q]
                    total += z[m][p] * (z[l][i] * B + delta[l][j] * G)
                place = net.index(l, j, i), net.index(m, q, p)
                assert H[place] == pytest.approx(total, rel=1e-10, abs=1e-14)


def test_planted_mistakes_are_caught():
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    H = by_complex_step(net, X, T)
    no_bend = exact_hessian(net, X, T) - jl.residual_hessian(net, X, T)
    diagonal_only = jl.Network(net.sizes, net.w, "tanh", "sigmoid")
    for mistake in (
        no_bend,
        H / len(X),
        2 * H,
        np.tril(H),
        exact_hessian(net.with_parameters(-net.w), X, T),
        exact_hessian(diagonal_only, X, T),
    ):
        assert not np.allclose(mistake, H, rtol=1e-2, atol=1e-3 * np.abs(H).max())


def test_linear_regression():
    net, X, T = case((4, 1), N=7)
    Z = np.column_stack([np.ones(7), X])
    np.testing.assert_allclose(exact_hessian(net, X, T), Z.T @ Z, rtol=1e-13)


def test_logistic_and_softmax_regression():
    net, X, T = case((4, 1), output="sigmoid", N=7)
    Z, y = np.column_stack([np.ones(7), X]), net(X)
    np.testing.assert_allclose(
        exact_hessian(net, X, T), Z.T @ (y * (1 - y) * Z), rtol=1e-13
    )
    net, X, T = case((4, 3), output="softmax", N=7)
    y = net(X)
    expected = sum(
        np.kron(np.diag(y_n) - np.outer(y_n, y_n), np.outer(z, z))
        for y_n, z in zip(y, Z, strict=True)
    )
    np.testing.assert_allclose(
        exact_hessian(net, X, T), expected, rtol=1e-10, atol=1e-14
    )


def test_scalar_network_by_hand():
    w1, w2, x, t = 0.7, -1.3, 2.0, 0.4
    net = jl.Network((1, 1, 1), [0, w1, 0, w2], "identity")
    H = exact_hessian(net, [[x]], [[t]])[np.ix_([1, 3], [1, 3])]
    cross = x * (2 * w1 * w2 * x - t)
    np.testing.assert_allclose(
        H, [[w2**2 * x**2, cross], [cross, w1**2 * x**2]], rtol=1e-13
    )
    saddle = exact_hessian(net.with_parameters(np.zeros(4)), [[x]], [[t]])
    eigenvalues = np.linalg.eigvalsh(saddle[np.ix_([1, 3], [1, 3])])
    np.testing.assert_allclose(eigenvalues, [-t * x, t * x], rtol=1e-13)


def test_two_layer_linear_network():
    """H = [[W₂ᵀW₂ ⊗ S, ·], [·, I ⊗ W₁SW₁ᵀ]] with S = XᵀX, and the cross block."""
    net, X, T = case((3, 4, 2), "identity", "linear", N=6)
    w = net.w.copy()
    w[[net.index(l, j, 0) for l, m in enumerate((4, 2)) for j in range(m)]] = 0
    net = net.with_parameters(w)
    H = exact_hessian(net, X, T)
    W1, W2 = (W[:, 1:] for W in net.W)
    S, Q = X.T @ X, (net(X) - T).T @ X
    first = [net.index(0, j, i) for j in range(4) for i in (1, 2, 3)]
    second = [net.index(1, k, j) for k in range(2) for j in (1, 2, 3, 4)]
    np.testing.assert_allclose(
        H[np.ix_(first, first)], np.kron(W2.T @ W2, S), rtol=1e-11
    )
    np.testing.assert_allclose(
        H[np.ix_(second, second)],
        np.kron(np.eye(2), W1 @ S @ W1.T),
        rtol=1e-11,
        atol=1e-13,
    )
    cross = (
        np.einsum("kj,pi->jikp", W2, W1 @ S) + np.einsum("ki,jp->jikp", Q, np.eye(4))
    ).reshape(12, 8)
    np.testing.assert_allclose(H[np.ix_(first, second)], cross, rtol=1e-10, atol=1e-13)


def test_softmax_has_one_null_vector_for_each_input_of_the_last_layer():
    net, X, T = case((3, 4, 5), "tanh", "softmax", N=40)
    H = exact_hessian(net, X, T)
    eigenvalues = np.linalg.eigvalsh(H)
    assert (np.abs(eigenvalues) < 1e-12 * np.abs(eigenvalues).max()).sum() == 5
    for i in range(5):  # the same weight added to all output rows
        v = np.zeros(net.n_parameters)
        v[[net.index(1, k, i) for k in range(5)]] = 1
        np.testing.assert_allclose(H @ v, 0, atol=1e-13)


def test_permuting_and_flipping_hidden_units_leaves_the_spectrum_alone():
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=5)
    order, sign = np.array([2, 0, 3, 1]), np.array([1, -1, -1, 1.0])
    first = sign[:, None] * net.W[0][order]
    second = net.W[1][:, np.concatenate([[0], 1 + order])].copy()
    second[:, 1:] *= sign
    other = net.with_parameters(np.concatenate([first.ravel(), second.ravel()]))
    eigenvalues = np.linalg.eigvalsh(exact_hessian(net, X, T))
    np.testing.assert_allclose(
        np.linalg.eigvalsh(exact_hessian(other, X, T)),
        eigenvalues,
        atol=1e-13 * np.abs(eigenvalues).max(),
    )


def test_rescaling_symmetry_of_rectifiers():
    """Along v = (W₁, −W₂) lies a valley: v·∇E = 0, and Hv = −A∇E with A = (+1, −1)."""
    net, X, T = case((3, 5, 2), "relu", "linear", N=6)
    w = net.w.copy()
    w[[net.index(1, k, 0) for k in range(2)]] = 0
    net = net.with_parameters(w)
    A = np.concatenate([np.ones(20), -np.ones(12)])
    A[[net.index(1, k, 0) for k in range(2)]] = 0  # the output bias does not scale
    gradient, v = error_gradient(net, X, T), A * w
    assert v @ gradient == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(exact_hessian(net, X, T) @ v, -A * gradient, atol=1e-11)


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_diagonal_and_blocks_are_those_of_the_matrix(c):
    net, X, T = case(*c)
    H = exact_hessian(net, X, T)
    scale = 1e-15 * np.abs(H).max()
    np.testing.assert_allclose(
        hessian_diagonal(net, X, T), np.diag(H), rtol=1e-12, atol=scale
    )
    for l, m in itertools.product(range(net.depth), repeat=2):
        block = hessian_block(net, X, T, l, m)
        np.testing.assert_allclose(
            block, H[net.slices[l], net.slices[m]], rtol=1e-12, atol=scale
        )


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=6),
    st.sampled_from(["tanh", "softplus", "gelu", "identity"]),
    st.sampled_from(list(jl.OUTPUT_UNITS)),
    st.integers(0, 4),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_any_network_and_any_number_of_patterns(sizes, hidden, output, N, seed):
    net, X, T = case(tuple(sizes), hidden, output, N=N, seed=seed)
    H = exact_hessian(net, X, T)
    assert H.shape == (net.n_parameters,) * 2
    np.testing.assert_allclose(
        H, by_complex_step(net, X, T), rtol=1e-8, atol=1e-13 * max(1, np.abs(H).max())
    )
    np.testing.assert_allclose(
        hessian_diagonal(net, X, T), np.diag(H), rtol=1e-10, atol=1e-13
    )


@pytest.mark.parametrize("N", [64, 65, 200])
def test_chunks_of_patterns_add_up(N, monkeypatch):
    net, X, T = case((3, 4, 5, 2), "tanh", "softmax", N=N)
    whole = exact_hessian(net, X, T), hessian_diagonal(net, X, T)
    block = hessian_block(net, X, T, 1, 0)
    monkeypatch.setattr(kernels, "_PATTERNS", 1)  # chunks of 64
    assert len(list(kernels.pattern_chunks(N, 1))) == -(-N // 64)
    scale = np.abs(whole[0]).max()
    np.testing.assert_allclose(exact_hessian(net, X, T), whole[0], atol=1e-13 * scale)
    np.testing.assert_allclose(hessian_diagonal(net, X, T), whole[1], rtol=1e-12)
    np.testing.assert_allclose(
        hessian_block(net, X, T, 1, 0), block, atol=1e-13 * scale
    )


@pytest.mark.parametrize("temporary", [1, 40, 200])
@pytest.mark.parametrize("output", ["linear", "softmax"])
def test_parts_of_every_block_come_together(temporary, output, monkeypatch):
    net, X, T = case((3, 6, 5, 4), "tanh", output, N=150)
    monkeypatch.setattr(kernels, "_TEMPORARY", temporary)  # a few units at a time
    monkeypatch.setattr(kernels, "_FACTOR", 1)  # 64 patterns at a time
    monkeypatch.setattr(kernels, "_SMALL", 0)
    H = exact_hessian(net, X, T)
    scale = np.abs(H).max()
    np.testing.assert_allclose(H, by_complex_step(net, X, T), atol=1e-13 * scale)
    np.testing.assert_array_equal(H, H.T)


def test_the_diagonals_take_a_few_patterns_at_a_time(monkeypatch):
    net, X, T = case((3, 4, 5, 2), "tanh", "softmax", N=150)
    whole = hessian_diagonal(net, X, T), jl.outer_product_diagonal(net, X)
    sizes = []
    for module in (fast, fast_outer_product):
        monkeypatch.setattr(module, "IN_CACHE", 1)
        monkeypatch.setattr(
            module, "passed", lambda n, X: sizes.append(len(X)) or forward(n, X)
        )
    np.testing.assert_allclose(hessian_diagonal(net, X, T), whole[0], rtol=1e-12)
    np.testing.assert_allclose(jl.outer_product_diagonal(net, X), whole[1], rtol=1e-12)
    assert sizes == [64, 64, 22] * 2


def test_the_hessian_is_a_sum_over_patterns():
    net, X, T = case((3, 4, 2), "tanh", "softmax", N=5)
    one_by_one = sum(exact_hessian(net, X[n : n + 1], T[n : n + 1]) for n in range(5))
    np.testing.assert_allclose(
        exact_hessian(net, X, T), one_by_one, rtol=1e-11, atol=1e-14
    )


def test_targets_move_the_residual_alone():
    net, X, T = case((3, 4, 2), "tanh", "linear")
    at_outputs = exact_hessian(net, X, net(X))
    np.testing.assert_allclose(
        at_outputs, jl.outer_product_hessian(net, X), rtol=1e-12, atol=1e-14
    )
    assert not np.allclose(exact_hessian(net, X, T), at_outputs, rtol=1e-2)


@pytest.mark.parametrize("function", [exact_hessian, hessian_diagonal])
def test_out_is_filled_and_returned(function):
    net, X, T = case((3, 4, 2), "tanh", "softmax")
    expected = function(net, X, T)
    out = np.full_like(expected, np.nan)
    assert function(net, X, T, out=out) is out
    np.testing.assert_array_equal(out, expected)
    strided = np.full(tuple(2 * m for m in expected.shape), np.nan)
    strided = strided[(slice(None, None, 2),) * expected.ndim]
    assert function(net, X, T, out=strided) is strided
    np.testing.assert_array_equal(strided, expected)


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
def test_float32_stays_float32(output):
    net, X, T = case((3, 4, 5, 2), "gelu", output)
    single = jl.Network(net.sizes, net.w.astype(np.float32), "gelu", output)
    H = exact_hessian(net, X, T)
    for function, expected in [
        (exact_hessian, H),
        (hessian_diagonal, np.diag(H)),
        (lambda *args: hessian_block(*args, 1, 0), H[net.slices[1], net.slices[0]]),
    ]:
        result = function(single, X.astype(np.float32), T)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, atol=1e-4 * np.abs(H).max())


@pytest.mark.parametrize("output", list(jl.OUTPUT_UNITS))
@pytest.mark.parametrize("hidden", list(jl.HIDDEN_UNITS))
def test_extreme_inputs(hidden, output):
    net = jl.Network.random((3, 4, 2), hidden, output)
    X = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [90, 40, -300]])
    X *= 0.01 if hidden == "exp" else 1  # its matrices may exceed any number
    T = targets(np.random.default_rng(0), output, 3, 2)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(exact_hessian(net, X, T)).all()
        assert np.isfinite(hessian_diagonal(net, X, T)).all()


def test_memory_stays_below_twice_the_result():
    net, X, T = case((30, 40, 20, 5), "tanh", "softmax", N=1500)
    H = np.empty((net.n_parameters,) * 2)
    tracemalloc.start()
    exact_hessian(net, X, T, out=H)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert H.nbytes == 8 * 2165**2
    assert peak < 150e6
    # one P×P matrix per pattern would be 56 GB, and one N·K×P Jacobian 130 MB
