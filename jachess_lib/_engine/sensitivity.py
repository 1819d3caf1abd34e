"""The checks of what is propagated; the lesson's own lines are fast enough."""

from jachess_lib._engine.connection import Task
from jachess_lib._engine.inputs import check_covariance, check_inputs, check_series


def _check_error(net, X, dX):
    X = check_inputs(net, X)
    return {"net": net, "X": X, "dX": check_inputs(net, dX, name="dX", rows=len(X))}


def _check_covariance(net, X, covariance):
    X = check_inputs(net, X)
    covariance = check_covariance(net, X, covariance)
    return {"net": net, "X": X, "covariance": covariance}


def _check_series(outer, inner, X):
    check_series(outer, inner)
    return {"outer": outer, "inner": inner, "X": check_inputs(inner, X)}


propagate_error = Task(_check_error)
propagate_covariance = Task(_check_covariance)
chain_jacobian = Task(_check_series)
