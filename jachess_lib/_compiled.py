"""Compiled twins of the sweeps whose cost in NumPy is calls and passes over memory.

Used where Numba is installed (`pip install "jachess-lib[fast]"`), and only by
`_kernels`. Nothing is derived here: each twin computes what the chapter's own lines
compute, a few patterns at a time, and the tests hold the two against each other.

A *state* is one flat array with all that a sweep keeps of a block of patterns.
`_layout` says where each part starts, in numbers per pattern, and `_part` cuts it out
with a row for each pattern. The functions at the end are what stands in: they have the
names and the arguments of those they stand in for.
"""

import math
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

UNITS = {"identity": 0, "tanh": 1, "sigmoid": 2, "softplus": 3, "relu": 4}
OUTPUTS = {"linear": 0, "sigmoid": 1, "softmax": 2}

# Numbers in the state of a block: 2 MB in float64 stays in the second-level cache.
_STATE = 1 << 18
_FEWEST_ROWS = 64

# "numpy" lets a division by zero be an infinity, and with it a loop be vectorised.
_HOW = {"cache": True, "nogil": True, "error_model": "numpy"}
compiled = njit(**_HOW)
# "contract" lets a·b + c be one instruction; nothing else about rounding is given up.
elementwise = njit(**_HOW, fastmath={"contract"})
element = njit(**_HOW, fastmath={"contract"}, inline="always")


@intrinsic
def _bits(typing_context, x):
    def cast(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), cast


@intrinsic
def _number(typing_context, x):
    def cast(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), cast


_LOG2_E = 1 / math.log(2)
_LN2_HIGH = 6.93147180369123816490e-01  # its product with any |k| < 2^20 is exact
_LN2_LOW = 1.90821492927058770002e-10
_ROUNDER = 1.5 * 2.0**52  # x + _ROUNDER has the whole part of x in its last bits


@element
def _reduced(x):
    """Return (2^k, e^r − 1), where x = k ln 2 + r and |r| ≤ ½ ln 2; no branch."""
    shifted = x * _LOG2_E + _ROUNDER
    k = shifted - _ROUNDER
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r * r + r
    return _number((_bits(shifted) + 1023) << 52), p


@element
def _exp_of_negative(x):
    """Return e^x for x ≤ 0; below −708, where it would leave the normal numbers, 0."""
    scale, p = _reduced(max(x, -708.0))
    return (scale * p + scale) * (x >= -708.0)


@element
def _tanh(a):
    # tanh|a| = −e/(2 + e) with e = e^(−2|a|) − 1, which keeps every digit near 0
    scale, p = _reduced(max(-2.0 * abs(a), -50.0))
    e = scale * p + (scale - 1.0)
    return math.copysign(-e / (2.0 + e), a)


@elementwise
def _hidden(unit, a, slope, bend, second):
    """Put h(a) into `a` and h'(a) into `slope`, and h″(a) into `bend` if `second`."""
    if unit == 1:
        for i in range(a.size):
            z = _tanh(np.float64(a[i]))
            h = 1.0 - z * z
            a[i] = z
            slope[i] = h
            if second:
                bend[i] = -2.0 * z * h
    elif unit == 2 or unit == 3:
        for i in range(a.size):
            x = np.float64(a[i])
            e = _exp_of_negative(-abs(x))
            large, small = 1.0 / (1.0 + e), e / (1.0 + e)  # σ(|a|), σ(−|a|)
            plus = large if x >= 0 else small
            minus = small if x >= 0 else large
            if unit == 2:
                a[i] = plus
                slope[i] = plus * minus
                if second:
                    bend[i] = plus * minus * (minus - plus)
            else:
                a[i] = max(x, 0.0) + math.log1p(e)
                slope[i] = plus
                if second:
                    bend[i] = plus * minus
    else:
        for i in range(a.size):
            on = 1.0 if unit == 0 or a[i] > 0 else 0.0
            a[i] *= on
            slope[i] = on
            if second:
                bend[i] = 0.0


@elementwise
def _outputs(output, a, y, m):
    """Put the outputs into `y` and what is needed of ∂y/∂a into `m`."""
    rows, K = a.shape
    if output == 0:
        for n in range(rows):
            for k in range(K):
                y[n, k] = a[n, k]
                m[n, k] = 1.0
    elif output == 1:
        for n in range(rows):
            for k in range(K):
                x = np.float64(a[n, k])
                e = _exp_of_negative(-abs(x))
                large, small = 1.0 / (1.0 + e), e / (1.0 + e)
                y[n, k] = large if x >= 0 else small
                m[n, k] = large * small
    else:
        for n in range(rows):
            largest = a[n, 0]
            for k in range(1, K):
                largest = max(largest, a[n, k])
            for k in range(K):
                a[n, k] -= largest
        flat = a.reshape(rows * K)
        for i in range(flat.size):
            flat[i] = _exp_of_negative(np.float64(flat[i]))
        for n in range(rows):
            total = 0.0
            for k in range(K):
                total += a[n, k]
            for k in range(K):
                y[n, k] = a[n, k] / total
                m[n, k] = y[n, k]


