"""The matrix of a posterior in the structure that is asked for; checks and draws."""

import numpy as np
from scipy.linalg import block_diag, cholesky, solve_triangular

from jachess_lib._engine.floats import wide
from jachess_lib._engine.inputs import (
    check_choice,
    check_count,
    check_index,
    check_inputs,
    check_network,
    check_positive,
    check_targets,
    check_weights,
    require_given,
)
from jachess_lib._engine.kernels import pattern_chunks
from jachess_lib.backpropagation import error_gradient
from jachess_lib.hessian import exact_hessian
from jachess_lib.kronecker import kronecker_factors
from jachess_lib.outer_product import outer_product_hessian

DRAWS = 1000  # of the activations of a pattern, for the mean of a softmax


def check_laplace(net, X, T, alpha, beta, curvature, structure, weights):
    """Return the network in double precision, X, T, α, β and the count of targets."""
    check_network("net", net)
    require_given("T", T)
    X = check_inputs(net, X)
    T = check_targets(net, X, T)
    for name, value, of in (("alpha", alpha, "prior"), ("beta", beta, "noise")):
        check_positive(
            name, value, f": it is the precision of the {of}, one over a variance"
        )
    if net.output.name != "linear" and beta != 1:
        raise ValueError(
            f"beta must be 1 with {net.output.name} outputs, got {beta:g}: their "
            "labels carry no noise beside the probabilities"
        )
    check_choice("curvature", curvature, ("outer_product", "exact"))
    check_choice(
        "structure", structure, ("full", "diagonal", "kronecker", "last_layer")
    )
    if structure == "kronecker" and curvature == "exact":
        raise ValueError(
            "structure 'kronecker' is made of outer products: use "
            "curvature='outer_product'"
        )
    count = float(len(X))
    if weights is not None:
        count = float(check_weights(weights, net, len(X)).sum())
    double = net.with_parameters(net.w.astype(wide(net.w.dtype)))
    X, T = X.astype(double.w.dtype), T.astype(double.w.dtype)
    return double, X, T, float(alpha), float(beta), count * net.sizes[-1]


def bowl(net, X, T, curvature, structure, weights):
    """Return what stands for H, the gradient of E, and the places of both in w."""
    gradient = error_gradient(net, X, T, weights=weights)
    places = np.arange(net.n_parameters)
    if structure == "kronecker":
        blocks = (f.to_dense() for f in kronecker_factors(net, X, weights=weights))
        return block_diag(*blocks), gradient, places
    if curvature == "exact":
        H = exact_hessian(net, X, T, weights=weights)
    else:
        H = outer_product_hessian(net, X, weights=weights)
    if structure == "diagonal":
        H = np.diag(np.diag(H))
    if structure == "last_layer":
        places = places[net.slices[-1]]
        H, gradient = H[net.slices[-1], net.slices[-1]], gradient[places]
    return H, gradient, places


def lower_root(A, curvature):
    """Return L with A = LLᵀ, or say that there is none."""
    try:
        return cholesky(A, lower=True)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(A)[0]
        hint = (
            "train on, or use curvature='outer_product'"
            if curvature == "exact"
            else "a larger alpha, or weights without negative ones, will do"
        )
        raise ValueError(
            f"the precision of the posterior has the eigenvalue {lowest:.3g}, so the "
            f"weights are at no minimum of beta E + alpha/2 w·w: {hint}"
        ) from None


def draws(posterior, n, seed):
    """Return n draws of all weights, of shape (n, P)."""
    n, seed = check_count("n", n), check_index("seed", seed, 2**63)
    normal = np.random.default_rng(seed).standard_normal((len(posterior.root), n))
    w = np.tile(posterior.net.w, (n, 1))
    w[:, posterior.places] += solve_triangular(
        posterior.root, normal, lower=True, trans="T"
    ).T
    return w


def averaged(posterior, a, J):
    """Return the mean of the outputs over draws of the activations, of shape (N, K)."""
    K, P = J.shape[1:]
    normal = np.random.default_rng(0).standard_normal((DRAWS, P))
    normal[DRAWS // 2 :] = -normal[: DRAWS // 2]  # in pairs: the mean is exact
    mean = np.empty_like(a)
    for n in pattern_chunks(len(a), DRAWS * K):
        half = solve_triangular(posterior.root, J[n].reshape(-1, P).T, lower=True)
        moved = a[n] + (normal @ half).reshape(DRAWS, -1, K)
        y = posterior.net.output.y(moved.reshape(-1, K)).reshape(moved.shape)
        mean[n] = y.mean(axis=0)
    return mean


def require_level(posterior, w):
    """Refuse weights and errors for which the evidence rises without end."""
    if not w.any():
        raise ValueError(
            "all weights of the posterior are 0, so its evidence rises with alpha "
            "without end: there is none to go to"
        )
    if posterior.net.output.name == "linear" and posterior.error == 0:
        raise ValueError(
            "the outputs are the targets, so the evidence rises with beta without "
            "end: there is none to go to"
        )
