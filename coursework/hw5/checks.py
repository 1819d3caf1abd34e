"""The self-check of assignment 5: the inverse of the curvature, and what it answers."""

import numpy as np

from coursework.hw5.variants import (
    bowl,
    fitted,
    grown,
    leverages,
    lowest,
    matrix_sign,
    other_order,
    pulled,
    refitted,
    shares,
    some,
    some_curvature,
    some_inverse,
    strangers,
    volume_gain,
    wired,
)
from coursework.selfcheck import Case, Check, Mistake

# A pattern comes


def changed(factor):
    """Return the inverse with its change multiplied by factor(A_inv, g)."""
    return lambda B, A_inv, g: A_inv + (B - A_inv) * factor(A_inv, g)


q1 = Check(
    "q1",
    "(P, P)",
    "it is the inverse of the curvature with one more pattern.",
    (
        Case("P = 3", (some_inverse(1, 3), some(2, 3))),
        Case("P = 5", (some_inverse(3, 5), 3 * some(4, 5))),
        Case("P = 1", (some_inverse(5, 1), some(6, 1))),
    ),
    grown,
    (
        Mistake("1 left out", "the 1 beside ρ is missing: this is a pattern that is "
                "obeyed at any price.",
                changed(lambda A_inv, g: 1 + 1 / pulled(A_inv, g))),
        Mistake("plus for minus", "the change has the wrong sign: a pattern makes the "
                "inverse smaller.", changed(lambda *at: -1)),
        Mistake("not divided", "the division by 1 + ρ is missing.",
                changed(lambda A_inv, g: 1 + pulled(A_inv, g))),
        Mistake("1 − ρ", "1 − ρ stands where 1 + ρ should, and a minus before: that "
                "is for a pattern that leaves.",
                changed(lambda A_inv, g:
                        (1 + pulled(A_inv, g)) / (1 - pulled(A_inv, g)))),
        Mistake("leaves for comes", "this takes the pattern out; it should come in.",
                lambda B, A_inv, g: grown(A_inv, g, -1)),
        Mistake("change alone", "this is the change alone: A⁻¹ before it is missing.",
                lambda B, A_inv, g: B - A_inv),
        Mistake("change alone", "this is the outer product alone, divided: it is to be "
                "subtracted from A⁻¹.", lambda B, A_inv, g: A_inv - B),
        Mistake("curvature for inverse", "g gᵀ belongs to A, and this adds it to A⁻¹.",
                lambda B, A_inv, g: A_inv + np.outer(g, g)),
        Mistake("g for A⁻¹g", "the outer product is of g; it is of A⁻¹g.",
                lambda B, A_inv, g: A_inv - np.outer(g, g) / (1 + pulled(A_inv, g))),
        Mistake("|g|² for ρ", "|g|² stands where ρ = gᵀA⁻¹g should.",
                changed(lambda A_inv, g: (1 + pulled(A_inv, g)) / (1 + g @ g))),
        Mistake("no pattern", "the pattern has changed nothing: this is A⁻¹.",
                lambda B, A_inv, g: A_inv),
    ),
)  # fmt: skip


# A weight leaves


def moved(factor):
    """Return the weights with their moves multiplied by factor(A_inv, w)."""
    return lambda R, A_inv, w: w + (R - w) * factor(A_inv, w)


