"""The eigenvalues of the Hessian, all of them or by products alone.

| symbol | code | shape |
| --- | --- | --- |
| λ_p, u_p with H = Σ_p λ_p u_p u_pᵀ | `hessian_spectrum` | (P,), (P, P) |
| κ_j, β_j, v_j of Lanczos' recurrence | `lanczos` | (m,), (m − 1,), (P, m) |
| tr H ≃ the mean of vᵀHv | `hutchinson_trace` | () |
| the share of eigenvalues near x | `spectral_density` | as x |

θ_j and τ_j are the eigenvalues of Lanczos' small matrix and the squared first entries
of its eigenvectors. Eigenvalues have the unit of E over that of two weights.

Source: Golub and Welsch (1969) for the quadrature; Hutchinson (1989) for the trace;
Ghorbani, Krishnan and Xiao (2019) for the density of a network's Hessian.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh, eigh_tridiagonal

from jachess_lib._engine.spectrum import (
    check_density,
    check_lanczos,
    check_probes,
    check_spectrum,
    extreme,
    mean_of,
    orthogonal_to,
)
from jachess_lib.hessian import exact_hessian
from jachess_lib.hessian_vector import GaussNewtonOperator, HessianOperator
from jachess_lib.outer_product import outer_product_hessian

__all__ = [
    "Lanczos",
    "Spectrum",
    "hessian_spectrum",
    "hutchinson_trace",
    "lanczos",
    "spectral_density",
]


class Spectrum(NamedTuple):
    """Eigenvalues in ascending order, and their eigenvectors as columns."""

    values: np.ndarray
    vectors: np.ndarray


class Lanczos(NamedTuple):
    """The small matrix of the recurrence, and the vectors it was made with."""

    diagonal: np.ndarray
    off_diagonal: np.ndarray
    V: np.ndarray

    def quadrature(self):
        """Return θ and τ, of shape (m,): nodes, and weights that sum to 1."""
        theta, Y = eigh_tridiagonal(self.diagonal, self.off_diagonal)
        return theta, Y[0] ** 2


def hessian_spectrum(net, X, T, k=None, *, which="LM", curvature="exact", weights=None):
    """Return eigenvalues and eigenvectors of H, of shapes (P,) and (P, P).

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row.
    k : int, optional
        How many, found by products alone and without H; all of them by H unless given.
    which : {"LM", "LA", "SA", "BE"}
        The k of largest magnitude, the largest, the smallest, or half from each end.
    curvature : {"exact", "outer_product"}
        Of H itself or of the outer-product approximation.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If an argument does not fit.
    MemoryError
        If H cannot fit in memory.
    RuntimeError
        If the k eigenvalues are not found within the steps allowed.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1), [0.0, 1.0])
    >>> hessian_spectrum(net, [[2.0], [-2.0]], [[1.0], [1.0]]).values  # of (2 0; 0 8)
    array([2., 8.])
    """
    exact = check_spectrum(net, X, T, k, which, curvature)
    if k is None or k >= net.n_parameters:
        H = (
            exact_hessian(net, X, T, weights=weights)
            if exact
            else outer_product_hessian(net, X, weights=weights)
        )
        # eq-spectrum-sum: H = Σ_p λ_p u_p u_pᵀ
        return Spectrum(*eigh(H))
    A = (
        HessianOperator(net, X, T, weights=weights)
        if exact
        else GaussNewtonOperator(net, X, weights=weights)
    )
    return Spectrum(*extreme(A, k, which))


def lanczos(A, steps, v=None, *, seed=0, reorthogonalise=True):
    """Return Lanczos' matrix of A from v and its vectors, of shape (P, m).

    V has orthonormal columns, and VᵀAV is tridiagonal. m is `steps`, or fewer where the
    vectors v, Av, A²v, … do not lead further.

    Parameters
    ----------
    A : array or LinearOperator, shape (P, P)
        Symmetric, multiplied with one vector a step.
    steps : int
        How many products to take, at most P.
    v : array, shape (P,), optional
        Where to start; random signs unless given.
    seed : int
        Of the signs.
    reorthogonalise : bool
        Whether each vector is made orthogonal to all before it once more, against
        rounding; O(m² P) in all.

    Raises
    ------
    ValueError
        If A is not square and symmetric, or v or `steps` does not fit.
    """
    A, v = check_lanczos(A, steps, v, seed)
    V, kappa, beta = [v / np.linalg.norm(v)], [], []
    for j in range(steps):
        Hv = A @ V[j]
        kappa.append(V[j] @ Hv)
        # eq-spectrum-lanczos: β_j v_{j+1} = H v_j − κ_j v_j − β_{j−1} v_{j−1}
        r = Hv - kappa[j] * V[j] - (beta[j - 1] * V[j - 1] if j > 0 else 0)
        r = orthogonal_to(V, r) if reorthogonalise else r
        if j == steps - 1 or np.linalg.norm(r) <= 1e-12 * np.linalg.norm(Hv):
            break
        beta.append(np.linalg.norm(r))
        V.append(r / beta[j])
    return Lanczos(np.array(kappa), np.array(beta), np.array(V).T)


def hutchinson_trace(A, probes=100, *, seed=0):
    """Return tr A as an `Estimate`, two floats: the value and its standard error.

    Parameters
    ----------
    A : array or LinearOperator, shape (P, P)
        Symmetric, multiplied with one vector for each probe.
    probes : int
        How many random signs to average.
    seed : int
        Of the signs.

    Raises
    ------
    ValueError
        If A is not square and symmetric, or `probes` not a positive whole number.
    """
    A, signs = check_probes(A, probes, seed)
    # eq-spectrum-trace: tr H = ⟨vᵀHv⟩ over random signs v
    return mean_of(np.array([v @ (A @ v) for v in signs]))


def spectral_density(A, x, width, *, steps=80, probes=10, seed=0):
    """Return the density of the eigenvalues of A at x, of shape f(x).shape.

    Each eigenvalue counts 1/P and is spread to a normal curve, so the integral is 1.
    Stochastic Lanczos: `probes` random starts of `steps` products each.

    Parameters
    ----------
    A : array or LinearOperator, shape (P, P)
        Symmetric.
    x : array
        Where to ask.
    width : float
        The standard deviation of the curve that stands for one eigenvalue.
    steps, probes : int
        Products from each start, of which P tell all, and how many starts.
    seed : int
        Of the starts.

    Raises
    ------
    ValueError
        If A is not square and symmetric, or an argument does not fit.
    """
    A, x, signs, steps = check_density(A, x, width, steps, probes, seed)
    density = np.zeros(x.shape)
    for v in signs:
        theta, tau = lanczos(A, steps, v).quadrature()
        curve = np.exp(-0.5 * ((x[..., None] - theta) / width) ** 2)
        # eq-spectrum-quadrature: vᵀf(H)v / vᵀv ≃ Σ_j τ_j f(θ_j)
        density += curve @ tau / (np.sqrt(2 * np.pi) * width)
    return density / probes
