"""Templates of what the Hessian is for: chapters 11 to 16."""

import numpy as np
import sympy

import jachess_lib as jl
from coursework.bank.question import table
from coursework.bank.templates import drawn


def rational(values):
    """Return numbers with a few decimals as a matrix of fractions."""
    rows = np.atleast_2d(values).astype(str).tolist()
    return sympy.Matrix(rows).applyfunc(sympy.Rational)


def positive(rng):
    """Return a symmetric matrix of shape (2, 2) with eigenvalues above 0."""
    a, c = np.round(rng.uniform(1, 4, 2), 1)
    b = np.round(rng.uniform(0.3, 0.8) * rng.choice([-1, 1]), 1)
    return np.array([[a, b], [b, c]])


def one_pattern_more(rng):
    """Ask for an entry of the inverse after a rank-one update."""
    C, g = positive(rng), drawn(rng, 2)
    Cg, rho = C @ g, g @ C @ g
    key = jl.update_inverse(C, g)[0, 0]
    A, b = rational(C).inv(), rational(g)
    text = (
        rf"A fit has the inverse curvature \(\mathbf{{A}}^{{-1}}={table(C)}\). One "
        r"pattern more adds \(\mathbf{g}\mathbf{g}^{\top}\) to \(\mathbf{A}\), "
        rf"with \(\mathbf{{g}}={table(g)}^{{\top}}\). What is the first diagonal entry "
        r"of the new inverse?"
    )
    return "One pattern more", text, (key, (A + b.T * b).inv()[0, 0]), [
        ("sign", C[0, 0] + Cg[0] ** 2 / (1 + rho),
         "A pattern more makes the inverse smaller: the sign is turned round."),
        ("1 lost", C[0, 0] - Cg[0] ** 2 / rho, "The 1 in the denominator is missing."),
        ("denominator left out", C[0, 0] - Cg[0] ** 2, "Not divided by 1 + gᵀA⁻¹g."),
        ("a pattern deleted", C[0, 0] - Cg[0] ** 2 / (1 - rho),
         "With 1 − gᵀA⁻¹g in the denominator a sign is still wrong."),
        ("added to the inverse", C[0, 0] + g[0] ** 2, "ggᵀ is added to A, not to A⁻¹."),
        ("as it was", C[0, 0], "This is the old entry."),
    ]  # fmt: skip


def surgeon(rng):
    """Ask for what Optimal Brain Surgeon says that a deletion costs."""
    C, w = positive(rng), drawn(rng, 2)
    A = np.linalg.inv(C)
    p, q = sympy.symbols("p q")
    exact, weights = rational(C).inv(), rational(w)
    # the bottom of the bowl with the first weight held at 0
    move = sympy.Matrix([p, q])
    bowl = (move.T * exact * move)[0] / 2
    pinned = bowl.subs(p, -weights[0])
    witness = pinned.subs(q, sympy.solve(sympy.diff(pinned, q), q)[0])
    text = (
        r"At a minimum with the inverse curvature "
        rf"\(\mathbf{{A}}^{{-1}}={table(C)}\) the weights are "
        rf"\(\mathbf{{w}}={table(w)}^{{\top}}\). By how much does the error rise if "
        r"the first weight is set to 0 and the other one may move?"
    )
    return "A weight deleted", text, (w[0] ** 2 / C[0, 0] / 2, witness), [
        ("damage", w[0] ** 2 * A[0, 0] / 2,
         "This is Optimal Brain Damage: it holds the other weight fast."),
        ("½ lost", w[0] ** 2 / C[0, 0], "Twice too large: the bowl carries a ½."),
        ("not inverted", w[0] ** 2 * C[0, 0] / 2, "Divide by the inverse's entry."),
        ("size", w[0] ** 2 / 2, "The curvature is missing."),
        ("the other weight", w[1] ** 2 / C[1, 1] / 2, "This deletes the second one."),
        ("square lost", abs(w[0]) / C[0, 0] / 2, "The weight counts squared."),
    ]  # fmt: skip


