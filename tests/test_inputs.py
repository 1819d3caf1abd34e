"""Bad input: every public function says what is wrong and what to do."""

import inspect
import re

import dask.array as da
import numpy as np
import pytest
import scipy.sparse

import jachess_lib as jl
from jachess_lib import language_model
from jachess_lib._engine import inputs, memory

NET = jl.Network.random((3, 4, 2), seed=1)
SIGMOID = jl.Network(NET.sizes, NET.w, output="sigmoid")
SOFTMAX = jl.Network(NET.sizes, NET.w, output="softmax")
X = np.random.default_rng(0).standard_normal((5, 3))
T = np.random.default_rng(1).standard_normal((5, 2))
P = NET.n_parameters

# every public function of X, with everything else it needs
OF_X = {
    "forward": lambda net, X: jl.forward(net, X),
    "call": lambda net, X: net(X),
    "error": lambda net, X: jl.error(net, X, T),
    "error_gradient": lambda net, X: jl.error_gradient(net, X, T),
    "input_jacobian": lambda net, X: jl.input_jacobian(net, X),
    "parameter_jacobian": lambda net, X: jl.parameter_jacobian(net, X),
    "propagate_error": lambda net, X: jl.propagate_error(net, X, np.zeros((5, 3))),
    "propagate_covariance": lambda net, X: jl.propagate_covariance(net, X, np.eye(3)),
    "chain_jacobian": lambda net, X: jl.chain_jacobian(
        jl.Network.random((2, 1)), net, X
    ),
    "error_gradients": lambda net, X: jl.error_gradients(net, X, T),
    "exact_hessian": lambda net, X: jl.exact_hessian(net, X, T),
    "hessian_block": lambda net, X: jl.hessian_block(net, X, T, 1, 0),
    "hessian_diagonal": lambda net, X: jl.hessian_diagonal(net, X, T),
    "outer_product_hessian": lambda net, X: jl.outer_product_hessian(net, X),
    "outer_product_diagonal": lambda net, X: jl.outer_product_diagonal(net, X),
    "residual_hessian": lambda net, X: jl.residual_hessian(net, X, T),
}
OF_X["hessian_vector_product"] = lambda net, X: jl.hessian_vector_product(
    net, X, T, np.ones(P)
)
OF_X["gauss_newton_vector_product"] = lambda net, X: jl.gauss_newton_vector_product(
    net, X, np.ones(P)
)
OF_X["jacobian_vector_product"] = lambda net, X: jl.jacobian_vector_product(
    net, X, np.ones((5, 3)), wrt="inputs"
)
OF_X["input_hessian_vector_product"] = lambda net, X: jl.input_hessian_vector_product(
    net, X, np.ones((5, 3))
)
OF_X["input_laplacian"] = lambda net, X: jl.input_laplacian(net, X)
for _solved in ("inverse_outer_product", "obd_saliency", "obs_saliency"):
    OF_X[_solved] = lambda net, X, name=_solved: getattr(jl, name)(net, X, 0.5)
