"""A least-squares problem of a network: its checks, its residuals, and what is told."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr
from scipy.optimize import OptimizeResult

from jachess_lib._engine.floats import underflows, wide
from jachess_lib._engine.inputs import (
    check_choice,
    check_count,
    check_inputs,
    check_network,
    check_number,
    check_plain,
    check_positive,
    check_targets,
    check_weights,
    require_given,
)
from jachess_lib.jacobian import parameter_jacobian

EPS = np.finfo(float).eps
HUGE = np.sqrt(np.finfo(float).max) / 1e10
MESSAGES = {
    1: "converged: r has no part left that J can reach",
    2: "converged, but J leaves {open} of {of} directions of the weights open",
    0: "too many steps: {steps} were tried, and r still has a part that J can reach",
    -1: "no step lowers the error any more, although r has a part that J can reach",
    -2: "J has an entry that is not finite",
}


def least_squares(net, X, T, free=None, alpha=0.0, weights=None):
    """Return the LeastSquares of a caller's arguments, checked."""
    check_network("net", net)
    if net.output.name != "linear":
        raise ValueError(
            f"net must have linear outputs, and has {net.output.name} ones: their "
            "error is no sum of squares; take a damped step with "
            "outer_product_hessian(net, X) and error_gradient(net, X, T)"
        )
    require_given("T", T)
    X = check_inputs(net, X)
    T = check_targets(net, X, T)
    if not len(X):
        raise ValueError("X must have a pattern or more to fit, got shape (0, …)")
    alpha = _not_negative("alpha", alpha)
    root = np.ones(len(X))
    if weights is not None:
        weights = check_weights(weights, net, len(X))
        if weights.min() < 0:
            n = int(np.argmin(weights))
            raise ValueError(
                f"weights[{n}] is {weights[n]:g}: a square cannot count less than "
                "nothing; use 0 to leave a pattern out"
            )
        root = np.sqrt(weights.astype(float))
    start = net.with_parameters(net.w.astype(wide(net.w.dtype)))
    X, T = X.astype(start.w.dtype), T.astype(start.w.dtype)
    places = _free_places(free, net.n_parameters)
    return LeastSquares(start, X, T, places, alpha, root, net.w.dtype)


def _free_places(free, P):
    """Return the places in w of the weights that may move."""
    if free is None:
        return np.arange(P)
    check_plain("free", free)
    free = np.asarray(free)
    if free.dtype == bool and free.shape == (P,):
        free = np.flatnonzero(free)
    if free.dtype.kind not in "iu" or free.ndim != 1 or not free.size:
        raise ValueError(
            f"free must hold {P} truth values, one for each weight, some of them true, "
            f"or places from 0 to {P - 1}, got {free.dtype} of shape {free.shape}"
        )
    if free.min() < 0 or free.max() >= P or len(np.unique(free)) < len(free):
        raise ValueError(
            f"free must hold places from 0 to {P - 1}, each once, got {free.tolist()}"
        )
    return np.sort(free).astype(np.intp)


def _not_negative(name, value):
    value = check_number(name, value)
    if value < 0:
        raise ValueError(f"{name} must be 0 or larger, got {value:g}")
    return value


