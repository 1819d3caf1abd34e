"""The curvature of a layer as a Kronecker product of two small matrices.

| symbol | code | shape |
| --- | --- | --- |
| S_n = ∂a_n/∂a_nj: output activations by the sums of a layer | `S` | (N, K, J) |
| M_n at the outputs, or what a kind of Fisher has in its place | `M` | (N, K, K) |
| B_n = S_nᵀ M_n S_n, and their sum B̄ | `B` | (J, J) |
| Ā, the mean of z_n z_nᵀ | `A` | (I, I) |
| G_l, the block of layer l, in which B̄ ⊗ Ā stands | `G` | (J I, J I) |
| L, R, the sums of Shampoo | `B`, `A` of `shampoo_factors` | (J, J), (I, I) |
| eigenvectors of B̄ and of Ā | `U`, `V` | (J, J), (I, I) |
| s_ji, the eigenvalues that EK-FAC gives them | `scales` | (J, I) |

J counts the units of the layer and I what it is fed with, the constant 1 included. The
order of the product is that of w, row by row: B first. B̄ is a sum and Ā a mean, so that
their product is a sum over patterns as G is. Values have the unit of E.

Source: Martens and Grosse (2015); Van Loan and Pitsianis (1993) for the nearest
product; George et al. (2018) for EK-FAC; Morwani et al. (2025) for Shampoo; Eschenhagen
et al. (2023) for weights that are shared.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh, svd

from jachess_lib._engine.kronecker import (
    check_block,
    check_factors,
    check_natural,
    check_scaled,
    check_shared,
    check_step,
    drawn,
    mean_over,
    over,
    product,
    root_of,
)
from jachess_lib.backpropagation import error_gradient
from jachess_lib.hessian import einsum
from jachess_lib.jacobian import back_through_layer
from jachess_lib.network import forward

__all__ = [
    "EigenFactors",
    "KroneckerFactors",
    "ekfac",
    "kronecker_factors",
    "natural_gradient",
    "nearest_kronecker",
    "shampoo_factors",
    "shared_factors",
]


class KroneckerFactors(NamedTuple):
    """The factors A, (I, I), and B, (J, J), of B ⊗ A, which is ordered as w."""

    A: np.ndarray
    B: np.ndarray

    def to_dense(self):
        """Return B ⊗ A, of shape (J I, J I)."""
        return product(self.B, self.A)

    def solve(self, V, damping, *, split=False):
        """Return (B ⊗ A + λI)⁻¹ V, of the shape (J, I) of V.

        Parameters
        ----------
        V : array, shape (J, I)
            Such as the gradient by the weights `W[l]`.
        damping : float
            λ, larger than 0.
        split : bool
            Damp each factor apart: two Cholesky factors in place of eigenvectors, and
            a step that is shorter.

        Raises
        ------
        ValueError
            If V does not fit, a factor has a negative eigenvalue, or the damping is not
            above 0 by more than rounding.
        """
        A, B, V, damping = check_step(self.A, self.B, V, damping)
        return split_solve(A, B, V, damping) if split else by_vectors(A, B, V, damping)


class EigenFactors(NamedTuple):
    """Eigenvectors U of B, (J, J), and V of A, (I, I), with scales of shape (J, I)."""

    U: np.ndarray
    V: np.ndarray
    scales: np.ndarray

    def to_dense(self):
        """Return (U ⊗ V) diag(scales) (U ⊗ V)ᵀ, of shape (J I, J I)."""
        Q = product(self.U, self.V)
        return (Q * self.scales.ravel()) @ Q.T

    def solve(self, V, damping):
        """Return (this matrix + λI)⁻¹ V, of the shape (J, I) of V.

        Raises
        ------
        ValueError
            If V does not fit, or the damping leaves a scale at 0 or below.
        """
        V, damping = check_scaled(self.scales, V, damping)
        return rescaled(self.U, self.V, V, self.scales + damping)


def layer_factors(z, S, M, share):
    """Return the `KroneckerFactors` of a layer, given z_n, S_n and M_n."""
    # eq-kronecker-exact: G_l = Σ_n B_n ⊗ z_n z_nᵀ with B_n = S_nᵀ M_n S_n
    B = einsum("n,nkj,nkl,nlq->jq", share, S, M, S)
    # eq-kronecker: G_l ≃ B ⊗ A with B = Σ_n B_n and A = Σ_n z_n z_nᵀ/N
    return KroneckerFactors(A=mean_over(share, z), B=B)


def eigen_factors(z, S, M, share):
    """Return the `EigenFactors` of a layer, given z_n, S_n and M_n."""
    A, B = layer_factors(z, S, M, share)
    V, U = eigh(A)[1], eigh(B)[1]
    # eq-kronecker-eigen: s_ji = Σ_n (u_jᵀ B_n u_j)(u_iᵀ z_n)²
    scales = einsum("n,nkj,nkl,nlj,ni->ji", share, S @ U, M, S @ U, (z @ V) ** 2)
    return EigenFactors(U, V, scales)


def middle(net, trace, T, kind, draws, seed):
    """Return what stands between the S_n, of shape (N, K, K)."""
    if kind == "expected":
        return net.output.dy_da(trace.a[-1])
    t = T[None] if kind == "empirical" else drawn(net.output.name, trace.y, draws, seed)
    # eq-kronecker-fisher: M_n = E[(y_n − t)(y_n − t)ᵀ], with t drawn from the model
    return einsum("snk,snl->nkl", trace.y - t, trace.y - t) / len(t)


def of_layers(of_layer, net, X, T, kind, draws, seed, share):
    """Return what `of_layer` makes of z, S and M for each layer, first to last."""
    trace = forward(net, X)
    M = middle(net, trace, T, kind, draws, seed)
    S, found = np.tile(np.eye(net.sizes[-1]), (len(M), 1, 1)), []
    for l in range(net.depth - 1, -1, -1):
        found.insert(0, of_layer(trace.z[l], S, M, share))
        S = back_through_layer(net, trace, l, S) if l > 0 else S
    return found


def kronecker_factors(
    net, X, T=None, *, kind="expected", draws=1, seed=0, weights=None
):
    """Return A and B for each layer from X of shape (N, D): K-FAC.

    B ⊗ A stands for the block of the outer-product Hessian of that layer, whose weights
    are `net.w[net.slices[l]]`.

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row.
    T : array, shape (N, K), optional
        Targets, which the kind "empirical" alone needs.
    kind : {"expected", "sampled", "empirical"}
        Whether M is the exact mean over what the model might answer, that of `draws`
        random answers, or made of the targets.
    draws, seed : int
        How many answers to draw for each pattern, and of which random numbers.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sums.

    Returns
    -------
    list of KroneckerFactors
        Each with `to_dense()` and `solve(V, damping)` beside `A` and `B`.

    Raises
    ------
    ValueError
        If an argument does not fit, or weights of both signs sum to zero.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1), [0.0, 1.0])
    >>> kronecker_factors(net, [[1.0], [3.0]])[0].to_dense()  # Σ zzᵀ with z = (1, x)
    array([[ 2.,  4.],
           [ 4., 10.]])
    """
    given = check_factors(net, X, T, kind, draws, seed, weights)
    return of_layers(layer_factors, *given)


def ekfac(net, X, T=None, *, kind="expected", draws=1, seed=0, weights=None):
    """Return `EigenFactors` for each layer from X of shape (N, D): EK-FAC.

    The eigenvectors are those of K-FAC, and the scales the best there are for them.

    Parameters
    ----------
    X, T, kind, draws, seed, weights
        They are those of `kronecker_factors`, and so are the errors.

    Returns
    -------
    list of EigenFactors
        Each with `to_dense()` and `solve(V, damping)` beside `U`, `V` and `scales`.
    """
    given = check_factors(net, X, T, kind, draws, seed, weights)
    return of_layers(eigen_factors, *given)


def shared_factors(z, S, M, setting="expand"):
    """Return A and B of weights that are used at several positions, z of shape (N, …).

    Parameters
    ----------
    z : array, shape (N, positions, I)
        What the layer is fed with at each position, the constant 1 included.
    S : array, shape (N, positions, K, J)
        ∂a_k/∂a_j of the outputs by the layer's sums at each position.
    M : array, shape (N, K, K)
        The output unit's derivative.
    setting : {"expand", "reduce"}
        Each position as a pattern of its own, or the mean of z and the sum of S.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    z, S, M = check_shared(z, S, M, setting)
    if setting == "reduce":
        # eq-kronecker-reduce: A of the means of z over positions, B of the sums of S
        z, S = z.mean(axis=1), S.sum(axis=1)
    else:
        # eq-kronecker-expand: G_l ≃ Σ_ns B_ns ⊗ (the mean of z_ns z_nsᵀ)
        M = np.repeat(M, z.shape[1], axis=0)
        z, S = z.reshape(len(M), z.shape[-1]), S.reshape(len(M), *S.shape[-2:])
    return layer_factors(z, S, M, np.ones(len(z)))