OF_X["vector_jacobian_product"] = lambda net, X: jl.vector_jacobian_product(net, X, T)
OF_X["laplace"] = lambda net, X: jl.laplace(net, X, T, 1.0).root
OF_X["influence"] = lambda net, X: jl.influence(net, X, T, 1.0).moves()
OF_X["gradient_descent"] = lambda net, X: (
    jl.gradient_descent(net, X, T, rate=0.1, steps=2).path
)
OF_X["kronecker_factors"] = lambda net, X: jl.kronecker_factors(net, X)[0].B
OF_X["ekfac"] = lambda net, X: jl.ekfac(net, X)[0].scales
OF_X["natural_gradient"] = lambda net, X: jl.natural_gradient(net, X, T, 1.0)
OF_X["levenberg_marquardt"] = lambda net, X: jl.levenberg_marquardt(net, X, T)
OF_T = {
    "error": jl.error,
    "error_gradient": jl.error_gradient,
    "error_gradients": jl.error_gradients,
    "exact_hessian": jl.exact_hessian,
    "hessian_block": lambda net, X, T: jl.hessian_block(net, X, T, 0, 0),
    "hessian_diagonal": jl.hessian_diagonal,
    "residual_hessian": jl.residual_hessian,
    "hessian_vector_product": lambda net, X, T: jl.hessian_vector_product(
        net, X, T, np.ones(P)
    ),
}
# {name: (shape of its result, its arguments after X and T, if it takes T)}
WITH_OUT = {
    "error_gradient": ((P,), ()),
    "error_gradients": ((5, P), ()),
    "input_jacobian": ((5, 2, 3), ()),
    "parameter_jacobian": ((5, 2, P), ()),
    "vector_jacobian_product": ((P,), (T,)),
    "exact_hessian": ((P, P), ()),
    "hessian_block": ((16, 10), (0, 1)),
    "hessian_diagonal": ((P,), ()),
    "outer_product_hessian": ((P, P), ()),
    "outer_product_diagonal": ((P,), ()),
    "residual_hessian": ((P, P), ()),
    "hessian_vector_product": ((P,), (np.arange(P) / P,)),
    "gauss_newton_vector_product": ((P,), (np.arange(P) / P,)),
    "inverse_outer_product": ((P, P), (0.5,)),
    "obd_saliency": ((P,), (0.5,)),
    "obs_saliency": ((P,), (0.5,)),
}
EVERY_X = pytest.mark.parametrize("f", OF_X.values(), ids=OF_X)
EVERY_T = pytest.mark.parametrize("f", OF_T.values(), ids=OF_T)
EVERY_OUT = pytest.mark.parametrize("name", WITH_OUT)


def arguments_of(name):
    """Return a function that takes `out`, the shape of that and what else it takes."""
    shape, more = WITH_OUT[name]
    return getattr(jl, name), shape, [X, T, *more] if name in OF_T else [X, *more]


def test_all_that_is_as_large_as_the_parameters_takes_out():
    taking = {
        name
        for name in jl.__all__
        if callable(f := getattr(jl, name)) and "out" in inspect.signature(f).parameters
    }
    assert taking == set(WITH_OUT)


@EVERY_X
@pytest.mark.parametrize("net", [None, "tanh", (3, 4, 2), X])
def test_what_is_no_network(f, net, engine):
    if f is OF_X["call"]:
        return
    name = "inner" if f is OF_X["chain_jacobian"] else "net"
    found = type(net).__name__
    with pytest.raises(TypeError, match=f"{name} must be a Network, got {found}"):
        f(net, X)


def test_operators_of_what_is_no_network():
    with pytest.raises(TypeError, match="net must be a Network, got NoneType"):
        jl.HessianOperator(None, X, T)
    with pytest.raises(TypeError, match="net must be a Network, got NoneType"):
        jl.GaussNewtonOperator(None, X)
    chunks = da.from_array(X, chunks=(2, 3))
    with pytest.raises(TypeError, match="net must be a Network, got NoneType"):
        jl.outer_product_diagonal(None, chunks)


@EVERY_X
def test_inputs_that_are_none(f, engine):
    with pytest.raises(TypeError, match="X must hold numbers, but it is None"):
        f(NET, None)


@EVERY_T
def test_targets_that_are_none(f, engine):
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        f(NET, X, None)


def test_the_operator_of_the_hessian_needs_targets():
    # without any, the products would be those of the outer-product matrix
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        jl.HessianOperator(NET, X, None)
    chunks = da.from_array(X, chunks=(2, 3))
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        jl.HessianOperator(NET, chunks, None)
    with pytest.raises(TypeError, match="T must hold numbers, but it is None"):
        jl.hessian_vector_product(NET, chunks, None, np.ones(P))


def changed(array, index, value):
    """Return a copy with one entry changed."""
    array = array.copy()
    array[index] = value
    return array


def test_every_public_function_is_covered():
    functions = {name for name in jl.__all__ if callable(getattr(jl, name))}
    elsewhere = {
        "Network",
        "Trace",
        "one_hot",
        "forward_difference",
        "central_difference",
        "complex_step",
        "HessianOperator",
        "GaussNewtonOperator",
        "HiddenUnit",
        "engine",
        "engine_used",
        "Pruned",
        "prune",
        "update_inverse",
        "Lanczos",
        "Spectrum",
        "hessian_spectrum",
        "hutchinson_trace",
        "lanczos",
        "spectral_density",
        "EigenFactors",
        "KroneckerFactors",
        "nearest_kronecker",
        "shampoo_factors",
        "shared_factors",
        *language_model.__all__,  # a stack is no Network
    }
    assert functions - elsewhere == set(OF_X) - {"call"}


