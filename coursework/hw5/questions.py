"""The questions of assignment 5: the inverse of the curvature, and what it answers."""

from pathlib import Path

import numpy as np

import jachess_lib as jl
from coursework.draw import EXACT
from coursework.questions import Assignment, Case, Question, Written


def curvature(rng, P):
    """Return a curvature of P weights that a ridge keeps well away from singular."""
    J = rng.normal(size=(P + 1, P))
    return J.T @ J / P + 0.5 * np.eye(P)


def inverse(rng, P):
    """Return the inverse of such a curvature, symmetric to the last digit."""
    found = np.linalg.inv(curvature(rng, P))
    return (found + found.T) / 2


def patterns_to_come(rng):
    """Draw inverses, each with the gradient of one more pattern."""
    sizes = (
        ("several weights", 4, 1),
        ("more weights", 7, 1),
        ("a single weight", 1, 1),
        ("a pattern that pulls hard", 5, 20),
    )
    return [
        Case(label, (inverse(rng, P), size * rng.normal(size=P)))
        for label, P, size in sizes
    ]


def one_more(A_inv, g):
    """Return the inverse of A + g gᵀ, by inverting twice."""
    return np.linalg.inv(np.linalg.inv(A_inv) + np.outer(g, g))


def weights_to_delete(rng):
    """Draw inverses with the weights of a minimum."""
    sizes = (("several weights", 3), ("more weights", 6), ("a single weight", 1))
    return [Case(label, (inverse(rng, P), rng.normal(size=P))) for label, P in sizes]


def deleted(A_inv, w):
    """Return, row by row, the lowest point of the bowl where weight q is 0."""
    A, rows = np.linalg.inv(A_inv), []
    for q in range(len(w)):
        stay = np.arange(len(w)) != q
        row = np.zeros(len(w))
        row[stay] = w[stay] + np.linalg.solve(A[stay][:, stay], A[stay, q] * w[q])
        rows.append(row)
    return np.array(rows)


def outputs_of_a_fit(rng):
    """Draw Jacobians of the output sums, with a curvature."""
    sizes = (("several outputs", 4, 2, 3), ("a single pattern", 1, 3, 5),
             ("a single output", 6, 1, 4), ("a single weight", 3, 2, 1))  # fmt: skip
    return [
        Case(label, (rng.normal(size=(N, K, P)), curvature(rng, P)))
        for label, N, K, P in sizes
    ]


def output_variance(J, A):
    """Return ∇aᵀ A⁻¹ ∇a, by the triangular root of A."""
    half = np.linalg.inv(np.linalg.cholesky(A))
    return ((J @ half.T) ** 2).sum(-1)


def curvatures(rng):
    """Draw curvatures without a ridge, one of them singular, and ridges for them."""
    sizes = (("several weights", 5, 7, 3), ("fewer patterns than weights", 6, 2, 4),
             ("a single ridge", 3, 5, 1), ("a single weight", 1, 3, 2))  # fmt: skip
    cases = []
    for label, P, N, L in sizes:
        J = rng.normal(size=(N, P))
        cases.append(Case(label, (J.T @ J, 10 ** rng.uniform(-1.5, 1, size=L))))
    return cases


def determined(H, alphas):
    """Return P − α tr (H + αI)⁻¹ for each α."""
    I = np.eye(len(H))
    return np.array([len(H) - a * np.trace(np.linalg.inv(H + a * I)) for a in alphas])


def ridge_fits(rng):
    """Draw inputs and targets of ridge regressions, with the ridge."""
    sizes = (
        ("several patterns", 6, 3, 0.5),
        ("a strong ridge", 5, 2, 20.0),
        ("fewer patterns than weights", 3, 4, 0.3),
        ("a single pattern", 1, 2, 1.0),
        ("a single weight", 4, 1, 0.1),
    )
    return [
        Case(label, (rng.normal(size=(N, P)), rng.normal(size=N), alpha))
        for label, N, P, alpha in sizes
    ]


