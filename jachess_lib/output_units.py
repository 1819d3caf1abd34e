"""Output units: y(a), the derivative ∂y/∂a, and the error that belongs to each.

| symbol | code | shape |
| --- | --- | --- |
| a_k (outputs) | `a` | (N, K) |
| y_k | `y(a)` | (N, K) |
| M_kl = ∂y_k/∂a_l | `dy_da(a)` | (N, K, K) |
| E | `error(a, T)` | () |

The pairs are canonical: linear with the sum of squares, sigmoid with the binary
cross-entropy, softmax with the cross-entropy. Then ∂E/∂a = y − t for all three.
Errors are sums over the patterns: squares in units of t², cross-entropies in nats.

Source: Bishop & Bishop, *Deep Learning* (2024), §6.4 (error functions), §8.1.5.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jachess_lib.hidden_units import sigmoid

__all__ = ["OUTPUT_UNITS", "OutputUnit"]


@dataclass(frozen=True)
class OutputUnit:
    """An output unit y(a) with `dy_da(a)` = ∂y/∂a and its own `error(a, T)`.

    `root(a)` is a square root of that derivative, M = rootᵀ root, of shape (N, K, K).
    """

    name: str
    y: Callable
    dy_da: Callable
    root: Callable
    error: Callable

    def __repr__(self):
        return f"OutputUnit({self.name!r})"


def _diagonal(d):
    """Return the matrices with d[n] on the diagonal, of shape (N, K, K)."""
    return d[:, :, None] * np.eye(d.shape[1], dtype=d.dtype)


def _linear_dy_da(a):
    # eq-output-units-linear: ∂y_k/∂a_l = I_kl
    return _diagonal(np.ones_like(a))


def _linear_error(a, T):
    return ((a - T) ** 2).sum() / 2


def _sigmoid_dy_da(a):
    # eq-output-units-sigmoid: ∂y_k/∂a_l = I_kl σ'(a_l), σ' = σ(a)σ(−a)
    return _diagonal(sigmoid(a) * sigmoid(-a))


def _sigmoid_root(a):
    return np.sqrt(_sigmoid_dy_da(a))


def _sigmoid_error(a, T):
    # −t ln σ(a) − (1−t) ln σ(−a) = (max(a, 0) − t a) + ln(1 + e^−|a|), finite for any a
    positive = a.real > 0
    return (
        np.where(positive, a, 0) - T * a + np.log1p(np.exp(np.where(positive, -a, a)))
    ).sum()


def _below_maximum(a):
    """Return a minus its largest entry in each row; softmax does not see the shift."""
    return a - a.real.max(axis=1, keepdims=True)


def _softmax(a):
    e = np.exp(_below_maximum(a))
    return e / e.sum(axis=1, keepdims=True)


def _softmax_dy_da(a):
    y = _softmax(a)
    # eq-output-units-softmax: ∂y_k/∂a_l = I_kl y_k − y_k y_l
    return _diagonal(y) - y[:, :, None] * y[:, None, :]


def _softmax_root(a):
    # Σ_m y_m (I_mk − y_k)(I_ml − y_l) = I_kl y_k − y_k y_l, since Σ_m y_m = 1
    y = _softmax(a)
    return np.sqrt(y)[:, :, None] * (np.eye(y.shape[1], dtype=y.dtype) - y[:, None, :])


def _softmax_error(a, T):
    # −Σ_k t_k ln y_k with ln y_k = a_k − ln Σ_l e^a_l and Σ_k t_k = 1
    a = _below_maximum(a)
    return (np.log(np.exp(a).sum(axis=1)) - (T * a).sum(axis=1)).sum()


OUTPUT_UNITS = {
    unit.name: unit
    for unit in (
        OutputUnit("linear", lambda a: +a, _linear_dy_da, _linear_dy_da, _linear_error),
        OutputUnit("sigmoid", sigmoid, _sigmoid_dy_da, _sigmoid_root, _sigmoid_error),
        OutputUnit("softmax", _softmax, _softmax_dy_da, _softmax_root, _softmax_error),
    )
}
