"""Templates of first order: forward passes, slopes, Jacobians, signals, differences.

A template draws its numbers and returns (title, text, two witnesses of the key, [(the
misconception, what it gives, what to tell)]).
"""

import numpy as np

import jachess_lib as jl
from coursework.bank.question import table

TINY = 1e-20


def drawn(rng, *shape, low=-1.5, high=1.5):
    """Return numbers with one decimal, none of them 0."""
    values = np.round(rng.uniform(low, high, shape), 1)
    return np.where(values == 0, 0.4, values)


def by_complex_step(f, x):
    """Return f'(x)."""
    return complex(f(x + TINY * 1j)).imag / TINY


def sigmoid(a):
    """Return the logistic sigmoid."""
    return 1 / (1 + np.exp(-a))


def softmax(a):
    """Return the softmax of a vector."""
    return np.exp(a) / np.exp(a).sum()


def small_network(rng, output="linear"):
    """Return (W0, W1, the library's network) of two inputs, two units, one output."""
    W0, W1 = drawn(rng, 2, 3), drawn(rng, 1, 3)
    return W0, W1, jl.Network((2, 2, 1), np.r_[W0.ravel(), W1.ravel()], output=output)


NETWORK = (
    r"A network has two inputs, two hidden units \(h=\tanh\) and one {unit} output. "
    r"Its tables, biases in column 0, are \(W_0={W0}\) and \(W_1={W1}\). "
)


def shown(W0, W1, unit="linear"):
    """Return the words for a small network."""
    return (
        NETWORK.replace("{unit}", unit)
        .replace("{W0}", table(W0))
        .replace("{W1}", table(W1))
    )


def forward_pass(rng):
    """Ask for the output of a small network."""
    W0, W1, net = small_network(rng)
    x = drawn(rng, 2)
    a = W0 @ np.r_[1, x]
    loop = W1[0, 0] + sum(W1[0, 1 + j] * np.tanh(a[j]) for j in range(2))
    text = shown(W0, W1) + rf"What is \(y\) for \(\mathbf{{x}}={table(x)}\)?"
    return "Forward pass", text, (jl.forward(net, x[None]).y[0, 0], loop), [
        ("biases left out", W1[0, 1:] @ np.tanh(W0[:, 1:] @ x),
         "The biases in column 0 are left out."),
        ("h left out", W1[0, 0] + W1[0, 1:] @ a, "tanh is left out."),
        ("h on the output layer", np.tanh(loop), "There is no tanh at the output."),
        ("wrong unit", W1[0, 0] + W1[0, 1:] @ sigmoid(a),
         "The hidden units are tanh, and not sigmoids."),
        ("transposed", W1[0, 0] + W1[0, 1:] @ np.tanh(W0[:, 0] + W0[:, 1:].T @ x),
         "W_0 is used transposed."),
    ]  # fmt: skip


def tanh_slope(rng):
    """Ask for h'(a) of tanh."""
    a = float(drawn(rng))
    z = np.tanh(a)
    text = rf"A hidden unit has \(h=\tanh\) and the sum \(a={a}\). What is \(h'(a)\)?"
    exact = jl.HIDDEN_UNITS["tanh"].dh(np.array(a))
    return "The slope of tanh", text, (exact, by_complex_step(np.tanh, a)), [
        ("unit for slope", z, "This is h(a) itself."),
        ("sigmoid's formula", z * (1 - z), "z(1 − z) belongs to the sigmoid."),
        ("a for z", 1 - a**2, "1 − z² wants z = tanh a, and this is 1 − a²."),
        ("1 − lost", z**2, "This is tanh²; the slope is 1 − tanh²."),
        ("square lost", 1 - z, "A square is missing."),
        ("slope at z", 1 - np.tanh(z) ** 2, "h′ is taken at z; it belongs at a."),
    ]  # fmt: skip


def sigmoid_slope(rng):
    """Ask for the derivative of a sigmoid output."""
    a = float(drawn(rng))
    y = sigmoid(a)
    text = (
        rf"An output unit is a logistic sigmoid, and its sum is \(a={a}\). What is "
        r"\(\mathrm{d}y/\mathrm{d}a\)?"
    )
    exact = jl.OUTPUT_UNITS["sigmoid"].dy_da(np.array([[a]]))[0, 0, 0]
    return "The slope of a sigmoid", text, (exact, by_complex_step(sigmoid, a)), [
        ("1 − y missing", y, "A factor 1 − y is missing."),
        ("y missing", 1 - y, "A factor y is missing."),
        ("tanh for sigmoid", 1 - y**2, "1 − y² is the slope of tanh."),
        ("linear", 1.0, "1 is the slope of a linear unit."),
        ("slope at y", sigmoid(y) * (1 - sigmoid(y)),
         "The slope is taken at y; it belongs at a."),
    ]  # fmt: skip


