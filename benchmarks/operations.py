"""How many multiply-adds the closed form needs: counted by formula, not measured.

Counted are the matrix products and nothing else: no tanh, no copy, no product of two
numbers that is not part of a sum. N is the number of patterns; layer l has J units and
I = 1 + M inputs.
"""

from itertools import pairwise


def multiply_adds(size, *, exact=True):
    """Return the multiply-adds of each kind of product, for all patterns.

    Parameters
    ----------
    size : Size
        The network and its number of patterns.
    exact : bool
        Count the exact Hessian, or else the outer product, which leaves out every δ.

    Returns
    -------
    dict
        "diagonal blocks": Σ_n M_jq z_i z_p for j ≤ q and i ≤ p;
        "pairs": Σ_n B_jq z_i z_p for two layers m < l, one of two mirror images;
        "bends": Σ_n δ_j G_iq z_p, with a diagonal G where m = l − 1;
        "sweeps": the recursions of M, B and G.
    """
    layers = [(m, 1 + i) for i, m in pairwise(size.layers)]
    count = dict.fromkeys(("diagonal blocks", "pairs", "bends", "sweeps"), 0)
    for l, (J, I) in enumerate(layers):
        count["diagonal blocks"] += (J * (J + 1) // 2) * (I * (I + 1) // 2)
        for m in range(l - 1, -1, -1):
            Q, inputs = layers[m]
            above = layers[m + 1][0]
            count["pairs"] += J * Q * I * inputs
            count["sweeps"] += J * above * Q
            if m == l - 1:
                count["sweeps"] += Q * J * Q  # M of the layer below
            if exact:
                rows = Q if m == l - 1 else Q * (I - 1)
                count["bends"] += rows * J * inputs
                count["sweeps"] += 0 if m == l - 1 else (I - 1) * above * Q
    return {kind: size.n_patterns * n for kind, n in count.items()}


def products_of(function, size):
    """Return the multiply-adds of any function's matrix products, for all patterns.

    What an output unit does is counted as elementwise: its M has a structure.
    """
    layers = [(m, 1 + i) for i, m in pairwise(size.layers)]
    if function in ("exact_hessian", "outer_product_hessian"):
        return sum(multiply_adds(size, exact=function == "exact_hessian").values())
    K = size.layers[-1]
    whole = sum(J * I for J, I in layers)  # a layer with its biases
    inner = sum(J * (I - 1) for J, I in layers[1:])  # one that signals pass
    rows = sum(K * J * (I - 1) for J, I in layers[1:-1])
    forward, signals = whole, inner
    along_v, back_along_v = whole + inner, whole + inner
    first_J, first_I = layers[0]
    count = {
        "error": forward,
        "error_gradient": forward + signals + whole,
        "input_jacobian": forward + rows + K * first_J * (first_I - 1),
        "parameter_jacobian": forward + rows,
        "hessian_diagonal": forward + signals + whole + _curvatures(layers),
        "outer_product_diagonal": forward + rows + whole,
        "hessian_vector_product": forward + signals + along_v + back_along_v
        + 2 * inner,
        "HessianOperator": along_v + back_along_v + 2 * inner,
        "gauss_newton_vector_product": forward + along_v + back_along_v,
        "GaussNewtonOperator": along_v + back_along_v,
    }  # fmt: skip
    return size.n_patterns * count[function]


def _curvatures(layers):
    """Return what it takes to bring M down to the diagonal of the first layer's."""
    count = 0
    for l in range(len(layers) - 1, 0, -1):
        J, below = layers[l][0], layers[l][1] - 1
        count += J * J * below if l < len(layers) - 1 else 0
        count += J * below * below if l > 1 else J * below
    return count
