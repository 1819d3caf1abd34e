"""The questions of assignment 1: the Jacobian recursion and output units."""

from pathlib import Path

import numpy as np

import jachess_lib as jl
from coursework.draw import EXACT, network, patterns, weights
from coursework.questions import Assignment, Case, Question, Written


def slopes(rng):
    """Draw weighted sums for the slope of tanh."""
    return [
        Case("a small table", (rng.normal(size=(3, 2)),)),
        Case("a vector", (rng.normal(size=5),)),
        Case("saturated units", (rng.normal(size=(2, 4)) * 30,)),
    ]


def tanh_slope(a):
    """Return h'(a) of h = tanh."""
    return jl.HIDDEN_UNITS["tanh"].dh(a)


def sums(rng):
    """Draw weighted sums of outputs, with the name of their unit."""
    return [
        Case("linear outputs", (rng.normal(size=(3, 5)), "linear")),
        Case("sigmoid outputs", (rng.normal(size=(2, 4)) * 2, "sigmoid")),
        Case("softmax outputs", (rng.normal(size=(4, 3)) * 2, "softmax")),
        Case("large sums into sigmoids", (rng.normal(size=(2, 3)) * 1e3, "sigmoid")),
        Case("large sums into a softmax", (rng.normal(size=(3, 5)) * 1e3, "softmax")),
    ]


def output_derivative(a, unit):
    """Return ∂y_k/∂a_l, of shape (N, K, K)."""
    return jl.OUTPUT_UNITS[unit].dy_da(a)


def networks(rng):
    """Draw networks of one to four layers with a batch each."""
    return [
        Case("a single layer", (weights(rng, (3, 4)), patterns(rng, 2, 3), "softmax")),
        Case(
            "one hidden layer", (weights(rng, (4, 3, 2)), patterns(rng, 3, 4), "linear")
        ),
        Case(
            "a single pattern",
            (weights(rng, (2, 5, 3)), patterns(rng, 1, 2), "softmax"),
        ),
        Case(
            "a deeper network",
            (weights(rng, (3, 5, 4, 2)), patterns(rng, 4, 3), "sigmoid"),
        ),
        Case(
            "a network of four layers",
            (weights(rng, (2, 4, 3, 5, 4)), patterns(rng, 2, 2), "softmax"),
        ),
    ]


def one_pattern(rng):
    """Draw networks with one pattern each."""
    cases = networks(rng)
    return [
        Case(case.label, (case.arguments[0], case.arguments[1][0], case.arguments[2]))
        for case in cases
        if case.label != "a single pattern"
    ]


def input_jacobian(W, X, unit):
    """Return J_nki, of shape (N, K, D)."""
    return jl.input_jacobian(network(W, unit), X)


def jacobian_of_one(W, x, unit):
    """Return J_ki, of shape (K, D)."""
    return input_jacobian(W, x[None], unit)[0]


def tables(rng):
    """Draw Jacobians with standard deviations of the inputs."""
    return [
        Case("several patterns", (rng.normal(size=(6, 3, 4)), rng.uniform(0.2, 3, 4))),
        Case("a single pattern", (rng.normal(size=(1, 2, 3)), rng.uniform(0.2, 3, 3))),
        Case("a single output", (rng.normal(size=(5, 1, 3)), rng.uniform(0.2, 3, 3))),
    ]


def sensitivity_table(J, s):
    """Return the root mean square of J_nki s_i over n, of shape (K, D)."""
    return np.sqrt(np.einsum("nki,nki->ki", J, J) / len(J)) * s


ASSIGNMENT = Assignment(
    "hw1",
    "The Jacobian recursion and output units",
    (
        Question(
            "q1", "The slope of tanh", "tanh_slope", 1, slopes, tanh_slope, **EXACT
        ),
        Question(
            "q2",
            "The derivative of the output unit",
            "output_derivative",
            4,
            sums,
            output_derivative,
            **EXACT,
        ),
        Question(
            "q3",
            "The Jacobian of one pattern",
            "jacobian_of_one",
            4,
            one_pattern,
            jacobian_of_one,
            **EXACT,
        ),
        Question(
            "q4",
            "The Jacobian of a batch",
            "input_jacobian",
            5,
            networks,
            input_jacobian,
            **EXACT,
        ),
        Question(
            "q5",
            "What moves the prediction",
            "sensitivity_table",
            2,
            tables,
            sensitivity_table,
            **EXACT,
        ),
        Written("q6", "One Jacobian for every input"),
    ),
    files=(Path(__file__).with_name("iris.csv"),),
    master=Path(__file__).with_name("hw1.ipynb"),
)
