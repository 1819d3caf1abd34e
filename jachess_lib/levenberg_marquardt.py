"""Levenberg–Marquardt: a sum of squares made least, by damped Gauss–Newton steps.

| symbol | code | shape |
| --- | --- | --- |
| r, the residuals y − t, pattern by pattern | `r` | (N K,) |
| J = ∂r/∂w, a row for each residual | `J` | (N K, P) |
| λ, the damping | `damping` | () |
| the diagonal of D, a scale for each weight | `D` | (P,) |
| p, the step | `p` | (P,) |
| ϱ, what E fell by, over what was foretold | `gain` | () |

E = ½ rᵀr has the unit of t²; the covariance that of two weights multiplied.

Source: Levenberg (1944); Marquardt (1963); Moré (1978) for the steps by QR and for D;
Nielsen (1999) for the rule of λ.
"""

import numpy as np
from scipy.linalg import qr, solve_triangular

from jachess_lib._engine.levenberg_marquardt import least_squares, told

__all__ = ["levenberg_marquardt"]


def damped_step(J, r, damping, D):
    """Return p with (JᵀJ + λD) p = −Jᵀr, of shape (P,), without forming JᵀJ.

    J is of shape (N K, P), r of (N K,), and D of (P,). By QR of a taller table.
    """
    # eq-levenberg-marquardt-rows: [J; √λ D^½] p ≃ −[r; 0] in least squares
    table = np.concatenate([J, np.diag(np.sqrt(damping * D))])
    Q, R = qr(table, mode="economic", check_finite=False)
    # eq-levenberg-marquardt: (JᵀJ + λD) p = −Jᵀr, where JᵀJ + λD = RᵀR
    return solve_triangular(R, -Q[: len(r)].T @ r, check_finite=False)


def foretold_fall(J, p, damping, D):
    """Return by how much the tangent makes E fall along a damped step, a float."""
    # eq-levenberg-marquardt-foretold: ½‖r‖² − ½‖r + Jp‖² = ½‖Jp‖² + λ pᵀDp
    return np.sum((J @ p) ** 2) / 2 + damping * np.sum(D * p**2)


def next_damping(damping, growth, gain):
    """Return λ and its growth factor for the next step, floats, by the last gain."""
    if gain > 0:
        return damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2.0
    return damping * growth, 2 * growth


def covariance(J, r):
    """Return s² (JᵀJ)⁻¹, of shape (P, P), with s² = ‖r‖²/(N K − P). No λ in it."""
    R = qr(J, mode="r", check_finite=False)[0][: J.shape[1]]
    inverse = solve_triangular(R, np.eye(len(R)), check_finite=False)
    # eq-levenberg-marquardt-covariance: cov(w) = s² (JᵀJ)⁻¹, where J = QR
    return np.sum(r**2) / (len(r) - len(R)) * inverse @ inverse.T


def one_step(fit, at, D, damping, growth):
    """Try a step, and return where to go on, D, λ, its growth, and (λ, ϱ, E)."""
    p = damped_step(at.J, at.r, damping, D)
    trial = fit.at(at.w + p)
    gain = fit.gain(at, trial, foretold_fall(at.J, p, damping, D))
    seen = (damping, gain, trial.E)
    damping, growth = next_damping(damping, growth, gain)
    if gain > 0:
        at, D = trial, np.maximum(D, fit.scales(trial.J))
    return at, D, max(damping, fit.least), growth, seen


def levenberg_marquardt(
    net,
    X,
    T,
    *,
    free=None,
    alpha=0.0,
    scale="diagonal",
    damping=1e-3,
    tolerance=1e-10,
    max_steps=1000,
    weights=None,
):
    """Return a SciPy `OptimizeResult` with the (P,) weights that make E least.

    E = ½ Σ weights_n (y_nk − t_nk)² + ½ alpha ‖w‖², for linear outputs. It converges
    where r has no part left that J can reach: where that part is at most `tolerance`
    of r, or is rounding.

    Parameters
    ----------
    net : Network
        Where to start; its outputs must be linear.
    X, T : array, shapes (N, D) and (N, K)
        Patterns and targets, one a row.
    free : array, optional
        Which weights may move: P truth values, or places in `net.w`. All, if not given.
    alpha : float
        The strength of weight decay, on the free weights.
    scale : "diagonal" or "identity"
        D: the largest diagonal of JᵀJ met so far (Marquardt, Moré), so that it does
        not matter in which units a weight is measured; or ones (Levenberg).
    damping : float
        λ for the first step, relative to the largest diagonal of JᵀJ with "identity".
    tolerance : float
        See above. Multiplied by √(N K − P), it is about how far a weight may be from
        its best, in its standard errors.
    max_steps : int
        Steps to try at most, those that are taken back included.
    weights : array, shape (N,), optional
        A weight for each pattern, 0 or larger, such as 1/variance.

    Returns
    -------
    scipy.optimize.OptimizeResult
        `net` and `x` hold the weights found, `status` and `message` say why it ended
        (1 converged; 2 converged, but J leaves some directions of the weights open;
        0 too many steps; −1 no step lowers E any more; −2 J is not finite), `success`
        is true for 1 and 2. `fun` is r, `jac` J by the free weights, `cost` E, `grad`
        its gradient by them, `optimality` the part of r that J reaches, `rank` the
        rank of J; `nit`, `nfev` and `njev` count steps and calls. `dampings`, `gains`
        and `costs` tell λ, ϱ and E of each step. `variance` is s², and `covariance`,
        (P, P), and `standard_errors`, (P,), are 0 for weights that are not free. All
        three are None with status −2 or 2, with alpha, and where N K − P is not
        positive.

    Raises
    ------
    ValueError
        If an argument does not fit, the outputs are not linear, or the residuals at
        the start are not finite.

    Examples
    --------
    >>> from jachess_lib import Network
    >>> line = Network((1, 1), [0.0, 0.0])
    >>> fit = levenberg_marquardt(line, [[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])
    >>> fit.net.w.round(9), fit.status
    (array([1., 2.]), 1)
    """
    fit = least_squares(net, X, T, free, alpha, weights)
    at = fit.start(scale, damping, tolerance, max_steps)
    D, damping, growth, history = fit.scales(at.J), fit.first_damping(at.J), 2.0, []
    while not (ended := fit.ended(at, damping, history)):
        at, D, damping, growth, seen = one_step(fit, at, D, damping, growth)
        history.append(seen)
    return told(fit, at, ended, history, covariance)
