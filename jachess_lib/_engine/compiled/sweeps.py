"""Forward and backward through a block of patterns, and where its numbers lie.

A *state* is one flat array with all that a sweep keeps of a block of patterns. `layout`
says where each part starts, in numbers per pattern, and `cut` takes it out with a row
for each unit and a column for each pattern. So every loop runs over patterns, however
few units a layer has, and vector instructions take eight of them at a time.
"""

from typing import NamedTuple

import numpy as np

from jachess_lib._engine.compiled.products import (
    MOST_IN_SINGLE,
    product,
    room_of_sum,
    turn,
)
from jachess_lib._engine.compiled.units import (
    compiled,
    elementwise,
    hidden_units,
    outputs,
    widest_vectors,
)

# Numbers in the state of a block: half a megabyte in float64, which stays in the
# second-level cache beside the weights and what is written.
_STATE = 1 << 16
_FEWEST_ROWS = 144


@compiled
def rows_of_a_block(width, n_patterns, itemsize):
    """Return how many patterns, of so many numbers of so many bytes, go at a time."""
    if itemsize == 4:
        return max(1, min(n_patterns, 2 * MOST_IN_SINGLE))
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

    They are those that `add_sum` takes, those of a block's state, and those that a
    product with v, or two fronts of sensitivities, keep beside it.
    """
    width = layout(sizes)[1]
    product_with_v = width + 2 * sizes[1:].sum() + sizes.max()
    fronts = 2 * front_of(sizes, units)
    sensitivities = width + 3 * (1 + sizes.max()) + fronts
    lines = 10 * 16  # what `split` leaves out
    return (
        lines
        + room_of_sum(sizes)
        + max(
            _largest_block(width, n_patterns) * product_with_v,
            _largest_block(width + fronts, n_patterns) * sensitivities,
        )
    )


@compiled
def _largest_block(width, n_patterns):
    """Return the most patterns of a block, whatever the precision."""
    return max(
        rows_of_a_block(width, n_patterns, 4), rows_of_a_block(width, n_patterns, 8)
    )


class Layers(NamedTuple):
    """A network, or a direction v among its parameters, laid out for the sweeps.

    `at` and `width` are those of the state.
    """

    sizes: np.ndarray
    starts: np.ndarray
    units: np.ndarray
    output: int
    at: np.ndarray
    width: int
    w: np.ndarray


@compiled
def layers(w, sizes, units, output):
    """Return the Layers."""
    starts = np.zeros(len(sizes), np.int64)
    for l in range(len(sizes) - 1):
        starts[l + 1] = starts[l] + sizes[l + 1] * (1 + sizes[l])
    at, width = layout(sizes)
    return Layers(sizes, starts, units, output, at, width, w)


@compiled
def block_of(w, sizes, starts, l):
    """Return the matrix of layer l in a vector like w."""
    return w[starts[l] : starts[l + 1]].reshape(sizes[l + 1], 1 + sizes[l])


@compiled
def forth(net, l):
    """Return W of layer l, of shape (J, 1 + I)."""
    return block_of(net.w, net.sizes, net.starts, l)


@compiled
def back(net, l):
    """Return W of layer l without the biases, of shape (J, I)."""
    return forth(net, l)[:, 1:]


@compiled
def activations(net, X, derivatives, state, scratch):
    """Fill z, and slope and bend if asked for one or two `derivatives`.

    Return a of the outputs.
    """
    rows, L = X.shape[0], len(net.sizes) - 1
    z = cut(state, rows, net.at[0, 0], 1 + net.sizes[0])
    z[0] = 1.0
    turn(X, z[1:])
    for l in range(L - 1):
        M = net.sizes[l + 1]
        below, z = z, cut(state, rows, net.at[0, l + 1], 1 + M)
        z[0] = 1.0
        product(forth(net, l), below, z[1:], False)
        slope = cut(state, rows, net.at[1, l + 1], M).reshape(rows * M)
        bend = cut(state, rows, net.at[2, l + 1], M).reshape(rows * M)
        hidden_units(net.units[l], z[1:].reshape(rows * M), slope, bend, derivatives)
    a = cut(scratch, rows, 0, net.sizes[L])
    product(forth(net, L - 1), z, a, False)
    return a


@compiled
def forward(net, X, derivatives, state, scratch):
    """Fill what `activations` does, and y, m and rest of the outputs."""
    rows, L = X.shape[0], len(net.sizes) - 1
    a = activations(net, X, derivatives, state, scratch)
    y, m = (
        cut(state, rows, net.at[0, L], net.sizes[L]),
        cut(state, rows, net.at[1, L], net.sizes[L]),
    )
    outputs(net.output, a, y, m, cut(state, rows, net.at[2, L], net.sizes[L]))


@elementwise
def _residual(output, y, rest, delta):
    """Make y − t of the targets in `delta`; of probabilities, y (1 − t) − (1 − y) t."""
    widest_vectors()
    for i in range(y.size):
        t = delta[i]
        if output == 0:
            delta[i] = y[i] - t
        else:
            delta[i] = y[i] * (1.0 - t) - rest[i] * t


@elementwise
def _scale(a, b):
    widest_vectors()
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
        product(back(net, l).T, delta, s, False)
        flat = s.reshape(rows * M)
        if second:
            _scale(cut(state, rows, at[2, l], M).reshape(rows * M), flat)
        delta = cut(state, rows, at[3, l], M)
        multiplied(
            flat,
            cut(state, rows, at[1, l], M).reshape(rows * M),
            delta.reshape(rows * M),
        )


@elementwise
def multiplied(a, b, out):
    widest_vectors()
    for i in range(a.size):
        out[i] = a[i] * b[i]
