"""The self-check of assignment 2: error propagation and numerical differentiation."""

import numpy as np

from coursework.hw2.variants import (
    adding_up,
    below,
    by_pattern,
    carried,
    mean_slope,
    of_outputs,
    own_slopes,
    tanh_slopes,
    without_biases,
)
from coursework.selfcheck import Case, Check, Mistake
from coursework.witness import (
    by_columns,
    cut,
    error_at,
    error_of,
    flat,
    gradient,
    line,
    logistic,
    random_network,
    random_patterns,
    slope_of,
    straight,
    sums,
    targets,
)

# The signal at the outputs

Y = np.array([[0.2, 1.7, -0.4], [0.9, 0.1, 0.6]])
T = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 1.5]])

q1 = Check(
    "q1",
    "(N, K)",
    "it is what a small step of each output sum does to E.",
    (
        Case("two patterns of three outputs", (Y, T)),
        Case("one pattern of four outputs",
             (np.array([[0.5, -1, 2, 0.1]]), np.array([[1.0, 0, 0.5, -0.2]]))),
    ),
    lambda y, T: by_columns(lambda a: error_of(a[:, None], T[:, None], "linear"), y),
    (
        Mistake("sign", "the sign is turned round: E grows with y above its target.",
                lambda d, y, T: -d),
        Mistake("½ lost", "twice too large: E carries a ½.", lambda d, y, T: 2 * d),
        Mistake("mean for sum", "divided by N: E is a sum over patterns, not a mean.",
                lambda d, y, T: d / len(y)),
        Mistake("output unit twice", "y(1 − y) is one factor too many: for a canonical "
                "pair it has cancelled.", lambda d, y, T: d * y * (1 - y)),
        Mistake("error for signal", "these are errors, half the squares, and not their "
                "slopes.", lambda d, y, T: d**2 / 2),
        Mistake("patterns summed", "the patterns are summed; each has its own signal.",
                lambda d, y, T: d.sum(0)),
        Mistake("size for signal", "the sign is lost.", lambda d, y, T: np.abs(d)),
    ),
)  # fmt: skip


# One step back


# What may stand where h′(a) should: (name, what to tell, the slope).
WRONG_SLOPES = (
    ("h′ missing", "the slope h′(a_j) of the hidden units is missing.", np.ones_like),
    ("wrong unit's slope", "the hidden units are tanh, and this is the slope of the "
     "sigmoid.", lambda a: slope_of(logistic, a)),
    ("sigmoid's formula", "z(1 − z) is the slope of a sigmoid; the hidden units are "
     "tanh.", lambda a: np.tanh(a) * (1 - np.tanh(a))),
    ("unit for slope", "h(a_j) stands where its slope h′(a_j) should.", np.tanh),
    ("slope at z", "h′ is taken at z_j; it belongs at a_j.",
     lambda a: tanh_slopes(np.tanh(a))),
    ("a for z", "1 − z² wants z_j, and this is 1 − a_j².", lambda a: 1 - a**2),
    ("1 − lost", "tanh² stands where the slope 1 − tanh² should.",
     lambda a: np.tanh(a) ** 2),
    ("one slope for all patterns", "the slopes are those of the first pattern: h′(a_j) "
     "differs from x to x.", lambda a: 0 * a + tanh_slopes(a[:1])),
    ("mean slope", "the slopes are averaged over the patterns: h′(a_j) differs from x "
     "to x.", lambda a: 0 * a + tanh_slopes(a).mean(0)),
)  # fmt: skip

q2 = Check(
    "q2",
    "(N, M)",
    "it is what a small step of each a_j does to Σ_k δ_k a_k in the layer above.",
    tuple(
        Case(
            f"{N} patterns, {M} units below {K}",
            (random_patterns(K, 1 + M, K), random_patterns(N, K, 8 + K),
             random_patterns(N, M, 9 + K)),
        )
        for N, M, K in ((3, 4, 2), (2, 3, 5), (1, 2, 6))
    ),
    below,
    (
        *(Mistake(name, says, lambda d, *at, s=slope: carried(*at, s))
          for name, says, slope in WRONG_SLOPES),
        Mistake("last column dropped", "the last column of V is dropped; the biases "
                "are in column 0.",
                lambda d, *at: carried(*at, tanh_slopes, slice(None, -1))),
        Mistake("sign", "the sign is turned round.", lambda d, *at: -d),
        Mistake("patterns summed", "the patterns are summed; each has its own signals.",
                lambda d, *at: d.sum(0)),
        Mistake("V squared", "the weights are squared: the sum wants w_kj once.",
                lambda d, V, delta, a: below(V**2, delta, a)),
    ),
)  # fmt: skip


