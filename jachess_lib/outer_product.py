"""The outer-product (Gauss–Newton) approximation of the Hessian.

| symbol | code | shape |
| --- | --- | --- |
| Σ_n J_nᵀ M_n J_n | `outer_product_hessian` | (P, P) |
| its diagonal | `outer_product_diagonal` | (P,) |
| Σ_nk (y_nk − t_nk) ∇∇a_nk, what it drops | `residual_hessian` | (P, P) |
| J_n = ∂a_n/∂w at the outputs, M_n = ∂y_n/∂a_n | see below | (K, P), (K, K) |

Every term of the exact blocks with a δ in it is linear in y − t, and no other term is:
leaving out δ leaves Σ JᵀMJ. So the matrix costs the same whatever K is, and no array
of N·K rows is ever made. Values have the unit of E.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.6; PRML (2006), §5.4.2;
Schraudolph, *Neural Computation* 14 (2002), for the form with M.
"""

import numpy as np

from jachess_lib._floats import wide
from jachess_lib._inputs import apart, check_inputs
from jachess_lib._kernels import (
    IN_CACHE,
    pattern_chunks,
    sum_over_patterns,
    twin,
)
from jachess_lib._memory import require_memory
from jachess_lib._shards import sum_over_shards
from jachess_lib.hessian import exact_hessian, fill_square, square_result
from jachess_lib.jacobian import back_through_layer
from jachess_lib.network import forward

__all__ = ["outer_product_diagonal", "outer_product_hessian", "residual_hessian"]


@sum_over_shards
def outer_product_hessian(net, X, *, out=None):
    """Return Σ_n J_nᵀ M_n J_n, of shape (P, P), symmetric and never indefinite.

    It needs no targets: they enter H through y − t alone. O(N P²) in time.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.
    out : array, shape (P, P), optional
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
    >>> net = Network((1, 1), [0.0, 1.0], output="sigmoid")
    >>> outer_product_hessian(net, [[0.0]])  # y (1 − y) z zᵀ with y = ½, z = (1, 0)
    array([[0.25, 0.  ],
           [0.  , 0.  ]])
    """
    (X,) = apart(out, check_inputs(net, X))
    G = square_result(
        net, X, out, instead="use outer_product_diagonal or a GaussNewtonOperator"
    )
    # eq-outer-product: H ≃ Σ_n J_nᵀ M_n J_n, the exact blocks without their δ
    twin(fill_square, net, X, G)(net, X, None, G)
    return G


@sum_over_shards
def outer_product_diagonal(net, X):
    """Return the diagonal of Σ_n J_nᵀ M_n J_n, of shape (P,), without the rest.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.

    Raises
    ------
    ValueError
        If X does not fit.
    """
    X = check_inputs(net, X)
    return twin(sum_of_squares, net, X)(net, X)


def sum_of_squares(net, X):
    """Return the diagonal, a few patterns at a time."""
    dtype = np.result_type(X, net.w)
    diagonal = np.zeros(net.n_parameters, wide(dtype))
    for n in pattern_chunks(len(X), net.sizes[-1] * sum(net.sizes), limit=IN_CACHE):
        trace = forward(net, X[n])
        # R of the output unit, with M = RᵀR, goes back through the layers as y would
        R = net.output.root(trace.a[-1])
        for l in range(net.depth - 1, -1, -1):
            # eq-outer-product-diagonal: Σ_n M_jj z_i² with M_jj = Σ_k R_kj²
            M_jj = np.einsum("nkj,nkj->nj", R, R)
            squares = sum_over_patterns(M_jj, trace.z[l] ** 2)
            diagonal[net.slices[l]] += squares.ravel()
            if l > 0:
                R = back_through_layer(net, trace, l, R)
    return diagonal.astype(dtype, copy=False)


@sum_over_shards
def residual_hessian(net, X, T):
    """Return H − Σ_n J_nᵀ M_n J_n, of shape (P, P): what the approximation drops.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.

    Raises
    ------
    ValueError
        If X or T does not fit.
    MemoryError
        If the result cannot fit in memory.
    """
    P = net.n_parameters
    require_memory(
        2 * P * P * np.result_type(net.w, np.float32).itemsize,
        f"a result of shape {(P, P)}, a difference of two,",
        "use hessian_diagonal or a HessianOperator",
    )
    R = exact_hessian(net, X, T)
    # eq-outer-product-exact: H = Σ_n J_nᵀ M_n J_n + Σ_nk (y_nk − t_nk) ∇∇a_nk
    R -= outer_product_hessian(net, X)
    return R
