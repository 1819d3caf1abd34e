import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import CASES, Plain, autograd_outputs, case, case_name, exact

from jachess_lib import (
    HIDDEN_UNITS,
    OUTPUT_UNITS,
    Network,
    complex_step,
    forward,
    one_hot,
)


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_outputs_against_loops_in_fifty_digits(c):
    net, X, _ = case(*c)
    plain, w = Plain(net), exact(net.w)
    for x, y in zip(X, net(X), strict=True):
        expected = [float(v) for v in plain.outputs(w, exact(x))]
        np.testing.assert_allclose(y, expected, rtol=1e-13)


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_outputs_against_autograd_network(c):
    net, X, _ = case(*c)
    np.testing.assert_allclose(net(X), autograd_outputs(net, net.w, X), rtol=1e-13)


def test_forward_sums_index_by_index():
    net, X, _ = case((3, 5, 4, 2), ("softplus", "gelu"), "softmax")
    trace = forward(net, X)
    np.testing.assert_array_equal(trace.z[0][:, 1:], X)
    for l in range(net.depth):
        np.testing.assert_array_equal(trace.z[l][:, 0], 1)
        for n in range(len(X)):
            for j in range(net.sizes[l + 1]):
                a = sum(
                    net.W[l][j, i] * trace.z[l][n, i] for i in range(1 + net.sizes[l])
                )
                assert trace.a[l][n, j] == pytest.approx(a, rel=1e-14)
        if l < net.depth - 1:
            np.testing.assert_array_equal(
                trace.z[l + 1][:, 1:], net.hidden[l].h(trace.a[l])
            )
    assert len(trace.a) == len(trace.z) == net.depth
    np.testing.assert_array_equal(trace.y, net(X))


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6), st.integers(0, 4))
@settings(deadline=None, max_examples=40)
def test_shapes_and_index_for_any_layers(sizes, N):
    net, X, _ = case(tuple(sizes), N=N)
    assert net(X).shape == (N, sizes[-1])
    assert net.depth == len(net.W) == len(net.slices) == len(sizes) - 1
    assert net.n_parameters == net.w.size == sum(W.size for W in net.W)
    places = [
        net.index(l, j, i)
        for l, W in enumerate(net.W)
        for j in range(W.shape[0])
        for i in range(W.shape[1])
    ]
    assert places == list(range(net.n_parameters))
    for l, W in enumerate(net.W):
        assert W.shape == (sizes[l + 1], 1 + sizes[l])
        np.testing.assert_array_equal(net.w[net.slices[l]], W.ravel())


def test_index_finds_the_weight():
    net = Network.random((4, 3, 2))
    for l, j, i in [(0, 2, 4), (1, 1, 0), (1, 0, 3)]:
        assert net.w[net.index(l, j, i)] == net.W[l][j, i]


def test_a_permutation_of_hidden_units_leaves_the_outputs_alone():
    net, X, _ = case((3, 5, 2), "gelu", "sigmoid")
    order = np.array([3, 0, 4, 1, 2])
    W = [net.W[0][order], net.W[1][:, np.concatenate([[0], 1 + order])]]
    other = net.with_parameters(np.concatenate([V.ravel() for V in W]))
    np.testing.assert_allclose(other(X), net(X), rtol=1e-14)


def test_random_is_repeatable_and_scaled():
    net = Network.random((400, 300, 2), seed=5)
    np.testing.assert_array_equal(net.w, Network.random((400, 300, 2), seed=5).w)
    assert not np.array_equal(net.w, Network.random((400, 300, 2), seed=6).w)
    assert net.W[0].std() == pytest.approx(1 / np.sqrt(401), rel=0.02)
    assert net.W[1].std() == pytest.approx(1 / np.sqrt(301), rel=0.1)
    np.testing.assert_array_equal(
        Network.random((3, 2)).w, Network.random((3, 2), seed=0).w
    )


def test_defaults_and_names():
    net = Network((2, 3, 4, 1), np.zeros(30))
    assert net.hidden == (HIDDEN_UNITS["tanh"],) * 2
    assert net.output is OUTPUT_UNITS["linear"]
    mixed = Network((2, 3, 4, 1), np.zeros(30), ["relu", "gelu"], "sigmoid")
    assert [unit.name for unit in mixed.hidden] == ["relu", "gelu"]
    assert (
        repr(mixed) == "<Network 2-3-4-1, hidden: relu, gelu, output: sigmoid, P = 30>"
    )
    assert repr(Network((2, 1), [0, 0, 0])) == (
        "<Network 2-1, hidden: none, output: linear, P = 3>"
    )


def test_a_network_never_changes():
    w = np.arange(5.0)
    net = Network((4, 1), w)
    w[0] = 99
    assert net.w[0] == 0
    for change in (
        lambda: net.w.__setitem__(0, 1.0),
        lambda: net.W[0].__setitem__(0, 1.0),
    ):
        with pytest.raises(ValueError, match="read-only"):
            change()
    for name in ("w", "sizes", "hidden", "output", "W"):
        with pytest.raises(FrozenInstanceError):
            setattr(net, name, None)
    net.with_parameters(np.ones(5))
    np.testing.assert_array_equal(net.w, np.arange(5.0))


def test_weights_are_views_into_the_vector():
    net = Network.random((3, 4, 2))
    assert all(np.shares_memory(W, net.w) for W in net.W)


