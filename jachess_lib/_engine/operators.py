"""Matrices known by their products, as SciPy takes them: linearised once."""

from importlib import import_module
from typing import NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator

from jachess_lib._engine import choice, shards
from jachess_lib._engine.blas import held_if_short
from jachess_lib._engine.floats import underflows
from jachess_lib._engine.inputs import (
    check_count,
    check_network,
    check_number,
    check_operand,
    check_plain,
    check_weights,
    require_given,
)

# Columns of a matrix that are multiplied at once: more would leave the cache.
_COLUMNS = 16


class Estimate(NamedTuple):
    """A number with its standard error."""

    value: float
    error: float


def random_signs(rows, columns, seed):
    """Return independent signs, ±1 with equal chances."""
    return np.random.default_rng(seed).choice([-1.0, 1.0], (rows, columns))


def mean_of(samples):
    """Return the mean of independent samples, with its standard error."""
    spread = samples.std(ddof=1) if len(samples) > 1 else np.inf
    return Estimate(float(samples.mean()), float(spread / np.sqrt(len(samples))))


class SymmetricOperator(LinearOperator):
    """A symmetric (P, P) matrix of a network, known by its products with vectors."""

    _takes_targets = False

    def __init__(self, net, X, T, weights, shift=0.0):
        if self._takes_targets:
            require_given("T", T)
        self._data, self._shift = (X, T, weights), shift
        self.net, self._at = net, _linearised(net, X, T, weights)
        super().__init__(self._at.dtype, (net.n_parameters,) * 2)

    @underflows
    def _matvec(self, v):
        v = np.ravel(check_operand(v, self.dtype))
        return self._shifted(_times(self._at, v), v)

    @underflows
    def _matmat(self, V):
        V = check_operand(V, self.dtype)
        parts = [
            _times(self._at, V.T[c : c + _COLUMNS])
            for c in range(0, V.shape[1], _COLUMNS)
        ]
        product = np.concatenate([np.empty((0, self.shape[0]), V.dtype), *parts]).T
        return self._shifted(product, V)

    def _shifted(self, product, V):
        if self._shift:
            product += self._shift * V
        return product

    def dot(self, x):
        """Return the product with a vector, a matrix or another operator."""
        check_plain("x", x)  # SciPy drops a mask without a word
        return super().dot(x)

    def _adjoint(self):
        return self

    def at(self, w):
        """Return the operator of the same data at other parameters, of shape (P,)."""
        new = object.__new__(type(self))
        net = self.net.with_parameters(w)
        SymmetricOperator.__init__(new, net, *self._data, self._shift)
        return new

    def plus(self, shift):
        """Return this matrix + shift · I, an operator of the same kind."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new._shift = self._shift + check_number("shift", shift)
        return new

    def hessp(self, w, v):
        """Return the product with v at the parameters w, as `minimize` asks for it."""
        return self.at(w) @ v

    def to_dense(self):
        """Return the matrix, of shape (P, P)."""
        H = self._of_data("exact_hessian", "outer_product_hessian")
        H[np.diag_indices(len(H))] += self._shift
        return H

    def diagonal(self):
        """Return its diagonal, of shape (P,), exact and without the rest."""
        return self._of_data("hessian_diagonal", "outer_product_diagonal") + self._shift

    def trace(self, probes=None, seed=0):
        """Return the trace as an `Estimate`: exact, or by random signs.

        Parameters
        ----------
        probes : int, optional
            How many products with random signs to average (Hutchinson's estimate);
            without it the exact diagonal is summed, and the error is 0.
        seed : int
            Of the signs.
        """
        if probes is None:
            return Estimate(float(self.diagonal().sum(dtype=np.float64)), 0.0)
        signs = random_signs(check_count("probes", probes), self.shape[0], seed)
        return mean_of(np.einsum("sp,ps->s", signs, self @ signs.T))

    def _of_data(self, exact, outer_product):
        import jachess_lib as jl

        X, T, weights = self._data
        if T is None:
            return getattr(jl, outer_product)(self.net, X, weights=weights)
        return getattr(jl, exact)(self.net, X, T, weights=weights)

    def __array_function__(self, function, types, args, kwargs):
        # `np.dot` alone, with which SciPy's trust-region methods multiply what `hess`
        # returns: NumPy would make an array of one object of an operator
        if function is np.dot and not kwargs and args[0] is self:
            return self @ args[1]
        return NotImplemented


@underflows
def _linearised(net, X, T=None, weights=None):
    check_network("net", net)
    if shards.any_shards(X, T):
        return shards.keep(_linearised, net, X, T, weights)
    fast = import_module("jachess_lib._engine.hessian_vector")
    X, T = fast.check(net, X, T)
    if weights is not None:
        weights = check_weights(weights, net, len(X))
    token = choice.within.set(True)
    try:
        if choice.chosen() == "plain":
            return _Plain(net, X, T, weights)
        return fast.linearise(net, X, T, weights)
    finally:
        choice.within.reset(token)


def _times(at, v):
    if isinstance(at, shards.Kept):
        return shards.sum_products(_times, at, v)
    choice.remember(at.engine)
    token = choice.within.set(True)
    try:
        with held_if_short(at.n_patterns * at.net.n_parameters):
            return at.times(v)
    finally:
        choice.within.reset(token)


class _Plain(NamedTuple):
    """Stand in for a linearisation where the plain bodies are to compute."""

    net: object
    X: np.ndarray
    T: np.ndarray | None
    weights: np.ndarray | None

    engine = "plain"

    @property
    def n_patterns(self):
        """The number of patterns."""
        return len(self.X)

    @property
    def dtype(self):
        """The precision of the products."""
        return np.result_type(self.X, self.net.w)

    def times(self, v):
        """Return the products with v of shape (…, P), one after the other."""
        lesson = import_module("jachess_lib.hessian_vector")
        tasks = import_module("jachess_lib._engine.hessian_vector")
        name = (
            "gauss_newton_vector_product"
            if self.T is None
            else ("hessian_vector_product")
        )
        task, plain = getattr(tasks, name), getattr(lesson, name).plain
        given = {"net": self.net, "X": self.X, "T": self.T}
        given = {k: A for k, A in given.items() if A is not None}
        rows = v.reshape(-1, v.shape[-1])
        products = [
            task.plain(plain, {**given, "v": row}, self.weights) for row in rows
        ]
        shape = (0, v.shape[-1]) if not products else v.shape
        dtype = np.result_type(v, self.dtype)
        return np.array(products, dtype).reshape(shape)
