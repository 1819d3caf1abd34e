"""The self-check of assignment 3: the Hessian, block by block, and Hv."""

import numpy as np

from coursework.selfcheck import Case, Check, Mistake
from coursework.witness import (
    by_columns,
    cut,
    error_of,
    flat,
    gradient,
    outputs,
    random_network,
    random_patterns,
    second_derivatives,
    slope_of,
    straight,
    sums,
    targets,
    taylor,
    with_one,
)


def tanh_slopes(a):
    """Return the slope of the hidden unit by a parabola."""
    return slope_of(np.tanh, a)


A = np.array([[-2.0, -0.3, 0.1], [0.4, 1.1, 2.5]])

q1 = Check(
    "q1",
    "the shape of a",
    "it is how the slope of tanh changes with a.",
    (Case("a of shape (2, 3)", (A,)),),
    lambda a: 2 * taylor(lambda s: np.tanh(a + s), degree=8, width=0.1)[2],
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


# A network near a point, to second order, and the second derivatives of its error


def change_of_error(dU, dV, x, h1, h2, z, V, delta, M):
    """Return the change of E as the tables of the two layers change.

    The tables may be stacks. A hidden unit is a parabola: slope h1, bend h2.
    """
    b = x @ np.swapaxes(dU, -1, -2)
    dz = h1 * b + h2 * b**2 / 2
    da = dz @ np.swapaxes((V + dV)[..., 1:], -1, -2) + z @ np.swapaxes(dV, -1, -2)
    bowl = ((da[..., None, :] @ M)[..., 0, :] * da).sum((-2, -1)) / 2
    return (delta * da).sum((-2, -1)) + bowl


def block(first, second, x, h1, h2, z, V, delta, M):
    """Return the block of the Hessian for two layers, each 0 or 1."""
    shapes = ((h1.shape[1], x.shape[1]), V.shape)

    def change(u, v):
        dW = [np.zeros((len(u), *shape)) for shape in shapes]
        dW[first] += u.reshape(-1, *shapes[first])
        dW[second] += v.reshape(-1, *shapes[second])
        return change_of_error(*dW, x, h1, h2, z, V, delta, M)

    return second_derivatives(
        change, int(np.prod(shapes[first])), int(np.prod(shapes[second]))
    )


def random_pieces(N, D, M, K, seed):
    """Return x, h1, h2, z, V, delta, M of some two-layer network."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(N, K, K))
    return (
        with_one(rng.normal(size=(N, D))), rng.uniform(0.2, 1, size=(N, M)),
        rng.normal(size=(N, M)), with_one(rng.normal(size=(N, M))),
        rng.normal(size=(K, 1 + M)), rng.normal(size=(N, K)),
        root @ root.swapaxes(1, 2),
    )  # fmt: skip


PIECES = {
    "3 patterns, sizes 2-3-4": random_pieces(3, 2, 3, 4, 1),
    "2 patterns, sizes 3-2-3": random_pieces(2, 3, 2, 3, 2),
}


def diagonal_of(M):
    """Return only the diagonal of each M_n."""
    return M * np.eye(M.shape[1])


def by_pattern(right, *pieces):
    """Return the block of each pattern, stacked; V has no axis of patterns."""
    N = len(pieces[0])

    def of(n, piece):
        return piece[n : n + 1] if len(piece) == N else piece

    return np.stack([right(*(of(n, piece) for piece in pieces)) for n in range(N)])


def exchanged(H, rows, columns):
    """Return H with each table's entries column by column; None leaves an axis."""
    order_rows = np.arange(H.shape[0]) if rows is None else order(rows)
    order_columns = np.arange(H.shape[1]) if columns is None else order(columns)
    return H[np.ix_(order_rows, order_columns)]


def order(shape):
    """Return where the entries of a table go when it is read column by column."""
    return np.arange(int(np.prod(shape))).reshape(shape).T.ravel()


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


def above(z, M):
    """Return ∂²E/∂W[1]∂W[1]."""
    N, K = M.shape[:2]
    nothing, V = np.zeros((N, z.shape[1] - 1)), np.zeros((K, z.shape[1]))
    return block(1, 1, np.ones((N, 1)), nothing, nothing, z, V, np.zeros((N, K)), M)


def output_shapes(z, M):
    """Return the shapes of the tables on the two axes."""
    return ((M.shape[1], z.shape[1]),) * 2


def without_bias(H, shape):
    """Return H without the rows and columns of the biases."""
    kept = np.arange(len(H)).reshape(shape)[:, 1:].ravel()
    return H[np.ix_(kept, kept)]


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


def below(x, h1, h2, V, delta, M):
    """Return ∂²E/∂W[0]∂W[0]."""
    return block(0, 0, x, h1, h2, np.zeros((len(x), V.shape[1])), V, delta, M)


def hidden_shapes(x, h1, *rest):
    """Return the shapes of the tables on the two axes."""
    return ((h1.shape[1], x.shape[1]),) * 2


def same_unit(H, x, h1, *rest):
    """Return H with 0 where the weights go to two different units."""
    unit = np.repeat(np.arange(h1.shape[1]), x.shape[1])
    return H * (unit[:, None] == unit)


def bend_everywhere(H, x, h1, h2, V, delta, M):
    """Return H with the bend of unit j in the columns of every other unit too."""
    bend = H - below(x, h1, 0 * h2, V, delta, M)
    J, D = h1.shape[1], x.shape[1]
    own = np.einsum("jijk->jik", bend.reshape(J, D, J, D))
    return H - bend + np.repeat(own[:, :, None], J, 2).reshape(H.shape)


def rolled(V):
    """Return V with every column one place to the right, the last one in front."""
    return np.roll(V, 1, 1)


q3 = Check(
    "q3",
    "(P₁, P₁)",
    "it is what small steps of two weights of the hidden layer do to E, and symmetric.",
    cases(0, 1, 2, 4, 5, 6),
    below,
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
        Mistake("last column dropped", "the last column of V is dropped; the biases "
                "are in column 0.",
                lambda H, x, h1, h2, V, *p: below(x, h1, h2, rolled(V), *p)),
        *of_any_block(below, hidden_shapes),
    ),
)  # fmt: skip


