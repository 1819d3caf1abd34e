"""What the library says of the numbers that a figure shows: CHECKS[name](state)."""

from itertools import pairwise

import numpy as np

import jachess_lib as jl
from book._tools.figures import landing
from jachess_lib.backpropagation import error_signals

close = {"rtol": 1e-11, "atol": 1e-13}


def two_wires(found):
    """Hold an entry of the landing network's Hessian, and its terms, against ours."""
    net, X, T = landing()
    H, trace = jl.exact_hessian(net, X, T), jl.forward(net, X)
    value = H[found["row"], found["column"]]
    assert np.isclose(found["value"], value, **close)
    products = [term["product"] for term in found["terms"]]
    assert np.isclose(sum(products), value, **close)
    deltas = np.concatenate(error_signals(net, trace, T), axis=1)
    sends = np.concatenate(trace.z, axis=1)
    for n, term in enumerate(found["terms"]):
        rest = term["zi"] * term["B"] + term["delta"] * term["G"]
        assert np.isclose(term["zp"] * rest, term["product"], **close)
        assert np.isclose(deltas[n], term["delta"], **close).any()
        for send in ("zi", "zp"):
            assert np.isclose(sends[n], term[send], **close).any()


def softmax_triangle(found):
    """Hold the softmax's M and its ellipse against ours."""
    y = np.array(found["y"])
    assert np.isclose(y.sum(), 1, **close)
    M = jl.OUTPUT_UNITS["softmax"].dy_da(np.log(y)[None])[0]
    shown_M = np.array(found["M"]).T  # column by column
    assert np.allclose(shown_M, np.diag(M.diagonal()) if found["diagonalOnly"] else M)
    corners = np.array([[-0.5, -(3**0.5) / 6], [0.5, -(3**0.5) / 6], [0, 3**-0.5]])
    axes = np.sqrt(np.linalg.eigvalsh(corners.T @ M @ corners))
    ellipse = found["ellipse"]
    assert np.allclose([ellipse["short"], ellipse["long"]], axes, atol=1e-9)


def backward_wave(found):
    """Hold the numbers on the way to the Jacobian against ours."""
    net, x = landing()[0], np.array([found["x"]])
    J, trace = jl.input_jacobian(net, x)[0], jl.forward(net, x)
    assert np.allclose(found["wave"][0], J, **close)
    slopes = net.hidden[0].dh(trace.a[0])[0]
    assert np.allclose(found["slopes"], slopes, **close)
    carried = np.array(found["wave"][1])
    assert np.allclose(carried, net.W[1][:, 1:] * slopes, **close)


def the_v(found):
    """Hold the three estimates of a slope against ours."""

    def cube(x):
        return x * x * x

    e, rounding = found["step"], 8 * np.finfo(float).eps / found["step"]
    forward, central = (cube(2 + e) - 8) / e, (cube(2 + e) - cube(2 - e)) / (2 * e)
    assert found["estimates"][:2] == [forward, central]
    assert np.isclose(found["estimates"][2], ((2 + 1j * e) ** 3).imag / e, rtol=1e-15)
    if e > 1e-14:
        ways = (jl.forward_difference, jl.central_difference)
        for estimate, way in zip(found["estimates"], ways, strict=False):
            # the library divides by the step as it was rounded
            assert abs(way(cube, 2.0, e) - estimate) < 16 * rounding
    laws = np.array([6 * e + e * e, e * e, e * e])
    assert (np.abs(found["errors"]) <= laws * 1.001 + 4 * rounding).all()


def valley(found):
    """Hold the Hessian of two weights, and the steps, against ours."""
    w_1, w_2 = found["w"]
    net = jl.Network((1, 1, 1), [0, w_1, 0, w_2], hidden="identity")
    data, two = ([[1.0]], [[5.0]]), np.ix_([1, 3], [1, 3])
    H = jl.exact_hessian(net, *data)[two]
    G = jl.outer_product_hessian(net, data[0])[two]
    g = jl.error_gradient(net, *data)[[1, 3]]
    assert np.allclose(found["H"], H, **close)
    assert np.allclose(found["G"], G, **close)
    assert np.allclose(found["values"], np.linalg.eigvalsh(H), **close)
    damped = -np.linalg.solve(G + found["lambda"] * np.eye(2), g)
    steps = {"damped": damped, "gradient": -found["eta"] * g}
    if abs(np.linalg.det(H)) > 1e-6:
        steps["newton"] = -np.linalg.solve(H, g)
    for name, step in steps.items():
        assert np.allclose(found["steps"][name], step, rtol=1e-9, atol=1e-12)
        to = net.with_parameters(net.w + np.array([0, step[0], 0, step[1]]))
        after = found["after"][name]
        assert np.isclose(after["E"], jl.error(to, *data), rtol=1e-8, atol=1e-12)
        assert after["uphill"] == (g @ step > 0)


def push(found):
    """Hold a product with the Hessian, and the quotient, against ours."""
    net = jl.Network((1, 1, 1), [0, 1, 0, 2], hidden="identity")
    data, r = ([[1.0]], [[1.0]]), found["r"]
    v = np.array([0, found["v"][0], 0, found["v"][1]])
    Hv = jl.hessian_vector_product(net, *data, v)[[1, 3]]
    assert np.allclose(found["Hv"], Hv, **close)
    moved = net.with_parameters(net.w + r * v)
    change = jl.error_gradient(moved, *data) - jl.error_gradient(net, *data)
    assert np.allclose(found["quotient"], change[[1, 3]] / r, atol=1e-15 / r)
    R_y = jl.jacobian_vector_product(net, data[0], v).item()
    assert np.isclose(found["R"]["y"], R_y, **close)
    assert np.isclose(found["R"]["delta"][1], R_y, **close)


def two_rates(found):
    """Hold a walk of gradient steps, and its two directions, against ours."""
    X, T = [[2.0, 1.0], [1.0, 0.0], [0.0, 1.0]], [[0.0]] * 3
    net = jl.Network((2, 1), [0, *found["w"]])
    values, vectors = np.linalg.eigh(jl.exact_hessian(net, X, T)[1:, 1:])
    assert np.allclose(found["values"], values, **close)
    assert np.allclose(found["factors"], 1 - found["eta"] * values, **close)
    way = np.array(found["way"])
    for here, there in pairwise(way):
        step = jl.error_gradient(net.with_parameters([0, *here]), X, T)[1:]
        assert np.allclose(there, here - found["eta"] * step, **close)
    assert np.allclose(found["along"], abs(way @ vectors).T, rtol=1e-9, atol=1e-12)


CHECKS = {
    "two-wires": two_wires,
    "softmax-triangle": softmax_triangle,
    "backward-wave": backward_wave,
    "the-v": the_v,
    "valley": valley,
    "push": push,
    "two-rates": two_rates,
}
