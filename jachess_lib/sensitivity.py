"""What the Jacobian says of errors: first-order propagation, and modules in series.

| symbol | code | shape |
| --- | --- | --- |
| Δx, Δy ≃ JΔx | `dX`, `propagate_error` | (N, D), (N, K) |
| cov(x) = Σ, cov(y) ≃ JΣJᵀ | `covariance`, `propagate_covariance` | (D, D), (N, K, K) |
| ∂y/∂x through two networks | `chain_jacobian` | (N, K, D) |

Δy has the unit of y; a covariance has the product of the units of its two indices.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.5.
"""

import numpy as np

from jachess_lib._engine import lesson
from jachess_lib.jacobian import input_jacobian

__all__ = ["chain_jacobian", "propagate_covariance", "propagate_error"]


@lesson()
def propagate_error(net, X, dX):
    """Return Δy ≃ JΔx, the first-order change of the outputs, of shape (N, K).

    The remainder is O(‖Δx‖²): halve Δx and the relative error halves.

    Parameters
    ----------
    X, dX : array, shape (N, D)
        Patterns and their errors, one a row.

    Raises
    ------
    ValueError
        If X or dX does not fit.
    """
    # eq-sensitivity-error: Δy_k ≃ Σ_i J_ki Δx_i
    return np.einsum("nki,ni->nk", input_jacobian(net, X), dX)


@lesson()
def propagate_covariance(net, X, covariance):
    """Return cov(y) ≃ J cov(x) Jᵀ at each pattern, of shape (N, K, K).

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row: the means of the noisy inputs.
    covariance : array, shape (D, D) or (N, D, D)
        Covariance of the inputs: one for all patterns, or one for each.

    Raises
    ------
    ValueError
        If X does not fit, or the covariance is not symmetric and positive
        semi-definite.
    """
    J = input_jacobian(net, X)
    # eq-sensitivity-covariance: cov(y) ≃ J cov(x) Jᵀ
    return J @ covariance @ J.transpose(0, 2, 1)


@lesson()
def chain_jacobian(outer, inner, X):
    """Return ∂y/∂x of the modules in series y = outer(inner(x)), of shape (N, K, D).

    Parameters
    ----------
    outer, inner : Network
        The later and the earlier module; `inner` has as many outputs as `outer` inputs.
    X : array, shape (N, D)
        Inputs of `inner`, one a row.

    Raises
    ------
    ValueError
        If the modules or X do not fit.
    """
    # eq-sensitivity-chain: ∂y_k/∂x_i = Σ_j ∂y_k/∂z_j ∂z_j/∂x_i
    return input_jacobian(outer, inner(X)) @ input_jacobian(inner, X)
