"""Laplace: the bowl at the minimum taken for a Gaussian of the weights.

| symbol | code | shape |
| --- | --- | --- |
| α, precision of the prior N(0, I/α) of the weights | `alpha` | () |
| β, precision of the noise of linear outputs; else 1 | `beta` | () |
| A = βH + αI, precision of the posterior; L with A = LLᵀ | `A`, `root` | (P, P) |
| γ, how many weights the data determine | `gamma` | () |
| s²_nk, variance of an activation | `variance` | (N, K) |
| κ, what the uncertainty leaves of an activation | `kappa` | (N, K) |

H is the exact Hessian of E, or the outer product in its place. ln p(D) is in nats; its
value depends on the unit of t, its differences do not.

Source: MacKay, *Neural Computation* 4 (1992); PRML (2006), §3.5, §4.5 and §5.7.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from jachess_lib._engine.laplace import (
    averaged,
    bowl,
    check_laplace,
    draws,
    lower_root,
    require_level,
)
from jachess_lib.backpropagation import error
from jachess_lib.jacobian import parameter_jacobian
from jachess_lib.network import Network, forward

__all__ = ["laplace"]


def posterior_precision(H, alpha, beta):
    """Return A, of shape (P, P)."""
    # eq-laplace-precision: A = βH + αI
    return beta * H + alpha * np.eye(len(H))


def log_evidence(E, w, root, alpha, beta, count):
    """Return ln p(D), a float; `count` targets carry noise of precision β, or none."""
    P, log_A = len(w), 2 * np.sum(np.log(np.diag(root)))
    # eq-laplace-evidence: ln p(D) ≃ −βE − ½α‖w‖² − ½ ln|A| + ½P ln α + ½N K ln(β/2π)
    return (
        -beta * E
        - alpha * np.sum(w**2) / 2
        - log_A / 2
        + P * np.log(alpha) / 2
        + count * np.log(beta / (2 * np.pi)) / 2
    )


def determined(root, alpha):
    """Return γ, a float between 0 and P."""
    inverse = cho_solve((root, True), np.eye(len(root)))
    # eq-laplace-gamma: γ = P − α tr A⁻¹ = Σ λ/(λ + α) with the eigenvalues λ of βH
    return len(root) - alpha * np.trace(inverse)


def activation_variance(J, root):
    """Return s²_nk, of shape (N, K), for J_n = ∂a_n/∂w of shape (N, K, P)."""
    # eq-laplace-variance: s²_nk = ∇a_nkᵀ A⁻¹ ∇a_nk = ‖L⁻¹ ∇a_nk‖²
    half = solve_triangular(root, J.reshape(-1, J.shape[-1]).T, lower=True)
    return np.sum(half**2, axis=0).reshape(J.shape[:-1])


def moderated(a, variance):
    """Return a held back by its uncertainty, of the shape of a."""
    # eq-laplace-probit: E[σ(a)] ≃ σ(κa) with κ = 1/√(1 + πs²/8)
    return a / np.sqrt(1 + np.pi * variance / 8)


class Prediction(NamedTuple):
    """What a posterior says of patterns: mean outputs, s² of activations, noise 1/β."""

    mean: np.ndarray
    variance: np.ndarray
    noise: float


@dataclass(frozen=True, eq=False)
class Posterior:
    """A Gaussian of the weights around those of a network; see `laplace`."""

    net: Network
    alpha: float
    beta: float
    error: float
    count: float
    places: np.ndarray
    root: np.ndarray
    gradient: np.ndarray

    @property
    def log_evidence(self):
        """The logarithm of p(D), by Laplace's approximation, in nats."""
        w = self.net.w[self.places]
        noisy = self.count if self.net.output.name == "linear" else 0
        return float(
            log_evidence(self.error, w, self.root, self.alpha, self.beta, noisy)
        )

    @property
    def gamma(self):
        """γ, the number of weights that the data determine, a float."""
        return float(determined(self.root, self.alpha))

    @property
    def decrement(self):
        """½gᵀA⁻¹g, in nats: how far the weights are from the minimum, 0 if there."""
        half = solve_triangular(self.root, self.gradient, lower=True)
        return float(half @ half / 2)

    @property
    def covariance(self):
        """A⁻¹, of shape (P, P), 0 for weights that are held fixed."""
        C = np.zeros((len(self.net.w), len(self.net.w)))
        among = np.ix_(self.places, self.places)
        C[among] = cho_solve((self.root, True), np.eye(len(self.root)))
        return C

    def reestimate(self):
        """Return (α, β) for which the evidence is level, if w and γ stay: floats.

        β stays 1 where outputs are not linear.

        Raises
        ------
        ValueError
            If all weights are 0, or linear outputs are the targets: then there is none.
        """
        w = self.net.w[self.places]
        require_level(self, w)
        alpha, beta = self.gamma / (w @ w), 1.0
        if self.net.output.name == "linear":
            # eq-laplace-reestimate: α = γ/‖w‖², β = (N K − γ)/2E
            beta = (self.count - self.gamma) / (2 * self.error)
        return float(alpha), float(beta)

    def sample(self, n, seed=0):
        """Return n draws of the weights, of shape (n, P)."""
        return draws(self, n, seed)

    def predict(self, X):
        """Return the `Prediction` (mean, variance, noise) of patterns X, (N, D).

        `mean` are the outputs, averaged over the posterior with activations taken as
        linear in the weights: by the formula with κ for sigmoids, by a thousand draws
        for softmax. `variance` is that of the activations, which for linear outputs
        are the outputs; a new target scatters by variance + noise.

        Raises
        ------
        ValueError
            If X does not fit.
        """
        a = forward(self.net, X).a[-1]
        J = parameter_jacobian(self.net, X, of="activations")[:, :, self.places]
        variance = activation_variance(J, self.root)
        if self.net.output.name == "linear":
            return Prediction(a, variance, 1 / self.beta)
        if self.net.output.name == "sigmoid":
            return Prediction(self.net.output.y(moderated(a, variance)), variance, 0.0)
        return Prediction(averaged(self, a, J), variance, 0.0)


