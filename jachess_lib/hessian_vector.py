"""The Hessian times a vector, without the Hessian.

| symbol | code | shape |
| --- | --- | --- |
| v, and its layers v_ji | `v`, `V[l][j, i]` | (P,), (M_out, 1 + M_in) |
| R{·} = vᵀ∂/∂w, the change along v | `R_a`, `R_z`, `R_delta` | as the plain quantity |
| Hv | `hessian_vector_product` | (P,) |
| Σ JᵀMJv | `gauss_newton_vector_product` | (P,) |
| Σ_i′ v_i′ ∂²y_k/∂x_i∂x_i′ | `input_hessian_vector_product` | (N, K, D) |
| Σ_i ∂²y_k/∂x_i² | `input_laplacian` | (N, K) |

Each R line is the plain line of the forward or backward pass, differentiated by the
product rule. One product costs less than three gradients, O(N P), whatever P is.
Hv has the unit of E times that of v; a second derivative in the inputs has that of y
over that of x squared.

Source: Pearlmutter, *Neural Computation* 6 (1994); Bishop & Bishop, *Deep Learning*
(2024), §8.1.6; PRML (2006), §5.4.6; Schraudolph (2002) for the Gauss–Newton product.
"""

import numpy as np

from jachess_lib._engine import SymmetricOperator, lesson
from jachess_lib.backpropagation import error_signals
from jachess_lib.network import forward, with_constant_unit

__all__ = [
    "GaussNewtonOperator",
    "HessianOperator",
    "gauss_newton_vector_product",
    "hessian_vector_product",
    "input_hessian_vector_product",
    "input_laplacian",
]


@lesson(out=True, weights=True)
def hessian_vector_product(net, X, T, v):
    """Return Hv, of shape (P,), without forming H.

    Less than the cost of three gradients, and exact: nothing is differenced. For many
    vectors at one w, a `HessianOperator` does the work that v does not change once.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    v : array, shape (P,)
        Direction in parameter space, ordered as `net.w`.
    out : array, shape (P,), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, T, `v` or `out` does not fit.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1), [0.0, 1.0])               # H = z zᵀ with z = (1, 2)
    >>> hessian_vector_product(net, [[2.0]], [[5.0]], [1.0, 1.0])
    array([3., 6.])
    """
    trace = forward(net, X)
    delta = error_signals(net, trace, T)
    V, R_a, R_z = changes_forward(net, trace, v)
    # eq-hessian-vector-start: R{δ_k} = Σ_l M_kl R{a_l}
    R_delta, parts = net.output.times(trace.a[-1], R_a[-1]), []
    for l in range(net.depth - 1, -1, -1):
        # eq-hessian-vector-product: (Hv)_ji = Σ_n (R{δ_j} z_i + δ_j R{z_i})
        parts.insert(0, (R_delta.T @ trace.z[l] + delta[l].T @ R_z[l]).ravel())
        if l > 0:
            unit, a, W = net.hidden[l - 1], trace.a[l - 1], net.W[l][:, 1:]
            R_sum = R_delta @ W + delta[l] @ V[l][:, 1:]
            # eq-hessian-vector-step: R{δ_j} = h' Σ (w R{δ} + v δ) + h'' R{a_j} Σ w δ
            R_delta = unit.dh(a) * R_sum + unit.d2h(a) * R_a[l - 1] * (delta[l] @ W)
    return np.concatenate(parts)


def changes_forward(net, trace, v):
    """Return v layer by layer, and R{a} and R{z} of each layer."""
    V = [v[s].reshape(W.shape) for s, W in zip(net.slices, net.W, strict=True)]
    R_a, R_z = [], [np.zeros_like(trace.z[0])]
    for l in range(net.depth):
        # eq-hessian-vector-sum: R{a_j} = Σ_i (w_ji R{z_i} + v_ji z_i)
        R_a.append(R_z[l] @ net.W[l].T + trace.z[l] @ V[l].T)
        if l < net.depth - 1:
            # eq-hessian-vector-unit: R{z_j} = h'(a_j) R{a_j}
            R_z.append(with_constant_unit(net.hidden[l].dh(trace.a[l]) * R_a[l], 0))
    return V, R_a, R_z


