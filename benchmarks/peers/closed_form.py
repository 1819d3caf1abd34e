"""The library itself, called as a user calls it, with all its checks of the inputs.

One row for each engine: what `[fast]` gives, what NumPy alone gives, and what the
chapters show.
"""

from dataclasses import replace

import numpy as np

import jachess_lib as jl
from benchmarks.peers.base import Call
from jachess_lib._engine import choice

WITH_OUT = (
    "input_jacobian",
    "parameter_jacobian",
    "exact_hessian",
    "outer_product_hessian",
    "hessian_diagonal",
)
# What the plain bodies compute by way of all N·K rows of the Jacobian.
BY_JACOBIAN = ("outer_product_hessian", "outer_product_diagonal")


def calls(function, problem):
    """Return one call for each engine, and one into a warm buffer."""
    found = {"ours": _call(function, problem)}
    if has_twin(function, problem):  # what is compiled may not lie ready yet
        found["ours"] = replace(found["ours"], compiled=True)
        found["ours, NumPy"] = by_engine("blocked", function, problem)
    found["ours, plain"] = by_engine("plain", function, problem)
    if function in WITH_OUT:
        found["ours, out="] = into_buffer(function, problem)
    return found


def has_twin(function, problem):
    """Return whether Numba computes the function for this problem."""
    compiled = choice.compiled_functions()
    name = "linearise" if function.endswith("Operator") else function
    arrays = (problem.X, problem.T)
    return compiled is not None and compiled.takes(name, problem.net, arrays)


def by_engine(engine, function, problem):
    """Return the Call that one engine answers."""
    with jl.engine(engine):
        call = _call(function, problem)

    def run():
        with jl.engine(engine):
            return call.run()

    rows = 0
    if engine == "plain" and function in BY_JACOBIAN:
        rows = len(problem.X) * problem.T.shape[1] * problem.net.n_parameters
    return Call(run, needs=3 * rows * problem.X.itemsize)


def _call(function, problem):
    """Return the call with fresh results, by whatever engine is chosen."""
    if function == "HessianOperator":
        operator = jl.HessianOperator(problem.net, problem.X, problem.T)
        return Call(lambda: operator @ problem.v)
    if function == "GaussNewtonOperator":
        operator = jl.GaussNewtonOperator(problem.net, problem.X)
        return Call(lambda: operator @ problem.v)
    compute, arguments = getattr(jl, function), _arguments(function, problem)
    return Call(lambda: compute(*arguments))


def _arguments(function, problem):
    net, X, T, v = problem.net, problem.X, problem.T, problem.v
    return {
        "input_jacobian": (net, X),
        "parameter_jacobian": (net, X),
        "outer_product_hessian": (net, X),
        "outer_product_diagonal": (net, X),
        "hessian_vector_product": (net, X, T, v),
        "gauss_newton_vector_product": (net, X, v),
    }.get(function, (net, X, T))


def into_buffer(function, problem):
    """Return the Call that fills one buffer again and again."""
    N, K, P = len(problem.X), problem.T.shape[1], problem.net.n_parameters
    shape = {
        "input_jacobian": (N, K, problem.X.shape[1]),
        "parameter_jacobian": (N, K, P),
        "hessian_diagonal": (P,),
    }.get(function, (P, P))
    buffer = np.zeros(shape, problem.dtype)
    compute, arguments = getattr(jl, function), _arguments(function, problem)
    return Call(lambda: compute(*arguments, out=buffer), keeps=buffer.nbytes)
