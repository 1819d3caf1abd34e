"""The self-check of assignment 3: the Hessian, block by block, and Hv."""

import numpy as np

from coursework.hw3.variants import (
    above,
    below,
    bend_everywhere,
    between,
    by_pattern,
    diagonal_of,
    exchanged,
    hidden_shapes,
    identity_shifted,
    linear_part,
    mixed_shapes,
    one_slope,
    output_shapes,
    quadratic,
    random_pieces,
    rolled,
    same_unit,
    slope_in_one,
    tanh_slopes,
    turn,
    whole_step,
    without_bias,
    without_first,
)
from coursework.selfcheck import Case, Check, Mistake
from coursework.witness import (
    by_columns,
    flat,
    gradient,
    outputs,
    random_network,
    random_patterns,
    straight,
    sums,
    targets,
    taylor,
)

A = np.array([[-2.0, -0.3, 0.1], [0.4, 1.1, 2.5]])

q1 = Check(
    "q1",
    "the shape of a",
    "it is how the slope of tanh changes with a.",
    (Case("a of shape (2, 3)", (A,)),),
    lambda a: 2 * taylor(lambda s: np.tanh(a + s), radius=0.3, points=32)[2],
    (
        Mistake("slope for bend", "this is h′; h″ is its derivative once more.",
                lambda h, a: tanh_slopes(a)),
        Mistake("sign", "the sign is turned round: for a > 0 the slope falls.",
                lambda h, a: -h),
        Mistake("2 lost", "a factor 2 is missing.", lambda h, a: h / 2),
        Mistake("inner derivative missing", "the chain rule wants a factor h′ more: "
                "this is the derivative of 1 − z² by z.",
                lambda h, a: -2 * np.tanh(a)),
        Mistake("a for z", "a stands where z = tanh(a) should.",
                lambda h, a: h * a / np.tanh(a)),
        Mistake("unit for bend", "this is h itself.", lambda h, a: np.tanh(a)),
        Mistake("h lost", "a factor z is missing.", lambda h, a: h / np.tanh(a)),
    ),
)  # fmt: skip


# What the three blocks share: their cases, and the mistakes that any can have


PIECES = {
    "4 patterns, sizes 2-5-2": random_pieces(4, 2, 5, 2, 1),
    "1 pattern, sizes 3-2-5": random_pieces(1, 3, 2, 5, 2),
}


def of_any_block(right, shapes):
    """Return the mistakes that any block can have; `shapes` gives those of its axes."""
    return (
        Mistake("mean for sum", "divided by N: sum over the patterns.",
                lambda H, *p: H / len(p[0])),
        Mistake("patterns not summed", "there is one matrix a pattern: sum over n.",
                lambda H, *p: by_pattern(right, *p)),
        Mistake("order exchanged", "the entries come column by column of W; the order "
                "is row by row.", lambda H, *p: exchanged(H, *shapes(*p))),
        Mistake("table for matrix", "the shape has four axes: make the two of each "
                "table one, with reshape.",
                lambda H, *p: H.reshape(*shapes(*p)[0], *shapes(*p)[1])),
        Mistake("sign", "the sign is turned round.", lambda H, *p: -H),
    )  # fmt: skip


def cases(*which):
    """Return cases with these of the pieces x, h1, h2, z, V, delta, M."""
    return tuple(
        Case(label, tuple(pieces[i] for i in which)) for label, pieces in PIECES.items()
    )


# The block of the output layer


q2 = Check(
    "q2",
    "(P₂, P₂)",
    "it is what small steps of two weights of the output layer do to E, and symmetric.",
    cases(3, 6),
    above,
    (
        Mistake("diagonal of M only", "outputs k and k′ meet through M_kk′: off the "
                "diagonal there are numbers too.",
                lambda H, z, M: above(z, diagonal_of(M))),
        Mistake("M left out", "M is missing.",
                lambda H, z, M: above(z, 0 * M + np.eye(M.shape[1]))),
        Mistake("M summed first", "M and z z are summed over the patterns apart from "
                "each other: sum their product.",
                lambda H, z, M: above(z, 0 * M + M.sum(0))),
        Mistake("biases missing", "the rows and columns of the biases are missing: "
                "z_0 = 1 counts.",
                lambda H, *p: without_bias(H, output_shapes(*p)[0])),
        *of_any_block(above, output_shapes),
    ),
)  # fmt: skip


# The block of the hidden layer


