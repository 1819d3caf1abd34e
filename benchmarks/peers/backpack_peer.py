"""BackPACK: exact diagonals in one backward pass, and products with a vector."""

import torch
from backpack import backpack, extend
from backpack.extensions import DiagGGNExact, DiagHessian
from backpack.hessianfree.ggnvp import ggn_vector_product
from backpack.hessianfree.hvp import hessian_vector_product

from benchmarks.peers.torch_module import Model

DIAGONALS = {
    "hessian_diagonal": (DiagHessian, "diag_h"),
    "outer_product_diagonal": (DiagGGNExact, "diag_ggn_exact"),
}


def calls(function, problem):
    """Return BackPACK's one way."""
    model = Model(problem)
    if function in DIAGONALS:
        return {"BackPACK": model.call(diagonal(model, *DIAGONALS[function]))}
    return {"BackPACK": model.call(product(model, function))}


def diagonal(model, extension, attribute):
    """Return the function that computes one of the diagonals."""
    module, loss = extend(model.module), extend(model.loss)
    parameters = list(module.parameters())

    def run():
        module.zero_grad(set_to_none=True)
        value = loss(module(model.X), model.T)
        with backpack(extension()):
            value.backward()
        return torch.cat([getattr(p, attribute).reshape(-1) for p in parameters])

    return run


def product(model, function):
    """Return the function that computes one of the products."""
    parameters = list(model.module.parameters())
    v = model.like_parameters(model.v)

    def run():
        outputs = model.module(model.X)
        value = model.loss(outputs, model.T)
        if function == "hessian_vector_product":
            pieces = hessian_vector_product(value, parameters, v)
        else:
            pieces = ggn_vector_product(value, outputs, model.module, v)
        return torch.cat([piece.reshape(-1) for piece in pieces])

    return run
