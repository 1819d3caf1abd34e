"""Proved digits: every lesson run in interval arithmetic, and what the floats lose.

The lessons' plain bodies run on arrays of balls (see `ball_units`), so that what they
return contains the truth. Whatever an engine answers is then some number of *units*
away from it,

    |found − truth| = units · eps · rounding,

where the rounding is what a straightforward computation may add up to. `held` returns
an upper bound of that number which is proved, and so are the digits.
"""

from copy import copy
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
from ball_units import HIDDEN_UNITS, OUTPUT_UNITS, ZERO, ball, balls, solve
from flint import arb, ctx

import jachess_lib as jl
from jachess_lib._engine import choice, connection

BITS = 400
# What a number smaller than any normal one may be off, in units of the smallest of
# those: a product that vanishes is 0, and weights may multiply what is left of it.
LOST = 1000


# The lessons, run on balls


def of_balls(net):
    """Return the network with balls as its parameters and units written anew."""
    new, w = copy(net), balls(net.w)
    layers = zip(net.slices, net.W, strict=True)
    new._set(
        w=w,
        W=tuple(w[s].reshape(W.shape) for s, W in layers),
        hidden=tuple(HIDDEN_UNITS[unit.name] for unit in net.hidden),
        output=OUTPUT_UNITS[net.output.name],
    )
    return new


def truth(function, *arguments, weights=None, **keywords):
    """Return what the plain body of a public function says of balls."""
    arguments = [
        of_balls(A) if isinstance(A, jl.Network) else balls(A) for A in arguments
    ]
    if weights is not None:
        arguments[0] = connection.weighted(arguments[0], balls(weights))
    token = choice.within.set(True)
    try:
        with ctx.workprec(BITS), patch("jachess_lib.inverse.solve", solve):
            return function.plain(*arguments, **keywords)
    finally:
        choice.within.reset(token)


def held(found, true, dtype):
    """Return how far the entries are from the truth, in units, and their digits.

    The first is the largest number of units, of the dtype that was computed in; the
    second is how many digits all entries have, counted from the largest of them.
    """
    found, true = np.atleast_1d(found), np.atleast_1d(true)
    assert found.shape == true.shape
    assert np.isfinite(found).all()
    eps, lost = (arb(float(x)) for x in (np.finfo(dtype).eps, np.finfo(dtype).tiny))
    units, farthest, largest = ZERO, ZERO, ZERO
    with ctx.workprec(BITS):
        for number, t in zip(found.ravel(), map(ball, true.ravel()), strict=True):
            distance = (arb(float(number)) - t.value).abs_upper()
            allowed = eps * t.rounding + LOST * lost
            # the ball is a point beside the distance that it is to prove
            assert t.value.rad() < allowed * arb(2) ** -100
            units = units.max((distance / allowed).upper())
            farthest = farthest.max(distance)
            largest = largest.max(t.value.abs_lower())
        relative = (farthest / largest).upper() if largest > 0 else ZERO
    # no array has more digits than its largest entry may be rounded to
    digits = -np.log10(max(float(relative), float(eps) / 2))
    return float(units), float(digits)


# The public functions, and the networks they are proved at


def _random(*shape, seed):
    """Return normal numbers that both precisions hold."""
    numbers = np.random.default_rng(seed).standard_normal(shape)
    return numbers.astype(np.float32).astype(np.float64)


def _targets(output, N, K):
    """Return targets that suit the output unit to the last digit."""
    if output == "linear":
        return _random(N, K, seed=5)
    if output == "sigmoid":
        return np.random.default_rng(6).integers(0, 9, (N, K)) / 8
    T = np.eye(K)[np.arange(N) % K]
    T[::2] = T[::2] / 4 + 0.75 * np.eye(K)[0]
    return T


