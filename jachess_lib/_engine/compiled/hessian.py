"""The outer-product matrix's diagonal, and both square matrices of small networks."""

import numpy as np

from jachess_lib._engine.compiled.jacobian import (
    back_through_layer,
    last_layer,
    room_for_rows,
    scale_rows,
    sensitivities,
)
from jachess_lib._engine.compiled.products import add_sum, product, room_of_sum
from jachess_lib._engine.compiled.sweeps import (
    back,
    backward,
    cut,
    forward,
    layers,
    rows_of_a_block,
    split,
)
from jachess_lib._engine.compiled.units import compiled, elementwise, widest_vectors


@elementwise
def _squares_of_outputs(output, m, rest, squares):
    """Put M_kk, the sum of the squares of a column of its root, into `squares`."""
    widest_vectors()
    for i in range(m.size):
        squares[i] = m[i] * (rest[i] if output == 2 else 1.0)


@elementwise
def _squares_of_columns(R, squares):
    """Put Σ_k R_kj² into `squares`."""
    widest_vectors()
    squares[:] = 0.0
    for k in range(R.shape[0]):
        for j in range(R.shape[1]):
            for n in range(R.shape[2]):
                squares[j, n] += R[k, j, n] * R[k, j, n]


@elementwise
def _square(z, squares):
    widest_vectors()
    for i in range(z.size):
        squares[i] = z[i] * z[i]


@compiled
def sum_of_squares(w, sizes, units, output, X, diagonal, room):
    """Put Σ_n Σ_k (R_kj z_i)² into `diagonal`, which has double precision.

    R is a root of M, brought to each layer.
    """
    net = layers(w, sizes, units, output)
    at, L, K = net.at, len(sizes) - 1, sizes[-1]
    block, room = split(room, room_of_sum(sizes))
    step, state, front, other, scratch = room_for_rows(net, len(X), 1, w.itemsize, room)
    second = scratch[step * (1 + sizes.max()) :]
    diagonal[:] = 0.0
    for start in range(0, len(X), step):
        end = min(start + step, len(X))
        rows = end - start
        part = state[: rows * net.width]
        forward(net, X[start:end], 1, part, scratch)
        y, m = cut(part, rows, at[0, L], K), cut(part, rows, at[1, L], K)
        R = front[:0].reshape(0, 0, 0)
        for l in range(L - 1, -1, -1):
            M, I = sizes[l + 1], 1 + sizes[l]
            squares = cut(scratch, rows, 0, M)
            if l == L - 1:
                rest, flat = cut(part, rows, at[2, L], K), rows * K
                _squares_of_outputs(
                    output, m.reshape(flat), rest.reshape(flat), squares.reshape(flat)
                )
            else:
                _squares_of_columns(R, squares)
            z = cut(part, rows, at[0, l], I)
            zz = cut(second, rows, 0, I)
            _square(z.reshape(rows * I), zz.reshape(rows * I))
            share = diagonal[net.starts[l] : net.starts[l + 1]].reshape(M, I)
            add_sum(squares, zz, share, block)
            if l == 0:
                break
            slope = cut(part, rows, at[1, l], I - 1)
            if l == L - 1:
                R = last_layer(net, y, m, slope, True, scratch, other)
            else:
                R = back_through_layer(net, l, R, slope, other)
            front, other = other, front


@elementwise
def _products(left, right, out):
    """Put left_i right_p into out[i·P + p, n]."""
    widest_vectors()
    P = len(right)
    for i in range(len(left)):
        for p in range(P):
            for n in range(left.shape[1]):
                out[i * P + p, n] = left[i, n] * right[p, n]


@compiled
def _contracted(B, V, slope):
    """Return h'(a_q) Σ_r B_jr w_rq, of shape (J, Q, rows)."""
    J, _, rows = B.shape
    out = np.empty((J, V.shape[1], rows), B.dtype)
    for j in range(J):
        product(V.T, B[j], out[j], False)
    scale_rows(out, slope)
    return out


@elementwise
def _curvature_below(V, B, slope, bend, exact, M):
    """Put h'(a_j) Σ_k w_kj B_kq, and the bend where j = q, into M[j, q, n]."""
    widest_vectors()
    K, Q, rows = B.shape
    for j in range(V.shape[1]):
        for q in range(Q):
            M[j, q] = 0.0
            for k in range(K):
                w = V[k, j]
                for n in range(rows):
                    M[j, q, n] += w * B[k, q, n]
            for n in range(rows):
                M[j, q, n] *= slope[j, n]
        if exact:
            for n in range(rows):
                M[j, j, n] += bend[j, n]


@elementwise
def _first_feed(slope, V, below, G):
    """Put ∂z_i/∂a_q = h'(a_i) w_iq h'(a_q) into G[i, q, n]."""
    widest_vectors()
    for i in range(G.shape[0]):
        for q in range(G.shape[1]):
            w = V[i, q]
            for n in range(G.shape[2]):
                G[i, q, n] = slope[i, n] * w * below[q, n]