@compiled
def _layout(sizes):
    """Return where z, slope, bend and delta, then y and m, start; and the end."""
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
    return at, end


@compiled
def _part(state, rows, start, columns):
    return state[rows * start : rows * (start + columns)].reshape(rows, columns)


@compiled
def _starts(sizes):
    """Return where each weight layer starts in w."""
    starts = np.zeros(len(sizes), np.int64)
    for l in range(len(sizes) - 1):
        starts[l + 1] = starts[l] + sizes[l + 1] * (1 + sizes[l])
    return starts


@compiled
def _layer(w, sizes, starts, l):
    return w[starts[l] : starts[l + 1]].reshape(sizes[l + 1], 1 + sizes[l])


@compiled
def _without_biases(w, sizes, starts):
    """Return the weights layer by layer without their first columns, in one array."""
    V = np.empty_like(w)
    for l in range(1, len(sizes) - 1):
        W = _layer(w, sizes, starts, l)
        V_l = _weights(V, sizes, starts, l)
        for j in range(W.shape[0]):
            for i in range(W.shape[1] - 1):
                V_l[j, i] = W[j, i + 1]
    return V


@compiled
def _weights(V, sizes, starts, l):
    size = sizes[l + 1] * sizes[l]
    return V[starts[l] : starts[l] + size].reshape(sizes[l + 1], sizes[l])


@compiled
def _forward(w, sizes, starts, at, units, output, X, V_0, second, state, scratch):
    """Fill z, slope and, if `second`, bend with h″; then y and m.

    Given V_0, the first weights without their biases, z of the inputs is left out.
    """
    rows, L = X.shape[0], len(sizes) - 1
    z = _part(state, rows, at[0, 0], 1 + sizes[0])
    if V_0.size == 0:
        for n in range(rows):
            z[n, 0] = 1.0
            for i in range(sizes[0]):
                z[n, 1 + i] = X[n, i]
    for l in range(L):
        M = sizes[l + 1]
        a = _part(scratch, rows, 0, M)
        if l == 0 and V_0.size > 0:
            W = _layer(w, sizes, starts, 0)
            np.dot(X, V_0.T, a)
            for n in range(rows):
                for j in range(M):
                    a[n, j] += W[j, 0]
        else:
            np.dot(z, _layer(w, sizes, starts, l).T, a)
        if l == L - 1:
            y = _part(state, rows, at[0, L], M)
            _outputs(output, a, y, _part(state, rows, at[1, L], M))
            return
        flat = a.reshape(rows * M)
        slope = _part(state, rows, at[1, l + 1], M).reshape(rows * M)
        bend = _part(state, rows, at[2, l + 1], M).reshape(rows * M)
        _hidden(units[l], flat, slope, bend, second)
        z = _part(state, rows, at[0, l + 1], 1 + M)
        for n in range(rows):
            z[n, 0] = 1.0
            for j in range(M):
                z[n, 1 + j] = a[n, j]


@elementwise
def _scale(a, b):
    for i in range(a.size):
        a[i] *= b[i]


@compiled
def _backward(V, sizes, starts, at, T, state, scratch):
    """Fill every delta but that of the first layer, and multiply it into the bends."""
    rows, L = T.shape[0], len(sizes) - 1
    y = _part(state, rows, at[0, L], sizes[L])
    delta = _part(state, rows, at[3, L], sizes[L])
    for n in range(rows):
        for k in range(sizes[L]):
            delta[n, k] = y[n, k] - T[n, k]
    for l in range(L - 1, 0, -1):
        M = sizes[l]
        s = _part(scratch, rows, 0, M)
        np.dot(delta, _weights(V, sizes, starts, l), s)
        flat = s.reshape(rows * M)
        _scale(_part(state, rows, at[2, l], M).reshape(rows * M), flat)
        delta = _part(state, rows, at[3, l], M)
        _product(
            flat,
            _part(state, rows, at[1, l], M).reshape(rows * M),
            delta.reshape(rows * M),
        )


@elementwise
def _product(a, b, out):
    for i in range(a.size):
        out[i] = a[i] * b[i]


