"""The self-check of assignment 4: the outer-product approximation, and when it lies."""

import numpy as np

from coursework.hw4.variants import (
    bowl,
    crossed_patterns,
    empirical,
    identities,
    middle,
    nudged,
    on_diagonal,
    outer,
    products,
    rearranged,
    some_jacobian,
    without_biases,
)
from coursework.selfcheck import Case, Check, Mistake
from coursework.witness import (
    cut,
    logistic,
    random_network,
    random_patterns,
    slope_of,
    straight,
    targets,
)

# Linear outputs

q1 = Check(
    "q1",
    "(P, P)",
    "it is the curvature of half the squares of a model that is linear in w.",
    (
        Case("N = 4, K = 2, P = 3", (some_jacobian(4, 2, 3, 1),)),
        Case("N = 2, K = 1, P = 5", (some_jacobian(2, 1, 5, 2),)),
        Case("N = 1, K = 3, P = 4", (some_jacobian(1, 3, 4, 3),)),
    ),
    lambda J: bowl(J, identities(J)),
    (
        Mistake("mean for sum", "divided by N: E is a sum over patterns, not a mean.",
                lambda G, J: G / len(J)),
        Mistake("mean over outputs", "divided by N and K: E is a sum, not a mean.",
                lambda G, J: G / (len(J) * J.shape[1])),
        Mistake("½ lost", "twice too large: E carries a ½.", lambda G, J: 2 * G),
        Mistake("half", "half of what it should be: the ½ of E has cancelled.",
                lambda G, J: G / 2),
        Mistake("patterns not summed", "there is one matrix a pattern: sum over n.",
                lambda G, J: np.stack([bowl(j[None], identities(j[None])) for j in J])),
        Mistake("summed before the product", "the vectors are summed before the "
                "product: sum the products.",
                lambda G, J: bowl(J.sum(0)[None], identities(J.sum(0)[None]))),
        Mistake("summed over n before", "the patterns are summed before the product: "
                "sum the products.",
                lambda G, J: bowl(J.sum((0, 1))[None, None], np.ones((1, 1, 1)))),
        Mistake("summed over k before", "the outputs are summed before the product: "
                "each has its own.",
                lambda G, J: bowl(J.sum(1, keepdims=True), np.ones((len(J), 1, 1)))),
        Mistake("patterns for parameters", "the sum runs over the parameters; this "
                "compares patterns.",
                lambda G, J: crossed_patterns(J)),
        Mistake("first output only", "only one output counts: sum over k too.",
                lambda G, J: bowl(J[:, :1], np.ones((len(J), 1, 1)))),
        Mistake("diagonal only", "only the diagonal is there.",
                lambda G, J: G * np.eye(len(G))),
    ),
)  # fmt: skip


# Any output unit


def of_middle(change):
    """Return the matrix with another middle, change(M, Y, unit)."""
    return lambda G, J, Y, unit: bowl(J, change(middle(Y, unit), Y, unit))


PROBABILITIES = np.random.default_rng(5).dirichlet(np.ones(3) * 2, size=4)
UNITS = (
    Case("linear outputs, N = 3, K = 2",
         (some_jacobian(3, 2, 5, 3), random_patterns(3, 2, 1), "linear")),
    Case("sigmoid outputs, N = 3, K = 2",
         (some_jacobian(3, 2, 4, 4), logistic(random_patterns(3, 2, 2)), "sigmoid")),
    Case("softmax outputs, N = 4, K = 3",
         (some_jacobian(4, 3, 5, 5), PROBABILITIES, "softmax")),
    Case("softmax outputs, N = 1, K = 3",
         (some_jacobian(1, 3, 5, 6), PROBABILITIES[:1], "softmax")),
)  # fmt: skip

