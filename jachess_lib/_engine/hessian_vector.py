"""Products with a vector: linearised once, for one vector or a few at a time."""

from importlib import import_module
from typing import NamedTuple

import numpy as np

from jachess_lib._engine import choice
from jachess_lib._engine.connection import Task, of_parameters, weighted
from jachess_lib._engine.inputs import (
    check_direction,
    check_inputs,
    check_targets,
    require_given,
)
from jachess_lib._engine.kernels import (
    IN_CACHE,
    pattern_chunks,
    sum_of_chunks,
    sum_over_patterns,
)
from jachess_lib._engine.network import bend, passed, signals, slopes


class Linearisation(NamedTuple):
    """What a product needs and v does not change: computed once at w.

    `a` goes into the output units, and `bend[l]` is h″(a_j) Σ_k w_kj δ_k of hidden
    layer l. Without targets `delta` and `bend` are None, and the products are those of
    the outer-product matrix.
    """

    net: object
    a: np.ndarray
    z: list
    slope: list
    delta: list | None
    bend: list | None

    engine = "blocked"

    @property
    def n_patterns(self):
        """The number of patterns."""
        return len(self.a)

    @property
    def dtype(self):
        """The precision of the products."""
        return np.result_type(self.a, self.net.w)

    def times(self, v):
        """Return Hv (or Σ JᵀMJv) for v of shape (…, P)."""
        return _product(self, v)


def linearise(net, X, T=None, weights=None):
    """Return the Linearisation, by whichever engine, for arrays that fit."""
    if weights is None:
        arrays = (X,) if T is None else (X, T)
        compiled = choice.twin("linearise", net, *arrays)
        if compiled is not None:
            return choice.first(compiled, _linearise, net, X, T)
    return _linearise(net, X, T, weights)


def _linearise(net, X, T, weights=None):
    net = weighted(net, weights)
    trace = passed(net, X)
    dh = slopes(net, trace)
    if T is None:
        return Linearisation(net, trace.a[-1], trace.z, dh, None, None)
    delta = signals(net, trace, dh, T)
    bends = [bend(net, trace, l, dh, delta) for l in range(net.depth - 1)]
    return Linearisation(net, trace.a[-1], trace.z, dh, delta, bends)


def _product(at, v):
    net, z, last = at.net, at.z, at.net.depth - 1
    W = [W[:, 1:] for W in net.W]
    V = [
        v[..., s].reshape(*v.shape[:-1], *w.shape)
        for s, w in zip(net.slices, net.W, strict=True)
    ]
    R_a, R_z = [], [None]
    for l in range(net.depth):
        R_a.append(z[l] @ _transposed(V[l]) + (R_z[l] @ W[l].T if l else 0))
        if l < last:
            R_z.append(at.slope[l] * R_a[l])
    R_delta = net.output.times(at.a, R_a[last])
    Hv = np.empty(v.shape, np.result_type(v, R_delta))
    for l in range(last, -1, -1):
        block = sum_over_patterns(R_delta, z[l])
        if at.delta is not None and l > 0:
            block[..., 1:] += sum_over_patterns(at.delta[l], R_z[l])
        Hv[..., net.slices[l]] = block.reshape(*v.shape[:-1], -1)
        if l > 0:
            R_delta = _signals_below(at, l, R_a[l - 1], R_delta, V[l], W[l])
    return Hv


def _signals_below(at, l, R_a, R_delta, V, W):
    """Return R{δ_j} of the layer below weight layer l."""
    R_sum = R_delta @ W
    if at.delta is None:
        return at.slope[l - 1] * R_sum
    R_sum += at.delta[l] @ V[..., 1:]
    return at.slope[l - 1] * R_sum + at.bend[l - 1] * R_a


def _transposed(A):
    """Exchange the last two axes."""
    return A.swapaxes(-1, -2)


def check(net, X, T=None, weights=None):
    """Return the arguments of a linearisation."""
    X = check_inputs(net, X)
    return X, (None if T is None else check_targets(net, X, T))


def _check_with_targets(net, X, T, v):
    require_given("T", T)
    X, T = check(net, X, T)
    return {"net": net, "X": X, "T": T, "v": check_direction(net, v)}


def _check_without(net, X, v):
    X, _ = check(net, X)
    return {"net": net, "X": X, "v": check_direction(net, v)}


def _hessian_vector_product(net, X, T, v, weights=None):
    def share(X, T, weights):
        return _linearise(net, X, T, weights).times(v)

    return sum_of_chunks(share, 4 * sum(net.sizes), X, T, weights)


def _gauss_newton_vector_product(net, X, v, weights=None):
    return _hessian_vector_product(net, X, None, v, weights)


def _check_inputs(net, X):
    return {"net": net, "X": check_inputs(net, X, complex_allowed=True)}


def _check_input_direction(net, X, v):
    given = _check_inputs(net, X)
    rows = len(given["X"])
    v = check_inputs(net, v, name="v", rows=rows, complex_allowed=True)
    return {**given, "v": v}


def _in_chunks(name):
    """Return a lesson that takes few patterns at a time: each has D slopes."""

    def blocked(net, X, **more):
        lesson = getattr(import_module("jachess_lib.hessian_vector"), name)
        chunks = pattern_chunks(len(X), net.sizes[0] * sum(net.sizes), limit=IN_CACHE)
        parts = [
            lesson(net, X[n], **{key: A[n] for key, A in more.items()}) for n in chunks
        ]
        return np.concatenate(parts)

    return blocked


input_hessian_vector_product = Task(
    _check_input_direction, _in_chunks("input_hessian_vector_product")
)
input_laplacian = Task(_check_inputs, _in_chunks("input_laplacian"))
hessian_vector_product = Task(
    _check_with_targets,
    _hessian_vector_product,
    result=of_parameters,
    fills=False,
    is_sum=True,
)
gauss_newton_vector_product = Task(
    _check_without,
    _gauss_newton_vector_product,
    result=of_parameters,
    fills=False,
    is_sum=True,
)