def case(sizes, hidden, output, N, reach=None):
    """Return a network and all that its functions ask for; all of it is exact.

    With a reach, sums go from −reach to reach in every layer.
    """
    net = jl.Network.random(sizes, hidden, output, seed=1)
    X = _random(N, sizes[0], seed=2)
    for l in range(net.depth if reach else 0):
        W = [W.copy() for W in net.W]
        farthest = np.abs(jl.forward(net, X).a[l]).max(axis=0)[:, None]
        W[l] *= reach * np.linspace(0.2, 0.98, len(W[l]))[:, None] / farthest
        net = net.with_parameters(np.concatenate([w.ravel() for w in W]))
    net = net.with_parameters(net.w.astype(np.float32).astype(np.float64))
    root = np.random.default_rng(3).integers(-4, 5, (sizes[0],) * 2) / 4
    return SimpleNamespace(
        net=net,
        inner=jl.Network(
            (2, 3, sizes[0]), np.rint(_random(9 + 4 * sizes[0], seed=9) * 64) / 64
        ),
        X=X,
        T=_targets(output, N, sizes[-1]),
        v=_random(net.n_parameters, seed=4),
        dX=_random(N, sizes[0], seed=7),
        u=_random(N, sizes[-1], seed=11),
        x=_random(N, 2, seed=8),
        covariance=root @ root.T,
        weights=_random(N, seed=10),
    )


def in_precision(c, dtype):
    """Return the case in one precision; nothing is rounded."""

    def of(value):
        if isinstance(value, jl.Network):
            w = value.w.astype(dtype)
            return jl.Network(value.sizes, w, value.hidden, value.output)
        return value.astype(dtype)

    return SimpleNamespace(**{name: of(value) for name, value in vars(c).items()})


def _flat(trace):
    return np.concatenate([A.ravel() for A in (*trace.a, *trace.z, trace.y)])


# {name: of a caller and a case}; the caller is `truth`, or calls as anyone would
ROWS = {
    "forward": lambda of, c: _flat(of(jl.forward, c.net, c.X)),
    "error_gradients": lambda of, c: of(jl.error_gradients, c.net, c.X, c.T),
    "input_jacobian": lambda of, c: of(jl.input_jacobian, c.net, c.X),
    "parameter_jacobian": lambda of, c: of(jl.parameter_jacobian, c.net, c.X),
    "parameter_jacobian of activations": lambda of, c: of(
        jl.parameter_jacobian, c.net, c.X, of="activations"
    ),
    "propagate_error": lambda of, c: of(jl.propagate_error, c.net, c.X, c.dX),
    "propagate_covariance": lambda of, c: of(
        jl.propagate_covariance, c.net, c.X, c.covariance
    ),
    "jacobian_vector_product": lambda of, c: of(
        jl.jacobian_vector_product, c.net, c.X, c.v
    ),
    "jacobian_vector_product of inputs": lambda of, c: of(
        jl.jacobian_vector_product, c.net, c.X, c.dX, wrt="inputs"
    ),
    "input_hessian_vector_product": lambda of, c: of(
        jl.input_hessian_vector_product, c.net, c.X, c.dX
    ),
    "input_laplacian": lambda of, c: of(jl.input_laplacian, c.net, c.X),
    "chain_jacobian": lambda of, c: of(jl.chain_jacobian, c.net, c.inner, c.x),
}
SUMS = {
    "error": lambda of, c: of(jl.error, c.net, c.X, c.T),
    "error_gradient": lambda of, c: of(jl.error_gradient, c.net, c.X, c.T),
    "exact_hessian": lambda of, c: of(jl.exact_hessian, c.net, c.X, c.T),
    "hessian_block": lambda of, c: of(
        jl.hessian_block, c.net, c.X, c.T, l=0, m=c.net.depth - 1
    ),
    "hessian_diagonal": lambda of, c: of(jl.hessian_diagonal, c.net, c.X, c.T),
    "outer_product_hessian": lambda of, c: of(jl.outer_product_hessian, c.net, c.X),
    "outer_product_diagonal": lambda of, c: of(jl.outer_product_diagonal, c.net, c.X),
    "residual_hessian": lambda of, c: of(jl.residual_hessian, c.net, c.X, c.T),
    "vector_jacobian_product": lambda of, c: of(
        jl.vector_jacobian_product, c.net, c.X, c.u
    ),
    "vector_jacobian_product of inputs": lambda of, c: of(
        jl.vector_jacobian_product, c.net, c.X, c.u, wrt="inputs"
    ),
    "hessian_vector_product": lambda of, c: of(
        jl.hessian_vector_product, c.net, c.X, c.T, c.v
    ),
    "gauss_newton_vector_product": lambda of, c: of(
        jl.gauss_newton_vector_product, c.net, c.X, c.v
    ),
}
# A is far from singular by it, on every network that is tried
ALPHA = {"alpha": 0.5}
SOLVED = {
    name: lambda of, c, name=name: of(getattr(jl, name), c.net, c.X, **ALPHA)
    for name in ("inverse_outer_product", "obd_saliency", "obs_saliency")
}
FUNCTIONS = ROWS | SUMS | SOLVED
# Where sums are large, an inverse has the digits that its condition leaves it.
STRAIGHT = ROWS | SUMS
ENGINES = ("plain", "blocked", "compiled")

