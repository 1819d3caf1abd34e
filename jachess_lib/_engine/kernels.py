"""Contractions, chunks and packing: everything here is for speed, nothing for meaning.

Each function states the sum it computes; the tests hold each against
that sum written index by index.
"""

import math
from itertools import product

import numpy as np

from jachess_lib._engine.blas import add_product, share
from jachess_lib._engine.floats import wide

# Numbers in the sum that one product adds to: 4 MB in float64 stays in the outer cache.
_TEMPORARY = 1 << 19
# Numbers in the factors of that product, of which a chunk of patterns at a time exists.
_FACTOR = 3 << 16
# Numbers in each array with a row per pattern that is kept while a block is filled.
_PATTERNS = 1 << 22
# Numbers in all arrays of a sweep that visits a few patterns at a time: 2 MB.
IN_CACHE = 1 << 18
# A diagonal block with fewer units than this, J times I, is not worth packing.
_SMALL = 64


def pattern_chunks(n_patterns, numbers_per_pattern, limit=None):
    """Yield slices of patterns, one even if there are none, for small temporaries.

    A chunk has 64 patterns or more, below which a product is not worth its call.
    """
    step = max(64, (limit or _PATTERNS) // numbers_per_pattern)
    for start in range(0, max(n_patterns, 1), step):
        yield slice(start, min(start + step, n_patterns))


def sum_over_patterns(left, right):
    """Return Σ_n left[…, n, j] right[…, n, i], of shape (…, J, I)."""
    dtype = np.result_type(left, right)
    if dtype == wide(dtype):
        return left.swapaxes(-1, -2) @ right
    total = 0.0
    for n in pattern_chunks(left.shape[-2], left.shape[-1] + right.shape[-1], IN_CACHE):
        a, b = (A[..., n, :].astype(wide(dtype)) for A in (left, right))
        total = total + a.swapaxes(-1, -2) @ b
    return total.astype(dtype)


def sum_of_chunks(share, numbers_per_pattern, *arrays):
    """Return Σ share(chunk of each array), over chunks of patterns; None stays None."""
    total = None
    for n in pattern_chunks(len(arrays[0]), numbers_per_pattern, limit=IN_CACHE):
        part = share(*(None if A is None else A[n] for A in arrays))
        dtype = part.dtype
        if total is None:
            total = part
        elif total.dtype != wide(dtype):
            total = total.astype(wide(dtype)) + part
        else:
            total += part
    return total.astype(dtype, copy=False)


def contract(B, V, out=None):
    """Return Σ_j B[n, k, j] V[j, i], of shape (N, K, I), as one matrix product."""
    N, K, J = B.shape
    I = V.shape[1]
    if out is None:
        out = np.empty((N, K, I), np.result_type(B, V))
    if out.flags.c_contiguous:
        add_product(B.reshape(N * K, J), V, out.reshape(N * K, I), add=False)
    else:
        out[...] = (B.reshape(N * K, J) @ V).reshape(N, K, I)
    return out


def _products(z, x, buffer):
    """Put z_i x_p, one row a pair, into `buffer` and return it, of shape (I·P, N).

    A row is a run of patterns: longer, and so faster, than one of units.
    """
    (N, I), P = z.shape, x.shape[1]
    out = _shaped(buffer, I, P, N)
    z, x = np.ascontiguousarray(z.T), np.ascontiguousarray(x.T)
    np.multiply(z[:, None, :], x, out=out)
    return out.reshape(I * P, N)


def _shaped(buffer, *shape):
    """Return the front of a flat buffer as an array of that shape."""
    return buffer[: math.prod(shape)].reshape(shape)


def _packed_products(z, buffer):
    """Put z_i z_p for i ≤ p, one row a pair, into `buffer`: (I(I+1)/2, N)."""
    N, I = z.shape
    out = _shaped(buffer, I * (I + 1) // 2, N)
    z = np.ascontiguousarray(z.T)
    start = 0
    for i in range(I):
        np.multiply(z[i], z[i:], out=out[start : start + I - i])
        start += I - i
    return out


def _packed_rows(M, n, first, last, out):
    """Put M_jq for first ≤ j < last and q ≥ j into the first rows of `out`."""
    M = M[n, first:last, first:]
    out = out[: len(M)]
    start = 0
    for j in range(last - first):
        row = M[:, j, j:]
        out[:, start : start + row.shape[1]] = row
        start += row.shape[1]
    return out


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


def _sum_chunks(n_patterns, numbers_per_pattern, dtype):
    """Return chunks of patterns for `_add_products`.

    In single precision they are short: a sum of 64 equal numbers is off by 2e-6 at
    most, and what comes after is added in double precision.
    """
    if dtype == wide(dtype):
        return list(pattern_chunks(n_patterns, numbers_per_pattern, _FACTOR))
    return list(pattern_chunks(n_patterns, 1, 64))


def _add_products(total, left, right, chunks):
    """Put Σ_n left(n)ᵀ right(n)ᵀ into `total`; n runs over chunks of patterns."""
    share = None
    for n in chunks:
        a, b = left(n).T, right(n).T
        if a.dtype == total.dtype:
            add_product(a, b, total, add=n.start > 0)
        else:  # `total` has double precision, and the factors have not
            share = np.empty(total.shape, a.dtype) if share is None else share
            add_product(a, b, share, add=False)
            _store(total, share, n.start > 0)


def put_diagonal_block(block, z, M, *, add):
    """Put H[j, i, q, p] = Σ_n M_jq z_i z_p into `block`, of shape (J, I, J, I).

    M, of shape (N, J, J), may compute its slices when they are asked for. The sum is
    symmetric in (j, q) and in (i, p), so a quarter of it is computed, in groups of rows
    j that stay in cache while they are copied to their four places.
    """
    J, I = block.shape[:2]
    N, dtype = len(z), z.dtype
    if J * I < _SMALL:
        zz = _products(z, z, np.empty(N * I * I, dtype))
        E = sum_over_patterns(M[:, :, :].reshape(N, J * J), zz.T).reshape(J, J, I, I)
        E = E.transpose(0, 2, 1, 3)
        # the mean of both triangles, so that they are equal to the last bit
        _store(block, (E + E.transpose(2, 3, 0, 1)) / 2, add)
        return
    n_columns = I * (I + 1) // 2
    groups = [
        (first, last, sum(range(J - last + 1, J - first + 1)))
        for first, last in _groups(range(J, 0, -1), _TEMPORARY // n_columns)
    ]
    n_rows = max(length for _, _, length in groups)
    chunks = _sum_chunks(N, max(n_columns, n_rows), dtype)
    columns = _unpacking(I)

    def fill(groups):
        zz = np.empty(chunks[0].stop * n_columns, dtype)
        sums = np.empty((n_rows, n_columns), wide(dtype))
        packed = np.empty((chunks[0].stop, n_rows), dtype)
        unpacked = np.empty((J, I * I), wide(dtype))
        for first, last, length in groups:
            rows = sums[:length]
            _add_products(
                rows,
                lambda n, j=first, jj=last, out=packed[:, :length]: _packed_rows(
                    M, n, j, jj, out
                ),
                lambda n: _packed_products(z[n], zz),
                chunks,
            )
            row = 0
            for j in range(first, last):
                E = unpacked[: J - j]
                # mode="clip" skips the bounds check, and with it a buffered copy
                np.take(rows[row : row + J - j], columns, axis=1, out=E, mode="clip")
                row += J - j
                E = E.reshape(J - j, I, I)
                _store(block[j, :, j:], E.transpose(1, 0, 2), add)
                _store(block[j + 1 :, :, j], E[1:], add)

    share(fill, groups)


def put_separate_units(block, z, d, *, add):
    """Put H[j, i, q, p] = I_jq Σ_n d_nj z_i z_p into `block`: no unit feels another."""
    if not add:
        block[...] = 0
    alike = (d == 1).all()
    E = sum_over_patterns(z, z) if alike else None
    for j in range(block.shape[0]):
        if not alike:
            E = sum_over_patterns(z * d[:, j, None], z)
            E = (E + E.T) / 2  # so that both triangles are equal to the last bit
        _store(block[j, :, j], E, add)


def put_pair(block, mirror, z, x, B, delta, G, *, add):
    """Put H[j, i, q, p] = Σ_n x_p (z_i B_jq + δ_j G_iq) and its mirror image, if any.

    `block` has shape (J, I, Q, P), `mirror` (Q, P, J, I) or is None. G[n, i, q] starts
    at i = 1, since z_0 does not change; it has shape (N, I − 1, Q), or (N, Q) where it
    is diagonal, or is None where δ is left out.
    """
    J, I, Q, P = block.shape
    N, dtype = len(z), z.dtype
    bent_as_well = G is not None and G.ndim == 3  # then there are two sums at a time
    side = math.isqrt(_TEMPORARY // (1 + bent_as_well))
    j_step, i_step = min(J, max(1, side // Q)), min(I, max(1, side // P))
    chunks = _sum_chunks(N, max(j_step * Q, i_step * P), dtype)
    n_factor = max(i_step, j_step) * P * chunks[0].stop
    bends = None
    if G is not None and G.ndim == 2:
        bends = _diagonal_bends(G, delta, x)
        G = None

    def fill(tiles):
        sums = np.empty(j_step * Q * i_step * P, wide(dtype))
        factor = np.empty(n_factor, dtype)
        bent = np.empty(0 if G is None else sums.size, wide(dtype))
        for j, i in tiles:
            n_j, n_i = j.stop - j.start, i.stop - i.start
            rows = _shaped(sums, n_j * Q, n_i * P)
            _add_products(
                rows,
                lambda n, j=j, n_j=n_j: B[n, j].reshape(-1, n_j * Q),
                lambda n, i=i: _products(z[n, i], x[n], factor),
                chunks,
            )
            E = rows.reshape(n_j, Q, n_i, P)
            q = slice(max(i.start - 1, 0), i.stop - 1)  # of the units i, but for i = 0
            if G is not None and q.start < q.stop:
                _add_bends(E, G[:, q], delta[:, j], x, factor, chunks, bent)
            elif bends is not None:
                k = np.arange(q.start, q.stop)
                E[:, k, k + 1 - i.start] += bends[q, j].swapaxes(0, 1)
            _store(block[j, i], E.transpose(0, 2, 1, 3), add)
            if mirror is not None:
                _store(mirror[:, :, j, i], E.transpose(1, 3, 0, 2), add)

    share(fill, list(product(_steps(J, j_step), _steps(I, i_step))))


def _add_bends(E, G, delta, x, factor, chunks, buffer):
    """Add Σ_n δ_j G_iq x_p to the last units i of E[j, q, i, p]."""
    J, Q, _, P = E.shape
    I = G.shape[1]
    bent = _shaped(buffer, I * Q, J * P)
    _add_products(
        bent,
        lambda n: G[n].reshape(-1, I * Q),
        lambda n: _products(delta[n], x[n], factor),
        chunks,
    )
    E[:, :, -I:] += bent.reshape(I, Q, J, P).transpose(2, 1, 0, 3)


def _diagonal_bends(G, delta, x):
    """Return Σ_n G_q δ_j x_p, of shape (Q, J, P)."""
    (N, Q), J, P = G.shape, delta.shape[1], x.shape[1]
    bends = np.empty((Q, J * P), wide(G.dtype))
    chunks = _sum_chunks(N, J * P, G.dtype)
    factor = np.empty(chunks[0].stop * J * P, G.dtype)
    _add_products(
        bends, lambda n: G[n], lambda n: _products(delta[n], x[n], factor), chunks
    )
    return bends.reshape(Q, J, P)


def _steps(length, step):
    """Return slices of `step` that cover `length`."""
    return [slice(k, min(k + step, length)) for k in range(0, length, step)]
