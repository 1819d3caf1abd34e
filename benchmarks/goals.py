"""What the library is to reach: peer time / our time, row by row.

`peer` is a family of peers, of which the fastest counts; `at_least` is the ratio.
"""

EVERY = ("tiny", "medium", "digits", "deep", "wide")

RATIOS = [
    {"function": function, "peer": peer, "at_least": at_least, "sizes": list(sizes)}
    for function, peer, at_least, sizes in (
        ("exact_hessian", "jax", 5, ("tiny",)),
        ("exact_hessian", "jax", 25, ("medium", "digits")),
        ("exact_hessian", "torch", 30, ("medium", "digits")),
        ("outer_product_hessian", "jax", 3, ("medium",)),
        ("outer_product_hessian", "jax", 15, ("digits",)),
        ("outer_product_hessian", "torch", 1, EVERY[:-1]),
        ("hessian_diagonal", "backpack", 8, EVERY),
        ("outer_product_diagonal", "backpack", 5, EVERY),
        ("hessian_vector_product", "jax", 1.15, EVERY),
        ("HessianOperator", "jax", 1.15, EVERY),
        ("gauss_newton_vector_product", "jax", 1.15, EVERY),
        ("error_gradient", "jax", 1.15, EVERY),
        ("input_jacobian", "jax", 1.15, EVERY),
        ("input_jacobian", "torch", 1.3, EVERY),
        ("parameter_jacobian", "jax", 1, EVERY),
        ("parameter_jacobian", "torch", 1.3, EVERY),
    )
]

# The others: a share of the dgemm peak and a gain from two threads, both of the exact
# Hessian on `digits`, and megabytes beyond the result of the two square matrices.
OTHERS = {"gemm_share": 0.75, "two_threads": 1.6, "megabytes": 64}
AGREEMENT = {"float64": 1e-10, "float32": 1e-4}
