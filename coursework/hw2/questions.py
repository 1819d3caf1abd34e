"""The questions of assignment 2: error propagation and numerical differentiation."""

from pathlib import Path

import numpy as np

import jachess_lib as jl
from coursework.draw import EXACT, layers, network, patterns, targets, weights
from coursework.questions import Assignment, Case, Question, Written


def at_outputs(rng):
    """Draw outputs with their targets."""
    y = rng.dirichlet(np.ones(3), size=4)
    return [
        Case("linear outputs", (rng.normal(size=(3, 2)), rng.normal(size=(3, 2)))),
        Case("a single pattern", (rng.normal(size=(1, 4)), rng.normal(size=(1, 4)))),
        Case("softmax outputs", (y, targets(rng, 4, 3, "softmax"))),
    ]


def output_signal(y, T):
    """Return ∂E/∂a of the outputs, which is y − t for every canonical pair."""
    linear = jl.Network((y.shape[1], y.shape[1]), identity(y.shape[1]))
    return jl.backpropagation.error_signals(linear, jl.forward(linear, y), T)[-1]


def identity(k):
    """Return the parameters of a layer that passes its inputs on."""
    return np.eye(k, 1 + k, 1).ravel()


def one_layer_up(rng):
    """Draw a layer of weights, the signals above it and the sums below it."""
    sizes = ((2, 4, 3), (1, 3, 5), (3, 2, 1))
    labels = ("several patterns", "a single pattern", "a single unit above")
    return [
        Case(
            label,
            (
                rng.normal(size=(K, 1 + M)),
                rng.normal(size=(N, K)),
                rng.normal(size=(N, M)),
            ),
        )
        for label, (N, M, K) in zip(labels, sizes, strict=True)
    ]


def signals_below(V, delta, a):
    """Return δ_j = h'(a_j) Σ_k w_kj δ_k, of shape (N, M)."""
    slope = jl.HIDDEN_UNITS["tanh"].dh(a)
    return np.einsum("nj,kj,nk->nj", slope, V[:, 1:], delta)


SHAPES = (
    ("a single layer", (3, 4), "softmax", 3),
    ("one hidden layer", (4, 3, 2), "linear", 4),
    ("a single pattern", (2, 5, 3), "sigmoid", 1),
    ("a deeper network", (3, 5, 4, 2), "sigmoid", 5),
    ("a network of four layers", (2, 4, 3, 5, 4), "softmax", 2),
)


def networks(rng):
    """Draw networks of one to four layers with a batch and its targets."""
    return [
        Case(
            label,
            (
                weights(rng, sizes),
                patterns(rng, N, sizes[0]),
                targets(rng, N, sizes[-1], unit),
                unit,
            ),
        )
        for label, sizes, unit, N in SHAPES
    ]


def error_gradient(W, X, T, unit):
    """Return ∂E/∂W[l] for every layer."""
    net = network(W, unit)
    return layers(net, jl.error_gradient(net, X, T))


def networks_and_steps(rng):
    """Draw networks, each with a step that is large enough to show."""
    steps = (1e-1, 1e-2, 3e-1, 1e-3)
    return [
        Case(f"{case.label}, step {step:g}", (*case.arguments, step))
        for case, step in zip(networks(rng), steps, strict=False)
    ]


def gradient_by_differences(W, X, T, unit, step):
    """Return central difference quotients of E for every layer."""
    net = network(W, unit)

    def error(w):
        return jl.error(net.with_parameters(w), X, T)

    return layers(net, jl.central_difference(error, net.w, step))


def lines(rng):
    """Draw steps with errors that scatter about a power of them."""
    cases = []
    for label, order, n in (
        ("first order", 1, 5),
        ("second order", 2, 8),
        ("fourth order", 4, 4),
    ):
        steps = 10.0 ** -np.sort(rng.uniform(0, 3, n))
        errors = 3 * steps**order * np.exp(rng.normal(size=n) * 0.3)
        cases.append(Case(label, (steps, errors)))
    return cases


def observed_order(steps, errors):
    """Return the slope of log error over log step by least squares."""
    x, y = np.log(steps), np.log(errors)
    return np.array(np.cov(x, y)[0, 1] / np.var(x, ddof=1))


ASSIGNMENT = Assignment(
    "hw2",
    "Error propagation and numerical differentiation",
    (
        Question(
            "q1",
            "The signal at the outputs",
            "output_signal",
            1,
            at_outputs,
            output_signal,
            **EXACT,
        ),
        Question(
            "q2",
            "One layer down",
            "signals_below",
            2,
            one_layer_up,
            signals_below,
            **EXACT,
        ),
        Question(
            "q3",
            "The gradient of every weight",
            "error_gradient",
            5,
            networks,
            error_gradient,
            **EXACT,
        ),
        Question(
            "q4",
            "Central differences",
            "gradient_by_differences",
            3,
            networks_and_steps,
            gradient_by_differences,
        ),
        Question(
            "q5",
            "The complex step",
            "complex_step_gradient",
            3,
            networks,
            error_gradient,
            **EXACT,
        ),
        Question(
            "q6",
            "The order of an error",
            "observed_order",
            2,
            lines,
            observed_order,
            **EXACT,
        ),
        Written("q7", "The V and its bottom"),
    ),
    files=(Path(__file__).with_name("diabetes.csv"),),
    master=Path(__file__).with_name("hw2.ipynb"),
)
