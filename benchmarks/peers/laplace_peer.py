"""laplace-torch: the matrix that each of its backends hands to a Laplace posterior."""

from laplace import curvature

from benchmarks.peers.base import products_again, too_many_products
from benchmarks.peers.torch_module import Model

BACKENDS = {
    "exact_hessian": ("AsdlHessian", "CurvlinopsHessian"),
    "outer_product_hessian": ("BackPackGGN", "AsdlGGN", "CurvlinopsGGN"),
    "outer_product_diagonal": ("BackPackGGN", "AsdlGGN", "CurvlinopsGGN"),
}


def calls(function, problem):
    """Return one way for each backend."""
    return {
        f"laplace {name}": backend_call(name, function, problem)
        for name in BACKENDS[function]
    }


def backend_call(name, function, problem):
    """Return the Call of one backend; each gets its own module, since hooks clash."""
    P = problem.net.n_parameters
    if function == "exact_hessian" and (skip := too_many_products(P)):
        return skip
    if name.startswith("Curvlinops") and not function.endswith("diagonal"):
        if skip := products_again(P, "curvlinops @ I"):
            return skip
    model = Model(problem)
    model.module.output_size = problem.T.shape[1]
    softmax = problem.net.output.name == "softmax"
    likelihood = "classification" if softmax else "regression"
    backend = getattr(curvature, name)(model.module, likelihood)
    method = backend.diag if function.endswith("diagonal") else backend.full
    needs = numbers(name, function, problem) * problem.dtype.itemsize
    return model.call(lambda: method(model.X, model.T)[1], needs, scale=1)


def numbers(name, function, problem):
    """Return about how many numbers a backend holds at once."""
    P, K = problem.net.n_parameters, problem.T.shape[1]
    jacobians = problem.T.size * P  # one array of shape (N, K, P)
    if not function.endswith("diagonal"):
        return 3 * jacobians + 3 * P**2
    # The others keep to the layers; this one forms M J for every pair of outputs.
    return K * jacobians if name == "CurvlinopsGGN" else 0
