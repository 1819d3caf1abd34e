"""Wrong answers to assignment 3: the right formulas, each changed in one place."""

import numpy as np
from planted_1 import output_derivative, tanh_slope, with_one
from planted_2 import error_gradient, outputs


def bend(a):
    """Return h''(a)."""
    return -2 * np.tanh(a) / np.cosh(a) ** 2


def matrix(table):
    """Return a table of four axes as a matrix."""
    a, b, c, d = table.shape
    return table.reshape(a * b, c * d)


def diagonal_of(M):
    """Return M with its diagonal alone."""
    return np.einsum("nkl,kl->nkl", M, np.eye(M.shape[1]))


def one(M):
    """Return the identity in place of every M_n."""
    return np.broadcast_to(np.eye(M.shape[1]), M.shape)


def output_block(z, M, form=matrix, axes="kjlJ"):
    """Return the block of the output layer."""
    return form(np.einsum(f"nj,nJ,nkl->{axes}", z, z, M))


def hidden_block(
    x, h1, h2, V, delta, M, form=matrix, axes="jiJI", columns=slice(1, None),
    alone="jJ", outer=1.0, slope=True, everywhere=False, once=False,
):  # fmt: skip
    """Return the block of the hidden layer, with these changes."""
    U = V[:, columns]
    I = np.eye(len(U.T))
    h = h1 if slope else np.ones_like(h1)
    other = np.ones_like(h) if once else h
    WMW = np.einsum("nj,nJ,kj,lJ,nkl->njJ", h, other, U, U, M) * outer
    curve = np.einsum("nj,nj->nj", h2, delta @ U)
    spread = curve[:, :, None] * (np.ones_like(I) if everywhere else I)
    B = spread + (WMW if alone == "jJ" else WMW * I)
    return form(np.einsum(f"njJ,ni,nI->{axes}", B, x, x))


def hidden(**changes):
    """Return the block of the hidden layer with these changes."""
    return lambda *p: hidden_block(*p, **changes)


def mixed_block(
    x, h1, z, V, delta, M, form=matrix, axes="jikJ", columns=slice(1, None),
    fed=1.0, outer=1.0, shift=1,
):  # fmt: skip
    """Return the mixed block, with these changes."""
    I = np.roll(np.eye(len(V.T) - 1, len(V.T)), shift, 1)
    one = np.einsum("nj,nk,jJ->njkJ", h1, delta, I) * fed
    two = np.einsum("nj,nJ,lj,nkl->njkJ", h1, z, V[:, columns], M) * outer
    return form(np.einsum(f"ni,njkJ->{axes}", x, one + two))


def mixed(**changes):
    """Return the mixed block with these changes."""
    return lambda *p: mixed_block(*p, **changes)


def of_any(block, axes, exchanged):
    """Return what can be wrong with any block."""
    return {
        "mean for sum": lambda *p: block(*p) / len(p[0]),
        "patterns not summed": lambda *p: np.stack([
            block(*(q[n : n + 1] if len(q) == len(p[0]) else q for q in p))
            for n in range(len(p[0]))
        ]),
        "order exchanged": lambda *p: block(*p, axes=exchanged),
        "table for matrix": lambda *p: block(*p, form=np.asarray),
        "sign": lambda *p: -block(*p),
    }  # fmt: skip


def product(W, X, T, V, unit, slope2=bend, vd=1, rz=1, rd=1, M=None, with_delta=1):
    """Return Hv, a table a layer, with these terms."""
    a, z, R_a, R_z = [], [with_one(X)], [], [np.zeros((len(X), 1 + X.shape[1]))]
    for U, v in zip(W, V, strict=True):
        a.append(z[-1] @ U.T)
        R_a.append(R_z[-1] @ U.T + z[-1] @ v.T)
        z.append(with_one(np.tanh(a[-1])))
        R_z.append(np.column_stack([0 * X[:, 0], tanh_slope(a[-1]) * R_a[-1]]))
    delta = (outputs(a[-1], unit) - T) * with_delta
    middle = output_derivative(a[-1], unit)
    R_d = np.einsum("nkl,nl->nk", M(middle) if M else middle, R_a[-1])
    tables = []
    for l in range(len(W) - 1, -1, -1):
        tables.insert(0, rd * R_d.T @ z[l] + rz * delta.T @ R_z[l])
        if l:
            back, h = delta @ W[l][:, 1:], tanh_slope(a[l - 1])
            R_d = (
                slope2(a[l - 1]) * R_a[l - 1] * back
                + h * (vd * (delta @ V[l][:, 1:]) + R_d @ W[l][:, 1:])
            )  # fmt: skip
            delta = h * back
    return tables


def Hv(**changes):  # noqa: N802
    """Return the product with these changes."""
    return lambda *at: product(*at, **changes)


def no_biases(V):
    """Return tables with 0 for the biases."""
    return [np.column_stack([0 * U[:, 0], U[:, 1:]]) for U in V]