@pytest.mark.parametrize(
    "sizes", [(), (3,), (3, 0), (3, -1), (3, 2.5), (3, True), ("3", 2), "32", None, 5]
)
def test_sizes(sizes):
    for make in (
        lambda: jl.Network(sizes, np.zeros(8)),
        lambda: jl.Network.random(sizes),
    ):
        with pytest.raises(ValueError, match="sizes must be"):
            make()


def test_parameters_of_the_wrong_length():
    for w in (np.zeros(7), np.zeros((8, 1)), 0.0, np.zeros(9)):
        for make in (
            lambda w=w: jl.Network((3, 2), w),
            lambda w=w: jl.Network.random((3, 2)).with_parameters(w),
        ):
            with pytest.raises(
                ValueError, match=r"w must have shape \(P,\) = \(8,\)"
            ) as e:
                make()
            assert f"got shape {np.shape(w)}" in str(e.value)


def test_parameters_that_are_not_real_numbers():
    with pytest.raises(ValueError, match="w must be real"):
        jl.Network((3, 2), np.zeros(8, complex))
    for w in (np.array(["a"] * 8), np.zeros(8, object), [None] * 8, [[1], [2, 3]]):
        with pytest.raises(TypeError, match="^w "):
            jl.Network((3, 2), w)
    for value in (np.nan, np.inf):
        with pytest.raises(
            ValueError, match=rf"w\[5\] is {value}: every entry must be finite"
        ):
            jl.Network((3, 2), changed(np.zeros(8), 5, value))


@pytest.mark.parametrize("hidden", ["tahn", "", ("tanh", "tahn"), None, ("tanh", 3), 3])
def test_unknown_hidden_units(hidden):
    with pytest.raises(ValueError, match="hidden"):
        jl.Network((3, 4, 4, 2), np.zeros(46), hidden)


def test_unknown_names_are_listed_with_those_there_are():
    with pytest.raises(
        ValueError,
        match="unknown hidden unit 'tahn': choose one of identity, "
        "tanh, sigmoid, softplus, relu, gelu, exp",
    ):
        jl.Network((3, 4, 2), np.zeros(26), "tahn")
    with pytest.raises(ValueError, match="unknown hidden unit 'tahn'"):
        jl.Network((3, 2), np.zeros(8), "tahn")  # even without a hidden layer
    for output in ("tanh", ["softmax"], None):
        with pytest.raises(ValueError, match="output unit .*linear, sigmoid, softmax"):
            jl.Network((3, 2), np.zeros(8), output=output)


def test_an_unknown_name_in_a_list_is_told_like_one_alone():
    with pytest.raises(ValueError, match="unknown hidden unit 'tahn': choose one of"):
        jl.Network((3, 4, 4, 2), np.zeros(46), ["tanh", "tahn"])


def test_out_of_the_wrong_precision_for_single_precision():
    single = jl.Network(NET.sizes, NET.w.astype(np.float32))
    with pytest.raises(ValueError, match=r"dtype float32, got .* float64$"):
        jl.hessian_diagonal(single, X.astype(np.float32), T, out=np.empty(P))


def test_the_wrong_number_of_hidden_units():
    with pytest.raises(ValueError, match="one for each of the 2 hidden layers, got"):
        jl.Network((3, 4, 4, 2), np.zeros(46), ("tanh",) * 3)
    with pytest.raises(ValueError, match="one for each of the 0 hidden layers, got"):
        jl.Network((3, 2), np.zeros(8), ("tanh",))


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ((2, 0, 0), "layer"),
        ((-1, 0, 0), "layer"),
        ((0, 4, 0), "j"),
        ((0, 0, 4), "i"),
        ((0, -1, 0), "j"),
        ((0, 0, 1.0), "i"),
    ],
)
def test_index_out_of_range(where, name):
    with pytest.raises(ValueError, match=f"^{name} must be a whole number from 0 to"):
        NET.index(*where)


@pytest.mark.parametrize("l", [2, -1, 0.0, "0", None])
def test_layers_of_a_block(l):
    with pytest.raises(ValueError, match="^l must be a whole number from 0 to 1, got"):
        jl.hessian_block(NET, X, T, l, 0)
    with pytest.raises(ValueError, match="^m must be"):
        jl.hessian_block(NET, X, T, 0, l)