q3 = Check(
    "q3",
    "(P₁, P₁)",
    "it is what small steps of two weights of the hidden layer do to E, and symmetric.",
    cases(0, 1, 2, 4, 5, 6),
    lambda x, h1, h2, W1, delta, M: below(x, h1, h2, W1, delta, M),
    (
        Mistake("bend left out", "the term with h″ is missing: this is the outer "
                "product alone.",
                lambda H, x, h1, h2, *p: below(x, h1, 0 * h2, *p)),
        Mistake("bend alone", "the term with M is missing.",
                lambda H, *p: below(*p[:-1], 0 * p[-1])),
        Mistake("bend turned round", "the sign of the term with h″ is turned round; "
                "δ is y − t.",
                lambda H, x, h1, h2, *p: below(x, h1, -h2, *p)),
        Mistake("h′ missing", "the slopes h′ are missing in the term with M.",
                lambda H, x, h1, *p: below(x, 0 * h1 + 1, *p)),
        Mistake("h′ once", "the term with M has one slope alone: h′(a_j) and h′(a_j′).",
                one_slope),
        Mistake("h′ in the bend", "there is a slope h′ beside h″ in the bend; it has "
                "none.", lambda H, x, h1, h2, *p: below(x, h1, h1 * h2, *p)),
        Mistake("I_jj′ missing", "the bend belongs to one unit: a factor I_jj′.",
                bend_everywhere),
        Mistake("I_jj′ too often", "two different units meet through M as well: I_jj′ "
                "belongs to the bend alone.", same_unit),
        Mistake("diagonal of M only", "outputs k and k′ meet through M_kk′: off the "
                "diagonal there are numbers too.",
                lambda H, *p: below(*p[:-1], diagonal_of(p[-1]))),
        Mistake("M left out", "M is missing.",
                lambda H, *p: below(*p[:-1], 0 * p[-1] + np.eye(p[-1].shape[1]))
                ),
        Mistake("last column dropped", "the last column of W[1] is dropped; the biases "
                "are in column 0.",
                lambda H, x, h1, h2, V, *p: below(x, h1, h2, rolled(V), *p)),
        *of_any_block(below, hidden_shapes),
    ),
    terms={"the term with h″": "bend left out", "the term with M": ""},
)  # fmt: skip


# The mixed block


q4 = Check(
    "q4",
    "(P₁, P₂)",
    "it is what a small step of a weight of each layer does to E.",
    cases(0, 1, 3, 4, 5, 6),
    lambda x, h1, z, W1, delta, M: between(x, h1, z, W1, delta, M),
    (
        Mistake("δ term missing", "the term with δ_k I_jj′ is missing.",
                lambda H, x, h1, z, V, delta, M:
                between(x, h1, z, V, 0 * delta, M)),
        Mistake("M term missing", "the term with M is missing.",
                lambda H, *p: between(*p[:-1], 0 * p[-1])),
        Mistake("δ turned round", "the sign of the term with δ is turned round; δ is "
                "y − t.",
                lambda H, x, h1, z, V, delta, M: between(x, h1, z, V, -delta, M)),
        Mistake("I_jj′ off by one", "I_jj′ is one column off: column 0 of W[1] are "
                "biases.", identity_shifted),
        Mistake("h′ missing", "the slope h′(a_j) is missing.",
                lambda H, x, h1, *p: between(x, 0 * h1 + 1, *p)),
        Mistake("h′ missing beside δ", "the slope h′(a_j) is missing in the term with "
                "δ.", lambda H, *p: slope_in_one(*p, without="delta")),
        Mistake("h′ missing beside M", "the slope h′(a_j) is missing in the term with "
                "M.", lambda H, *p: slope_in_one(*p, without="M")),
        Mistake("diagonal of M only", "outputs k and k′ meet through M_kk′: off the "
                "diagonal there are numbers too.",
                lambda H, *p: between(*p[:-1], diagonal_of(p[-1]))),
        Mistake("last column dropped", "the last column of W[1] is dropped; the biases "
                "are in column 0.",
                lambda H, x, h1, z, V, delta, M: H - between(x, h1, z, V, 0 * delta,
                M) + between(x, h1, z, rolled(V), 0 * delta, M)),
        Mistake("transposed", "rows belong to W[0] and columns to W[1].",
                lambda H, *p: H.T),
        *of_any_block(between, mixed_shapes),
    ),
    terms={"the term with δ": "δ term missing", "the term with M": ""},
)  # fmt: skip


# The whole, on numbers known on paper

WHOLE = np.array([
    [4.0, 1, -2, -7, 8], [1, 5, 3, 9, -6], [-2, 3, 6, -1, 4],
    [-7, 9, -1, 8, 2], [8, -6, 4, 2, 9],
])  # fmt: skip
CUT = 3


def with_corners(upper, lower):
    """Return WHOLE with its mixed blocks times these factors."""
    H = WHOLE.copy()
    H[:CUT, CUT:] *= upper
    H[CUT:, :CUT] *= lower
    return H