q2 = Check(
    "q2",
    "(P, P)",
    "each row is the lowest point of the bowl where its weight is 0.",
    (
        Case("P = 3", (some_inverse(7, 3), some(8, 3))),
        Case("P = 5", (some_inverse(9, 5), some(10, 5))),
        Case("P = 1", (some_inverse(11, 1), some(12, 1))),
    ),
    lowest,
    (
        Mistake("others stay", "only the weight itself has become 0: the others have "
                "to move too.", lambda R, A_inv, w: w * (1 - np.eye(len(w)))),
        Mistake("moves alone", "these are the moves: w is missing before them.",
                lambda R, A_inv, w: R - w),
        Mistake("moves turned round", "the moves have the wrong sign: w_q becomes "
                "twice what it was, and not 0.", moved(lambda *at: -1)),
        Mistake("not divided", "the division by [A⁻¹]_qq is missing.",
                moved(lambda A_inv, w: np.diag(A_inv)[:, None])),
        Mistake("w_q missing", "the factor w_q is missing: every weight is deleted "
                "as if it were 1.", moved(lambda A_inv, w: 1 / w[:, None])),
        Mistake("half", "the moves are half of what they should be.",
                moved(lambda *at: 0.5)),
        Mistake("columns for rows", "the weights after a deletion stand in a column; "
                "they belong in a row.", lambda R, A_inv, w: R.T),
        Mistake("factor of the column", "the factor of each column is taken, "
                "w_p/[A⁻¹]_pp: it is that of the weight that goes, one for each row.",
                lambda R, A_inv, w: w + (R - w).T),
        Mistake("diagonal of A", "the diagonal of A stands below, or one over it: "
                "[A⁻¹]_qq is not 1/A_qq.",
                moved(lambda A_inv, w:
                      (np.diag(A_inv) / np.diag(np.linalg.inv(A_inv)))[:, None])),
        Mistake("diagonal of A", "1/A_qq stands where [A⁻¹]_qq should.",
                moved(lambda A_inv, w:
                      (np.diag(A_inv) * np.diag(np.linalg.inv(A_inv)))[:, None])),
        Mistake("column of A", "the others move along a column of A; it is one of "
                "A⁻¹.",
                lambda R, A_inv, w: w - w[:, None] * np.linalg.inv(A_inv) /
                np.diag(np.linalg.inv(A_inv))[:, None]),
        Mistake("all at once", "all weights are deleted one after the other: each row "
                "starts from w again.", lambda R, A_inv, w: one_by_one(A_inv, w)),
        Mistake("sum of moves", "all moves are added up: each row deletes one weight.",
                lambda R, A_inv, w: 0 * R + w + (R - w).sum(0)),
    ),
)  # fmt: skip


def one_by_one(A_inv, w):
    """Return rows in which each deletion starts from the one before."""
    rows = []
    for q in range(len(w)):
        w = lowest(A_inv, w)[q]
        rows.append(w)
    return np.stack(rows)


# How sure

q3 = Check(
    "q3",
    "(N, K)",
    "it is the mean square of what the uncertain weights do to each output.",
    (
        Case("N = 4, K = 2, P = 3", (some(13, 4, 2, 3), some_curvature(14, 3))),
        Case("N = 2, K = 1, P = 5", (some(15, 2, 1, 5), some_curvature(16, 5))),
        Case("N = 1, K = 3, P = 4", (some(17, 1, 3, 4), some_curvature(18, 4))),
    ),
    volume_gain,
    (
        Mistake("root", "these are standard deviations: a root too many.",
                lambda v, J, A: np.sqrt(v)),
        Mistake("A for its inverse", "A stands where its inverse should.",
                lambda v, J, A: volume_gain(J, np.linalg.inv(A))),
        Mistake("A left out", "A is missing: these are the squared lengths of ∇a.",
                lambda v, J, A: (J**2).sum(-1)),
        Mistake("inverse of the diagonal", "only the diagonal of A is inverted: the "
                "weights' errors are not independent.",
                lambda v, J, A: volume_gain(J, A * np.eye(len(A)))),
        Mistake("diagonal of the inverse", "only the diagonal of A⁻¹ counts: the "
                "weights' errors are not independent.",
                lambda v, J, A: (J**2 * np.diag(np.linalg.inv(A))).sum(-1)),
        Mistake("covariance", "this is the covariance of the outputs of each pattern; "
                "its diagonal is wanted.",
                lambda v, J, A: np.stack([spread(j, A) for j in J])),
        Mistake("covariance of all", "every output meets every other: the diagonal of "
                "this matrix is wanted, as (N, K).",
                lambda v, J, A: spread(J.reshape(-1, len(A)), A)),
        Mistake("noise added", "1 is added, the noise of a new target: the weights' "
                "share alone is wanted.", lambda v, J, A: 1 + v),
        Mistake("one long vector", "this is one long vector: lay it out as (N, K).",
                lambda v, J, A: v.ravel()),
        Mistake("half", "half of what it should be.", lambda v, J, A: v / 2),
        Mistake("twice inverted", "A⁻¹ stands there twice: it belongs in between once.",
                lambda v, J, A: volume_gain(J, A @ A)),
        Mistake("outputs summed", "the outputs are summed; each has its own.",
                lambda v, J, A: v.sum(1)),
    ),
)  # fmt: skip


def spread(rows, A):
    """Return the covariance of outputs, from variances of their sums."""
    both = volume_gain(rows[:, None] + rows, A) - volume_gain(rows[:, None] - rows, A)
    return both / 4


# How many weights