def rearranged(G, rows, columns):
    """Return 𝓡(G), of shape (J², I²): [jq, ip] of it is [ji, qp] of G."""
    G = G.reshape(rows, columns, rows, columns)
    return G.transpose(0, 2, 1, 3).reshape(rows**2, columns**2)


def nearest_kronecker(G, rows, columns):
    """Return the (A, B) whose B ⊗ A is nearest to G of shape (P, P), P = J I.

    In the Frobenius norm. A has norm 1 and no negative trace. O(J⁴ I²) in time, or
    O(J² I⁴) where that is less.

    Parameters
    ----------
    G : array, shape (P, P)
        Such as the block of a layer.
    rows, columns : int
        J and I, the shape of `W[l]`.

    Raises
    ------
    ValueError
        If G does not have the shape (rows columns, rows columns).

    Examples
    --------
    >>> A, B = nearest_kronecker(np.diag([3.0, 4.0, 6.0, 8.0]), 2, 2)
    >>> A.diagonal().round(3), B.diagonal().round(3)
    (array([0.6, 0.8]), array([ 5., 10.]))
    """
    G = check_block(G, rows, columns)
    u, s, v = svd(rearranged(G, rows, columns), full_matrices=False)
    # eq-kronecker-nearest: ‖G − B⊗A‖ = ‖R(G) − vec(B) vec(A)ᵀ‖, least for u₁s₁, v₁
    B, A = s[0] * u[:, 0].reshape(rows, rows), v[0].reshape(columns, columns)
    sign = np.copysign(1.0, np.trace(A))
    return KroneckerFactors(sign * A, sign * B)


