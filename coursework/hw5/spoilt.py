"""Mistakes of assignment 5 that its check knows by a number each."""

# Pieces of the solutions
UPDATE = "A_inv - np.outer(u, u) / (1 + g @ u)"
DELETED = "w - (w / np.diag(A_inv))[:, None] * A_inv"
VARIANCE = "np.sum(rows * np.linalg.solve(A, rows.T).T, axis=1).reshape(N, K)"
GAMMA = "np.sum(lam / (lam + alphas[:, None]), axis=1)"
RIDGE, LEFT = "alpha * np.eye(Z.shape[1])", "w + gain * (r / (1 - rho))[:, None]"
RESIDUAL, RHO = "r = Z @ w - t", "np.sum(gain * Z, axis=1)"
B, A = 'np.einsum("nkj,nkl,nlq->jq", S, M, S)', "z.T @ z / len(z)"
KRON = "return np.kron(B, A)"
THERE, STEP = "s > 1e-10 * s[0]", "U[:, there] @ Vt[there]"


def one(old, *entries):
    """Return entries (name, what to tell, new) for what stands in one place."""
    return [(name, says, ((old, new),)) for name, says, new in entries]


SPOILT = {
    "q1": one(
        UPDATE,
        ("entry by entry", "u is multiplied with itself entry by entry: the outer "
         "product is a matrix.", "A_inv - u * u / (1 + g @ u)"),
        ("a number for a matrix", "u @ u is a number: the outer product is a matrix.",
         "A_inv - u @ u / (1 + g @ u)"),
        ("|u|² for ρ", "uᵀu stands where ρ = gᵀu should.",
         "A_inv - np.outer(u, u) / (1 + u @ u)"),
        ("one factor g", "one of the two factors is g: both are A⁻¹g.",
         "A_inv - np.outer(u, g) / (1 + g @ u)"),
        ("one factor g", "one of the two factors is g: both are A⁻¹g.",
         "A_inv - np.outer(g, u) / (1 + g @ u)"),
        ("root of 1 + ρ", "a root is taken of 1 + ρ.",
         "A_inv - np.outer(u, u) / np.sqrt(1 + g @ u)"),
        ("1 + ρ squared", "1 + ρ stands below twice.",
         "A_inv - np.outer(u, u) / (1 + g @ u) ** 2"),
        ("1 + ρ²", "ρ² stands where ρ should.",
         "A_inv - np.outer(u, u) / (1 + (g @ u) ** 2)"),
        ("multiplied by 1 + ρ", "this multiplies by 1 + ρ: divide.",
         "A_inv - np.outer(u, u) * (1 + g @ u)"),
        ("added to I", "the pattern is added to the identity: to A.",
         "np.linalg.inv(np.eye(len(g)) + np.outer(g, g))"),
        ("added to A⁻¹, and inverted", "A⁻¹ is taken for A: this inverts A⁻¹ + g gᵀ.",
         "np.linalg.inv(A_inv + np.outer(g, g))"),
        ("curvature", "this is A + g gᵀ itself; its inverse is wanted.",
         "np.linalg.inv(A_inv) + np.outer(g, g)"),
    ),
    "q2": one(
        DELETED,
        ("diagonal squared", "[A⁻¹]_qq stands below squared.",
         "w - (w / np.diag(A_inv) ** 2)[:, None] * A_inv"),
        ("root of the diagonal", "the root of [A⁻¹]_qq stands below.",
         "w - (w / np.sqrt(np.diag(A_inv)))[:, None] * A_inv"),
        ("w² for w", "w_q² stands where w_q should: that is for the rise of the error.",
         "w - (w**2 / np.diag(A_inv))[:, None] * A_inv"),
        ("diagonal alone", "only the weight itself moves, and the wrong way.",
         "w + np.diag(w)"),
        ("the others alone", "the weight that goes keeps its value: only the others "
         "have moved.",
         "w - (w / np.diag(A_inv))[:, None] * A_inv * (1 - np.eye(len(w)))"),
        ("sizes of A⁻¹", "the signs of A⁻¹ are lost.",
         "w - (w / np.diag(A_inv))[:, None] * abs(A_inv)"),
        ("rise of the error", "this is what the deletions cost, w²/2[A⁻¹]_qq; the "
         "weights are wanted.", "w**2 / np.diag(A_inv) / 2"),
        ("rise of the error", "this is what the deletions cost if the others stay; the "
         "weights are wanted.", "np.diag(np.linalg.inv(A_inv)) * w**2 / 2"),
        ("sum below", "the sum of each row stands below in place of the diagonal.",
         "w - (w / A_inv.sum(axis=1))[:, None] * A_inv"),
    ),
    "q3": one(
        VARIANCE,
        ("one solve short", "A⁻¹∇a is summed; multiply it by ∇a first.",
         "np.sum(np.linalg.solve(A, rows.T).T, axis=1).reshape(N, K)"),
        ("length of A⁻¹∇a", "this is |A⁻¹∇a|²: A⁻¹ stands there twice.",
         "np.sum(np.linalg.solve(A, rows.T).T**2, axis=1).reshape(N, K)"),
        ("gradients of A⁻¹", "these are A⁻¹∇a, one vector each; multiply by ∇a.",
         "np.linalg.solve(A, rows.T).T.reshape(N, K, P)"),
        ("not summed", "the products are not summed over p.",
         "(rows * np.linalg.solve(A, rows.T).T).reshape(N, K, P)"),
        ("outputs summed before", "the gradients of the outputs are added up: each "
         "output has its own.",
         "np.sum(J.sum(1) * np.linalg.solve(A, J.sum(1).T).T, axis=1)"),
        ("order of n and k", "n and k are exchanged when the numbers are laid out.",
         "np.sum(rows * np.linalg.solve(A, rows.T).T, axis=1).reshape(K, N).T"),
        ("mean over p", "the products are averaged over p; sum them.",
         "np.mean(rows * np.linalg.solve(A, rows.T).T, axis=1).reshape(N, K)"),
        ("inverse entry by entry", "1/A inverts each entry: that is no inverse.",
         "np.sum(rows * (rows @ (1 / A)), axis=1).reshape(N, K)"),
        ("after it was seen", "this is v/(1 + v): what is left once the pattern has "
         "been learnt.",
         "(lambda v: v / (1 + v))(np.sum(rows * np.linalg.solve(A, rows.T).T, axis=1)"
         ".reshape(N, K))"),
    ),
    "q4": [
        *one(
            GAMMA,
            ("α/λ", "this is the sum of λ/α: λ is missing below.",
             "np.sum(lam / alphas[:, None], axis=1)"),
            ("ridge of the trace", "the traces are divided: each eigenvalue has its "
             "own share.",
             "lam.sum() / (lam.sum() + len(lam) * alphas)"),
            ("ridge of the sum", "the eigenvalues are summed first: each has its own "
             "share.", "lam.sum() / (lam.sum() + alphas)"),
            ("roots of shares", "a root is taken of each share.",
             "np.sum(np.sqrt(abs(lam / (lam + alphas[:, None]))), axis=1)"),
            ("squares of shares", "each share is squared.",
             "np.sum((lam / (lam + alphas[:, None])) ** 2, axis=1)"),
            ("plus for minus", "λ − α stands below.",
             "np.sum(lam / (lam - alphas[:, None]), axis=1)"),
            ("half of the ridge", "α/2 stands where α should: ½α‖w‖² has the curvature "
             "α.", "np.sum(lam / (lam + alphas[:, None] / 2), axis=1)"),
            ("twice the ridge", "2α stands where α should.",
             "np.sum(lam / (lam + 2 * alphas[:, None]), axis=1)"),
            ("trace of A", "this is the trace of A.",
             "np.sum(lam + alphas[:, None], axis=1)"),
            ("smallest alone", "only the smallest eigenvalue counts.",
             "lam[0] / (lam[0] + alphas)"),
            ("largest alone", "only the largest eigenvalue counts.",
             "lam[-1] / (lam[-1] + alphas)"),
            ("first ridge alone", "only the first of the ridges is used: there is one "
             "number for each.", "np.sum(lam / (lam + alphas[0])) + 0 * alphas"),
        ),
    ],
    "q5": [
        *one(
            LEFT,
            ("fit of the others", "these are the outputs, not the weights.",
             "Z @ w - r / (1 - rho)"),
            ("leave-one-out residuals", "these are the residuals of the patterns that "
             "were left out; the weights are wanted.", "r / (1 - rho)"),
            ("z for A⁻¹z", "the move goes along z_n: it goes along A⁻¹z_n.",
             "w + Z * (r / (1 - rho))[:, None]"),
            ("size of r", "the sign of the residual is lost.",
             "w + gain * (abs(r) / (1 - rho))[:, None]"),
            ("r²", "the residual is squared.",
             "w + gain * (r**2 / (1 - rho))[:, None]"),
            ("all moves added", "all moves are added up: each row leaves one pattern "
             "out.", "w + 0 * gain + (gain * (r / (1 - rho))[:, None]).sum(0)"),
            ("half of a step", "half of the move: there is no ½ here.",
             "w + gain * (r / (1 - rho))[:, None] / 2"),
            ("mean leverage", "the mean leverage stands for each: every pattern has "
             "its own.", "w + gain * (r / (1 - rho.mean()))[:, None]"),
        ),
        *one(
            RESIDUAL,
            ("target for residual", "−t stands where y − t should.", "r = -t"),
            ("target for residual", "t stands where y − t should.", "r = t"),
            ("output for residual", "y stands where y − t should.", "r = Z @ w"),
            ("plus for minus", "y + t stands where y − t should.", "r = Z @ w + t"),
        ),
        *one(
            RHO,
            ("ρ without A⁻¹", "|z_n|² stands for the leverage: A⁻¹ is missing.",
             "np.sum(Z * Z, axis=1)"),
            ("root of ρ", "the root of the leverage is taken.",
             "np.sqrt(np.sum(gain * Z, axis=1))"),
            ("ρ squared", "the leverage is squared.",
             "np.sum(gain * Z, axis=1) ** 2"),
        ),
        *one(
            RIDGE,
            ("ridge subtracted", "the ridge is subtracted.",
             "-alpha * np.eye(Z.shape[1])"),
            ("ridge times N", "the ridge is multiplied by N: E is a sum.",
             "len(Z) * alpha * np.eye(Z.shape[1])"),
            ("ridge over N", "the ridge is divided by N.",
             "alpha / len(Z) * np.eye(Z.shape[1])"),
        ),
    ],
    "q6": [
        *one(
            KRON,
            ("diagonal of B", "only the diagonal of the units' factor counts.",
             "return np.kron(np.diag(np.diag(B)), A)"),
            ("diagonal of A", "only the diagonal of the inputs' factor counts.",
             "return np.kron(B, np.diag(np.diag(A)))"),
            ("four axes", "the block has four axes: lay it out as a matrix.",
             "return B[:, None, :, None] * A[None, :, None, :]"),
            ("four axes", "the block has four axes, in the order of np.multiply.outer: "
             "lay it out as a matrix.", "return np.multiply.outer(B, A)"),
            ("axes not exchanged", "the axes of the outer product are j, q, i, p; "
             "exchange them to j, i, q, p before it is laid out.",
             "return np.multiply.outer(B, A).reshape(2 * [len(A) * len(B)])"),
        ),
        *one(
            B,
            ("M averaged", "M is averaged over the patterns: each has its own.",
             'np.einsum("nkj,kl,nlq->jq", S, M.mean(0), S)'),
            ("first pattern's way back", "only the first pattern's S counts.",
             'np.einsum("kj,kl,lq->jq", S[0], M[0], S[0])'),
            ("last pattern's way back", "only the last pattern's S counts: it is "
             "overwritten.", 'np.einsum("kj,kl,lq->jq", S[-1], M[-1], S[-1])'),
            ("B a mean over outputs", "the units' factor is divided by K.",
             'np.einsum("nkj,nkl,nlq->jq", S, M, S) / S.shape[1]'),
        ),
        *one(
            A,
            ("mean over inputs", "the inputs' factor is divided by I, not by N.",
             "z.T @ z / z.shape[1]"),
            ("N − 1", "N − 1 stands where N should.", "z.T @ z / (len(z) - 1 + 1e-9)"),
            ("first pattern's inputs", "only the first pattern's inputs count.",
             "np.outer(z[0], z[0])"),
            ("last pattern's inputs", "only the last pattern's inputs count.",
             "np.outer(z[-1], z[-1])"),
            ("summed before", "the inputs are summed before the product.",
             "np.outer(z.sum(0), z.sum(0)) / len(z)"),
            ("summed before", "the inputs are summed before the product, and it is not "
             "divided.", "np.outer(z.sum(0), z.sum(0))"),
        ),
    ],
    "q7": [
        *one(
            THERE,
            ("too much cut", "directions are cut that are small and not 0.",
             "s > 0.5 * s[0]"),
            ("smallest cut", "the smallest direction is always cut.", "s > s[-1]"),
            ("fixed size", "what is below 1 is cut: zero is meant beside the largest.",
             "s > 1.0"),
        ),
        *one(
            STEP,
            ("squares of singular values", "the singular values are squared: they "
             "become 1.", "U[:, there] * s[there] ** 2 @ Vt[there]"),
            ("largest size", "all directions have the largest singular value: 1.",
             "s[0] * U[:, there] @ Vt[there]"),
        ),
    ],
}  # fmt: skip
