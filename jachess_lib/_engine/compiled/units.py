"""The units of a network, element by element, and how everything here is compiled."""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

UNITS = {"identity": 0, "tanh": 1, "sigmoid": 2, "softplus": 3, "relu": 4}
OUTPUTS = {"linear": 0, "sigmoid": 1, "softmax": 2}

# "numpy" lets a division by zero be an infinity, and with it a loop be vectorised.
_HOW = {"cache": True, "nogil": True, "error_model": "numpy"}
compiled = njit(**_HOW)
# "contract" lets a·b + c be one instruction; nothing else about rounding is given up.
# Every such function calls `widest_vectors`.
elementwise = njit(**_HOW, fastmath={"contract"})
element = njit(**_HOW, fastmath={"contract"}, inline="always")


@intrinsic
def widest_vectors(typing_context):
    """Let the loops of this function use the longest vectors of the processor.

    LLVM halves them on many, where a few long ones in much other code slow it down.
    """

    def prefer(context, builder, signature, arguments):
        # past a check of the names, which does not know this one
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), prefer


@intrinsic
def _bits(typing_context, x):
    def cast(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), cast


@intrinsic
def _number(typing_context, x):
    def cast(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), cast


_LOG2_E = 1 / math.log(2)
_LN2_HIGH = 6.93147180369123816490e-01  # its product with any |k| < 2^20 is exact
_LN2_LOW = 1.90821492927058770002e-10
_ROUNDER = 1.5 * 2.0**52  # x + _ROUNDER has the whole part of x in its last bits


@element
def _reduced(x, more):
    """Return (2^(k + more), e^r − 1), where x = k ln 2 + r and |r| ≤ ½ ln 2."""
    shifted = x * _LOG2_E + _ROUNDER
    k = shifted - _ROUNDER
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r * r + r
    return _number((_bits(shifted) + 1023 + more) << 52), p


@element
def _decay(x):
    """Return (e^x, e^x − 1) for x ≤ 0, each to its last digits; no branch."""
    # below −708 the result leaves the normal numbers, and so would its scale
    deep = x < -700.0
    scale, p = _reduced(max(x, -746.0), 64 if deep else 0)
    e = (scale * p + scale) * (2.0**-64 if deep else 1.0)
    return e, (-1.0 if deep else scale * p + (scale - 1.0))


@element
def _tanh(a):
    """Return tanh(a) and 1/cosh²(a): not 1 − tanh², which loses its digits."""
    e, less_one = _decay(-2.0 * abs(a))
    share = 1.0 / (1.0 + e)  # one division for both: it takes as long as ten products
    return math.copysign(less_one * share, a), 4.0 * e * share * share


@intrinsic
def _bits_of_single(typing_context, x):
    def cast(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), cast


@intrinsic
def _single(typing_context, x):
    def cast(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), cast


# The same in single precision, for twice as many at a time: a literal would be double.
_f = np.float32
_F1, _F4, _HALF, _TWO = _f(1), _f(4), _f(0.5), _f(2)
_F_LOG2_E, _F_ROUNDER = _f(_LOG2_E), _f(1.5 * 2.0**23)
_F_LN2_HIGH, _F_LN2_LOW = _f(0.693359375), _f(-2.12194440e-4)
_TERM_3, _TERM_4, _TERM_5, _TERM_6, _TERM_7 = (
    _f(1 / math.factorial(n)) for n in (3, 4, 5, 6, 7)
)
_F_DEEP, _F_LOWEST, _F_RAISED = _f(-86), _f(-104), _f(2.0**-32)


@element
def _decay_in_single(x):
    """Return (e^x, e^x − 1) for x ≤ 0 as `_decay` does, in single precision."""
    deep = x < _F_DEEP
    x = max(x, _F_LOWEST)
    shifted = x * _F_LOG2_E + _F_ROUNDER
    k = shifted - _F_ROUNDER
    r = (x - k * _F_LN2_HIGH) - k * _F_LN2_LOW
    p = _TERM_7
    p = p * r + _TERM_6
    p = p * r + _TERM_5
    p = p * r + _TERM_4
    p = p * r + _TERM_3
    p = p * r + _HALF
    p = p * r * r + r
    more = np.int32(32) if deep else np.int32(0)
    scale = _single(np.int32((_bits_of_single(shifted) + np.int32(127) + more) << 23))
    e = (scale * p + scale) * (_F_RAISED if deep else _F1)
    return e, (-_F1 if deep else scale * p + (scale - _F1))


@element
def _tanh_in_single(a):
    """Return tanh(a) and 1/cosh²(a) as `_tanh` does, in single precision."""
    e, less_one = _decay_in_single(-_TWO * abs(a))
    share = _F1 / (_F1 + e)
    return math.copysign(less_one * share, a), _F4 * e * share * share


@element
def _sigmoid(x):
    """Return σ(x), σ(−x) and σ(−x) − σ(x)."""
    e, less_one = _decay(-abs(x))
    large = 1.0 / (1.0 + e)
    small = e * large
    difference = math.copysign(less_one * large, -x)
    return (large if x >= 0 else small), (small if x >= 0 else large), difference


