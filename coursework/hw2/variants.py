"""The numbers of right and of wrong answers to assignment 2, found by small changes."""

import numpy as np

from coursework.witness import (
    by_columns,
    cut,
    error_at,
    flat,
    gradient,
    line,
    outputs,
    slope_of,
    sums,
    taylor,
    weighted,
)


def carried(V, delta, a, slope, columns=slice(1, None)):
    """Return the change of Σ_k δ_k a_k with the sums a below, for straight units."""
    h = line(a, np.tanh(a), slope(a))
    U = V[:, columns]
    return by_columns(lambda moved: ((h(moved) @ U.T) * delta).sum(1), a)


def below(V, delta, a):
    """Return the change of Σ_k δ_k a_k with the sums a below."""
    return by_columns(lambda moved: (weighted(V, np.tanh(moved)) * delta).sum(1), a)


def tanh_slopes(a):
    """Return the slope of the hidden unit."""
    return slope_of(np.tanh, a)


def own_slopes(a, unit):
    """Return ∂y_k/∂a_k, or y_k(1 − y_k) for a softmax too."""
    if unit == "softmax":
        y = outputs(a, unit)
        return y * (1 - y)
    return slope_of(lambda moved: outputs(moved, unit), a)


def by_pattern(G, W, X, T, unit):
    """Return one gradient a pattern."""
    each = [gradient(W, X[n : n + 1], T[n : n + 1], unit) for n in range(len(X))]
    return [np.stack(tables) for tables in zip(*each, strict=True)]


def of_outputs(G, W, X, T, unit):
    """Return the gradient of the sum of all output sums."""
    w, each = flat(W), np.eye(flat(W).size)
    nudged = taylor(lambda s: sums(cut(w + s * each, W), X)[-1].sum((-2, -1)))
    return cut(nudged[1], W)


def without_biases(table):
    """Return the table with 0 for the biases."""
    return table * (np.arange(table.shape[1]) > 0)


def mean_slope(W, X, T, unit, step, sides=(1, -1), moved=None):
    """Return the mean slope of E over the steps to these sides, a table a layer.

    It comes from the powers of a step; `moved` names one weight for all of them.
    """
    w, each = flat(W), np.eye(flat(W).size)
    each = each if moved is None else each[moved : moved + 1]
    c = taylor(lambda s: error_at(cut(w + s * each, W), X, T, unit), 11, 0.2, 24)
    slopes = [
        sum(c[m] * (side * step) ** (m - 1) for m in range(1, len(c))) for side in sides
    ]
    mean = np.mean(slopes, 0)
    return cut(mean, W) if moved is None else mean[0]


def adding_up(W, X, T, unit, step):
    """Return the slopes where each weight stays at w − ε after its turn."""
    w, places = flat(W), np.arange(flat(W).size)
    return cut(
        np.array([
            mean_slope(cut(w - step * (places < p), W), X, T, unit, step, moved=p)
            for p in places
        ]),
        W,
    )  # fmt: skip