@EVERY_X
def test_x_of_the_wrong_shape(f):
    with pytest.raises(
        ValueError,
        match=r"^X must have shape \(N, 3\), one column for each input of the "
        r"network, got shape \(5, 4\)$",
    ):
        f(NET, np.zeros((5, 4)))
    with pytest.raises(ValueError, match=r"got shape \(3,\).*use x\[None, :\]"):
        f(NET, np.zeros(3))
    for wrong in (np.zeros((5, 3, 1)), 0.0):
        with pytest.raises(ValueError, match="X must have shape"):
            f(NET, wrong)


@EVERY_X
def test_x_that_does_not_hold_numbers(f):
    for wrong in (X.astype(str), X.astype(object), [["a"] * 3], [[1, 2, 3], [1]], None):
        with pytest.raises(TypeError, match="^X "):
            f(NET, wrong)


@EVERY_X
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_x_that_is_not_finite(f, value):
    with pytest.raises(
        ValueError, match=rf"X\[2, 1\] is {value}: .* fill in such patterns first$"
    ):
        f(NET, changed(changed(X, (2, 1), value), (4, 0), value))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in OF_X
        if name
        not in (
            "forward",
            "call",
            "error",
            "error_gradient",
            "error_gradients",
            "input_jacobian",
            "parameter_jacobian",
            "jacobian_vector_product",
            "vector_jacobian_product",
            "input_hessian_vector_product",
            "input_laplacian",
        )
    ],
)
def test_complex_numbers_where_they_make_no_sense(name):
    with pytest.raises(ValueError, match="X must be real.*only the forward pass"):
        OF_X[name](NET, X + 0j)
    with pytest.raises(ValueError, match="net.w must be real"):
        OF_X[name](NET.with_parameters(NET.w + 0j), X)


@EVERY_T
def test_targets_of_the_wrong_shape(f):
    with pytest.raises(
        ValueError,
        match=r"^T must have shape \(N, 2\), one column for each output of the "
        r"network, got shape \(5, 3\)$",
    ):
        f(NET, X, np.zeros((5, 3)))
    with pytest.raises(
        ValueError, match=r"X of shape \(5, 3\) and T of shape \(4, 2\)"
    ):
        f(NET, X, T[:4])
    with pytest.raises(ValueError, match=r"got shape \(2,\)$"):
        f(NET, X, np.zeros(2))  # a row would not fit five patterns either


@EVERY_T
def test_targets_that_are_not_finite_real_numbers(f):
    with pytest.raises(ValueError, match=r"T\[3, 1\] is nan"):
        f(NET, X, changed(T, (3, 1), np.nan))
    with pytest.raises(TypeError, match="^T "):
        f(NET, X, T.astype(str))
    with pytest.raises(ValueError, match="T must be real"):
        f(NET, X, T + 0j)


@EVERY_T
def test_sigmoid_targets_outside_zero_and_one(f):
    inside = np.full((5, 2), 0.5)
    f(SIGMOID, X, changed(changed(inside, (0, 0), 0.0), (0, 1), 1.0))
    for value in (-0.01, 1.01):
        with pytest.raises(ValueError, match=rf"is {value}: .*targets in \[0, 1\]$"):
            f(SIGMOID, X, changed(inside, (1, 0), value))


@EVERY_T
def test_softmax_targets_that_are_not_distributions(f):
    even = np.full((5, 2), 0.5)
    f(SOFTMAX, X, even)
    f(SOFTMAX, X, even * (1 + 1e-6))  # float32 distributions are distributions
    with pytest.raises(
        ValueError, match=r"row T\[3\] sums to 0.8.*one_hot\(labels, 2\)"
    ):
        f(SOFTMAX, X, changed(changed(even, (3, 0), 0.3), (4, 0), 0.0))
    with pytest.raises(ValueError, match=r"T\[2, 0\] is -0.5: a softmax .*one_hot"):
        f(SOFTMAX, X, changed(even, 2, (-0.5, 1.5)))
    for labels in (np.zeros(5, int), np.zeros((5, 1), int)):
        with pytest.raises(
            ValueError, match=r"integer labels use one_hot\(labels, 2\)"
        ):
            f(SOFTMAX, X, labels)