def output_variance(rng):
    """Ask for the variance of an activation under a posterior."""
    A, g = positive(rng), drawn(rng, 2)
    key = g @ np.linalg.solve(A, g)
    b = rational(g)
    text = (
        rf"The weights of a fit have a Gaussian posterior with the precision "
        rf"\(\mathbf{{A}}={table(A)}\). An activation moves with them at the rates "
        rf"\(\nabla a={table(g)}^{{\top}}\). What is its variance?"
    )
    witness = (b * rational(A).inv() * b.T)[0]
    return "The variance of an activation", text, (key, witness), [
        ("not inverted", g @ A @ g, "A is a precision: its inverse is the covariance."),
        ("diagonal only", (g**2 / np.diag(A)).sum(),
         "The covariance of the two weights is missing."),
        ("root", np.sqrt(key), "This is the standard deviation."),
        ("trace", np.trace(np.linalg.inv(A)), "The rates ∇a are missing."),
        ("½ too many", key / 2, "There is no ½ in a variance."),
        ("inverted once more", 1 / key, "This is the precision of the activation."),
    ]  # fmt: skip


def determined_weights(rng):
    """Ask for the number of weights that the data determine."""
    values = np.round(rng.uniform(0.05, 1, 3) * [30, 3, 0.3], 2)
    alpha = float(rng.choice([0.5, 1.0, 2.0]))
    share = values / (values + alpha)
    fractions = [sympy.Rational(str(v)) for v in values]
    level = sympy.Rational(str(alpha))
    text = (
        rf"With weight decay \(\alpha={alpha}\) the curvature of the data has the "
        rf"eigenvalues \({', '.join(map(str, values))}\). How many weights, "
        r"\(\gamma\), do the data determine?"
    )
    # P − α tr A⁻¹, the other form of the sum
    witness = 3 - level * sum(1 / (v + level) for v in fractions)
    return "Weights that are determined", text, (share.sum(), witness), [
        ("the others", 3 - share.sum(), "These are the weights that the prior holds."),
        ("squared", (share**2).sum(), "Each share counts once, and not squared."),
        ("α twice", (values / (values + 2 * alpha)).sum(), "α counts once."),
        ("α left out", values.sum(), "This is the trace of the curvature."),
        ("over α", (values / alpha).sum(), "Divide by λ + α."),
    ]  # fmt: skip


def largest_rate(rng):
    """Ask for the learning rate at which gradient descent begins to diverge."""
    H = positive(rng)
    low, high = np.linalg.eigvalsh(H)
    a, b, d = (sympy.Rational(str(v)) for v in (H[0, 0], H[0, 1], H[1, 1]))
    largest = (a + d) / 2 + sympy.sqrt(((a - d) / 2) ** 2 + b**2)
    text = (
        rf"Near a minimum with the Hessian \(\mathbf{{H}}={table(H)}\): from which "
        r"learning rate on does gradient descent diverge?"
    )
    return "The largest learning rate", text, (2 / high, (2 / largest).evalf(20)), [
        ("2 lost", 1 / high, "At 1/λ_max it arrives along u in one step."),
        ("smallest eigenvalue", 2 / low, "The steepest direction diverges first."),
        ("trace", 2 / np.trace(H), "The trace is no eigenvalue."),
        ("diagonal", 2 / H.diagonal().max(), "A diagonal entry is no eigenvalue."),
        ("not inverted", 2 * high, "The steeper the bowl, the shorter the step."),
        ("condition", high / low, "This is the condition number."),
    ]  # fmt: skip


def factor_entry(rng):
    """Ask for an entry of a Kronecker product that stands for a layer's curvature."""
    A, B = positive(rng), positive(rng)
    key = np.kron(B, A)[1, 2]
    exact = sympy.Rational(str(B[0, 1])) * sympy.Rational(str(A[1, 0]))
    text = (
        r"A layer of two units with two inputs has "
        rf"\(\bar{{\mathbf{{A}}}}={table(A)}\), the mean of "
        r"\(\mathbf{z}\mathbf{z}^{\top}\), and "
        rf"\(\bar{{\mathbf{{B}}}}={table(B)}\) of its units. Its weights are ordered "
        r"row by row, \(w_{11}, w_{12}, w_{21}, w_{22}\). What stands in "
        r"\(\bar{\mathbf{B}} \otimes \bar{\mathbf{A}}\) for \(w_{12}\) and \(w_{21}\)?"
    )
    return "An entry of a Kronecker product", text, (key, exact), [
        ("one unit, one input", B[0, 0] * A[1, 1], "This belongs to w₁₂ and itself."),
        ("diagonal of A", B[0, 1] * A[0, 0], "This belongs to w₁₁ and w₂₁."),
        ("diagonal of B", B[0, 0] * A[0, 1], "This belongs to w₁₁ and w₁₂."),
        ("sum", B[0, 1] + A[0, 1], "The two entries are multiplied."),
        ("matrix product", (B @ A)[0, 1], "This is an entry of the product BA."),
        ("element by element", B[1, 1] * A[1, 1], "This belongs to w₂₂ and itself."),
    ]  # fmt: skip


