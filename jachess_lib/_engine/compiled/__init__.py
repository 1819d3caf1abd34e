"""Compiled functions of the sweeps whose cost in NumPy is calls and passes over memory.

Used where Numba is installed (`pip install "jachess-lib[fast]"`). Nothing is derived
here: each computes what the lesson's own lines compute, a few patterns at a time, and
the tests hold them against each other. The functions below have the names and the
arguments of those they stand in for.
"""

import threading
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from jachess_lib._engine.compiled.backpropagation import error as _error
from jachess_lib._engine.compiled.backpropagation import (
    error_gradient as _error_gradient,
)
from jachess_lib._engine.compiled.hessian import square_matrix, sum_of_squares
from jachess_lib._engine.compiled.hessian_vector import linearise as _linearise
from jachess_lib._engine.compiled.hessian_vector import linearise_and_multiply, multiply
from jachess_lib._engine.compiled.jacobian import input_jacobian as _input_jacobian
from jachess_lib._engine.compiled.jacobian import (
    parameter_jacobian as _parameter_jacobian,
)
from jachess_lib._engine.compiled.sweeps import layout, room_needed
from jachess_lib._engine.compiled.units import OUTPUTS, UNITS, sound

# The largest P of a square matrix that is filled here: products of long rows of
# patterns, as in `_kernels`, are faster above.
_LARGEST_SQUARE = 256


_SQUARES = ("exact_hessian", "outer_product_hessian")
_FUNCTIONS = (
    *_SQUARES,
    "error",
    "error_gradient",
    "input_jacobian",
    "parameter_jacobian",
    "linearise",
    "hessian_vector_product",
    "gauss_newton_vector_product",
    "outer_product_diagonal",
)


def takes(name, net, arrays):
    """Return whether this function was compiled for such a network and such arrays."""
    return (
        _takes_network(name, net)
        and len(arrays[0]) > 0
        and net.w.dtype.kind == "f"
        and all(A.dtype == net.w.dtype and A.flags.c_contiguous for A in arrays)
    )


def _takes_network(name, net):
    return (
        name in _FUNCTIONS
        and (name not in _SQUARES or net.n_parameters <= _LARGEST_SQUARE)
        and (name != "input_jacobian" or net.sizes[-1] <= net.sizes[0])
        and _structure(net.sizes, net.hidden, net.output.name) is not None
    )


_LOOKED_AT = {"net", "X", "T", "v"}


def ready(name, given):
    """Return whether the arguments of a caller are what its checks would return.

    They are arrays as `takes` wants them, finite, and of targets that suit the output.
    """
    net, X = given.get("net"), given.get("X")
    w = getattr(net, "w", None)
    if not (given.keys() <= _LOOKED_AT and isinstance(w, np.ndarray)):
        return False
    D, K = net.sizes[0], net.sizes[-1]
    if not (_is_array(X, w.dtype, 2) and X.shape[1] == D and len(X) > 0):
        return False
    if "T" in given:
        T = given["T"]
        if not (_is_array(T, w.dtype, 2) and T.shape == (len(X), K)):
            return False
    else:
        T = _none(2, w.dtype)
    if "v" in given:
        v = given["v"]
        if not (_is_array(v, w.dtype, 1) and v.shape == w.shape):
            return False
    else:
        v = _none(1, w.dtype)
    return (
        w.dtype.kind == "f"
        and _takes_network(name, net)
        and sound(OUTPUTS[net.output.name], X, T, v)
    )


def _is_array(value, dtype, ndim):
    return (
        type(value) is np.ndarray
        and value.dtype == dtype
        and value.ndim == ndim
        and value.flags.c_contiguous
    )


@cache
def _none(ndim, dtype):
    return np.empty((0,) * ndim, dtype)


@lru_cache(maxsize=64)
def _structure(sizes, hidden, output):
    """Return sizes, hidden units and output unit as Numba takes them, or None."""
    if not all(unit.name in UNITS for unit in hidden):
        return None
    units = np.array([UNITS[unit.name] for unit in hidden], np.int64)
    return np.array(sizes, np.int64), units, OUTPUTS[output]


def _numbers(net):
    """Return w, and the structure of the network."""
    return net.w, *_structure(net.sizes, net.hidden, net.output.name)


# Bytes that a thread keeps for its next call.
_MOST_KEPT = 1 << 25
_kept = threading.local()
_DOUBLE = np.dtype(float)


@lru_cache(maxsize=64)
def _numbers_needed(sizes, n_patterns, units):
    return room_needed(np.array(sizes, np.int64), n_patterns, units)


@lru_cache(maxsize=64)
def _width(sizes):
    return int(layout(np.array(sizes, np.int64))[1])


