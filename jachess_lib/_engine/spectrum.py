"""What the spectrum's algorithms ask of their arguments, and SciPy's own solver."""

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from jachess_lib._engine.inputs import (
    check_array,
    check_choice,
    check_count,
    check_inputs,
    check_network,
    check_plain,
    check_positive,
    check_targets,
)
from jachess_lib._engine.operators import mean_of, random_signs

__all__ = [
    "check_density",
    "check_lanczos",
    "check_probes",
    "check_spectrum",
    "extreme",
    "mean_of",
    "orthogonal_to",
]


def check_spectrum(net, X, T, k, which, curvature):
    """Check all, and return whether the exact Hessian is asked for."""
    check_network("net", net)
    check_choice("which", which, ("LM", "LA", "SA", "BE"))
    check_choice("curvature", curvature, ("exact", "outer_product"))
    if k is not None:
        check_count("k", k)
    X = check_inputs(net, X)
    if curvature == "exact":
        check_targets(net, X, T)
    return curvature == "exact"


def extreme(A, k, which):
    """Return k eigenvalues, ascending, and their vectors, by products alone."""
    start = np.random.default_rng(0).standard_normal(A.shape[0])
    if not (A @ start).any():  # the matrix is zero, as that of no patterns
        return np.zeros(k), np.eye(len(start))[:, :k]
    try:
        values, vectors = eigsh(A, k=k, which=which, v0=start)
    except ArpackNoConvergence as error:
        raise RuntimeError(
            f"only {len(error.eigenvalues)} of the {k} eigenvalues were found within "
            "the steps allowed: ask for fewer, or for all of them with k=None"
        ) from None
    order = np.argsort(values)
    return values[order], vectors[:, order]


def _symmetric(A, rng):
    """Return A as it is if it multiplies like a symmetric matrix."""
    if not isinstance(A, LinearOperator):
        check_plain("A", A)
        A = check_array("A", A)
    if len(A.shape) != 2 or A.shape[0] != A.shape[1] or A.shape[0] == 0:
        raise ValueError(f"A must be square, of shape (P, P), got shape {A.shape}")
    u, v = rng.standard_normal((2, A.shape[0]))
    Au, Av = (_finite(A @ u), _finite(A @ v))
    sizes = [np.linalg.norm(product) for product in (u, Av, v, Au)]
    scale = sizes[0] * sizes[1] + sizes[2] * sizes[3]
    # products of single precision differ by rounding
    if abs(u @ Av - v @ Au) > 1e-4 * scale:
        raise ValueError(
            "A is not symmetric: its product with u, times v, is not its product with "
            "v, times u"
        )
    return A


def _finite(product):
    if not np.isfinite(product).all():
        raise ValueError("a product with A is not finite: look for what overflows in A")
    return product


def check_lanczos(A, steps, v, seed):
    """Return A, and the vector to start from in double precision."""
    A = _symmetric(A, np.random.default_rng(0))
    P = A.shape[0]
    if check_count("steps", steps) > P:
        raise ValueError(f"steps is {steps}, but A has only {P} eigenvalues")
    if v is None:
        return A, random_signs(1, P, seed)[0]
    v = check_array("v", v, (P,))
    if not v.any():
        raise ValueError("v is zero: it has no direction to start from")
    return A, v


def check_probes(A, probes, seed):
    """Return A and random signs, one start a row."""
    check_count("probes", probes)
    A = _symmetric(A, np.random.default_rng(0))
    return A, random_signs(probes, A.shape[0], seed)


def check_density(A, x, width, steps, probes, seed):
    """Return A, the points, random signs, one start a row, and at most P steps."""
    A, signs = check_probes(A, probes, seed)
    check_positive("width", width)
    return A, check_array("x", x), signs, min(check_count("steps", steps), A.shape[0])


def orthogonal_to(V, r):
    """Return r without what rounding has put into it along the orthonormal vectors."""
    V = np.array(V)
    return r - V.T @ (V @ r)
