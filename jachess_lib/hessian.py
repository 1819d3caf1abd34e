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

from functools import partial

import numpy as np

from jachess_lib._engine import lesson
from jachess_lib.backpropagation import error_signals
from jachess_lib.network import forward

__all__ = ["exact_hessian", "hessian_block", "hessian_diagonal"]

einsum = partial(np.einsum, optimize=True)


@lesson(out=True, weights=True)
def exact_hessian(net, X, T):
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
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

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
    trace = forward(net, X)
    delta = error_signals(net, trace, T)
    # eq-hessian-output: M_kk' = ∂δ_k/∂a_k' = ∂y_k/∂a_k'
    M = net.output.dy_da(trace.a[-1])
    return second_derivatives(net, trace, delta, M)


def second_derivatives(net, trace, delta, M):
    """Return ∂²E/∂w∂w, of shape (P, P), from δ and from M = ∂δ/∂a at the outputs."""
    H, z = np.zeros((net.n_parameters,) * 2, M.dtype), trace.z
    for l in range(net.depth - 1, -1, -1):
        # eq-hessian-diagonal-block: ∂²E/∂w_ji∂w_qp = Σ_n M_jq z_i z_p
        put(H, net, l, l, einsum("njq,ni,np->jiqp", M, z[l], z[l]))
        B, G = M, None
        for m in range(l - 1, -1, -1):
            V, slope = net.W[m + 1][:, 1:], net.hidden[m].dh(trace.a[m])
            # eq-hessian-left: ∂δ_j/∂a_q = h'(a_q) Σ_r ∂δ_j/∂a_r w_rq
            B = einsum("njr,rq,nq->njq", B, V, slope)
            G = feed(G, V, slope)
            # eq-hessian-block: ∂²E/∂w_ji∂w_qp = Σ_n z_p (z_i B_jq + δ_j G_iq)
            block = einsum("np,ni,njq->jiqp", z[m], z[l], B)
            block[:, 1:] += einsum("np,nj,niq->jiqp", z[m], delta[l], G)
            put(H, net, l, m, block)
            if m == l - 1:
                M = one_layer_down(net, trace, delta, l, B)  # for the next turn
    return H


def feed(G, V, slope):
    """Return ∂z_i/∂a_q one layer further left; without G, unit i is unit q itself."""
    if G is None:
        # eq-hessian-feed: ∂z_i/∂a_q = I_iq h'(a_q), unit i being unit q itself
        return slope[:, :, None] * np.eye(slope.shape[1], dtype=int)
    return einsum("nir,rq,nq->niq", G, V, slope)


def one_layer_down(net, trace, delta, l, B):
    """Return M_jq of layer l − 1 from B_kq = ∂δ_k/∂a_q of layer l."""
    V, unit, a = net.W[l][:, 1:], net.hidden[l - 1], trace.a[l - 1]
    bend = unit.d2h(a) * (delta[l] @ V)
    # eq-hessian-down: M_jq = h'(a_j) Σ_k w_kj ∂δ_k/∂a_q + I_jq h''(a_j) Σ w_kj δ_k
    M = einsum("nj,kj,nkq->njq", unit.dh(a), V, B)
    return M + bend[:, :, None] * np.eye(bend.shape[1], dtype=int)


def put(H, net, l, m, block):
    """Put the block of layers l and m, and its mirror image, where they belong in H."""
    block = block.reshape(net.W[l].size, net.W[m].size)
    H[net.slices[l], net.slices[m]] = block
    H[net.slices[m], net.slices[l]] = block.T


@lesson(out=True, weights=True)
def hessian_block(net, X, T, l, m):
    """Return the block of H for the weight layers l and m, of shape (P_l, P_m).

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes.
    l, m : int
        Weight layers, counted from 0.
    out : array, shape (P_l, P_m), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, T, `l`, `m` or `out` does not fit.
    MemoryError
        If the block cannot fit in memory.
    """
    return exact_hessian(net, X, T)[net.slices[l], net.slices[m]]


@lesson(out=True, weights=True)
def hessian_diagonal(net, X, T):
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
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X, T or `out` does not fit.
    """
    trace, parts = forward(net, X), []
    delta, a = error_signals(net, trace, T), trace.a[-1]
    # of the outputs' M only the diagonal and products: never N K² numbers
    M_jj, M_times = net.output.diagonal(a), partial(net.output.times, a)
    for l in range(net.depth - 1, -1, -1):
        # eq-hessian-diagonal: ∂²E/∂w_ji² = Σ_n M_jj z_i²
        parts.insert(0, einsum("nj,ni->ji", M_jj, trace.z[l] ** 2).ravel())
        if l > 0:
            V, slope = net.W[l][:, 1:], net.hidden[l - 1].dh(trace.a[l - 1])
            B = M_times(einsum("rq,nq->qnr", V, slope))
            M = one_layer_down(net, trace, delta, l, einsum("qnk->nkq", B))
            M_jj, M_times = einsum("njj->nj", M), partial(einsum, "njr,qnr->qnj", M)
    return np.concatenate(parts)
