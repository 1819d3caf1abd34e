"""Compiled twins of the sweeps whose cost in NumPy is calls and passes over memory.

Used where Numba is installed (`pip install "jachess-lib[fast]"`), and only by
`_kernels`. Nothing is derived here: each twin computes what the chapter's own lines
compute, a few patterns at a time, and the tests hold the two against each other.

The functions below are what stands in: they have the names and the arguments of those
they stand in for.
"""

from typing import NamedTuple

import numpy as np

from jachess_lib._compiled.curvature import square_matrix
from jachess_lib._compiled.curvature import sum_of_squares as _sum_of_squares
from jachess_lib._compiled.jacobians import input_jacobian, parameter_jacobian
from jachess_lib._compiled.products import (
    linearise,
    linearise_and_multiply,
    multiply,
)
from jachess_lib._compiled.units import OUTPUTS, UNITS

# The largest P of a square matrix that is filled here: products of long rows of
# patterns, as in `_kernels`, are faster above.
_LARGEST_SQUARE = 256


def takes(name, net, arrays):
    """Return whether this function was compiled for such a network and such arrays."""
    return (
        (name != "fill_square" or net.n_parameters <= _LARGEST_SQUARE)
        and all(unit.name in UNITS for unit in net.hidden)
        and len(arrays[0]) > 0
        and net.w.dtype.kind == "f"
        and all(A.dtype == net.w.dtype and A.flags.c_contiguous for A in arrays)
    )


def _numbers(net):
    """Return w, the sizes, the hidden units and the output unit as Numba takes them."""
    units = np.array([UNITS[unit.name] for unit in net.hidden], np.int64)
    return net.w, np.array(net.sizes, np.int64), units, OUTPUTS[net.output.name]


def from_outputs(net, X, J):
    """Stand in for `jacobian.from_outputs`."""
    input_jacobian(*_numbers(net), X, J)


def of_parameters(net, X, of, J):
    """Stand in for `jacobian.of_parameters`."""
    parameter_jacobian(*_numbers(net), X, of == "outputs", J)


class CompiledLinearisation(NamedTuple):
    """Stand in for `hessian_vector.Linearisation`."""

    net: object
    n_patterns: int
    exact: bool
    state: np.ndarray

    @property
    def dtype(self):
        """The precision of the products."""
        return self.state.dtype

    def times(self, v):
        """Return what `hessian_vector.product` does, for v of shape (…, P)."""
        dtype = np.result_type(v, self.dtype)
        if dtype.kind == "c":
            Hv = np.empty(v.shape, dtype)
            Hv.real, Hv.imag = self.times(v.real), self.times(v.imag)
            return Hv
        # a vector of double precision keeps it, whatever the network's is
        number = np.float32 if dtype == np.float32 else np.float64
        w, sizes, _, output = _numbers(self.net)
        w, state = (A.astype(number, copy=False) for A in (w, self.state))
        fixed = w, sizes, output, self.n_patterns, self.exact, state
        rows = np.ascontiguousarray(v, number)
        if v.ndim == 1:
            return multiply(*fixed, rows).astype(dtype, copy=False)
        Hv = [multiply(*fixed, row) for row in rows.reshape(-1, len(w))]
        return np.array(Hv, dtype).reshape(v.shape)


def linearised(net, X, T):
    """Stand in for `hessian_vector.linearised`."""
    state = linearise(*_numbers(net), X, *_targets(net, X, T))
    return CompiledLinearisation(net, len(X), T is not None, state)


def linearised_product(net, X, T, v):
    """Stand in for `hessian_vector.linearised_product`."""
    return linearise_and_multiply(*_numbers(net), X, *_targets(net, X, T), v)


def _targets(net, X, T):
    """Return T, or an array that stands for none, and whether there are any."""
    if T is None:
        return np.empty((0, net.sizes[-1]), X.dtype), False
    return T, True


def sum_of_squares(net, X):
    """Stand in for `outer_product.sum_of_squares`."""
    return _sum_of_squares(*_numbers(net), X)


def fill_square(net, X, T, H):
    """Stand in for `hessian.fill_square`, where H is small."""
    square_matrix(*_numbers(net), X, *_targets(net, X, T), H)
