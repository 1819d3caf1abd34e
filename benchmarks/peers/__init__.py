"""Peers: each module offers `calls(function, problem)`, the ways it has to compute it.

A peer's module is imported only where it has something to compute, because some take
seconds to import.
"""

from importlib import import_module

# family: (module, the functions it has a way to compute; None for every one)
FAMILIES = {
    "ours": ("closed_form", None),
    "jax": ("jax_peer", None),
    "torch": ("torch_peer", None),
    "backpack": (
        "backpack_peer",
        {
            "hessian_diagonal",
            "outer_product_diagonal",
            "hessian_vector_product",
            "gauss_newton_vector_product",
        },
    ),
    "curvlinops": (
        "curvlinops_peer",
        {
            "exact_hessian",
            "outer_product_hessian",
            "hessian_vector_product",
            "gauss_newton_vector_product",
        },
    ),
    "laplace": (
        "laplace_peer",
        {"exact_hessian", "outer_product_hessian", "outer_product_diagonal"},
    ),
    "autograd": (
        "autograd_peer",
        {
            "error",
            "error_gradient",
            "input_jacobian",
            "exact_hessian",
            "hessian_vector_product",
        },
    ),
    "casadi": (
        "casadi_peer",
        {
            "error",
            "error_gradient",
            "input_jacobian",
            "exact_hessian",
            "hessian_vector_product",
        },
    ),
}


def families(function):
    """Return the families that have a way to compute a function, ours first."""
    return [f for f, (_, can) in FAMILIES.items() if can is None or function in can]


def calls(family, function, problem):
    """Return {name: Call or Skip} of one family."""
    module = import_module(f"benchmarks.peers.{FAMILIES[family][0]}")
    return module.calls(function, problem)