def shampoo_factors(G, rows, columns, *, power=1.0):
    """Return the (A, B) of Shampoo for G of shape (P, P), P = J I.

    Parameters
    ----------
    G : array, shape (P, P)
        Such as the block of a layer, without a negative eigenvalue.
    rows, columns : int
        J and I, the shape of `W[l]`.
    power : float
        L ⊗ R/tr G unless given; 0.5 gives L^½ ⊗ R^½.

    Raises
    ------
    ValueError
        If an argument does not fit, or a power of a negative sum is asked for.
    """
    G = check_block(G, rows, columns, power)
    # eq-kronecker-shampoo: vec L = R(G) vec I and vec R = R(G)ᵀ vec I
    L = (rearranged(G, rows, columns) @ np.eye(columns).ravel()).reshape(rows, rows)
    R = (np.eye(rows).ravel() @ rearranged(G, rows, columns)).reshape(columns, columns)
    size = np.trace(L) ** (2 * power - 1)
    return KroneckerFactors(root_of(R, power), over(root_of(L, power), size))


def rescaled(U, V, gradient, scales):
    """Return what divides the gradient, in the eigenvectors U and V, by the scales."""
    return U @ ((U.T @ gradient @ V) / scales) @ V.T


def by_vectors(A, B, gradient, damping):
    """Return (B ⊗ A + λI)⁻¹ of a gradient of shape (J, I)."""
    (a, V), (b, U) = eigh(A), eigh(B)
    return rescaled(U, V, gradient, np.outer(b, a) + damping)


def split_solve(A, B, gradient, damping):
    """Return what a product of two damped inverses makes of a gradient, (J, I)."""
    pi = np.sqrt(over(np.trace(A) / len(A), np.trace(B) / len(B))) or 1.0
    # eq-kronecker-damping: (B + √λ/π I) ⊗ (A + π√λ I) with π² = (tr A/I)/(tr B/J)
    B = B + np.sqrt(damping) / pi * np.eye(len(B))
    A = A + np.sqrt(damping) * pi * np.eye(len(A))
    # eq-kronecker-inverse: (B ⊗ A)⁻¹ vec V = vec(B⁻¹ V A⁻¹)
    return cho_solve(cho_factor(A), cho_solve(cho_factor(B), gradient).T).T


def natural_gradient(net, X, T, damping, *, structure="kronecker", weights=None):
    """Return (F + λI)⁻¹∇E, of shape (P,), with F layer by layer in two factors.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row.
    damping : float
        λ, larger than 0, in the unit of a sum over the patterns as E is.
    structure : {"kronecker", "eigen"}
        `kronecker_factors` with a split damping, or `ekfac`.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sums.

    Raises
    ------
    ValueError
        If an argument does not fit, or weights make a factor negative.
    """
    damping = check_natural(net, X, T, damping, structure)
    gradient, steps = error_gradient(net, X, T, weights=weights), []
    make = kronecker_factors if structure == "kronecker" else ekfac
    how = {"split": True} if structure == "kronecker" else {}
    for l, part in enumerate(make(net, X, weights=weights)):
        V = gradient[net.slices[l]].reshape(net.W[l].shape)
        steps.append(part.solve(V, damping, **how).ravel())
    return np.concatenate(steps)