# The gradient


def with_slope(slope):
    """Return the gradient of a network whose hidden units are straight lines."""
    return lambda G, W, X, T, unit: gradient(W, X, T, unit, straight(W, X, slope))


def with_last(slope):
    """Return the gradient with one slope more, slope(a, unit), at the outputs."""

    def answer(G, W, X, T, unit):
        a = sums(W, X)[-1]
        return gradient(W, X, T, unit, last=line(a, a, slope(a, unit)))

    return answer


def by_layer(change):
    """Return the gradient with every table changed."""
    return lambda G, *at: [change(table) for table in G]


def scaled(factor):
    """Return the gradient times factor(N, K)."""
    return lambda G, W, X, T, unit: [factor(*T.shape) * table for table in G]


def of_pattern(n):
    """Return the gradient of one pattern."""
    return lambda G, *at: [tables[n] for tables in by_pattern(G, *at)]


NETWORKS = (
    ("a 2-5 network with softmax outputs", (2, 5), "softmax", 4),
    ("a 3-5-2 network with linear outputs", (3, 5, 2), "linear", 7),
    ("a 5-2-7-4 network with sigmoid outputs, one pattern", (5, 2, 7, 4), "sigmoid", 1),
    ("a 4-2-6 network with softmax outputs", (4, 2, 6), "softmax", 7),
)
CASES = tuple(
    Case(label, (random_network(sizes, n), random_patterns(N, sizes[0], 5 + n),
                 targets(N, sizes[-1], unit, n), unit))
    for n, (label, sizes, unit, N) in enumerate(NETWORKS)
)  # fmt: skip

q3 = Check(
    "q3",
    "that of each table W[l]",
    "it is what a small step of every weight does to E, biases and all layers.",
    CASES,
    gradient,
    (
        *(Mistake(name, says, with_slope(slope)) for name, says, slope in WRONG_SLOPES),
        Mistake("h′ on the output layer", "there is an h′ of tanh at the outputs too: "
                "no hidden unit is there.",
                with_last(lambda a, unit: tanh_slopes(a))),
        Mistake("output unit twice", "the derivative of the output unit is one factor "
                "too many: in y − t it has cancelled.", with_last(own_slopes)),
        Mistake("target forgotten", "the sweep starts with 1 and not with y − t: this "
                "is the gradient of the outputs.", of_outputs),
        Mistake("sign", "the sign is turned round.", scaled(lambda N, K: -1)),
        Mistake("½ lost", "twice too large: E carries a ½.", scaled(lambda N, K: 2)),
        Mistake("mean for sum", "divided by N: E is a sum over patterns, not a mean.",
                scaled(lambda N, K: 1 / N)),
        Mistake("mean over outputs", "divided by N and K: E is a sum, not a mean.",
                scaled(lambda N, K: 1 / (N * K))),
        Mistake("biases left out", "the derivatives by the biases are 0: z_0 = 1 takes "
                "part in the last step.", by_layer(without_biases)),
        Mistake("no column for biases", "the column of the biases is missing: z[l] has "
                "the constant 1 in column 0.", by_layer(lambda table: table[:, 1:])),
        Mistake("biases last", "the biases come last; they belong in column 0.",
                by_layer(lambda table: np.roll(table, -1, 1))),
        Mistake("transposed", "the tables are transposed: row j, column i, as W[l].",
                by_layer(np.transpose)),
        Mistake("patterns not summed", "there is one table a pattern: sum over n.",
                by_pattern),
        Mistake("first pattern only", "only the first pattern counts: sum over n.",
                of_pattern(0)),
        Mistake("last pattern only", "only the last pattern counts: sum over n, and "
                "add where you overwrite.", of_pattern(-1)),
        Mistake("last layer only", "only the last layer has a gradient.",
                lambda G, *at: [0 * table for table in G[:-1]] + G[-1:]),
        Mistake("layers reversed", "the layers come in reverse order.",
                lambda G, *at: G[::-1]),
        Mistake("one vector", "this is one long vector; a table for each layer is "
                "wanted.", lambda G, *at: list(flat(G))),
    ),
)  # fmt: skip


# Difference quotients, known as mean slopes over the steps that they take


def one_sided(side):
    """Return the quotient to one side."""
    return lambda Q, *at: mean_slope(*at, sides=(side,))


def times(factor):
    """Return the quotient times factor(N, step)."""
    return lambda Q, W, X, T, unit, step: [factor(len(X), step) * q for q in Q]