q2 = Check(
    "q2",
    "(P, P)",
    "it is the curvature that the outputs' error has in w, for all three units; no "
    "eigenvalue is negative.",
    UNITS,
    outer,
    (
        Mistake("M left out", "M is missing: this is right for linear outputs alone.",
                of_middle(lambda M, Y, unit: middle(Y, "linear"))),
        Mistake("softmax diagonal only", "the softmax couples its outputs: M has "
                "numbers off the diagonal.",
                of_middle(lambda M, Y, unit: M * np.eye(M.shape[1]))),
        Mistake("∇y for ∇a", "these are products of ∇y: J holds ∇a, and M stands "
                "between them once.",
                of_middle(lambda M, Y, unit: M @ M)),
        Mistake("∇y for ∇a, and M", "J holds ∇a already: M belongs in between once, "
                "and here it is three times.",
                of_middle(lambda M, Y, unit: M @ M @ M)),
        Mistake("linear falls through", "linear outputs come out with the middle of a "
                "softmax: is there a branch for them?",
                of_middle(lambda M, Y, unit: products(Y) if unit == "linear" else M)),
        Mistake("y for M", "y_k alone stands on the diagonal of M.",
                of_middle(lambda M, Y, unit: M if unit == "linear" else
                Y[..., None] * np.eye(Y.shape[1]))),
        Mistake("inverse of M", "M is inverted: that is for ∇y.",
                of_middle(lambda M, Y, unit: np.linalg.inv(M) if unit == "sigmoid"
                else M)),
        Mistake("softmax sign", "the sign of y_k y_l is turned round.",
                of_middle(lambda M, Y, unit: np.abs(M))),
        Mistake("mean for sum", "divided by N: E is a sum over patterns, not a mean.",
                lambda G, J, *at: G / len(J)),
        Mistake("½ lost", "twice too large.", lambda G, *at: 2 * G),
        Mistake("patterns not summed", "there is one matrix a pattern: sum over n.",
                lambda G, J, Y, unit: np.stack([outer(J[n:n + 1], Y[n:n + 1], unit)
                for n in range(len(J))])),
    ),
)  # fmt: skip


# The Jacobian by the weights


def with_slope(slope):
    """Return the Jacobian of a network whose hidden units are straight lines."""
    return lambda J, W, X: nudged(W, X, straight(W, X, slope))


q3 = Check(
    "q3",
    "(N, K, P)",
    "it is what a small step of every weight does to the output sums.",
    tuple(
        Case(f"a {'-'.join(map(str, sizes))} network",
             (random_network(sizes, N), random_patterns(N, sizes[0], 7)))
        for N, sizes in ((5, (3, 2)), (7, (3, 5, 2)), (1, (5, 2, 7, 4)), (8, (4, 2, 6)))
    ),
    nudged,
    (
        Mistake("h′ missing", "the slope h′(a_j) of the hidden units is missing.",
                with_slope(np.ones_like)),
        Mistake("wrong unit's slope", "the hidden units are tanh, and this is the "
                "slope of the sigmoid.", with_slope(lambda a: slope_of(logistic, a))),
        Mistake("unit for slope", "h(a_j) stands where its slope should.",
                with_slope(np.tanh)),
        Mistake("slope at z", "h′ is taken at z_j; it belongs at a_j.",
                with_slope(lambda a: slope_of(np.tanh, np.tanh(a)))),
        Mistake("biases left out", "the derivatives by the biases are 0: z_0 = 1.",
                without_biases),
        Mistake("no place for biases", "the biases have no place in the answer.",
                lambda J, W, X: rearranged(J, W, lambda t: t[:, 1:])),
        Mistake("order exchanged", "each table is laid out column by column; w takes "
                "it row by row.", lambda J, W, X: rearranged(J, W, np.transpose)),
        Mistake("biases last", "the biases come last in each row; they are in column "
                "0.", lambda J, W, X: rearranged(J, W, lambda t: np.roll(t, -1, 1))),
        Mistake("layers reversed", "the layers come in reverse order: W[0] first.",
                lambda J, W, X: np.concatenate([
                J[..., t.ravel()] for t in cut(np.arange(J.shape[2]), W)[::-1]], -1)),
        Mistake("last layer only", "only the last layer has derivatives.",
                lambda J, W, X: J * (np.arange(J.shape[2]) >= J.shape[2] - W[-1].size)),
        Mistake("axes exchanged", "the outputs come last; the order is n, k, p.",
                lambda J, W, X: J.swapaxes(1, 2)),
        Mistake("patterns summed", "the patterns are summed; each has its own J.",
                lambda J, W, X: J.sum(0)),
        Mistake("outputs summed", "the outputs are summed; each has its own row.",
                lambda J, W, X: J.sum(1)),
        Mistake("sign", "the sign is turned round.", lambda J, W, X: -J),
    ),
)  # fmt: skip


# What is not the Hessian: products of gradients of the error