SHALLOW = [
    *((((3, 2), "tanh", output, 5)) for output in OUTPUT_UNITS),
    *(
        ((2, 4, 3), hidden, tuple(OUTPUT_UNITS)[i % 3], 1 + 5 * (i % 2))
        for i, hidden in enumerate(HIDDEN_UNITS)
    ),
]
DEEP = [
    ((3, 2, 4, 2), ("softplus", "gelu"), "softmax", 4),
    ((2, 3, 1, 3), ("relu", "sigmoid"), "linear", 3),
    ((2, 3, 2, 4, 3), ("sigmoid", "exp", "tanh"), "sigmoid", 3),
    ((3, 4, 2, 3, 2), ("tanh", "gelu", "softplus"), "softmax", 1),
]
FAR = [
    ((2, 3, 4), "tanh", "softmax", 4),
    ((2, 3, 2), "gelu", "sigmoid", 3),
    ((2, 3, 2, 3), ("softplus", "tanh"), "softmax", 2),
    ((2, 4, 2, 2), ("sigmoid", "relu"), "linear", 2),
]
REACH = {np.float64: 700, np.float32: 85}


def truths(c, functions=None, weighted=False):
    """Return {name: balls that hold what each function would say of the case}."""

    def of(function, *arguments, **keywords):
        weights = c.weights if weighted else None
        return truth(function, *arguments, weights=weights, **keywords)

    return {name: f(of, c) for name, f in (functions or FUNCTIONS).items()}


def found(c, engine, functions=None, weighted=False):
    """Return {name: what each function says of the case} by one engine."""
    weights = {"weights": c.weights} if weighted else {}

    def of(function, *arguments, **keywords):
        return function(*arguments, **keywords, **weights)

    with jl.engine(engine):
        return {name: f(of, c) for name, f in (functions or FUNCTIONS).items()}


def distances(c, true, engine, dtype, **how):
    """Return {name: (units, digits)} of one engine in one precision."""
    answers = found(in_precision(c, dtype), engine, **how)
    return {name: held(answers[name], true[name], dtype) for name in answers}


def proved_digits(engine="plain"):
    """Return {name: digits} that one engine is proved to have, in double precision.

    The least over the networks of `SHALLOW` and `DEEP`, counted from the largest entry
    of each array.
    """
    least = dict.fromkeys(FUNCTIONS, np.inf)
    for arguments in (*SHALLOW, *DEEP):
        c = case(*arguments)
        for name, (_, digits) in distances(c, truths(c), engine, np.float64).items():
            least[name] = min(least[name], round(digits, 1))
    return least
