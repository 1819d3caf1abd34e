"""Sums of errors and gradients over many patterns, in double precision."""

import numpy as np

from jachess_lib._engine.connection import Task, of_parameters, weighted
from jachess_lib._engine.inputs import check_inputs, check_targets
from jachess_lib._engine.kernels import sum_of_chunks, sum_over_patterns
from jachess_lib._engine.network import passed, signals, slopes


def _check(net, X, T):
    X = check_inputs(net, X, complex_allowed=True)
    return {"net": net, "X": X, "T": check_targets(net, X, T)}


def _error(net, X, T, weights=None):
    def share(X, T, weights):
        unit = weighted(net, weights).output
        return np.asarray(unit.error(passed(net, X).a[-1], T))

    return sum_of_chunks(share, 2 * sum(net.sizes), X, T, weights)


def _error_gradient(net, X, T, weights=None):
    def share(X, T, weights):
        trace, delta = _swept(weighted(net, weights), X, T)
        return np.concatenate(
            [
                sum_over_patterns(d, z).ravel()
                for d, z in zip(delta, trace.z, strict=True)
            ]
        )

    return sum_of_chunks(share, 4 * sum(net.sizes), X, T, weights)


def _swept(net, X, T):
    """Return the Trace and the δ of every layer."""
    trace = passed(net, X)
    return trace, signals(net, trace, slopes(net, trace), T)


def _error_gradients(net, X, T, out):
    trace, delta = _swept(net, X, T)
    for d, z, columns in zip(delta, trace.z, net.slices, strict=True):
        part = out[:, columns].reshape(len(X), d.shape[1], z.shape[1])
        np.multiply(d[:, :, None], z[:, None, :], out=part)
    return out


def _rows(net, X, T):
    in_passes = 3 * len(X) * sum(net.sizes) * X.itemsize
    return (len(X), net.n_parameters), in_passes, "take fewer patterns at a time"


error = Task(_check, _error, is_sum=True, finish=lambda E: E.item())
error_gradient = Task(
    _check, _error_gradient, result=of_parameters, fills=False, is_sum=True
)
error_gradients = Task(_check, _error_gradients, result=_rows)