@EVERY_OUT
def test_out_is_what_is_returned(name, engine):
    f, shape, arguments = arguments_of(name)
    expected = f(NET, *arguments)
    assert expected.shape == shape
    strided = np.full([2 * m for m in shape], 7.0)[
        tuple([slice(None, None, 2)] * len(shape))
    ]
    for out in (np.full(shape, 7.0), np.full(shape[::-1], 7.0).T, strided):
        assert f(NET, *arguments, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-15)


@EVERY_OUT
def test_out_that_does_not_fit(name):
    f, shape, arguments = arguments_of(name)
    read_only = np.empty(shape)
    read_only.flags.writeable = False
    wrong_shape = (shape[0] + 1, *shape[1:])
    for out, message in [
        (np.empty(wrong_shape), "out must have shape"),
        (np.empty(shape, np.float32), "dtype float64, got .* float32"),
        (np.empty(shape, complex), "out must have shape"),
        (read_only, "^out is read-only: hand in an array that can be written to$"),
        (np.empty(shape).tolist(), "out must be a NumPy array, got list"),
    ]:
        with pytest.raises(ValueError, match=message):
            f(NET, *arguments, out=out)


@EVERY_OUT
def test_out_is_untouched_when_something_else_is_wrong(name):
    f, shape, arguments = arguments_of(name)
    out = np.full(shape, 7.0)
    arguments[0] = changed(X, (0, 0), np.nan)
    with pytest.raises(ValueError, match="X"):
        f(NET, *arguments, out=out)
    np.testing.assert_array_equal(out, 7)


def test_the_precision_of_a_direction_is_that_of_out():
    single = jl.Network(NET.sizes, NET.w.astype(np.float32))
    x, v = X.astype(np.float32), np.ones(P)
    for engine in ("plain", "blocked"):
        with jl.engine(engine):
            out = np.empty(P)
            assert jl.hessian_vector_product(single, x, T, v, out=out) is out
            np.testing.assert_array_equal(
                out, jl.hessian_vector_product(single, x, T, v)
            )
            with pytest.raises(ValueError, match="dtype float32, got .* float64"):
                jl.hessian_vector_product(single, x, T, v.astype(np.float32), out=out)


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (
            lambda net: jl.exact_hessian(net, np.zeros((1, 999)), np.zeros((1, 999))),
            "use hessian_diagonal or a HessianOperator",
        ),
        (
            lambda net: jl.outer_product_hessian(net, np.zeros((1, 999))),
            "use outer_product_diagonal or a GaussNewtonOperator",
        ),
        (
            lambda net: jl.hessian_block(
                net, np.zeros((1, 999)), np.zeros((1, 999)), 1, 0
            ),
            "use hessian_diagonal",
        ),
        (
            lambda net: jl.residual_hessian(
                net, np.zeros((1, 999)), np.zeros((1, 999))
            ),
            "use hessian_diagonal or a HessianOperator",
        ),
        (
            lambda net: jl.parameter_jacobian(net, np.zeros((200, 999))),
            "take fewer patterns at a time",
        ),
        (
            lambda net: jl.input_jacobian(net, np.zeros((2500, 999))),
            "take fewer patterns at a time",
        ),
    ],
)
def test_a_matrix_too_large_for_memory(call, instead, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 16 * 2**30)
    net = jl.Network((999, 999, 999), np.zeros(2 * 999 * 1000))
    with pytest.raises(
        MemoryError,
        match=f"more than the 16.0 GiB that this process can get: {instead}$",
    ):
        call(net)


def test_the_size_of_the_matrix_is_told():
    net = jl.Network((999, 999, 999), np.zeros(2 * 999 * 1000))
    with pytest.raises(
        MemoryError, match=r"\(1998000, 1998000\) in float64 needs 29,742"
    ):
        jl.outer_product_hessian(net, np.zeros((1, 999)))


def test_too_large_for_memory_even_where_its_size_is_unknown(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: float("inf"))
    with pytest.raises(MemoryError, match="more than there is: use it"):
        inputs.result_array(None, (1 << 30, 1 << 30), np.float64, instead="use it")


