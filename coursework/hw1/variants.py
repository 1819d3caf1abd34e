"""The numbers of right and of wrong answers to assignment 1, found by small changes."""

import numpy as np

from coursework.witness import (
    by_columns,
    line,
    outputs,
    slope_of,
    straight,
    sums,
    weighted,
)


def derivative(a, unit):
    """Return ∂y_k/∂a_l of each pattern."""
    return by_columns(lambda moved: outputs(moved, unit), a)


def diagonal(dy_da):
    """Return only the diagonals, as vectors."""
    return np.diagonal(dy_da, axis1=1, axis2=2)


def on_diagonal(vectors):
    """Return the matrices with these diagonals."""
    return vectors[..., None] * np.eye(vectors.shape[-1])


def crossed(M, a):
    """Return I_kl y_k − y_k y_l of sigmoid outputs, which is wrong for them."""
    y = outputs(a, "sigmoid")
    return M * np.eye(a.shape[1]) - (1 - np.eye(a.shape[1])) * (
        y[:, :, None] * y[:, None, :]
    )


def tanh_slopes(M, a, unit):
    """Return 1 − y² on the diagonal for sigmoid outputs."""
    return on_diagonal(1 - outputs(a, unit) ** 2) if unit == "sigmoid" else M


def rival(a):
    """Return y_k (1 − y_l) of a softmax for every k and l."""
    y = outputs(a, "softmax")
    return y[:, :, None] * (1 - y[:, None, :])


def one_layer_off(W, X, unit):
    """Return ∂y/∂x with each slope of tanh before the product with W, not after it."""
    at = sums(W, X)
    slopes = [np.ones_like(at[0]), *(slope_of(np.tanh, a) for a in at[1:])]
    units = [line(a, np.tanh(a), s) for a, s in zip(at[:-1], slopes[:-1], strict=True)]
    last = (lambda a: slope_of(np.tanh, a)) if len(W) > 1 else None
    return carried(W, X, unit, last=last, units=units)


def carried(W, X, unit, slope=None, last=None, first_column=1, to=outputs, units=None):
    """Return ∂y/∂x of the network, or of one with straight units.

    `slope` makes the hidden units straight lines, or `units` says which lines they are;
    `last` does so with the outputs;
    with `first_column` 0, changes pass through the columns of W shifted by one.
    """
    a = sums(W, X)
    V = [layer[:, first_column:][:, : layer.shape[1] - 1] for layer in W]
    h = units or straight(W, X, slope or (lambda at: slope_of(np.tanh, at)))

    def moved(x):
        change = x - X
        for l, layer in enumerate(V):
            change = change @ layer.T
            if l < len(V) - 1:
                change = h[l](a[l] + change) - h[l](a[l])
        scale = 1 if last is None else last(a[-1])
        return to(a[-1] + scale * change, unit)

    return by_columns(moved, X)


def by_network(W, X, unit):
    """Return ∂y/∂x from the forward pass."""
    return by_columns(lambda x: outputs(sums(W, x)[-1], unit), X)


def alone(at, unit):
    """Return y where each y_k hears of its own a_k alone, near the sums `at`."""

    def y(a, _):
        columns = []
        for k in range(at.shape[1]):
            only = at.astype(a.dtype)
            only[:, k] = a[:, k]
            columns.append(outputs(only, unit)[:, k])
        return np.stack(columns, -1)

    return y


def with_bias_column(J, W, X, unit):
    """Return ∂y/∂x with the constant unit as an input in front."""
    rest = W[1:]

    def y(z):
        a = z @ W[0].T
        for V in rest:
            a = weighted(V, np.tanh(a))
        return outputs(a, unit)

    return by_columns(y, np.concatenate([np.ones((len(X), 1)), X], 1))


def batch_of_batches(J):
    """Return the derivatives of all outputs of all patterns by all inputs of all."""
    N, K, D = J.shape
    full = np.zeros((N, K, N, D))
    full[np.arange(N), :, np.arange(N)] = J
    return full