def test_with_parameters_keeps_everything_else():
    net, X, _ = case((3, 4, 2), "gelu", "softmax")
    other = net.with_parameters(2 * net.w)
    assert (other.sizes, other.hidden, other.output) == (
        net.sizes,
        net.hidden,
        net.output,
    )
    assert not np.allclose(other(X), net(X))
    assert all(np.shares_memory(W, other.w) for W in other.W)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_copies_compute_the_same(again):
    net, X, _ = case((3, 4, 5, 2), ("gelu", "identity"), "softmax")
    other = again(net)
    np.testing.assert_array_equal(other(X), net(X))
    assert other.hidden == net.hidden
    assert not other.w.flags.writeable
    assert all(np.shares_memory(W, other.w) for W in other.W)


@pytest.mark.parametrize("c", CASES, ids=case_name)
def test_float32_stays_float32(c):
    net, X, _ = case(*c)
    single = Network(
        net.sizes,
        net.w.astype(np.float32),
        [u.name for u in net.hidden],
        net.output.name,
    )
    y = single(X.astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, net(X), rtol=2e-4, atol=1e-6)
    assert single(X).dtype == np.float64
    assert single(np.ones((1, net.sizes[0]), int)).dtype == np.float32


def test_complex_inputs_and_parameters_pass_through():
    net, X, _ = case((3, 4, 2), "gelu", "softmax")
    J = complex_step(lambda x: net(x[None])[0], X[0])
    autograd_like = (net(X[:1] + 1e-6 * np.eye(3)[:1]) - net(X[:1])) / 1e-6
    np.testing.assert_allclose(J[:, 0], autograd_like[0], rtol=1e-4)
    assert net.with_parameters(net.w * (1 + 0j))(X).dtype == np.complex128


@pytest.mark.parametrize("output", list(OUTPUT_UNITS))
@pytest.mark.parametrize("hidden", list(HIDDEN_UNITS))
def test_extreme_inputs(hidden, output):
    net = Network.random((3, 4, 2), hidden, output)
    X = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [0, 0, 0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(net(X)).all()


def test_one_pattern_equals_its_row_of_the_batch():
    net, X, _ = case((3, 4, 2), N=5)
    for n in range(5):
        np.testing.assert_allclose(net(X[n : n + 1])[0], net(X)[n], rtol=1e-14)


def test_lists_are_welcome():
    net = Network([2, 1], [1, 2, 3])
    assert net.sizes == (2, 1)
    assert net([[10, 100]]).tolist() == [[321.0]]


def test_one_hot():
    T = one_hot(np.array([2, 0, 1, 2]), 4)
    np.testing.assert_array_equal(T.argmax(axis=1), [2, 0, 1, 2])
    np.testing.assert_array_equal(T.sum(axis=1), 1)
    assert T.shape == (4, 4)
    assert one_hot([], 3).shape == (0, 3)
    assert one_hot(np.array([0], np.uint8), 1).tolist() == [[1.0]]


def test_nobody_can_make_the_parameters_writable():
    net = Network.random((3, 4, 2))
    for array in (net.w, *net.W, net.with_parameters(net.w + 1j).w):
        while isinstance(array, np.ndarray):
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)
            array = array.base
    assert isinstance(array, bytes)


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_complex_networks_can_be_copied_and_sent_away(again):
    net, X, _ = case((3, 4, 5, 2), ("gelu", "identity"), "softmax")
    net = net.with_parameters(net.w + 1e-3j)
    other = again(net)
    assert other == net
    assert other.w.dtype == complex
    np.testing.assert_array_equal(other(X), net(X))


def test_units_of_the_library_stand_for_their_names():
    net, _, _ = case((3, 4, 5, 2), ("gelu", "identity"), "softmax")
    same = Network(net.sizes, net.w, net.hidden, net.output)
    assert same == net
    assert (
        Network((3, 4, 2), np.zeros(26), HIDDEN_UNITS["relu"]).hidden[0].name == "relu"
    )
    other = replace(net, w=2 * net.w)
    assert other.hidden == net.hidden
    np.testing.assert_array_equal(other.w, 2 * net.w)
    assert replace(net, output="linear") != net
    with pytest.raises(ValueError, match="unknown hidden unit .*choose one of"):
        Network((3, 4, 2), np.zeros(26), [OUTPUT_UNITS["linear"]])
    with pytest.raises(ValueError, match="unknown output unit"):
        Network((3, 4, 2), np.zeros(26), output=HIDDEN_UNITS["sigmoid"])


def test_equal_networks_are_equal():
    net = Network.random((3, 4, 2), "gelu", "softmax")
    same = Network(net.sizes, net.w.copy(), "gelu", "softmax")
    assert net == same
    assert hash(net) == hash(same)
    assert {net: 1}[same] == 1
    for other in (
        Network(net.sizes, net.w + 1e-9, "gelu", "softmax"),
        Network(net.sizes, net.w, "tanh", "softmax"),
        Network(net.sizes, net.w, "gelu", "sigmoid"),
        Network(net.sizes, net.w.astype(np.float32), "gelu", "softmax"),
        Network.random((3, 2, 2), "gelu", "softmax"),
        net.with_parameters(net.w + 0j),
        "net",
    ):
        assert net != other
        assert hash(net) != hash(other)
    zero, minus = Network((1, 1), [0.0, 1.0]), Network((1, 1), [-0.0, 1.0])
    assert zero == minus
    assert hash(zero) == hash(minus)


def test_true_is_no_index_and_no_number_of_classes():
    with pytest.raises(ValueError, match="layer must be a whole number"):
        Network.random((3, 4, 2)).index(True, 0, 0)
    with pytest.raises(ValueError, match="n_classes must be"):
        one_hot([0], True)