def test_which_jacobian():
    with pytest.raises(
        ValueError, match="of must be one of outputs, activations, got 'y'"
    ):
        jl.parameter_jacobian(NET, X, of="y")


def test_errors_of_the_inputs():
    with pytest.raises(
        ValueError, match=r"dX must have one row for each of the 5 patterns"
    ):
        jl.propagate_error(NET, X, X[:4])
    with pytest.raises(ValueError, match=r"dX must have shape \(N, 3\)"):
        jl.propagate_error(NET, X, np.zeros((5, 2)))
    with pytest.raises(ValueError, match=r"dX\[1, 1\] is nan"):
        jl.propagate_error(NET, X, changed(X, (1, 1), np.nan))


def test_covariances():
    for wrong in (np.eye(2), np.ones(3), np.zeros((4, 3, 3)), 1.0):
        with pytest.raises(
            ValueError, match=r"covariance must have shape \(D, D\) = \(3, 3\)"
        ):
            jl.propagate_covariance(NET, X, wrong)
    lopsided = np.eye(3) + np.eye(3, k=1)
    for wrong in (lopsided, 1e-20 * lopsided, np.stack([lopsided] * 5)):
        with pytest.raises(
            ValueError,
            match=r"symmetric: use \(C \+ C\.swapaxes\(-1, -2\)\) / 2 if it nearly is$",
        ):
            jl.propagate_covariance(NET, X, wrong)
    with pytest.raises(
        ValueError, match="eigenvalue, but one is -1: no noise has a negative variance$"
    ):
        jl.propagate_covariance(NET, X, np.diag([1.0, -1.0, 1.0]))
    with pytest.raises(ValueError, match=r"covariance\[0, 0\] is inf"):
        jl.propagate_covariance(NET, X, np.diag([np.inf, 1.0, 1.0]))
    with pytest.raises(ValueError, match="covariance must be real"):
        jl.propagate_covariance(NET, X, np.eye(3) + 0j)
    with pytest.raises(TypeError, match="^covariance "):
        jl.propagate_covariance(NET, X, np.eye(3).astype(str))
    A = np.random.default_rng(0).standard_normal((3, 1)) * 1e3
    jl.propagate_covariance(
        NET, X, A @ A.T
    )  # rank one: eigenvalues of −1e-10 are rounding
    jl.propagate_covariance(NET, X, np.zeros((3, 3)))
    assert jl.propagate_covariance(NET, X[:0], np.empty((0, 3, 3))).shape == (0, 2, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_covariance_may_be_lopsided_by_rounding_alone(dtype):
    C = np.eye(3, dtype=dtype)
    C[0, 1] = 150 * np.finfo(dtype).eps
    jl.propagate_covariance(NET, X, C)
    C[0, 1] = 450 * np.finfo(dtype).eps
    with pytest.raises(ValueError, match="symmetric"):
        jl.propagate_covariance(NET, X, C)


@pytest.mark.parametrize("name", sorted(set(OF_X) - {"error", "levenberg_marquardt"}))
def test_the_wider_precision_wins(name):
    single = jl.Network(NET.sizes, NET.w.astype(np.float32))
    wide = OF_X[name](NET, X)
    for net, given in [(NET, X.astype(np.float32)), (single, X)]:
        result = OF_X[name](net, given)
        result, expected = (result.y, wide.y) if name == "forward" else (result, wide)
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4)


def test_the_input_jacobian_follows_complex_inputs():
    second = jl.complex_step(lambda x: jl.input_jacobian(NET, x[None])[0], X[0])
    nearby = jl.central_difference(lambda x: jl.input_jacobian(NET, x[None])[0], X[0])
    np.testing.assert_allclose(second, nearby, rtol=1e-6, atol=1e-9)


def test_modules_that_do_not_fit():
    with pytest.raises(ValueError, match="outer has 4 inputs and inner has 2 outputs"):
        jl.chain_jacobian(jl.Network.random((4, 1)), NET, X)


@pytest.mark.parametrize("labels", [[0.0, 1.0], [[0, 1]], ["a"], 1])
def test_labels_must_be_whole_numbers_in_one_dimension(labels):
    with pytest.raises(ValueError, match="labels must be whole numbers of shape"):
        jl.one_hot(labels, 3)


