"""The Hessian times a vector, without the Hessian.

| symbol | code | shape |
| --- | --- | --- |
| v, and its layers v_ji | `v`, `V[l][j, i]` | (P,), (M_out, 1 + M_in) |
| R{·} = vᵀ∂/∂w, the change along v | `R_a`, `R_z`, `R_delta` | as the plain quantity |
| Hv | `hessian_vector_product` | (P,) |
| Σ JᵀMJv | `gauss_newton_vector_product` | (P,) |

Each R line is the plain line of the forward or backward pass, differentiated by the
product rule. One product costs less than three gradients, O(N P), whatever P is.
Hv has the unit of E times that of v.

Source: Pearlmutter, *Neural Computation* 6 (1994); Bishop & Bishop, *Deep Learning*
(2024), §8.1.6; PRML (2006), §5.4.6; Schraudolph (2002) for the Gauss–Newton product.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator

from jachess_lib._floats import underflows
from jachess_lib._inputs import (
    check_direction,
    check_inputs,
    check_operand,
    check_plain,
    check_targets,
)
from jachess_lib._kernels import sum_over_patterns, twin
from jachess_lib._shards import keep_shards, sum_over_kept, sum_over_shards
from jachess_lib.backpropagation import error_signals
from jachess_lib.network import bend, forward, slope_of_each_layer

__all__ = [
    "GaussNewtonOperator",
    "HessianOperator",
    "gauss_newton_vector_product",
    "hessian_vector_product",
]

# Columns of a matrix that are multiplied at once: more would leave the cache.
_COLUMNS = 16


class Linearisation(NamedTuple):
    """What a product needs and v does not change: computed once at w.

    `bend[l]` is h″(a_j) Σ_k w_kj δ_k of hidden layer l. Without targets `delta` and
    `bend` are None, and the products are those of the outer-product matrix.
    """

    net: object
    z: list
    slope: list
    M: np.ndarray
    delta: list | None
    bend: list | None

    @property
    def dtype(self):
        """The precision of the products."""
        return np.result_type(self.M, self.net.w)


@keep_shards
def linearise(net, X, T=None):
    """Return the Linearisation of the error at the network's parameters."""
    X = check_inputs(net, X)
    T = None if T is None else check_targets(net, X, T)
    arrays = (X,) if T is None else (X, T)
    return twin(linearised, net, *arrays)(net, X, T)


def linearised(net, X, T):
    """Return the Linearisation for arrays that are known to fit."""
    trace = forward(net, X)
    slopes = slope_of_each_layer(net, trace)
    M = net.output.dy_da(trace.a[-1])
    if T is None:
        return Linearisation(net, trace.z, slopes, M, None, None)
    delta = error_signals(net, trace, T)
    bends = [bend(net, trace, l, delta) for l in range(net.depth - 1)]
    return Linearisation(net, trace.z, slopes, M, delta, bends)


@sum_over_kept
def product(at, v):
    """Return Hv (or Σ JᵀMJv) for v of shape (…, P), from a Linearisation."""
    if not isinstance(at, Linearisation):
        return at.times(v)  # the compiled twin
    net, z, last = at.net, at.z, at.net.depth - 1
    W = [W[:, 1:] for W in net.W]
    V = [
        v[..., s].reshape(*v.shape[:-1], *w.shape)
        for s, w in zip(net.slices, net.W, strict=True)
    ]
    R_a, R_z = [], [None]
    for l in range(net.depth):
        # eq-hessian-vector-sum: R{a_j} = Σ_i (w_ji R{z_i} + v_ji z_i)
        R_a.append(z[l] @ _transposed(V[l]) + (R_z[l] @ W[l].T if l else 0))
        if l < last:
            # eq-hessian-vector-unit: R{z_j} = h'(a_j) R{a_j}
            R_z.append(at.slope[l] * R_a[l])
    # eq-hessian-vector-start: R{δ_k} = Σ_l M_kl R{a_l}
    R_delta = np.einsum("nkl,...nl->...nk", at.M, R_a[last])
    Hv = np.empty(v.shape, np.result_type(v, R_delta))
    for l in range(last, -1, -1):
        # eq-hessian-vector-product: (Hv)_ji = Σ_n (R{δ_j} z_i + δ_j R{z_i})
        block = sum_over_patterns(R_delta, z[l])
        if at.delta is not None and l > 0:
            block[..., 1:] += sum_over_patterns(at.delta[l], R_z[l])
        Hv[..., net.slices[l]] = block.reshape(*v.shape[:-1], -1)
        if l > 0:
            R_delta = signals_below(at, l, R_a[l - 1], R_delta, V[l], W[l])
    return Hv


