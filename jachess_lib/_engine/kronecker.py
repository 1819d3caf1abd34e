"""What Kronecker factors ask of their arguments, and draws of what a model answers."""

import numpy as np
from scipy.linalg import eigh

from jachess_lib._engine.floats import wide
from jachess_lib._engine.inputs import (
    check_array,
    check_choice,
    check_count,
    check_index,
    check_inputs,
    check_network,
    check_number,
    check_positive,
    check_targets,
    check_weights,
    require_given,
)
from jachess_lib._engine.memory import require_memory


def check_factors(net, X, T, kind, draws, seed, weights):
    """Return all but the kind and the draws in double precision, and shares."""
    check_network("net", net)
    check_choice("kind", kind, ("expected", "sampled", "empirical"))
    X = check_inputs(net, X)
    net = net.with_parameters(net.w.astype(wide(net.w.dtype), copy=False))
    if kind == "empirical":
        require_given("T", T)
        T = check_targets(net, X, T)
    draws, seed = check_count("draws", draws), check_index("seed", seed, 2**63)
    share = np.ones(len(X))
    if weights is not None:
        share = check_weights(weights, net, len(X))
        if share.any() and abs(share.sum()) <= 1e-12 * abs(share).sum():
            raise ValueError(
                "weights sum to 0, so that there is no mean of z zᵀ to take: use "
                "weights of one sign, or outer_product_hessian"
            )
    return net, X.astype(net.w.dtype, copy=False), T, kind, draws, seed, share


def mean_over(share, z):
    """Return the mean of z zᵀ with these shares, 0 if there are none."""
    return over((share * z.T) @ z, share.sum())


def over(value, size):
    """Return the quotient, 0 if the size is."""
    return value / size if size else 0.0 * value


def drawn(output, y, draws, seed):
    """Return targets that the model might give, of shape (draws, N, K)."""
    rng = np.random.default_rng(seed)
    if output == "linear":
        return y + rng.standard_normal((draws, *y.shape))
    if output == "sigmoid":
        return (rng.random((draws, *y.shape)) < y) * 1.0
    # the class in whose step of the cumulative sum a uniform number falls
    steps = np.cumsum(y, axis=1)
    past = rng.random((draws, len(y), 1)) * steps[:, -1:] >= steps
    return np.eye(y.shape[1])[past[..., :-1].sum(axis=2)]


def check_shared(z, S, M, setting):
    """Return z, S and M as arrays whose shapes fit."""
    check_choice("setting", setting, ("expand", "reduce"))
    z, S, M = check_array("z", z), check_array("S", S), check_array("M", M)
    if z.ndim != 3 or 0 in z.shape[1:]:
        raise ValueError(
            f"z must have shape (N, positions, I), got shape {z.shape}: a layer used "
            "once has one position, z[:, None]"
        )
    if S.ndim != 4 or S.shape[:2] != z.shape[:2] or 0 in S.shape[2:]:
        raise ValueError(
            f"S must have shape (N, positions, K, J) with N, positions = {z.shape[:2]} "
            f"as z has them, got shape {S.shape}"
        )
    check_array("M", M, (len(z), S.shape[2], S.shape[2]))
    return z, S, M


def check_block(G, rows, columns, power=1.0):
    """Return G as an array, if it is a block of rows × columns weights."""
    rows, columns = check_count("rows", rows), check_count("columns", columns)
    if check_number("power", power) <= 0:
        raise ValueError(f"power must be larger than 0, got {power:g}")
    G = check_array("G", G)
    if G.shape != (rows * columns,) * 2:
        raise ValueError(
            f"G must have shape (P, P) with P = rows × columns = {rows * columns}, got "
            f"shape {G.shape}"
        )
    return G


def root_of(C, power):
    """Return a power of a symmetric matrix without a negative eigenvalue."""
    if power == 1:
        return C
    values, vectors = eigh((C + C.T) / 2)
    if values[0] < -1e-10 * max(abs(values[-1]), abs(values[0])):
        raise ValueError(
            f"a sum over G has the eigenvalue {values[0]:.3g}, and power {power:g} of "
            "it is not real: use power=1, or the outer-product Hessian"
        )
    return (vectors * np.maximum(values, 0) ** power) @ vectors.T


def check_step(A, B, V, damping):
    """Return the factors, V and the damping, if they can be solved with."""
    A, B = check_array("A", A, symmetric=True), check_array("B", B, symmetric=True)
    lowest, size = 0.0, 1.0
    for name, C in (("A", A), ("B", B)):
        values = np.linalg.eigvalsh(C)
        lowest, size = values[0], size * values[-1]
        if lowest < -1e-8 * abs(values).max():
            raise ValueError(
                f"{name} has the eigenvalue {lowest:.3g}, so that no damping makes its "
                "product safe to invert: use patterns with weights above 0"
            )
    return A, B, check_array("V", V, (len(B), len(A))), check_damping(damping, size)


def check_damping(damping, size):
    """Return a damping that rounding does not hide beside eigenvalues of that size."""
    why = ": without it a direction that no pattern touches has no inverse"
    damping = check_positive("damping", damping, why)
    least = 10 * np.finfo(float).eps * size
    if damping < least:
        raise ValueError(
            f"damping is {damping:.3g}, and rounding hides it beside an eigenvalue of "
            f"{size:.3g}: use at least {least:.1g}"
        )
    return damping


def check_scaled(scales, V, damping):
    """Return V and the damping, if the scales stay above zero with it."""
    V = check_array("V", V, scales.shape)
    damping = check_damping(damping, np.abs(scales).max(initial=0))
    if scales.min(initial=0) + damping <= 0:
        raise ValueError(
            f"a scale is {scales.min():.3g}, so that the damping {damping:.3g} leaves "
            "it below 0: use patterns with weights above 0, or a larger damping"
        )
    return V, damping


def check_natural(net, X, T, damping, structure):
    """Return the damping as a float, if all arguments fit."""
    check_network("net", net)
    check_choice("structure", structure, ("kronecker", "eigen"))
    require_given("T", T)
    check_targets(net, check_inputs(net, X), T)
    return check_positive("damping", damping)


def product(B, A):
    """Return B ⊗ A, or say that there is no room for it."""
    size = len(B) * len(A)

    def what():
        return f"a product of shape {(size, size)}"

    require_memory(8 * size**2, what, "use solve, which needs the factors alone")
    return np.kron(B, A)
