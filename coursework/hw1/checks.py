"""The self-check of assignment 1: the Jacobian recursion and output units."""

import numpy as np

from coursework.hw1.variants import (
    alone,
    batch_of_batches,
    by_network,
    carried,
    crossed,
    derivative,
    diagonal,
    on_diagonal,
    one_layer_off,
    rival,
    tanh_slopes,
    with_bias_column,
)
from coursework.selfcheck import Case, Check, Mistake
from coursework.witness import (
    logistic,
    outputs,
    random_network,
    random_patterns,
    slope_of,
    sums,
)

A = np.array([[-2.0, -0.3, 0.0], [0.4, 1.1, 2.5]])
# In all cases of a check the sizes differ, N, K, D, M and 1 + M of every layer, so that
# no number can stand for another; one case has a single pattern.

q1 = Check(
    "q1",
    "the shape of a",
    "it is what a small step of a does to tanh(a).",
    (Case("a of shape (2, 3)", (A,)),),
    lambda a: slope_of(np.tanh, a),
    (
        Mistake("unit for slope", "this is h itself.", lambda h, a: np.tanh(a)),
        Mistake(
            "slope at z",
            "the slope is taken at z = h(a); it belongs at a.",
            lambda h, a: slope_of(np.tanh, np.tanh(a)),
        ),
        Mistake(
            "a for z",
            "1 − z² wants z = tanh(a), and this is 1 − a².",
            lambda h, a: 1 - a**2,
        ),
        Mistake(
            "wrong unit's slope",
            "this is the slope of the logistic sigmoid; our h is tanh.",
            lambda h, a: slope_of(logistic, a),
        ),
        Mistake(
            "sigmoid's formula",
            "z(1 − z) belongs to the sigmoid. What is it for tanh?",
            lambda h, a: np.tanh(a) * (1 - np.tanh(a)),
        ),
        Mistake("square lost", "a square is missing.", lambda h, a: 1 - np.tanh(a)),
        Mistake(
            "1 − lost",
            "this is tanh²; the slope is 1 − tanh².",
            lambda h, a: np.tanh(a) ** 2,
        ),
        Mistake("sign", "the sign is turned round.", lambda h, a: -h),
    ),
)


# Output units


q2 = Check(
    "q2",
    "(N, K, K)",
    "it is what a small step of each a does to y, for all three units; "
    "for the softmax the rows and the columns sum to 0.",
    (
        Case("linear outputs", (random_patterns(2, 3, 1), "linear")),
        Case("sigmoid outputs", (random_patterns(2, 4, 2), "sigmoid")),
        Case("softmax outputs", (random_patterns(3, 4, 3), "softmax")),
        Case("a single pattern", (random_patterns(1, 5, 4), "softmax")),
        Case("softmax outputs with sums near 1000", (1e3 * A, "softmax")),
        Case("sigmoid outputs with sums near 1000", (1e3 * A, "sigmoid")),
    ),
    derivative,
    (
        Mistake(
            "softmax diagonal only",
            "for the softmax every y_k depends on every a_l: off the diagonal there "
            "are numbers too.",
            lambda M, a, unit: on_diagonal(diagonal(M)),
        ),
        Mistake(
            "I_kl y_k missing",
            "the softmax has y_k y_l and lacks the term I_kl y_k.",
            lambda M, a, unit: (
                M - on_diagonal(outputs(a, unit)) if unit == "softmax" else M
            ),
        ),
        Mistake("sign", "the sign is turned round.", lambda M, a, unit: -M),
        Mistake(
            "softmax sign",
            "for the softmax the sign is turned round.",
            lambda M, a, unit: -M if unit == "softmax" else M,
        ),
        Mistake(
            "off-diagonal sign",
            "off the diagonal the sign is turned round: when a_l grows, the other "
            "y_k of a softmax must fall.",
            lambda M, a, unit: np.abs(M),
        ),
        Mistake(
            "vector for matrix",
            "these are the diagonals alone, one vector a pattern; a matrix a pattern "
            "is wanted.",
            lambda M, a, unit: diagonal(M),
        ),
        Mistake(
            "patterns summed",
            "the patterns are summed; each has its own matrix.",
            lambda M, a, unit: M.sum(0),
        ),
        Mistake(
            "slope at y",
            "the slope is taken at y; it belongs at a.",
            lambda M, a, unit: derivative(outputs(a, unit), unit),
        ),
        Mistake(
            "ones for I",
            "∂y_k/∂a_l of a linear unit is I_kl: 1 on the diagonal and 0 beside it.",
            lambda M, a, unit: np.ones_like(M) if unit == "linear" else M,
        ),
        Mistake(
            "softmax for sigmoid",
            "sigmoid outputs do not know of each other: nothing off the diagonal.",
            lambda M, a, unit: crossed(M, a) if unit == "sigmoid" else M,
        ),
        Mistake(
            "linear falls through",
            "linear outputs come out as a softmax: is there a return for them?",
            lambda M, a, unit: derivative(a, "softmax") if unit == "linear" else M,
        ),
        Mistake(
            "sigmoid falls through",
            "sigmoid outputs come out as a softmax: is there a return for them?",
            lambda M, a, unit: derivative(a, "softmax") if unit == "sigmoid" else M,
        ),
        Mistake(
            "1 − y missing",
            "y_k alone stands on the diagonal of a sigmoid: a factor 1 − y_k is "
            "missing.",
            lambda M, a, unit: (
                on_diagonal(outputs(a, unit)) if unit == "sigmoid" else M
            ),
        ),
        Mistake(
            "y_k (1 − y_l)",
            "off the diagonal of a softmax stands −y_k y_l, and not y_k (1 − y_l).",
            lambda M, a, unit: rival(a) if unit == "softmax" else M,
        ),
        Mistake(
            "tanh for sigmoid",
            "1 − y² is the slope of tanh; these outputs are sigmoids.",
            lambda M, a, unit: tanh_slopes(M, a, unit),
        ),
    ),
    not_finite="exp overflows: take the largest a from each row before exp.",
)