@lesson(out=True, weights=True)
def gauss_newton_vector_product(net, X, v):
    """Return Σ_n J_nᵀ M_n J_n v, of shape (P,), without forming the matrix.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.
    v : array, shape (P,)
        Direction in parameter space, ordered as `net.w`.
    out : array, shape (P,), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, `v` or `out` does not fit.
    """
    trace = forward(net, X)
    _, R_a, _ = changes_forward(net, trace, v)
    # Σ JᵀM(Jv): M Jv goes back through the layers as y − t would, and with it no δ
    delta, parts = net.output.times(trace.a[-1], R_a[-1]), []
    for l in range(net.depth - 1, -1, -1):
        parts.insert(0, (delta.T @ trace.z[l]).ravel())
        if l > 0:
            delta = net.hidden[l - 1].dh(trace.a[l - 1]) * (delta @ net.W[l][:, 1:])
    return np.concatenate(parts)


@lesson()
def input_hessian_vector_product(net, X, v):
    """Return Σ_i′ v_i′ ∂²y_k/∂x_i∂x_i′ at each pattern, of shape (N, K, D).

    One sweep forward for all outputs, O(N D P): the D slopes are carried along, and so
    is the change of each along v.

    Parameters
    ----------
    X, v : array, shape (N, D)
        Patterns, and a direction of the inputs for each, one a row; complex values are
        allowed in both.

    Raises
    ------
    ValueError
        If X or `v` does not fit.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((2, 1, 1), [0, 1, 2, 0, 3.0], hidden="exp")  # 3 exp(x_1 + 2 x_2)
    >>> input_hessian_vector_product(net, [[0.0, 0.0]], [[1.0, 0.0]])
    array([[[3., 6.]]])
    """
    trace, da = forward(net, X), slopes_at_inputs(net, X)
    R_a, R_da = v @ net.W[0][:, 1:].T, 0 * da
    for l in range(1, net.depth):
        unit, a, V = net.hidden[l - 1], trace.a[l - 1], net.W[l][:, 1:]
        # eq-hessian-vector-inputs: R{∂_i z_j} = h' R{∂_i a_j} + h'' R{a_j} ∂_i a_j
        R_dz = unit.dh(a) * R_da + unit.d2h(a) * R_a * da
        R_a, da, R_da = (unit.dh(a) * R_a) @ V.T, (unit.dh(a) * da) @ V.T, R_dz @ V.T
    R_dy = net.output.times(trace.a[-1], R_da) + net.output.bend(trace.a[-1], R_a, da)
    return R_dy.transpose(1, 2, 0)


@lesson()
def input_laplacian(net, X):
    """Return Σ_i ∂²y_k/∂x_i² at each pattern, of shape (N, K).

    One sweep forward for all outputs, O(N D P): the D slopes are carried along, and
    the sum of the second derivatives beside them.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row; complex values are allowed.

    Raises
    ------
    ValueError
        If X does not fit.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((2, 1, 1), [0, 1, 2, 0, 3.0], hidden="exp")  # 3 exp(x_1 + 2 x_2)
    >>> input_laplacian(net, [[0.0, 0.0]])                         # 3 (1 + 4)
    array([[15.]])
    """
    trace, da = forward(net, X), slopes_at_inputs(net, X)
    d2a = 0 * trace.a[0]
    for l in range(1, net.depth):
        unit, a, V = net.hidden[l - 1], trace.a[l - 1], net.W[l][:, 1:]
        # eq-hessian-vector-laplacian: Σ_i ∂_i²z_j = h' Σ_i ∂_i²a_j + h'' Σ_i (∂_i a_j)²
        d2z = unit.dh(a) * d2a + unit.d2h(a) * (da**2).sum(axis=0)
        da, d2a = (unit.dh(a) * da) @ V.T, d2z @ V.T
    bend = net.output.bend(trace.a[-1], da, da).sum(axis=0)
    return net.output.times(trace.a[-1], d2a) + bend


def slopes_at_inputs(net, X):
    """Return ∂_i a_j of the first layer, the same at every pattern: (D, N, M)."""
    return np.repeat(net.W[0][:, 1:].T[:, None, :], len(X), axis=1)


class HessianOperator(SymmetricOperator):
    """The exact Hessian as a `scipy.sparse.linalg.LinearOperator`, shape (P, P).

    Linearised once at the network's parameters: a product then takes six matrix
    products a layer. Works wherever SciPy takes an operator: `eigsh`, `cg`, `minres`.

    Parameters
    ----------
    net : Network
        Where to linearise.
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X or T does not fit.
    """

    _takes_targets = True

    def __init__(self, net, X, T, *, weights=None):
        super().__init__(net, X, T, weights)


class GaussNewtonOperator(SymmetricOperator):
    """Σ_n J_nᵀ M_n J_n as a `scipy.sparse.linalg.LinearOperator`, shape (P, P).

    Parameters
    ----------
    net : Network
        Where to linearise.
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X does not fit.
    """

    def __init__(self, net, X, *, weights=None):
        super().__init__(net, X, None, weights)