def _memory(size, dtype):
    """Return memory for numbers, that are written before they are read.

    The system hands out fresh memory page by page, when it is first touched, and for a
    wide network that takes a third of the time of a product. So a thread keeps it.
    """
    kept = _kept.__dict__
    room = kept.get(dtype)
    if room is None or room.size < size:
        room = _fresh(size, dtype)
        if room.nbytes <= _MOST_KEPT:
            kept[dtype] = room
    return room


def _fresh(size, dtype):
    """Return memory that starts with a cache line, as what is cut from it then does."""
    room = np.empty(size + 16, dtype)
    first = -(room.ctypes.data // dtype.itemsize) % 16
    return room[first : first + size]


def _room(net, X, units=0):
    """Return the memory that a function takes while it works; `units` of `front_of`."""
    return _memory(_numbers_needed(net.sizes, len(X), units), X.dtype)


def _sum(net, n_patterns, function, w, *given, units=0):
    """Return, in the precision of w, what a function sums in double precision."""
    room = _memory(_numbers_needed(net.sizes, n_patterns, units), w.dtype)
    single = w.dtype == np.float32  # then the sums lie apart from the room
    total = _memory(w.size, _DOUBLE)[: w.size] if single else np.empty(w.size)
    function(w, *given, total, room)
    return total.astype(w.dtype, copy=False)


def error(net, X, T):
    """Stand in for the blocked `error`."""
    return np.asarray(_error(*_numbers(net), X, T, _room(net, X)))


def error_gradient(net, X, T):
    """Stand in for the blocked `error_gradient`."""
    return _sum(net, len(X), _error_gradient, *_numbers(net), X, T)


def input_jacobian(net, X, out):
    """Stand in for the blocked `input_jacobian`, from the outputs back."""
    _input_jacobian(*_numbers(net), X, out, _room(net, X, 1))
    return out


def parameter_jacobian(net, X, of, out):
    """Stand in for the blocked `parameter_jacobian`."""
    _parameter_jacobian(*_numbers(net), X, of == "outputs", out, _room(net, X, 2))
    return out


class CompiledLinearisation(NamedTuple):
    """Stand in for the blocked `Linearisation`."""

    net: object
    n_patterns: int
    exact: bool
    state: np.ndarray

    engine = "compiled"

    @property
    def dtype(self):
        """The precision of the products."""
        return self.state.dtype

    def times(self, v):
        """Return Hv (or Σ JᵀMJv) for v of shape (…, P)."""
        dtype = np.result_type(v, self.dtype)
        if dtype.kind == "c":
            Hv = np.empty(v.shape, dtype)
            Hv.real, Hv.imag = self.times(v.real), self.times(v.imag)
            return Hv
        # a vector of double precision keeps it, whatever the network's is
        number = np.float32 if dtype == np.float32 else np.float64
        w, *structure = _numbers(self.net)
        w = w.astype(number, copy=False)
        with np.errstate(all="ignore"):  # what was not needed was never written
            state = self.state.astype(number, copy=False)
        itemsize = self.state.itemsize  # which says how many patterns a block has
        fixed = w, *structure, self.n_patterns, self.exact, state, itemsize
        rows = np.ascontiguousarray(v, number)
        if v.ndim == 1:
            return self._product(fixed, rows).astype(dtype, copy=False)
        Hv = [self._product(fixed, row) for row in rows.reshape(-1, len(w))]
        return np.array(Hv, dtype).reshape(v.shape)

    def _product(self, fixed, v):
        return _sum(self.net, self.n_patterns, multiply, *fixed, v)


def linearise(net, X, T):
    """Stand in for the blocked `linearise`."""
    state = _fresh(len(X) * _width(net.sizes), X.dtype)
    _linearise(*_numbers(net), X, *_targets(net, X, T), state, _room(net, X))
    return CompiledLinearisation(net, len(X), T is not None, state)


def hessian_vector_product(net, X, T, v):
    """Stand in for the blocked `hessian_vector_product`."""
    given = *_numbers(net), X, *_targets(net, X, T), v
    return _sum(net, len(X), linearise_and_multiply, *given)


def gauss_newton_vector_product(net, X, v):
    """Stand in for the blocked `gauss_newton_vector_product`."""
    return hessian_vector_product(net, X, None, v)


def _targets(net, X, T):
    """Return T, or an array that stands for none, and whether there are any."""
    if T is None:
        return np.empty((0, net.sizes[-1]), X.dtype), False
    return T, True


def outer_product_diagonal(net, X):
    """Stand in for the blocked `outer_product_diagonal`."""
    return _sum(net, len(X), sum_of_squares, *_numbers(net), X, units=1)


def exact_hessian(net, X, T, out):
    """Stand in for the blocked `exact_hessian`, where H is small."""
    square_matrix(*_numbers(net), X, *_targets(net, X, T), out, _room(net, X))
    return out


def outer_product_hessian(net, X, out):
    """Stand in for the blocked `outer_product_hessian`, where it is small."""
    square_matrix(*_numbers(net), X, *_targets(net, X, None), out, _room(net, X))
    return out
