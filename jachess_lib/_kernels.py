"""Contractions, chunks and packing: everything here is for speed, nothing for meaning.

The chapters' modules read as their equations and call this one for the sums that fill
large matrices. Each function states the sum it computes; the tests hold each against
that sum written index by index.
"""

import numpy as np

# Numbers in the temporary of one product: 8 MB in float64 stays in the outer cache.
_TEMPORARY = 1 << 20
# Numbers in each temporary that has a row per pattern (32 MB in float64).
_PATTERNS = 1 << 22


def pattern_chunks(n_patterns, numbers_per_pattern):
    """Yield slices of patterns, one even if there are none, for small temporaries.

    A chunk has 64 patterns or more, below which a product is not worth its call.
    """
    step = max(64, _PATTERNS // numbers_per_pattern)
    for start in range(0, max(n_patterns, 1), step):
        yield slice(start, min(start + step, n_patterns))


def contract(B, V, out=None):
    """Return Σ_j B[n, k, j] V[j, i], of shape (N, K, I), as one matrix product."""
    N, K, J = B.shape
    I = V.shape[1]
    if out is None:
        out = np.empty((N, K, I), np.result_type(B, V))
    if out.flags.c_contiguous:
        np.matmul(B.reshape(N * K, J), V, out=out.reshape(N * K, I))
    else:
        out[...] = (B.reshape(N * K, J) @ V).reshape(N, K, I)
    return out


def _packed_products(z):
    """Return z_i z_p for i ≤ p, one column a pair, of shape (N, I(I+1)/2)."""
    N, I = z.shape
    packed = np.empty((N, I * (I + 1) // 2), z.dtype)
    start = 0
    for i in range(I):
        np.multiply(z[:, i : i + 1], z[:, i:], out=packed[:, start : start + I - i])
        start += I - i
    return packed


def _packed_rows(M):
    """Return M_jq for j ≤ q, one column a pair, of shape (N, J(J+1)/2)."""
    N, J = M.shape[:2]
    packed = np.empty((N, J * (J + 1) // 2), M.dtype)
    start = 0
    for j in range(J):
        packed[:, start : start + J - j] = M[:, j, j:]
        start += J - j
    return packed


def _unpacking(I):
    """Return the column of the pair (i, p) for every i and p, of shape (I·I,)."""
    columns = np.empty((I, I), np.intp)
    i, p = np.triu_indices(I)
    columns[i, p] = columns[p, i] = np.arange(len(i))
    return columns.ravel()


def _store(target, values, add):
    if add:
        target += values
    else:
        target[...] = values


def _groups(lengths, limit):
    """Yield (first, last) of runs of `lengths` whose sum stays within `limit`."""
    first = total = 0
    for last, length in enumerate(lengths):
        if total and total + length > limit:
            yield first, last
            first, total = last, 0
        total += length
    yield first, len(lengths)


def put_diagonal_block(block, z, M, *, add):
    """Put H[j, i, q, p] = Σ_n M_jq z_i z_p into `block`, of shape (J, I, J, I).

    The sum is symmetric in (j, q) and in (i, p), so a quarter of it is computed, in
    groups of rows j that stay in cache while they are copied to their four places.
    """
    J, I = block.shape[:2]
    zz, packed = _packed_products(z), _packed_rows(M)
    columns = _unpacking(I)
    unpacked = np.empty((J, I * I), block.dtype)
    start = 0
    for first, last in _groups(range(J, 0, -1), _TEMPORARY // zz.shape[1]):
        n_rows = sum(range(J - last + 1, J - first + 1))
        rows = packed[:, start : start + n_rows].T @ zz
        start += n_rows
        row = 0
        for j in range(first, last):
            E = unpacked[: J - j]
            # mode="clip" skips the bounds check, and with it a buffered copy
            np.take(rows[row : row + J - j], columns, axis=1, out=E, mode="clip")
            row += J - j
            E = E.reshape(J - j, I, I)
            _store(block[j, :, j:], E.transpose(1, 0, 2), add)
            _store(block[j + 1 :, :, j], E[1:], add)


def put_pair(block, mirror, z, x, B, delta, G, *, add):
    """Put H[j, i, q, p] = Σ_n x_p (z_i B_jq + δ_j G_iq) and its mirror image, if any.

    `block` has shape (J, I, Q, P), `mirror` (Q, P, J, I) or is None. G[n, i, q] starts
    at i = 1, since z_0 does not change; it has shape (N, I − 1, Q), or (N, Q) where it
    is diagonal, or is None where δ is left out.
    """
    J, I, Q, P = block.shape
    N = len(z)
    zx = (z[:, :, None] * x[:, None, :]).reshape(N, I * P)
    dx = None if G is None else delta[:, :, None] * x[:, None, :]
    step = max(1, _TEMPORARY // (Q * I * P))
    q = np.arange(Q)
    for j in range(0, J, step):
        n_rows = min(step, J - j)
        rows = B[:, j : j + n_rows].reshape(N, n_rows * Q).T @ zx
        E = rows.reshape(n_rows, Q, I, P)
        if G is not None:
            dx_j = dx[:, j : j + n_rows].reshape(N, n_rows * P)
            if G.ndim == 2:  # i = 1 + q alone
                E[:, q, 1 + q] += (G.T @ dx_j).reshape(Q, n_rows, P).transpose(1, 0, 2)
            else:
                bent = (G.reshape(N, (I - 1) * Q).T @ dx_j).reshape(I - 1, Q, n_rows, P)
                E[:, :, 1:] += bent.transpose(2, 1, 0, 3)
        _store(block[j : j + n_rows], E.transpose(0, 2, 1, 3), add)
        if mirror is not None:
            _store(mirror[:, :, j : j + n_rows], E.transpose(1, 3, 0, 2), add)
