"""curvlinops: linear operators; a matrix is the operator times the unit vectors."""

import torch
from curvlinops import GGNLinearOperator, HessianLinearOperator

from benchmarks.peers.base import CHUNK, too_many_products
from benchmarks.peers.torch_module import Model


def calls(function, problem):
    """Return the product, or the matrix in chunks of columns."""
    model = Model(problem)
    exact = function in ("exact_hessian", "hessian_vector_product")
    operator = (HessianLinearOperator if exact else GGNLinearOperator)(
        model.module,
        model.loss,
        list(model.module.parameters()),
        [(model.X, model.T)],
        check_deterministic=False,
    )
    if function.endswith("product"):
        return {"curvlinops": model.call(lambda: operator @ model.v)}
    P = problem.net.n_parameters
    if skip := too_many_products(P):
        return {"curvlinops @ I": skip}
    one = torch.eye(P, dtype=model.X.dtype)

    def matrix():
        columns = [operator @ one[:, p : p + CHUNK] for p in range(0, P, CHUNK)]
        return torch.cat(columns, 1)

    return {"curvlinops @ I": model.call(matrix, 3 * P**2 * one.itemsize)}
