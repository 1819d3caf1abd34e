"""The questions of assignment 3: the Hessian, block by block, and Hv."""

from pathlib import Path

import numpy as np

import jachess_lib as jl
from coursework.draw import EXACT, layers, network, patterns, targets, weights
from coursework.questions import Assignment, Case, Question, Written


def sums(rng):
    """Draw weighted sums for the bend of tanh."""
    return [
        Case("a small table", (rng.normal(size=(3, 2)),)),
        Case("a vector", (rng.normal(size=5),)),
        Case("saturated units", (rng.normal(size=(2, 4)) * 30,)),
    ]


def tanh_bend(a):
    """Return h''(a) of h = tanh."""
    return jl.HIDDEN_UNITS["tanh"].d2h(a)


def pieces(W, X, T, unit):
    """Return x, h1, h2, z, V, delta and M of a network with one hidden layer."""
    net = network(W, unit)
    trace = jl.forward(net, X)
    hidden = jl.HIDDEN_UNITS["tanh"]
    return (
        trace.z[0],
        hidden.dh(trace.a[0]),
        hidden.d2h(trace.a[0]),
        trace.z[1],
        W[1],
        trace.y - T,
        jl.OUTPUT_UNITS[unit].dy_da(trace.a[1]),
    )


SHAPES = (
    ("linear outputs", (3, 4, 2), "linear", 3),
    ("sigmoid outputs", (2, 3, 4), "sigmoid", 5),
    ("softmax outputs", (4, 2, 3), "softmax", 4),
    ("a single pattern", (2, 4, 3), "softmax", 1),
)


def drawn(rng, sizes, unit, N):
    """Return W, X, T and the name of the output unit."""
    W, X = weights(rng, sizes), patterns(rng, N, sizes[0])
    return W, X, targets(rng, N, sizes[-1], unit), unit


def of_pieces(*which):
    """Return a function that draws cases of some of the pieces."""

    def cases(rng):
        every = ((label, pieces(*drawn(rng, *shape))) for label, *shape in SHAPES)
        return [Case(label, tuple(piece[i] for i in which)) for label, piece in every]

    return cases


def output_block(z, M):
    """Return ∂²E/∂W[1]∂W[1]: the sum of z_j z_j' M_kk'."""
    P = M.shape[1] * z.shape[1]
    return np.einsum("nj,nJ,nkK->kjKJ", z, z, M).reshape(P, P)


def hidden_block(x, h1, h2, V, delta, M):
    """Return ∂²E/∂W[0]∂W[0], with its bend."""
    U, P = V[:, 1:], h1.shape[1] * x.shape[1]
    B = np.einsum("nj,nJ,kj,KJ,nkK->njJ", h1, h1, U, U, M)
    B += np.einsum("nj,kj,nk,jJ->njJ", h2, U, delta, np.eye(h1.shape[1]))
    return np.einsum("ni,nI,njJ->jiJI", x, x, B).reshape(P, P)


def mixed_block(x, h1, z, V, delta, M):
    """Return ∂²E/∂W[0]∂W[1], rows from the first layer."""
    I = np.eye(h1.shape[1], z.shape[1], 1)
    B = np.einsum("nj,nk,jJ->njkJ", h1, delta, I)
    B += np.einsum("nj,nJ,Kj,nkK->njkJ", h1, z, V[:, 1:], M)
    return np.einsum("ni,njkJ->jikJ", x, B).reshape(h1.shape[1] * x.shape[1], -1)


def three_blocks(rng):
    """Draw symmetric matrices and cut them in three."""
    cases = []
    sizes = (("a larger first layer", 6, 3), ("a larger second", 2, 5), ("alike", 4, 4))
    for label, p1, p2 in sizes:
        H = rng.normal(size=(p1 + p2, p1 + p2))
        H = H + H.T
        cases.append(Case(label, (H[:p1, :p1], H[:p1, p1:], H[p1:, p1:])))
    return cases


def assemble(H11, H12, H22):
    """Return the whole Hessian."""
    return np.concatenate(
        [np.concatenate([H11, H12], 1), np.concatenate([H12.T, H22], 1)], 0
    )


DEPTHS = (
    ("a single layer", (3, 4), "softmax", 3),
    ("one hidden layer", (4, 3, 2), "linear", 4),
    ("a single pattern", (2, 5, 3), "sigmoid", 1),
    ("a deeper network", (3, 5, 4, 2), "softmax", 5),
    ("a network of four layers", (2, 4, 3, 5, 4), "sigmoid", 2),
)


def directions(rng):
    """Draw networks of one to four layers, each with a direction."""
    cases = []
    for label, *shape in DEPTHS:
        W, X, T, unit = drawn(rng, *shape)
        V = [rng.normal(size=U.shape) for U in W]
        cases.append(Case(label, (W, X, T, V, unit)))
    return cases


def hessian_vector_product(W, X, T, V, unit):
    """Return Hv, a table a layer."""
    net = network(W, unit)
    v = np.concatenate([table.ravel() for table in V])
    return layers(net, jl.hessian_vector_product(net, X, T, v))


ASSIGNMENT = Assignment(
    "hw3",
    "The Hessian, block by block, and Hv",
    (
        Question("q1", "The bend of tanh", "tanh_bend", 1, sums, tanh_bend, **EXACT),
        Question(
            "q2",
            "The block of the output layer",
            "output_block",
            3,
            of_pieces(3, 6),
            output_block,
            **EXACT,
        ),
        Question(
            "q3",
            "The block of the hidden layer",
            "hidden_block",
            4,
            of_pieces(0, 1, 2, 4, 5, 6),
            hidden_block,
            **EXACT,
        ),
        Question(
            "q4",
            "The mixed block",
            "mixed_block",
            3,
            of_pieces(0, 1, 3, 4, 5, 6),
            mixed_block,
            **EXACT,
        ),
        Question("q5", "The whole", "assemble", 1, three_blocks, assemble, **EXACT),
        Question(
            "q6",
            "The Hessian times a vector",
            "hessian_vector_product",
            5,
            directions,
            hessian_vector_product,
            **EXACT,
        ),
        Written("q7", "A misprint, and a price"),
    ),
    files=(Path(__file__).with_name("digits.csv"),),
    master=Path(__file__).with_name("hw3.ipynb"),
)