@elementwise
def hidden_units(unit, a, slope, bend, derivatives):
    """Put h(a) into `a`, and of one or two `derivatives` h'(a) and h″(a) beside it."""
    widest_vectors()
    if unit == 1 and a.itemsize == 4:
        for i in range(a.size):
            z, h = _tanh_in_single(np.float32(a[i]))
            a[i] = z
            if derivatives > 0:
                slope[i] = h
            if derivatives > 1:
                bend[i] = -_TWO * z * h
    elif unit == 1:
        for i in range(a.size):
            z, h = _tanh(np.float64(a[i]))
            a[i] = z
            if derivatives > 0:
                slope[i] = h
            if derivatives > 1:
                bend[i] = -2.0 * z * h
    elif unit == 2 or unit == 3:
        for i in range(a.size):
            x = np.float64(a[i])
            plus, minus, difference = _sigmoid(x)
            if unit == 2:
                a[i] = plus
                if derivatives > 0:
                    slope[i] = plus * minus
                if derivatives > 1:
                    bend[i] = plus * minus * difference
            else:
                a[i] = max(x, 0.0) + math.log1p(_decay(-abs(x))[0])
                if derivatives > 0:
                    slope[i] = plus
                if derivatives > 1:
                    bend[i] = plus * minus
    else:
        for i in range(a.size):
            on = 1.0 if unit == 0 or a[i] > 0 else 0.0
            a[i] *= on
            if derivatives > 0:
                slope[i] = on
            if derivatives > 1:
                bend[i] = 0.0


@element
def _lost(x, largest, below):
    """Return what the difference `below` lost to rounding, exactly."""
    shifted = below - x
    return (x - (below - shifted)) - (largest + shifted)


@elementwise
def largest_of(a, largest, top):
    """Put the largest number of every pattern into `largest`, its place into `top`."""
    widest_vectors()
    K, rows = a.shape
    for n in range(rows):
        largest[n] = a[0, n]
        top[n] = 0.0
    for k in range(1, K):
        for n in range(rows):
            more = a[k, n] > largest[n]
            top[n] = k if more else top[n]
            largest[n] = a[k, n] if more else largest[n]


@elementwise
def outputs(output, a, y, m, rest):
    """Put the outputs into `y`, what is needed of ∂y/∂a into `m`, 1 − y into `rest`.

    All are of shape (K, rows).
    """
    widest_vectors()
    K, rows = a.shape
    if output == 0:
        y[:] = a
        m[:] = 1.0
        rest[:] = 0.0  # not asked for
    elif output == 1:
        for k in range(K):
            for n in range(rows):
                plus, minus, _ = _sigmoid(np.float64(a[k, n]))
                y[k, n] = plus
                m[k, n] = plus * minus
                rest[k, n] = minus
    else:
        room = np.empty((3, rows))
        largest, top, others = room[0], room[1], room[2]
        largest_of(a, largest, top)
        others[:] = 0.0
        for k in range(K):
            for n in range(rows):
                x = np.float64(a[k, n])
                below = x - largest[n]
                x = _decay(below)[0] * (1.0 + _lost(x, largest[n], below))
                a[k, n] = x
                others[n] += 0.0 if top[n] == k else x
        for k in range(K):
            for n in range(rows):
                total = 1.0 + others[n]
                share = a[k, n] / total
                y[k, n] = share
                m[k, n] = share
                rest[k, n] = others[n] / total if top[n] == k else 1.0 - share


@elementwise
def errors(output, a, t):
    """Return Σ_n E_n in double precision; every term is positive.

    The activations and the targets are of shape (K, rows).
    """
    widest_vectors()
    K, rows = a.shape
    total = 0.0
    if output == 2:
        # ln(1 + Σ e^(a_l − a_max)) − Σ t_k (a_k − a_max), the first sum over all but
        # the largest
        room = np.empty((4, rows))
        largest, top, others, terms = room[0], room[1], room[2], room[3]
        largest_of(a, largest, top)
        others[:] = 0.0
        terms[:] = 0.0
        for k in range(K):
            for n in range(rows):
                x = np.float64(a[k, n])
                below = x - largest[n]
                terms[n] -= t[k, n] * below
                x = _decay(below)[0] * (1.0 + _lost(x, largest[n], below))
                others[n] += 0.0 if top[n] == k else x
        for n in range(rows):
            total += terms[n] + math.log1p(others[n])
        return total
    for k in range(K):
        for n in range(rows):
            x, goal = np.float64(a[k, n]), np.float64(t[k, n])
            if output == 0:
                total += 0.5 * (x - goal) ** 2
            else:
                total += abs(x) * (1.0 - goal if x > 0 else goal)
                total += math.log1p(_decay(-abs(x))[0])
    return total


@elementwise
def _finite(array):
    widest_vectors()
    others = 0  # counted, for so the loop has no branch
    for i in range(array.size):
        others += 0 if abs(array[i]) < np.inf else 1
    return others == 0


@compiled
def sound(output, X, T, v):
    """Return whether all is finite and the targets suit the output unit, for sure."""
    if not (_finite(X.reshape(X.size)) and _finite(v)):
        return False
    if output == 0:
        return _finite(T.reshape(T.size))
    for n in range(len(T)):
        total = 0.0
        for k in range(T.shape[1]):
            if not 0.0 <= T[n, k] <= 1.0:
                return False
            total += T[n, k]
        if output == 2 and abs(total - 1.0) > 5e-6:
            return False
    return True
