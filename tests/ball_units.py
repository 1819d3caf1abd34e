"""Balls: numbers in interval arithmetic, and the units of a network made of them.

A `Ball` is an interval that contains the true number (python-flint's `arb`), beside the
rounding that a straightforward computation of it may add up to, in units of eps: one
magnitude for each operation, carried along by the product rule and by the slopes of
functions (Wilkinson's running error analysis).

Hidden and output units are written anew, in sums that lose nothing and share no line
with the library's.
"""

from types import SimpleNamespace

import numpy as np
from flint import arb

from jachess_lib.output_units import OutputUnit

ZERO = arb(0)
EPS = arb(2) ** -20  # of two roundings multiplied: above every eps that is tried


class Ball:
    """A number, known to lie in `value`, and the rounding of its computation."""

    __slots__ = ("rounding", "value")

    def __init__(self, value, rounding=ZERO):
        self.value, self.rounding = value, rounding

    def __add__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented  # NumPy goes through its entries
        other = ball(other)
        value = self.value + other.value
        return Ball(value, self.rounding + other.rounding + abs(value))

    def __mul__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = ball(other)
        value = self.value * other.value
        carried = (
            abs(self.value) * other.rounding
            + abs(other.value) * self.rounding
            + self.rounding * other.rounding * EPS
        )
        return Ball(value, carried + abs(value))

    def __neg__(self):
        return Ball(-self.value, self.rounding)

    def __sub__(self, other):
        return self + -ball(other)

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        other = ball(other)
        value = self.value / other.value
        carried = (self.rounding + abs(value) * other.rounding) / abs(other.value)
        return Ball(value, carried + abs(value))

    def __rtruediv__(self, other):
        return ball(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, power):
        assert power in (1, 2)
        return self if power == 1 else self * self

    # what NumPy asks of numbers of a kind it does not know

    def sqrt(self):
        """Return the root of a number that is not negative."""
        return root(self)

    def log(self):
        """Return ln."""
        return logarithm(self)

    def exp(self):
        """Return e to it; a place that is masked has −∞ for its exponent."""
        masked = self.value == arb(-np.inf)
        return Ball(ZERO) if masked else exponential(self)

    def __ge__(self, other):
        return self.value.mid() >= ball(other).value.mid()


def ball(number):
    """Return an exact number as a ball."""
    if isinstance(number, Ball):
        return number
    # one float stands for a number that none is
    return Ball(arb.pi() if number == np.pi else arb(float(number)))


def balls(array):
    """Return an array of balls that hold these floats and nothing else."""
    return np.frompyfunc(ball, 1, 1)(np.asarray(array))


def solve(A, B):
    """Return A⁻¹B of arrays of balls, by elimination; no pivot may hold zero."""
    A, B = balls(A), balls(B)
    for k in range(len(A)):
        assert A[k, k].value > 0 or A[k, k].value < 0
        for j in range(len(A)):
            if j != k:
                factor = A[j, k] / A[k, k]
                A[j], B[j] = A[j] - A[k] * factor, B[j] - B[k] * factor
    return B / np.diagonal(A)[:, None]


def unit(f, slope):
    """Return f on arrays of balls; its slope carries the rounding of its argument."""

    def of(x):
        value = f(x.value)
        return Ball(value, abs(slope(x.value)) * x.rounding + abs(value))

    return np.frompyfunc(of, 1, 1)


# Hidden units: h, h', h'' and h''', anew


def _step(a):
    assert a > 0 or a < 0  # no kink within the ball
    return arb(1 if a > 0 else 0)


def _logistic(a):
    return 1 / (1 + (-a).exp())


def _logistic_slope(a):
    return _logistic(a) * _logistic(-a)


def _logistic_bend(a):
    return -(a / 2).tanh() * _logistic_slope(a)


def _logistic_third(a):
    return _logistic_slope(a) * (1 - 6 * _logistic_slope(a))


def _density(a):
    return (-a * a / 2).exp() / (2 * arb.pi()).sqrt()


def _normal(a):
    return (-a / arb(2).sqrt()).erfc() / 2


def _softplus(a):
    return a.exp().log1p() if a < 0 else a + (-a).exp().log1p()


