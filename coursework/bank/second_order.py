"""Templates of second order: bends, Hessians, outer products, damped steps."""

import mpmath
import numpy as np
import sympy

import jachess_lib as jl
from coursework.bank.question import table
from coursework.bank.templates import drawn, sigmoid


def tanh_bend(rng):
    """Ask for h''(a) of tanh."""
    a = float(drawn(rng))
    z = np.tanh(a)
    slope = 1 - z**2
    text = rf"A hidden unit has \(h=\tanh\) and the sum \(a={a}\). What is \(h''(a)\)?"
    exact = jl.HIDDEN_UNITS["tanh"].d2h(np.array(a))
    return "The bend of tanh", text, (exact, mpmath.diff(mpmath.tanh, a, 2)), [
        ("slope for bend", slope, "This is h′; h″ is its derivative once more."),
        ("sign", 2 * z * slope, "The sign is turned round."),
        ("2 lost", -z * slope, "A factor 2 is missing."),
        ("inner derivative missing", -2 * z, "The chain rule wants a factor h′ more."),
        ("a for z", -2 * a * slope, "a stands where z = tanh a should."),
        ("h lost", -2 * slope, "A factor z is missing."),
    ]  # fmt: skip


def unit_hessian(x, w):
    """Return the Hessian of the cross-entropy of one sigmoid unit, by the library."""
    net = jl.Network((2, 1), np.r_[0.0, w], output="sigmoid")
    return jl.exact_hessian(net, x[None], np.array([[1.0]]))[1:, 1:]


def cross_entropy(x):
    """Return E(u, v) of one sigmoid unit with the target 1."""
    return lambda u, v: mpmath.log(1 + mpmath.exp(-(u * x[0] + v * x[1])))


UNIT = (
    r"A logistic sigmoid \(y=\sigma(w_1x_1+w_2x_2)\) is trained by the cross-entropy. "
    r"At one pattern \(\mathbf{x}=X\) with the target 1 its weights are "
    r"\(\mathbf{w}=W\). "
)


def hessian_entry(rng):
    """Ask for ∂²E/∂w₁∂w₂ of a sigmoid unit."""
    x, w = drawn(rng, 2), drawn(rng, 2)
    y = sigmoid(w @ x)
    text = UNIT.replace("=X", f"={table(x)}").replace("=W", f"={table(w)}") + (
        r"What is \(\partial^2E/\partial w_1\partial w_2\)?"
    )
    second = mpmath.diff(cross_entropy(x), tuple(w), (1, 1))
    return "An entry of the Hessian", text, (unit_hessian(x, w)[0, 1], second), [
        ("M left out", x[0] * x[1], "The factor y(1 − y) is missing."),
        ("1 − y missing", x[0] * x[1] * y, "A factor 1 − y is missing."),
        ("residual for M", x[0] * x[1] * (y - 1), "y − t stands where M should."),
        ("diagonal entry", x[0] ** 2 * y * (1 - y), "This is ∂²E/∂w₁²."),
        ("empirical Fisher", x[0] * x[1] * (y - 1) ** 2,
         "This is the product of two gradients: (y − t)² in place of y(1 − y)."),
        ("sign", -x[0] * x[1] * y * (1 - y), "The sign is turned round."),
    ]  # fmt: skip


def hessian_times_vector(rng):
    """Ask for the first entry of Hv of a sigmoid unit."""
    x, w, v = drawn(rng, 2), drawn(rng, 2), drawn(rng, 2)
    H, y = unit_hessian(x, w), sigmoid(w @ x)
    text = UNIT.replace("=X", f"={table(x)}").replace("=W", f"={table(w)}") + (
        rf"What is the first entry of \(\mathbf{{H}}\mathbf{{v}}\) for "
        rf"\(\mathbf{{v}}={table(v)}\)?"
    )
    E = cross_entropy(x)
    second = mpmath.diff(E, tuple(w), (2, 0)) * v[0]
    second += mpmath.diff(E, tuple(w), (1, 1)) * v[1]
    m = y * (1 - y)
    return "The Hessian times a vector", text, (H[0] @ v, second), [
        ("diagonal only", H[0, 0] * v[0], "Only the diagonal of H counts."),
        ("entry times v", H[0, 1] * v[0], "The sum runs along the row of H."),
        ("vᵀHv", v @ H @ v, "This is vᵀHv, one number."),
        ("second entry", H[1] @ v, "This is the second entry."),
        ("M left out", H[0] @ v / m, "The factor y(1 − y) is missing."),
        ("gradient", (y - 1) * x[0], "This is the gradient."),
    ]  # fmt: skip


