"""Wrong answers to assignment 5: the right formulas, each changed in one place."""

import numpy as np


def more(change=lambda A_inv, u, rho: A_inv - np.outer(u, u) / (1 + rho)):
    """Return the update with another last line."""
    return lambda A_inv, g: change(A_inv, A_inv @ g, g @ A_inv @ g)


def gone(factor=lambda A_inv, w: w / np.diag(A_inv), rows=lambda A_inv: A_inv):
    """Return the weights after each deletion, with other factors or other rows."""

    def deleted(A_inv, w):
        c = factor(A_inv, w)
        return np.stack([w - c[q] * rows(A_inv)[q] for q in range(len(w))])

    return deleted


def one_by_one(A_inv, w):
    """Return rows in which each deletion starts from the one before."""
    A, rows = np.linalg.inv(A_inv), []
    for q in range(len(w)):
        stay, new = np.arange(len(w)) != q, np.zeros(len(w))
        new[stay] = w[stay] + np.linalg.solve(A[stay][:, stay], A[stay, q] * w[q])
        w = new
        rows.append(w)
    return np.array(rows)


def variance(J, A):
    """Return ∇aᵀA⁻¹∇a, one by one."""
    B = np.linalg.inv(A)
    return np.array([[g @ B @ g for g in rows] for rows in J])


def shares(H, alphas):
    """Return γ from a trace."""
    return np.array([np.trace(np.linalg.solve(H + a * np.eye(len(H)), H))
                     for a in alphas])  # fmt: skip


def of_eigenvalues(f):
    """Return the sums of f(λ, α)."""
    return lambda H, alphas: np.array([f(np.linalg.eigvalsh(H), a) for a in alphas])


def without(factor=lambda rho: 1 / (1 - rho), ridge=lambda alpha: alpha):
    """Return the weights without each pattern, with another factor or ridge."""

    def left_out(Z, t, alpha):
        A = Z.T @ Z + ridge(alpha) * np.eye(Z.shape[1])
        w, rows = np.linalg.solve(A, Z.T @ t), []
        for z, target in zip(Z, t, strict=True):
            u = np.linalg.solve(A, z)
            rows.append(w + u * (z @ w - target) * factor(z @ u))
        return np.array(rows)

    return left_out


def whole(Z, t, alpha):
    """Return the fit with all patterns."""
    return np.linalg.solve(Z.T @ Z + alpha * np.eye(Z.shape[1]), Z.T @ t)


def refits(Z, t, alpha):
    """Return the weights by as many fits."""
    keep = ~np.eye(len(Z), dtype=bool)
    return np.array([whole(Z[k], t[k], alpha) for k in keep])


def factors(z, S, M):
    """Return the two factors."""
    B = sum(s.T @ m @ s for s, m in zip(S, M, strict=True))
    return B, sum(np.outer(v, v) for v in z) / len(z)


def block(z, S, M):
    """Return their Kronecker product."""
    return np.kron(*factors(z, S, M))


def sizes(change):
    """Return the gradient with singular values changed, those of 0 left out."""

    def step(Gamma):
        U, s, Vt = np.linalg.svd(Gamma, full_matrices=False)
        return sum(
            change(size, s) * np.outer(u, v)
            for u, size, v in zip(U.T, s, Vt, strict=True)
            if size > 1e-9 * s[0]
        )

    return step


sign = sizes(lambda size, s: 1.0)

