"""Hidden units: h(a) and its first two derivatives, element by element.

| symbol | code | shape |
| --- | --- | --- |
| a | `a` | any |
| h(a), h′(a), h″(a) | `h(a)`, `dh(a)`, `d2h(a)` | as `a` |

Every unit accepts complex numbers, so that a complex step can check it. None overflows
or warns for |a| up to 1e4, and each value keeps its digits however small it is: a
saturated unit has a slope of 1e-300 and not of 0. All values are pure numbers.

Source: Bishop & Bishop, *Deep Learning* (2024), §6.2.3 (activation functions).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, expit

from jachess_lib._engine.floats import underflows, wide
from jachess_lib._engine.hidden_units import (
    check_derivatives,
    require_functions,
    require_picklable,
)

__all__ = ["HIDDEN_UNITS", "HiddenUnit"]


@dataclass(frozen=True)
class HiddenUnit:
    """A hidden unit z = h(a) with its slope `dh` and its bend `d2h`.

    Make one of your own and hand it to a `Network` in place of a name: every function
    then takes it, on every engine, the compiled one leaving it to the blocked one. All
    three functions take an array of any shape and return one of the same shape and
    precision. If they take complex numbers too, complex steps can check the network.

    Parameters
    ----------
    name : str
        Its name, which is not one of `HIDDEN_UNITS`.
    h, dh, d2h : function
        h(a), h′(a) and h″(a), element by element. A network can be pickled, and sent to
        other processes, if these are functions that can be imported.

    Raises
    ------
    TypeError
        If the name is not a string or one of the others is not a function.

    Examples
    --------
    The silu, a σ(a):

    >>> import numpy as np
    >>> from jachess_lib import HiddenUnit, Network, hessian_diagonal
    >>> def sigmoid(a):
    ...     return 1 / (1 + np.exp(-a))
    >>> def h(a):
    ...     return a * sigmoid(a)
    >>> def dh(a):
    ...     return sigmoid(a) + a * sigmoid(a) * sigmoid(-a)
    >>> def d2h(a):
    ...     return sigmoid(a) * sigmoid(-a) * (2 - a * np.tanh(a / 2))
    >>> silu = HiddenUnit("silu", h, dh, d2h)
    >>> silu.check()
    >>> net = Network((1, 1, 1), [0.0, 1.0, 0.0, 2.0], hidden=silu)
    >>> net
    <Network 1-1-1, hidden: silu, output: linear, P = 4>
    >>> hessian_diagonal(net, [[0.0]], [[0.5]])  # by b, w, b, w
    array([0.5, 0. , 1. , 0. ])
    """

    name: str
    h: Callable
    dh: Callable
    d2h: Callable

    def __post_init__(self):
        require_functions(self.name, self._functions())

    def _functions(self):
        return {"h": self.h, "dh": self.dh, "d2h": self.d2h}

    def check(self):
        """Require that `dh` and `d2h` are the derivatives of `h`.

        They are compared with complex steps, or with central differences where a
        function does not take complex numbers, at 128 points from −8 to 8, and not at
        0, where a unit may have its kink.

        Raises
        ------
        ValueError
            If one is not the derivative of the one before, or does not keep the shape
            and the precision of what it is given; the message says where.
        """
        check_derivatives(self.name, self._functions())

    def __reduce__(self):
        if HIDDEN_UNITS.get(self.name) is self:
            return _of_name, (self.name,)
        require_picklable(self.name, self._functions())
        return HiddenUnit, (self.name, self.h, self.dh, self.d2h)

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return f"HiddenUnit({self.name!r})"


def _of_name(name):
    """Return a unit of the table again from what it was pickled as."""
    return HIDDEN_UNITS[name]


def _ones(a):
    return np.ones_like(a)


def _zeros(a):
    return np.zeros_like(a)


def _real(a):
    """Return the part that decides a comparison: complex numbers have no order."""
    return a.real


def _decay(a):
    """Return e^−|a|, with the sign of Re a standing in for that of a."""
    if np.isrealobj(a):
        return np.exp(-np.abs(a))
    return np.exp(np.where(_real(a) >= 0, -a, a))


@underflows
def _tanh_dh(a):
    # 1/cosh² and not 1 − tanh², which loses every digit once tanh rounds to 1
    e = _decay(2 * a)
    return 4 * e / (1 + e) ** 2


@underflows
def _tanh_d2h(a):
    return -2 * np.tanh(a) * _tanh_dh(a)


@underflows
def sigmoid(a):
    """Return σ(a) = 1/(1 + e^−a), of the shape of `a`."""
    if np.isrealobj(a):
        return expit(a)
    e = _decay(a)
    return np.where(_real(a) >= 0, 1, e) / (1 + e)


@underflows
def _sigmoid_dh(a):
    # σ(a)σ(−a), not σ(1 − σ): the second loses every digit once σ rounds to 1.
    return sigmoid(a) * sigmoid(-a)


@underflows
def _sigmoid_d2h(a):
    # σ(−a) − σ(a) = −tanh(a/2), which keeps its digits where the two are nearly equal
    return -_sigmoid_dh(a) * np.tanh(a / 2)


@underflows
def softplus(a):
    """Return ln(1 + e^a), of the shape of `a`, without overflow."""
    return _relu(a) + np.log1p(_decay(a))


def _relu(a):
    return np.where(_real(a) > 0, a, 0)


def _relu_dh(a):
    return np.zeros_like(a) + (_real(a) > 0)


# The gelu is a Φ(a). Its derivatives are those of the normal density φ = Φ′ and of the
# ratio m(x) = Φ(−x)/φ(x), which changes slowly where Φ and φ vanish.
_ROOT_2_PI = float(np.sqrt(2 * np.pi))
# The slope is 0 at a = −x₀, where m(x₀) = x₀; x₀ as the sum of two numbers.
_X_0, _X_0_REST = 0.7517915246935645, -1.4956759177009883e-17
# Where h″ is 0: a = ±√2, again as the sum of two numbers.
_ROOT_2, _ROOT_2_REST = 1.4142135623730951, -9.667293313452913e-17


def _in_double(f):
    """Compute in double precision and return what came in: float32 in, float32 out."""

    @underflows
    def of(a):
        a = np.asarray(a)
        double = a.astype(wide(a.dtype), copy=False)
        dtype = a.dtype if a.dtype.kind in "fc" else double.dtype
        return f(double).astype(dtype, copy=False)[()]

    return of


def _root_of_decay(a):
    """Return e^(−a²/4), whose square is √2π φ(a): it is above 0 where φ is.

    The square of a is rounded, which a large exponent does not forgive. So a part of
    few digits goes first, whose square is exact.
    """
    first = np.trunc(np.clip(_real(a), -100, 100) * 16) / 16
    return np.exp(-first * first / 4) * np.exp(-(a - first) * (a + first) / 4)


def _times_density(factor, a):
    """Return factor · φ(a)."""
    root = _root_of_decay(a)
    return factor * root / _ROOT_2_PI * root


def _folded(a):
    """Return |a|, with the sign of Re a standing in for that of a."""
    return np.where(_real(a) < 0, -a, a)


def _ratio(x):
    return float(np.sqrt(np.pi / 2)) * erfcx(x / float(np.sqrt(2)))


def _ratio_minus_x(x):
    """Return m(x) − x, to the last digits beside its root x₀ as well."""
    t = (x - _X_0) - _X_0_REST
    near = np.abs(t) < 0.1
    t = np.where(near, t, 0)
    # m′ = x m − 1, so that m⁽ᵏ⁺¹⁾ = x m⁽ᵏ⁾ + k m⁽ᵏ⁻¹⁾: the Taylor series at x₀
    m = [_X_0, _X_0 * _X_0 - 1]
    series, power = (m[1] - 1) * t, t
    for k in range(1, 14):
        m.append(_X_0 * m[k] + k * m[k - 1])
        power = power * t / (k + 1)
        series = series + m[k + 1] * power
    return np.where(near, series, _ratio(x) - x)


@_in_double
def _gelu(a):
    x = _folded(a)
    tail = _times_density(_ratio(x), a)  # Φ(−|a|)
    return a * np.where(_real(a) < 0, tail, 1 - tail)


@_in_double
def _gelu_dh(a):
    # Φ(a) + a φ(a) = φ (m − x) for a = −x, and 1 minus that for a = x
    tail = _times_density(_ratio_minus_x(_folded(a)), a)
    return np.where(_real(a) < 0, tail, 1 - tail)


@_in_double
def _gelu_d2h(a):
    x = _folded(a)
    # (2 − a²) φ(a)
    two_minus_square = ((_ROOT_2 - x) + _ROOT_2_REST) * (_ROOT_2 + x)
    return _times_density(two_minus_square, a)


def _exp_limit(a):
    """Return the a beyond which e^a is held: 706.8 for float64 and 85.7 for float32."""
    dtype = np.result_type(a, np.float16)  # float16 adds nothing, but makes int float
    return float(np.log(np.finfo(dtype).max)) - 3


@underflows
def _exp(a):
    limit = _exp_limit(a)
    return np.exp(np.where(_real(a) < limit, a, limit))


@underflows
def _exp_dh(a):
    return np.where(_real(a) < _exp_limit(a), _exp(a), 0)


HIDDEN_UNITS = {
    unit.name: unit
    for unit in (
        HiddenUnit("identity", lambda a: +a, _ones, _zeros),
        HiddenUnit("tanh", underflows(np.tanh), _tanh_dh, _tanh_d2h),
        HiddenUnit("sigmoid", sigmoid, _sigmoid_dh, _sigmoid_d2h),
        HiddenUnit("softplus", softplus, sigmoid, _sigmoid_dh),
        # The slope at the kink a = 0 is taken as 0; the bend is 0 wherever it exists.
        HiddenUnit("relu", _relu, _relu_dh, _zeros),
        HiddenUnit("gelu", _gelu, _gelu_dh, _gelu_d2h),
        # e^a is held constant above `_exp_limit`, so its slope there is 0.
        HiddenUnit("exp", _exp, _exp_dh, _exp_dh),
    )
}