LOW = some(19, 2, 4)
q4 = Check(
    "q4",
    "(L,)",
    "it is how fast the volume of the curvature grows with the data, also where H is "
    "singular.",
    (
        Case("P = 4, L = 3", (some_curvature(20, 4), np.array([0.1, 1.0, 6.0]))),
        Case("P = 4, L = 2, where H is singular", (LOW.T @ LOW, np.array([0.3, 2.0]))),
        Case("P = 5, L = 1", (some_curvature(21, 5), np.array([0.5]))),
    ),
    shares,
    (
        Mistake("share of the ridge", "this is what the ridge determines, the sum of "
                "α/(λ + α); the data determine the rest.",
                lambda g, H, alphas: len(H) - g),
        Mistake("all of them", "every weight counts 1, whatever α is.",
                lambda g, H, alphas: len(H) + 0 * g),
        Mistake("rank", "the eigenvalues that are not 0 are counted: each counts by "
                "its share.",
                lambda g, H, alphas: np.linalg.matrix_rank(H) + 0.0 * g),
        Mistake("counted", "the eigenvalues above α are counted: each counts by its "
                "share.",
                lambda g, H, alphas: 1.0 * np.array([
                np.sum(np.linalg.eigvalsh(H) > a) for a in alphas])),
        Mistake("mean for sum", "the shares are averaged; their sum is wanted.",
                lambda g, H, alphas: g / len(H)),
        Mistake("diagonal for eigenvalues", "the diagonal of H stands where its "
                "eigenvalues should.",
                lambda g, H, alphas: shares(H * np.eye(len(H)), alphas)),
        Mistake("trace of A⁻¹", "this is the trace of A⁻¹: λ above is missing.",
                lambda g, H, alphas: (len(H) - g) / alphas),
        Mistake("α² for α", "α stands there squared.",
                lambda g, H, alphas: shares(H, alphas**2)),
        Mistake("λ² for λ", "λ² stands where λ should.",
                lambda g, H, alphas: shares(H @ H, alphas)),
        Mistake("√λ for λ", "√λ stands where λ should.",
                lambda g, H, alphas: shares(root_of(H), alphas)),
        Mistake("shares not summed", "there is one number for each eigenvalue: sum "
                "them.",
                lambda g, H, alphas: np.stack([
                shares(np.eye(1) * max(l, 0), alphas)
                for l in np.linalg.eigvalsh(H)], 1)),
    ),
)  # fmt: skip


def root_of(H):
    """Return the symmetric root of H."""
    size, axes = np.linalg.eigh(H)
    return (axes * np.sqrt(np.maximum(size, 0))) @ axes.T


# A pattern leaves


def stepped(factor):
    """Return the weights with their moves multiplied by factor(ρ)."""

    def answer(R, Z, t, alpha):
        whole, rho = fitted(Z, t, alpha), leverages(Z, alpha)
        return whole + (R - whole) * factor(rho)

    return answer


q5 = Check(
    "q5",
    "(N, P)",
    "each row is the fit to all patterns but one.",
    (
        Case("N = 6, P = 2", (some(22, 6, 2), some(23, 6), 0.4)),
        Case("N = 3, P = 4", (some(24, 3, 4), some(25, 3), 0.5)),
        Case("N = 5, P = 1", (some(26, 5, 1), some(27, 5), 3.0)),
        Case("N = 1, P = 2", (some(28, 1, 2), some(29, 1), 2.0)),
    ),
    refitted,
    (
        Mistake("leverage left out", "the leverage is missing: divide by 1 − ρ.",
                stepped(lambda rho: 1 - rho)),
        Mistake("1 + ρ", "1 + ρ stands where 1 − ρ should: that is for a pattern that "
                "comes.", stepped(lambda rho: (1 - rho) / (1 + rho))),
        Mistake("1 left out", "ρ stands below, without the 1.",
                stepped(lambda rho: (1 - rho) / rho)),
        Mistake("multiplied by 1 − ρ", "this multiplies by 1 − ρ: divide.",
                stepped(lambda rho: (1 - rho) ** 2)),
        Mistake("1 − ρ squared", "1 − ρ stands below twice.",
                stepped(lambda rho: 1 / (1 - rho))),
        Mistake("root of 1 − ρ", "the root of 1 − ρ stands below: no root here.",
                stepped(lambda rho: np.sqrt(1 - rho))),
        Mistake("residual turned round", "the moves have the wrong sign: r is y − t.",
                stepped(lambda rho: -1.0)),
        Mistake("moves alone", "these are the moves: w is missing before them.",
                lambda R, Z, t, alpha: R - fitted(Z, t, alpha)),
        Mistake("nothing left out", "no pattern is missing: each row is the whole fit.",
                lambda R, Z, t, alpha: fitted(Z, t, alpha)),
        Mistake("nothing left out", "no pattern is missing: this is the whole fit.",
                lambda R, Z, t, alpha: fitted(Z, t, alpha)[0]),
        Mistake("a column each", "each fit stands in a column; it belongs in a row.",
                lambda R, Z, t, alpha: R.T),
        Mistake("moves twice as long", "the moves are twice as long as they should be.",
                stepped(lambda rho: 2.0)),
        Mistake("ridge left out", "the ridge is missing.",
                lambda R, Z, t, alpha: refitted(Z, t, 1e-30)),
        Mistake("ridge squared", "the ridge counts squared.",
                lambda R, Z, t, alpha: refitted(Z, t, alpha**2)),
        Mistake("ridge halved", "half of the ridge is used: ½α‖w‖² has the curvature "
                "α.", lambda R, Z, t, alpha: refitted(Z, t, alpha / 2)),
        Mistake("ridge doubled", "twice the ridge is used.",
                lambda R, Z, t, alpha: refitted(Z, t, 2 * alpha)),
        Mistake("target 0", "the pattern stays with the target 0: it has to go.",
                lambda R, Z, t, alpha: np.stack([
                fitted(Z, t * (np.arange(len(t)) != n), alpha)[0]
                for n in range(len(t))])),
        Mistake("outputs", "these are outputs of the fits; their weights are wanted.",
                lambda R, Z, t, alpha: (R * Z).sum(1)),
    ),
)  # fmt: skip


