"""Notebooks for the tests: honest ones, and the means to make others."""

import json

RIGHT = {
    "forward": """
def forward(W, X):
    for l, weights in enumerate(W):
        a = weights[:, 0] + X @ weights[:, 1:].T
        X = np.tanh(a) if l < len(W) - 1 else a
    return X
""",
    "jacobian": """
def jacobian(W, x):
    h = np.tanh(W[:, 0] + W[:, 1:] @ x)
    return (1 - h**2)[:, None] * W[:, 1:]
""",
    "total": """
def total(X, kind):
    return X.sum() if kind == "plain" else (X**2).sum()
""",
    "split": """
def split(X):
    return X * (X > 0), X * (X < 0)
""",
}
OPENING = "import numpy as np\nimport matplotlib.pyplot as plt\nimport check\n"


def cell(source, kind="code", tags=()):
    """Return one cell."""
    return {
        "cell_type": kind,
        "metadata": {"tags": list(tags)},
        "source": source.splitlines(keepends=True),
        **({"outputs": [], "execution_count": None} if kind == "code" else {}),
    }


def notebook(*cells):
    """Return the bytes of a notebook of these cells, strings being code."""
    cells = [cell(c) if isinstance(c, str) else c for c in cells]
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole).encode()


def honest(**changed):
    """Return the cells of an honest submission, some functions told otherwise."""
    sources = {**RIGHT, **changed}
    checks = "check.q1(forward)\nfig, (a, b) = plt.subplots(1, 2)\na.plot([1, 2])"
    return [cell("# Toy", "markdown"), OPENING, *sources.values(), checks]


STUB = honest(**{name: f"def {name}(*values):\n    ..." for name in RIGHT})
