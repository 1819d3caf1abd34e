"""A small assignment of four questions, on which the judge is tested."""

from pathlib import Path

import numpy as np

from coursework.judge import book, feedback
from coursework.questions import Assignment, Case, Question, Written

HERE = Path(__file__).parent
SECRET = bytes(range(32))


def forward(W, X):
    """Return the output of a tanh network, the last layer linear."""
    for l, weights in enumerate(W):
        a = weights[:, 0] + X @ weights[:, 1:].T
        X = np.tanh(a) if l < len(W) - 1 else a
    return X


def jacobian(W, x):
    """Return ∂y_k/∂x_i of one tanh layer."""
    return (1 - np.tanh(W[:, 0] + W[:, 1:] @ x) ** 2)[:, None] * W[:, 1:]


def total(X, kind):
    """Return the sum of X, or of its squares."""
    return np.sum(X) if kind == "plain" else np.sum(X**2)


def split(X):
    """Return the positive and the negative part of X."""
    return np.maximum(X, 0), np.minimum(X, 0)


def networks(rng):
    """Return a shallow and a deep network, with inputs."""
    shallow = [rng.normal(size=(2, 4))]
    deep = [rng.normal(size=(5, 4)), rng.normal(size=(3, 6)), rng.normal(size=(2, 4))]
    return [
        Case("one layer", (shallow, rng.normal(size=(4, 3)))),
        Case("a deeper network", (deep, rng.normal(size=(6, 3)))),
    ]


def layers(rng):
    """Return one layer, with an input."""
    return [Case("a layer", (rng.normal(size=(3, 5)), rng.normal(size=4)))]


ASSIGNMENT = Assignment(
    "toy",
    "A toy assignment",
    (
        Question("q1", "A forward pass", "forward", 3, networks, forward),
        Question(
            "q2", "A Jacobian", "jacobian", 4, layers, jacobian,
        ),
        Question(
            "q3", "A sum", "total", 1,
            lambda rng: [
                Case("the plain sum", (rng.normal(size=7), "plain")),
                Case("the sum of squares", (rng.normal(size=7), "squares")),
            ],
            total,
        ),
        Question(
            "q4", "Two parts", "split", 2,
            lambda rng: [Case("a matrix", (rng.normal(size=(3, 3)),))],
            split,
        ),
        Written("w1", "Explain"),
    ),
    (HERE / "toy_data.csv",),
)  # fmt: skip


def book_of(results, exam):
    """Return the book of {student: result} with nothing else known."""
    rows = tuple(book.Row(student, "", "", r, {}) for student, r in results.items())
    return book.Book(rows, exam.points)


def page(exam, student, result):
    """Return the page of a student of whom nothing but the result is known."""
    return feedback.page(exam, book_of({student: result}, exam).rows[0], exam.points)