q4 = Check(
    "q4",
    "(P, P)",
    "it is the sum of the products of each pattern's gradient with itself.",
    tuple(
        Case(case.label, (*case.arguments[:2], targets(*case.arguments[1].shape,
             case.arguments[2], 6)))
        for case in UNITS
    ),
    lambda J, Y, T: empirical(J, Y - T),
    (
        Mistake("summed before the product", "the gradients are summed before the "
                "product: each pattern has its own.",
                lambda F, J, Y, T: empirical(np.concatenate(list(J))[None],
                (Y - T).reshape(1, -1))),
        Mistake("outputs apart", "a pattern's gradient is one vector, Σ_k (y_k − t_k) "
                "∇a_k: sum over k before the product.",
                lambda F, J, Y, T: bowl(J, on_diagonal((Y - T) ** 2))),
        Mistake("residual left out", "the factor y − t is missing: this is the "
                "outer-product matrix of linear outputs.",
                lambda F, J, Y, T: bowl(J, identities(J))),
        Mistake("residual not squared", "y − t stands there once; a product of two "
                "gradients has it twice.",
                lambda F, J, Y, T: bowl(J, on_diagonal(Y - T))),
        Mistake("output for residual", "y stands where y − t should.",
                lambda F, J, Y, T: empirical(J, Y)),
        Mistake("mean for sum", "divided by N: a sum over patterns is wanted.",
                lambda F, J, *at: F / len(J)),
        Mistake("patterns not summed", "there is one matrix a pattern: sum over n.",
                lambda F, J, Y, T: np.stack([empirical(J[n:n + 1], (Y - T)[n:n + 1])
                for n in range(len(J))])),
        Mistake("gradients themselves", "these are the gradients, one a pattern; the "
                "sum of their products is wanted.",
                lambda F, J, Y, T: ((Y - T)[:, None, :] @ J)[:, 0]),
    ),
)  # fmt: skip


# A step of Levenberg and Marquardt, on numbers known on paper

J_PAPER = np.array([[1.0, 0], [0, 2], [1, 1]])
R_PAPER = np.array([-3.0, 3, 0])
TINY = 1e-8  # its square is lost beside 1
J_THIN = np.array([[1.0, 1], [TINY, 0], [0, TINY]])  # columns that are nearly the same

R_FOUR = np.array([2.0, -9, 3.5, 1])
J_FOUR = np.array([[1.0, 0, 0], [1, 1, 0], [0, 0, 2], [0, 0, 0]])

STEP_RIGHT = {2.0: [1, -1], 3.0: [1, 2, -1], 0.0: [1, 2]}


q5 = Check(
    "q5",
    "(P,)",
    "it gives what paper gives, also where two columns of J are nearly the same.",
    (
        Case("J of shape (3, 2), damping 2", (J_PAPER, R_PAPER, 2.0)),
        Case("J of shape (4, 3), damping 3", (J_FOUR, R_FOUR, 3.0)),
        Case(
            "two columns that are nearly the same, damping 0 (JᵀJ is singular to "
            "16 digits: do not form it)",
            (J_THIN, -J_THIN @ np.array([1.0, 2]), 0.0),
        ),
    ),
    lambda J, r, damping: np.array(STEP_RIGHT[damping], float),
    (
        Mistake("sign", "the sign is turned round: this goes uphill.",
                lambda p, *at: -p),
        Mistake("gradient", "this is −Jᵀr, the way down; the matrix is missing.",
                lambda p, J, r, damping: -(r @ J)),
        Mistake("diagonal only", "only the diagonal of the matrix is used.",
                lambda p, J, r, damping: -(r @ J) / ((J**2).sum(0) + damping)),
        Mistake("new weights for step", "the step alone is wanted, with its sign.",
                lambda p, J, r, damping: 1 - p),
    ),
    rtol=1e-6,
    atol=1e-9,
)  # fmt: skip


# Standard deviations, on numbers known on paper

J_FIT = np.array([[1.0, 1], [0, 1], [1, 0], [1, 0], [0, 0]])
R_FIT = np.array([1.0, 2, 3, 4, 0])
ROOTS = np.sqrt([4.0, 6.0])
J_SIX = np.array([[1.0, 2, 0], [0, 1, 1], [0, 0, 1], *np.zeros((3, 3))])
R_SIX = np.array([2.0, 2, 0, 0, 0, 1])
ROOTS_SIX = np.sqrt([27.0, 6, 3])


q6 = Check(
    "q6",
    "(P,)",
    "it gives what paper gives, for two sizes.",
    (Case("N = 5, P = 2", (J_FIT, R_FIT)), Case("N = 6, P = 3", (J_SIX, R_SIX))),
    lambda J, r: ROOTS if len(r) == 5 else ROOTS_SIX,
    (
        Mistake("N for N − P", "the squares are divided by N: P of them were spent on "
                "the fit.", lambda s, J, r: s * np.sqrt(1 - len(s) / len(r))),
        Mistake("N − 1 for N − P", "the squares are divided by N − 1: P were spent on "
                "the fit.",
                lambda s, J, r: s * np.sqrt(1 - (len(s) - 1) / (len(r) - 1))),
        Mistake("root missing", "these are variances: the root is missing.",
                lambda s, J, r: s**2),
        Mistake("s left out", "the size of the residuals, s², is missing.",
                lambda s, J, r: s / np.sqrt(10 if len(r) == 5 else 3)),
        Mistake("½ left in", "s² is RSS over N − P; the ½ of E does not belong there.",
                lambda s, J, r: s * np.sqrt(0.5)),
    ),
    rtol=1e-8,
    atol=1e-9,
)  # fmt: skip