def gradients_apart(W, X, T, V, unit):
    """Return the gradient at w + v less that at w."""
    there = error_gradient([U + v for U, v in zip(W, V, strict=True)], X, T, unit)
    here = error_gradient(W, X, T, unit)
    return [p - q for p, q in zip(there, here, strict=True)]


PLANTED = {
    "q1": {
        "slope for bend": tanh_slope,
        "sign": lambda a: -bend(a),
        "2 lost": lambda a: bend(a) / 2,
        "inner derivative missing": lambda a: -2 * np.tanh(a),
        "a for z": lambda a: -2 * a * tanh_slope(a),
        "unit for bend": np.tanh,
        "h lost": lambda a: -2 * tanh_slope(a),
    },
    "q2": {
        "diagonal of M only": lambda z, M: output_block(z, diagonal_of(M)),
        "M left out": lambda z, M: output_block(z, one(M)),
        "M summed first": lambda z, M: np.kron(M.sum(0), z.T @ z),
        "biases missing": lambda z, M: output_block(z[:, 1:], M),
        **of_any(output_block, "kjlJ", "jkJl"),
    },
    "q3": {
        "bend left out": lambda x, h1, h2, *p: hidden_block(x, h1, 0 * h2, *p),
        "bend alone": hidden(outer=0.0),
        "bend turned round": lambda x, h1, h2, V, d, M: hidden_block(
            x, h1, h2, V, -d, M
        ),
        "h′ missing": hidden(slope=False),
        "h′ in the bend": lambda x, h1, h2, *p: hidden_block(x, h1, h1 * h2, *p),
        "h′ once": hidden(once=True),
        "I_jj′ missing": hidden(everywhere=True),
        "I_jj′ too often": hidden(alone="j"),
        "diagonal of M only": lambda *p: hidden_block(*p[:-1], diagonal_of(p[-1])),
        "M left out": lambda *p: hidden_block(*p[:-1], one(p[-1])),
        "last column dropped": hidden(columns=slice(0, -1)),
        **of_any(hidden_block, "jiJI", "ijIJ"),
    },
    "q4": {
        "δ term missing": mixed(fed=0.0),
        "M term missing": mixed(outer=0.0),
        "δ turned round": mixed(fed=-1.0),
        "I_jj′ off by one": mixed(shift=0),
        "h′ missing": lambda x, h1, *p: mixed_block(x, np.ones_like(h1), *p),
        "h′ missing beside δ": lambda x, h1, *p: (
            mixed_block(x, np.ones_like(h1), *p, outer=0.0)
            + mixed_block(x, h1, *p, fed=0.0)
        ),
        "h′ missing beside M": lambda x, h1, *p: (
            mixed_block(x, np.ones_like(h1), *p, fed=0.0)
            + mixed_block(x, h1, *p, outer=0.0)
        ),
        "diagonal of M only": lambda *p: mixed_block(*p[:-1], diagonal_of(p[-1])),
        "last column dropped": mixed(columns=slice(0, -1)),
        "transposed": lambda *p: mixed_block(*p).T,
        **of_any(mixed_block, "jikJ", "ijJk"),
    },
    "q5": {
        "symmetric half missing": lambda A, B, C: np.block([[A, B], [0 * B.T, C]]),
        "other half missing": lambda A, B, C: np.block([[A, 0 * B], [B.T, C]]),
        "mixed block missing": lambda A, B, C: np.block([[A, 0 * B], [0 * B.T, C]]),
        "mixed block halved": lambda A, B, C: np.block([[A, B / 2], [B.T / 2, C]]),
        "layers exchanged": lambda A, B, C: np.block([[C, B.T], [B, A]]),
        "sign": lambda A, B, C: np.block([[A, B], [-B.T, C]]),
        "raises": lambda A, B, C: np.block([[A, B], [B, C]]),
    },
    "q6": {
        "h″ missing": Hv(slope2=np.zeros_like),
        "v δ missing": Hv(vd=0),
        "R{z} missing": Hv(rz=0),
        "R{δ} missing": Hv(rd=0),
        "outer product alone": Hv(with_delta=0),
        "M left out": Hv(M=one),
        "diagonal of M only": Hv(M=diagonal_of),
        "biases of v left out": lambda W, X, T, V, unit: product(
            W, X, T, no_biases(V), unit
        ),
        "biases left out": lambda *at: no_biases(product(*at)),
        "a whole step": gradients_apart,
        "gradient": lambda W, X, T, V, unit: error_gradient(W, X, T, unit),
        "sign": lambda *at: [-p for p in product(*at)],
        "mean for sum": lambda *at: [p / len(at[1]) for p in product(*at)],
        "one vector": lambda *at: np.concatenate([p.ravel() for p in product(*at)]),
        "changes its argument": lambda W, X, T, V, unit: (
            V.reverse() or product(W, X, T, V[::-1], unit)
        ),
    },
}
RIGHT = {
    "q1": bend,
    "q2": output_block,
    "q3": hidden_block,
    "q4": mixed_block,
    "q5": lambda A, B, C: np.block([[A, B], [B.T, C]]),
    "q6": product,
}