def left_out(Z, t, alpha):
    """Return the weights of every fit without one pattern, by as many fits."""
    rows = []
    for n in range(len(Z)):
        X, y = np.delete(Z, n, 0), np.delete(t, n)
        rows.append(np.linalg.solve(X.T @ X + alpha * np.eye(Z.shape[1]), X.T @ y))
    return np.array(rows)


def layers(rng):
    """Draw what enters a layer, what its sums do to the outputs, and M."""
    sizes = (
        ("several patterns", 5, 3, 2, 4),
        ("a single output", 4, 1, 3, 2),
        ("a single pattern", 1, 2, 4, 3),
        ("a single unit", 3, 2, 1, 4),
    )
    cases = []
    for label, N, K, J, I in sizes:
        unit = jl.OUTPUT_UNITS["softmax" if K > 1 else "sigmoid"]
        M = unit.dy_da(rng.normal(size=(N, K)))
        cases.append(
            Case(label, (rng.normal(size=(N, I)), rng.normal(size=(N, K, J)), M))
        )
    return cases


def kronecker_block(z, S, M):
    """Return the product of the two means, entry by entry in the order of w."""
    B = sum(s.T @ m @ s for s, m in zip(S, M, strict=True))
    A = np.mean([np.outer(v, v) for v in z], axis=0)
    JI = len(B) * len(A)
    return np.einsum("jq,ip->jiqp", B, A).reshape(JI, JI)


def gradients(rng):
    """Draw gradients of a layer; some directions of two of them are missing."""
    middle = rng.normal(size=(3, 5))
    softmax = rng.normal(size=(3, 4))
    Q = np.linalg.qr(rng.normal(size=(5, 3)))[0]
    small = Q @ np.diag([2.0, 0.5, 0.06]) @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return [
        Case("more inputs than units", (middle,)),
        Case("directions of size zero", (rng.normal(size=(6, 2)) @ middle[:2, :4],)),
        Case("columns that sum to zero", (softmax - softmax.mean(0),)),
        Case("a single unit", (rng.normal(size=(1, 4)),)),
        Case("singular values that are small and not zero", (1e-12 * small,)),
    ]


def one_step(Gamma):
    """Return (ΓΓᵀ)^(−1/2) Γ, where ΓΓᵀ is not 0, by its eigenvectors."""
    size, U = np.linalg.eigh(Gamma @ Gamma.T)
    U = U[:, size > 1e-12 * size[-1]]
    turned = U.T @ Gamma
    return U @ (turned / np.linalg.norm(turned, axis=1, keepdims=True))


ASSIGNMENT = Assignment(
    "hw5",
    "The inverse: error bars, deletions, factors and influence",
    (
        Question(
            "q1",
            "A pattern comes",
            "one_more",
            2,
            patterns_to_come,
            one_more,
            **EXACT,
        ),
        Question(
            "q2",
            "A weight leaves",
            "deleted",
            3,
            weights_to_delete,
            deleted,
            **EXACT,
        ),
        Question(
            "q3",
            "How sure",
            "output_variance",
            3,
            outputs_of_a_fit,
            output_variance,
            **EXACT,
        ),
        Question(
            "q4",
            "How many weights",
            "determined",
            2,
            curvatures,
            determined,
            **EXACT,
        ),
        Question(
            "q5",
            "A pattern leaves",
            "left_out",
            4,
            ridge_fits,
            left_out,
            **EXACT,
        ),
        Question(
            "q6",
            "Two small matrices",
            "kronecker_block",
            3,
            layers,
            kronecker_block,
            **EXACT,
        ),
        Question(
            "q7",
            "Directions alone",
            "one_step",
            2,
            gradients,
            one_step,
            **EXACT,
        ),
        Written("q8", "What an inverse promises"),
    ),
    files=(Path(__file__).with_name("longley.csv"),),
    master=Path(__file__).with_name("hw5.ipynb"),
)