@compiled
def _sum_of_products(left, z, x):
    """Return Σ_n left[…, n] z_i x_p, of shape (R, I·P), in double precision."""
    rows = z.shape[1]
    right = np.empty((len(z) * len(x), rows), z.dtype)
    _products(z, x, right)
    factor = left.reshape(left.size // rows, rows)
    total = np.zeros((len(factor), len(right)))
    room = np.empty(2 * total.size + right.size, z.dtype)  # as `room_of_sum` counts
    add_sum(factor, right, total, room)
    return total


@elementwise
def _add_block(H, row, column, E, J, I, Q, P):
    """Add E[j·Q + q, i·P + p] to H[j, i, q, p], which starts at a row and a column."""
    widest_vectors()
    for j in range(J):
        for i in range(I):
            for q in range(Q):
                for p in range(P):
                    H[row + j * I + i, column + q * P + p] += E[j * Q + q, i * P + p]


@elementwise
def _add_bends(H, row, column, F, J, I, Q, P, diagonal):
    """Add F[i, q, j, p], or F[q, j, p] where i = q, to H[j, 1 + i, q, p]."""
    widest_vectors()
    for i in range(I - 1):
        for q in range(Q):
            if diagonal and i != q:
                continue
            f = q if diagonal else i * Q + q
            for j in range(J):
                for p in range(P):
                    H[row + j * I + 1 + i, column + q * P + p] += F[f, j * P + p]


@compiled
def _add_pairs(net, l, B, exact, part, H):
    """Add the blocks of layer l and each layer m < l to H."""
    sizes, starts, at = net.sizes, net.starts, net.at
    J, Q, rows = B.shape
    I = 1 + Q
    z, delta = cut(part, rows, at[0, l], I), cut(part, rows, at[3, l + 1], J)
    G = np.empty((Q, Q, rows), B.dtype)
    for m in range(l - 1, -1, -1):
        Q, P = sizes[m + 1], 1 + sizes[m]
        slope, x = cut(part, rows, at[1, m + 1], Q), cut(part, rows, at[0, m], P)
        if m < l - 1:
            V_m = back(net, m + 1)
            B = _contracted(B, V_m, slope)
            if exact and m < l - 2:
                G = _contracted(G, V_m, slope)
            elif exact:
                G = np.empty((I - 1, Q, rows), B.dtype)
                _first_feed(cut(part, rows, at[1, l], I - 1), V_m, slope, G)
        E = _sum_of_products(B, z, x)
        _add_block(H, starts[l], starts[m], E, J, I, Q, P)
        if exact and m == l - 1:
            F = _sum_of_products(slope.reshape(1, Q, rows), delta, x)
            _add_bends(H, starts[l], starts[m], F, J, I, Q, P, True)
        elif exact:
            F = _sum_of_products(G, delta, x)
            _add_bends(H, starts[l], starts[m], F, J, I, Q, P, False)


@compiled
def square_matrix(w, sizes, units, output, X, T, exact, H, room):
    """Fill H with the exact Hessian, or with the outer-product matrix."""
    net = layers(w, sizes, units, output)
    starts, at, L, K = net.starts, net.at, len(sizes) - 1, sizes[-1]
    step = rows_of_a_block(net.width + (1 + sizes.max()) ** 2, len(X), w.itemsize)
    state = np.empty(step * net.width, w.dtype)
    scratch = np.empty(step * sizes.max(), w.dtype)
    total = np.zeros(H.shape)
    for first in range(0, len(X), step):
        end = min(first + step, len(X))
        rows = end - first
        part = state[: rows * net.width]
        forward(net, X[first:end], 2 if exact else 1, part, scratch)
        if exact:
            backward(net, T[first:end], True, part, scratch)
        M = np.empty((K, K, rows), w.dtype)
        m, rest = cut(part, rows, at[1, L], K), cut(part, rows, at[2, L], K)
        sensitivities(output, True, m, rest, M)
        for l in range(L - 1, -1, -1):
            J, I = sizes[l + 1], 1 + sizes[l]
            z = cut(part, rows, at[0, l], I)
            E = _sum_of_products(M, z, z)
            _add_block(total, starts[l], starts[l], E, J, I, J, I)
            if l == 0:
                break
            slope, bend = (
                cut(part, rows, at[1, l], I - 1),
                cut(part, rows, at[2, l], I - 1),
            )
            V_l = back(net, l)
            B = _contracted(M, V_l, slope)
            _add_pairs(net, l, B, exact, part, total)
            M = np.empty((I - 1, I - 1, rows), w.dtype)
            _curvature_below(V_l, B, slope, bend, exact, M)
    for r in range(len(H)):
        for s in range(r):
            H[r, s] = total[r, s]
            H[s, r] = H[r, s]
        H[r, r] = total[r, r]
