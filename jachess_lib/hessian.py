"""The exact Hessian of the error, in closed form, block by block.

| symbol | code | shape |
| --- | --- | --- |
| H = ∂²E/∂w∂w | `exact_hessian` | (P, P) |
| its block for the weight layers l and m | `hessian_block` | (P_l, P_m) |
| its diagonal | `hessian_diagonal` | (P,) |
| M_jq = ∂δ_j/∂a_q, both in layer l | `M` | (N, J, J) |
| B_jq = ∂δ_j/∂a_q, j in layer l, q in m < l | `B` | (N, J, Q) |
| G_iq = ∂z_i/∂a_q, i feeding layer l | `G` | (N, I, Q) |

Nothing here differentiates by machine: a block is one sum over the patterns of products
of B, G, z and δ, and B and G follow from their neighbours by one product each.
H has the unit of E: squares of T's unit, or nats.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.6; PRML (2006), §5.4.5, whose
two-layer blocks these are for any depth; Bishop, *Neural Computation* 4 (1992).
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from jachess_lib._blas import in_threads
from jachess_lib._floats import wide
from jachess_lib._inputs import (
    apart,
    check_index,
    check_inputs,
    check_targets,
    result_array,
)
from jachess_lib._kernels import (
    IN_CACHE,
    contract,
    pattern_chunks,
    put_diagonal_block,
    put_pair,
    sum_over_patterns,
    twin,
)
from jachess_lib._shards import sum_over_shards
from jachess_lib.backpropagation import error_signals
from jachess_lib.network import bend, forward, slope_of_each_layer

__all__ = ["exact_hessian", "hessian_block", "hessian_diagonal"]


@sum_over_shards
def exact_hessian(net, X, T, *, out=None):
    """Return H[r, s] = ∂²E/∂w_r∂w_s, of shape (P, P), symmetric.

    O(N P²) in time for networks whose layers have more units than outputs, and
    O(P²) in memory whatever N is.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    out : array, shape (P, P), optional
        Where to put the result.

    Raises
    ------
    ValueError
        If X, T or `out` does not fit.
    MemoryError
        If the result cannot fit in memory.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> net = Network((1, 1), [0.0, 1.0])      # E = ½ (w_0 + w_1 x − t)²
    >>> exact_hessian(net, [[2.0]], [[5.0]])   # z zᵀ with z = (1, 2)
    array([[1., 2.],
           [2., 4.]])
    """
    X = check_inputs(net, X)
    X, T = apart(out, X, check_targets(net, X, T))
    H = square_result(net, X, out, instead="use hessian_diagonal or a HessianOperator")
    twin(fill_square, net, X, T, H)(net, X, T, H)
    return H


@sum_over_shards
def hessian_block(net, X, T, l, m):
    """Return the block of H for the weight layers l and m, of shape (P_l, P_m).

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    l, m : int
        Weight layers, counted from 0.

    Raises
    ------
    ValueError
        If X, T, `l` or `m` does not fit.
    MemoryError
        If the block cannot fit in memory.
    """
    X = check_inputs(net, X)
    T = check_targets(net, X, T)
    low, high = sorted((check_index("l", l, net.depth), check_index("m", m, net.depth)))
    shape = net.W[high].size, net.W[low].size
    block = result_array(
        None,
        shape,
        np.result_type(X, net.w),
        instead="use hessian_diagonal",
        temporaries=beside_the_result(net, X, math.prod(shape)),
    )
    with in_threads(), summed_into(net, X, block) as total:
        view = total.reshape(*net.W[high].shape, *net.W[low].shape)
        fill_blocks(net, X, T, {(high, low): (view, None)})
    return block if l >= m else block.T


@sum_over_shards
def hessian_diagonal(net, X, T, *, out=None):
    """Return ∂²E/∂w_p², of shape (P,), without the rest of H.

    Exact, the bend h″ and every path through later layers included; O(N M P) in time
    for layers of M units, O(P) in memory.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    out : array, shape (P,), optional
        Where to put the result.

    Raises
    ------
    ValueError
        If X, T or `out` does not fit.
    """
    X = check_inputs(net, X)
    X, T = apart(out, X, check_targets(net, X, T))
    diagonal = result_array(out, (net.n_parameters,), np.result_type(X, net.w))
    return fill_diagonal(net, X, T, diagonal)


def square_result(net, X, out, instead):
    """Return the (P, P) array to fill, `out` if it is given."""
    P = net.n_parameters
    return result_array(
        out,
        (P, P),
        np.result_type(X, net.w),
        instead=instead,
        temporaries=beside_the_result(net, X, P * P),
    )


def beside_the_result(net, X, size):
    """Return the bytes that it takes to fill a result of `size` numbers."""
    in_chunks = 1 << 26  # factors and sums of some tiles, and arrays of one chunk
    return in_chunks + 8 * size * _needs_wide_total(net, X)


def places(net, H):
    """Return, for each pair of layers m ≤ l, its two places in H as 4-D arrays."""

    def view(l, m):
        return H[net.slices[l], net.slices[m]].reshape(*net.W[l].shape, *net.W[m].shape)

    return {
        (l, m): (view(l, m), view(m, l)) for l in range(net.depth) for m in range(l + 1)
    }


def fill_square(net, X, T, H):
    """Fill H; with T = None, leave out every δ."""
    with in_threads(), summed_into(net, X, H) as total:
        fill_blocks(net, X, T, places(net, total))


# Chunks of patterns that may be added to a result of single precision.
_FEW_CHUNKS = 8


@contextmanager
def summed_into(net, X, result):
    """Yield where to sum up `result`: itself, or an array of double precision."""
    if _needs_wide_total(net, X):
        total = np.empty(result.shape, wide(result.dtype))
        yield total
        result[...] = total
    else:
        yield result


def _needs_wide_total(net, X):
    dtype = np.result_type(X, net.w)
    chunks = list(pattern_chunks(len(X), _numbers_per_pattern(net)))
    return dtype != wide(dtype) and len(chunks) > _FEW_CHUNKS


def fill_blocks(net, X, T, places):
    """Fill the blocks of H that have a place; with T = None, leave out every δ."""
    for n in pattern_chunks(len(X), _numbers_per_pattern(net)):
        trace = forward(net, X[n])
        delta = None if T is None else error_signals(net, trace, T[n])
        for l, m, B, G in layer_pairs(net, trace, delta):
            if (l, m) not in places:
                continue
            (block, mirror), z, x = places[l, m], trace.z[l], trace.z[m]
            if l == m:
                # eq-hessian-diagonal-block: ∂²E/∂w_ji∂w_qp = Σ_n M_jq z_i z_p
                put_diagonal_block(block, z, B, add=n.start > 0)
            else:
                d = None if G is None else delta[l]
                # eq-hessian-block: ∂²E/∂w_ji∂w_qp = Σ_n z_p (z_i B_jq + δ_j G_iq)
                put_pair(block, mirror, z, x, B, d, G, add=n.start > 0)
            del B, G  # large: the next are made before the loop would let them go


def fill_diagonal(net, X, T, diagonal):
    """Fill the diagonal of H, a few patterns at a time."""
    total = np.zeros(diagonal.shape, wide(diagonal.dtype))
    for n in pattern_chunks(len(X), _numbers_per_pattern(net), limit=IN_CACHE):
        trace = forward(net, X[n])
        delta = error_signals(net, trace, T[n])
        slopes = slope_of_each_layer(net, trace)
        for l, M, _ in layer_curvatures(net, trace, delta, slopes):
            # eq-hessian-diagonal: ∂²E/∂w_ji² = Σ_n M_jj z_i²
            M_jj = M.diagonal(axis1=1, axis2=2)
            squares = sum_over_patterns(M_jj, trace.z[l] ** 2)
            total[net.slices[l]] += squares.ravel()
    diagonal[...] = total
    return diagonal


def _numbers_per_pattern(net):
    """Return the numbers that one pattern adds to the largest array kept at once."""
    first, *above = net.sizes[1:]
    return max(first * (first + 1) // 2, *(m * max(net.sizes[1:]) for m in above), 1)


def layer_pairs(net, trace, delta):
    """Yield (l, m, B, G) for every pair of weight layers m ≤ l, from the outputs down.

    For m = l, B is M_l and G is None. G is also None where `delta` is, and a diagonal,
    of shape (N, Q), where m = l − 1.
    """
    slopes = slope_of_each_layer(net, trace)
    for l, M, B in layer_curvatures(net, trace, delta, slopes):
        G = None
        yield l, l, M, G
        for m in range(l - 1, -1, -1):
            if m == l - 1:
                # eq-hessian-feed: ∂z_i/∂a_q = I_iq h'(a_q), unit i being unit q itself
                G = None if delta is None else slopes[m]
            else:
                # eq-hessian-left: ∂δ_j/∂a_q = h'(a_q) Σ_r ∂δ_j/∂a_r w_rq
                B = one_layer_left(B, net.W[m + 1], slopes[m])
                if delta is not None:
                    G = one_layer_left(G, net.W[m + 1], slopes[m])
            yield l, m, B, G
        del B, G  # large as well


def layer_curvatures(net, trace, delta, slopes):
    """Yield (l, M, B) from the last layer down; B is ∂δ_l/∂a_(l−1), None for l = 0.

    Below the outputs, M is a `LayerBelow`: often the largest array, and rarely needed
    whole.
    """
    # eq-hessian-output: M_kk' = ∂δ_k/∂a_k' = ∂y_k/∂a_k'
    M = net.output.dy_da(trace.a[-1])
    for l in range(net.depth - 1, 0, -1):
        B = one_layer_left(M[:, :, :], net.W[l], slopes[l - 1])
        yield l, M, B
        bends = None if delta is None else bend(net, trace, l - 1, delta)
        M = LayerBelow(net.W[l][:, 1:], B, slopes[l - 1], bends)
    yield 0, M, None


def one_layer_left(B, W, slope):
    """Return h'(a_q) Σ_r B_jr w_rq, of shape (N, J, Q); a 2-D B is I_jr B_r."""
    V = W[:, 1:]
    B = contract(B, V) if B.ndim == 3 else B[:, :, None] * V
    B *= slope[:, None, :]
    return B


