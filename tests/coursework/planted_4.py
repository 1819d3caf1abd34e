"""Wrong answers to assignment 4: the right formulas, each changed in one place."""

import numpy as np
from planted_1 import sigmoid_slope, tanh_slope, with_one


def middle(Y, unit):
    """Return M from y."""
    if unit == "linear":
        return np.stack([np.eye(Y.shape[1])] * len(Y))
    if unit == "sigmoid":
        return np.stack([np.diag(y * (1 - y)) for y in Y])
    return np.stack([np.diag(y) - np.outer(y, y) for y in Y])


def outer_product(J, Y, unit, change=lambda M: M):
    """Return Σ JᵀMJ, with a change of M."""
    return sum(j.T @ change(m) @ j for j, m in zip(J, middle(Y, unit), strict=True))


def squares(J):
    """Return Σ JᵀJ."""
    return np.einsum("nkp,nkq->pq", J, J)


def parameter_jacobian(W, X, slope=tanh_slope, at="a", order="C", last=False):
    """Return ∂a_k/∂w, with these changes."""
    a, z = [], [with_one(X)]
    for V in W:
        a.append(z[-1] @ V.T)
        z.append(with_one(np.tanh(a[-1])))
    B = np.stack([np.eye(len(W[-1]))] * len(X))
    parts = []
    for l in range(len(W) - 1, -1, -1):
        table = B[..., None] * z[l][:, None, None, :]
        table = table if order == "C" else table.swapaxes(2, 3)
        parts.insert(0, table.reshape(*B.shape[:2], -1) * (not last or l == len(W) - 1))
        if l:
            where = a[l - 1] if at == "a" else z[l][:, 1:]
            B = B @ W[l][:, 1:] * slope(where)[:, None]
    return np.concatenate(parts, -1)


def jacobian(**changes):
    """Return the Jacobian with these changes."""
    return lambda W, X: parameter_jacobian(W, X, **changes)


def picked(W, pick):
    """Return the places of the weights, table by table, as `pick` leaves them."""
    ends = np.cumsum([0] + [V.size for V in W])
    places = [
        start + np.arange(V.size).reshape(V.shape)
        for start, V in zip(ends, W, strict=False)
    ]
    return [pick(table).ravel() for table in places]


def biases_zero(W, X):
    """Return the Jacobian with 0 for the biases."""
    J = parameter_jacobian(W, X)
    J[..., np.concatenate(picked(W, lambda t: t[:, 0]))] = 0
    return J


def gradients(J, Y, T):
    """Return the gradient of each pattern."""
    return np.einsum("nkp,nk->np", J, Y - T)


def fisher(J, Y, T):
    """Return Σ g gᵀ."""
    return gradients(J, Y, T).T @ gradients(J, Y, T)


def lm(J, r, damping, extra=1.0):
    """Return the step by least squares, with `extra`·√damping below J."""
    P = J.shape[1]
    A = np.concatenate([J, extra * np.sqrt(damping) * np.eye(P)])
    return np.linalg.lstsq(A, np.concatenate([-r, np.zeros(P)]), rcond=None)[0]


def below(row):
    """Return the step by least squares, with the rows row(J, damping) below J."""

    def step(J, r, damping):
        extra = row(J, damping)
        A, b = np.vstack([J, extra]), np.r_[-r, np.zeros(len(extra))]
        return np.linalg.lstsq(A, b, rcond=None)[0]

    return step


def solved(matrix):
    """Return the step of the normal equations where that is safe, with a change."""

    def step(J, r, damping):
        if damping == 0:
            return lm(J, r, damping)
        return np.linalg.solve(matrix(J.T @ J, damping), -J.T @ r)

    return step


def variances(J, r):
    """Return the variances of the parameters."""
    return r @ r / (len(r) - J.shape[1]) * np.diag(np.linalg.inv(J.T @ J))


def deviations(change):
    """Return sd with the variance changed."""
    return lambda J, r: np.sqrt(change(variances(J, r), J, r))


