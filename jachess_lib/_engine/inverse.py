"""The inverse of the outer-product matrix by a Cholesky factor, and its checks."""

import numpy as np
from scipy.linalg import cho_factor, inv, lapack

from jachess_lib._engine.connection import Task, of_parameters
from jachess_lib._engine.floats import wide
from jachess_lib._engine.hessian import fill_square, square
from jachess_lib._engine.inputs import (
    check_array,
    check_choice,
    check_count,
    check_index,
    check_inputs,
    check_network,
    check_number,
    check_positive,
    check_weights,
)
from jachess_lib._engine.outer_product import _outer_product_diagonal


def check_alpha(alpha):
    """Return a number above zero."""
    why = ": without it A has no inverse where the patterns leave a direction free"
    return check_positive("alpha", alpha, why)


def _check(net, X, alpha):
    return {"net": net, "X": check_inputs(net, X), "alpha": check_alpha(alpha)}


def _require_visible(net, X, alpha, weights):
    """Refuse an alpha that rounding hides beside the curvature of the patterns."""
    wider = net.with_parameters(net.w.astype(wide(net.w.dtype), copy=False))
    sizes = None if weights is None else np.abs(weights).astype(float)
    trace = float(_outer_product_diagonal(wider, X, sizes).sum())
    least = np.finfo(float).eps * trace
    if alpha < least:
        raise ValueError(
            f"alpha is {alpha:.3g}, and rounding hides it beside patterns whose "
            f"curvature has the trace {trace:.3g}: use at least {least:.1g}"
        )


def inverse_of(A):
    """Return the inverse of a symmetric matrix, symmetric to the last bit."""
    try:
        factor, lower = cho_factor(A, lower=True, check_finite=False)
        inverse, _ = lapack.dpotri(factor, lower=lower, overwrite_c=True)
        inverse = np.tril(inverse)
        return inverse + np.tril(inverse, -1).T
    except np.linalg.LinAlgError:  # weights of both signs may make it indefinite
        inverse = inv(A, check_finite=False)
        return (inverse + inverse.T) / 2


def _curvature(net, X, alpha, weights):
    A = np.empty((net.n_parameters,) * 2)
    fill_square(net, X.astype(float, copy=False), None, A, weights)
    A.flat[:: len(A) + 1] += alpha
    return A


def _inverse_outer_product(net, X, alpha, out, weights=None):
    out[...] = inverse_of(_curvature(net, X, alpha, weights))
    return out


def _obd_saliency(net, X, alpha, weights=None):
    A_qq = alpha + _outer_product_diagonal(net, X, weights)
    return A_qq * net.w**2 / 2


def _obs_saliency(net, X, alpha, weights=None):
    inverse = inverse_of(_curvature(net, X, alpha, weights))
    return (net.w.astype(float) ** 2 / (2 * np.diagonal(inverse))).astype(
        np.result_type(X, net.w)
    )


def _no_shards(given):
    """Say that no sum of parts makes an inverse."""
    return False


def _square(net, X, alpha):
    shape, beside, _ = square("solve with a GaussNewtonOperator")(net, X)
    return (
        shape,
        beside + 3 * 8 * net.n_parameters**2,
        "solve with a GaussNewtonOperator",
    )


def _of_parameters(net, X, alpha):
    return of_parameters(net)


inverse_outer_product = Task(
    _check,
    _inverse_outer_product,
    result=_square,
    is_sum=_no_shards,
    weighed=_require_visible,
)
obd_saliency = Task(
    _check,
    _obd_saliency,
    result=_of_parameters,
    fills=False,
    is_sum=_no_shards,
)
obs_saliency = Task(
    _check,
    _obs_saliency,
    result=_of_parameters,
    fills=False,
    is_sum=_no_shards,
    weighed=_require_visible,
)


# What is no lesson: its arguments are checked here.


def check_update(inverse, J, M):
    """Return A⁻¹, J and M as finite arrays of shapes (P, P), (K, P) and (K, K)."""
    P = len(np.atleast_1d(inverse))
    inverse = check_array("inverse", inverse, (P, P), symmetric=True)
    J = check_array("J", J)
    if J.ndim not in (1, 2) or J.shape[-1] != P:
        raise ValueError(
            f"J must have shape (K, P) or (P,), P = {P} being the size of `inverse`, "
            f"got shape {J.shape}"
        )
    J = np.atleast_2d(J)
    K = len(J)
    if M is None or np.ndim(M) == 0:
        M = (1.0 if M is None else check_number("M", M)) * np.eye(K)
    M = check_array("M", M, (K, K), symmetric=True)
    left = np.eye(K) + M @ (J @ inverse @ J.T)
    if K and np.linalg.cond(left) > 1 / np.finfo(float).eps:
        raise ValueError(
            "A + JᵀMJ is singular, so it has no inverse: M takes away all that A has "
            "in some direction"
        )
    return inverse, J, M


def check_prune(net, X, alpha, count, rule, deleted, refresh, weights):
    """Return the parameters in double precision, and a list of what has gone."""
    check_network("net", net)
    check_choice("rule", rule, ("obs", "obd", "magnitude"))
    check_count("refresh", refresh)
    P, w = net.n_parameters, np.array(net.w, float)
    deleted = list(dict.fromkeys(check_index("deleted", q, P) for q in deleted))
    for q in deleted:
        if w[q] != 0:
            raise ValueError(
                f"deleted names place {q}, whose weight is {w[q]:.3g}: only weights "
                "that are zero have gone"
            )
    left = P - len(deleted)
    if check_count("count", count) > left:
        raise ValueError(f"count is {count}, but only {left} weights are left")
    given = _check(net, X, alpha)
    if weights is not None:
        weights = check_weights(weights, net, len(given["X"]))
    _require_visible(**given, weights=weights)
    return w, deleted


def in_its_precision(net, w):
    """Return the network with other parameters, in the precision that it has."""
    return net.with_parameters(w.astype(net.w.dtype, copy=False))


def inverse_within(A, deleted):
    """Return the inverse of A without some rows and columns, with zeros in them.

    A has to be positive definite: otherwise a deletion may lower the error as far as
    one likes, and none costs least.
    """
    kept = np.delete(np.arange(len(A)), deleted)
    B = np.zeros_like(A)
    try:
        np.linalg.cholesky(A[np.ix_(kept, kept)])
    except np.linalg.LinAlgError:
        raise ValueError(
            "the weights of the patterns take away more curvature than alpha and the "
            "other patterns hold, so no deletion costs least: use a larger alpha, or "
            "no negative weights"
        ) from None
    B[np.ix_(kept, kept)] = inverse_of(A[np.ix_(kept, kept)])
    return B
