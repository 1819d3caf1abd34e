"""The numbers of right and of wrong answers to assignment 4, found by small changes."""

import numpy as np

from coursework.witness import (
    by_columns,
    cut,
    flat,
    outputs,
    second_derivatives,
    sums,
    taylor,
)


def bowl(J, middle):
    """Return the second derivatives by w of ½ Σ_n (J_n w)ᵀ M_n (J_n w)."""

    def half_squares(w):
        a = np.moveaxis(J @ w.T, -1, 0)
        return ((a[..., None, :] @ middle)[..., 0, :] * a).sum((-2, -1)) / 2

    P = J.shape[2]
    return second_derivatives(lambda u, v: half_squares(1 + u + v), P, P)


def identities(J):
    """Return the identity for each pattern."""
    return np.broadcast_to(np.eye(J.shape[1]), (len(J), J.shape[1], J.shape[1]))


def some_jacobian(N, K, P, seed):
    """Return J of shape (N, K, P)."""
    return np.random.default_rng(seed).normal(size=(N, K, P))


def crossed_patterns(J):
    """Return the products of every row of J with every other, (N K, N K)."""
    rows = J.reshape(-1, J.shape[2])
    turned = np.moveaxis(rows, -1, 0)[:, None, :]
    return bowl(turned, np.ones((len(turned), 1, 1)))


def middle(Y, unit):
    """Return M of each pattern, from what a small step of the sums does to y."""
    if unit == "linear":
        return np.broadcast_to(np.eye(Y.shape[1]), (*Y.shape, Y.shape[1]))
    a = np.log(Y / (1 - Y)) if unit == "sigmoid" else np.log(Y)
    return by_columns(lambda moved: outputs(moved, unit), a)


def products(Y):
    """Return I_kl y_k − y_k y_l, whatever y is."""
    return on_diagonal(Y) - Y[:, :, None] * Y[:, None, :]


def outer(J, Y, unit):
    """Return the outer-product matrix."""
    return bowl(J, middle(Y, unit))


def empirical(J, R):
    """Return the second derivatives of ½ Σ_n (Σ_k R_nk J_nk w)²."""
    return bowl((R[:, None, :] @ J), np.ones((len(J), 1, 1)))


def nudged(W, X, hidden=None):
    """Return ∂a_k/∂w, (N, K, P), by nudging every weight."""
    w, each = flat(W), np.eye(flat(W).size)
    moved = taylor(lambda s: sums(cut(w + s * each, W), X, hidden)[-1])[1]
    return np.moveaxis(moved, 0, -1)


def rearranged(J, W, change):
    """Return J with the places of every table changed by change(places)."""
    places = cut(np.arange(J.shape[2]), W)
    return J[..., np.concatenate([change(table).ravel() for table in places])]


def without_biases(J, W, X):
    """Return J with 0 for the biases."""
    weight = [np.arange(V.shape[1]) + 0 * V > 0 for V in W]
    return J * flat(weight)


def on_diagonal(v):
    """Return the matrices with these diagonals."""
    return v[..., None] * np.eye(v.shape[-1])
