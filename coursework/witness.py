"""What the self-checks know: how to run a network forward, and how its values change.

A network is a list `W` of weight matrices with the biases in column 0. Each may have
leading axes: a stack of networks runs at once. Complex numbers pass through.
"""

from itertools import pairwise, product

import numpy as np


def circle(points):
    """Return this many places on the unit circle of complex numbers."""
    return np.exp(2j * np.pi * np.arange(points) / points)


def powers(f, degree=2, radius=0.01, points=12):
    """Return the coefficients of f(s) in powers of s, from a circle of complex s.

    Powers that are `points` apart fall together, so the circle must be small or the
    powers few; no difference is taken, so that all digits are kept. Coefficient m has
    the index m on axis 0.
    """
    places = circle(points)
    values = np.stack([f(radius * place) for place in places])
    turned = places[:, None] ** -np.arange(degree + 1) / points
    found = turned.T @ values.reshape(points, -1)
    scale = float(radius) ** np.arange(degree + 1)
    return (found / scale[:, None]).reshape(degree + 1, *values.shape[1:])


def taylor(f, degree=2, radius=0.01, points=12):
    """Return the same for an f that is real where s is."""
    return powers(f, degree, radius, points).real


def slope_of(h, a):
    """Return dh/da, elementwise."""
    return taylor(lambda s: h(a + s))[1]


def by_columns(f, X):
    """Return ∂f_n/∂x_ni where row n of f depends on row n of X alone, axis i last."""
    axes = np.eye(X.shape[-1])
    return np.stack([taylor(lambda s, e=e: f(X + s * e))[1] for e in axes], -1)


def second_derivatives(f, n_rows, n_columns, points=4):
    """Return ∂²f/∂u∂v at 0 of f(u, v), which takes stacks of vectors.

    f is a polynomial of a degree of at most `points` in each of the two.
    """
    rows = np.repeat(np.eye(n_rows), n_columns, 0)
    columns = np.tile(np.eye(n_columns), (n_rows, 1))
    mixed = sum(
        f(s * rows, t * columns) / (s * t) for s, t in product(circle(points), repeat=2)
    )
    return (mixed / points**2).real.reshape(n_rows, n_columns)


def logistic(a):
    """Return the logistic sigmoid of a, which may be complex."""
    small = np.exp(np.where(a.real > 0, -a, a))  # no power that overflows
    return np.where(a.real > 0, 1, small) / (1 + small)


def with_one(z):
    """Return z with the constant unit z_0 = 1 in front."""
    return np.concatenate([np.ones_like(z[..., :1]), z], -1)


def weighted(V, z):
    """Return the weighted sums of a layer, biases included."""
    return with_one(z) @ np.swapaxes(V, -1, -2)


def sums(W, X, hidden=None):
    """Return the weighted sums of every layer; `hidden` may replace tanh by layers."""
    a, z = [], X
    for l, V in enumerate(W):
        a.append(weighted(V, z))
        z = hidden[l](a[l]) if hidden and l < len(W) - 1 else np.tanh(a[l])
    return a


def outputs(a, unit):
    """Return y for the weighted sums a of the outputs."""
    if unit == "linear":
        return a
    if unit == "sigmoid":
        return logistic(a)
    powers = np.exp(a - a.real.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def error_of(a, T, unit):
    """Return E, summed over patterns and outputs, for the sums a of the outputs."""
    if unit == "linear":
        each = (a - T) ** 2 / 2
    elif unit == "sigmoid":
        each = np.log(1 + np.exp(a)) - T * a  # the sums of the checks are moderate
    else:
        top = a.real.max(-1, keepdims=True)
        each = T * (top + np.log(np.exp(a - top).sum(-1, keepdims=True)) - a)
    return each.sum((-2, -1))


def straight(W, X, slope):
    """Return hidden units that are straight lines, with `slope`(a) at the point X."""
    return [line(at, np.tanh(at), slope(at)) for at in sums(W, X)[:-1]]


def line(at, value, slope):
    """Return the straight line through `value` at `at`."""
    return lambda a: value + slope * (a - at)


def random_network(sizes, seed):
    """Return the weights of a network with these layers."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(m_out, 1 + m_in)) * 0.7 for m_in, m_out in pairwise(sizes)]


def random_patterns(n, d, seed):
    """Return n patterns of d inputs."""
    return np.random.default_rng(seed).normal(size=(n, d))


# Errors and their changes with every weight


def flat(W):
    """Return all weights as one vector: W[0] row by row, then W[1], and so on."""
    return np.concatenate([V.ravel() for V in W])


def cut(w, like):
    """Return vectors of weights, on the last axis of w, as a list of tables."""
    ends = np.cumsum([V.size for V in like])
    pieces = np.split(w, ends[:-1], axis=-1)
    return [
        p.reshape(*p.shape[:-1], *V.shape) for p, V in zip(pieces, like, strict=True)
    ]


def targets(n, k, unit, seed):
    """Return targets, of shape (n, k), that the output unit can have."""
    rng = np.random.default_rng(seed)
    if unit == "linear":
        return rng.normal(size=(n, k))
    if unit == "sigmoid":
        return (rng.random((n, k)) < 0.5) * 1.0
    return np.eye(k)[rng.integers(k, size=n)]


def error_at(W, X, T, unit, hidden=None, last=None):
    """Return E of a network or a stack of them; `last` may bend the output sums."""
    a = sums(W, X, hidden)[-1]
    return error_of(last(a) if last else a, T, unit)


def gradient(W, X, T, unit, hidden=None, last=None):
    """Return ∂E/∂W, one table a layer, by nudging every weight."""
    w, each = flat(W), np.eye(flat(W).size)

    def nudged(s):
        return error_at(cut(w + s * each, W), X, T, unit, hidden, last)

    return cut(taylor(nudged)[1], W)
