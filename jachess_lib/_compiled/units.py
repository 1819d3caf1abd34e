"""The units of a network, element by element, and how all twins are compiled."""

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
elementwise = njit(**_HOW, fastmath={"contract"})
element = njit(**_HOW, fastmath={"contract"}, inline="always")


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
def _reduced(x):
    """Return (2^k, e^r − 1), where x = k ln 2 + r and |r| ≤ ½ ln 2; no branch."""
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
    return _number((_bits(shifted) + 1023) << 52), p


@element
def _exp_of_negative(x):
    """Return e^x for x ≤ 0; below −708, where it would leave the normal numbers, 0."""
    scale, p = _reduced(max(x, -708.0))
    return (scale * p + scale) * (x >= -708.0)


@element
def _tanh(a):
    # tanh|a| = −e/(2 + e) with e = e^(−2|a|) − 1, which keeps every digit near 0
    scale, p = _reduced(max(-2.0 * abs(a), -50.0))
    e = scale * p + (scale - 1.0)
    return math.copysign(-e / (2.0 + e), a)


@elementwise
def hidden_units(unit, a, slope, bend, second):
    """Put h(a) into `a` and h'(a) into `slope`, and h″(a) into `bend` if `second`."""
    if unit == 1:
        for i in range(a.size):
            z = _tanh(np.float64(a[i]))
            h = 1.0 - z * z
            a[i] = z
            slope[i] = h
            if second:
                bend[i] = -2.0 * z * h
    elif unit == 2 or unit == 3:
        for i in range(a.size):
            x = np.float64(a[i])
            e = _exp_of_negative(-abs(x))
            large, small = 1.0 / (1.0 + e), e / (1.0 + e)  # σ(|a|), σ(−|a|)
            plus = large if x >= 0 else small
            minus = small if x >= 0 else large
            if unit == 2:
                a[i] = plus
                slope[i] = plus * minus
                if second:
                    bend[i] = plus * minus * (minus - plus)
            else:
                a[i] = max(x, 0.0) + math.log1p(e)
                slope[i] = plus
                if second:
                    bend[i] = plus * minus
    else:
        for i in range(a.size):
            on = 1.0 if unit == 0 or a[i] > 0 else 0.0
            a[i] *= on
            slope[i] = on
            if second:
                bend[i] = 0.0


@elementwise
def outputs(output, a, y, m):
    """Put the outputs into `y` and what is needed of ∂y/∂a into `m`."""
    rows, K = a.shape
    if output == 0:
        for n in range(rows):
            for k in range(K):
                y[n, k] = a[n, k]
                m[n, k] = 1.0
    elif output == 1:
        for n in range(rows):
            for k in range(K):
                x = np.float64(a[n, k])
                e = _exp_of_negative(-abs(x))
                large, small = 1.0 / (1.0 + e), e / (1.0 + e)
                y[n, k] = large if x >= 0 else small
                m[n, k] = large * small
    else:
        for n in range(rows):
            largest = a[n, 0]
            for k in range(1, K):
                largest = max(largest, a[n, k])
            for k in range(K):
                a[n, k] -= largest
        flat = a.reshape(rows * K)
        for i in range(flat.size):
            flat[i] = _exp_of_negative(np.float64(flat[i]))
        for n in range(rows):
            total = 0.0
            for k in range(K):
                total += a[n, k]
            for k in range(K):
                y[n, k] = a[n, k] / total
                m[n, k] = y[n, k]
