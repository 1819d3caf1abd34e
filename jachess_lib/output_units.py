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

from jachess_lib._engine.floats import underflows, wide
from jachess_lib.hidden_units import sigmoid

__all__ = ["OUTPUT_UNITS", "OutputUnit"]


@dataclass(frozen=True)
class OutputUnit:
    """An output unit y(a) with its derivative M = ∂y/∂a and its own error.

    `dy_da(a)` is the whole of M, of shape (N, K, K). Its diagonal M_kk, `diagonal(a)`,
    of shape (N, K), and its products with vectors, `times(a, R)` = Σ_l M_kl R_l for R
    of shape (…, N, K), take neither its memory nor its time. `bend(a, R, S)` is how M R
    changes along S, Σ_lm R_l S_m ∂²y_k/∂a_l∂a_m, for R and S of such shapes.
    `residual(a, T)` is y − t, and so ∂E/∂a; `errors(a, T)` has one E_n for each
    pattern, of shape (N,).
    """

    name: str
    y: Callable
    dy_da: Callable
    diagonal: Callable
    times: Callable
    bend: Callable
    residual: Callable
    errors: Callable
    weights: np.ndarray | None = None  # of the patterns, where they have any

    @underflows
    def error(self, a, T):
        """Return E = Σ_n E_n, summed in double precision."""
        errors = self.errors(a, T)
        return errors.sum(dtype=wide(errors.dtype)).astype(errors.dtype)

    def __repr__(self):
        return f"OutputUnit({self.name!r})"


def _on_diagonal(d):
    """Return the matrices with d[n] on the diagonal, of shape (N, K, K)."""
    return d[:, :, None] * np.eye(d.shape[1], dtype=d.dtype)


def _linear_dy_da(a):
    # eq-output-units-linear: ∂y_k/∂a_l = I_kl
    return _on_diagonal(np.ones_like(a))


def _linear_errors(a, T):
    return ((a - T) ** 2).sum(axis=1) / 2


@underflows
def _sigmoid_slope(a):
    return sigmoid(a) * sigmoid(-a)


def _sigmoid_dy_da(a):
    # eq-output-units-sigmoid: ∂y_k/∂a_l = I_kl σ'(a_l), σ' = σ(a)σ(−a)
    return _on_diagonal(_sigmoid_slope(a))


@underflows
def _sigmoid_bend(a, R, S):
    # σ″ = σ′ (1 − 2σ), with 1 − 2σ = −tanh(a/2)
    return -_sigmoid_slope(a) * np.tanh(a / 2) * R * S


@underflows
def _sigmoid_residual(a, T):
    # y − t = y (1 − t) − (1 − y) t, with 1 − y = σ(−a)
    return sigmoid(a) * (1 - T) - sigmoid(-a) * T


@underflows
def _sigmoid_errors(a, T):
    # −t ln σ(a) − (1−t) ln σ(−a) = ln(1 + e^−|a|) + |a| (1 − t, or t where a < 0): a
    # sum of positive terms, which loses nothing and is finite for any a
    positive = a.real > 0
    magnitude = np.where(positive, a, -a)
    missed = np.where(positive, 1 - T, T)
    return (missed * magnitude + np.log1p(np.exp(-magnitude))).sum(axis=1)


def _top(a):
    """Return the place of the largest entry in each row, as an index of `a`."""
    return np.arange(len(a)), np.argmax(a.real, axis=1)


def _exponentials(a):
    """Return e^a over its largest entry in each row: softmax does not see the shift."""
    largest = a[_top(a)][:, None]
    below = a - largest
    # what the difference lost to rounding, exactly: it matters in an exponent
    shifted = below - a
    lost = (a - (below - shifted)) - (largest + shifted)
    return np.exp(below) * (1 + lost)


@underflows
def _softmax(a):
    e = _exponentials(a)
    return e / e.sum(axis=1, keepdims=True)


@underflows
def _softmax_and_rest(a):
    """Return y and 1 − y_k = Σ_(l≠k) y_l: by that sum where y_k is above a half."""
    y, top = _softmax(a), _top(a)
    rest, others = 1 - y, y.copy()
    others[top] = 0
    rest[top] = others.sum(axis=1)
    return y, rest


@underflows
def _softmax_slope(a):
    y, rest = _softmax_and_rest(a)
    return y * rest


@underflows
def _softmax_dy_da(a):
    y, rest = _softmax_and_rest(a)
    # eq-output-units-softmax: ∂y_k/∂a_l = I_kl y_k − y_k y_l
    M = -y[:, :, None] * y[:, None, :]
    k = np.arange(y.shape[1])
    M[:, k, k] = y * rest  # y − y², with the digits of 1 − y
    return M


@underflows
def _softmax_times(a, R):
    y = _softmax(a)
    # Σ_l M_kl R_l = y_k (R_k − Σ_l y_l R_l)
    return y * _less_their_mean(a, y, R)


def _less_their_mean(a, y, R):
    """Return R_k − Σ_l y_l R_l."""
    # from the likeliest class's R: where y is nearly 1, its R is nearly the mean
    R = R - R[..., *_top(a)][..., None]
    return R - (y * R).sum(axis=-1, keepdims=True)


@underflows
def _softmax_bend(a, R, S):
    y = _softmax(a)
    # Σ_lm R_l S_m ∂²y_k/∂a_l∂a_m = y_k (r_k s_k − Σ_l y_l r_l s_l), r and s less means
    product = _less_their_mean(a, y, R) * _less_their_mean(a, y, S)
    return y * _less_their_mean(a, y, product)


@underflows
def _softmax_residual(a, T):
    # y − t = y (1 − t) − (1 − y) t
    y, rest = _softmax_and_rest(a)
    return y * (1 - T) - rest * T


@underflows
def _softmax_errors(a, T):
    # −Σ_k t_k ln y_k with −ln y_k = (a_max − a_k) + ln(1 + Σ e^(a_l − a_max)), the sum
    # over all but the largest, and Σ_k t_k = 1: only positive terms
    top, e = _top(a), _exponentials(a)
    below = a - a[top][:, None]
    e[top] = 0
    return np.log1p(e.sum(axis=1)) - (T * below).sum(axis=1)


OUTPUT_UNITS = {
    unit.name: unit
    for unit in (
        OutputUnit(
            "linear",
            y=lambda a: +a,
            dy_da=_linear_dy_da,
            diagonal=np.ones_like,
            times=lambda a, R: +R,
            bend=lambda a, R, S: 0 * (R * S),
            residual=lambda a, T: a - T,
            errors=_linear_errors,
        ),
        OutputUnit(
            "sigmoid",
            y=sigmoid,
            dy_da=_sigmoid_dy_da,
            diagonal=_sigmoid_slope,
            times=underflows(lambda a, R: _sigmoid_slope(a) * R),
            bend=_sigmoid_bend,
            residual=_sigmoid_residual,
            errors=_sigmoid_errors,
        ),
        OutputUnit(
            "softmax",
            y=_softmax,
            dy_da=_softmax_dy_da,
            diagonal=_softmax_slope,
            times=_softmax_times,
            bend=_softmax_bend,
            residual=_softmax_residual,
            errors=_softmax_errors,
        ),
    )
}
