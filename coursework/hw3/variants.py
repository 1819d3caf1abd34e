"""The numbers of right and of wrong answers to assignment 3, found by small changes."""

import numpy as np

from coursework.witness import (
    by_columns,
    cut,
    error_of,
    flat,
    gradient,
    outputs,
    powers,
    second_derivatives,
    slope_of,
    sums,
    taylor,
    with_one,
)


def tanh_slopes(a):
    """Return the slope of the hidden unit."""
    return slope_of(np.tanh, a)


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
        dW = [np.zeros((len(u), *shape), u.dtype) for shape in shapes]
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


def one_slope(H, x, h1, h2, V, delta, M):
    """Return H with the slope of the unit of the row alone in the term with M."""
    total = H - below(x, h1, 0 * h2, V, delta, M)
    for n in range(len(x)):
        one = slice(n, n + 1)
        pattern = below(x[one], h1[one], 0 * h2[one], V, delta[one], M[one])
        total = total + pattern / np.repeat(h1[n], x.shape[1])
    return total


def slope_in_one(x, h1, z, V, delta, M, without):
    """Return the mixed block whose term `without` has no slope of the hidden unit."""
    beside = {"delta": h1, "M": h1} | {without: 0 * h1 + 1}
    fed = between(x, beside["delta"], z, V, delta, 0 * M)
    return fed + between(x, beside["M"], z, V, 0 * delta, M)


def rolled(V):
    """Return V with every column one place to the right, the last one in front."""
    return np.roll(V, 1, 1)


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


def signals(W, X, T, unit, back, hidden, error):
    """Return the signals of all layers; their way up has the weights `back`."""
    at, found = sums(W, X, hidden), []
    for l, a in enumerate(at):

        def moved(s, l=l, a=a):
            there = a + s * np.eye(a.shape[1])[:, None, :]
            for m in range(l + 1, len(W)):
                h = hidden[m - 1] if hidden else np.tanh
                there = at[m] + (h(there) - h(at[m - 1])) @ back[m][:, 1:].T
            return error(there[..., None, :], T[:, None], unit)

        found.append(powers(moved, 1, 0.1, 12)[1].T)
    return found


def turn(W, X, T, V, unit, back=True, hidden=None, error=error_of, parts="both"):
    """Return how the gradient turns as W moves along V.

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

    return cut(taylor(at, 1, 0.04 / size, 14)[1], W)


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
