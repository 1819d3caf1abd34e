"""Output units: y(a), the derivative ∂y/∂a, and the error that belongs to each.

| symbol | code | shape |
| --- | --- | --- |
| a_k (outputs) | `a` | (N, K) |
| y_k | `y(a)` | (N, K) |
| M_kl = ∂y_k/∂a_l | `dy_da(a)` | (N, K, K) |
| y_k − t_k | `residual(a, T)` | (N, K) |
| E | `error(a, T)` | () |

The pairs are canonical: linear with the sum of squares, sigmoid with the binary
cross-entropy, softmax with the cross-entropy. Then ∂E/∂a = y − t for all three.
Errors are sums over the patterns: squares in units of t², cross-entropies in nats.
Nothing here is computed as 1 − y where y is nearly 1: a confident classifier keeps the
digits of what it leaves to doubt.

Source: Bishop & Bishop, *Deep Learning* (2024), §6.4 (error functions), §8.1.5.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jachess_lib._floats import underflows, wide
from jachess_lib.hidden_units import sigmoid

__all__ = ["OUTPUT_UNITS", "OutputUnit"]


@dataclass(frozen=True)
class OutputUnit:
    """An output unit y(a) with `dy_da(a)` = ∂y/∂a and its own `error(a, T)`.

    `residual(a, T)` is y − t, and so ∂E/∂a. `root(a)` is a square root of ∂y/∂a,
    M = rootᵀ root, of shape (N, K, K).
    """

    name: str
    y: Callable
    dy_da: Callable
    root: Callable
    residual: Callable
    error: Callable

    def __repr__(self):
        return f"OutputUnit({self.name!r})"


def _diagonal(d):
    """Return the matrices with d[n] on the diagonal, of shape (N, K, K)."""
    return d[:, :, None] * np.eye(d.shape[1], dtype=d.dtype)


def _total(errors):
    """Return the sum of all entries, which is taken in double precision."""
    return errors.sum(dtype=wide(errors.dtype)).astype(errors.dtype)


def _linear_dy_da(a):
    # eq-output-units-linear: ∂y_k/∂a_l = I_kl
    return _diagonal(np.ones_like(a))


@underflows
def _linear_error(a, T):
    return _total((a - T) ** 2) / 2


@underflows
def _sigmoid_dy_da(a):
    # eq-output-units-sigmoid: ∂y_k/∂a_l = I_kl σ'(a_l), σ' = σ(a)σ(−a)
    return _diagonal(sigmoid(a) * sigmoid(-a))


def _sigmoid_root(a):
    return np.sqrt(_sigmoid_dy_da(a))


@underflows
def _sigmoid_residual(a, T):
    # y − t = y (1 − t) − (1 − y) t, with 1 − y = σ(−a)
    return sigmoid(a) * (1 - T) - sigmoid(-a) * T


@underflows
def _sigmoid_error(a, T):
    # −t ln σ(a) − (1−t) ln σ(−a) = ln(1 + e^−|a|) + |a| (1 − t, or t where a < 0): a
    # sum of positive terms, which loses nothing and is finite for any a
    positive = a.real > 0
    magnitude = np.where(positive, a, -a)
    missed = np.where(positive, 1 - T, T)
    return _total(missed * magnitude + np.log1p(np.exp(-magnitude)))


def _below_maximum(a):
    """Return a minus its largest entry in each row, and the place of that entry.

    Softmax does not see the shift.
    """
    top = np.argmax(a.real, axis=1)[:, None]
    return a - np.take_along_axis(a, top, axis=1), top


def _exponentials(a):
    """Return e^a over its largest entry in each row, and the place of that entry."""
    below, top = _below_maximum(a)
    # what the difference lost to rounding, exactly: it matters in an exponent
    largest = np.take_along_axis(a, top, axis=1)
    shifted = below - a
    lost = (a - (below - shifted)) - (largest + shifted)
    return np.exp(below) * (1 + lost), top


def _softmax(a):
    return _softmax_and_rest(a)[0]


@underflows
def _softmax_and_rest(a):
    """Return y and 1 − y: the latter by a sum of the others where y is above a half."""
    e, top = _exponentials(a)
    y = e / e.sum(axis=1, keepdims=True)
    others = y.copy()
    np.put_along_axis(others, top, 0, axis=1)
    rest = 1 - y
    np.put_along_axis(rest, top, others.sum(axis=1, keepdims=True), axis=1)
    return y, rest


@underflows
def _softmax_dy_da(a):
    y, rest = _softmax_and_rest(a)
    # eq-output-units-softmax: ∂y_k/∂a_l = I_kl y_k − y_k y_l
    M = -y[:, :, None] * y[:, None, :]
    k = np.arange(y.shape[1])
    M[:, k, k] = y * rest  # y − y², with the digits of 1 − y
    return M


@underflows
def _softmax_root(a):
    # Σ_m y_m (I_mk − y_k)(I_ml − y_l) = I_kl y_k − y_k y_l, since Σ_m y_m = 1
    y, rest = _softmax_and_rest(a)
    root = np.repeat(-y[:, None, :], y.shape[1], axis=1)
    k = np.arange(y.shape[1])
    root[:, k, k] = rest
    return np.sqrt(y)[:, :, None] * root


@underflows
def _softmax_residual(a, T):
    # y − t = y (1 − t) − (1 − y) t
    y, rest = _softmax_and_rest(a)
    return y * (1 - T) - rest * T


@underflows
def _softmax_error(a, T):
    # −Σ_k t_k ln y_k with −ln y_k = (a_max − a_k) + ln(1 + Σ e^(a_l − a_max)), the sum
    # over all but the largest, and Σ_k t_k = 1: only positive terms
    below, _ = _below_maximum(a)
    e, top = _exponentials(a)
    np.put_along_axis(e, top, 0, axis=1)
    return _total(np.log1p(e.sum(axis=1)) - (T * below).sum(axis=1))


OUTPUT_UNITS = {
    unit.name: unit
    for unit in (
        OutputUnit(
            "linear",
            lambda a: +a,
            _linear_dy_da,
            _linear_dy_da,
            lambda a, T: a - T,
            _linear_error,
        ),
        OutputUnit(
            "sigmoid",
            sigmoid,
            _sigmoid_dy_da,
            _sigmoid_root,
            _sigmoid_residual,
            _sigmoid_error,
        ),
        OutputUnit(
            "softmax",
            _softmax,
            _softmax_dy_da,
            _softmax_root,
            _softmax_residual,
            _softmax_error,
        ),
    )
}
