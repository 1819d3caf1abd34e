"""The error of a batch, and its gradient by one sweep forward and one back."""

import numpy as np

from jachess_lib._engine.compiled.sweeps import (
    activations,
    add_sum,
    backward,
    block_of,
    cut,
    forward,
    layers,
    rows_of_a_block,
)
from jachess_lib._engine.compiled.units import compiled, errors


@compiled
def error(w, sizes, units, output, X, T):
    """Return Σ_n E_n, summed in double precision."""
    net = layers(w, sizes, units, output)
    step = rows_of_a_block(net.width, len(X))
    state = np.empty(step * net.width, w.dtype)
    scratch = np.empty(step * sizes.max(), w.dtype)
    total = 0.0
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[: (end - n) * net.width]
        a = activations(net, X[n:end], False, False, part, scratch)
        total += errors(output, a, T[n:end])
    return w.dtype.type(total)


@compiled
def error_gradient(w, sizes, units, output, X, T):
    """Return ∂E/∂w."""
    net = layers(w, sizes, units, output)
    step = rows_of_a_block(net.width, len(X))
    state = np.empty(step * net.width, w.dtype)
    scratch = np.empty(step * sizes.max(), w.dtype)
    gradient, block = np.zeros(len(w)), np.empty_like(w)
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[: (end - n) * net.width]
        forward(net, X[n:end], False, False, part, scratch)
        backward(net, T[n:end], False, part, scratch)
        for l in range(len(sizes) - 1):
            z = cut(part, end - n, net.at[0, l], 1 + sizes[l])
            delta = cut(part, end - n, net.at[3, l + 1], sizes[l + 1])
            add_sum(delta, z, block_of(gradient, sizes, net.starts, l), block)
    return gradient.astype(w.dtype)