@elementwise
def _signals(s, t, slope, bend, R_a, R_delta):
    for i in range(s.size):
        R_delta[i] = slope[i] * (s[i] + t[i]) + bend[i] * R_a[i]


@elementwise
def _sum_and_unit(R_a, s, slope, R_z):
    for i in range(s.size):
        R_a[i] += s[i]
        R_z[i] = slope[i] * R_a[i]


@elementwise
def _add(a, b):
    for i in range(a.size):
        a[i] += b[i]


@elementwise
def _start(output, m, R_a, R_delta):
    rows, K = m.shape
    for n in range(rows):
        mean = 0.0
        if output == 2:
            for k in range(K):
                mean += m[n, k] * R_a[n, k]
        for k in range(K):
            R_delta[n, k] = m[n, k] * (R_a[n, k] - mean)


@compiled
def _product_of_rows(
    V, Vv, v, sizes, starts, at, output, exact, first, rows, state, scratch, Hv, block
):
    """Put the share of some patterns in Hv into `Hv`, or add it unless `first`."""
    L = len(sizes) - 1
    offsets = np.zeros(L + 2, np.int64)  # of R_a and R_z in the scratch
    for l in range(1, L + 1):
        offsets[l + 1] = offsets[l] + 2 * sizes[l]
    width = offsets[L + 1]
    widest = sizes[1:].max()
    one = scratch[rows * width : rows * (width + widest)]
    two = scratch[rows * (width + widest) : rows * (width + 2 * widest)]
    for l in range(L):
        M = sizes[l + 1]
        R_a = _part(scratch, rows, offsets[l + 1], M)
        z = _part(state, rows, at[0, l], 1 + sizes[l])
        np.dot(z, _layer(v, sizes, starts, l).T, R_a)
        s = one[: rows * M]
        if l > 0:
            R_z = _part(scratch, rows, offsets[l] + sizes[l], sizes[l])
            np.dot(R_z, _weights(V, sizes, starts, l).T, s.reshape(rows, M))
        flat = R_a.reshape(rows * M)
        if l < L - 1:
            slope = _part(state, rows, at[1, l + 1], M).reshape(rows * M)
            R_z = _part(scratch, rows, offsets[l + 1] + M, M).reshape(rows * M)
            if l > 0:
                _sum_and_unit(flat, s, slope, R_z)
            else:
                _product(flat, slope, R_z)
        elif l > 0:
            _add(flat, s)
    R_delta = _part(scratch, rows, offsets[L] + sizes[L], sizes[L])
    m = _part(state, rows, at[1, L], sizes[L])
    _start(output, m, _part(scratch, rows, offsets[L], sizes[L]), R_delta)
    for l in range(L - 1, -1, -1):
        I, J = sizes[l], sizes[l + 1]
        z = _part(state, rows, at[0, l], 1 + I)
        Hv_l = _layer(Hv, sizes, starts, l)
        if first:
            np.dot(R_delta.T, z, Hv_l)
        else:
            size = J * (1 + I)
            np.dot(R_delta.T, z, block[:size].reshape(J, 1 + I))
            _add(Hv[starts[l] : starts[l + 1]], block[:size])
        if l == 0:
            return
        if exact:
            delta = _part(state, rows, at[3, l + 1], J)
            share = block[: J * I].reshape(J, I)
            np.dot(delta.T, _part(scratch, rows, offsets[l] + I, I), share)
            for j in range(J):
                for i in range(I):
                    Hv_l[j, 1 + i] += share[j, i]
        s, t = one[: rows * I], two[: rows * I]
        np.dot(R_delta, _weights(V, sizes, starts, l), s.reshape(rows, I))
        slope = _part(state, rows, at[1, l], I).reshape(rows * I)
        # R_z of this layer is done with, and makes room for R_delta
        R_delta = _part(scratch, rows, offsets[l] + I, I)
        if exact:
            delta = _part(state, rows, at[3, l + 1], J)
            np.dot(delta, _weights(Vv, sizes, starts, l), t.reshape(rows, I))
            bend = _part(state, rows, at[2, l], I).reshape(rows * I)
            R_a = _part(scratch, rows, offsets[l], I).reshape(rows * I)
            _signals(s, t, slope, bend, R_a, R_delta.reshape(rows * I))
        else:
            _product(s, slope, R_delta.reshape(rows * I))


