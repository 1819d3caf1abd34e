"""Forward and backward through a block of patterns, and where its numbers lie.

A *state* is one flat array with all that a sweep keeps of a block of patterns. `layout`
says where each part starts, in numbers per pattern, and `cut` takes it out with a row
for each unit and a column for each pattern. So every loop runs over patterns, however
few units a layer has, and vector instructions take eight of them at a time.
"""

from typing import NamedTuple

import numpy as np

from jachess_lib._engine.compiled.units import (
    compiled,
    elementwise,
    hidden_units,
    outputs,
)

# Numbers in the state of a block: half a megabyte in float64, which stays in the
# second-level cache beside the weights and what is written.
_STATE = 1 << 16
_FEWEST_ROWS = 144
# Patterns that may be summed in single precision: a sum of that many equal numbers is
# off by 2e-6 at most. Blocks are added in double precision.
_MOST_IN_SINGLE = 64


@compiled
def rows_of_a_block(width, n_patterns, itemsize):
    """Return how many patterns, of so many numbers of so many bytes, go at a time."""
    if itemsize == 4:
        return max(1, min(n_patterns, _MOST_IN_SINGLE))
    rows = max(_FEWEST_ROWS, _STATE // width)
    if n_patterns <= rows:
        return max(1, n_patterns)
    # as many in each block, and sixteen times an odd number: what lies a power of two
    # apart falls into the same few places of the first cache
    blocks = (n_patterns + rows - 1) // rows
    return ((n_patterns + blocks - 1) // blocks + 15) // 32 * 32 + 16


@compiled
def layout(sizes):
    """Return where z, slope, bend and delta, then y, m and rest, start; the end."""
    L = len(sizes) - 1
    at = np.zeros((4, L + 1), np.int64)
    end = 0
    for l in range(L):
        at[0, l] = end
        end += 1 + sizes[l]
    for l in range(1, L):
        at[1, l] = end
        end += sizes[l]
        at[2, l] = end
        end += sizes[l]
    for l in range(1, L + 1):  # delta[l] belongs to the units that `sizes[l]` counts
        at[3, l] = end
        end += sizes[l]
    at[0, L] = end  # y
    end += sizes[L]
    at[1, L] = end  # m
    end += sizes[L]
    at[2, L] = end  # rest
    end += sizes[L]
    return at, end


@compiled
def cut(state, rows, start, units):
    return state[rows * start : rows * (start + units)].reshape(units, rows)


@compiled
def split(room, size):
    """Return the first numbers of the room, and the rest from a cache line's start."""
    return room[:size], room[(size + 15) // 16 * 16 :]


@compiled
def front_of(sizes, units):
    """Return the numbers of a front: what each output's sensitivities take.

    There is one for each unit of the widest of no layer (`units` = 0), of the hidden
    ones (1), or of the outputs too (2); a single layer has outputs alone.
    """
    if units == 0:
        return 0
    widest = sizes[1:].max() if units == 2 or len(sizes) == 2 else sizes[1:-1].max()
    return sizes[-1] * widest


@compiled
def room_needed(sizes, n_patterns, units):
    """Return how many numbers the functions write while they work, at the most.

    They are those of two `layers`, of a first layer without its biases and of what
    `add_sum` takes, of a block's state, and of what a product with v, or two fronts of
    sensitivities, keep beside it. In single precision blocks are smaller.
    """
    P, width = (sizes[1:] * (1 + sizes[:-1])).sum(), layout(sizes)[1]
    product = width + 2 * (sizes[1:].sum() + sizes.max())
    fronts = 2 * front_of(sizes, units)
    sensitivities = width + 3 * (1 + sizes.max()) + fronts
    lines = 10 * 16  # what `split` leaves out
    return (
        lines
        + 3 * P
        + room_of_sum(sizes)
        + max(
            rows_of_a_block(width, n_patterns, 8) * product,
            rows_of_a_block(width + fronts, n_patterns, 8) * sensitivities,
        )
    )


@compiled
def room_of_sum(sizes):
    """Return how many numbers `add_sum` takes for any layer."""
    P, room = (sizes[1:] * (1 + sizes[:-1])).sum(), 0
    for l in range(len(sizes) - 1):
        if sizes[l + 1] * (1 + sizes[l]) >= _TURNED_FROM:
            room = max(room, _TURNED_TO // sizes[l + 1] + 1)
    return P + room


class Layers(NamedTuple):
    """A network, or a direction v among its parameters, laid out for the sweeps.

    BLAS takes no matrix whose rows have gaps: `back` has W of every layer but the first
    without the biases. `at` and `width` are those of the state.
    """

    sizes: np.ndarray
    starts: np.ndarray
    units: np.ndarray
    output: int
    at: np.ndarray
    width: int
    w: np.ndarray
    back: np.ndarray


@compiled
def layers(w, sizes, units, output, room):
    """Return the Layers, which take the first of the room, and the rest of it."""
    starts = np.zeros(len(sizes), np.int64)
    for l in range(len(sizes) - 1):
        starts[l + 1] = starts[l] + sizes[l + 1] * (1 + sizes[l])
    own, room = split(room, len(w))
    for l in range(1, len(sizes) - 1):
        size = sizes[l + 1] * sizes[l]
        part = own[starts[l] : starts[l] + size].reshape(sizes[l + 1], sizes[l])
        without_biases(block_of(w, sizes, starts, l), part)
    at, width = layout(sizes)
    return Layers(sizes, starts, units, output, at, width, w, own), room


@compiled
def block_of(w, sizes, starts, l):
    """Return the matrix of layer l in a vector like w."""
    return w[starts[l] : starts[l + 1]].reshape(sizes[l + 1], 1 + sizes[l])


@elementwise
def without_biases(W, part):
    for j in range(W.shape[0]):
        for i in range(W.shape[1] - 1):
            part[j, i] = W[j, 1 + i]


@compiled
def forth(net, l):
    """Return W of layer l, of shape (J, 1 + I)."""
    return block_of(net.w, net.sizes, net.starts, l)


@compiled
def back(net, l):
    """Return W of layer l > 0 without the biases, of shape (J, I)."""
    I, J = net.sizes[l], net.sizes[l + 1]
    return net.back[net.starts[l] : net.starts[l] + J * I].reshape(J, I)


# A square of eight by eight, whose loops have a fixed end, is turned in registers.
_SQUARE = 8


@elementwise
def turn(A, turned):
    """Put Aᵀ into `turned`."""
    J, I = A.shape
    whole_j, whole_i = J // _SQUARE * _SQUARE, I // _SQUARE * _SQUARE
    for i in range(0, whole_i, _SQUARE):
        for j in range(0, whole_j, _SQUARE):
            for p in range(_SQUARE):
                for q in range(_SQUARE):
                    turned[i + p, j + q] = A[j + q, i + p]
    for i in range(I):
        for j in range(whole_j if i < whole_i else 0, J):
            turned[i, j] = A[j, i]


@compiled
def activations(net, X, second, state, scratch):
    """Fill z, slope and, if `second`, bend with h″; return a of the outputs."""
    rows, L = X.shape[0], len(net.sizes) - 1
    z = cut(state, rows, net.at[0, 0], 1 + net.sizes[0])
    z[0] = 1.0
    turn(X, z[1:])
    for l in range(L - 1):
        M = net.sizes[l + 1]
        below, z = z, cut(state, rows, net.at[0, l + 1], 1 + M)
        z[0] = 1.0
        np.dot(forth(net, l), below, z[1:])
        slope = cut(state, rows, net.at[1, l + 1], M).reshape(rows * M)
        bend = cut(state, rows, net.at[2, l + 1], M).reshape(rows * M)
        hidden_units(net.units[l], z[1:].reshape(rows * M), slope, bend, second)
    a = cut(scratch, rows, 0, net.sizes[L])
    np.dot(forth(net, L - 1), z, a)
    return a


@compiled
def forward(net, X, second, state, scratch):
    """Fill what `activations` does, and y, m and rest of the outputs."""
    rows, L = X.shape[0], len(net.sizes) - 1
    a = activations(net, X, second, state, scratch)
    y, m = (
        cut(state, rows, net.at[0, L], net.sizes[L]),
        cut(state, rows, net.at[1, L], net.sizes[L]),
    )
    outputs(net.output, a, y, m, cut(state, rows, net.at[2, L], net.sizes[L]))


@elementwise
def _residual(output, y, rest, delta):
    """Make y − t of the targets in `delta`; of probabilities, y (1 − t) − (1 − y) t."""
    for i in range(y.size):
        t = delta[i]
        if output == 0:
            delta[i] = y[i] - t
        else:
            delta[i] = y[i] * (1.0 - t) - rest[i] * t


@elementwise
def _scale(a, b):
    for i in range(a.size):
        a[i] *= b[i]


@compiled
def backward(net, T, second, state, scratch):
    """Fill every delta, and if `second` multiply its sums into the bends."""
    sizes, at = net.sizes, net.at
    rows, L = T.shape[0], len(sizes) - 1
    delta, size = cut(state, rows, at[3, L], sizes[L]), rows * sizes[L]
    y, rest = cut(state, rows, at[0, L], sizes[L]), cut(state, rows, at[2, L], sizes[L])
    turn(T, delta)
    _residual(net.output, y.reshape(size), rest.reshape(size), delta.reshape(size))
    for l in range(L - 1, 0, -1):
        M = sizes[l]
        s = cut(scratch, rows, 0, M)
        np.dot(back(net, l).T, delta, s)
        flat = s.reshape(rows * M)
        if second:
            _scale(cut(state, rows, at[2, l], M).reshape(rows * M), flat)
        delta = cut(state, rows, at[3, l], M)
        multiplied(
            flat,
            cut(state, rows, at[1, l], M).reshape(rows * M),
            delta.reshape(rows * M),
        )


# Products, and numbers of a sum, between which BLAS is faster with a factor turned.
_TURNED_FROM, _TURNED_TO = 4000, 1 << 20


@compiled
def add_sum(left, right, total, room):
    """Add Σ_n left[j, n] right[i, n] to total[j, i], which has double precision."""
    J, rows = left.shape
    I = len(right)
    share, room = split(room, J * I)
    share = share.reshape(J, I)
    if J * I >= _TURNED_FROM and J * I * rows <= _TURNED_TO:
        turned = room[: rows * I].reshape(rows, I)
        turn(right, turned)
        np.dot(left, turned, share)
    else:
        np.dot(left, right.T, share)
    for j in range(J):
        for i in range(I):
            total[j, i] += share[j, i]


@elementwise
def multiplied(a, b, out):
    for i in range(a.size):
        out[i] = a[i] * b[i]