@pytest.mark.parametrize("n_classes", [0, -1, 2.5, "3", None])
def test_the_number_of_classes_must_be_positive_and_whole(n_classes):
    with pytest.raises(ValueError, match="^n_classes must be a positive whole number"):
        jl.one_hot([0], n_classes)
    assert jl.one_hot([0], np.int64(1)).tolist() == [[1.0]]


@pytest.mark.parametrize("wrong", [3, -1])
def test_labels_must_be_classes(wrong):
    with pytest.raises(
        ValueError, match=rf"labels\[1\] is {wrong}, but 3 classes .* 0 to 2"
    ):
        jl.one_hot([0, wrong], 3)


def test_lists_whole_numbers_and_other_precisions_become_float64():
    for given in (X.tolist(), X.astype(np.float16), X.astype(np.longdouble)):
        assert jl.forward(NET, given).y.dtype == np.float64
    whole = np.ones((2, 3), int)
    np.testing.assert_array_equal(NET(whole), NET(whole.astype(float)))
    np.testing.assert_array_equal(NET(whole.astype(bool)), NET(whole.astype(float)))
    assert jl.error(NET, whole, np.ones((2, 2), int)) == jl.error(
        NET, np.ones((2, 3)), np.ones((2, 2))
    )


# Followed, a hint works


def followed(call, arrays):
    """Call, and follow the hint of the error: replace X or T as it says, call again."""
    with pytest.raises((ValueError, TypeError)) as caught:
        call(**arrays)
    hint = re.search(r"use ([^;]+?)(?: if it nearly is)?$", str(caught.value))[1]
    names = {name.lower(): A for name, A in arrays.items()} | arrays
    names |= {"labels": arrays.get("T"), "C": arrays.get("covariance")}
    fixed = eval(hint, {"np": np, "one_hot": jl.one_hot}, names)
    name = re.match(r"(?:row )?(\w+)", str(caught.value))[1]
    return call(**arrays | {name: fixed})


COLUMN = jl.Network.random((1, 3, 1))
LABELS = np.array([0, 2, 1, 1, 2])
CLASSES = jl.Network.random((3, 4, 3), output="softmax")
HINTS = {
    "inputs of one column": (COLUMN, {"X": np.ones(5), "T": np.ones((5, 1))}),
    "targets of one column": (COLUMN, {"X": np.ones((5, 1)), "T": np.ones(5)}),
    "one number": (COLUMN, {"X": np.ones(1), "T": np.ones((1, 1))}),
    "one pattern": (NET, {"X": X[0], "T": T[:1]}),
    "targets of one pattern": (NET, {"X": X[:1], "T": T[0]}),
    "a distribution": (CLASSES, {"X": X[:1], "T": np.array([0.2, 0.5, 0.3])}),
    "one of a distribution's corners": (CLASSES, {"X": X[:1], "T": np.eye(3)[1]}),
    "labels": (CLASSES, {"X": X, "T": LABELS}),
    "labels in a column": (CLASSES, {"X": X, "T": LABELS[:, None]}),
    "labels from 1": (CLASSES, {"X": X, "T": LABELS + 1}),
    "sparse inputs": (NET, {"X": scipy.sparse.csr_matrix(X), "T": T}),
    "a sparse array": (NET, {"X": scipy.sparse.coo_array(X), "T": T}),
    "sparse targets": (
        CLASSES,
        {"X": X, "T": scipy.sparse.csr_array(np.eye(3)[LABELS])},
    ),
    "inputs in Dask": (NET, {"X": da.from_array(X), "T": T}),
}


@pytest.mark.parametrize(("net", "arrays"), HINTS.values(), ids=HINTS)
def test_a_hint_that_is_followed_works(net, arrays):
    def call(X, T):
        if type(X).__module__.startswith("dask"):
            inputs.check_vector("X", X, 3)  # sums over patterns do take such arrays
        return jl.error(net, X, T)

    assert np.isfinite(followed(call, arrays))


@pytest.mark.parametrize("covariance", [np.eye(3), np.stack([np.eye(3)] * 5)])
def test_the_hint_for_a_covariance_works(covariance):
    lopsided = covariance + 1e-6 * np.eye(3, k=1)
    call = lambda covariance: jl.propagate_covariance(NET, X, covariance)  # noqa: E731
    assert followed(call, {"covariance": lopsided}).shape == (5, 2, 2)


