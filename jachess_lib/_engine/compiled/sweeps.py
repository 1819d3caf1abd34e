"""Forward and backward through a block of patterns, and where its numbers lie.

A *state* is one flat array with all that a sweep keeps of a block of patterns. `layout`
says where each part starts, in numbers per pattern, and `cut` takes it out with a row
for each pattern.
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
_FEWEST_ROWS = 128


@compiled
def rows_of_a_block(width, n_patterns):
    return max(1, min(n_patterns, max(_FEWEST_ROWS, _STATE // width)))


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
def cut(state, rows, start, columns):
    return state[rows * start : rows * (start + columns)].reshape(rows, columns)


@compiled
def front_of(sizes, units):
    """Return the numbers of a front: what each output's row of sensitivities takes.

    A row is as long as the widest of no layer (`units` = 0), of the hidden ones (1), or
    of the outputs too (2); a single layer has outputs alone.
    """
    if units == 0:
        return 0
    widest = sizes[1:].max() if units == 2 or len(sizes) == 2 else sizes[1:-1].max()
    return sizes[-1] * widest


@compiled
def room_needed(sizes, n_patterns, units):
    """Return how many numbers the functions write while they work, at the most.

    They are those of two `layers` and of the sums of a block, of a block's state, and
    of what a product with v, or two fronts of sensitivities, keep beside it.
    """
    P, width = (sizes[1:] * (1 + sizes[:-1])).sum(), layout(sizes)[1]
    product = width + 2 * (sizes[1:].sum() + sizes.max())
    fronts = 2 * front_of(sizes, units)
    sensitivities = width + 2 * (1 + sizes.max()) + fronts
    return 5 * P + max(
        rows_of_a_block(width, n_patterns) * product,
        rows_of_a_block(width + fronts, n_patterns) * sensitivities,
    )


class Layers(NamedTuple):
    """A network, or a direction v among its parameters, laid out for the sweeps.

    BLAS is up to a third faster with weights that lie as it reads them: `forth` has Wᵀ
    of every layer, `back` has W without the biases. `at` and `width` are those of the
    state.
    """

    sizes: np.ndarray
    starts: np.ndarray
    units: np.ndarray
    output: int
    at: np.ndarray
    width: int
    forth: np.ndarray
    back: np.ndarray


@compiled
def layers(w, sizes, units, output, room):
    """Return the Layers, which take the first of the room, and the rest of it."""
    starts = np.zeros(len(sizes), np.int64)
    for l in range(len(sizes) - 1):
        starts[l + 1] = starts[l] + sizes[l + 1] * (1 + sizes[l])
    P = len(w)
    forth, back = room[:P], room[P : 2 * P]
    for l in range(len(sizes) - 1):
        W = block_of(w, sizes, starts, l)
        turned = forth[starts[l] : starts[l + 1]].reshape(1 + sizes[l], sizes[l + 1])
        _transpose(W, turned)
        if l > 0:
            size = sizes[l + 1] * sizes[l]
            part = back[starts[l] : starts[l] + size].reshape(sizes[l + 1], sizes[l])
            _without_biases(W, part)
    at, width = layout(sizes)
    net = Layers(sizes, starts, units, output, at, width, forth, back)
    return net, room[2 * P :]


@compiled
def block_of(w, sizes, starts, l):
    """Return the matrix of layer l in a vector like w."""
    return w[starts[l] : starts[l + 1]].reshape(sizes[l + 1], 1 + sizes[l])


# A square of eight by eight, whose loops have a fixed end, is turned in registers.
_SQUARE = 8


@elementwise
def _transpose(W, turned):
    J, I = W.shape
    whole_j, whole_i = J // _SQUARE * _SQUARE, I // _SQUARE * _SQUARE
    for i in range(0, whole_i, _SQUARE):
        for j in range(0, whole_j, _SQUARE):
            for p in range(_SQUARE):
                for q in range(_SQUARE):
                    turned[i + p, j + q] = W[j + q, i + p]
    for i in range(I):
        for j in range(whole_j if i < whole_i else 0, J):
            turned[i, j] = W[j, i]


@elementwise
def _without_biases(W, part):
    for j in range(W.shape[0]):
        for i in range(W.shape[1] - 1):
            part[j, i] = W[j, 1 + i]


@compiled
def forth(net, l):
    """Return Wᵀ of layer l, of shape (1 + I, J)."""
    I, J = net.sizes[l], net.sizes[l + 1]
    return net.forth[net.starts[l] : net.starts[l + 1]].reshape(1 + I, J)


@compiled
def forth_alone(net, l):
    """Return Wᵀ of layer l without the biases, of shape (I, J)."""
    I, J = net.sizes[l], net.sizes[l + 1]
    return net.forth[net.starts[l] + J : net.starts[l + 1]].reshape(I, J)


@compiled
def back(net, l):
    """Return W of layer l > 0 without the biases, of shape (J, I)."""
    I, J = net.sizes[l], net.sizes[l + 1]
    return net.back[net.starts[l] : net.starts[l] + J * I].reshape(J, I)


@compiled
def activations(net, X, alone, second, state, scratch):
    """Fill z, slope and, if `second`, bend with h″; return a of the outputs.

    If X goes in `alone`, z of the inputs, with its constant unit, is left out.
    """
    rows, L = X.shape[0], len(net.sizes) - 1
    z = cut(state, rows, net.at[0, 0], 1 + net.sizes[0])
    if not alone:
        for n in range(rows):
            z[n, 0] = 1.0
            for i in range(net.sizes[0]):
                z[n, 1 + i] = X[n, i]
    for l in range(L):
        M = net.sizes[l + 1]
        a = cut(scratch, rows, 0, M)
        if l == 0 and alone:
            np.dot(X, forth_alone(net, 0), a)
            bias = forth(net, 0)[0]
            for n in range(rows):
                for j in range(M):
                    a[n, j] += bias[j]
        else:
            np.dot(z, forth(net, l), a)
        if l < L - 1:
            flat = a.reshape(rows * M)
            slope = cut(state, rows, net.at[1, l + 1], M).reshape(rows * M)
            bend = cut(state, rows, net.at[2, l + 1], M).reshape(rows * M)
            hidden_units(net.units[l], flat, slope, bend, second)
            z = cut(state, rows, net.at[0, l + 1], 1 + M)
            for n in range(rows):
                z[n, 0] = 1.0
                for j in range(M):
                    z[n, 1 + j] = a[n, j]
    return cut(scratch, rows, 0, net.sizes[L])


@compiled
def forward(net, X, alone, second, state, scratch):
    """Fill what `activations` does, and y, m and rest of the outputs."""
    rows, L = X.shape[0], len(net.sizes) - 1
    a = activations(net, X, alone, second, state, scratch)
    y, m = (
        cut(state, rows, net.at[0, L], net.sizes[L]),
        cut(state, rows, net.at[1, L], net.sizes[L]),
    )
    outputs(net.output, a, y, m, cut(state, rows, net.at[2, L], net.sizes[L]))


@elementwise
def _residual(output, y, rest, T, delta):
    """Put y − t into `delta`; where y is a probability, y (1 − t) − (1 − y) t."""
    for n in range(y.shape[0]):
        for k in range(y.shape[1]):
            if output == 0:
                delta[n, k] = y[n, k] - T[n, k]
            else:
                delta[n, k] = y[n, k] * (1.0 - T[n, k]) - rest[n, k] * T[n, k]


@elementwise
def _scale(a, b):
    for i in range(a.size):
        a[i] *= b[i]


@compiled
def backward(net, T, second, state, scratch):
    """Fill every delta, and if `second` multiply its sums into the bends."""
    sizes, at = net.sizes, net.at
    rows, L = T.shape[0], len(sizes) - 1
    delta = cut(state, rows, at[3, L], sizes[L])
    y, rest = cut(state, rows, at[0, L], sizes[L]), cut(state, rows, at[2, L], sizes[L])
    _residual(net.output, y, rest, T, delta)
    for l in range(L - 1, 0, -1):
        M = sizes[l]
        s = cut(scratch, rows, 0, M)
        np.dot(delta, back(net, l), s)
        flat = s.reshape(rows * M)
        if second:
            _scale(cut(state, rows, at[2, l], M).reshape(rows * M), flat)
        delta = cut(state, rows, at[3, l], M)
        multiplied(
            flat,
            cut(state, rows, at[1, l], M).reshape(rows * M),
            delta.reshape(rows * M),
        )


# Patterns that one product may sum in single precision. A sum of that many equal
# numbers is off by 2e-6 at most; what is added to it is added in double precision.
_RUN = 64


@compiled
def add_sum(left, right, total, buffer):
    """Add Σ_n left[n, j] right[n, i] to total[j, i], which has double precision."""
    rows = len(left)
    J, I = total.shape
    share = buffer[: J * I].reshape(J, I)
    run = _RUN if left.itemsize == 4 else rows
    for n in range(0, rows, run):
        end = min(n + run, rows)
        np.dot(left[n:end].T, right[n:end], share)
        for j in range(J):
            for i in range(I):
                total[j, i] += share[j, i]


@elementwise
def multiplied(a, b, out):
    for i in range(a.size):
        out[i] = a[i] * b[i]