def laplace(
    net,
    X,
    T,
    alpha,
    beta=1.0,
    *,
    curvature="outer_product",
    structure="full",
    weights=None,
):
    """Return the `Posterior` of the (P,) weights at the minimum of βE + ½α‖w‖².

    Parameters
    ----------
    net : Network
        The network *at that minimum*: train it with weight decay alpha/beta first. The
        posterior's `decrement` tells how far it is from there.
    X, T : array, shapes (N, D) and (N, K)
        The patterns and targets that it was trained on.
    alpha : float
        Precision of the prior of each weight, larger than 0.
    beta : float
        Precision of the noise, 1/variance, for linear outputs.
    curvature : "outer_product" or "exact"
        What stands for H in A.
    structure : "full", "diagonal", "kronecker" or "last_layer"
        What is kept of it: all; its diagonal; for each layer the Kronecker product of
        two sums over the patterns; or the block of the last layer alone, with the
        other weights taken as known.
    weights : array, shape (N,), optional
        A weight for each pattern's share of the sums.

    Returns
    -------
    Posterior
        With `predict(X)`, `log_evidence`, `gamma`, `covariance`, `sample(n)`,
        `reestimate()` and `decrement`, beside `net`, `alpha`, `beta` and `root`, the
        lower Cholesky root of A for the weights at `places`.

    Raises
    ------
    ValueError
        If an argument does not fit, or A is not positive definite: the weights are at
        no minimum then.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> coin = Network((1, 1), [0.0, 0.0], output="sigmoid")
    >>> laplace(coin, [[1.0]], [[0.5]], alpha=1.0).covariance.round(3)
    array([[ 0.833, -0.167],
           [-0.167,  0.833]])
    """
    net, X, T, alpha, beta, count = check_laplace(
        net, X, T, alpha, beta, curvature, structure, weights
    )
    H, gradient, places = bowl(net, X, T, curvature, structure, weights)
    return Posterior(
        net=net,
        alpha=alpha,
        beta=beta,
        error=float(error(net, X, T, weights=weights)),
        count=count,
        places=places,
        root=lower_root(posterior_precision(H, alpha, beta), curvature),
        gradient=beta * gradient + alpha * net.w[places],
    )
