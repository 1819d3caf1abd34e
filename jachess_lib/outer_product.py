"""The outer-product (Gauss–Newton) approximation of the Hessian.

| symbol | code | shape |
| --- | --- | --- |
| Σ_n J_nᵀ M_n J_n | `outer_product_hessian` | (P, P) |
| its diagonal | `outer_product_diagonal` | (P,) |
| Σ_nk (y_nk − t_nk) ∇∇a_nk, what it drops | `residual_hessian` | (P, P) |
| J_n = ∂a_n/∂w at the outputs, M_n = ∂y_n/∂a_n | see below | (K, P), (K, K) |

J and M are first derivatives of the outputs, so the matrix needs no targets; what it
drops is linear in y − t. Values have the unit of E.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.6; PRML (2006), §5.4.2;
Schraudolph, *Neural Computation* 14 (2002), for the form with M.
"""

from jachess_lib._engine import lesson
from jachess_lib.backpropagation import error_signals
from jachess_lib.hessian import einsum, second_derivatives
from jachess_lib.jacobian import parameter_jacobian
from jachess_lib.network import forward

__all__ = ["outer_product_diagonal", "outer_product_hessian", "residual_hessian"]


@lesson(out=True, weights=True)
def outer_product_hessian(net, X):
    """Return Σ_n J_nᵀ M_n J_n, of shape (P, P), symmetric and never indefinite.

    It needs no targets: they enter H through y − t alone. O(N P²) in time.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.
    out : array, shape (P, P), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

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
    J = parameter_jacobian(net, X, of="activations")
    M = net.output.dy_da(forward(net, X).a[-1])
    # eq-outer-product: H ≃ Σ_n J_nᵀ M_n J_n
    return einsum("nkp,nkl,nlq->pq", J, M, J)


@lesson(out=True, weights=True)
def outer_product_diagonal(net, X):
    """Return the diagonal of Σ_n J_nᵀ M_n J_n, of shape (P,), without the rest.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row. A Dask array is summed chunk by chunk, and at once: the
        call computes.
    out : array, shape (P,), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X or `out` does not fit.
    """
    J = parameter_jacobian(net, X, of="activations")
    M = net.output.dy_da(forward(net, X).a[-1])
    # eq-outer-product-diagonal: Σ_n Σ_kl J_kp M_kl J_lp
    return einsum("nkp,nkl,nlp->p", J, M, J)


@lesson(out=True, weights=True)
def residual_hessian(net, X, T):
    """Return H − Σ_n J_nᵀ M_n J_n, of shape (P, P): what the approximation drops.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    out : array, shape (P, P), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, T or `out` does not fit.
    MemoryError
        If the result cannot fit in memory.
    """
    trace = forward(net, X)
    delta = error_signals(net, trace, T)
    # the second sum alone: were δ fixed at the outputs, M = ∂δ/∂a would be 0 there
    M = 0 * net.output.dy_da(trace.a[-1])
    # eq-outer-product-exact: H = Σ_n J_nᵀ M_n J_n + Σ_nk (y_nk − t_nk) ∇∇a_nk
    return second_derivatives(net, trace, delta, M)
