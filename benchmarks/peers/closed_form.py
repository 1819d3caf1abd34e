"""The library itself, called as a user calls it, with all its checks of the inputs."""

import numpy as np

import jachess_lib as jl
from benchmarks.peers.base import Call
from benchmarks.problems import SQUARE
from jachess_lib._engine import kernels

WITH_OUT = (
    "input_jacobian",
    "parameter_jacobian",
    "exact_hessian",
    "outer_product_hessian",
    "hessian_diagonal",
)
# What a compiled twin stands in for, where Numba is installed.
COMPILED = (
    "input_jacobian",
    "parameter_jacobian",
    "outer_product_diagonal",
    "hessian_vector_product",
    "HessianOperator",
    "gauss_newton_vector_product",
    "GaussNewtonOperator",
)


def calls(function, problem):
    """Return the plain call, the same without twins, and one into a warm buffer."""
    found = _calls(function, problem)
    if has_twin(function, problem):
        with_numpy = numpy_alone(_calls)(function, problem)["ours"]
        found["ours, NumPy"] = Call(numpy_alone(with_numpy.run))
    return found


def has_twin(function, problem):
    """Return whether a compiled twin computes the function for this problem."""
    twins = kernels.compiled_twins()
    if twins is None or function not in SQUARE:
        return twins is not None and function in COMPILED
    return twins.takes("fill_square", problem.net, (problem.X, problem.T))


def numpy_alone(function):
    """Return the function as it runs where Numba is not installed."""

    def run(*args):
        found = kernels.compiled_twins
        kernels.compiled_twins = lambda: None
        try:
            return function(*args)
        finally:
            kernels.compiled_twins = found

    return run


def _calls(function, problem):
    """Return the plain call, and one into a warm buffer where there is an `out=`."""
    net, X, T, v = problem.net, problem.X, problem.T, problem.v
    if function == "HessianOperator":
        operator = jl.HessianOperator(net, X, T)
        return {"ours": Call(lambda: operator @ v)}
    if function == "GaussNewtonOperator":
        operator = jl.GaussNewtonOperator(net, X)
        return {"ours": Call(lambda: operator @ v)}
    arguments = {
        "input_jacobian": (net, X),
        "parameter_jacobian": (net, X),
        "outer_product_hessian": (net, X),
        "outer_product_diagonal": (net, X),
        "hessian_vector_product": (net, X, T, v),
        "gauss_newton_vector_product": (net, X, v),
    }.get(function, (net, X, T))
    compute = getattr(jl, function)
    found = {"ours": Call(lambda: compute(*arguments))}
    if function in WITH_OUT:
        found["ours, out="] = into_buffer(compute, arguments, function, problem)
    return found


def into_buffer(compute, arguments, function, problem):
    """Return the Call that fills one buffer again and again."""
    N, K, P = len(problem.X), problem.T.shape[1], problem.net.n_parameters
    shape = {
        "input_jacobian": (N, K, problem.X.shape[1]),
        "parameter_jacobian": (N, K, P),
        "hessian_diagonal": (P,),
    }.get(function, (P, P))
    buffer = np.zeros(shape, problem.dtype)
    return Call(lambda: compute(*arguments, out=buffer), keeps=buffer.nbytes)
