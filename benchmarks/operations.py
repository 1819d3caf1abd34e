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
