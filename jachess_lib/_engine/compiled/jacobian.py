"""The Jacobians of the outputs, with respect to the inputs and to the parameters."""

import numpy as np

from jachess_lib._engine.compiled.sweeps import (
    cut,
    forward,
    layer_of,
    layout,
    rows_of_a_block,
    starts_of,
    weights_of,
    without_biases,
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
def scale_rows(R, slope):
    for n in range(R.shape[0]):
        for k in range(R.shape[1]):
            for j in range(R.shape[2]):
                R[n, k, j] *= slope[n, j]


@compiled
def input_jacobian(w, sizes, units, output, X, J):
    """Put ∂y_k/∂x_i into J, of shape (N, K, D), from the outputs back."""
    L, K, D = len(sizes) - 1, sizes[-1], sizes[0]
    starts = starts_of(sizes)
    at, width = layout(sizes)
    V = without_biases(w, sizes, starts)
    W_0 = layer_of(w, sizes, starts, 0)
    V_0 = W_0[:, 1:].copy()
    widest = sizes[1:].max()
    step = rows_of_a_block(width + 2 * K * widest, len(X))
    state = np.empty(step * width, w.dtype)
    scratch = np.empty(step * widest, w.dtype)
    front, back = (
        np.empty(step * K * widest, w.dtype),
        np.empty(step * K * widest, w.dtype),
    )
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        rows = end - n
        part = state[: rows * width]
        forward(
            w, sizes, starts, at, units, output, X[n:end], V_0, False, part, scratch,
        )  # fmt: skip
        y, m = cut(part, rows, at[0, L], K), cut(part, rows, at[1, L], K)
        J_n = J[n:end].reshape(rows * K, D)
        if L == 1:
            R = front[: rows * K * K].reshape(rows, K, K)
            sensitivities(output, True, m, cut(part, rows, at[2, L], K), R)
            np.dot(R.reshape(rows * K, K), V_0, J_n)
            continue
        M = sizes[L - 1]
        V_l = weights_of(V, sizes, starts, L - 1)
        mean = cut(scratch, rows, 0, M)
        if output == 2:
            np.dot(m, V_l, mean)
        else:
            mean[:] = 0.0
        R = front[: rows * K * M].reshape(rows, K, M)
        first_step(output, y, m, V_l, mean, cut(part, rows, at[1, L - 1], M), R)
        for l in range(L - 2, 0, -1):
            M = sizes[l]
            S = back[: rows * K * M].reshape(rows, K, M)
            np.dot(
                R.reshape(rows * K, sizes[l + 1]),
                weights_of(V, sizes, starts, l),
                S.reshape(rows * K, M),
            )
            scale_rows(S, cut(part, rows, at[1, l], M))
            front, back, R = back, front, S
        np.dot(R.reshape(rows * K, sizes[1]), V_0, J_n)


@compiled
def parameter_jacobian(w, sizes, units, output, X, of_outputs, J):
    """Put ∂y_k/∂w, or ∂a_k/∂w, into J, of shape (N, K, P)."""
    L, K = len(sizes) - 1, sizes[-1]
    starts = starts_of(sizes)
    at, width = layout(sizes)
    V = without_biases(w, sizes, starts)
    V_0 = np.empty((0, 0), w.dtype)
    widest = sizes[1:].max()
    step = rows_of_a_block(width + 2 * K * widest, len(X))
    state = np.empty(step * width, w.dtype)
    scratch = np.empty(step * widest, w.dtype)
    front, back = (
        np.empty(step * K * widest, w.dtype),
        np.empty(step * K * widest, w.dtype),
    )
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        rows = end - n
        part = state[: rows * width]
        forward(
            w, sizes, starts, at, units, output, X[n:end], V_0, False, part, scratch,
        )  # fmt: skip
        R = front[: rows * K * K].reshape(rows, K, K)
        m, rest = cut(part, rows, at[1, L], K), cut(part, rows, at[2, L], K)
        sensitivities(output, of_outputs, m, rest, R)
        for l in range(L - 1, -1, -1):
            M = sizes[l + 1]
            z = cut(part, rows, at[0, l], 1 + sizes[l])
            _outer_rows(R, z, J[n:end], starts[l])
            if l > 0:
                S = back[: rows * K * sizes[l]].reshape(rows, K, sizes[l])
                np.dot(
                    R.reshape(rows * K, M),
                    weights_of(V, sizes, starts, l),
                    S.reshape(rows * K, sizes[l]),
                )
                scale_rows(S, cut(part, rows, at[1, l], sizes[l]))
                front, back, R = back, front, S


@elementwise
def _outer_rows(R, z, J, start):
    I = z.shape[1]
    for n in range(R.shape[0]):
        for k in range(R.shape[1]):
            for j in range(R.shape[2]):
                first = start + j * I
                for i in range(I):
                    J[n, k, first + i] = R[n, k, j] * z[n, i]
