"""The inverse of the curvature, one pattern at a time, and what it tells.

| symbol | code | shape |
| --- | --- | --- |
| A = αI + Σ_n J_nᵀ M_n J_n, and its inverse | `inverse_outer_product` | (P, P) |
| A⁻¹ with c gᵀg or JᵀMJ more | `update_inverse` | (P, P) |
| ½ A_qq w_q², what weight q costs if no other moves | `obd_saliency` | (P,) |
| w_q²/2[A⁻¹]_qq, what it costs if all others move along | `obs_saliency` | (P,) |

A is the outer-product Hessian of E + ½α‖w‖², so it is positive definite for every
α > 0. A pattern adds K outer products to it; a weight that is deleted is one outer
product more, with a factor that grows without end. Saliencies have the unit of E.

Source: PRML (2006), §5.4.3, for the inverse; LeCun, Denker and Solla (1990) and Hassibi
and Stork (1993) for the two saliencies.
"""

from typing import NamedTuple

import numpy as np
from numpy.linalg import solve

from jachess_lib._engine import lesson
from jachess_lib._engine.inverse import (
    check_prune,
    check_update,
    in_its_precision,
    inverse_within,
)
from jachess_lib.jacobian import parameter_jacobian
from jachess_lib.network import Network, forward
from jachess_lib.outer_product import outer_product_diagonal, outer_product_hessian

__all__ = [
    "Pruned",
    "inverse_outer_product",
    "obd_saliency",
    "obs_saliency",
    "prune",
    "update_inverse",
]


@lesson(out=True, weights=True)
def inverse_outer_product(net, X, alpha):
    """Return (αI + Σ_n J_nᵀ M_n J_n)⁻¹, of shape (P, P), one pattern after another.

    It needs no targets. O(N K P²) in time; a Cholesky factor takes the place of the
    updates where that is faster.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    alpha : float
        What stands on the diagonal before the first pattern, above zero.
    out : array, shape (P, P), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one. The
        sum must not become singular by it.

    Raises
    ------
    ValueError
        If X or `out` does not fit; if alpha is not above zero, or so small that
        rounding hides it beside the patterns.
    MemoryError
        If the result cannot fit in memory.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1), [0.0, 1.0])
    >>> inverse_outer_product(net, [[1.0]], 1.0)  # of (2 1; 1 2)
    array([[ 0.66666667, -0.33333333],
           [-0.33333333,  0.66666667]])
    """
    J = parameter_jacobian(net, X, of="activations")
    M = net.output.dy_da(forward(net, X).a[-1])
    inverse = np.eye(net.n_parameters) / alpha
    for J_n, M_n in zip(J, M, strict=True):
        inverse = one_more(inverse, J_n, M_n)
    return inverse


def one_more(inverse, J, M):
    """Return the inverse of A + JᵀMJ, given that of A."""
    gain = inverse @ J.T
    # eq-inverse-rank-one: 1/(1/c + ρ), which for K rows is a K×K matrix
    middle = solve(np.eye(len(M)) + M @ (J @ gain), M)
    # eq-inverse-rank-k: (A + JᵀMJ)⁻¹ = A⁻¹ − A⁻¹Jᵀ (I + M J A⁻¹ Jᵀ)⁻¹ M J A⁻¹
    return inverse - gain @ middle @ gain.T


def update_inverse(inverse, J, M=None):
    """Return (A + JᵀMJ)⁻¹, of shape (P, P), given A⁻¹, in O(K P²).

    Parameters
    ----------
    inverse : array, shape (P, P)
        A⁻¹, symmetric.
    J : array, shape (K, P) or (P,)
        The rows of what is added; one vector g adds g gᵀ.
    M : float or array, shape (K, K), optional
        What stands between; a number c stands for cI. The identity unless given, and
        −1 takes away what had been added.

    Raises
    ------
    ValueError
        If the shapes do not fit, or if A + JᵀMJ is singular.

    Examples
    --------
    >>> update_inverse(np.eye(2), [1.0, 0.0])
    array([[0.5, 0. ],
           [0. , 1. ]])
    """
    return one_more(*check_update(inverse, J, M))