def test_labels_of_floats_are_told_what_to_do():
    with pytest.raises(ValueError, match=r"float64: use labels\.astype\(int\)$"):
        jl.one_hot(np.array([0.0, 1.0, 2.0]), 3)
    with pytest.raises(ValueError, match=r"dtype float64$"):
        jl.one_hot(np.array([0.5, 2.0]), 3)


def test_hints_that_would_not_work_are_not_given():
    for wrong in (np.ones(7), np.ones((5, 2, 1))):
        with pytest.raises(ValueError, match="got shape") as caught:
            jl.error(NET, wrong, T)
        assert "use" not in str(caught.value)
    with pytest.raises(ValueError, match="from 0 to 2, and these go from 0 to 7"):
        jl.error(CLASSES, X, np.array([0, 1, 7, 0, 1]))


def test_many_classes_take_no_square():
    T = jl.one_hot([299_999, 0, 5], 300_000)
    assert T.shape == (3, 300_000)
    np.testing.assert_array_equal(T.sum(axis=1), 1)
    assert T[0, 299_999] == T[1, 0] == T[2, 5] == 1


# What an array means beside its numbers


def masked(A):
    return np.ma.masked_array(A, mask=np.arange(A.size).reshape(A.shape) == 1)


MASKED = {
    **{f"{name} of X": lambda f=f: f(NET, masked(X)) for name, f in OF_X.items()},
    **{f"{name} of T": lambda f=f: f(NET, X, masked(T)) for name, f in OF_T.items()},
    "rows of X": lambda: NET([masked(x) for x in X]),
    "w": lambda: jl.Network(NET.sizes, masked(NET.w)),
    "with_parameters": lambda: NET.with_parameters(masked(NET.w)),
    "v": lambda: jl.hessian_vector_product(NET, X, T, masked(np.ones(P))),
    "v of G": lambda: jl.gauss_newton_vector_product(NET, X, masked(np.ones(P))),
    "operator": lambda: jl.HessianOperator(NET, X, T) @ masked(np.ones(P)),
    "operator and block": lambda: (
        jl.GaussNewtonOperator(NET, X) @ masked(np.ones((P, 2)))
    ),
    "dX": lambda: jl.propagate_error(NET, X, masked(X)),
    "covariance": lambda: jl.propagate_covariance(NET, X, masked(np.eye(3))),
    "labels": lambda: jl.one_hot(masked(np.array([0, 1])), 2),
    "a chunk": lambda: jl.error(NET, da.from_array(masked(X)), T),
    "x of differences": lambda: jl.central_difference(np.sin, masked(np.ones(3))),
    "f of differences": lambda: jl.central_difference(masked, np.ones(3)),
    "f of complex steps": lambda: jl.complex_step(masked, np.ones(3)),
}


@pytest.mark.parametrize("call", MASKED.values(), ids=MASKED)
def test_a_mask_is_never_dropped(call):
    with pytest.raises(TypeError, match="mask"):
        call()


def test_masked_places_to_put_a_result_are_refused():
    with pytest.raises(ValueError, match="out has a mask"):
        jl.exact_hessian(NET, X, T, out=np.ma.zeros((P, P)))


# Precision


def test_complex_numbers_of_any_width_keep_their_imaginary_part():
    Z = X + 1e-3j
    for dtype in (np.clongdouble, ">c16", "<c16"):
        np.testing.assert_array_equal(NET(Z.astype(dtype)), NET(Z))
        gradient = jl.error_gradient(
            NET.with_parameters((NET.w + 1e-3j).astype(dtype)), X, T
        )
        assert np.abs(gradient.imag).max() > 1e-6


def test_the_byte_order_is_no_precision():
    single = jl.Network(NET.sizes, NET.w.astype(">f4"))
    assert single.w.dtype == np.float32
    assert single(X.astype(">f4")).dtype == np.float32
    assert single(X.astype(">f8")).dtype == np.float64
    assert single(X.astype(np.longdouble)).dtype == np.float64


def test_targets_keep_the_precision_of_the_network():
    T_ = T * (1 + 1e-10)  # which single precision does not see
    inputs = X.astype(np.float32)
    assert jl.error(NET, inputs, T_) != jl.error(NET, inputs, T)
