"""The Jacobians of the outputs, with respect to the inputs and to the parameters."""

import numpy as np

from jachess_lib._engine.compiled.sweeps import (
    back,
    block_of,
    cut,
    forward,
    front_of,
    layers,
    rows_of_a_block,
)
from jachess_lib._engine.compiled.units import compiled, elementwise, largest_of


@elementwise
def sensitivities(output, of_outputs, m, rest, R):
    """Put ∂y_k/∂a_l, or I_kl for the activations themselves, into R[n, k, l]."""
    rows, K = m.shape
    for n in range(rows):
        for k in range(K):
            for l in range(K):
                R[n, k, l] = 0.0
                if of_outputs and output == 2:
                    R[n, k, l] = -m[n, k] * m[n, l]
            R[n, k, k] = m[n, k] if of_outputs else 1.0
            if of_outputs and output == 2:  # y − y², with the digits of 1 − y
                R[n, k, k] *= rest[n, k]


@elementwise
def first_step(output, y, m, V, mean, slope, R):
    """Put h'(a_j) Σ_l w_lj ∂y_k/∂a_l into R[n, k, j], for the last weight layer."""
    rows, K = m.shape
    for n in range(rows):
        for k in range(K):
            for j in range(V.shape[1]):
                R[n, k, j] = m[n, k] * (V[k, j] - mean[n, j]) * slope[n, j]
        if output == 2:
            # where y is nearly 1, w_kj is nearly its mean: sum the differences instead
            k = largest_of(y[n])
            for j in range(V.shape[1]):
                R[n, k, j] = 0.0
            for l in range(K):
                if l != k:
                    for j in range(V.shape[1]):
                        R[n, k, j] += y[n, l] * (V[k, j] - V[l, j])
            for j in range(V.shape[1]):
                R[n, k, j] *= m[n, k] * slope[n, j]


@elementwise
def _square_root(m):
    for i in range(m.size):
        m[i] = np.sqrt(m[i])


@elementwise
def scale_rows(R, slope):
    for n in range(R.shape[0]):
        for k in range(R.shape[1]):
            for j in range(R.shape[2]):
                R[n, k, j] *= slope[n, j]


@compiled
def room_for_rows(net, n_patterns, units, room):
    """Return how many patterns go at a time, their state, two fronts, and scratch.

    A front is a row of sensitivities for each output, which goes back layer by layer.
    """
    front = front_of(net.sizes, units)
    step = rows_of_a_block(net.width + 2 * front, n_patterns)
    one = step * net.width
    two, end = one + step * front, one + 2 * step * front
    return step, room[:one], room[one:two], room[two:end], room[end:]


@compiled
def back_through_layer(net, l, R, slope, room):
    """Return h'(a_j) Σ_r R_kr w_rj of the layer below weight layer l, in `room`."""
    rows, K, M = R.shape
    I = net.sizes[l]
    S = room[: rows * K * I].reshape(rows, K, I)
    np.dot(R.reshape(rows * K, M), back(net, l), S.reshape(rows * K, I))
    scale_rows(S, slope)
    return S


@compiled
def last_layer(net, y, m, slope, root, scratch, room):
    """Return ∂y_k/∂a_j of the last hidden layer, in `room`.

    If `root`, its rows are divided by √M's own, so that RᵀR is what M becomes there.
    """
    rows, K = m.shape
    L = len(net.sizes) - 1
    M, V = net.sizes[L - 1], back(net, L - 1)
    mean = cut(scratch, rows, 0, M)
    if net.output == 2:
        np.dot(m, V, mean)
    else:
        mean[:] = 0.0
    if root:
        _square_root(m.reshape(rows * K))
    R = room[: rows * K * M].reshape(rows, K, M)
    first_step(net.output, y, m, V, mean, slope, R)
    return R


@compiled
def input_jacobian(w, sizes, units, output, X, J, room):
    """Put ∂y_k/∂x_i into J, of shape (N, K, D), from the outputs back."""
    net, room = layers(w, sizes, units, output, room)
    at, L, K, D = net.at, len(sizes) - 1, sizes[-1], sizes[0]
    V_0, room = room[: sizes[1] * D].reshape(sizes[1], D), room[sizes[1] * D :]
    V_0[:] = block_of(w, sizes, net.starts, 0)[:, 1:]
    step, state, front, other, scratch = room_for_rows(net, len(X), 1, room)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        rows = end - n
        part = state[: rows * net.width]
        forward(net, X[n:end], True, False, part, scratch)
        y, m = cut(part, rows, at[0, L], K), cut(part, rows, at[1, L], K)
        if L == 1:
            R = front[: rows * K * K].reshape(rows, K, K)
            sensitivities(output, True, m, cut(part, rows, at[2, L], K), R)
        else:
            slope = cut(part, rows, at[1, L - 1], sizes[L - 1])
            R = last_layer(net, y, m, slope, False, scratch, front)
        for l in range(L - 2, 0, -1):
            slope = cut(part, rows, at[1, l], sizes[l])
            R = back_through_layer(net, l, R, slope, other)
            front, other = other, front
        np.dot(R.reshape(rows * K, sizes[1]), V_0, J[n:end].reshape(rows * K, D))


@compiled
def parameter_jacobian(w, sizes, units, output, X, of_outputs, J, room):
    """Put ∂y_k/∂w, or ∂a_k/∂w, into J, of shape (N, K, P)."""
    net, room = layers(w, sizes, units, output, room)
    at, L, K = net.at, len(sizes) - 1, sizes[-1]
    step, state, front, other, scratch = room_for_rows(net, len(X), 2, room)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        rows = end - n
        part = state[: rows * net.width]
        forward(net, X[n:end], False, False, part, scratch)
        R = front[: rows * K * K].reshape(rows, K, K)
        m, rest = cut(part, rows, at[1, L], K), cut(part, rows, at[2, L], K)
        sensitivities(output, of_outputs, m, rest, R)
        for l in range(L - 1, -1, -1):
            z = cut(part, rows, at[0, l], 1 + sizes[l])
            _outer_rows(R, z, J[n:end], net.starts[l])
            if l > 0:
                slope = cut(part, rows, at[1, l], sizes[l])
                R = back_through_layer(net, l, R, slope, other)
                front, other = other, front


@elementwise
def _outer_rows(R, z, J, start):
    I = z.shape[1]
    for n in range(R.shape[0]):
        for k in range(R.shape[1]):
            for j in range(R.shape[2]):
                first = start + j * I
                for i in range(I):
                    J[n, k, first + i] = R[n, k, j] * z[n, i]