@dataclass(frozen=True)
class LayerBelow:
    """M_jq one layer down, of shape (N, J, J): each part is computed when asked for."""

    V: np.ndarray  # w_kj without the biases, (K, J)
    B: np.ndarray  # ∂δ_k/∂a_q, (N, K, J)
    slope: np.ndarray  # h'(a_j), (N, J)
    bend: np.ndarray | None  # h''(a_j) Σ_k w_kj δ_k, (N, J)

    def __getitem__(self, njq):
        """Return M_jq, as M_qj, for slices n, j and q; j and q start at one unit."""
        n, j, q = njq
        # eq-hessian-down: M_jq = h'(a_j) Σ_k w_kj ∂δ_k/∂a_q + I_jq h''(a_j) Σ w_kj δ_k
        M = contract(self.B[n, :, j].swapaxes(1, 2), self.V[:, q])
        M *= self.slope[n, None, q]
        if self.bend is not None:
            k = np.arange(M.shape[1])
            M[:, k, k] += self.bend[n, j]
        return M

    def diagonal(self, axis1=1, axis2=2):
        """Return M_jj of every pattern, of shape (N, J), as an array's method does."""
        M_jj = self.slope * np.einsum("kj,nkj->nj", self.V, self.B)
        return M_jj if self.bend is None else M_jj + self.bend
