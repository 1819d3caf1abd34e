"""Templates about code: a few lines of NumPy are shown, and what they print is asked.

One witness runs the lines that are shown; the other has the number in another way.
Templates are as in `templates.py`; lines between two ``` are code.
"""

import numpy as np

from coursework.bank.question import number
from coursework.bank.templates import drawn, sigmoid, softmax


def run(lines):
    """Return the number that lines of code leave in `shown`."""
    space = {"np": np}
    exec(lines, space)
    return space["shown"]


def asked(before, lines, after="What is `shown` in the end?"):
    """Return the text of a question about lines of code."""
    return f"{before}\n```\n{lines}\n```\n{after}"


def array(values):
    """Return an array as a program has it."""
    if np.ndim(values) == 2:
        return f"np.array([{', '.join(row(v) for v in values)}])"
    return f"np.array({row(values)})"


def row(values):
    """Return numbers as a list in a program."""
    return f"[{', '.join(number(v) for v in values)}]"


def einsum_size(rng):
    """Ask how many numbers a product of arrays has."""
    N, K, M, D = (int(n) for n in rng.permutation([2, 3, 4, 5, 6, 7])[:4])
    lines = (
        f"B = np.ones(({N}, {K}, {M}))  # n, k, j\n"
        f"V = np.ones(({M}, {D}))  # j, i\n"
        'shown = np.einsum("nkj,ji->nki", B, V).size'
    )
    return "Indices of a product", asked("", lines), (run(lines), N * K * D), [
        ("nothing summed", N * K * M * D, "j stands left of the arrow alone: it is "
         "summed over, and has no axis of its own any more."),
        ("patterns summed too", K * D, "n stands on the right: it is kept."),
        ("K for N", N * D, "k stands on the right: it is kept."),
        ("the first factor", N * K * M, "These are the numbers in B."),
        ("squared", N * K * K * D, "Each index of the right has one axis."),
    ]  # fmt: skip


def loop_that_forgets(rng):
    """Ask what a loop prints that does not add up."""
    x, t, w = drawn(rng, 3), drawn(rng, 3), drawn(rng, 2)
    r = w[0] + w[1] * x - t
    lines = (
        f"x, t = {array(x)}, {array(t)}\n"
        "shown = 0.0\n"
        "for n in range(len(x)):\n"
        f"    y = {number(w[0])} + {number(w[1])} * x[n]\n"
        "    shown = (y - t[n]) * x[n]"
    )
    before = (
        "This loop was meant to find the derivative of the error "
        r"\(E=\tfrac12\sum_n(y_n-t_n)^2\) by the slope of a straight line."
    )
    return "A loop over patterns", asked(before, lines), (run(lines), r[-1] * x[-1]), [
        ("meant for done", r @ x, "= stands where += should: nothing is added up."),
        ("first pattern only", r[0] * x[0], "Each turn overwrites the one before."),
        ("mean for sum", r @ x / 3, "Nothing is divided by N."),
        ("x forgotten", r[-1], "The factor x[n] is there."),
        ("sign", -r[-1] * x[-1], "δ is y − t, as it stands."),
    ]  # fmt: skip


def complex_step_of_tanh(rng):
    """Ask what a complex step finds."""
    w, x = (float(v) for v in drawn(rng, 2))
    z = np.tanh(w * x)
    lines = (
        "def f(x):\n"
        f"    return np.tanh({number(w)} * x)\n\n"
        f"shown = f({number(x)} + 1e-20j).imag / 1e-20"
    )
    return "A complex step", asked("", lines), (run(lines), w * (1 - z**2)), [
        ("lost in rounding", 0.0, "The step goes along the imaginary axis, where "
         "nothing is there to round it away."),
        ("value for slope", z, "This is f(x): the imaginary part is its slope."),
        ("inner derivative missing", 1 - z**2, "The chain rule asks for the factor w."),
        ("h′ missing", w, "This is the slope of w x alone."),
        ("square lost", w * (1 - z), "The slope of tanh is 1 − z²."),
        ("not divided", w * (1 - z**2) / 2, "One step is one step: nothing is halved."),
    ]  # fmt: skip


def complex_step_of_size(rng):
    """Ask what a complex step finds where a size hides the step."""
    c, x = float(drawn(rng)), float(drawn(rng))
    lines = (
        "def f(x):\n"
        f"    return {number(c)} * x * abs(x)\n\n"
        f"shown = f({number(x)} + 1e-20j).imag / 1e-20"
    )
    return "A complex step of a size", asked("", lines), (run(lines), c * abs(x)), [
        ("the derivative", 2 * c * abs(x), "abs of a complex number is real: it drops "
         "the step, and half of the derivative with it."),
        ("all dropped", 0.0, "The factor x keeps its imaginary part."),
        ("value for slope", c * x * abs(x), "This is f(x)."),
        ("sign", -c * abs(x), "The sign is that of c."),
        ("x alone", c, "The factor |x| stays."),
    ]  # fmt: skip


def softmax_along_patterns(rng):
    """Ask for an output where the softmax runs along the wrong axis."""
    a = drawn(rng, 2, 3)
    n, k = int(rng.integers(2)), int(rng.integers(3))
    lines = (
        f"a = {array(a)}  # two patterns of three classes\n"
        "y = np.exp(a) / np.exp(a).sum(axis=0)\n"
        f"shown = y[{n}, {k}]"
    )
    key = sigmoid(a[n, k] - a[1 - n, k])
    return "A softmax in code", asked("", lines), (run(lines), key), [
        ("meant for done", softmax(a[n])[k], "axis=0 runs over the patterns; the "
         "softmax of one pattern would want axis=1."),
        ("sum over all", np.exp(a[n, k]) / np.exp(a).sum(), "The sum has an axis."),
        ("not normalised", np.exp(a[n, k]), "It is divided by a sum."),
        ("sigmoid", sigmoid(a[n, k]), "It is divided by a sum over two patterns."),
        ("the other pattern", 1 - key, "This is the other pattern."),
    ]  # fmt: skip


def bias_of_the_first(rng):
    """Ask for a sum where one bias serves every unit."""
    W, x = drawn(rng, 2, 3), drawn(rng, 2)
    lines = (
        f"W = {array(W)}  # biases in column 0\n"
        f"x = {array(x)}\n"
        "a = W[:, 1:] @ x + W[0, 0]\n"
        "shown = a[1]"
    )
    key = W[0, 0] + W[1, 1] * x[0] + W[1, 2] * x[1]
    return "Biases in code", asked("", lines), (run(lines), key), [
        ("meant for done", W[1] @ np.r_[1, x], "W[0, 0] is the bias of the first unit, "
         "and is added to both."),
        ("biases left out", W[1, 1:] @ x, "W[0, 0] is added."),
        ("first unit", W[0] @ np.r_[1, x], "a[1] is the second unit."),
        ("last column dropped", W[1, :2] @ x + W[0, 0], "1: leaves the first column "
         "out, and not the last."),
        ("transposed", W[:, 1] @ x + W[0, 0], "Row 1 of W belongs to the second unit."),
    ]  # fmt: skip


READING_CODE = (
    einsum_size, loop_that_forgets, complex_step_of_tanh, complex_step_of_size,
    softmax_along_patterns, bias_of_the_first,
)  # fmt: skip