def softmax_derivative(rng):
    """Ask for ∂y_k/∂a_l of a softmax, k ≠ l."""
    a = drawn(rng, 3)
    k, l = rng.permutation(3)[:2]
    y = softmax(a)
    text = (
        rf"A softmax has the sums \(\mathbf{{a}}={table(a)}\). What is "
        rf"\(\partial y_{k + 1}/\partial a_{l + 1}\)?"
    )
    exact = jl.OUTPUT_UNITS["softmax"].dy_da(a[None])[0, k, l]
    step = by_complex_step(lambda s: softmax(a + (s - 1) * np.eye(3)[l])[k], 1.0)
    return "The derivative of a softmax", text, (exact, step), [
        ("sign", y[k] * y[l], "When a_l grows, the other outputs must fall."),
        ("y_k (1 − y_l)", y[k] * (1 - y[l]),
         "Off the diagonal stands −y_k y_l, and not y_k (1 − y_l)."),
        ("softmax diagonal only", 0.0, "Every y_k depends on every a_l."),
        ("diagonal entry", y[k] * (1 - y[k]), "This is ∂y_k/∂a_k."),
        ("factor y_k missing", -y[l], "A factor y_k is missing."),
    ]  # fmt: skip


def jacobian_entry(rng):
    """Ask for one entry of the Jacobian of a small network."""
    W0, W1, net = small_network(rng)
    x, i = drawn(rng, 2), int(rng.integers(2))
    a, w = W0 @ np.r_[1, x], W1[0, 1:]
    text = shown(W0, W1) + (
        rf"What is \(\partial y/\partial x_{i + 1}\) at \(\mathbf{{x}}={table(x)}\)?"
    )

    def y(s):
        return w @ np.tanh(W0[:, 0] + W0[:, 1:] @ (x + (s - x[i]) * np.eye(2)[i]))

    def with_slope(slope):
        return (w * slope) @ W0[:, 1 + i]

    z = np.tanh(a)
    exact = jl.input_jacobian(net, x[None])[0, 0, i]
    return "An entry of the Jacobian", text, (exact, by_complex_step(y, x[i])), [
        ("h′ missing", with_slope(1), "The slopes h′(a_j) are missing."),
        ("sigmoid's formula", with_slope(z * (1 - z)),
         "z(1 − z) is the slope of a sigmoid."),
        ("a for z", with_slope(1 - a**2), "1 − z² wants z_j, and this is 1 − a_j²."),
        ("unit for slope", with_slope(z), "h(a_j) stands where h′(a_j) should."),
        ("last column dropped", (w * (1 - z**2)) @ W0[:, i],
         "The columns are one off: the biases are in column 0."),
    ]  # fmt: skip


def error_signal(rng):
    """Ask for the error signal of a hidden unit."""
    a, w, delta = float(drawn(rng)), drawn(rng, 2), drawn(rng, 2)
    z, total = np.tanh(a), w @ delta
    text = (
        rf"A hidden unit \(h=\tanh\) has the sum \(a={a}\). It feeds two units with "
        rf"the weights \({table(w)}\), whose error signals are \({table(delta)}\). "
        "What is its own error signal?"
    )
    layer = jl.Network((1, 1, 2), np.r_[a, 0, 0, w[0], 0, w[1]], output="linear")
    y = jl.forward(layer, np.zeros((1, 1))).y
    found = jl.backpropagation.error_signals(layer, jl.forward(
        layer, np.zeros((1, 1))), y - delta)[0][0, 0]  # fmt: skip
    step = by_complex_step(lambda s: np.tanh(s) * total, a)
    return "An error signal", text, (found, step), [
        ("h′ missing", total, "The slope h′(a) is missing."),
        ("unit for slope", z * total, "h(a) stands where h′(a) should."),
        ("sigmoid's formula", z * (1 - z) * total,
         "z(1 − z) is the slope of a sigmoid."),
        ("one unit alone", (1 - z**2) * w[0] * delta[0],
         "The sum runs over all units that it feeds."),
        ("weights left out", (1 - z**2) * delta.sum(), "The weights are missing."),
        ("sign", -(1 - z**2) * total, "The sign is turned round."),
    ]  # fmt: skip