# The Jacobian


OF_SLOPES = (
    Mistake(
        "h′ missing",
        "the slope h′(a_j) of the hidden units is missing.",
        lambda J, *at: carried(*at, slope=np.ones_like),
    ),
    Mistake(
        "wrong unit's slope",
        "the hidden units are tanh, and this is the slope of the sigmoid.",
        lambda J, *at: carried(*at, slope=lambda a: slope_of(logistic, a)),
    ),
    Mistake(
        "sigmoid's formula",
        "z(1 − z) is the slope of a sigmoid; the hidden units are tanh.",
        lambda J, *at: carried(*at, slope=lambda a: np.tanh(a) * (1 - np.tanh(a))),
    ),
    Mistake(
        "unit for slope",
        "h(a_j) stands where its slope h′(a_j) should.",
        lambda J, *at: carried(*at, slope=np.tanh),
    ),
    Mistake(
        "slope at z",
        "h′ is taken at z_j; it belongs at a_j.",
        lambda J, *at: carried(*at, slope=lambda a: slope_of(np.tanh, np.tanh(a))),
    ),
    Mistake(
        "a for z",
        "1 − z² wants z_j, and this is 1 − a_j².",
        lambda J, *at: carried(*at, slope=lambda a: 1 - a**2),
    ),
    Mistake(
        "h′ on the output layer",
        "there is an h′ at the outputs too. They have their own derivative.",
        lambda J, *at: carried(*at, last=lambda a: slope_of(np.tanh, a)),
    ),
)
OF_OUTPUTS = (
    Mistake(
        "1 − lost",
        "tanh² stands where the slope 1 − tanh² should.",
        lambda J, *at: carried(*at, slope=lambda a: np.tanh(a) ** 2),
    ),
    Mistake(
        "slopes one layer off",
        "the slope comes before the product with W: h′(a_j) belongs to the units below "
        "W, after the sum over the units above.",
        lambda J, *at: one_layer_off(*at),
    ),
    Mistake(
        "output unit left out",
        "this is ∂a_k/∂x_i: the derivative of the output unit is missing.",
        lambda J, W, X, unit: carried(W, X, "linear"),
    ),
    Mistake(
        "output unit twice",
        "the derivative of the output unit is applied twice.",
        lambda J, W, X, unit: derivative(sums(W, X)[-1], unit) @ J,
    ),
    Mistake(
        "softmax diagonal only",
        "the softmax is treated as if each y_k heard of its own a_k alone.",
        lambda J, W, X, unit: carried(W, X, unit, to=alone(sums(W, X)[-1], unit)),
    ),
    Mistake("sign", "the sign is turned round.", lambda J, *at: -J),
)
OF_LAYOUT = (
    Mistake(
        "biases kept",
        "there is one column too many: column 0 of W are biases, and no input "
        "feeds them.",
        with_bias_column,
    ),
    Mistake(
        "last column dropped",
        "the last column of W is dropped; the biases are in column 0.",
        lambda J, *at: carried(*at, first_column=0),
    ),
    Mistake(
        "transposed",
        "rows are outputs k and columns are inputs i, and these are the other way.",
        lambda J, *at: J.swapaxes(-1, -2),
    ),
)
OF_BATCH = (
    Mistake(
        "patterns summed",
        "the patterns are summed; each has a Jacobian of its own.",
        lambda J, *at: J.sum(0),
    ),
    Mistake(
        "patterns averaged",
        "the patterns are averaged; each has a Jacobian of its own.",
        lambda J, *at: J.mean(0),
    ),
    Mistake(
        "one slope for all patterns",
        "the slopes are those of the first pattern: h′(a_j) differs from x to x.",
        lambda J, *at: carried(*at, slope=lambda a: 0 * a + slope_of(np.tanh, a[:1])),
    ),
    Mistake(
        "mean slope",
        "the slopes are averaged over the patterns: h′(a_j) differs from x to x.",
        lambda J, *at: carried(
            *at, slope=lambda a: 0 * a + slope_of(np.tanh, a).mean(0)
        ),
    ),
    Mistake(
        "first pattern for all",
        "every pattern has the Jacobian of the first: h′ changes from x to x.",
        lambda J, *at: np.repeat(J[:1], len(J), 0),
    ),
    Mistake(
        "outputs summed",
        "the outputs are summed: one row is left of K.",
        lambda J, *at: J.sum(1),
    ),
    Mistake(
        "batch by batch",
        "this is every pattern's output by every pattern's input, (N, K, N, D), and "
        "most of it is 0.",
        lambda J, *at: batch_of_batches(J),
    ),
)

