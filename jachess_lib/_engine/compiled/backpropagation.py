"""The error of a batch, and its gradient by one sweep forward and one back."""

from jachess_lib._engine.compiled.products import add_sum, room_of_sum, turn
from jachess_lib._engine.compiled.sweeps import (
    activations,
    backward,
    block_of,
    cut,
    forward,
    layers,
    rows_of_a_block,
    split,
)
from jachess_lib._engine.compiled.units import compiled, errors


@compiled
def error(w, sizes, units, output, X, T, room):
    """Return Σ_n E_n, summed in double precision."""
    net = layers(w, sizes, units, output)
    step = rows_of_a_block(net.width, len(X), w.itemsize)
    state, scratch = split(room, step * net.width)
    total = 0.0
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[: (end - n) * net.width]
        a = activations(net, X[n:end], 0, part, scratch)
        t = cut(scratch, end - n, sizes[-1], sizes[-1])
        turn(T[n:end], t)
        total += errors(output, a, t)
    return w.dtype.type(total)


@compiled
def error_gradient(w, sizes, units, output, X, T, gradient, room):
    """Put ∂E/∂w into `gradient`, which has double precision."""
    net = layers(w, sizes, units, output)
    step = rows_of_a_block(net.width, len(X), w.itemsize)
    block, room = split(room, room_of_sum(sizes))
    state, scratch = split(room, step * net.width)
    gradient[:] = 0.0
    for n in range(0, len(X), step):
        end = min(n + step, len(X))
        part = state[: (end - n) * net.width]
        forward(net, X[n:end], 1, part, scratch)
        backward(net, T[n:end], False, part, scratch)
        for l in range(len(sizes) - 1):
            z = cut(part, end - n, net.at[0, l], 1 + sizes[l])
            delta = cut(part, end - n, net.at[3, l + 1], sizes[l + 1])
            add_sum(delta, z, block_of(gradient, sizes, net.starts, l), block)
