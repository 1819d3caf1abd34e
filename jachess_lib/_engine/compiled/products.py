"""Matrix products that BLAS adds to what is there, and that take views with gaps.

`np.dot` does neither: a sum would take a second pass over memory, and the weights
without their biases a copy. It calls the routine below itself.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from jachess_lib._engine.compiled.units import compiled, elementwise, widest_vectors

# Products of three sizes up to which OpenBLAS has kernels that copy no factor first,
# and the smallest depth that is worth a call of its own.
_SMALL = 1_000_000
_SHALLOWEST = 32
# Patterns that may be summed in single precision: a sum of that many equal numbers is
# off by 2e-6 at most. More are added in double precision.
MOST_IN_SINGLE = 64
# Sizes of a sum between which BLAS is faster with a factor turned.
_TURNED_FROM, _TURNED_TO = 4000, 1 << 20

_BYTE, _FLAG, _SIZE = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_POINTER = _BYTE.as_pointer()
_MATRIX = [_POINTER, _SIZE]  # and the step from line to line
# Precision, which factors are turned, m, n, k, α, B, A, β, C.
_ROUTINE = ir.FunctionType(
    _FLAG,
    [_BYTE] * 3 + [_SIZE] * 3 + [_POINTER, *_MATRIX, *_MATRIX] + [_POINTER, *_MATRIX],
)


@intrinsic
def _gemm(typing_context, A, B, C, turned, shape, steps, add):
    """Let BLAS put A B into C, or add it; BLAS counts by columns: Cᵀ = Bᵀ Aᵀ."""
    if A.dtype != B.dtype:
        raise TypingError("both factors must have the same precision")

    def call(context, builder, signature, arguments):
        def letter(turned):
            return builder.select(turned, *(ir.Constant(_BYTE, ord(c)) for c in "tn"))

        def address(number):
            place = cgutils.alloca_once_value(builder, number)
            return builder.bitcast(place, _POINTER)

        a, b, c = (
            builder.bitcast(
                context.make_array(kind)(context, builder, value).data, _POINTER
            )
            for kind, value in zip((A, B, C), arguments[:3], strict=True)
        )
        turned_a, turned_b = cgutils.unpack_tuple(builder, arguments[3], 2)
        m, k, n = cgutils.unpack_tuple(builder, arguments[4], 3)
        step_a, step_b, step_c = cgutils.unpack_tuple(builder, arguments[5], 3)
        one, zero = (ir.Constant(context.get_data_type(A.dtype), x) for x in (1.0, 0.0))
        precision = ir.Constant(_BYTE, ord("d" if A.dtype == types.float64 else "s"))
        beta = address(builder.select(arguments[6], one, zero))
        given = [precision, letter(turned_b), letter(turned_a), n, m, k]
        given += [address(one), b, step_b, a, step_a, beta, c, step_c]
        routine = cgutils.get_or_insert_function(
            builder.module, _ROUTINE, "numba_xxgemm"
        )
        builder.call(routine, given)
        return context.get_dummy_value()

    return types.void(A, B, C, turned, shape, steps, add), call


@compiled
def _storage(A):
    """Return whether A is stored by columns, and how far apart its lines lie."""
    rows, columns = A.shape
    by_columns = A.strides[1] != A.itemsize
    step = (A.strides[1] if by_columns else A.strides[0]) // A.itemsize
    return by_columns, max(step, rows if by_columns else columns)


@compiled
def product(A, B, C, add):
    """Put A B into C, or add it to what is there.

    A and B may be stored by rows or by columns, C by rows, and all may have gaps.
    """
    m, k = A.shape
    n = B.shape[1]
    turned_a, step_a = _storage(A)
    turned_b, step_b = _storage(B)
    step_c = max(C.strides[0] // C.itemsize, n)
    depth = k
    if m * n * k > _SMALL and m * n * _SHALLOWEST <= _SMALL:
        depth = _SMALL // (m * n) // 8 * 8
    for first in range(0, k, depth):
        _gemm(
            A[:, first:],
            B[first:],
            C,
            (turned_a, turned_b),
            (m, min(depth, k - first), n),
            (step_a, step_b, step_c),
            add or first > 0,
        )


# A square of eight by eight, whose loops have a fixed end, is turned in registers.
_SQUARE = 8


@elementwise
def turn(A, turned):
    """Put Aᵀ into `turned`."""
    widest_vectors()
    J, I = A.shape
    whole_j, whole_i = J // _SQUARE * _SQUARE, I // _SQUARE * _SQUARE
    for i in range(0, whole_i, _SQUARE):
        for j in range(0, whole_j, _SQUARE):
            for p in range(_SQUARE):
                for q in range(_SQUARE):
                    turned[i + p, j + q] = A[j + q, i + p]
    for i in range(I):
        for j in range(whole_j if i < whole_i else 0, J):
            turned[i, j] = A[j, i]


@compiled
def room_of_sum(sizes):
    """Return how many numbers `add_sum` takes for any layer: two sums and a factor."""
    share = turned = 0
    for l in range(len(sizes) - 1):
        J, I = sizes[l + 1], 1 + sizes[l]
        share = max(share, J * I)
        if J * I >= _TURNED_FROM:
            turned = max(turned, _TURNED_TO // J + 1)
    return 2 * share + turned


@compiled
def add_sum(left, right, total, room):
    """Add Σ_n left[j, n] right[i, n] to total[j, i], which has double precision."""
    J, rows = left.shape
    I = len(right)
    if J * I >= _TURNED_FROM and J * I * rows <= _TURNED_TO:
        turned = room[: rows * I].reshape(rows, I)
        turn(right, turned)
        _add_product(left, turned, total, room[rows * I :])
    else:
        _add_product(left, right.T, total, room)


@compiled
def _add_product(A, B, total, room):
    if A.dtype == total.dtype:
        product(A, B, total, True)
        return
    J, rows = A.shape
    I, half = B.shape[1], min(rows, MOST_IN_SINGLE)
    share = room[: J * I].reshape(J, I)
    product(A[:, :half], B[:half], share, False)
    if rows > half:
        other = room[J * I : 2 * J * I].reshape(J, I)
        product(A[:, half:], B[half:], other, False)
        _add_both(share, other, total)
    else:
        _add(share, total)


@elementwise
def _add(share, total):
    widest_vectors()
    for j in range(share.shape[0]):
        for i in range(share.shape[1]):
            total[j, i] += share[j, i]


@elementwise
def _add_both(share, other, total):
    widest_vectors()
    for j in range(share.shape[0]):
        for i in range(share.shape[1]):
            total[j, i] += np.float64(share[j, i]) + other[j, i]
