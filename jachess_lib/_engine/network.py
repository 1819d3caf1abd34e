"""Forward passes: their checks, and what sweeps back need of them beside."""

import numpy as np

from jachess_lib._engine.connection import Task
from jachess_lib._engine.inputs import check_inputs


def _check(net, X):
    return {"net": net, "X": check_inputs(net, X, complex_allowed=True)}


forward = Task(_check)


def slopes(net, trace):
    """Return the list of h'(a) of the hidden layers."""
    return [unit.dh(a) for unit, a in zip(net.hidden, trace.a[:-1], strict=True)]


def bend(net, trace, l, delta):
    """Return h''(a_j) Σ_k w_kj δ_k of hidden layer l, of shape (N, M)."""
    return net.hidden[l].d2h(trace.a[l]) * (delta[l + 1] @ net.W[l + 1][:, 1:])


def pull(unit, a, V):
    """Return Σ_l M_kl V_lj of an output unit, of shape (N, K, J); M is never made."""
    (N, K), J = a.shape, V.shape[1]
    if unit.name == "linear" and unit.weights is None:
        return np.broadcast_to(V, (N, K, J))
    columns = np.broadcast_to(V.T[:, None, :], (J, N, K))
    return np.ascontiguousarray(np.moveaxis(unit.times(a, columns), 0, 2))
