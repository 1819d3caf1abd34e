"""Networks and data for hidden cases, drawn from a generator.

Layers that are neighbours differ in width, so that no transposed table can hide.
"""

from itertools import pairwise

import numpy as np

import jachess_lib as jl

# Tolerances of a `Question`: more digits than a difference quotient has.
EXACT = {"rtol": 1e-11, "atol": 1e-13}


def weights(rng, sizes):
    """Return the list W of a network with these layers, biases in column 0."""
    return [
        rng.normal(size=(m_out, 1 + m_in)) / np.sqrt(1 + m_in) * 1.5
        for m_in, m_out in pairwise(sizes)
    ]


def patterns(rng, n, d):
    """Return X, of shape (n, d)."""
    return rng.normal(size=(n, d))


def targets(rng, n, k, unit):
    """Return T, of shape (n, k), that the output unit can have."""
    if unit == "linear":
        return rng.normal(size=(n, k))
    if unit == "sigmoid":
        return (rng.random((n, k)) < 0.5) * 1.0
    return jl.one_hot(rng.integers(k, size=n), k)


def network(W, unit):
    """Return the library's network with the weights W."""
    sizes = (W[0].shape[1] - 1, *(len(V) for V in W))
    return jl.Network(sizes, np.concatenate([V.ravel() for V in W]), output=unit)


def layers(net, w):
    """Return a vector that is ordered as the parameters as one matrix a layer."""
    return tuple(net.with_parameters(w).W)
