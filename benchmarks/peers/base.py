"""What a peer hands to the measurement."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Beyond so many parameters no peer forms a matrix from P products: over a minute.
MOST_PRODUCTS = 20_000
# Beyond so many a second way to the same P products is not timed.
FEW_PRODUCTS = 1000
# Tangents that a peer pushes through the network at once.
CHUNK = 256


@dataclass(frozen=True)
class Call:
    """One way to compute a function.

    `run` is timed. `as_array` brings its result into the library's order, shape and
    scale, and is not timed. `needs` estimates the bytes of the call's large arrays.
    `keeps` are bytes of the result that were there before: a warm `out=`. What is
    `compiled` at its first call is never judged by that one.
    """

    run: Callable
    as_array: Callable = np.asarray
    needs: int = 0
    keeps: int = 0
    compiled: bool = False


@dataclass(frozen=True)
class Skip:
    """A way that is not run, and why."""

    reason: str


def too_many_products(P):
    """Return the Skip of a matrix or a diagonal made of P products, if P is large."""
    if P > MOST_PRODUCTS:
        return Skip(f"one product for each of {P:,} parameters: more than a minute")
    return None


def products_again(P, where):
    """Return the Skip of what costs as much as a timed matrix, if P is large."""
    if P > FEW_PRODUCTS:
        return Skip(f"the same {P:,} products as {where}")
    return None


def every_tangent(problem):
    """Return the bytes of all P tangents pushed through the network at once.

    Each keeps its change of every unit of every pattern, about three times over. The
    bytes are those of float64, so that both precisions have the same rows.
    """
    units = sum(problem.net.sizes[1:])
    return 3 * 8 * problem.net.n_parameters * len(problem.X) * units
