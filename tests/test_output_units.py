import itertools

import mpmath as mp
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import OUTPUT, Plain, exact, mp_gradient, targets

import jachess_lib as jl
from jachess_lib import OUTPUT_UNITS, central_difference, complex_step

ROWS = np.array([[0.3, -1.2, 2.0, 0.0], [5.0, -3.0, 0.1, 4.9]])
activations = st.lists(st.floats(-50, 50), min_size=1, max_size=6)


def plain(output, K):
    """Return an identity network, so that its outputs are y(a)."""
    return Plain(jl.Network.random((K, K), output=output))


def identity_weights(K):
    return exact(np.hstack([np.zeros((K, 1)), np.eye(K)]).ravel())


@pytest.mark.parametrize("output", OUTPUT)
def test_outputs_and_their_derivative_against_fifty_digits(output):
    unit, K = OUTPUT_UNITS[output], 4
    network, w = plain(output, K), identity_weights(K)
    for n, row in enumerate(exact(ROWS)):
        y = [float(v) for v in network.outputs(w, row)]
        np.testing.assert_allclose(unit.y(ROWS)[n], y, rtol=1e-14)
        for k in range(K):
            dy_k = mp_gradient(lambda a, k=k: network.outputs(w, a)[k], row)
            np.testing.assert_allclose(
                unit.dy_da(ROWS)[n, k], [float(v) for v in dy_k], rtol=1e-12, atol=1e-16
            )


def test_softmax_derivative_index_by_index_and_by_sympy():
    K = 3
    a = sp.symbols("a:3")
    total = sum(sp.exp(v) for v in a)
    y = [sp.exp(v) / total for v in a]
    for k, l in itertools.product(range(K), repeat=2):
        claimed = (y[k] if k == l else 0) - y[k] * y[l]
        assert sp.simplify(sp.diff(y[k], a[l]) - claimed) == 0
    values = ROWS[:1, :K]
    numbers = dict(zip(a, values[0], strict=True))
    expected = [
        [float(sp.diff(y[k], a[l]).subs(numbers)) for l in range(K)] for k in range(K)
    ]
    np.testing.assert_allclose(
        OUTPUT_UNITS["softmax"].dy_da(values)[0], expected, rtol=1e-13
    )


@pytest.mark.parametrize("output", OUTPUT)
def test_central_differences_and_their_order(output):
    unit, a = OUTPUT_UNITS[output], ROWS[0]
    M = unit.dy_da(a[None])[0]
    errors = [
        abs(central_difference(lambda a: unit.y(a[None])[0], a, step) - M).max()
        for step in (1e-2, 1e-3)
    ]
    if output == "linear":
        assert max(errors) < 1e-12
    else:
        assert errors[0] / errors[1] == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("output", OUTPUT)
def test_complex_step(output):
    unit, a = OUTPUT_UNITS[output], ROWS[1]
    M = complex_step(lambda a: unit.y(a[None])[0], a)
    np.testing.assert_allclose(unit.dy_da(a[None])[0], M, rtol=1e-12, atol=1e-16)


def test_the_diagonal_only_softmax_is_caught():
    y = OUTPUT_UNITS["softmax"].y(ROWS)
    diagonal_only = np.stack([np.diag(row * (1 - row)) for row in y])
    M = OUTPUT_UNITS["softmax"].dy_da(ROWS)
    assert not np.allclose(diagonal_only, M, rtol=1e-3)
    assert np.abs(diagonal_only.sum(axis=1)).max() > 0.1
    np.testing.assert_allclose(M.sum(axis=1), 0, atol=1e-15)


@given(activations)
@settings(deadline=None)
def test_softmax_matrix_properties(row):
    a = np.array([row])
    K = len(row)
    y, M = OUTPUT_UNITS["softmax"].y(a)[0], OUTPUT_UNITS["softmax"].dy_da(a)[0]
    assert y.sum() == pytest.approx(1, rel=1e-14)
    np.testing.assert_allclose(M, M.T, atol=0)
    np.testing.assert_allclose(M @ np.ones(K), 0, atol=1e-15)
    eigenvalues = np.linalg.eigvalsh(M)
    assert eigenvalues.min() > -1e-15
    assert eigenvalues.max() <= 0.5 + 1e-15
    # M is the covariance of the one-hot vectors drawn with probabilities y
    mean = y @ np.eye(K)
    covariance = sum(
        p * np.outer(e - mean, e - mean) for p, e in zip(y, np.eye(K), strict=True)
    )
    np.testing.assert_allclose(M, covariance, atol=1e-15)