# The mixed block


def between(x, h1, z, V, delta, M):
    """Return ∂²E/∂W[0]∂W[1]."""
    return block(0, 1, x, h1, 0 * h1, z, V, delta, M)


def mixed_shapes(x, h1, z, V, *rest):
    """Return the shapes of the tables on the two axes."""
    return ((h1.shape[1], x.shape[1]), V.shape)


def identity_shifted(H, x, h1, z, V, delta, M):
    """Return H with the term of I_jj′ one column too far to the left."""
    fed = between(x, h1, z, V, delta, 0 * M)
    tables = fed.reshape(len(H), *V.shape)
    return H - fed + np.roll(tables, -1, 2).reshape(H.shape)


q4 = Check(
    "q4",
    "(P₁, P₂)",
    "it is what a small step of a weight of each layer does to E.",
    cases(0, 1, 3, 4, 5, 6),
    between,
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
        Mistake("diagonal of M only", "outputs k and k′ meet through M_kk′: off the "
                "diagonal there are numbers too.",
                lambda H, *p: between(*p[:-1], diagonal_of(p[-1]))),
        Mistake("last column dropped", "the last column of V is dropped; the biases "
                "are in column 0.",
                lambda H, x, h1, z, V, delta, M: H - between(x, h1, z, V, 0 * delta,
                M) + between(x, h1, z, rolled(V), 0 * delta, M)),
        Mistake("transposed", "rows belong to W[0] and columns to W[1].",
                lambda H, *p: H.T),
        *of_any_block(between, mixed_shapes),
    ),
)  # fmt: skip


# The whole, on numbers known on paper

