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

from jachess_lib._inputs import check_inputs, check_targets
from jachess_lib._kernels import sum_over_patterns
from jachess_lib._shards import sum_over_shards
from jachess_lib.network import forward, slope

__all__ = ["error", "error_gradient", "error_signals"]


@sum_over_shards
def error(net, X, T):
    """Return E = Σ_n E_n, the error of the batch, a float.

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row. Dask arrays are summed chunk by
        chunk, and at once: the call computes. T must suit the output unit: anything for
        linear, [0, 1] for sigmoid, distributions for softmax.

    Raises
    ------
    ValueError
        If X or T has another shape, is not finite or does not suit the output unit.
    """
    X = check_inputs(net, X, complex_allowed=True)
    T = check_targets(net, X, T)
    return net.output.error(forward(net, X).a[-1], T).item()


def error_signals(net, trace, T):
    """Return the list of δ[l] = ∂E/∂a[l], of shapes (N, M), one for each layer."""
    # eq-backpropagation-start: δ_k = y_k − t_k, for every canonical pair
    delta = [net.output.residual(trace.a[-1], T)]
    for l in range(net.depth - 1, 0, -1):
        # eq-backpropagation-step: δ_j = h'(a_j) Σ_k w_kj δ_k
        delta.insert(0, slope(net, trace, l - 1) * (delta[0] @ net.W[l][:, 1:]))
    return delta


@sum_over_shards
def error_gradient(net, X, T):
    """Return ∂E/∂w, of shape (P,), by one forward and one backward pass, O(N P).

    Parameters
    ----------
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row, as in `error`. Dask arrays are summed chunk by
        chunk, and at once: the call computes. X and the network's parameters
        may be complex.

    Raises
    ------
    ValueError
        As `error`.
    """
    X = check_inputs(net, X, complex_allowed=True)
    T = check_targets(net, X, T)
    trace = forward(net, X)
    delta = error_signals(net, trace, T)
    # eq-backpropagation-gradient: ∂E/∂w_ji = Σ_n δ_nj z_ni
    return np.concatenate(
        [sum_over_patterns(d, z).ravel() for d, z in zip(delta, trace.z, strict=True)]
    )
