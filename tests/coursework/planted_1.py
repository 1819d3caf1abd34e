"""Wrong answers to assignment 1: the right formulas, each changed in one place."""

import numpy as np


def with_one(z):
    """Return z with the constant 1 in column 0."""
    return np.column_stack([np.ones(len(z)), z])


def tanh_slope(a):
    """Return h'(a)."""
    return 1 / np.cosh(a) ** 2


def sigmoid(a):
    """Return the logistic sigmoid."""
    return np.where(a > 0, 1 / (1 + np.exp(-abs(a))), 1 - 1 / (1 + np.exp(-abs(a))))


def sigmoid_slope(a):
    """Return σ'(a)."""
    return sigmoid(a) * (1 - sigmoid(a))


def softmax(a):
    """Return the softmax of each row."""
    e = np.exp(a - a.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def output_derivative(a, unit):
    """Return ∂y_k/∂a_l pattern by pattern."""
    M = np.zeros((len(a), a.shape[1], a.shape[1]))
    for n, row in enumerate(a):
        y = softmax(a)[n]
        M[n] = {
            "linear": np.eye(len(row)),
            "sigmoid": np.diag(sigmoid_slope(row)),
            "softmax": np.diag(y) - np.outer(y, y),
        }[unit]
    return M


def softmax_only(change):
    """Return `output_derivative` with `change(M, y)` made to that of the softmax."""

    def changed(a, unit):
        M = output_derivative(a, unit)
        return change(M, softmax(a)) if unit == "softmax" else M

    return changed


def sigmoid_only(change):
    """Return `output_derivative` with that of the sigmoid put in its place."""

    def changed(a, unit):
        y = sigmoid(a)
        return change(y) if unit == "sigmoid" else output_derivative(a, unit)

    return changed


def diagonal(v):
    """Return matrices with the vectors v on their diagonals."""
    return np.einsum("nk,kl->nkl", v, np.eye(v.shape[1]))


def outer(y):
    """Return y_k y_l."""
    return np.einsum("nk,nl->nkl", y, y)


def input_jacobian(
    W, X, unit, slope=tanh_slope, at="a", last=None, dy_da=output_derivative, cut=None
):
    """Return J, with the slope, its place, the outputs or the columns as told."""
    cut = cut or (lambda V: V[:, 1:])
    z, a = [X], []
    for V in W:
        a.append(with_one(z[-1]) @ V.T)
        z.append(np.tanh(a[-1]))
    B = dy_da(a[-1], unit)
    if last:
        B = B * last(a[-1])[:, None, :]
    for l in range(len(W) - 1, 0, -1):
        where = z[l] if at == "z" else a[l - 1]
        B = np.einsum("nkl,lj,nj->nkj", B, cut(W[l]), slope(where))
    return np.einsum("nkj,ji->nki", B, cut(W[0]))


def jacobian(**changes):
    """Return the Jacobian with these changes, of a batch."""
    return lambda W, X, unit: input_jacobian(W, X, unit, **changes)


def after(change):
    """Return the right Jacobian, changed afterwards."""
    return lambda W, X, unit: change(input_jacobian(W, X, unit))


def of_one(function):
    """Return the same function for one pattern."""
    return lambda W, x, unit: function(W, x[None], unit)[0]


def slopes_first(W, X, unit):
    """Return J where the slopes come before the product with the weights."""
    z, a = [X], []
    for V in W:
        a.append(with_one(z[-1]) @ V.T)
        z.append(np.tanh(a[-1]))
    B = output_derivative(a[-1], unit)
    for l in range(len(W) - 1, 0, -1):
        B = (B * tanh_slope(a[l])[:, None, :]) @ W[l][:, 1:]
    return B @ W[0][:, 1:]


def biases_kept(W, X, unit):
    """Return J with a column for the biases of the first layer."""
    first = [np.column_stack([np.zeros(len(W[0])), W[0]]), *W[1:]]
    J = input_jacobian(first, np.column_stack([np.ones(len(X)), X]), unit)
    return J


def batch_of_batches(J):
    """Return the (N, K, N, D) array that is mostly 0."""
    full = np.zeros((*J.shape[:2], len(J), J.shape[2]))
    for n in range(len(J)):
        full[n, :, n] = J[n]
    return full


JACOBIANS = {
    "h′ missing": jacobian(slope=np.ones_like),
    "wrong unit's slope": jacobian(slope=sigmoid_slope),
    "sigmoid's formula": jacobian(slope=lambda z: z * (1 - z), at="z"),
    "unit for slope": jacobian(slope=np.tanh),
    "slope at z": jacobian(at="z"),
    "a for z": jacobian(slope=lambda a: 1 - a * a),
    "1 − lost": jacobian(slope=lambda z: z * z, at="z"),
    "slopes one layer off": lambda W, X, unit: slopes_first(W, X, unit),
    "h′ on the output layer": jacobian(last=tanh_slope),
    "output unit left out": lambda W, X, unit: input_jacobian(W, X, "linear"),
    "output unit twice": jacobian(
        dy_da=lambda a, unit: output_derivative(a, unit) @ output_derivative(a, unit)
    ),
    "softmax diagonal only": jacobian(
        dy_da=softmax_only(lambda M, y: diagonal(y * (1 - y)))
    ),
    "sign": after(np.negative),
    "biases kept": biases_kept,
    "last column dropped": jacobian(cut=lambda V: V[:, :-1]),
    "transposed": after(lambda J: J.transpose(0, 2, 1)),
}

PLANTED = {
    "q1": {
        "unit for slope": np.tanh,
        "slope at z": lambda a: 1 - np.tanh(np.tanh(a)) ** 2,
        "a for z": lambda a: 1 - a**2,
        "wrong unit's slope": sigmoid_slope,
        "sigmoid's formula": lambda a: np.tanh(a) - np.tanh(a) ** 2,
        "square lost": lambda a: 1 - np.tanh(a),
        "1 − lost": lambda a: np.tanh(a) ** 2,
        "few digits": lambda a: (np.tanh(a + 1e-5) - np.tanh(a - 1e-5)) / 2e-5,
        "sign": lambda a: np.tanh(a) ** 2 - 1,
        "single precision": lambda a: tanh_slope(a).astype(np.float32),
        "complex": lambda a: tanh_slope(a + 0j),
        "one vector": lambda a: tanh_slope(a).ravel(),
    },
    "q2": {
        "softmax diagonal only": softmax_only(lambda M, y: diagonal(y * (1 - y))),
        "I_kl y_k missing": softmax_only(lambda M, y: -outer(y)),
        "sign": lambda a, unit: -output_derivative(a, unit),
        "softmax sign": softmax_only(lambda M, y: outer(y) - diagonal(y)),
        "off-diagonal sign": lambda a, unit: abs(output_derivative(a, unit)),
        "vector for matrix": lambda a, unit: np.einsum(
            "nkk->nk", output_derivative(a, unit)
        ),
        "patterns summed": lambda a, unit: output_derivative(a, unit).sum(0),
        "slope at y": lambda a, unit: output_derivative(
            {"linear": lambda a: a, "sigmoid": sigmoid, "softmax": softmax}[unit](a),
            unit,
        ),
        "ones for I": lambda a, unit: (
            np.ones(np.shape(output_derivative(a, unit)))
            if unit == "linear"
            else output_derivative(a, unit)
        ),
        "softmax for sigmoid": sigmoid_only(lambda y: diagonal(y) - outer(y)),
        "tanh for sigmoid": sigmoid_only(lambda y: diagonal(1 - y * y)),
        "1 − y missing": sigmoid_only(diagonal),
        "y_k (1 − y_l)": softmax_only(
            lambda M, y: np.einsum("nk,nl->nkl", y, 1 - y)
        ),
        "linear falls through": lambda a, unit: output_derivative(
            a, "softmax" if unit == "linear" else unit
        ),
        "sigmoid falls through": lambda a, unit: output_derivative(
            a, "softmax" if unit == "sigmoid" else unit
        ),
        "axes permuted": lambda a, unit: output_derivative(a, unit).transpose(1, 2, 0),
        "factor too many": lambda a, unit: output_derivative(a, unit) / 3,
        "sign of the first of axis 0": lambda a, unit: output_derivative(a, unit)
        * np.where(np.arange(len(a)) > 0, 1, -1)[:, None, None],
        "not finite": lambda a, unit: (
            output_derivative(a, unit) * (np.exp(a).sum() / np.exp(a).sum())
        ),
    },
    "q3": {name: of_one(f) for name, f in JACOBIANS.items()},
    "q4": JACOBIANS | {
        "patterns summed": after(lambda J: J.sum(0)),
        "patterns averaged": after(lambda J: J.mean(0)),
        "one slope for all patterns": jacobian(
            slope=lambda a: np.stack([tanh_slope(a)[0]] * len(a))
        ),
        "mean slope": jacobian(
            slope=lambda a: np.stack([tanh_slope(a).mean(0)] * len(a))
        ),
        "first pattern for all": after(lambda J: np.stack([J[0]] * len(J))),
        "outputs summed": after(lambda J: J.sum(1)),
        "batch by batch": after(batch_of_batches),
        "changes its argument": lambda W, X, unit: (
            X.__imul__(2), input_jacobian(W, X, unit)
        )[1],
    },
    "q5": {
        "mean of J": lambda J, s: np.mean(J * s, 0),
        "mean of |J|": lambda J, s: np.mean(abs(J * s), 0),
        "units left in": lambda J, s: np.sqrt(np.mean(J**2, 0)),
        "divided by s": lambda J, s: np.sqrt(np.mean((J / s) ** 2, 0)),
        "sum for mean": lambda J, s: np.sqrt(np.sum((J * s) ** 2, 0)),
        "mean over outputs too": lambda J, s: np.sqrt(
            np.sum((J * s) ** 2, 0) / J.shape[1]
        ),
        "root missing": lambda J, s: np.mean((J * s) ** 2, 0),
        "root missing, s not squared": lambda J, s: np.mean(J**2, 0) * s,
        "patterns kept": lambda J, s: abs(J) * s,
        "outputs averaged": lambda J, s: np.sqrt(np.mean((J * s) ** 2, 1)),
        "transposed": lambda J, s: np.sqrt(np.mean((J * s) ** 2, 0)).T,
    },
}  # fmt: skip

RIGHT = {
    "q1": tanh_slope,
    "q2": output_derivative,
    "q3": of_one(input_jacobian),
    "q4": input_jacobian,
    "q5": lambda J, s: np.std(np.concatenate([J, -J]) * s, 0),
}
