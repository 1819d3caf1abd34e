"""Backpropagation: the error signal δ of every unit, and from it the gradient.

| symbol | code | shape |
| --- | --- | --- |
| E = Σ_n E_n | `error` | () |
| δ_nj = ∂E/∂a_nj | `delta[l]` | (N, M) |
| ∂E/∂w | `error_gradient` | (P,) |

The error belongs to the output unit (canonical pairs); it is a sum over the patterns,
in nats for cross-entropies and in the squared unit of T for squares.

Source: Bishop & Bishop, *Deep Learning* (2024), §8.1.2 and §8.1.3.
"""

import numpy as np

from jachess_lib._engine import lesson
from jachess_lib.network import forward

__all__ = ["error", "error_gradient", "error_gradients", "error_signals"]


@lesson(weights=True)
def error(net, X, T):
    """Return E = Σ_n E_n, the error of the batch, a float.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes. T must suit the output unit: anything for
        linear, [0, 1] for sigmoid, distributions for softmax.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        If X or T has another shape, is not finite or does not suit the output unit.
    """
    return net.output.errors(forward(net, X).a[-1], T).sum()


def error_signals(net, trace, T):
    """Return the list of δ[l] = ∂E/∂a[l], of shapes (N, M), one for each layer."""
    # eq-backpropagation-start: δ_k = y_k − t_k, for every canonical pair
    delta = [net.output.residual(trace.a[-1], T)]
    for l in range(net.depth - 1, 0, -1):
        slope = net.hidden[l - 1].dh(trace.a[l - 1])
        # eq-backpropagation-step: δ_j = h'(a_j) Σ_k w_kj δ_k
        delta.insert(0, slope * (delta[0] @ net.W[l][:, 1:]))
    return delta


@lesson(out=True, weights=True)
def error_gradient(net, X, T):
    """Return ∂E/∂w, of shape (P,), by one forward and one backward pass, O(N P).

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row, as in `error`. Dask arrays are summed chunk by
        chunk, and at once: the call computes. X and the network's parameters
        may be complex.
    out : array, shape (P,), optional
        Where to put the result.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sum, of any sign; −1 deletes one.

    Raises
    ------
    ValueError
        As `error`, or if `out` does not fit.
    """
    trace = forward(net, X)
    delta = error_signals(net, trace, T)
    # eq-backpropagation-gradient: ∂E/∂w_ji = Σ_n δ_nj z_ni
    return np.concatenate(
        [(d.T @ z).ravel() for d, z in zip(delta, trace.z, strict=True)]
    )


@lesson(out=True)
def error_gradients(net, X, T):
    """Return ∂E_n/∂w, one gradient for each pattern, of shape (N, P).

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row, as in `error`.
    out : array, shape (N, P), optional
        Where to put the result.

    Raises
    ------
    ValueError
        As `error`, or if `out` does not fit.
    MemoryError
        If the result cannot fit in memory.
    """
    trace = forward(net, X)
    delta = error_signals(net, trace, T)
    # eq-backpropagation-gradient: ∂E_n/∂w_ji = δ_nj z_ni, and no sum
    parts = [np.einsum("nj,ni->nji", d, z) for d, z in zip(delta, trace.z, strict=True)]
    return np.concatenate(
        [part.reshape(len(X), W.size) for part, W in zip(parts, net.W, strict=True)],
        axis=1,
    )