def gradient_entry(rng):
    """Ask for ∂E/∂w of an output weight, over two patterns."""
    x, t, w = drawn(rng, 2), drawn(rng, 2), drawn(rng, 2)
    y = w[0] + w[1] * x
    text = (
        rf"A linear unit \(y=w_0+w_1x\) has \(w_0={w[0]}\) and \(w_1={w[1]}\). Its "
        r"error is \(E=\tfrac12\sum_n(y_n-t_n)^2\), over the two patterns "
        rf"\(x={table(x)}\) with \(t={table(t)}\). What is "
        r"\(\partial E/\partial w_1\)?"
    )
    net = jl.Network((1, 1), w, output="linear")
    exact = jl.error_gradient(net, x[:, None], t[:, None])[1]
    step = by_complex_step(lambda s: ((w[0] + s * x - t) ** 2).sum() / 2, w[1])
    r = y - t
    return "An entry of the gradient", text, (exact, step), [
        ("sign", -(r @ x), "The sign is turned round: δ is y − t."),
        ("½ lost", 2 * (r @ x), "Twice too large: E carries a ½."),
        ("mean for sum", r @ x / 2, "Divided by N: E is a sum over patterns."),
        ("first pattern only", r[0] * x[0], "Only the first pattern counts."),
        ("bias for weight", r.sum(), "This is ∂E/∂w₀."),
        ("target forgotten", y @ x, "The target is missing: δ is y − t."),
    ]  # fmt: skip


def central_quotient(rng):
    """Ask for the error of a central difference of a cubic."""
    c, x = drawn(rng, 3), float(drawn(rng))
    step = float(rng.choice([0.1, 0.2, 0.5]))

    def f(s):
        return c[0] * s + c[1] * s**2 + c[2] * s**3

    text = (
        rf"Let \(f(x)={c[0]}\,x+({c[1]})\,x^2+({c[2]})\,x^3\). What does the central "
        rf"difference quotient with \(\epsilon={step}\) give at \(x={x}\)?"
    )
    exact = c[0] + 2 * c[1] * x + 3 * c[2] * x**2 + c[2] * step**2
    found = jl.central_difference(lambda w: f(w[0]), np.array([x]), step)[0]
    return "A central difference", text, (exact, found), [
        ("not a difference", exact - c[2] * step**2,
         "This is the derivative; the quotient has an error of second order."),
        ("forward difference", (f(x + step) - f(x)) / step,
         "This is the forward quotient: take a step to the other side too."),
        ("backward difference", (f(x) - f(x - step)) / step,
         "This is the backward quotient: take a step to the other side too."),
        ("ε for 2ε", 2 * exact, "The two points are 2ε apart."),
        ("not divided by ε", 2 * step * exact, "It is not divided by the step."),
    ]  # fmt: skip


def observed_order(rng):
    """Ask for the order of an error from two steps."""
    k, p = int(rng.choice([2, 4, 5, 8])), float(drawn(rng, low=0.8, high=4.2))
    e1 = float(drawn(rng, low=1, high=9))
    steps, errors = np.array([0.1, 0.1 / k]), np.array([e1, float(f"{e1 / k**p:.3g}")])
    text = (
        rf"With the step \(\epsilon={steps[0]}\) the error is \({errors[0]}\), with "
        rf"\(\epsilon={steps[1]}\) it is \({errors[1]}\). Which order does that show?"
    )
    key = np.log(errors[0] / errors[1]) / np.log(steps[0] / steps[1])
    fitted = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    return "The order of an error", text, (key, fitted), [
        ("inverse", 1 / key, "This is one over the order."),
        ("sign", -key, "Errors fall as steps fall: the order is positive."),
        ("no logarithms", (errors[0] - errors[1]) / (steps[0] - steps[1]),
         "A power is a straight line in logarithms alone."),
        ("one logarithm", np.log(errors[0] / errors[1]) / (steps[0] - steps[1]),
         "Take the logarithm of the steps too."),
        ("no log of steps' ratio", np.log(errors[0] / errors[1]),
         "Divide by the logarithm of the ratio of the steps."),
    ]  # fmt: skip


FIRST_ORDER = (
    forward_pass, tanh_slope, sigmoid_slope, softmax_derivative, jacobian_entry,
    error_signal, gradient_entry, central_quotient, observed_order,
)  # fmt: skip
