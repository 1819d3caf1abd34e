"""Checks of hidden units that callers make: named functions, and true derivatives."""

import pickle
import warnings
from itertools import pairwise

import numpy as np


def require_functions(name, functions):
    """Require a name, and a function for each part of a unit."""
    if not isinstance(name, str) or not name:
        raise TypeError(f"name must be a string such as 'silu', got {name!r}")
    for part, f in functions.items():
        if not callable(f):
            raise TypeError(f"{part} must be a function of an array, got {f!r}")


def require_picklable(name, functions):
    """Require functions that other processes can import."""
    for part, f in functions.items():
        try:
            pickle.dumps(f)
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            raise pickle.PicklingError(
                f"the hidden unit {name} cannot be pickled, because its {part} cannot "
                f"({error}): write it with def, at the top of a module"
            ) from None


def check_derivatives(name, functions):
    """Require that each function is the derivative of the one before."""
    # an even number of points: none is 0, where a unit may have its kink
    a = np.linspace(-8, 8, 128)
    for part, f in functions.items():
        _require_like(f"{name}: {part}", f, a)
    parts = list(functions.items())
    for (above, f), (part, df) in pairwise(parts):
        expected, tolerance = _derivative(f, a)
        off, size = np.abs(df(a) - expected), np.abs(expected)
        beyond = off - tolerance * (size + 1e-3 * size.max())
        n = int(np.argmax(beyond))
        if not beyond[n] <= 0:
            raise ValueError(
                f"{name}: {part} is not the derivative of {above}: at a = {a[n]:.4g} "
                f"it is {df(a)[n]:.6g}, and should be {expected[n]:.6g}"
            )


def _require_like(name, f, a):
    for given in (a, a.reshape(4, -1).astype(np.float32), a[:0]):
        found = np.asarray(f(given))
        if found.shape != given.shape or found.dtype != given.dtype:
            raise ValueError(
                f"{name} must return an array of the shape and precision that it is "
                f"given: of shape {given.shape} in {given.dtype} it made {found.shape} "
                f"in {found.dtype}"
            )


def _derivative(f, a):
    """Return the derivative of f at a, and how well it is known."""
    differences = (f(a + 1e-5) - f(a - 1e-5)) / 2e-5
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            steps = np.imag(f(a + 1e-30j)) / 1e-30
    except (TypeError, np.exceptions.ComplexWarning):  # a function of real numbers
        return differences, 1e-6
    # they agree unless f is not analytic, as where it takes |a|
    if np.allclose(steps, differences, rtol=1e-6, atol=1e-6):
        return steps, 1e-9
    return differences, 1e-6