NETWORKS = (
    Case(
        "a 2-5 network with softmax outputs",
        (random_network((2, 5), 1), random_patterns(4, 2, 4), "softmax"),
    ),
    Case(
        "a 3-5-2 network with linear outputs",
        (random_network((3, 5, 2), 2), random_patterns(7, 3, 5), "linear"),
    ),
    Case(
        "a 5-2-7-4 network with sigmoid outputs, one pattern",
        (random_network((5, 2, 7, 4), 3), random_patterns(1, 5, 6) / 2, "sigmoid"),
    ),
    Case(
        "a 4-2-6 network with softmax outputs",
        (random_network((4, 2, 6), 4), random_patterns(7, 4, 7), "softmax"),
    ),
)


def one(answer):
    """Return the answer for one pattern, from an answer for a batch."""
    return lambda J, W, x, unit: answer(J[None], W, x[None], unit)[0]


q3 = Check(
    "q3",
    "(K, D)",
    "it is what small steps of x do to y, on networks of one, two and three layers.",
    tuple(Case(c.label, (c.arguments[0], c.arguments[1][0], *c.arguments[2:]))
          for c in NETWORKS),
    lambda W, x, unit: by_network(W, x[None], unit)[0],
    tuple(Mistake(m.name, m.says, one(m.answer))
          for m in OF_SLOPES + OF_OUTPUTS + OF_LAYOUT),
)  # fmt: skip

q4 = Check(
    "q4",
    "(N, K, D)",
    "it is what small steps of x do to y, for every pattern at once; where the "
    "outputs are a softmax, each column of J sums to 0.",
    NETWORKS,
    by_network,
    OF_SLOPES + OF_OUTPUTS + OF_LAYOUT + OF_BATCH,
)


# The table of sensitivities, on numbers whose answer is known on paper

J_PAPER = np.array(
    [
        [[1.0, 7, 0], [-1, 17, 2]],
        [[7, -17, 0], [7, 7, -14]],
        [[-7, 17, 0], [1, -7, 14]],
        [[1, 7, 0], [7, 17, 2]],
    ]
)
S_PAPER = np.array([1.0, 2.0, 0.5])
TABLE = np.array([[5.0, 26, 0], [5, 26, 5]])
J_ONE, S_ONE = np.array([[[3.0, -5], [-1, 0.5], [0, 2]]]), np.array([2.0, 4])
TABLE_ONE = np.array([[6.0, 20], [2, 2], [0, 8]])

q5 = Check(
    "q5",
    "(K, D)",
    "it gives what paper gives: columns in standard deviations, squares averaged.",
    (
        Case("four patterns, K = 2, D = 3", (J_PAPER, S_PAPER)),
        Case("one pattern, K = 3, D = 2", (J_ONE, S_ONE)),
    ),
    lambda J, s: TABLE if len(J) > 1 else TABLE_ONE,
    (
        Mistake("mean of J", "signs cancel in the mean of J: square first.",
                lambda R, J, s: J.mean(0) * s),
        Mistake("mean of |J|", "this is the mean of |J| and not the root of the mean "
                "square.", lambda R, J, s: np.abs(J).mean(0) * s),
        Mistake("units left in", "the factor s_i is missing: rows still mix units.",
                lambda R, J, s: R / s),
        Mistake("divided by s", "J has the unit y per x, so s_i multiplies.",
                lambda R, J, s: R / s**2),
        Mistake("sum for mean", "the squares are summed and not averaged.",
                lambda R, J, s: R * np.sqrt(len(J))),
        Mistake("mean over outputs too", "divided by K and not by N: the mean runs "
                "over the patterns.",
                lambda R, J, s: R * np.sqrt(J.shape[0] / J.shape[1])),
        Mistake("root missing", "the root is missing: these are squares.",
                lambda R, J, s: R**2),
        Mistake("root missing, s not squared", "the root is missing, and s stands "
                "outside the square.", lambda R, J, s: (R / s) ** 2 * s),
        Mistake("patterns kept", "the mean over the patterns is missing.",
                lambda R, J, s: np.abs(J) * s),
        Mistake("outputs averaged", "the mean runs over the outputs; it should run "
                "over the patterns.",
                lambda R, J, s: np.sqrt((J**2).mean(1)) * s),
        Mistake("transposed", "rows are outputs k and columns are inputs i.",
                lambda R, J, s: R.T),
    ),
)  # fmt: skip
