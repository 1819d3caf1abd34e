"""What is computed: five sizes, twelve functions, and how each size grows."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import jachess_lib as jl

# In the order of the page.
FUNCTIONS = (
    "error",
    "error_gradient",
    "input_jacobian",
    "parameter_jacobian",
    "exact_hessian",
    "outer_product_hessian",
    "hessian_diagonal",
    "outer_product_diagonal",
    "hessian_vector_product",
    "HessianOperator",
    "gauss_newton_vector_product",
    "GaussNewtonOperator",
)
SQUARE = ("exact_hessian", "outer_product_hessian")
DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Size:
    """A network's shape, its output unit and the number of patterns; hidden: tanh."""

    layers: tuple
    output: str
    n_patterns: int

    @property
    def n_parameters(self):
        """The number of parameters P."""
        return sum(m * (1 + i) for i, m in pairwise(self.layers))

    def describe(self):
        """Return the size as plain values, for the results."""
        return {
            "layers": list(self.layers),
            "hidden": "tanh",
            "output": self.output,
            "N": self.n_patterns,
            "P": self.n_parameters,
        }


SIZES = {
    "tiny": Size((4, 10, 3), "softmax", 150),
    "medium": Size((10, 64, 64, 1), "linear", 442),
    "digits": Size((64, 64, 32, 10), "softmax", 1797),
    "deep": Size((16, *(32,) * 10, 3), "softmax", 128),
    "wide": Size((784, 128, 10), "softmax", 256),
}

# One number grows, the others stay: {axis: {value: size}}.
GROWTH = {
    "width": {m: Size((10, m, m, 1), "linear", 442) for m in (8, 16, 32, 64)},
    "N": {n: Size((10, 32, 32, 1), "linear", n) for n in (64, 256, 1024, 4096)},
    "depth": {
        d: Size((16, *(32,) * d, 3), "softmax", 128) for d in (1, 2, 4, 8)
    },
}  # fmt: skip

# A Hessian that is a file: P = 20,530, 3.4 GB in float64.
ON_DISK = Size((64, 144, 72, 10), "softmax", 256)


@dataclass(frozen=True)
class Problem:
    """One network with its data; `v` is a direction in parameter space."""

    net: jl.Network
    X: np.ndarray
    T: np.ndarray
    v: np.ndarray

    @property
    def dtype(self):
        """The dtype of every array."""
        return self.X.dtype

    def permutation(self):
        """Return the places in `w` of the parameters in torch's order.

        Torch keeps the weights of a layer and then its biases, and `w` each unit's
        bias before its weights.
        """
        places = []
        for s, W in zip(self.net.slices, self.net.W, strict=True):
            index = np.arange(s.start, s.stop).reshape(W.shape)
            places += [index[:, 1:].ravel(), index[:, 0]]
        return np.concatenate(places)


def problem(size, dtype="float64"):
    """Return the Problem of a Size: the same numbers in every run and dtype."""
    rng = np.random.default_rng(0)
    D, K, N = size.layers[0], size.layers[-1], size.n_patterns
    net = jl.Network.random(size.layers, output=size.output, seed=1)
    X = rng.standard_normal((N, D))
    if size.output == "softmax":
        T = jl.one_hot(rng.integers(K, size=N), K)
    else:
        T = rng.standard_normal((N, K))
    v = rng.standard_normal(size.n_parameters)
    X, T, v, w = (array.astype(dtype) for array in (X, T, v, net.w))
    return Problem(net.with_parameters(w), X, T, v)


def result_shape(function, size):
    """Return the shape of what a function returns."""
    N, D, K, P = size.n_patterns, size.layers[0], size.layers[-1], size.n_parameters
    if function == "error":
        return ()
    if function == "input_jacobian":
        return N, K, D
    if function == "parameter_jacobian":
        return N, K, P
    return (P, P) if function in SQUARE else (P,)
