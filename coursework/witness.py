"""What the self-checks know: how to run a network forward, and how to take differences.

A network is a list `W` of weight matrices with the biases in column 0. Each may have
leading axes: a stack of networks runs at once. Complex numbers pass through.
"""

import numpy as np


def central(f, x, step=1e-5):
    """Return ∂f/∂x, of shape f(x).shape + x.shape, by central differences."""
    columns = []
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = step
        columns.append((f(x + e) - f(x - e)) / (2 * step))
    return np.stack(columns, -1).reshape(columns[0].shape + x.shape)


def by_columns(f, X, step=1e-5):
    """Return ∂f_n/∂x_ni where row n of f depends on row n of X alone, axis i last."""
    e = step * np.eye(X.shape[-1])
    return np.stack([(f(X + d) - f(X - d)) / (2 * step) for d in e], -1)


def slope_of(h, a):
    """Return dh/da, elementwise."""
    return (h(a + 1e-5) - h(a - 1e-5)) / 2e-5


def logistic(a):
    """Return the logistic sigmoid of a."""
    return np.exp(a - np.logaddexp(0, a)) if np.isrealobj(a) else 1 / (1 + np.exp(-a))


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
        each = np.log(1 + np.exp(a)) - T * a
    else:
        top = a.real.max(-1, keepdims=True)
        each = T * (top + np.log(np.exp(a - top).sum(-1, keepdims=True)) - a)
    return each.sum((-2, -1))


def straight(W, X, slope):
    """Return hidden units that are straight lines, with `slope`(a) at the point X."""
    return [
        lambda a, at=at: np.tanh(at) + slope(at) * (a - at) for at in sums(W, X)[:-1]
    ]


def random_network(sizes, seed):
    """Return the weights of a network with these layers."""
    rng = np.random.default_rng(seed)
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return [rng.normal(size=(m_out, 1 + m_in)) * 0.7 for m_in, m_out in pairs]


def random_patterns(n, d, seed):
    """Return n patterns of d inputs."""
    return np.random.default_rng(seed).normal(size=(n, d))
