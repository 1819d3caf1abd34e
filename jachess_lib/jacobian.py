"""The Jacobian of a network by backpropagation, one sweep for all outputs.

| symbol | code | shape |
| --- | --- | --- |
| J_nki = ∂y_nk/∂x_ni | `input_jacobian` | (N, K, D) |
| ∂y_k/∂a_j | `dy_da` | (N, K, M) |
| ∂y_nk/∂w, ∂a_nk/∂w | `parameter_jacobian` | (N, K, P) |
| Jv, the change of y along v | `jacobian_vector_product` | (N, K) |
| Jᵀu, without J | `vector_jacobian_product` | (P,), (N, D) |

J_ki has the unit of y_k over the unit of x_i; both are pure numbers unless X has units.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.5; PRML (2006), §5.3.4.
"""

import numpy as np

from jachess_lib._engine import lesson
from jachess_lib.network import forward, with_constant_unit
from jachess_lib.output_units import OUTPUT_UNITS

__all__ = [
    "input_jacobian",
    "jacobian_vector_product",
    "parameter_jacobian",
    "vector_jacobian_product",
]


@lesson(out=True)
def input_jacobian(net, X):
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
    trace = forward(net, X)
    # eq-jacobian-start: ∂y_k/∂a_l, given by the output unit
    dy_da = net.output.dy_da(trace.a[-1])
    for l in range(net.depth - 1, 0, -1):
        dy_da = back_through_layer(net, trace, l, dy_da)
    # eq-jacobian-end: J_ki = Σ_j w_ji ∂y_k/∂a_j
    return dy_da @ net.W[0][:, 1:]


def back_through_layer(net, trace, l, dy_da):
    """Return ∂y_k/∂a_j of layer l − 1, of shape (N, K, M), from that of layer l."""
    slope = net.hidden[l - 1].dh(trace.a[l - 1])
    # eq-jacobian-step: ∂y_k/∂a_j = h'(a_j) Σ_l w_lj ∂y_k/∂a_l
    return (dy_da @ net.W[l][:, 1:]) * slope[:, None, :]


@lesson(out=True)
def parameter_jacobian(net, X, *, of="outputs"):
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
    trace, parts = forward(net, X), []
    # the derivative of a linear output unit is that of the sums themselves
    unit = net.output if of == "outputs" else OUTPUT_UNITS["linear"]
    dy_da = unit.dy_da(trace.a[-1])
    for l in range(net.depth - 1, -1, -1):
        # eq-jacobian-parameters: ∂y_k/∂w_ji = ∂y_k/∂a_j z_i
        part = np.einsum("nkj,ni->nkji", dy_da, trace.z[l])
        parts.insert(0, part.reshape(*part.shape[:2], net.W[l].size))
        if l > 0:
            dy_da = back_through_layer(net, trace, l, dy_da)
    return np.concatenate(parts, axis=2)


@lesson()
def jacobian_vector_product(net, X, v, *, wrt="parameters"):
    """Return Jv, the change of the outputs along v, of shape (N, K), without J.

    One pass forward (forward mode), O(N P). J is that of `parameter_jacobian` or of
    `input_jacobian`, as `wrt` says.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row; complex values are allowed, here and in v.
    v : array, shape (P,) or (N, D)
        Direction: of the parameters, ordered as `net.w`, or of each pattern's inputs.
    wrt : {"parameters", "inputs"}
        What the outputs are differentiated with respect to.

    Raises
    ------
    ValueError
        If X, `v` or `wrt` does not fit.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1, 1), [0.0, 2.0, 0.5, 3.0])  # y = 0.5 + 3 tanh(2 x)
    >>> jacobian_vector_product(net, [[0.0]], [[10.0]], wrt="inputs")  # 3 · 2 · 10
    array([[60.]])
    """
    trace = forward(net, X)
    # either z changes at the inputs or w in every layer, and the other does not
    dz = with_constant_unit(v if wrt == "inputs" else 0 * X, 0)
    dw = v if wrt == "parameters" else 0 * net.w
    for l in range(net.depth):
        # Δa_j = Σ_i (w_ji Δz_i + Δw_ji z_i), by the product rule
        da = dz @ net.W[l].T + trace.z[l] @ dw[net.slices[l]].reshape(net.W[l].shape).T
        if l < net.depth - 1:
            # Δz_j = h'(a_j) Δa_j
            dz = with_constant_unit(net.hidden[l].dh(trace.a[l]) * da, 0)
    # Δy_k = Σ_l ∂y_k/∂a_l Δa_l
    return net.output.times(trace.a[-1], da)


@lesson(out=True, weights=True)
def vector_jacobian_product(net, X, u, *, wrt="parameters"):
    """Return Jᵀu, of shape (P,) summed over the patterns, or (N, D), without J.

    One pass back (reverse mode), as for the gradient: that is Jᵀu with u = ∂E/∂y.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row; complex values are allowed, here and in u. Dask arrays are
        summed chunk by chunk, and at once: the call computes.
    u : array, shape (N, K)
        What each output of each pattern is multiplied by.
    wrt : {"parameters", "inputs"}
        What the outputs are differentiated with respect to. Inputs are each pattern's
        own: there is no sum, and no Dask array is taken.
    out : array, shape (P,) or (N, D), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's u, of any sign.

    Raises
    ------
    ValueError
        If X, `u`, `wrt` or `out` does not fit.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1, 1), [0.0, 2.0, 0.5, 3.0])  # y = 0.5 + 3 tanh(2 x)
    >>> vector_jacobian_product(net, [[0.0]], [[10.0]])  # by b, w, b, w
    array([30.,  0., 10.,  0.])
    """
    trace, parts = forward(net, X), []
    # Σ_k u_k ∂y_k/∂a_l: ∂y/∂a is symmetric
    du = net.output.times(trace.a[-1], u)
    for l in range(net.depth - 1, -1, -1):
        # Σ_nk u_k ∂y_k/∂w_ji = Σ_n (Σ_k u_k ∂y_k/∂a_j) z_i
        parts.insert(0, (du.T @ trace.z[l]).ravel())
        # Σ_k u_k ∂y_k/∂z_i, and with the slope Σ_k u_k ∂y_k/∂a_i
        du = du @ net.W[l][:, 1:]
        if l > 0:
            du = net.hidden[l - 1].dh(trace.a[l - 1]) * du
    return du if wrt == "inputs" else np.concatenate(parts)