# Two small matrices


def softmaxes(seed, N, K):
    """Return M of softmax outputs."""
    Y = np.random.default_rng(seed).dirichlet(np.ones(K) * 2, size=N)
    return Y[:, :, None] * np.eye(K) - Y[:, :, None] * Y[:, None, :]


def identities(M):
    """Return the identity in the place of each M."""
    return np.broadcast_to(np.eye(M.shape[1]), M.shape)


q6 = Check(
    "q6",
    "(JI, JI)",
    "it is the block of patterns whose way in and whose way back do not know of each "
    "other.",
    (
        Case("N = 4, K = 3, J = 2, I = 5",
             (some(30, 4, 5), some(31, 4, 3, 2), softmaxes(32, 4, 3))),
        Case("N = 2, K = 1, J = 4, I = 3", (some(33, 2, 3), some(34, 2, 1, 4),
                                            np.array([[[0.2]], [[0.15]]]))),
        Case("N = 1, K = 2, J = 3, I = 4",
             (some(35, 1, 4), some(36, 1, 2, 3), softmaxes(37, 1, 2))),
    ),
    strangers,
    (
        Mistake("exact block", "this is the exact block, a sum of products; the "
                "product of a sum and a mean is wanted.",
                lambda G, z, S, M: bowl(wired(z, S), M)),
        Mistake("factors exchanged", "the factors are exchanged: the units' one comes "
                "first, since w lists unit by unit.",
                lambda G, z, S, M: other_order(G, z, S)),
        Mistake("two means", "both factors are means: one N is lost.",
                lambda G, z, S, M: G / len(z)),
        Mistake("two sums", "both factors are sums: the inputs' one is a mean.",
                lambda G, z, S, M: G * len(z)),
        Mistake("M left out", "M is missing.",
                lambda G, z, S, M: strangers(z, S, identities(M))),
        Mistake("M twice", "M stands there twice.",
                lambda G, z, S, M: strangers(z, S, M @ M)),
        Mistake("diagonal of M", "only the diagonal of M counts: a softmax couples its "
                "outputs.", lambda G, z, S, M: strangers(z, S, M * identities(M))),
        Mistake("inputs averaged first", "the inputs are averaged before the product.",
                lambda G, z, S, M: strangers(0 * z + z.mean(0), S, M)),
        Mistake("inputs centred", "the mean of the inputs is subtracted: their "
                "products are wanted, not their covariance.",
                lambda G, z, S, M: strangers(z - z.mean(0), S, M)),
        Mistake("way back averaged first", "S is averaged before the product.",
                lambda G, z, S, M: strangers(z, 0 * S + S.mean(0), M)),
        Mistake("way back summed first", "S is summed before the product.",
                lambda G, z, S, M: strangers(z, 0 * S + S.sum(0), M) / len(z)),
        Mistake("outputs summed first", "the outputs are summed before the product.",
                lambda G, z, S, M: strangers(
                z, S.sum(1, keepdims=True), np.ones((len(z), 1, 1)))),
        Mistake("half", "half of what it should be.", lambda G, z, S, M: G / 2),
        Mistake("no inputs", "this is the units' factor alone.",
                lambda G, z, S, M: bowl(S, M)),
        Mistake("no way back", "this is the inputs' factor alone.",
                lambda G, z, S, M: bowl(z[:, None], np.ones((len(z), 1, 1))) / len(z)),
    ),
)  # fmt: skip


