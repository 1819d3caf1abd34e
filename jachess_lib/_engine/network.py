"""Forward passes: their checks, and what sweeps back need of them beside."""

import numpy as np

from jachess_lib._engine.connection import Task
from jachess_lib._engine.inputs import check_inputs
from jachess_lib.network import Trace


def _check(net, X):
    return {"net": net, "X": check_inputs(net, X, complex_allowed=True)}


forward = Task(_check)


def passed(net, X):
    """Return the Trace of a forward pass; without y, for which not all have a use."""
    a, z = [], [_with_constant_unit(X)]
    for l in range(net.depth):
        a.append(z[l] @ net.W[l].T)
        if l < net.depth - 1:
            z.append(_with_constant_unit(net.hidden[l].h(a[l])))
    return Trace(a, z, None)


def _with_constant_unit(z):
    whole = np.empty((z.shape[0], 1 + z.shape[1]), z.dtype)
    whole[:, 0] = 1
    whole[:, 1:] = z
    return whole


def slopes(net, trace):
    """Return the list of h'(a) of the hidden layers."""
    return [unit.dh(a) for unit, a in zip(net.hidden, trace.a[:-1], strict=True)]


def signals(net, trace, dh, T):
    """Return the list of δ, of shapes (N, M), given the slopes: each is dear."""
    delta = [net.output.residual(trace.a[-1], T)]
    for l in range(net.depth - 1, 0, -1):
        below = delta[0] @ net.W[l][:, 1:]
        below *= dh[l - 1]
        delta.insert(0, below)
    return delta


# h'' where z and h' have most of it already
_BENDS = {"tanh": lambda z, dh: -2 * z * dh}


def bend(net, trace, l, dh, delta):
    """Return h''(a_j) Σ_k w_kj δ_k of hidden layer l, of shape (N, M)."""
    unit = net.hidden[l]
    at_hand = _BENDS.get(unit.name)
    d2h = at_hand(trace.z[l + 1][:, 1:], dh[l]) if at_hand else unit.d2h(trace.a[l])
    return d2h * (delta[l + 1] @ net.W[l + 1][:, 1:])


def pull(unit, a, V):
    """Return Σ_l M_kl V_lj of an output unit, of shape (N, K, J); M is never made."""
    if unit.name != "softmax":
        return unit.diagonal(a)[:, :, None] * V
    y, n = unit.y(a), np.arange(len(a))
    top = np.argmax(a.real, axis=1)
    # y_k (V_k − Σ_l y_l V_l) = y_k ((V_k − V_t) + Σ_l y_l (V_t − V_l)) with the
    # likeliest class t, whose own V is nearly the mean where y_t is nearly 1
    others = y.copy()
    others[n, top] = 0
    apart = others.sum(axis=1)[:, None] * V[top] - others @ V
    pulled = np.subtract(V, V[top][:, None, :], dtype=apart.dtype)
    pulled += apart[:, None, :]
    pulled *= (y if unit.weights is None else unit.weights[:, None] * y)[:, :, None]
    return pulled
