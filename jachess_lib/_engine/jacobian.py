"""Jacobians a few patterns at a time, from whichever end has fewer units."""

import numpy as np

from jachess_lib._engine.connection import Task, of_parameters, weighted
from jachess_lib._engine.inputs import (
    check_choice,
    check_direction,
    check_inputs,
    check_multipliers,
)
from jachess_lib._engine.kernels import (
    IN_CACHE,
    contract,
    pattern_chunks,
    sum_over_patterns,
)
from jachess_lib._engine.network import passed, pull
from jachess_lib.output_units import OUTPUT_UNITS

_FEWER = "take fewer patterns at a time"
_WRT = ("parameters", "inputs")


def _check(net, X):
    return {"net": net, "X": check_inputs(net, X, complex_allowed=True)}


def _check_of(net, X, of):
    check_choice("of", of, ("outputs", "activations"))
    return {**_check(net, X), "of": of}


def _check_direction(net, X, v, wrt):
    check_choice("wrt", wrt, _WRT)
    given = _check(net, X)
    fitting = {"parameters": net.w.shape, "inputs": given["X"].shape}
    other = next(name for name in _WRT if name != wrt)
    if getattr(v, "shape", None) == fitting[other] != fitting[wrt]:
        raise ValueError(
            f"v has the shape {fitting[other]} of the {other}, but wrt is {wrt!r}, "
            f"which needs the shape {fitting[wrt]}: did you mean wrt={other!r}?"
        )
    if wrt == "inputs":
        v = check_inputs(net, v, name="v", rows=len(given["X"]), complex_allowed=True)
    else:
        v = check_direction(net, v, complex_allowed=True)
    return {**given, "v": v, "wrt": wrt}


def _check_multipliers(net, X, u, wrt):
    check_choice("wrt", wrt, _WRT)
    given = _check(net, X)
    return {**given, "u": check_multipliers(net, given["X"], u), "wrt": wrt}


def _input_jacobian(net, X, out):
    fill = _from_outputs if net.sizes[-1] <= net.sizes[0] else _from_inputs
    fewer = min(net.sizes[-1], net.sizes[0])
    for n in pattern_chunks(len(X), fewer * sum(net.sizes), limit=IN_CACHE):
        fill(net, passed(net, X[n]), out[n])
    return out


def _from_outputs(net, trace, J):
    if net.depth == 1:
        J[...] = pull(net.output, trace.a[-1], net.W[0][:, 1:])
        return
    dy_da = last_layer(net, trace, net.output)
    for l in range(net.depth - 2, 0, -1):
        dy_da = back_through_layer(net, trace, l, dy_da)
    contract(dy_da, net.W[0][:, 1:], out=J)


def last_layer(net, trace, unit):
    """Return ∂y_k/∂a_j of the layer below the outputs, of shape (N, K, M)."""
    l = net.depth - 1
    slope = net.hidden[l - 1].dh(trace.a[l - 1])
    dy_da = pull(unit, trace.a[-1], net.W[l][:, 1:])
    dy_da *= slope[:, None, :]
    return dy_da


def back_through_layer(net, trace, l, dy_da):
    """Return ∂y_k/∂a_j of layer l − 1, of shape (N, K, M), from that of layer l."""
    slope = net.hidden[l - 1].dh(trace.a[l - 1])
    dy_da = contract(dy_da, net.W[l][:, 1:])
    dy_da *= slope[:, None, :]
    return dy_da


def _from_inputs(net, trace, J):
    """Fill J by the same products from the other end: cheaper where K > D."""
    # da_dx[n, i, j] = ∂a_j/∂x_i, at first w_ji for every pattern
    V = net.W[0][:, 1:].T
    da_dx = np.broadcast_to(V, (len(J), *V.shape))
    for l in range(1, net.depth):
        dz_dx = da_dx * net.hidden[l - 1].dh(trace.a[l - 1])[:, None, :]
        da_dx = contract(dz_dx, net.W[l][:, 1:].T)
    J[...] = net.output.times(trace.a[-1], da_dx.swapaxes(0, 1)).transpose(1, 2, 0)


def _parameter_jacobian(net, X, of, out):
    trace, J = passed(net, X), out
    unit = net.output if of == "outputs" else OUTPUT_UNITS["linear"]
    dy_da = None
    for l in range(net.depth - 1, -1, -1):
        J_l = J[:, :, net.slices[l]].reshape(*J.shape[:2], *net.W[l].shape)
        z = trace.z[l][:, None, None, :]
        if dy_da is None:
            np.multiply(unit.dy_da(trace.a[-1])[:, :, :, None], z, out=J_l)
            dy_da = last_layer(net, trace, unit) if l > 0 else None
        else:
            np.multiply(dy_da[:, :, :, None], z, out=J_l)
            dy_da = back_through_layer(net, trace, l, dy_da) if l > 0 else None
    return J


def _jacobian_vector_product(net, X, v, wrt):
    trace, da, dz = passed(net, X), 0, None
    for l in range(net.depth):
        W = net.W[l]
        if wrt == "inputs":
            da = (v if l == 0 else dz) @ W[:, 1:].T
        else:
            da = trace.z[l] @ v[net.slices[l]].reshape(W.shape).T
            if l > 0:
                da = da + dz @ W[:, 1:].T
        if l < net.depth - 1:
            dz = net.hidden[l].dh(trace.a[l]) * da
    return net.output.times(trace.a[-1], da)


def _vector_jacobian_product(net, X, u, wrt, weights=None):
    net = weighted(net, weights)
    trace, parts = passed(net, X), []
    du = net.output.times(trace.a[-1], u)
    for l in range(net.depth - 1, -1, -1):
        if wrt == "parameters":
            parts.insert(0, sum_over_patterns(du, trace.z[l]).ravel())
            if l == 0:
                return np.concatenate(parts)
        du = du @ net.W[l][:, 1:]
        if l > 0:
            du = du * net.hidden[l - 1].dh(trace.a[l - 1])
    return du


def _of_inputs(net, X):
    return (len(X), net.sizes[-1], net.sizes[0]), 0, _FEWER


def _of_parameters(net, X, of):
    in_sweep = sum(net.sizes) + 2 * net.sizes[-1] * max(net.sizes[1:])
    itemsize = np.result_type(X, net.w).itemsize
    shape = len(X), net.sizes[-1], net.n_parameters
    return shape, len(X) * in_sweep * itemsize, _FEWER


def _of_parameters_or_inputs(net, X, u, wrt):
    return (X.shape, 0, _FEWER) if wrt == "inputs" else of_parameters(net)


input_jacobian = Task(_check, _input_jacobian, result=_of_inputs)
parameter_jacobian = Task(_check_of, _parameter_jacobian, result=_of_parameters)
jacobian_vector_product = Task(_check_direction, _jacobian_vector_product)
vector_jacobian_product = Task(
    _check_multipliers,
    _vector_jacobian_product,
    result=_of_parameters_or_inputs,
    fills=False,
    is_sum=lambda given: given["wrt"] != "inputs",
)
