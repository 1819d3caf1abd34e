"""Hidden units: h(a) and its first two derivatives, element by element.

| symbol | code | shape |
| --- | --- | --- |
| a | `a` | any |
| h(a), h′(a), h″(a) | `h(a)`, `dh(a)`, `d2h(a)` | as `a` |

Every unit accepts complex numbers, so that a complex step can check it, and
neither overflows nor warns for |a| up to 1e4. All values are pure numbers.

Source: Bishop & Bishop, *Deep Learning* (2024), §6.2.3 (activation functions).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

__all__ = ["HIDDEN_UNITS", "HiddenUnit"]


@dataclass(frozen=True)
class HiddenUnit:
    """A hidden unit z = h(a) with its slope `dh` and its bend `d2h`.

    `dh_of_z` and `d2h_of_z`, if any, give the same from z, where that saves h(a).
    """

    name: str
    h: Callable
    dh: Callable
    d2h: Callable
    dh_of_z: Callable | None = None
    d2h_of_z: Callable | None = None

    def __repr__(self):
        return f"HiddenUnit({self.name!r})"


def _ones(a):
    return np.ones_like(a)


def _zeros(a):
    return np.zeros_like(a)


def _real(a):
    """Return the part that decides a comparison: complex numbers have no order."""
    return a.real


def _decay(a):
    """Return e^−|a|, with the sign of Re a standing in for that of a."""
    return np.exp(np.where(_real(a) >= 0, -a, a))


def sigmoid(a):
    """Return σ(a) = 1/(1 + e^−a), of the shape of `a`."""
    if np.isrealobj(a):
        return expit(a)
    e = _decay(a)
    return np.where(_real(a) >= 0, 1, e) / (1 + e)


def _sigmoid_dh(a):
    # σ(a)σ(−a), not σ(1 − σ): the second loses every digit once σ rounds to 1.
    return sigmoid(a) * sigmoid(-a)


def _sigmoid_d2h(a):
    s, t = sigmoid(a), sigmoid(-a)
    return s * t * (t - s)


def softplus(a):
    """Return ln(1 + e^a), of the shape of `a`, without overflow."""
    return _relu(a) + np.log1p(_decay(a))


def _tanh_dh(a):
    return _tanh_dh_of_z(np.tanh(a))


def _tanh_d2h(a):
    return _tanh_d2h_of_z(np.tanh(a))


def _tanh_dh_of_z(z):
    return 1 - z * z


def _tanh_d2h_of_z(z):
    return -2 * z * (1 - z * z)


def _relu(a):
    return np.where(_real(a) > 0, a, 0)


def _relu_dh(a):
    return np.zeros_like(a) + (_real(a) > 0)


def _normal_density(a):
    return np.exp(-a * a / 2) / float(np.sqrt(2 * np.pi))


def _gelu(a):
    return a * ndtr(a)


def _gelu_dh(a):
    return ndtr(a) + a * _normal_density(a)


def _gelu_d2h(a):
    return (2 - a * a) * _normal_density(a)


def _exp_limit(a):
    """Return the a beyond which e^a is held: just under a third of the exponents.

    The rest is left to the products of such units that errors and Hessians are made of.
    It is about 235.6 for float64 and 28.6 for float32.
    """
    dtype = np.result_type(a, np.float16)  # float16 adds nothing, but makes int float
    return float(np.log(np.finfo(dtype).max)) / 3 - 1


def _exp(a):
    limit = _exp_limit(a)
    return np.exp(np.where(_real(a) < limit, a, limit))


def _exp_dh(a):
    return np.where(_real(a) < _exp_limit(a), _exp(a), 0)


HIDDEN_UNITS = {
    unit.name: unit
    for unit in (
        HiddenUnit("identity", lambda a: +a, _ones, _zeros),
        HiddenUnit("tanh", np.tanh, _tanh_dh, _tanh_d2h, _tanh_dh_of_z, _tanh_d2h_of_z),
        HiddenUnit("sigmoid", sigmoid, _sigmoid_dh, _sigmoid_d2h),
        HiddenUnit("softplus", softplus, sigmoid, _sigmoid_dh),
        # The slope at the kink a = 0 is taken as 0; the bend is 0 wherever it exists.
        HiddenUnit("relu", _relu, _relu_dh, _zeros),
        HiddenUnit("gelu", _gelu, _gelu_dh, _gelu_d2h),
        # e^a is held constant above `_exp_limit`, so its slope there is 0.
        HiddenUnit("exp", _exp, _exp_dh, _exp_dh),
    )
}