WHOLE = np.array([
    [4.0, 1, 2, 7, 8], [1, 5, 3, 9, 6], [2, 3, 6, 1, 4],
    [7, 9, 1, 8, 2], [8, 6, 4, 2, 9],
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
    (
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

STEP = 1e-20


def signals(W, X, T, unit, back, hidden, error):
    """Return the signals of all layers; their way up has the weights `back`."""
    at, found = sums(W, X, hidden), []
    for l, a in enumerate(at):
        columns = []
        for e in np.eye(a.shape[1]):
            moved = a + 1j * STEP * e
            for m in range(l + 1, len(W)):
                h = hidden[m - 1] if hidden else np.tanh
                moved = at[m] + (h(moved) - h(at[m - 1])) @ back[m][:, 1:].T
            columns.append(error(moved[:, None], T[:, None], unit).imag / STEP)
        found.append(np.stack(columns, -1))
    return found


def turn(W, X, T, V, unit, back=True, hidden=None, error=error_of, parts="both"):
    """Return how the gradient turns as W moves along V, by a parabola.

    `back` tells whether the weights of the way back move too, `parts` whether the
    change of δ, of z or of both is counted.
    """
    size = max(1.0, np.abs(flat(V)).max())

    def tables(r):
        at = [U + r * step for U, step in zip(W, V, strict=True)]
        still = [W, at]
        delta = signals(at, X, T, unit, still[back], hidden, error)
        a = sums(at, X, hidden)
        z = [X, *((hidden[l] if hidden else np.tanh)(a[l]) for l in range(len(W) - 1))]
        return delta, [with_one(part) for part in z]

    delta_0, z_0 = tables(0.0)

    def at(r):
        delta, z = tables(r)
        delta = delta_0 if parts == "z" else delta
        z = z_0 if parts == "delta" else z
        return np.concatenate(
            [(d.T @ x).ravel() for d, x in zip(delta, z, strict=True)]
        )

    return cut(taylor(at, width=5e-5 / size)[1], W)


def quadratic(W, X, unit, M=None):
    """Return an error that is a bowl about the outputs of W, with the middle M."""
    at = sums(W, X)[-1]
    M = by_columns(lambda a: outputs(a, unit), at) if M is None else M

    def error(a, T, unit):
        d = a - at[:, None]
        slope = outputs(at, unit)[:, None] - T
        return ((slope + (d @ M) / 2) * d).sum((-2, -1))

    return error


def linear_part(W, X, T, V, unit):
    """Return the product with the outer-product matrix, from changes of the sums."""
    w, v = flat(W), flat(V)
    M = by_columns(lambda a: outputs(a, unit), sums(W, X)[-1])
    every = np.eye(w.size)
    J = taylor(lambda s: sums(cut(w + s * every, W), X)[-1])[1]
    moved = (v @ J.reshape(len(v), -1)).reshape(M.shape[:2])
    return cut((J * (M @ moved[..., None])[..., 0]).sum((1, 2)), W)


def without_first(V):
    """Return a direction that leaves the biases alone."""
    return [table * (np.arange(table.shape[1]) > 0) for table in V]


def whole_step(W, X, T, V, unit):
    """Return the difference of two gradients, all of V apart."""
    there = gradient([U + step for U, step in zip(W, V, strict=True)], X, T, unit)
    here = gradient(W, X, T, unit)
    return [p - q for p, q in zip(there, here, strict=True)]


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
        with_direction("a 2-3 network with softmax outputs", (2, 3), "softmax", 2, 1),
        with_direction("a 3-4-2 network, linear outputs", (3, 4, 2), "linear", 3, 2),
        with_direction(
            "a 2-3-4-2 network, sigmoid outputs", (2, 3, 4, 2), "sigmoid", 2, 3
        ),
        with_direction("a 2-4-3 network, softmax outputs", (2, 4, 3), "softmax", 3, 4),
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
)  # fmt: skip
