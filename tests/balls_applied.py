"""Proved digits of what the Hessian is for: fits, posteriors, factors, influence.

These functions have no engines. Their own bodies run on balls (see `balls`), past the
checks of their arguments, which know floats alone. What LAPACK does for them, Cholesky
roots, triangles, QR, is done anew here by elimination. What an iteration finds, such as
eigenvectors, is taken as found: the ball is then that of what is made of it.
"""

from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
from ball_units import HIDDEN_UNITS, OUTPUT_UNITS, balls, solve
from balls import BITS, case, held, of_balls, proved_digits
from flint import ctx

import jachess_lib as jl
from book._ext.jachess_ledger import functions
from jachess_lib._engine import choice

# a function has the name of its module in two of them
fits, kronecker, laplace, influence, language_model = (
    import_module(f"jachess_lib.{name}")
    for name in (
        "levenberg_marquardt",
        "kronecker",
        "laplace",
        "influence",
        "language_model",
    )
)
ALPHA, BETA, DAMPING = 0.5, 2.0, 0.25
RATE, MOMENTUM = 0.0625, 0.5


# Linear algebra, by elimination


def cholesky(A):
    """Return the lower root of an array of balls."""
    L = balls(np.zeros(A.shape))
    for j in range(len(A)):
        below = A[j:, j] - L[j:, :j] @ L[j, :j] if j else A[j:, j]
        L[j:, j] = below / np.sqrt(below[0])
    return L


def cho_solve(factor, B):
    """Return A⁻¹B for the root of A, as SciPy takes it."""
    L = factor[0]
    return solve(L @ L.T, B)


def solve_triangular(R, B, **how):
    """Return R⁻¹B."""
    B = np.asarray(B)
    return solve(R, B.reshape(len(B), -1)).reshape(B.shape)


def qr(A, mode, **how):
    """Return Q and R, or R alone, by the process of Gram and Schmidt."""
    Q, R = balls(A), balls(np.zeros((A.shape[1],) * 2))
    for j in range(A.shape[1]):
        for i in range(j):
            R[i, j] = Q[:, i] @ Q[:, j]
            Q[:, j] = Q[:, j] - Q[:, i] * R[i, j]
        R[j, j] = np.sqrt(Q[:, j] @ Q[:, j])
        Q[:, j] = Q[:, j] / R[j, j]
    return (R,) if mode == "r" else (Q, R)


class Curvature:
    """H + αI as `HessianOperator` has it, by one product for each column."""

    def __init__(self, net, X, T, weights):
        self.product = lambda v: jl.hessian_vector_product.plain(net, X, T, v)

    def plus(self, alpha):
        """Return this + αI."""
        self.alpha = alpha
        return self

    def __matmul__(self, V):
        return np.stack([self.product(v) for v in V.T], axis=1) + self.alpha * V


PASSED_BY = {
    kronecker: {
        "check_factors": lambda net, X, T, kind, draws, seed, weights: (
            net, X, T, kind, draws, seed, np.ones(len(X)),
        ),
        "check_shared": lambda z, S, M, setting: (z, S, M),
        "check_block": lambda G, *_: G,
        "cho_factor": lambda A: (cholesky(A), True),
        "cho_solve": cho_solve,
    },
    laplace: {
        "check_laplace": lambda net, X, T, alpha, beta, *_: (
            net, X, T, alpha, beta, float(X.shape[0] * net.sizes[-1]),
        ),
        "bowl": lambda net, X, T, *_: (
            jl.outer_product_hessian.plain(net, X),
            jl.error_gradient.plain(net, X, T),
            np.arange(net.n_parameters),
        ),
        "error": lambda net, X, T, weights: jl.error.plain(net, X, T),
        "lower_root": lambda A, curvature: cholesky(A),
        "require_level": lambda *_: None,
        "cho_solve": cho_solve,
        "solve_triangular": solve_triangular,
        "float": lambda value: value,
    },
    influence: {
        "check_influence": lambda net, X, T, weights: (X, T, np.ones(len(X))),
        "in_all": lambda posterior, moves: moves,
        "cho_solve": cho_solve,
        "HessianOperator": Curvature,
    },
    fits: {"qr": qr, "solve_triangular": solve_triangular},
    language_model: {
        "check_tokens": lambda net, X, T: (X, T),
        "check_curvature": lambda net, X, T, curvature: (X, T),
        "check_step": lambda net, X: X,
        "with_matrices": lambda net, w: stack_of(net, w),
        "SOFTMAX": SimpleNamespace(
            y=OUTPUT_UNITS["softmax"].y,
            times=OUTPUT_UNITS["softmax"].times,
            residual=OUTPUT_UNITS["softmax"].residual,
            error=lambda a, T: OUTPUT_UNITS["softmax"].errors(a, T).sum(),
        ),
    },
}  # fmt: skip


