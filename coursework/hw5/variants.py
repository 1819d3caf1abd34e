"""The numbers of right and of wrong answers to assignment 5, in other ways."""

import numpy as np

from coursework.witness import second_derivatives, taylor


def some(seed, *shape):
    """Return numbers of this shape."""
    return np.random.default_rng(seed).normal(size=shape)


def some_curvature(seed, P):
    """Return a curvature with a ridge."""
    J = some(seed, P + 2, P)
    return J.T @ J / P + 0.7 * np.eye(P)


def some_inverse(seed, P):
    """Return its inverse, symmetric to the last digit."""
    found = np.linalg.inv(some_curvature(seed, P))
    return (found + found.T) / 2


def grown(A_inv, g, times=1.0):
    """Return the inverse of the curvature with `times` more of a pattern."""
    return np.linalg.inv(np.linalg.inv(A_inv) + times * np.outer(g, g))


def pulled(A_inv, g):
    """Return ρ, from what one more pattern does to a volume."""
    return np.linalg.det(A_inv) / np.linalg.det(grown(A_inv, g)) - 1


def lowest(A_inv, w):
    """Return in each row the lowest point of the bowl among those with w_q = 0."""
    A, P = np.linalg.inv(A_inv), len(w)
    bordered = np.zeros((P, P + 1, P + 1))
    bordered[:, :P, :P] = A
    bordered[:, :P, P] = bordered[:, P, :P] = np.eye(P)
    wanted = np.append(A @ w, 0)
    return np.stack([np.linalg.solve(each, wanted)[:P] for each in bordered])


def volume_gain(J, A):
    """Return what one more gradient does to the volume of a curvature."""
    more = J[..., :, None] * J[..., None, :]
    return np.linalg.det(A + more) / np.linalg.det(A) - 1


def shares(H, alphas):
    """Return how fast ln|H + αI| grows with the size of H."""

    def volumes(s):
        sized = np.exp(s) * H + alphas[:, None, None] * np.eye(len(H))
        return np.log(np.linalg.det(sized))

    return taylor(volumes, 1, 0.1)[1]


def refitted(Z, t, alpha, shrunk=0.0):
    """Return the fit without each pattern in its row, or with some of it left."""
    if alpha < 0:
        raise ValueError("a ridge that pushes has no fit")
    rows = []
    for n in range(len(Z)):
        counts = np.sqrt(np.where(np.arange(len(Z)) == n, shrunk, 1.0))
        below = np.vstack([counts[:, None] * Z, np.sqrt(alpha) * np.eye(Z.shape[1])])
        wanted = np.append(counts * t, np.zeros(Z.shape[1]))
        rows.append(np.linalg.lstsq(below, wanted, rcond=None)[0])
    return np.stack(rows)


def fitted(Z, t, alpha):
    """Return the fit with all patterns, in a row for each."""
    return refitted(Z, t, alpha, 1.0)


def leverages(Z, alpha):
    """Return ρ_n as a column."""
    return volume_gain(Z, Z.T @ Z + alpha * np.eye(Z.shape[1]))[:, None]


def bowl(J, M):
    """Return the second derivatives by w of ½ Σ_n (J_n w)ᵀ M_n (J_n w)."""

    def half_squares(w):
        a = np.moveaxis(J @ w.T, -1, 0)
        return ((a[..., None, :] @ M)[..., 0, :] * a).sum((-2, -1)) / 2

    P = J.shape[2]
    return second_derivatives(lambda u, v: half_squares(1 + u + v), P, P)


def wired(z, S):
    """Return ∂a_k/∂w_ji of each pattern, (N, K, JI)."""
    each = S[:, :, :, None] * z[:, None, None, :]
    return each.reshape(*S.shape[:2], -1)


def strangers(z, S, M):
    """Return the block if what goes in and what comes back are of any two patterns."""
    N = len(z)
    pairs = wired(np.tile(z, (N, 1)), np.repeat(S, N, 0))
    return bowl(pairs, np.repeat(M, N, 0) / N)


def other_order(G, z, S):
    """Return a block whose weights are listed input by input."""
    J, I = S.shape[2], z.shape[1]
    return G.reshape(J, I, J, I).transpose(1, 0, 3, 2).reshape(J * I, J * I)


def matrix_sign(Gamma):
    """Return the corner of the sign of the symmetric matrix with Γ in its corners."""
    m, n = Gamma.shape
    both = np.block([[np.zeros((m, m)), Gamma], [Gamma.T, np.zeros((n, n))]])
    size, axes = np.linalg.eigh(both)
    signs = np.sign(size) * (np.abs(size) > 1e-8 * np.abs(size).max())
    return ((axes * signs) @ axes.T)[:m, m:]
