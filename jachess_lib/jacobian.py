"""The Jacobian of a network by backpropagation, one sweep for all outputs.

| symbol | code | shape |
| --- | --- | --- |
| J_nki = ∂y_nk/∂x_ni | `input_jacobian` | (N, K, D) |
| ∂y_k/∂a_j | `dy_da` | (N, K, M) |
| ∂y_nk/∂w, ∂a_nk/∂w | `parameter_jacobian` | (N, K, P) |

J_ki has the unit of y_k over the unit of x_i; both are pure numbers unless X has units.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.5; PRML (2006), §5.3.4.
"""

import numpy as np

from jachess_lib._floats import underflows
from jachess_lib._inputs import apart, check_choice, check_inputs, result_array
from jachess_lib._kernels import IN_CACHE, contract, pattern_chunks, twin
from jachess_lib.network import forward, slope

__all__ = ["input_jacobian", "parameter_jacobian"]


@underflows
def input_jacobian(net, X, *, out=None):
    """Return J[n, k, i] = ∂y_k/∂x_i at pattern n, of shape (N, K, D).

    One forward pass, then one sweep from whichever end has fewer units, O(N P) for
    each unit there. J holds at its own x only: evaluate it again for each input.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    out : array, shape (N, K, D), optional
        Where to put the result.

    Raises
    ------
    ValueError
        If X or `out` does not fit.
    MemoryError
        If the result cannot fit in memory.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1, 1), [0.0, 2.0, 0.5, 3.0])  # y = 0.5 + 3 tanh(2 x)
    >>> input_jacobian(net, [[0.0]])                    # 3 · h'(0) · 2
    array([[[6.]]])
    """
    (X,) = apart(out, check_inputs(net, X, complex_allowed=True))
    shape = (len(X), net.sizes[-1], net.sizes[0])
    J = result_array(
        out, shape, np.result_type(X, net.w), instead="take fewer patterns at a time"
    )
    if shape[1] <= shape[2]:
        twin(from_outputs, net, X, J)(net, X, J)
    else:
        from_inputs(net, X, J)
    return J


def from_outputs(net, X, J):
    """Fill J by backpropagation, a few patterns at a time."""
    for n in pattern_chunks(len(X), net.sizes[-1] * sum(net.sizes), limit=IN_CACHE):
        trace = forward(net, X[n])
        # eq-jacobian-start: ∂y_k/∂a_l, given by the output unit
        dy_da = net.output.dy_da(trace.a[-1])
        for l in range(net.depth - 1, 0, -1):
            dy_da = back_through_layer(net, trace, l, dy_da)
        # eq-jacobian-end: J_ki = Σ_j w_ji ∂y_k/∂a_j
        contract(dy_da, net.W[0][:, 1:], out=J[n])


def back_through_layer(net, trace, l, dy_da):
    """Return ∂y_k/∂a_j of layer l − 1, of shape (N, K, M), from that of layer l."""
    # eq-jacobian-step: ∂y_k/∂a_j = h'(a_j) Σ_l w_lj ∂y_k/∂a_l
    return contract(dy_da, net.W[l][:, 1:]) * slope(net, trace, l - 1)[:, None, :]


def from_inputs(net, X, J):
    """Fill J by the same products from the other end: cheaper where K > D."""
    for n in pattern_chunks(len(X), net.sizes[0] * sum(net.sizes), limit=IN_CACHE):
        trace = forward(net, X[n])
        # da_dx[n, i, j] = ∂a_j/∂x_i, at first w_ji for every pattern
        V = net.W[0][:, 1:].T
        da_dx = np.broadcast_to(V, (len(X[n]), *V.shape))
        for l in range(1, net.depth):
            dz_dx = da_dx * slope(net, trace, l - 1)[:, None, :]
            da_dx = contract(dz_dx, net.W[l][:, 1:].T)
        J[n] = net.output.dy_da(trace.a[-1]) @ da_dx.swapaxes(1, 2)


@underflows
def parameter_jacobian(net, X, *, of="outputs", out=None):
    """Return ∂y_k/∂w (or ∂a_k/∂w) at each pattern, of shape (N, K, P).

    The same sweep; each weight adds one product, O(N K P) in time and memory.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    of : {"outputs", "activations"}
        Differentiate the outputs y, or the weighted sums a that go into them.
    out : array, shape (N, K, P), optional
        Where to put the result.

    Raises
    ------
    ValueError
        If X, `of` or `out` does not fit.
    MemoryError
        If the result cannot fit in memory.
    """
    (X,) = apart(out, check_inputs(net, X, complex_allowed=True))
    check_choice("of", of, ("outputs", "activations"))
    shape = (len(X), net.sizes[-1], net.n_parameters)
    dtype = np.result_type(X, net.w)
    in_sweep = sum(net.sizes) + 2 * net.sizes[-1] * max(net.sizes[1:])
    J = result_array(
        out,
        shape,
        dtype,
        instead="take fewer patterns at a time",
        temporaries=len(X) * in_sweep * dtype.itemsize,
    )
    twin(of_parameters, net, X, J)(net, X, of, J)
    return J


def of_parameters(net, X, of, J):
    """Fill J[n, k, p] = ∂y_k/∂w_p, or ∂a_k/∂w_p."""
    trace = forward(net, X)
    dy_da = net.output.dy_da(trace.a[-1])
    if of == "activations":
        dy_da[...] = np.eye(dy_da.shape[1])
    for l in range(net.depth - 1, -1, -1):
        J_l = J[:, :, net.slices[l]].reshape(*J.shape[:2], *net.W[l].shape)
        # eq-jacobian-parameters: ∂y_k/∂w_ji = ∂y_k/∂a_j z_i
        np.multiply(dy_da[:, :, :, None], trace.z[l][:, None, None, :], out=J_l)
        if l > 0:
            dy_da = back_through_layer(net, trace, l, dy_da)
