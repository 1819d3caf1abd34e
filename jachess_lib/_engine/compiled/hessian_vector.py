"""The Hessian and the outer-product matrix times a vector."""

import numpy as np

from jachess_lib._engine.compiled.products import add_sum, product, room_of_sum
from jachess_lib._engine.compiled.sweeps import (
    back,
    backward,
    block_of,
    cut,
    forth,
    forward,
    layers,
    multiplied,
    rows_of_a_block,
    split,
)
from jachess_lib._engine.compiled.units import (
    compiled,
    elementwise,
    largest_of,
    widest_vectors,
)


@elementwise
def _signals(s, slope, bend, R_a, R_delta):
    widest_vectors()
    for i in range(s.size):
        R_delta[i] = slope[i] * s[i] + bend[i] * R_a[i]


@elementwise
def _start(output, m, R_a, R_delta):
    """Put M R{a} into `R_delta`."""
    widest_vectors()
    K, rows = m.shape
    if output != 2:
        for k in range(K):
            for n in range(rows):
                R_delta[k, n] = m[k, n] * R_a[k, n]
        return
    room = np.empty((5, rows))
    largest, top, mean, R_top, total = room[0], room[1], room[2], room[3], room[4]
    largest_of(m, largest, top)
    mean[:] = 0.0
    R_top[:] = 0.0
    total[:] = 0.0
    for k in range(K):
        for n in range(rows):
            mean[n] += m[k, n] * R_a[k, n]
            R_top[n] = R_a[k, n] if top[n] == k else R_top[n]
    # where y is nearly 1, R{a} is nearly its mean: sum the differences instead
    for k in range(K):
        for n in range(rows):
            total[n] += m[k, n] * (R_top[n] - R_a[k, n])
    for k in range(K):
        for n in range(rows):
            above = total[n] if top[n] == k else R_a[k, n] - mean[n]
            R_delta[k, n] = m[k, n] * above


@compiled
def _product_of_rows(net, v, exact, rows, state, scratch, Hv, block):
    """Add the share of some patterns in Hv to `Hv`, which has double precision."""
    sizes, at = net.sizes, net.at
    L = len(sizes) - 1
    offsets = np.zeros(L + 2, np.int64)  # of R_a and R_z in the scratch
    for l in range(1, L + 1):
        offsets[l + 1] = offsets[l] + 2 * sizes[l]
    room = scratch[rows * offsets[L + 1] :]
    for l in range(L):
        M = sizes[l + 1]
        R_a = cut(scratch, rows, offsets[l + 1], M)
        z = cut(state, rows, at[0, l], 1 + sizes[l])
        product(forth(v, l), z, R_a, False)
        if l > 0:
            R_z = cut(scratch, rows, offsets[l] + sizes[l], sizes[l])
            product(back(net, l), R_z, R_a, True)
        if l < L - 1:
            slope = cut(state, rows, at[1, l + 1], M).reshape(rows * M)
            R_z = cut(scratch, rows, offsets[l + 1] + M, M).reshape(rows * M)
            multiplied(R_a.reshape(rows * M), slope, R_z)
    R_delta = cut(scratch, rows, offsets[L] + sizes[L], sizes[L])
    m = cut(state, rows, at[1, L], sizes[L])
    _start(net.output, m, cut(scratch, rows, offsets[L], sizes[L]), R_delta)
    for l in range(L - 1, -1, -1):
        I, J = sizes[l], sizes[l + 1]
        z = cut(state, rows, at[0, l], 1 + I)
        Hv_l = block_of(Hv, sizes, net.starts, l)
        add_sum(R_delta, z, Hv_l, block)
        if l == 0:
            return
        if exact:
            delta = cut(state, rows, at[3, l + 1], J)
            R_z = cut(scratch, rows, offsets[l] + I, I)
            add_sum(delta, R_z, Hv_l[:, 1:], block)
        s = cut(room, rows, 0, I)
        product(back(net, l).T, R_delta, s, False)
        slope = cut(state, rows, at[1, l], I).reshape(rows * I)
        # R_z of this layer is done with, and makes room for R_delta
        R_delta = cut(scratch, rows, offsets[l] + I, I)
        if exact:
            delta = cut(state, rows, at[3, l + 1], J)
            product(back(v, l).T, delta, s, True)
            bend = cut(state, rows, at[2, l], I).reshape(rows * I)
            R_a = cut(scratch, rows, offsets[l], I).reshape(rows * I)
            flat, signals = s.reshape(rows * I), R_delta.reshape(rows * I)
            _signals(flat, slope, bend, R_a, signals)
        else:
            multiplied(s.reshape(rows * I), slope, R_delta.reshape(rows * I))


@compiled
def linearise(w, sizes, units, output, X, T, exact, state, room):
    """Fill the state of every block, one after the other."""
    net = layers(w, sizes, units, output)
    step = rows_of_a_block(net.width, len(X), w.itemsize)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[n * net.width : end * net.width]
        forward(net, X[n:end], 2 if exact else 1, part, room)
        if exact:
            backward(net, T[n:end], True, part, room)


@compiled
def multiply(w, sizes, units, output, n_patterns, exact, state, itemsize, v, Hv, room):
    """Put Hv, or the product with the outer-product matrix, into `Hv`.

    The state is that of `linearise`, where its numbers had `itemsize` bytes, and `Hv`
    has double precision.
    """
    net = layers(w, sizes, units, output)
    along = layers(v, sizes, units, output)
    step = rows_of_a_block(net.width, n_patterns, itemsize)
    block, scratch = split(room, room_of_sum(sizes))
    Hv[:] = 0.0
    for n in range(0, n_patterns, step):
        rows = min(step, n_patterns - n)
        part = state[n * net.width : (n + rows) * net.width]
        _product_of_rows(net, along, exact, rows, part, scratch, Hv, block)


@compiled
def linearise_and_multiply(w, sizes, units, output, X, T, exact, v, Hv, room):
    """Fill `Hv` as `multiply` does, keeping the state of one block at a time."""
    net = layers(w, sizes, units, output)
    along = layers(v, sizes, units, output)
    step = rows_of_a_block(net.width, len(X), w.itemsize)
    block, room = split(room, room_of_sum(sizes))
    state, scratch = split(room, step * net.width)
    Hv[:] = 0.0
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[: (end - n) * net.width]
        forward(net, X[n:end], 2 if exact else 1, part, scratch)
        if exact:
            backward(net, T[n:end], True, part, scratch)
        _product_of_rows(net, along, exact, end - n, part, scratch, Hv, block)