DERIVATIVES = {
    "identity": (lambda a: a, lambda a: arb(1), lambda a: ZERO, lambda a: ZERO),
    "tanh": (
        arb.tanh,
        lambda a: a.sech() ** 2,
        lambda a: -2 * a.tanh() * a.sech() ** 2,
        lambda a: a.sech() ** 2 * (6 * a.tanh() ** 2 - 2),
    ),
    "sigmoid": (_logistic, _logistic_slope, _logistic_bend, _logistic_third),
    "softplus": (_softplus, _logistic, _logistic_slope, _logistic_bend),
    "relu": (lambda a: _step(a) * a, _step, lambda a: ZERO, lambda a: ZERO),
    "gelu": (
        lambda a: a * _normal(a),
        lambda a: _normal(a) + a * _density(a),
        lambda a: (2 - a * a) * _density(a),
        lambda a: (a * a - 4) * a * _density(a),
    ),
    "exp": (arb.exp,) * 4,
}
HIDDEN_UNITS = {
    name: SimpleNamespace(name=name, h=unit(h, d1), dh=unit(d1, d2), d2h=unit(d2, d3))
    for name, (h, d1, d2, d3) in DERIVATIVES.items()
}


# Output units: row by row, in sums that lose nothing

sigmoid = unit(_logistic, _logistic_slope)
softplus = unit(_softplus, _logistic)
exponential = unit(arb.exp, arb.exp)
reciprocal = unit(lambda a: 1 / a, lambda a: 1 / a**2)
root = unit(arb.sqrt, lambda a: 1 / (2 * a.sqrt()))
logarithm = unit(arb.log, lambda a: 1 / a)
log1p = unit(arb.log1p, lambda a: 1 / (1 + a))


def _others(a):
    """Return the pairs (k, [l ≠ k]) of a row."""
    return [(k, [l for l in range(a.shape[1]) if l != k]) for k in range(a.shape[1])]


def _over(a, k, ls):
    """Return Σ_l e^(a_l − a_k) = (1 − y_k)/y_k."""
    return sum((exponential(a[:, l] - a[:, k]) for l in ls), np.full(len(a), 0))


def _softmax(a):
    rows = [reciprocal(_over(a, k, ls) + 1) for k, ls in _others(a)]
    return np.stack(rows, axis=1)


def _softmax_rest(a):
    """Return 1 − y."""
    y = _softmax(a)
    return np.stack([_over(a, k, ls) * y[:, k] for k, ls in _others(a)], axis=1)


def _softmax_dy_da(a):
    y = _softmax(a)
    M = -y[:, :, None] * y[:, None, :]
    k = np.arange(a.shape[1])
    M[:, k, k] = y * _softmax_rest(a)
    return M


def _softmax_times(a, R):
    y = _softmax(a)
    return y * (y[..., None, :] * (R[..., :, None] - R[..., None, :])).sum(axis=-1)


def _softmax_bend(a, R, S):
    y = _softmax(a)[..., None, :]
    r = (y * (R[..., :, None] - R[..., None, :])).sum(axis=-1)
    s = (y * (S[..., :, None] - S[..., None, :])).sum(axis=-1)
    return _softmax_times(a, r * s)


def _softmax_errors(a, T):
    rows = [T[:, k] * log1p(_over(a, k, ls)) for k, ls in _others(a)]
    return np.sum(rows, axis=0)


def _diagonal(d):
    return d[:, :, None] * np.eye(d.shape[1], dtype=int)


def _slope(a):
    return sigmoid(a) * sigmoid(-a)


def _output_unit(name, y, dy_da, times, bend, residual, errors):
    diagonal = lambda a: np.einsum("nkk->nk", dy_da(a))  # noqa: E731
    return OutputUnit(name, y, dy_da, diagonal, times, bend, residual, errors)


OUTPUT_UNITS = {
    "linear": _output_unit(
        "linear",
        lambda a: a,
        lambda a: _diagonal(balls(np.ones(a.shape))),
        lambda a, R: R,
        lambda a, R, S: R * S * 0,
        lambda a, T: a - T,
        lambda a, T: ((a - T) ** 2).sum(axis=1) * 0.5,
    ),
    "sigmoid": _output_unit(
        "sigmoid",
        sigmoid,
        lambda a: _diagonal(_slope(a)),
        lambda a, R: _slope(a) * R,
        lambda a, R, S: _slope(a) * (sigmoid(-a) - sigmoid(a)) * R * S,
        lambda a, T: sigmoid(a) * (1 - T) - sigmoid(-a) * T,
        lambda a, T: (T * softplus(-a) + (1 - T) * softplus(a)).sum(axis=1),
    ),
    "softmax": _output_unit(
        "softmax",
        _softmax,
        _softmax_dy_da,
        _softmax_times,
        _softmax_bend,
        lambda a, T: _softmax(a) * (1 - T) - _softmax_rest(a) * T,
        _softmax_errors,
    ),
}
