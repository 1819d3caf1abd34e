"""Square matrices block by block and tile by tile; diagonals a few patterns at a time.

Both the exact Hessian and the outer product are filled here: every term with a δ in it
is linear in y − t, and no other term is, so leaving out δ leaves Σ JᵀMJ. That matrix
then costs the same whatever K is, and no array of N·K rows is ever made.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from jachess_lib._engine.blas import in_threads
from jachess_lib._engine.connection import Task, of_parameters, weighted
from jachess_lib._engine.floats import wide
from jachess_lib._engine.inputs import (
    check_index,
    check_inputs,
    check_targets,
)
from jachess_lib._engine.kernels import (
    IN_CACHE,
    contract,
    pattern_chunks,
    put_diagonal_block,
    put_pair,
    put_separate_units,
    sum_over_patterns,
)
from jachess_lib._engine.network import bend, passed, pull, signals, slopes


def check(net, X, T):
    """Return the arguments of a sum over patterns with targets."""
    X = check_inputs(net, X)
    return {"net": net, "X": X, "T": check_targets(net, X, T)}


def _check_block(net, X, T, l, m):
    l, m = check_index("l", l, net.depth), check_index("m", m, net.depth)
    return {**check(net, X, T), "l": l, "m": m}


def _exact_hessian(net, X, T, out, weights=None):
    fill_square(net, X, T, out, weights)
    return out


def _hessian_block(net, X, T, l, m, out, weights=None):
    low, high = sorted((l, m))
    with in_threads(), summed_into(net, X, out if l >= m else out.T) as total:
        view = total.reshape(*net.W[high].shape, *net.W[low].shape)
        fill_blocks(net, X, T, {(high, low): (view, None)}, weights)
    return out


def _of_block(net, X, T, l, m):
    shape = net.W[l].size, net.W[m].size
    return shape, beside_the_result(net, X, math.prod(shape)), "use hessian_diagonal"


def beside_the_result(net, X, size):
    """Return the bytes that it takes to fill a result of `size` numbers."""
    # factors and sums of some tiles, and arrays of one chunk
    in_chunks = min(1 << 26, 64 * size)
    return in_chunks + 8 * size * _needs_wide_total(net, X)


def places(net, H):
    """Return, for each pair of layers m ≤ l, its two places in H as 4-D arrays."""

    def view(l, m):
        return H[net.slices[l], net.slices[m]].reshape(*net.W[l].shape, *net.W[m].shape)

    return {
        (l, m): (view(l, m), view(m, l)) for l in range(net.depth) for m in range(l + 1)
    }


def fill_square(net, X, T, H, weights=None):
    """Fill H; with T = None, leave out every δ."""
    with in_threads(), summed_into(net, X, H) as total:
        fill_blocks(net, X, T, places(net, total), weights)


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


def fill_blocks(net, X, T, places, weights=None):
    """Fill the blocks of H that have a place; with T = None, leave out every δ."""
    for n in pattern_chunks(len(X), _numbers_per_pattern(net)):
        net_n = part_of(net, weights, n)
        trace = passed(net_n, X[n])
        dh = slopes(net_n, trace)
        delta = None if T is None else signals(net_n, trace, dh, T[n])
        for l, m, B, G in layer_pairs(net_n, trace, delta, dh):
            if (l, m) not in places:
                continue
            (block, mirror), z, x = places[l, m], trace.z[l], trace.z[m]
            if l == m and l == net.depth - 1 and B.is_diagonal:
                put_separate_units(block, z, B.d, add=n.start > 0)
            elif l == m:
                put_diagonal_block(block, z, B, add=n.start > 0)
            else:
                d = None if G is None else delta[l]
                put_pair(block, mirror, z, x, B, d, G, add=n.start > 0)
            del B, G  # large: the next are made before the loop would let them go


def part_of(net, weights, n):
    """Return the network with the weights of some patterns."""
    return weighted(net, None if weights is None else weights[n])


def _hessian_diagonal(net, X, T, out, weights=None):
    """Fill the diagonal of H, a few patterns at a time."""
    total = np.zeros(out.shape, wide(out.dtype))
    for n in pattern_chunks(len(X), _of_diagonal(net), limit=IN_CACHE):
        net_n = part_of(net, weights, n)
        trace = passed(net_n, X[n])
        dh = slopes(net_n, trace)
        delta = signals(net_n, trace, dh, T[n])
        for l, M, _ in layer_curvatures(net_n, trace, delta, dh):
            M_jj = M.diagonal()
            squares = sum_over_patterns(M_jj, trace.z[l] ** 2)
            total[net.slices[l]] += squares.ravel()
    out[...] = total
    return out


def _of_diagonal(net):
    """Return the numbers that one pattern adds to the largest array of a diagonal."""
    return max(m * max(net.sizes[1:-1], default=1) for m in net.sizes[1:])


def _numbers_per_pattern(net):
    """Return the numbers that one pattern adds to the largest array kept at once."""
    first, *above = net.sizes[1:]
    return max(first * (first + 1) // 2, *(m * max(net.sizes[1:]) for m in above), 1)


def layer_pairs(net, trace, delta, dh):
    """Yield (l, m, B, G) for every pair of weight layers m ≤ l, from the outputs down.

    For m = l, B is M_l and G is None. G is also None where `delta` is, and a diagonal,
    of shape (N, Q), where m = l − 1.
    """
    for l, M, B in layer_curvatures(net, trace, delta, dh):
        G = None
        yield l, l, M, G
        for m in range(l - 1, -1, -1):
            if m == l - 1:
                G = None if delta is None else dh[m]
            else:
                B = one_layer_left(B, net.W[m + 1], dh[m])
                if delta is not None:
                    G = one_layer_left(G, net.W[m + 1], dh[m])
            yield l, m, B, G
        del B, G  # large as well


def layer_curvatures(net, trace, delta, dh):
    """Yield (l, M, B) from the last layer down; B is ∂δ_l/∂a_(l−1), None for l = 0.

    M computes its parts when they are asked for: it is often the largest array, and
    rarely needed whole.
    """
    M = OutputLayer(net.output, trace.a[-1])
    for l in range(net.depth - 1, 0, -1):
        V = net.W[l][:, 1:]
        if l == net.depth - 1:
            B = pull(net.output, trace.a[-1], V)
            B *= dh[l - 1][:, None, :]
        else:
            B = one_layer_left(M[:, :, :], net.W[l], dh[l - 1])
        yield l, M, B
        bends = None if delta is None else bend(net, trace, l - 1, dh, delta)
        M = LayerBelow(V, B, dh[l - 1], bends)
    yield 0, M, None


def one_layer_left(B, W, slope):
    """Return h'(a_q) Σ_r B_jr w_rq, of shape (N, J, Q); a 2-D B is I_jr B_r."""
    V = W[:, 1:]
    B = contract(B, V) if B.ndim == 3 else B[:, :, None] * V
    B *= slope[:, None, :]
    return B