q5 = Check(
    "q5",
    "(P, P)",
    "the blocks stand where they belong, and the whole is symmetric.",
    (Case("P₁ = 3, P₂ = 2",
          (WHOLE[:CUT, :CUT], WHOLE[:CUT, CUT:], WHOLE[CUT:, CUT:])),),
    lambda H11, H12, H22: WHOLE,
    terms={
        "the block above the diagonal": "other half missing",
        "the block below the diagonal": "symmetric half missing",
        "the diagonal": "",
    },
    mistakes=(
        Mistake("symmetric half missing", "the block below the diagonal is 0: H is "
                "symmetric.", lambda H, *b: with_corners(1, 0)),
        Mistake("other half missing", "the block above the diagonal is 0: H is "
                "symmetric.", lambda H, *b: with_corners(0, 1)),
        Mistake("mixed block missing", "the mixed blocks are 0.",
                lambda H, *b: with_corners(0, 0)),
        Mistake("mixed block halved", "the mixed blocks are half of what they are.",
                lambda H, *b: with_corners(0.5, 0.5)),
        Mistake("layers exchanged", "W[0] comes first in w, so H₁₁ is at the top left.",
                lambda H, *b: np.roll(H, (2, 2), (0, 1))),
        Mistake("sign", "the sign of the block below the diagonal is turned round.",
                lambda H, *b: with_corners(1, -1)),
    ),
)  # fmt: skip


# The product with a vector


def with_direction(label, sizes, unit, N, seed):
    """Return a case: a network, data and a direction."""
    W = random_network(sizes, seed)
    return Case(label, (W, random_patterns(N, sizes[0], seed + 1),
                        targets(N, sizes[-1], unit, seed),
                        random_network(sizes, seed + 9), unit))  # fmt: skip


q6 = Check(
    "q6",
    "that of each table W[l]",
    "it is how the gradient turns along v, on networks of one to three layers.",
    (
        with_direction("a 2-5 network with softmax outputs", (2, 5), "softmax", 4, 1),
        with_direction("a 3-5-2 network, linear outputs", (3, 5, 2), "linear", 7, 2),
        with_direction(
            "a 5-2-7-4 network, sigmoid outputs, one pattern",
            (5, 2, 7, 4), "sigmoid", 1, 3,
        ),
        with_direction("a 4-2-6 network, softmax outputs", (4, 2, 6), "softmax", 7, 4),
    ),
    turn,
    (
        Mistake("h″ missing", "the term with h″ is missing in R{δ_j}.",
                lambda P, W, X, T, V, unit: turn(W, X, T, V, unit,
                hidden=straight(W, X, tanh_slopes))),
        Mistake("v δ missing", "the term h′ Σ v δ is missing in R{δ_j}: the weights of "
                "the way back move too.",
                lambda P, *at: turn(*at, back=False)),
        Mistake("R{z} missing", "the term δ R{z} is missing at the end.",
                lambda P, *at: turn(*at, parts="delta")),
        Mistake("R{δ} missing", "the term R{δ} z is missing at the end.",
                lambda P, *at: turn(*at, parts="z")),
        Mistake("outer product alone", "this is the product with the outer-product "
                "matrix: every term with δ is missing.",
                lambda P, *at: linear_part(*at)),
        Mistake("M left out", "at the outputs R{δ_k} is Σ_l M_kl R{a_l}: the M is "
                "missing.",
                lambda P, W, X, T, V, unit: turn(W, X, T, V, unit,
                error=quadratic(W, X, unit, np.eye(T.shape[1])))),
        Mistake("diagonal of M only", "the softmax couples the outputs: M has numbers "
                "off the diagonal.",
                lambda P, W, X, T, V, unit: turn(W, X, T, V, unit,
                error=quadratic(W, X, unit, diagonal_of(
                by_columns(lambda a: outputs(a, unit), sums(W, X)[-1]))))),
        Mistake("biases of v left out", "column 0 of v is left out: biases move too.",
                lambda P, W, X, T, V, unit: turn(W, X, T, without_first(V), unit)),
        Mistake("biases left out", "the rows of the biases are 0 in the answer.",
                lambda P, *at: without_first(P)),
        Mistake("a whole step", "this is the difference of the gradients at w + v and "
                "w; the rate of change at w is wanted.",
                lambda P, *at: whole_step(*at)),
        Mistake("gradient", "this is the gradient.",
                lambda P, W, X, T, V, unit: gradient(W, X, T, unit)),
        Mistake("sign", "the sign is turned round.", lambda P, *at: [-p for p in P]),
        Mistake("mean for sum", "divided by N: sum over the patterns.",
                lambda P, W, X, *at: [p / len(X) for p in P]),
        Mistake("one vector", "this is one long vector; a table for each layer is "
                "wanted.", lambda P, *at: list(flat(P))),
    ),
    terms={
        "the term with h″": "h″ missing",
        "the term h′ Σ v δ": "v δ missing",
        "the term δ R{z}": "R{z} missing",
        "the term with M": "",
    },
    varied=("unit",),
)  # fmt: skip
