"""Jacobians a few patterns at a time, from whichever end has fewer units."""

import numpy as np

from jachess_lib._engine.connection import Task
from jachess_lib._engine.inputs import check_choice, check_inputs
from jachess_lib._engine.kernels import IN_CACHE, contract, pattern_chunks
from jachess_lib._engine.network import passed, pull
from jachess_lib.output_units import OUTPUT_UNITS

_FEWER = "take fewer patterns at a time"


def _check(net, X):
    return {"net": net, "X": check_inputs(net, X, complex_allowed=True)}


def _check_of(net, X, of):
    check_choice("of", of, ("outputs", "activations"))
    return {**_check(net, X), "of": of}


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


def _of_inputs(net, X):
    return (len(X), net.sizes[-1], net.sizes[0]), 0, _FEWER


def _of_parameters(net, X, of):
    in_sweep = sum(net.sizes) + 2 * net.sizes[-1] * max(net.sizes[1:])
    itemsize = np.result_type(X, net.w).itemsize
    shape = len(X), net.sizes[-1], net.n_parameters
    return shape, len(X) * in_sweep * itemsize, _FEWER


input_jacobian = Task(_check, _input_jacobian, result=_of_inputs)
parameter_jacobian = Task(_check_of, _parameter_jacobian, result=_of_parameters)