class OutputLayer:
    """M_kl of the output unit, of shape (N, K, K): each part when it is asked for."""

    def __init__(self, unit, a):
        self.d = unit.diagonal(a)
        # softmax: M_kl = −y_k y_l for k ≠ l; of the others, 0
        self.y = unit.y(a) if unit.name == "softmax" else None
        if self.y is not None:
            w = unit.weights
            self.minus = -self.y if w is None else -w[:, None] * self.y

    @property
    def is_diagonal(self):
        """Whether every unit has an error of its own."""
        return self.y is None

    def __getitem__(self, nkl):
        """Return a softmax's M_kl for slices n, k and l; k and l start at one unit."""
        n, k, l = nkl
        M = self.minus[n, k, None] * self.y[n, None, l]
        i = np.arange(min(M.shape[1:]))
        M[:, i, i] = self.d[n, k][:, i]
        return M

    def diagonal(self):
        """Return M_kk of every pattern, of shape (N, K)."""
        return self.d


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
        M = contract(self.B[n, :, j].swapaxes(1, 2), self.V[:, q])
        M *= self.slope[n, None, q]
        if self.bend is not None:
            k = np.arange(M.shape[1])
            M[:, k, k] += self.bend[n, j]
        return M

    def diagonal(self):
        """Return M_jj of every pattern, of shape (N, J)."""
        M_jj = self.slope * np.einsum("kj,nkj->nj", self.V, self.B)
        return M_jj if self.bend is None else M_jj + self.bend


def square(instead):
    """Return what a (P, P) result takes, as a `Task` asks."""

    def result(net, X, T=None):
        P = net.n_parameters
        return (P, P), beside_the_result(net, X, P * P), instead

    return result


exact_hessian = Task(
    check,
    _exact_hessian,
    result=square("use hessian_diagonal or a HessianOperator"),
    is_sum=True,
)
hessian_block = Task(_check_block, _hessian_block, result=_of_block, is_sum=True)
hessian_diagonal = Task(check, _hessian_diagonal, result=of_parameters, is_sum=True)