q4 = Check(
    "q4",
    "that of each table W[l]",
    "the quotients have the error that central differences of this step must have.",
    tuple(Case(f"{case.label}, step {step}", (*case.arguments, step))
          for case, step in zip(CASES[1:], (0.1, 0.05, 0.08), strict=True)),
    mean_slope,
    (
        Mistake("forward difference", "this is E(w + ε) − E(w) over ε: take a step to "
                "the other side too.", one_sided(1)),
        Mistake("backward difference", "this is E(w) − E(w − ε) over ε: take a step to "
                "the other side too.", one_sided(-1)),
        Mistake("ε for 2ε", "twice too large: the two points are 2ε apart.",
                times(lambda N, step: 2)),
        Mistake("half steps", "the steps are ε/2; take ε to each side.",
                lambda Q, *at: mean_slope(*at[:-1], at[-1] / 2)),
        Mistake("not divided by ε", "the difference is not divided by the step.",
                times(lambda N, step: 2 * step)),
        Mistake("halved, not divided by ε", "the difference is divided by 2, and not "
                "by 2ε.", times(lambda N, step: step)),
        Mistake("sign", "the sign is turned round.", times(lambda N, step: -1)),
        Mistake("mean for sum", "divided by N: E is a sum over patterns, not a mean.",
                times(lambda N, step: 1 / N)),
        Mistake("not a difference", "this is the derivative itself; the quotient for "
                "this ε is wanted, with its error.",
                lambda Q, *at: gradient(*at[:-1])),
        Mistake("biases left out", "the biases are not moved: their place stays 0.",
                lambda Q, *at: [without_biases(q) for q in Q]),
        Mistake("steps add up", "a weight stays moved while the next one moves: put "
                "it back.", lambda Q, *at: adding_up(*at)),
    ),
    rtol=1e-6,
    atol=1e-9,
    varied=("step",),
)  # fmt: skip


# The complex step

TINY = 1e-20

q5 = Check(
    "q5",
    "that of each table W[l]",
    "it is what a small step of every weight does to E, to many digits.",
    CASES,
    gradient,
    (
        Mistake("real part", "these numbers are enormous: E/ε itself. The derivative "
                "is in the imaginary part; `abs` would lose it too.",
                lambda G, W, X, T, unit: [
                    np.full(V.shape, error_at(W, X, T, unit) / TINY) for V in W]),
        Mistake("zeros", "everything is 0: is the copy of W complex, and is the "
                "imaginary part divided by ε?",
                lambda G, *at: [0 * table for table in G]),
        Mistake("2ε for ε", "half of what it should be: there is one step, of ε.",
                lambda G, *at: [table / 2 for table in G]),
        Mistake("sign", "the sign is turned round. Does something conjugate?",
                lambda G, *at: [-table for table in G]),
        Mistake("mean for sum", "divided by N: E is a sum over patterns, not a mean.",
                scaled(lambda N, K: 1 / N)),
        Mistake("biases left out", "the biases are not moved: their place stays 0.",
                by_layer(without_biases)),
        Mistake("steps add up", "a weight stays moved while the next one moves: put "
                "it back.",
                lambda G, *at: cut(np.cumsum(flat(G)), G)),
    ),
)  # fmt: skip


# The order of an error, on numbers whose answer is known on paper

STEPS = np.array([1.0, 1e-1, 1e-2, 1e-3])
ERRORS = np.array([1.0, 1e-1, 1e-3, 1e-4])
THREE = np.array([1.0, 1e-1, 1e-3]), np.array([10, 1e-3, 1e-4])

q6 = Check(
    "q6",
    "a number",
    "it gives what paper gives, for points that are not quite on a line.",
    (Case("four points", (STEPS, ERRORS)), Case("three points", THREE)),
    lambda steps, errors: np.array(1.4 if len(steps) == 4 else 1.5),
    (
        Mistake("inverse", "this is one over the slope.", lambda p, *at: 1 / p),
        Mistake("sign", "the sign is turned round: errors fall as steps fall.",
                lambda p, *at: -p),
        Mistake("no logarithms", "a power is a straight line only in logarithms of "
                "both.", lambda p, s, e: np.array(np.polyfit(s, e, 1)[0])),
        Mistake("one logarithm", "take the logarithm of the steps too.",
                lambda p, s, e: np.array(np.polyfit(s, np.log(e), 1)[0])),
        Mistake("through the origin", "the line need not go through (1, 1): fit a "
                "constant too.",
                lambda p, s, e: np.array(np.log(e) @ np.log(s) / (np.log(s) ** 2).sum())
                ),
        Mistake("polynomial for slope", "the fit has two coefficients; the slope alone "
                "is wanted.", lambda p, s, e: np.polyfit(np.log(s), np.log(e), 1)),
    ),
)  # fmt: skip