@contextmanager
def on_balls(**more):
    """Let the functions take balls, and some of their parts be others."""
    token = choice.within.set(True)
    try:
        with ExitStack() as stack:
            stack.enter_context(ctx.workprec(BITS))
            stack.enter_context(patch("numpy.linalg.solve", each_solved))
            for module, names in PASSED_BY.items():
                names = names | more if module is kronecker else names
                stack.enter_context(patch.multiple(module, create=True, **names))
            yield
    finally:
        choice.within.reset(token)


def each_solved(A, B):
    """Return A⁻¹B, pattern by pattern."""
    return np.array([solve(a, b) for a, b in zip(A, B, strict=True)])


def stack_of(net, w):
    """Return a stack with these balls as its weights."""
    places = iter(net.slices)

    def again(part):
        if isinstance(part, tuple):
            return tuple(map(again, part))
        new = object.__new__(type(part))
        new.__dict__.update(part.__dict__)
        if hasattr(part, "W"):
            new.__dict__["W"] = balls(w[next(places)]).reshape(part.W.shape)
        if hasattr(part, "unit"):
            new.__dict__["unit"] = HIDDEN_UNITS[part.unit.name]
        return new

    new = object.__new__(type(net))
    new.__dict__.update(net.__dict__, parts=again(net.parts), w=w)
    return new


def flat(*arrays):
    """Return all entries, one after another."""
    return np.concatenate([np.ravel(A) for A in arrays])


# {function: (label of its lines, what floats say, what balls say)}


def _fit():
    rng = np.random.default_rng(11)
    J, r = rng.standard_normal((12, 5)), rng.standard_normal(12)
    D = (J**2).sum(axis=0)
    p = fits.damped_step(J, r, DAMPING, D)

    def say(f):
        J_, r_, D_, p_ = map(f, (J, r, D, p))
        return {
            "damped_step": fits.damped_step(J_, r_, DAMPING, D_),
            "foretold_fall": fits.foretold_fall(J_, p_, DAMPING, D_),
            "covariance": fits.covariance(J_, r_),
        }

    with on_balls():
        true = say(balls)
    return say(np.asarray), true


def _posteriors(output):
    c = case((2, 3, 2), "tanh", output, 12)
    beta = BETA if output == "linear" else 1.0

    def say(net, X, T):
        posterior = laplace.laplace(net, X, T, ALPHA, beta)
        root = posterior.root
        precision = root @ root.T
        told = posterior.predict(X)
        return {
            "posterior_precision": precision,
            "log_evidence": posterior.log_evidence,
            "determined": posterior.gamma,
            "activation_variance": told.variance,
            "moderated": told.mean,
            "reestimate": np.array(posterior.reestimate()),
        }

    with on_balls():
        true = say(of_balls(c.net), balls(c.X), balls(c.T))
    return say(c.net, c.X, c.T), true


def _factors():
    c = case((2, 3, 4, 3), ("tanh", "gelu"), "softmax", 5)
    found = jl.ekfac(c.net, c.X)
    rng = np.random.default_rng(12)
    z, S = rng.integers(-8, 9, (3, 4, 3)) / 8, rng.integers(-8, 9, (3, 4, 2, 2)) / 8
    M = np.array([[2.0, -0.5], [-0.5, 1.0]]) + np.zeros((3, 1, 1))
    G = jl.outer_product_hessian(c.net, c.X)[: 3 * 3, : 3 * 3]
    V = rng.standard_normal((4, 4))

    def say(net, X, T, f):
        factors = kronecker.kronecker_factors(net, X)
        empirical = kronecker.kronecker_factors(net, X, T, kind="empirical")
        layer = factors[1]
        return {
            "layer_factors": flat(*(C for pair in factors for C in pair)),
            "middle": flat(*(pair.B for pair in empirical)),
            "eigen_factors": flat(*(part.scales for part in kronecker.ekfac(net, X))),
            "shared_factors": flat(
                *kronecker.shared_factors(f(z), f(S), f(M), "expand"),
                *kronecker.shared_factors(f(z), f(S), f(M), "reduce"),
            ),
            "shampoo_factors": flat(*kronecker.shampoo_factors(f(G), 3, 3)),
            "split_solve": kronecker.split_solve(layer.A, layer.B, f(V), DAMPING),
        }

    # of each layer V comes first, and the last layer is the first
    vectors = iter([(None, Q) for part in found[::-1] for Q in (part.V, part.U)])
    with on_balls(eigh=lambda C: next(vectors)):
        true = say(of_balls(c.net), balls(c.X), balls(c.T), balls)
    return say(c.net, c.X, c.T, np.asarray), true


