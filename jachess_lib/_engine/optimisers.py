"""Averages over steps, and the operators of the layers of a stack."""

import numpy as np

from jachess_lib._engine.inputs import check_number
from jachess_lib._engine.language_model import flat_parts


class Average:
    """A mean over the steps, of which older ones count less by β each."""

    def __init__(self, beta):
        self.beta, self.sum, self.weight = beta, 0.0, 0.0

    def __call__(self, value):
        """Take a value in, and return the mean."""
        self.sum = self.beta * self.sum + (1 - self.beta) * np.asarray(value)
        self.weight = self.beta * self.weight + 1 - self.beta
        return self.value

    @property
    def value(self):
        """The mean of what has come in."""
        if self.weight == 0:
            raise ValueError("the first step needs h, an estimate of the diagonal of G")
        return self.sum / self.weight


def check_share(name, share):
    """Return a number from 0 to 1, without 1."""
    share = check_number(name, share)
    if not 0 <= share < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {share:g}")
    return share


def tail_operators(G):
    """Return (place in w, operator of the stack from there on) for each top part.

    The block of G for a part is that of the shorter stack that begins with it.
    """
    operators, at, x = [], 0, G.X
    for j, part in enumerate(G.net.parts):
        size = sum(p.W.size for p in flat_parts([part]) if hasattr(p, "W"))
        if size:
            tail = type(G.net)(G.net.parts[j:])
            operator = type(G)(tail, x, curvature="outer_product")
            operators.append((slice(at, at + size), operator))
            at += size
        x = _after(part, x)
    return operators


def _after(part, x):
    """Return what comes out of a part, run again: a branch is added to x."""
    if isinstance(part, tuple):
        y = x
        for inner in part:
            y = _after(inner, y)
        return x + y
    return part.forward(x)[0]