def signals_below(at, l, R_a, R_delta, V, W):
    """Return R{δ_j} of the layer below weight layer l."""
    R_sum = R_delta @ W
    if at.delta is None:
        return at.slope[l - 1] * R_sum
    R_sum += at.delta[l] @ V[..., 1:]
    # eq-hessian-vector-step: R{δ_j} = h' Σ (w R{δ} + v δ) + h'' R{a_j} Σ w δ, over k
    return at.slope[l - 1] * R_sum + at.bend[l - 1] * R_a


def _transposed(A):
    """Exchange the last two axes."""
    return A.swapaxes(-1, -2)


@sum_over_shards
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

    Raises
    ------
    ValueError
        If X, T or `v` does not fit.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1), [0.0, 1.0])               # H = z zᵀ with z = (1, 2)
    >>> hessian_vector_product(net, [[2.0]], [[5.0]], [1.0, 1.0])
    array([3., 6.])
    """
    X = check_inputs(net, X)
    T = check_targets(net, X, T)
    v = check_direction(net, v)
    return twin(linearised_product, net, X, T, v)(net, X, T, v)


@sum_over_shards
def gauss_newton_vector_product(net, X, v):
    """Return Σ_n J_nᵀ M_n J_n v, of shape (P,), without forming the matrix.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.
    v : array, shape (P,)
        Direction in parameter space, ordered as `net.w`.

    Raises
    ------
    ValueError
        If X or `v` does not fit.
    """
    X = check_inputs(net, X)
    v = check_direction(net, v)
    return twin(linearised_product, net, X, v)(net, X, None, v)


def linearised_product(net, X, T, v):
    """Return the product with one vector, for arrays that are known to fit."""
    return product(linearised(net, X, T), v)


class _SymmetricOperator(LinearOperator):
    """A symmetric (P, P) matrix known by its products; linearised once."""

    def __init__(self, at):
        self._at = at
        P = at.net.n_parameters
        super().__init__(at.dtype, (P, P))

    @underflows
    def _matvec(self, v):
        return product(self._at, np.ravel(check_operand(v, self.dtype)))

    @underflows
    def _matmat(self, V):
        V = check_operand(V, self.dtype)
        blocks = [
            product(self._at, V.T[c : c + _COLUMNS])
            for c in range(0, V.shape[1], _COLUMNS)
        ]
        return np.concatenate([np.empty((0, self.shape[0]), V.dtype), *blocks]).T

    def dot(self, x):
        """Return the product with a vector, a matrix or another operator."""
        check_plain("x", x)  # SciPy drops a mask without a word
        return super().dot(x)

    def _adjoint(self):
        return self

    def __array_function__(self, function, types, args, kwargs):
        # `np.dot` alone, with which SciPy's trust-region methods multiply what `hess`
        # returns: NumPy would make an array of one object of an operator
        if function is np.dot and not kwargs and args[0] is self:
            return self @ args[1]
        return NotImplemented


class HessianOperator(_SymmetricOperator):
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

    Raises
    ------
    ValueError
        If X or T does not fit.
    """

    def __init__(self, net, X, T):
        super().__init__(linearise(net, X, T))


class GaussNewtonOperator(_SymmetricOperator):
    """Σ_n J_nᵀ M_n J_n as a `scipy.sparse.linalg.LinearOperator`, shape (P, P).

    Parameters
    ----------
    net : Network
        Where to linearise.
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.

    Raises
    ------
    ValueError
        If X does not fit.
    """

    def __init__(self, net, X):
        super().__init__(linearise(net, X))