def one_step(rng):
    """Ask for an entry of the polar factor, the first step of Shampoo."""
    Gamma = drawn(rng, 2, 2)
    exact = rational(Gamma)
    # of two rows: Γ and its matrix of cofactors share U and V
    turned = sympy.sign(exact.det()) * exact.cofactor_matrix()
    witness = ((exact + turned) / (exact + turned).norm() * sympy.sqrt(2))[0, 0]
    key = jl.polar_factor(Gamma)[0, 0]
    text = (
        r"A matrix of weights has the gradient "
        rf"\(\boldsymbol{{\Gamma}}={table(Gamma)}\) at the first step. What is the "
        r"first entry of Shampoo's step "
        r"\((\boldsymbol{\Gamma}\boldsymbol{\Gamma}^{\top})^{-1/4}\,\boldsymbol{\Gamma}\,"
        r"(\boldsymbol{\Gamma}^{\top}\boldsymbol{\Gamma})^{-1/4}\)?"
    )
    norms = np.linalg.norm(Gamma), np.linalg.norm(Gamma, 2)
    return "One step of Shampoo", text, (key, witness.evalf(20)), [
        ("Adam's", np.sign(Gamma[0, 0]), "This is Adam's first step: each sign alone."),
        ("Frobenius norm", Gamma[0, 0] / norms[0],
         "Divided by one number: the singular values are still unequal."),
        ("largest singular value", Gamma[0, 0] / norms[1],
         "Divided by the largest singular value: the other one is not 1."),
        ("gradient", Gamma[0, 0], "This is the gradient itself."),
        ("powers −½", np.linalg.inv(Gamma).T[0, 0],
         "With the powers −½ the singular values turn into their inverses."),
        ("length alone", Gamma[0, 0] / norms[0] * np.sqrt(2),
         "As long as the step, and still along the gradient."),
    ]  # fmt: skip


def left_out(rng):
    """Ask for the residual of a pattern at a line fitted without it."""
    x, t = np.round(np.cumsum(rng.uniform(0.3, 1.2, 4)) - 1.5, 1), drawn(rng, 4)
    Z = np.column_stack([np.ones(4), x])
    A = Z.T @ Z
    h = Z[0] @ np.linalg.solve(A, Z[0])
    r = Z[0] @ np.linalg.solve(A, Z.T @ t) - t[0]
    exact, right = rational(Z), rational(t).T
    rest, others = exact[1:, :], right[1:, :]
    line = (rest.T * rest).LUsolve(rest.T * others)
    witness = (exact[0, :] * line)[0] - right[0]
    text = (
        rf"A line is fitted to four points by least squares. Its residual at the first "
        rf"is \(y_1-t_1={r:.6f}\), and the leverage of that point is \(h_1={h:.6f}\). "
        r"What is the residual at the first point if the line is fitted without it?"
    )
    return "A pattern left out", text, (r / (1 - h), witness), [
        ("residual", r, "This is the residual of the fit with the point."),
        ("multiplied", r * (1 - h), "Divide by 1 − h: the line now lies farther."),
        ("plus", r / (1 + h), "The sign of h is turned round."),
        ("first order", r * (1 + h), "This is the answer to first order in h alone."),
        ("leverage", r / h, "Divided by h in place of 1 − h."),
        ("squared", r / (1 - h) ** 2, "1 − h counts once."),
    ]  # fmt: skip


APPLICATIONS = (
    one_pattern_more, surgeon, output_variance, determined_weights, largest_rate,
    factor_entry, one_step, left_out,
)  # fmt: skip