def outer_product_entry(rng):
    """Ask for an entry of JᵀJ over patterns."""
    J = drawn(rng, 3, 2)
    text = (
        r"Three patterns, one linear output: the rows of \(\mathbf{J}="
        + table(J)
        + r"\) are \(\nabla a_n\). The error is half the sum of squares. What is the "
        r"entry \(G_{12}\) of the outer-product matrix?"
    )
    exact = sum(sympy.Rational(str(a)) * sympy.Rational(str(b)) for a, b in J)
    G = np.einsum("np,nq->pq", J, J)
    return "An entry of the outer product", text, (G[0, 1], exact), [
        ("mean for sum", G[0, 1] / 3, "Divided by N: E is a sum over patterns."),
        ("summed before the product", J[:, 0].sum() * J[:, 1].sum(),
         "The vectors are summed before the product."),
        ("½ lost", 2 * G[0, 1], "Twice too large: E carries a ½."),
        ("half", G[0, 1] / 2, "The ½ of E has cancelled."),
        ("diagonal entry", G[0, 0], "This is G₁₁."),
        ("one pattern", J[0, 0] * J[0, 1], "Only the first pattern counts."),
    ]  # fmt: skip


def damped_step(rng):
    """Ask for a component of a step of Levenberg and Marquardt."""
    J, r = drawn(rng, 3, 2), drawn(rng, 3)
    damping = float(rng.choice([0.5, 2, 3]))

    def step(matrix):
        return np.linalg.solve(matrix, -J.T @ r)[0]

    A, I = J.T @ J, np.eye(2)
    exact = sympy.Matrix(J.astype(str).tolist()).applyfunc(sympy.Rational)
    right = sympy.Matrix([sympy.Rational(str(e)) for e in r])
    level = sympy.Rational(str(damping)) * sympy.eye(2)
    by_fractions = (exact.T * exact + level).LUsolve(-exact.T * right)[0]
    text = (
        rf"A fit has the residuals \(\mathbf{{r}}={table(r)}\) with the Jacobian "
        rf"\(\mathbf{{J}}={table(J)}\). What is the first component of the step of "
        rf"Levenberg and Marquardt with the damping \(\lambda={damping}\)?"
    )
    return "A damped step", text, (step(A + damping * I), by_fractions), [
        ("sign", -step(A + damping * I), "The sign is turned round: this goes uphill."),
        ("damping left out", step(A), "The damping is missing."),
        ("damping squared", step(A + damping**2 * I), "The damping counts squared."),
        ("Marquardt's scaling", step(A + damping * np.diag(np.diag(A))),
         "This is damped by λ diag(JᵀJ); here it is λI."),
        ("2 lost", step(2 * A + damping * I), "A factor 2 is too many at JᵀJ."),
        ("gradient", (-J.T @ r)[0], "This is −Jᵀr: the matrix is missing."),
    ]  # fmt: skip


def error_bar(rng):
    """Ask for the standard deviation of a parameter."""
    J, r = drawn(rng, 5, 2), drawn(rng, 5)
    C, rss = np.linalg.inv(J.T @ J), r @ r
    key = np.sqrt(rss / 3 * C[0, 0])
    exact = sympy.Matrix(J.astype(str).tolist()).applyfunc(sympy.Rational)
    squares = sum(sympy.Rational(str(e)) ** 2 for e in r)
    witness = sympy.sqrt(squares / 3 * (exact.T * exact).inv()[0, 0])
    text = (
        rf"A fit of two parameters to five values ends with the residuals "
        rf"\(\mathbf{{r}}={table(r)}\) and the Jacobian \(\mathbf{{J}}={table(J)}\). "
        r"What is the standard deviation of the first parameter?"
    )
    return "An error bar", text, (key, witness.evalf(20)), [
        ("N for N − P", np.sqrt(rss / 5 * C[0, 0]),
         "Divide by N − P: P values were spent on the fit."),
        ("root missing", key**2, "This is the variance: the root is missing."),
        ("inverse of the diagonal", np.sqrt(rss / 3 / (J.T @ J)[0, 0]),
         "Take the diagonal of the inverse, and not the inverse of the diagonal."),
        ("s left out", np.sqrt(C[0, 0]), "The size of the residuals is missing."),
        ("not inverted", np.sqrt(rss / 3 * (J.T @ J)[0, 0]), "JᵀJ is not inverted."),
    ]  # fmt: skip


SECOND_ORDER = (
    tanh_bend, hessian_entry, hessian_times_vector, outer_product_entry, damped_step,
    error_bar,
)  # fmt: skip