@lesson(out=True, weights=True)
def obd_saliency(net, X, alpha):
    """Return L[q] = ½ A_qq w_q², of shape (P,): the cost of a weight if no other moves.

    Optimal Brain Damage: by how much ½ δwᵀAδw grows where δw takes away weight q alone.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    alpha : float
        What A has on its diagonal beside the patterns' share, above zero.
    out : array, shape (P,), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, alpha or `out` does not fit.
    """
    A_qq = alpha + outer_product_diagonal(net, X)
    # eq-inverse-obd: L_q = ½ A_qq w_q²
    return A_qq * net.w**2 / 2


@lesson(out=True, weights=True)
def obs_saliency(net, X, alpha):
    """Return L[q] = w_q² / 2[A⁻¹]_qq, of shape (P,), if all other weights move along.

    Optimal Brain Surgeon: the least ½ δwᵀAδw of all δw that take weight q to zero. It
    is never more than `obd_saliency`.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    alpha : float
        What A has on its diagonal beside the patterns' share, above zero.
    out : array, shape (P,), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, alpha or `out` does not fit.
    MemoryError
        If A⁻¹ cannot fit in memory.
    """
    inverse = inverse_outer_product(net, X, alpha)
    # eq-inverse-obs: L_q = w_q² / 2[A⁻¹]_qq
    return net.w**2 / (2 * np.diagonal(inverse))


class Pruned(NamedTuple):
    """A network with weights that are zero, and their places in the order they went."""

    net: Network
    deleted: tuple[int, ...]


def prune(
    net, X, alpha, count, *, rule="obs", move=None, deleted=(), refresh=1, weights=None
):
    """Return the network with `count` more of its (P,) weights at zero, as `Pruned`.

    One weight after another: the one that costs least by the rule.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    alpha : float
        What A has on its diagonal beside the patterns' share, above zero.
    count : int
        How many to delete, at most as many as are left.
    rule : {"obs", "obd", "magnitude"}
        By `obs_saliency`, `obd_saliency` or |w_q|.
    move : bool, optional
        Whether the other weights move to make up for it. Unless given they do so for
        "obs" alone.
    deleted : sequence of int
        The places in `net.w` that have gone before, and stay at zero.
    refresh : int
        After how many deletions J and M are computed anew; between, A stays.
    weights : array, shape (N,), optional
        A weight for each pattern's share of A, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If an argument does not fit, a weight at a place in `deleted` is not zero, or
        negative weights leave A without a least deletion.

    Examples
    --------
    >>> net = Network((2, 1), [0.0, 1.0, 0.1])
    >>> prune(net, [[1.0, 0.0], [0.0, 1.0]], 0.01, 2).deleted
    (0, 2)
    """
    w, deleted = check_prune(net, X, alpha, count, rule, deleted, refresh, weights)
    move = rule == "obs" if move is None else move
    for turn in range(count):
        if turn % refresh == 0:
            G = outer_product_hessian(net.with_parameters(w), X, weights=weights)
            A = alpha * np.eye(len(w)) + G
            B = inverse_within(A, deleted)
        kept = np.delete(np.arange(len(w)), deleted)
        costs = COSTS[rule](w[kept], A[kept, kept], B[kept, kept])
        q = int(kept[np.argmin(costs)])
        if move:
            # eq-inverse-pinned: Δw = −w_q A⁻¹e_q/[A⁻¹]_qq
            w = w - w[q] / B[q, q] * B[:, q]
        # eq-inverse-delete: A⁻¹ without weight q is A⁻¹ − A⁻¹e_q (A⁻¹e_q)ᵀ/[A⁻¹]_qq
        B = B - np.outer(B[:, q], B[:, q]) / B[q, q]
        deleted.append(q)
        w[deleted] = 0
    return Pruned(in_its_precision(net, w), tuple(deleted))


COSTS = {
    "obs": lambda w, A_qq, inverse_qq: w**2 / (2 * inverse_qq),
    "obd": lambda w, A_qq, inverse_qq: A_qq * w**2 / 2,
    "magnitude": lambda w, A_qq, inverse_qq: np.abs(w),
}