@given(activations, st.floats(-1e3, 1e3))
@settings(deadline=None)
def test_softmax_does_not_see_a_shift(row, shift):
    a = np.array([row])
    np.testing.assert_allclose(
        OUTPUT_UNITS["softmax"].y(a + shift), OUTPUT_UNITS["softmax"].y(a), rtol=1e-11
    )


@given(st.floats(-30, 30), st.floats(-30, 30))
@settings(deadline=None)
def test_softmax_of_two_is_a_sigmoid_of_the_difference(a_0, a_1):
    y = OUTPUT_UNITS["softmax"].y(np.array([[a_0, a_1]]))
    sigmoid = OUTPUT_UNITS["sigmoid"]
    difference = np.array([[a_0 - a_1]])
    np.testing.assert_allclose(y[0, 0], sigmoid.y(difference)[0, 0], rtol=1e-12)
    np.testing.assert_allclose(
        OUTPUT_UNITS["softmax"].dy_da(np.array([[a_0, a_1]]))[0, 0, 0],
        sigmoid.dy_da(difference)[0, 0, 0],
        rtol=1e-9,
        atol=1e-15,
    )


@pytest.mark.parametrize("output", OUTPUT)
def test_error_against_its_definition_in_fifty_digits(output):
    T = targets(np.random.default_rng(0), output, 2, 4)
    expected = plain(output, 4).error(identity_weights(4), exact(ROWS), exact(T))
    assert OUTPUT_UNITS[output].error(ROWS, T) == pytest.approx(
        float(expected), rel=1e-14
    )


@pytest.mark.parametrize("output", OUTPUT)
def test_canonical_pair_gives_y_minus_t(output):
    unit = OUTPUT_UNITS[output]
    T = targets(np.random.default_rng(1), output, 2, 4)
    slope = complex_step(lambda a: unit.error(a, T), ROWS)
    np.testing.assert_allclose(slope, unit.y(ROWS) - T, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", OUTPUT)
def test_extreme_activations(output, dtype):
    unit = OUTPUT_UNITS[output]
    a = np.array([[1e4, -1e4, 0], [-1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]], dtype)
    T = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, M, E = unit.y(a), unit.dy_da(a), unit.error(a, T)
    assert y.dtype == M.dtype == E.dtype == dtype
    for values in (y, M, E):
        assert np.isfinite(values).all()
    if output == "softmax":  # 2e4 nats for the first row, 0, and ln 3
        assert E == pytest.approx(2e4 + np.log(3), rel=1e-6)
    if output == "sigmoid":
        assert E == pytest.approx(1e4 + 1e4 + np.log(2) + 1e4, rel=1e-6)


def test_a_confident_right_answer_keeps_its_small_error():
    a, T = np.array([[40.0]]), np.array([[1.0]])
    assert OUTPUT_UNITS["sigmoid"].error(a, T) == pytest.approx(
        np.exp(-40.0), rel=1e-12
    )
    assert OUTPUT_UNITS["sigmoid"].dy_da(a).item() == pytest.approx(
        np.exp(-40.0), rel=1e-12
    )


@pytest.mark.parametrize("output", OUTPUT)
def test_no_patterns(output):
    unit, a = OUTPUT_UNITS[output], np.empty((0, 3))
    assert unit.y(a).shape == (0, 3)
    assert unit.dy_da(a).shape == (0, 3, 3)
    assert unit.error(a, a) == 0


def test_results_do_not_alias_their_argument():
    a = ROWS.copy()
    assert not np.shares_memory(OUTPUT_UNITS["linear"].y(a), a)


def test_the_table_is_keyed_by_name():
    assert list(OUTPUT_UNITS) == ["linear", "sigmoid", "softmax"]
    for name, unit in OUTPUT_UNITS.items():
        assert unit.name == name
        assert repr(unit) == f"OutputUnit('{name}')"


def test_mpmath_works_in_fifty_digits():
    assert mp.mp.dps == 50
