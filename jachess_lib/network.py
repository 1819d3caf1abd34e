"""One network, one vector: layered networks and their forward pass.

| symbol | code | shape |
| --- | --- | --- |
| X, y | `X`, `trace.y` | (N, D), (N, K) |
| w_ji, w_j0 | `net.W[l][j, i]`, column 0 | (M_out, 1 + M_in) |
| w | `net.w` | (P,) |
| a_nj, z_nj with z_n0 = 1 | `trace.a[l]`, `trace.z[l]` | (N, M), (N, 1 + M) |

Layers count from 0: `trace.z[l]` goes into weight layer l, `trace.a[l]` comes out of
it, and `trace.z[0][:, 1:]` is X. All values are pure numbers unless X or T has units.

Source: Bishop & Bishop, *Deep Learning* (2024), §6.2 and §8.1.
"""

from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from jachess_lib._engine import lesson
from jachess_lib._engine.inputs import (
    check_hidden_units,
    check_index,
    check_labels,
    check_sizes,
    check_unit,
    check_vector,
    result_array,
)
from jachess_lib.hidden_units import HIDDEN_UNITS
from jachess_lib.output_units import OUTPUT_UNITS, OutputUnit

__all__ = ["Network", "Trace", "forward", "one_hot"]


class Trace(NamedTuple):
    """What one forward pass computed: `a` and `z` by layer, and the outputs `y`."""

    a: list
    z: list
    y: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A layered network whose parameters are one flat vector. It never changes.

    Two networks are equal if their sizes, units and parameters are.

    Parameters
    ----------
    sizes : sequence of int
        Units in each layer, (D, M, …, K): inputs first, outputs last.
    w : array, shape (P,)
        All parameters: W[0] row by row, then W[1], …; column 0 of each is the bias.
    hidden : str or sequence of str
        One name of `HIDDEN_UNITS` for all hidden layers, or one for each. The units
        themselves will do as well, and so does a `HiddenUnit` of your own.
    output : str
        A name of `OUTPUT_UNITS`, or that unit; it also fixes the error (canonical
        pairs).

    Attributes
    ----------
    W : tuple of arrays, shapes (M_out, 1 + M_in)
        Read-only views into `w`, one for each weight layer.
    slices : tuple of slice
        Where each weight layer stands in `w`.

    Raises
    ------
    ValueError
        If the sizes, the length of `w` or a unit's name cannot be used.

    Examples
    --------
    >>> net = Network((2, 3, 1), [0.1] * 13)
    >>> net.n_parameters, net.depth
    (13, 2)
    >>> net.W[0].shape
    (3, 3)
    """

    sizes: tuple
    w: np.ndarray
    hidden: tuple = "tanh"
    output: OutputUnit = "linear"
    W: tuple = field(init=False)
    slices: tuple = field(init=False)

    def __post_init__(self):
        sizes = check_sizes(self.sizes)
        starts = np.cumsum(
            [0, *(m_out * (1 + m_in) for m_in, m_out in pairwise(sizes))]
        )
        self._set(
            sizes=sizes,
            hidden=check_hidden_units(self.hidden, HIDDEN_UNITS, len(sizes) - 2),
            output=check_unit("output", self.output, OUTPUT_UNITS),
            slices=tuple(slice(int(p), int(q)) for p, q in pairwise(starts)),
        )
        self._set_parameters(check_vector("w", self.w, self.n_parameters))

    def _set(self, **values):
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _set_parameters(self, w):
        # over bytes, which nobody can make writable again, as an array's flag could be
        w = np.frombuffer(w.tobytes(), w.dtype)
        self._set(
            w=w,
            W=tuple(
                w[s].reshape(m_out, -1)
                for s, m_out in zip(self.slices, self.sizes[1:], strict=True)
            ),
        )

    @classmethod
    def random(cls, sizes, hidden="tanh", output="linear", seed=0):
        """Return a network with independent normal weights of variance 1/(1 + M_in)."""
        sizes = check_sizes(sizes)
        rng = np.random.default_rng(seed)
        layers = [
            rng.standard_normal(m_out * (1 + m_in)) / np.sqrt(1 + m_in)
            for m_in, m_out in pairwise(sizes)
        ]
        return cls(sizes, np.concatenate(layers), hidden, output)

    @property
    def depth(self):
        """The number of weight layers."""
        return len(self.sizes) - 1

    @property
    def n_parameters(self):
        """The number of parameters P."""
        return self.slices[-1].stop

    def with_parameters(self, w):
        """Return the same network with other parameters, of shape (P,).

        Here `w` may be complex, so that a complex step can check a gradient.
        """
        new = copy(self)
        new._set_parameters(
            check_vector("w", w, self.n_parameters, complex_allowed=True)
        )
        return new

    def with_output(self, unit):
        """Return the same network with another output unit."""
        new = copy(self)
        new._set(output=unit)
        return new

    def index(self, layer, j, i):
        """Return the place in `w` of the weight to unit j from unit i (i = 0: bias)."""
        check_index("layer", layer, self.depth)
        m_out, columns = self.W[layer].shape
        check_index("j", j, m_out)
        check_index("i", i, columns)
        # eq-network-index: place of w_ji = start of the layer + j (1 + M_in) + i
        return self.slices[layer].start + j * columns + i

    def __call__(self, X):
        """Return the outputs y, of shape (N, K)."""
        return forward(self, X).y

    def __reduce__(self):
        return _network, self._key()

    def __eq__(self, other):
        if not isinstance(other, Network):
            return NotImplemented
        # two arrays of one dtype are equal as numbers, so that −0 equals 0
        return (
            self._key()[1:] == other._key()[1:]
            and self.w.dtype == other.w.dtype
            and np.array_equal(self.w, other.w)
        )

    def __hash__(self):
        return hash((self._key()[1:], (self.w + 0).tobytes()))  # −0 + 0 is 0

    def _key(self):
        """Return what makes this network, in things that can be pickled."""
        return self.w, self.sizes, self.hidden, self.output.name

    def __copy__(self):
        new = object.__new__(Network)
        new.__dict__.update(self.__dict__)
        return new

    def __repr__(self):
        hidden = ", ".join(unit.name for unit in self.hidden) or "none"
        sizes = "-".join(map(str, self.sizes))
        return (
            f"<Network {sizes}, hidden: {hidden}, output: {self.output.name}, "
            f"P = {self.n_parameters}>"
        )


def _network(w, sizes, hidden, output):
    """Return a network again from what it was pickled as; w may be complex."""
    return Network(sizes, w.real, hidden, output).with_parameters(w)


@lesson()
def forward(net, X):
    """Return the Trace (a, z, y) of the batch X, one forward pass, O(N P).

    Parameters
    ----------
    X : array, shape (N, D)
        Patterns, one a row; complex values are allowed.

    Raises
    ------
    ValueError
        If X has another shape or an entry that is not finite.
    """
    a, z = [], [with_constant_unit(X)]
    for l in range(net.depth):
        # eq-network-sum: a_j = Σ_i w_ji z_i
        a.append(z[l] @ net.W[l].T)
        if l < net.depth - 1:
            # eq-network-unit: z_j = h(a_j)
            z.append(with_constant_unit(net.hidden[l].h(a[l])))
    return Trace(a, z, net.output.y(a[-1]))


def with_constant_unit(z, constant=1):
    """Return z with the unit z_0 = 1 of the bias in front, of shape (N, 1 + M)."""
    return np.concatenate([np.full_like(z[:, :1], constant), z], axis=1)


def one_hot(labels, n_classes):
    """Return T[n, k] = 1 where k is the label of pattern n and else 0, (N, K).

    Raises
    ------
    ValueError
        If the labels are not whole numbers from 0 to n_classes − 1 in one dimension,
        or n_classes is not a positive whole number.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = check_labels(labels, n_classes)
    T = result_array(None, (len(labels), n_classes), np.float64)
    T[...] = 0
    T[np.arange(len(labels)), labels] = 1
    return T
