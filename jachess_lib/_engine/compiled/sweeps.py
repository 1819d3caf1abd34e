"""Forward and backward through a block of patterns, and where its numbers lie.

A *state* is one flat array with all that a sweep keeps of a block of patterns. `layout`
says where each part starts, in numbers per pattern, and `cut` takes it out with a row
for each pattern.
"""

import numpy as np

from jachess_lib._engine.compiled.units import (
    compiled,
    elementwise,
    hidden_units,
    outputs,
)

# Numbers in the state of a block: 2 MB in float64 stays in the second-level cache.
_STATE = 1 << 16
_FEWEST_ROWS = 64


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
def starts_of(sizes):
    """Return where each weight layer starts in w."""
    starts = np.zeros(len(sizes), np.int64)
    for l in range(len(sizes) - 1):
        starts[l + 1] = starts[l] + sizes[l + 1] * (1 + sizes[l])
    return starts


@compiled
def layer_of(w, sizes, starts, l):
    return w[starts[l] : starts[l + 1]].reshape(sizes[l + 1], 1 + sizes[l])


@compiled
def without_biases(w, sizes, starts):
    """Return the weights layer by layer without their first columns, in one array."""
    V = np.empty_like(w)
    for l in range(1, len(sizes) - 1):
        W = layer_of(w, sizes, starts, l)
        V_l = weights_of(V, sizes, starts, l)
        for j in range(W.shape[0]):
            for i in range(W.shape[1] - 1):
                V_l[j, i] = W[j, i + 1]
    return V


@compiled
def weights_of(V, sizes, starts, l):
    size = sizes[l + 1] * sizes[l]
    return V[starts[l] : starts[l] + size].reshape(sizes[l + 1], sizes[l])


@compiled
def forward(w, sizes, starts, at, units, output, X, V_0, second, state, scratch):
    """Fill z, slope and, if `second`, bend with h″; then y, m and rest.

    Given V_0, the first weights without their biases, z of the inputs is left out.
    """
    rows, L = X.shape[0], len(sizes) - 1
    z = cut(state, rows, at[0, 0], 1 + sizes[0])
    if V_0.size == 0:
        for n in range(rows):
            z[n, 0] = 1.0
            for i in range(sizes[0]):
                z[n, 1 + i] = X[n, i]
    for l in range(L):
        M = sizes[l + 1]
        a = cut(scratch, rows, 0, M)
        if l == 0 and V_0.size > 0:
            W = layer_of(w, sizes, starts, 0)
            np.dot(X, V_0.T, a)
            for n in range(rows):
                for j in range(M):
                    a[n, j] += W[j, 0]
        else:
            np.dot(z, layer_of(w, sizes, starts, l).T, a)
        if l == L - 1:
            y, m = cut(state, rows, at[0, L], M), cut(state, rows, at[1, L], M)
            outputs(output, a, y, m, cut(state, rows, at[2, L], M))
            return
        flat = a.reshape(rows * M)
        slope = cut(state, rows, at[1, l + 1], M).reshape(rows * M)
        bend = cut(state, rows, at[2, l + 1], M).reshape(rows * M)
        hidden_units(units[l], flat, slope, bend, second)
        z = cut(state, rows, at[0, l + 1], 1 + M)
        for n in range(rows):
            z[n, 0] = 1.0
            for j in range(M):
                z[n, 1 + j] = a[n, j]


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
def backward(V, sizes, starts, at, output, T, state, scratch):
    """Fill every delta but that of the first layer, and multiply it into the bends."""
    rows, L = T.shape[0], len(sizes) - 1
    delta = cut(state, rows, at[3, L], sizes[L])
    y, rest = cut(state, rows, at[0, L], sizes[L]), cut(state, rows, at[2, L], sizes[L])
    _residual(output, y, rest, T, delta)
    for l in range(L - 1, 0, -1):
        M = sizes[l]
        s = cut(scratch, rows, 0, M)
        np.dot(delta, weights_of(V, sizes, starts, l), s)
        flat = s.reshape(rows * M)
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