# Directions alone

q7 = Check(
    "q7",
    "as Γ",
    "all directions have the size 1, and what has none is left out.",
    (
        Case("a gradient of shape (3, 5)", (some(38, 3, 5),)),
        Case("columns that sum to 0, shape (4, 4)",
             (some(39, 4, 4) - some(39, 4, 4).mean(0),)),
        Case("a gradient of shape (1, 3)", (some(41, 1, 3),)),
        Case("tiny columns that are nearly the same, shape (5, 2)",
             (1e-12 * (some(42, 5, 1) + 0.05 * some(43, 5, 2)),)),
    ),
    matrix_sign,
    (
        Mistake("noise kept", "a direction of size 0 is kept: what `svd` gives for it "
                "is noise.", lambda R, Gamma: noisy(R, 1)),
        Mistake("noise kept", "a direction of size 0 is kept, and its sign is noise.",
                lambda R, Gamma: noisy(R, -1)),
        Mistake("gradient itself", "this is the gradient, with its singular values.",
                lambda R, Gamma: Gamma),
        Mistake("largest alone", "the gradient is divided by its largest singular "
                "value: each has to become 1.",
                lambda R, Gamma: Gamma / np.linalg.norm(Gamma, 2)),
        Mistake("length 1", "the gradient is scaled to the length 1: that is one "
                "number for all directions.",
                lambda R, Gamma: Gamma / np.linalg.norm(Gamma)),
        Mistake("sign of entries", "this is the sign of each entry, Adam's first "
                "step; the sign of the matrix is wanted.",
                lambda R, Gamma: np.sign(Gamma)),
        Mistake("rows to length 1", "each row is scaled to the length 1: the "
                "directions are those of the singular vectors.",
                lambda R, Gamma: Gamma / np.sqrt((Gamma**2).sum(1, keepdims=True))),
        Mistake("columns to length 1", "each column is scaled to the length 1: the "
                "directions are those of the singular vectors.",
                lambda R, Gamma: Gamma / np.sqrt((Gamma**2).sum(0))),
        Mistake("inverse", "the singular values are upside down: this is the "
                "pseudo-inverse, turned.",
                lambda R, Gamma: np.linalg.pinv(Gamma, 1e-8).T),
        Mistake("transposed", "this is V Uᵀ: the shape is that of Γ.",
                lambda R, Gamma: R.T),
        Mistake("uphill", "the sign is turned round: the step's direction is asked, "
                "before its minus.", lambda R, Gamma: -R),
        Mistake("roots of singular values", "the root of each singular value is left: "
                "the power −¼ is taken on one side alone.",
                lambda R, Gamma: half_way(R, Gamma)),
        Mistake("units' projection", "this is U Uᵀ.", lambda R, Gamma: R @ R.T),
        Mistake("inputs' projection", "this is V Vᵀ.", lambda R, Gamma: R.T @ R),
        Mistake("largest direction", "only the largest direction is left.",
                lambda R, Gamma: matrix_sign(largest(Gamma))),
    ),
)  # fmt: skip


def noisy(R, sign):
    """Return the step with a direction more, where one is missing on both sides."""
    n, m = (missing(turned @ turned.T) for turned in (R, R.T))
    return R + sign * np.outer(n, m)


def missing(seen):
    """Return the direction that a projection does not see, or 0."""
    rest = np.eye(len(seen)) - seen
    k = np.diag(rest).argmax()
    return rest[k] / np.sqrt(rest[k, k]) if rest[k, k] > 1e-9 else 0 * rest[k]


def half_way(R, Gamma):
    """Return the gradient with the roots of its singular values."""
    size, axes = np.linalg.eigh(Gamma @ R.T)
    return (axes * np.sqrt(np.maximum(size, 0))) @ axes.T @ R


def largest(Gamma):
    """Return the gradient volume_gain its largest direction, by repeated products."""
    v = np.ones(Gamma.shape[1])
    for _ in range(999):
        v = Gamma.T @ (Gamma @ v)
        v = v / np.sqrt(v @ v)
    return np.outer(Gamma @ v, v)