PLANTED = {
    "q1": {
        "1 left out": more(lambda B, u, rho: B - np.outer(u, u) / rho),
        "plus for minus": more(lambda B, u, rho: B + np.outer(u, u) / (1 + rho)),
        "not divided": more(lambda B, u, rho: B - np.outer(u, u)),
        "1 − ρ": more(lambda B, u, rho: B - np.outer(u, u) / (1 - rho)),
        "leaves for comes": more(lambda B, u, rho: B + np.outer(u, u) / (1 - rho)),
        "change alone": more(lambda B, u, rho: -np.outer(u, u) / (1 + rho)),
        "curvature for inverse": lambda A_inv, g: A_inv + np.outer(g, g),
        "g for A⁻¹g": lambda A_inv, g: A_inv - np.outer(g, g) / (1 + g @ A_inv @ g),
        "|g|² for ρ": lambda A_inv, g: (
            A_inv - np.outer(A_inv @ g, A_inv @ g) / (1 + g @ g)
        ),
        "no pattern": lambda A_inv, g: A_inv.copy(),
    },
    "q2": {
        "others stay": lambda A_inv, w: np.stack([w] * len(w)) - np.diag(w),
        "moves alone": lambda A_inv, w: gone()(A_inv, w) - w,
        "moves turned round": gone(lambda B, w: -w / np.diag(B)),
        "not divided": gone(lambda B, w: w),
        "w_q missing": gone(lambda B, w: 1 / np.diag(B)),
        "half": gone(lambda B, w: w / np.diag(B) / 2),
        "columns for rows": lambda A_inv, w: gone()(A_inv, w).T,
        "factor of the column": lambda A_inv, w: w - w / np.diag(A_inv) * A_inv,
        "diagonal of A": gone(lambda B, w: w / np.diag(np.linalg.inv(B))),
        "column of A": gone(lambda B, w: w / np.diag(np.linalg.inv(B)), np.linalg.inv),
        "all at once": one_by_one,
        "sum of moves": lambda A_inv, w: w + 0 * A_inv - (w / np.diag(A_inv)) @ A_inv,
    },
    "q3": {
        "root": lambda J, A: np.sqrt(variance(J, A)),
        "A for its inverse": lambda J, A: variance(J, np.linalg.inv(A)),
        "A left out": lambda J, A: (J**2).sum(2),
        "inverse of the diagonal": lambda J, A: (J**2 / np.diag(A)).sum(2),
        "diagonal of the inverse": lambda J, A: J**2 @ np.diag(np.linalg.inv(A)),
        "covariance": lambda J, A: J @ np.linalg.inv(A) @ J.transpose(0, 2, 1),
        "covariance of all": lambda J, A: (
            lambda rows: rows @ np.linalg.inv(A) @ rows.T
        )(J.reshape(-1, len(A))),
        "noise added": lambda J, A: 1 + variance(J, A),
        "one long vector": lambda J, A: variance(J, A).ravel(),
        "half": lambda J, A: 0.5 * variance(J, A),
        "twice inverted": lambda J, A: variance(J, A @ A),
        "outputs summed": lambda J, A: variance(J, A).sum(1),
    },
    "q4": {
        "share of the ridge": of_eigenvalues(lambda l, a: np.sum(a / (l + a))),
        "all of them": lambda H, alphas: np.array([float(len(H)) for _ in alphas]),
        "rank": of_eigenvalues(lambda l, a: np.sum(l > 1e-9)),
        "counted": of_eigenvalues(lambda l, a: np.sum(l > a)),
        "mean for sum": of_eigenvalues(lambda l, a: np.mean(l / (l + a))),
        "diagonal for eigenvalues": lambda H, alphas: np.array(
            [np.sum(np.diag(H) / (np.diag(H) + a)) for a in alphas]
        ),
        "trace of A⁻¹": of_eigenvalues(lambda l, a: np.sum(1 / (l + a))),
        "α² for α": of_eigenvalues(lambda l, a: np.sum(l / (l + a**2))),
        "λ² for λ": of_eigenvalues(lambda l, a: np.sum(l**2 / (l**2 + a))),
        "√λ for λ": of_eigenvalues(
            lambda l, a: np.sum(
                np.sqrt(np.maximum(l, 0)) / (np.sqrt(np.maximum(l, 0)) + a)
            )
        ),
        "shares not summed": of_eigenvalues(lambda l, a: l / (l + a)),
    },
    "q5": {
        "leverage left out": without(lambda rho: 1),
        "1 + ρ": without(lambda rho: 1 / (1 + rho)),
        "1 left out": without(lambda rho: 1 / rho),
        "multiplied by 1 − ρ": without(lambda rho: 1 - rho),
        "1 − ρ squared": without(lambda rho: 1 / (1 - rho) ** 2),
        "root of 1 − ρ": without(lambda rho: 1 / np.sqrt(1 - rho)),
        "residual turned round": without(lambda rho: -1 / (1 - rho)),
        "moves alone": lambda Z, t, alpha: refits(Z, t, alpha) - whole(Z, t, alpha),
        "nothing left out": lambda Z, t, alpha: np.array([whole(Z, t, alpha)] * len(Z)),
        "a column each": lambda Z, t, alpha: refits(Z, t, alpha).T,
        "moves twice as long": without(lambda rho: 2 / (1 - rho)),
        "ridge left out": lambda Z, t, alpha: np.array(
            [np.linalg.pinv(Z[k]) @ t[k] for k in ~np.eye(len(Z), dtype=bool)]
        ),
        "ridge squared": without(ridge=lambda alpha: alpha**2),
        "ridge halved": without(ridge=lambda alpha: alpha / 2),
        "ridge doubled": without(ridge=lambda alpha: 2 * alpha),
        "target 0": lambda Z, t, alpha: np.array(
            [whole(Z, np.where(gap, 0, t), alpha) for gap in np.eye(len(t))]
        ),
        "outputs": lambda Z, t, alpha: np.einsum("np,np->n", Z, refits(Z, t, alpha)),
    },
    "q6": {
        "exact block": lambda z, S, M: sum(
            np.kron(s.T @ m @ s, np.outer(v, v))
            for v, s, m in zip(z, S, M, strict=True)
        ),
        "factors exchanged": lambda z, S, M: np.kron(*factors(z, S, M)[::-1]),
        "two means": lambda z, S, M: block(z, S, M) / len(S),
        "two sums": lambda z, S, M: block(z, S, M) * len(S),
        "M left out": lambda z, S, M: block(z, S, [np.eye(len(m)) for m in M]),
        "M twice": lambda z, S, M: block(z, S, M @ M),
        "diagonal of M": lambda z, S, M: block(z, S, M * np.eye(M.shape[1])),
        "inputs averaged first": lambda z, S, M: np.kron(
            factors(z, S, M)[0], np.outer(z.mean(0), z.mean(0))
        ),
        "inputs centred": lambda z, S, M: np.kron(
            factors(z, S, M)[0], np.cov(z.T, bias=True)
        ),
        "way back averaged first": lambda z, S, M: np.kron(
            S.mean(0).T @ M.sum(0) @ S.mean(0), factors(z, S, M)[1]
        ),
        "way back summed first": lambda z, S, M: np.kron(
            S.sum(0).T @ M.mean(0) @ S.sum(0), factors(z, S, M)[1]
        ),
        "outputs summed first": lambda z, S, M: np.kron(
            S.sum(1).T @ S.sum(1), factors(z, S, M)[1]
        ),
        "half": lambda z, S, M: block(z, S, M) / 2,
        "no inputs": lambda z, S, M: factors(z, S, M)[0],
        "no way back": lambda z, S, M: factors(z, S, M)[1],
    },
    "q7": {
        "noise kept": lambda Gamma: (lambda U, s, Vt: U @ Vt)(
            *np.linalg.svd(Gamma, full_matrices=False)
        ),
        "gradient itself": lambda Gamma: Gamma.copy(),
        "largest alone": lambda Gamma: Gamma / np.linalg.svd(Gamma)[1][0],
        "length 1": lambda Gamma: Gamma / np.sqrt(np.sum(Gamma**2)),
        "sign of entries": np.sign,
        "rows to length 1": lambda Gamma: np.array(
            [row / np.linalg.norm(row) for row in Gamma]
        ),
        "columns to length 1": lambda Gamma: Gamma / np.linalg.norm(Gamma, axis=0),
        "inverse": sizes(lambda size, s: 1 / size),
        "transposed": lambda Gamma: sign(Gamma).T,
        "uphill": lambda Gamma: -sign(Gamma),
        "roots of singular values": sizes(lambda size, s: np.sqrt(size)),
        "units' projection": lambda Gamma: sign(Gamma) @ sign(Gamma).T,
        "inputs' projection": lambda Gamma: sign(Gamma).T @ sign(Gamma),
        "largest direction": sizes(lambda size, s: 1.0 * (size == s[0])),
    },
}
RIGHT = {
    "q1": more(),
    "q2": gone(),
    "q3": variance,
    "q4": shares,
    "q5": without(),
    "q6": block,
    "q7": sign,
}
