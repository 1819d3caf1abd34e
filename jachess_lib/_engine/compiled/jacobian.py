"""The Jacobians of the outputs, with respect to the inputs and to the parameters.

R[k] holds the sensitivities of output k: a row for each unit, a column for each
pattern.
"""

import numpy as np

from jachess_lib._engine.compiled.products import product, turn
from jachess_lib._engine.compiled.sweeps import (
    back,
    cut,
    forward,
    front_of,
    layers,
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
def sensitivities(output, of_outputs, m, rest, R):
    """Put ∂y_k/∂a_l, or I_kl for the activations themselves, into R[k, l, n]."""
    widest_vectors()
    K, rows = m.shape
    for k in range(K):
        for l in range(K):
            if of_outputs and output == 2:
                for n in range(rows):  # y − y², with the digits of 1 − y
                    R[k, l, n] = m[k, n] * (rest[k, n] if k == l else -m[l, n])
            else:
                for n in range(rows):
                    own = m[k, n] if of_outputs else 1.0
                    R[k, l, n] = own if k == l else 0.0


@elementwise
def first_step(output, y, m, V, mean, slope, R):
    """Put h'(a_j) Σ_l w_lj ∂y_k/∂a_l into R[k, j, n], for the last weight layer."""
    widest_vectors()
    K, rows = m.shape
    for k in range(K):
        for j in range(V.shape[1]):
            w = V[k, j]
            if output == 2:
                for n in range(rows):
                    R[k, j, n] = m[k, n] * (w - mean[j, n]) * slope[j, n]
            else:
                for n in range(rows):
                    R[k, j, n] = m[k, n] * w * slope[j, n]
    if output == 2:
        # where y is nearly 1, w_kj is nearly its mean: sum the differences instead
        room = np.empty((3, rows))
        largest, top, sums = room[0], room[1], room[2]
        largest_of(y, largest, top)
        for j in range(V.shape[1]):
            sums[:] = 0.0
            for n in range(rows):
                largest[n] = V[int(top[n]), j]
            for l in range(K):
                for n in range(rows):
                    sums[n] += y[l, n] * (largest[n] - V[l, j])
            for k in range(K):
                for n in range(rows):
                    exact = m[k, n] * sums[n] * slope[j, n]
                    R[k, j, n] = exact if top[n] == k else R[k, j, n]


@elementwise
def _square_root(m):
    widest_vectors()
    for i in range(m.size):
        m[i] = np.sqrt(m[i])


@elementwise
def scale_rows(R, slope):
    widest_vectors()
    for k in range(R.shape[0]):
        for j in range(R.shape[1]):
            for n in range(R.shape[2]):
                R[k, j, n] *= slope[j, n]


@compiled
def room_for_rows(net, n_patterns, units, itemsize, room):
    """Return how many patterns go at a time, their state, two fronts, and scratch.

    A front is what each output's sensitivities take, which go back layer by layer. Who
    sums nothing may take as many as in double precision, with an `itemsize` of 8.
    """
    front = front_of(net.sizes, units)
    step = rows_of_a_block(net.width + 2 * front, n_patterns, itemsize)
    state, room = split(room, step * net.width)
    one, room = split(room, step * front)
    two, room = split(room, step * front)
    return step, state, one, two, room


@compiled
def back_through_layer(net, l, R, slope, room):
    """Return h'(a_j) Σ_r R_kr w_rj of the layer below weight layer l, in `room`."""
    K, _, rows = R.shape
    I = net.sizes[l]
    S = room[: K * I * rows].reshape(K, I, rows)
    for k in range(K):
        product(back(net, l).T, R[k], S[k], False)
    scale_rows(S, slope)
    return S


@compiled
def last_layer(net, y, m, slope, root, scratch, room):
    """Return ∂y_k/∂a_j of the last hidden layer, in `room`.

    If `root`, its rows are divided by √M's own, so that RᵀR is what M becomes there.
    """
    K, rows = m.shape
    L = len(net.sizes) - 1
    M, V = net.sizes[L - 1], back(net, L - 1)
    mean = cut(scratch, rows, 0, M)
    if net.output == 2:
        product(V.T, m, mean, False)
    if root:
        _square_root(m.reshape(K * rows))
    R = room[: K * M * rows].reshape(K, M, rows)
    first_step(net.output, y, m, V, mean, slope, R)
    return R


@compiled
def input_jacobian(w, sizes, units, output, X, J, room):
    """Put ∂y_k/∂x_i into J, of shape (N, K, D), from the outputs back."""
    net = layers(w, sizes, units, output)
    at, L, K, D = net.at, len(sizes) - 1, sizes[-1], sizes[0]
    V_0 = back(net, 0)
    step, state, front, other, scratch = room_for_rows(net, len(X), 1, 8, room)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        rows = end - n
        part = state[: rows * net.width]
        forward(net, X[n:end], 1, part, scratch)
        y, m = cut(part, rows, at[0, L], K), cut(part, rows, at[1, L], K)
        if L == 1:
            R = front[: K * K * rows].reshape(K, K, rows)
            sensitivities(output, True, m, cut(part, rows, at[2, L], K), R)
        else:
            slope = cut(part, rows, at[1, L - 1], sizes[L - 1])
            R = last_layer(net, y, m, slope, False, scratch, front)
        for l in range(L - 2, 0, -1):
            slope = cut(part, rows, at[1, l], sizes[l])
            R = back_through_layer(net, l, R, slope, other)
            front, other = other, front
        if K == 1:
            product(R[0].T, V_0, J[n:end].reshape(rows, D), False)
            continue
        # BLAS then writes J as it lies
        turned = other[: R.size].reshape(rows, K, sizes[1])
        for k in range(K):
            turn(R[k], turned[:, k])
        front_by_rows = turned.reshape(rows * K, sizes[1])
        product(front_by_rows, V_0, J[n:end].reshape(rows * K, D), False)


@compiled
def parameter_jacobian(w, sizes, units, output, X, of_outputs, J, room):
    """Put ∂y_k/∂w, or ∂a_k/∂w, into J, of shape (N, K, P)."""
    net = layers(w, sizes, units, output)
    at, L, K = net.at, len(sizes) - 1, sizes[-1]
    step, state, front, other, scratch = room_for_rows(net, len(X), 2, 8, room)
    second = scratch[step * (1 + sizes.max()) :]
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        rows = end - n
        part = state[: rows * net.width]
        forward(net, X[n:end], 1, part, scratch)
        R = front[: K * K * rows].reshape(K, K, rows)
        m, rest = cut(part, rows, at[1, L], K), cut(part, rows, at[2, L], K)
        sensitivities(output, of_outputs, m, rest, R)
        for l in range(L - 1, -1, -1):
            z = cut(part, rows, at[0, l], 1 + sizes[l])
            turned_z = scratch[: z.size].reshape(rows, len(z))
            turn(z, turned_z)
            for k in range(K):
                turned_R = second[: R[k].size].reshape(rows, R.shape[1])
                turn(R[k], turned_R)
                _outer_rows(turned_R, turned_z, J[n:end, k], net.starts[l])
            if l > 0:
                slope = cut(part, rows, at[1, l], sizes[l])
                R = back_through_layer(net, l, R, slope, other)
                front, other = other, front


@elementwise
def _outer_rows(R, z, J, start):
    widest_vectors()
    I = z.shape[1]
    for n in range(R.shape[0]):
        for j in range(R.shape[1]):
            first = start + j * I
            for i in range(I):
                J[n, first + i] = R[n, j] * z[n, i]
