"""Influence: what each pattern has done to the weights, and to the error of another.

| symbol | code | shape |
| --- | --- | --- |
| c_n, how often a pattern counts in Σ_n c_n E_n + ½α‖w‖² | `weights` | (N,) |
| A, the curvature of that sum at its minimum; L with A = LLᵀ | `root` | (P, P) |
| Δw_n, how the minimum moves if pattern n leaves | `moves` | (N, P) |
| ΔE_*, how the errors of queries change | `effects` | (Q, N) |
| ρ_n = tr(c_n M_n J_n A⁻¹ J_nᵀ), the leverage | `leverages` | (N,) |
| η and μ of a training, d_τ its steps, w_τ its path | `rate`, `momentum` | (), (P,) |
| ∂E_*/∂w_τ and ∂E_*/∂d_τ | `dE_dw`, `dE_dd` | (P, Q) |

Moves and effects are those of *deletion*: what is without the pattern, minus what is
with it. An effect above zero is a query that the pattern has helped. Effects have the
unit of E.

Source: Cook (1977) and Pregibon (1981) for one step of Newton; Koh and Liang (2017) for
networks; Maclaurin, Duvenaud and Adams (2015) for the way back through a training.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve

from jachess_lib._engine.influence import (
    check_descent,
    check_group,
    check_influence,
    check_order,
    require_finite,
    runs_away,
)
from jachess_lib.backpropagation import error_gradient, error_gradients, error_signals
from jachess_lib.hessian import einsum
from jachess_lib.hessian_vector import HessianOperator
from jachess_lib.jacobian import parameter_jacobian
from jachess_lib.laplace import Posterior, laplace
from jachess_lib.network import Network, forward

__all__ = ["gradient_descent", "influence"]


def first_moves(root, g):
    """Return Δw for each row of g, the gradients of what leaves; of shape (N, P)."""
    # eq-influence: Δw_n ≃ A⁻¹∇E_n
    return cho_solve((root, True), g.T).T


def gains(root, J):
    """Return A⁻¹J_nᵀ, transposed, of the shape (N, K, P) of J."""
    return first_moves(root, J.reshape(-1, J.shape[-1])).reshape(J.shape)


def newton_moves(root, J, M, r):
    """Return Δw_n, of shape (N, P), for J of shape (N, K, P), M and r = y − t."""
    gain = gains(root, J)
    held = np.eye(J.shape[1]) - M @ einsum("nkp,nlp->nkl", J, gain)
    # eq-influence-newton: Δw_n = A⁻¹J_nᵀ (I − M_n J_n A⁻¹J_nᵀ)⁻¹ (y_n − t_n)
    return einsum("nkp,nk->np", gain, np.linalg.solve(held, r[:, :, None])[:, :, 0])


def in_all(posterior, moves):
    """Return moves of all weights, (N, P), with zeros for those that are held fixed."""
    every = np.zeros((len(moves), posterior.net.n_parameters))
    every[:, posterior.places] = moves
    return every


@dataclass(frozen=True, eq=False)
class Influence:
    """What each of N patterns does to a network at its minimum; see `influence`."""

    posterior: Posterior
    X: np.ndarray
    T: np.ndarray
    weights: np.ndarray
    curvature: str
    structure: str

    def _parts(self):
        """Return J_n, c_n M_n and c_n (y_n − t_n) of the activations."""
        net, c = self.posterior.net, self.weights
        trace = forward(net, self.X)
        J = parameter_jacobian(net, self.X, of="activations")
        M = c[:, None, None] * net.output.dy_da(trace.a[-1])
        r = c[:, None] * error_signals(net, trace, self.T)[-1]
        return J[:, :, self.posterior.places], M, r

    @property
    def leverages(self):
        """ρ_n, of shape (N,): their sum is γ if the bowl is the full outer product."""
        J, M, _ = self._parts()
        own = einsum("nkp,nlp->nkl", J, gains(self.posterior.root, J))
        return einsum("nkl,nlk->n", M, own)

    def moves(self, order="newton"):
        """Return Δw_n, of shape (N, P): how the weights move if pattern n leaves.

        Parameters
        ----------
        order : {"newton", "first"}
            One step of Newton in the bowl without the pattern, which is exact where
            outputs are linear in the weights and their error is of squares; or to
            first order in what leaves, so that moves add up.

        Raises
        ------
        ValueError
            If the order is another; or, for "newton" with curvature "exact", if the
            bowl without a pattern is not positive definite.
        """
        check_order(order)
        J, M, r = self._parts()
        if order == "first":
            g = einsum("nkp,nk->np", J, r)
            return in_all(self.posterior, first_moves(self.posterior.root, g))
        if self.curvature == "exact" or self.structure != "full":
            every = [self.move([n]) for n in range(len(J))]
            return np.array(every).reshape(len(J), self.posterior.net.n_parameters)
        return in_all(self.posterior, newton_moves(self.posterior.root, J, M, r))

    def move(self, group, order="newton"):
        """Return Δw, of shape (P,): how the weights move if a group leaves at once.

        Parameters
        ----------
        group : sequence of int
            The places of the patterns in X, each once.
        order : {"newton", "first"}
            As for `moves`. To first order a group moves the weights by the sum of what
            its members do; for one step of Newton the bowl is made anew without it.

        Raises
        ------
        ValueError
            As `moves`, or if the group names a place twice or one that is not there.
        """
        check_order(order)
        group, left = check_group(group, self.weights)
        J, _, r = self._parts()
        g = einsum("nkp,nk->p", J[group], r[group])
        bowl = self.posterior
        if order == "newton":
            bowl = laplace(
                bowl.net,
                self.X,
                self.T,
                bowl.alpha,
                curvature=self.curvature,
                structure=self.structure,
                weights=left,
            )
        return in_all(bowl, first_moves(bowl.root, g[None]))[0]

    def effects(self, X, T, order="newton"):
        """Return ∇E_*ᵀΔw_n, of shape (Q, N): what leaving patterns do to queries.

        Above zero where the query's error would rise.

        Parameters
        ----------
        X, T : array, shapes (Q, D) and (Q, K)
            The queries and their targets, one a row.
        order : {"newton", "first"}
            As for `moves`.

        Raises
        ------
        ValueError
            As `moves`, or if X or T does not fit.
        """
        # eq-influence-effect: ΔE_* ≃ ∇E_*ᵀ Δw_n
        return error_gradients(self.posterior.net, X, T) @ self.moves(order).T


def influence(
    net,
    X,
    T,
    alpha,
    *,
    curvature="outer_product",
    structure="full",
    weights=None,
):
    """Return the `Influence` of each pattern on the (P,) weights at a minimum.

    Parameters
    ----------
    net : Network
        The network at the minimum of Σ_n c_n E_n + ½α‖w‖²: train it first.
    X, T : array, shapes (N, D) and (N, K)
        The patterns and targets that it was trained on.
    alpha : float
        The weight decay α of that training, larger than 0. A larger one damps the
        bowl, and so shortens all moves.
    curvature, structure
        What stands for the curvature in A, as `laplace` has them.
    weights : array, shape (N,), optional
        c_n, how often each pattern counts, 0 or more; 1 unless given. A pattern that
        leaves takes its weight along.

    Returns
    -------
    Influence
        With `moves()`, `move(group)`, `effects(X, T)` and `leverages`, beside the
        `posterior`, whose `decrement` tells how far the network is from its minimum.

    Raises
    ------
    ValueError
        If an argument does not fit, or A is not positive definite.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> line = Network((1, 1), [1.0, 1.0])  # y = 1 + x
    >>> who = influence(line, [[-1.0], [1.0]], [[0.0], [3.0]], alpha=1.0)
    >>> who.leverages.round(3), who.moves()[1].round(3)
    (array([0.667, 0.667]), array([-1., -1.]))
    """
    X, T, weights = check_influence(net, X, T, weights)
    posterior = laplace(
        net, X, T, alpha, curvature=curvature, structure=structure, weights=weights
    )
    return Influence(posterior, X, T, weights, curvature, structure)


@dataclass(frozen=True, eq=False)
class Descent:
    """A training that is over, step by step; see `gradient_descent`."""

    net: Network
    path: np.ndarray
    X: np.ndarray
    T: np.ndarray
    weights: np.ndarray
    rate: float
    momentum: float
    alpha: float

    def effects(self, X, T):
        """Return −c_n ∂E_*/∂c_n, of shape (Q, N), through all steps of the training.

        What a pattern that leaves does to the error of queries, to first order in its
        weight: above zero where the error would rise. It goes back through the path
        once, for all patterns, and no minimum is needed. A step costs about two
        gradients for each query and N gradients more.

        Parameters
        ----------
        X, T : array, shapes (Q, D) and (Q, K)
            The queries and their targets, one a row.

        Raises
        ------
        ValueError
            If X or T does not fit.
        """
        dE_dw = error_gradients(self.net, X, T).T
        return (self.weights[:, None] * way_back(self, dE_dw)).T


def way_back(run, dE_dw):
    """Return −∂E_*/∂c_n, of shape (N, Q), given ∂E_*/∂w at the end, of (P, Q)."""
    dE_dd, slopes = np.zeros_like(dE_dw), np.zeros((len(run.X), dE_dw.shape[1]))
    for w in run.path[-2::-1]:
        net = run.net.with_parameters(w)
        # eq-influence-back: ∂E_*/∂d_τ = ∂E_*/∂w_τ + μ ∂E_*/∂d_{τ+1}
        dE_dd = dE_dw + run.momentum * dE_dd
        # eq-influence-unrolled: −∂E_*/∂c_n = η Σ_τ ∇E_n(w_{τ−1})ᵀ ∂E_*/∂d_τ
        g = error_gradients(net, run.X, run.T)
        slopes = slopes + run.rate * g @ dE_dd
        A = HessianOperator(net, run.X, run.T, weights=run.weights).plus(run.alpha)
        # ∂E_*/∂w_{τ−1} = ∂E_*/∂w_τ − ηA(w_{τ−1}) ∂E_*/∂d_τ
        dE_dw = dE_dw - run.rate * (A @ dE_dd)
    return slopes


@runs_away
def gradient_descent(net, X, T, *, rate, steps, momentum=0.0, alpha=0.0, weights=None):
    """Return the `Descent` of (P,) weights by steps against the gradient.

    d ← μd − η(Σ_n c_n∇E_n + αw) and w ← w + d, with all patterns at each step.

    Parameters
    ----------
    net : Network
        Where to start.
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row.
    rate, steps : float, int
        η, and how many steps.
    momentum : float
        μ, how much of the last step each step keeps; from 0 to below 1.
    alpha : float
        The weight decay α, 0 or larger.
    weights : array, shape (N,), optional
        c_n, how often each pattern counts; 1 unless given, and 0 deletes one.

    Returns
    -------
    Descent
        With `effects(X, T)`, beside `net`, the network at the end, and `path`.

    Raises
    ------
    ValueError
        If an argument does not fit, or the weights grow beyond all bounds.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> start = Network((1, 1), [0.0, 0.0])
    >>> run = gradient_descent(start, [[1.0]], [[1.0]], rate=0.5, steps=1)
    >>> run.net.w
    array([0.5, 0.5])
    """
    net, X, T, weights = check_descent(net, X, T, rate, steps, momentum, alpha, weights)
    path, d = [net.w], np.zeros_like(net.w)
    for step in range(steps):
        slope = error_gradient(net, X, T, weights=weights) + alpha * net.w
        d = momentum * d - rate * slope
        net = net.with_parameters(require_finite(net.w + d, step))
        path.append(net.w)
    return Descent(net, np.array(path), X, T, weights, rate, momentum, alpha)