PLANTED = {
    "q1": {
        "mean for sum": lambda J: squares(J) / len(J),
        "mean over outputs": lambda J: squares(J) / J[..., 0].size,
        "½ lost": lambda J: 2 * squares(J),
        "half": lambda J: squares(J) / 2,
        "patterns not summed": lambda J: J.transpose(0, 2, 1) @ J,
        "summed before the product": lambda J: J.sum(0).T @ J.sum(0),
        "summed over n before": lambda J: np.outer(J.sum((0, 1)), J.sum((0, 1))),
        "summed over k before": lambda J: J.sum(1).T @ J.sum(1),
        "patterns for parameters": lambda J: (
            J.reshape(-1, J.shape[2]) @ J.reshape(-1, J.shape[2]).T
        ),
        "first output only": lambda J: J[:, 0].T @ J[:, 0],
        "diagonal only": lambda J: np.diag(np.diag(squares(J))),
    },
    "q2": {
        "M left out": lambda J, Y, unit: squares(J),
        "softmax diagonal only": lambda *at: outer_product(
            *at, lambda M: np.diag(np.diag(M))
        ),
        "∇y for ∇a": lambda *at: outer_product(*at, lambda M: M @ M),
        "∇y for ∇a, and M": lambda *at: outer_product(*at, lambda M: M @ M @ M),
        "linear falls through": lambda J, Y, unit: outer_product(
            J, Y, "softmax" if unit == "linear" else unit
        ),
        "y_k (1 − y_l)": lambda J, Y, unit: (
            np.einsum("nkp,nk,nl,nlq->pq", J, Y, 1 - Y, J)
            if unit == "softmax"
            else outer_product(J, Y, unit)
        ),
        "y for M": lambda J, Y, unit: (
            squares(J) if unit == "linear" else np.einsum("nkp,nk,nkq->pq", J, Y, J)
        ),
        "inverse of M": lambda J, Y, unit: outer_product(
            J, Y, unit, np.linalg.inv if unit == "sigmoid" else np.asarray
        ),
        "softmax sign": lambda *at: outer_product(*at, abs),
        "mean for sum": lambda J, Y, unit: outer_product(J, Y, unit) / len(J),
        "½ lost": lambda *at: 2 * outer_product(*at),
        "patterns not summed": lambda J, Y, unit: (
            J.swapaxes(1, 2) @ middle(Y, unit) @ J
        ),
    },
    "q3": {
        "h′ missing": jacobian(slope=np.ones_like),
        "wrong unit's slope": jacobian(slope=sigmoid_slope),
        "unit for slope": jacobian(slope=np.tanh),
        "slope at z": jacobian(at="z"),
        "biases left out": biases_zero,
        "no place for biases": lambda W, X: parameter_jacobian(W, X)[
            ..., np.concatenate(picked(W, lambda t: t[:, 1:]))
        ],
        "order exchanged": jacobian(order="F"),
        "biases last": lambda W, X: parameter_jacobian(W, X)[
            ...,
            np.concatenate(picked(W, lambda t: np.c_[t[:, 1:], t[:, :1]])),
        ],
        "layers reversed": lambda W, X: parameter_jacobian(W, X)[
            ..., np.concatenate(picked(W, lambda t: t)[::-1])
        ],
        "last layer only": jacobian(last=True),
        "axes exchanged": lambda W, X: parameter_jacobian(W, X).transpose(0, 2, 1),
        "patterns summed": lambda W, X: parameter_jacobian(W, X).sum(0),
        "outputs summed": lambda W, X: parameter_jacobian(W, X).sum(1),
        "sign": lambda W, X: -parameter_jacobian(W, X),
    },
    "q4": {
        "summed before the product": lambda *at: np.outer(
            gradients(*at).sum(0), gradients(*at).sum(0)
        ),
        "outputs apart": lambda J, Y, T: np.einsum(
            "nkp,nkq,nk->pq", J, J, (Y - T) ** 2
        ),
        "residual left out": lambda J, Y, T: squares(J),
        "residual not squared": lambda J, Y, T: np.einsum(
            "nkp,nkq,nk->pq", J, J, Y - T
        ),
        "output for residual": lambda J, Y, T: fisher(J, Y, 0),
        "mean for sum": lambda J, Y, T: fisher(J, Y, T) / len(J),
        "patterns not summed": lambda *at: np.einsum(
            "np,nq->npq", gradients(*at), gradients(*at)
        ),
        "gradients themselves": gradients,
    },
    "q5": {
        "sign": lambda *at: -lm(*at),
        "damping left out": lambda J, r, damping: lm(J, r, 0.0),
        "damping squared": below(lambda J, damping: damping * np.eye(J.shape[1])),
        "damping rooted": below(lambda J, damping: damping**0.25 * np.eye(J.shape[1])),
        "damping subtracted": solved(lambda A, l: A - l * np.eye(len(A))),
        "Marquardt's scaling": solved(lambda A, l: A + l * np.diag(np.diag(A))),
        "2 lost": solved(lambda A, l: 2 * A + l * np.eye(len(A))),
        "gradient": lambda J, r, damping: -J.T @ r,
        "diagonal only": lambda J, r, damping: -J.T @ r / (np.diag(J.T @ J) + damping),
        "new weights for step": lambda *at: 1 - lm(*at),
        "raises": lambda J, r, l: np.linalg.solve(
            J.T @ J + l * np.eye(J.shape[1]), -J.T @ r
        ),
    },
    "q6": {
        "N for N − P": deviations(lambda v, J, r: v * 3 / len(r)),
        "N − 1 for N − P": deviations(lambda v, J, r: v * 3 / (len(r) - 1)),
        "root missing": variances,
        "s left out": deviations(lambda v, J, r: np.diag(np.linalg.inv(J.T @ J))),
        "½ left in": deviations(lambda v, J, r: v / 2),
        "inverse of the diagonal": deviations(
            lambda v, J, r: r @ r / 3 / np.diag(J.T @ J)
        ),
        "not inverted": deviations(lambda v, J, r: r @ r / 3 * np.diag(J.T @ J)),
        "covariance for deviations": lambda J, r: r @ r / 3 * np.linalg.inv(J.T @ J),
        "s for s²": deviations(lambda v, J, r: v / np.sqrt(r @ r / 3)),
    },
}
RIGHT = {
    "q1": squares,
    "q2": outer_product,
    "q3": parameter_jacobian,
    "q4": fisher,
    "q5": lm,
    "q6": lambda J, r: np.sqrt(variances(J, r)),
}