@dataclass
class LeastSquares:
    """The sum of squares ½‖r‖² of a network as a function of its free weights."""

    net: object
    X: np.ndarray
    T: np.ndarray
    free: np.ndarray
    alpha: float
    root: np.ndarray  # of the patterns' weights
    dtype: object
    nfev: int = 0
    njev: int = 0

    def start(self, scale, damping, tolerance, max_steps):
        """Check how to go on, and return the Point to start from."""
        check_choice("scale", scale, ("diagonal", "identity"))
        self.scale, self.damping = scale, check_positive("damping", damping)
        self.tolerance = check_positive("tolerance", tolerance)
        self.max_steps = check_count("max_steps", max_steps)
        at = self.at(self.net.w[self.free])
        if not np.isfinite(at.E):
            raise ValueError(
                f"the residuals at the start are not finite (E = {at.E}): start from "
                "smaller weights"
            )
        self.size = np.linalg.norm(self.root[:, None] * self.T)
        return at

    def network(self, w):
        """Return the network with these free weights."""
        every = self.net.w.copy()
        every[self.free] = w
        return self.net.with_parameters(every)

    def at(self, w):
        """Return the Point of these free weights."""
        return Point(self, w, self.residuals(w))

    @np.errstate(over="ignore", invalid="ignore")
    @underflows
    def residuals(self, w):
        """Return r, with weight decay below; not finite where it overflows."""
        self.nfev += 1
        if not np.isfinite(w).all():
            return np.full(self.T.size + self._decay().size, np.inf)
        r = self.root[:, None] * (self.network(w)(self.X) - self.T)
        r = np.concatenate([r.ravel(), self._decay() * w[: self._decay().size]])
        # whose squares are not finite: the step is taken back
        return r if np.abs(r).max() < HUGE else np.full_like(r, np.inf)

    @np.errstate(over="ignore", invalid="ignore")
    @underflows
    def jacobian(self, w):
        """Return J, of shape (N K, P) for P free weights, with weight decay below."""
        self.njev += 1
        J = parameter_jacobian(self.network(w), self.X)[:, :, self.free]
        J = self.root[:, None, None] * J
        decay = np.diag(self._decay())[: len(self._decay())]
        J = J.reshape(self.T.size, len(self.free))
        J = np.concatenate([J, decay]) if len(decay) else J
        # whose squares are not finite: no step can be had from here
        return J if np.abs(J).max() < HUGE else np.full_like(J, np.inf)

    def _decay(self):
        return np.full(len(self.free) if self.alpha else 0, np.sqrt(self.alpha))

    def scales(self, J):
        """Return the diagonal of D for steps from a point with this J."""
        if self.scale == "identity":
            return np.ones(J.shape[1])
        squares = (J**2).sum(axis=0)
        seen = squares[squares > 0]
        return np.where(squares > 0, squares, seen.min() if seen.size else 1.0)

    def first_damping(self, J):
        """Return λ for the first step, and keep the least and the largest there are."""
        one = 1.0 if self.scale == "diagonal" else (J**2).sum(axis=0).max() or 1.0
        self.least, self.largest = EPS**2 * one, max(1.0, self.damping) * one / EPS
        return self.damping * one

    def gain(self, at, trial, foretold):
        """Return ϱ = (E − E_new)/foretold; −inf if E is not finite.

        Where rounding hides a fall of E this small, it comes from both gradients: for
        the short steps there, −½(∇E + ∇E_new)ᵀp is the fall to third order.
        """
        if not np.isfinite(trial.E):
            return -np.inf
        if foretold > 400 * EPS * (self.size + at.length) * at.length:
            return (at.r - trial.r) @ (at.r + trial.r) / 2 / foretold
        if not np.isfinite(trial.J).all():
            return -np.inf
        return (at.w - trial.w) @ (at.gradient + trial.gradient) / 2 / foretold

    def ended(self, at, damping, history):
        """Return why to end here, as a status with its message, or None to go on."""
        if not np.isfinite(at.J).all():
            return self._because(-2)
        if at.reached <= max(self.tolerance * at.length, 10 * EPS * self.size):
            n = len(self.free)
            full = at.rank == n
            return self._because(1 if full else 2, open=n - at.rank, of=n)
        if damping > self.largest:
            return self._because(-1)
        if len(history) >= self.max_steps:
            return self._because(0, steps=len(history))
        return None

    def _because(self, status, **words):
        return status, MESSAGES[status].format(**words)


class Point:
    """Weights with their residuals; what else is asked for is computed once."""

    def __init__(self, problem, w, r):
        self.problem, self.w, self.r = problem, w, r
        self.E = r @ r / 2 if np.isfinite(r).all() else np.inf
        self.length = np.linalg.norm(r) if np.isfinite(self.E) else np.inf
        self._J = self._reached = None

    @property
    def J(self):  # noqa: N802
        """The Jacobian of the residuals."""
        if self._J is None:
            self._J = self.problem.jacobian(self.w)
        return self._J

    @property
    def gradient(self):
        """The gradient of E by the free weights."""
        return self.J.T @ self.r

    @property
    def rank(self):
        """The rank of J, columns measured by their own lengths."""
        return self._span()[0]

    @property
    def reached(self):
        """The length of the part of r that lies among the columns of J."""
        return self._span()[1]

    def _span(self):
        if self._reached is None:
            size = np.sqrt((self.J**2).sum(axis=0))
            columns = self.J / np.where(size > 0, size, 1)
            Q, R, _ = qr(columns, mode="economic", pivoting=True, check_finite=False)
            sizes = np.abs(np.diag(R))
            lost = max(columns.shape) * EPS * sizes.max(initial=0)
            rank = int((sizes > lost).sum())
            self._reached = rank, np.linalg.norm(Q[:, :rank].T @ self.r)
        return self._reached


def told(fit, at, ended, history, covariance):
    """Return what a caller is told, as SciPy's optimisers do."""
    (status, message), net = ended, fit.network(at.w)
    result = OptimizeResult(
        x=net.w.astype(fit.dtype),
        net=net.with_parameters(net.w.astype(fit.dtype)),
        fun=at.r,
        jac=at.J,
        cost=at.E,
        grad=at.gradient,
        optimality=at.reached if status != -2 else np.inf,
        rank=at.rank if status != -2 else None,
        status=status,
        success=status > 0,
        message=message,
        nit=len(history),
        nfev=fit.nfev,
        njev=fit.njev,
        variance=None,
        covariance=None,
        standard_errors=None,
    )
    for name, column in zip(("dampings", "gains", "costs"), range(3), strict=True):
        result[name] = np.array([step[column] for step in history])
    used = np.count_nonzero(fit.root) * fit.T.shape[1]
    full = status != -2 and at.rank == len(fit.free)
    if full and not fit.alpha and used > len(fit.free):
        rows = np.repeat(fit.root > 0, fit.T.shape[1])
        among = np.ix_(fit.free, fit.free)
        result.covariance = np.zeros((len(net.w), len(net.w)))
        result.covariance[among] = covariance(at.J[rows], at.r[rows])
        result.standard_errors = np.sqrt(np.diag(result.covariance))
        result.variance = at.r @ at.r / (used - len(fit.free))
    return result