@compiled
def _rows_of_a_block(width, n_patterns):
    return max(1, min(n_patterns, max(_FEWEST_ROWS, _STATE // width)))


@compiled
def _linearise(w, sizes, units, output, X, T, exact):
    """Return the state of every block, one after the other."""
    starts = _starts(sizes)
    at, width = _layout(sizes)
    V = _without_biases(w, sizes, starts)
    state = np.empty(len(X) * width, w.dtype)
    step = _rows_of_a_block(width, len(X))
    scratch = np.empty(step * sizes.max(), w.dtype)
    V_0 = np.empty((0, 0), w.dtype)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[n * width : end * width]
        _forward(
            w, sizes, starts, at, units, output, X[n:end], V_0, exact, part, scratch,
        )  # fmt: skip
        if exact:
            _backward(V, sizes, starts, at, T[n:end], part, scratch)
    return state


@compiled
def _multiply(w, sizes, output, n_patterns, exact, state, v):
    """Return Hv, or the product with the outer-product matrix, from `_linearise`."""
    starts = _starts(sizes)
    at, width = _layout(sizes)
    V = _without_biases(w, sizes, starts)
    Vv = _without_biases(v, sizes, starts)
    step = _rows_of_a_block(width, n_patterns)
    Hv, block = np.zeros_like(w), np.empty_like(w)
    scratch = np.empty(step * 2 * (sizes[1:].sum() + sizes.max()), w.dtype)
    for n in range(0, n_patterns, step):
        rows = min(step, n_patterns - n)
        part = state[n * width : (n + rows) * width]
        _product_of_rows(
            V, Vv, v, sizes, starts, at, output, exact, n == 0, rows, part, scratch,
            Hv, block,
        )  # fmt: skip
    return Hv


@compiled
def _linearise_and_multiply(w, sizes, units, output, X, T, exact, v):
    """Return Hv as `_multiply` does, keeping the state of one block at a time."""
    starts = _starts(sizes)
    at, width = _layout(sizes)
    V = _without_biases(w, sizes, starts)
    Vv = _without_biases(v, sizes, starts)
    V_0 = np.empty((0, 0), w.dtype)
    step = _rows_of_a_block(width, len(X))
    state = np.empty(step * width, w.dtype)
    Hv, block = np.zeros_like(w), np.empty_like(w)
    scratch = np.empty(step * 2 * (sizes[1:].sum() + sizes.max()), w.dtype)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[: (end - n) * width]
        _forward(
            w, sizes, starts, at, units, output, X[n:end], V_0, exact, part, scratch,
        )  # fmt: skip
        if exact:
            _backward(V, sizes, starts, at, T[n:end], part, scratch)
        _product_of_rows(
            V, Vv, v, sizes, starts, at, output, exact, n == 0, end - n, part, scratch,
            Hv, block,
        )  # fmt: skip
    return Hv


@elementwise
def _sensitivities(output, of_outputs, m, R):
    """Put ∂y_k/∂a_l, or I_kl for the activations themselves, into R[n, k, l]."""
    rows, K = m.shape
    for n in range(rows):
        for k in range(K):
            for l in range(K):
                R[n, k, l] = 0.0
                if of_outputs and output == 2:
                    R[n, k, l] = -m[n, k] * m[n, l]
            R[n, k, k] += m[n, k] if of_outputs else 1.0


@elementwise
def _first_step(output, m, V, mean, slope, R):
    """Put h'(a_j) Σ_l w_lj ∂y_k/∂a_l into R[n, k, j], for the last weight layer."""
    rows, K = m.shape
    for n in range(rows):
        for k in range(K):
            for j in range(V.shape[1]):
                R[n, k, j] = m[n, k] * (V[k, j] - mean[n, j]) * slope[n, j]


@elementwise
def _scale_rows(R, slope):
    for n in range(R.shape[0]):
        for k in range(R.shape[1]):
            for j in range(R.shape[2]):
                R[n, k, j] *= slope[n, j]


@compiled
def _input_jacobian(w, sizes, units, output, X, J):
    """Put ∂y_k/∂x_i into J, of shape (N, K, D), from the outputs back."""
    L, K, D = len(sizes) - 1, sizes[-1], sizes[0]
    starts = _starts(sizes)
    at, width = _layout(sizes)
    V = _without_biases(w, sizes, starts)
    W_0 = _layer(w, sizes, starts, 0)
    V_0 = W_0[:, 1:].copy()
    widest = sizes[1:].max()
    step = _rows_of_a_block(width + 2 * K * widest, len(X))
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
        _forward(
            w, sizes, starts, at, units, output, X[n:end], V_0, False, part, scratch,
        )  # fmt: skip
        m = _part(part, rows, at[1, L], K)
        J_n = J[n:end].reshape(rows * K, D)
        if L == 1:
            R = front[: rows * K * K].reshape(rows, K, K)
            _sensitivities(output, True, m, R)
            np.dot(R.reshape(rows * K, K), V_0, J_n)
            continue
        M = sizes[L - 1]
        V_l = _weights(V, sizes, starts, L - 1)
        mean = _part(scratch, rows, 0, M)
        if output == 2:
            np.dot(m, V_l, mean)
        else:
            mean[:] = 0.0
        R = front[: rows * K * M].reshape(rows, K, M)
        _first_step(output, m, V_l, mean, _part(part, rows, at[1, L - 1], M), R)
        for l in range(L - 2, 0, -1):
            M = sizes[l]
            S = back[: rows * K * M].reshape(rows, K, M)
            np.dot(
                R.reshape(rows * K, sizes[l + 1]),
                _weights(V, sizes, starts, l),
                S.reshape(rows * K, M),
            )
            _scale_rows(S, _part(part, rows, at[1, l], M))
            front, back, R = back, front, S
        np.dot(R.reshape(rows * K, sizes[1]), V_0, J_n)


@compiled
def _parameter_jacobian(w, sizes, units, output, X, of_outputs, J):
    """Put ∂y_k/∂w, or ∂a_k/∂w, into J, of shape (N, K, P)."""
    L, K = len(sizes) - 1, sizes[-1]
    starts = _starts(sizes)
    at, width = _layout(sizes)
    V = _without_biases(w, sizes, starts)
    V_0 = np.empty((0, 0), w.dtype)
    widest = sizes[1:].max()
    step = _rows_of_a_block(width + 2 * K * widest, len(X))
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
        _forward(
            w, sizes, starts, at, units, output, X[n:end], V_0, False, part, scratch,
        )  # fmt: skip
        R = front[: rows * K * K].reshape(rows, K, K)
        _sensitivities(output, of_outputs, _part(part, rows, at[1, L], K), R)
        for l in range(L - 1, -1, -1):
            M = sizes[l + 1]
            z = _part(part, rows, at[0, l], 1 + sizes[l])
            _outer_rows(R, z, J[n:end], starts[l])
            if l > 0:
                S = back[: rows * K * sizes[l]].reshape(rows, K, sizes[l])
                np.dot(
                    R.reshape(rows * K, M),
                    _weights(V, sizes, starts, l),
                    S.reshape(rows * K, sizes[l]),
                )
                _scale_rows(S, _part(part, rows, at[1, l], sizes[l]))
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


def takes(net, arrays):
    """Return whether these units and arrays, X the first, are what was compiled."""
    return (
        all(unit.name in UNITS for unit in net.hidden)
        and len(arrays[0]) > 0
        and net.w.dtype.kind == "f"
        and all(A.dtype == net.w.dtype and A.flags.c_contiguous for A in arrays)
    )


def _numbers(net):
    """Return w, the sizes, the hidden units and the output unit as Numba takes them."""
    units = np.array([UNITS[unit.name] for unit in net.hidden], np.int64)
    return net.w, np.array(net.sizes, np.int64), units, OUTPUTS[net.output.name]


def from_outputs(net, X, J):
    """Stand in for `jacobian.from_outputs`."""
    _input_jacobian(*_numbers(net), X, J)


def of_parameters(net, X, of, J):
    """Stand in for `jacobian.of_parameters`."""
    _parameter_jacobian(*_numbers(net), X, of == "outputs", J)


class CompiledLinearisation(NamedTuple):
    """Stand in for `hessian_vector.Linearisation`."""

    net: object
    n_patterns: int
    exact: bool
    state: np.ndarray

    @property
    def dtype(self):
        """The precision of the products."""
        return self.state.dtype

    def times(self, v):
        """Return what `hessian_vector.product` does, for v of shape (…, P)."""
        w, sizes, _, output = _numbers(self.net)
        fixed = w, sizes, output, self.n_patterns, self.exact, self.state
        rows = np.ascontiguousarray(v, self.dtype)
        if v.ndim == 1:
            return _multiply(*fixed, rows).astype(v.dtype, copy=False)
        Hv = [_multiply(*fixed, row) for row in rows.reshape(-1, len(w))]
        return np.array(Hv, v.dtype).reshape(v.shape)


def linearised(net, X, T):
    """Stand in for `hessian_vector.linearised`."""
    state = _linearise(*_numbers(net), X, *_targets(net, X, T))
    return CompiledLinearisation(net, len(X), T is not None, state)


def linearised_product(net, X, T, v):
    """Stand in for `hessian_vector.linearised_product`."""
    return _linearise_and_multiply(*_numbers(net), X, *_targets(net, X, T), v)


def _targets(net, X, T):
    """Return T, or an array that stands for none, and whether there are any."""
    if T is None:
        return np.empty((0, net.sizes[-1]), X.dtype), False
    return T, True