def _influences():
    c, q = (case((2, 3, 2), "tanh", "softmax", N) for N in (6, 2))
    run = jl.gradient_descent(c.net, c.X, c.T, rate=RATE, steps=3, momentum=MOMENTUM)

    def say(net, X, T, X_q, T_q, back):
        who = influence.influence(net, X, T, ALPHA)
        return {
            "first_moves": who.moves("first"),
            "newton_moves": who.moves("newton"),
            "effects": who.effects(X_q, T_q),
            "way_back": back,
        }

    with on_balls():
        X, T = balls(c.X), balls(c.T)
        steps = SimpleNamespace(
            **vars(run) | {"X": X, "T": T},
        )
        steps.net = SimpleNamespace(
            with_parameters=lambda w: of_balls(run.net.with_parameters(w))
        )
        asked = balls(q.X), balls(q.T)
        slopes = jl.error_gradients.plain(of_balls(run.net), *asked).T
        true = say(of_balls(c.net), X, T, *asked, influence.way_back(steps, slopes).T)
    return say(c.net, c.X, c.T, q.X, q.T, run.effects(q.X, q.T)), true


def _stacks():
    net = language_model.transformer(3, 3, 4, 2, 3, blocks=2, seed=1)
    letters = np.random.default_rng(13).integers(0, 3, (2, 4))
    X = language_model.token_inputs(letters[:, :-1], 3)
    T = jl.one_hot(letters[:, 1:].ravel(), 3)
    v = np.random.default_rng(14).standard_normal(net.n_parameters)
    labels = language_model.sampled_labels(net(X), 0)

    def say(net, X, T, v):
        H = language_model.StackOperator(net, X, T)
        G = language_model.StackOperator(net, X, curvature="outer_product")
        return {
            "forward": language_model.stack_error(net, X, T),
            "pullback": language_model.stack_gradient(net, X, T),
            "moved_pullback": H._matvec(v),
            "_matvec": G._matvec(v),
            "sampled_diagonal": language_model.sampled_diagonal(net, X),
        }

    with on_balls(), patch.object(language_model, "sampled_labels", lambda *_: labels):
        true = say(stack_of(net, net.w), balls(X), balls(T), balls(v))
    return say(net, X, T, v), true


def applied():
    """Yield (name of a function, what floats say, what balls say)."""
    posteriors = map(_posteriors, ("linear", "sigmoid"))
    for found, true in (_fit(), *posteriors, _factors(), _influences(), _stacks()):
        for name, value in found.items():
            yield name, value, true[name]


def applied_digits():
    """Return {name: digits} that every function is proved to have, in doubles.

    Counted from the largest entry. The rounding that balls carry along is no measure
    here: it has no end where a long chain of divisions follows sums that cancel.
    """
    least = {}
    for name, value, true in applied():
        _, digits = held(value, true, np.float64)
        least[name] = min(least.get(name, np.inf), round(digits, 1))
    return least


# Where a tagged line stands in a part of a function, the function whose answer is held.
PARTS = {
    "error_signals": "error_gradient",
    "back_through_layer": "input_jacobian",
    "second_derivatives": "exact_hessian",
    "feed": "exact_hessian",
    "one_layer_down": "exact_hessian",
    "changes_forward": "hessian_vector_product",
    "_linear_dy_da": "parameter_jacobian",
    "_sigmoid_dy_da": "parameter_jacobian",
    "_softmax_dy_da": "parameter_jacobian",
    "one_more": "inverse_outer_product",
}
APPLIED = [
    module.__name__ for module in (fits, kronecker, laplace, influence, language_model)
]


def proved_equations():
    """Return {label: digits} of the equations that a plain body computes by.

    An equation is a line of a function, and the digits are those that are proved of
    the function's answer.
    """
    lessons, others, proved = proved_digits("plain"), applied_digits(), {}
    for label, (module, name) in functions().items():
        digits = others if module in APPLIED else lessons
        name = name if module in APPLIED else PARTS.get(name, name)
        if name in digits:
            proved[label] = digits[name]
    return proved
