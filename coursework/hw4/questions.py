"""The questions of assignment 4: the outer-product approximation, and when it lies."""

from pathlib import Path

import numpy as np

import jachess_lib as jl
from coursework.draw import EXACT, network, patterns, targets, weights
from coursework.questions import Assignment, Case, Question, Written


def jacobians(rng):
    """Draw Jacobians of several outputs by the weights."""
    sizes = ((4, 2, 3), (1, 3, 5), (6, 1, 4))
    labels = ("several outputs", "a single pattern", "a single output")
    return [
        Case(label, (rng.normal(size=size),))
        for label, size in zip(labels, sizes, strict=True)
    ]


def outer_product_of_squares(J):
    """Return Σ_n J_nᵀ J_n."""
    return np.einsum("nkp,nkq->pq", J, J)


UNITS = (
    ("linear outputs", "linear", (3, 2, 4)),
    ("sigmoid outputs", "sigmoid", (4, 3, 5)),
    ("softmax outputs", "softmax", (5, 3, 4)),
    ("a single pattern", "softmax", (1, 4, 3)),
)


def with_outputs(rng):
    """Draw Jacobians of the output sums, with outputs and their unit."""
    cases = []
    for label, unit, (N, K, P) in UNITS:
        Y = jl.OUTPUT_UNITS[unit].y(rng.normal(size=(N, K)) * 1.5)
        cases.append(Case(label, (rng.normal(size=(N, K, P)), Y, unit)))
    return cases


def outer_product(J, Y, unit):
    """Return Σ_n J_nᵀ M_n J_n."""
    I = np.eye(Y.shape[1])
    if unit == "linear":
        M = np.broadcast_to(I, (len(Y), *I.shape))
    elif unit == "sigmoid":
        M = np.einsum("nk,kl->nkl", Y * (1 - Y), I)
    else:
        M = np.einsum("nk,kl->nkl", Y, I) - np.einsum("nk,nl->nkl", Y, Y)
    return np.einsum("nkp,nkl,nlq->pq", J, M, J)


def networks(rng):
    """Draw networks of one to four layers with a batch each."""
    shapes = (
        ("a single layer", (3, 4), 2),
        ("one hidden layer", (4, 3, 2), 3),
        ("a single pattern", (2, 5, 3), 1),
        ("a network of four layers", (2, 4, 3, 5, 4), 3),
    )
    return [
        Case(label, (weights(rng, sizes), patterns(rng, N, sizes[0])))
        for label, sizes, N in shapes
    ]


def parameter_jacobian(W, X):
    """Return ∂a_k/∂w of the output sums, of shape (N, K, P)."""
    return jl.parameter_jacobian(network(W, "linear"), X, of="activations")


def with_targets(rng):
    """Draw Jacobians of the output sums, with outputs and targets."""
    return [
        Case(case.label, (J, Y, targets(rng, *Y.shape, unit)))
        for case in with_outputs(rng)
        for J, Y, unit in [case.arguments]
    ]


def empirical_fisher(J, Y, T):
    """Return the sum of the products of each pattern's gradient with itself."""
    return np.einsum("nk,nkp,nl,nlq->pq", Y - T, J, Y - T, J)


def fits(rng):
    """Draw Jacobians of residuals with a damping; in the last, JᵀJ is singular."""
    c, ratio = rng.uniform(0.5, 2), 4e-9
    thin = c * np.array([[1.0, 1], [ratio, 0], [0, ratio]])
    return [
        Case("some damping", (rng.normal(size=(6, 3)), rng.normal(size=6), 0.3)),
        Case("strong damping", (rng.normal(size=(5, 4)), rng.normal(size=5), 20.0)),
        Case("fewer patterns than weights", (rng.normal(size=(2, 4)),
                                             rng.normal(size=2), 1e-2)),
        Case("columns that are nearly the same", (thin, -thin @ rng.normal(size=2),
                                                  0.0)),
    ]  # fmt: skip


def lm_step(J, r, damping):
    """Return the p that minimises |Jp + r|² + damping |p|², by singular values."""
    U, s, Vt = np.linalg.svd(J, full_matrices=False)
    return Vt.T @ (s / (s**2 + damping) * (U.T @ -r))


def fitted(rng):
    """Draw Jacobians of residuals, with the residuals of a fit."""
    return [
        Case(label, (rng.normal(size=(N, P)), rng.normal(size=N)))
        for label, N, P in (("two parameters", 8, 2), ("five parameters", 12, 5),
                            ("a single one", 4, 1))
    ]  # fmt: skip


def standard_deviations(J, r):
    """Return √(s² [(JᵀJ)⁻¹]_pp), by singular values."""
    N, P = J.shape
    s, Vt = np.linalg.svd(J)[1:]
    return np.sqrt(r @ r / (N - P) * ((Vt.T / s) ** 2).sum(1))


ASSIGNMENT = Assignment(
    "hw4",
    "The outer-product approximation, Levenberg-Marquardt, and when they lie",
    (
        Question(
            "q1",
            "Squares",
            "outer_product_of_squares",
            1,
            jacobians,
            outer_product_of_squares,
            **EXACT,
        ),
        Question(
            "q2",
            "Any output unit",
            "outer_product",
            3,
            with_outputs,
            outer_product,
            **EXACT,
        ),
        Question(
            "q3",
            "The Jacobian by the weights",
            "parameter_jacobian",
            4,
            networks,
            parameter_jacobian,
            **EXACT,
        ),
        Question(
            "q4",
            "Not the Hessian",
            "empirical_fisher",
            2,
            with_targets,
            empirical_fisher,
            **EXACT,
        ),
        Question("q5", "A damped step", "lm_step", 3, fits, lm_step),
        Question(
            "q6",
            "Error bars",
            "standard_deviations",
            3,
            fitted,
            standard_deviations,
            1e-8,
        ),
        Written("q7", "When it lies"),
    ),
    files=tuple(Path(__file__).with_name(f"{name}.csv") for name in ("rat42", "mgh17")),
    master=Path(__file__).with_name("hw4.ipynb"),
)
