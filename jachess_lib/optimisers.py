"""Optimisers as what they put in the place of the curvature, one step at a time.

| symbol | code | shape |
| --- | --- | --- |
| g, the gradient of a batch | `g` | (P,) |
| its part for one matrix, Γ = ∂E/∂W | `Gamma` | (M_out, M_in) |
| averages over the steps, of g and of g² | `m`, `s` | (P,) |
| the step before it is scaled by −η | what `step(g)` returns | (P,) |

Each of the first six returns a function `step`, which is called once for each batch and
remembers its averages. `blocks` are those of `named_blocks(net)`: where each matrix
stands in w, and its shape.

Source: Kingma and Ba (2015), Loshchilov and Hutter (2019) for Adam; Gupta, Koren and
Singer (2018) for Shampoo; Vyas and others (2024) for SOAP; Liu and others (2023) for
Sophia; Martens (2010) for Gauss–Newton.
"""

import numpy as np
from scipy.linalg import eigh

from jachess_lib._engine.inputs import check_count, check_number, check_positive
from jachess_lib._engine.optimisers import Average, check_share, tail_operators
from jachess_lib.language_model import StackOperator, newton_schulz, stack_error

__all__ = ["adam", "gauss_newton", "momentum", "muon", "shampoo", "soap", "sophia"]


def momentum(blocks, beta=0.9):
    """Return step(g) = m, of shape (P,): no curvature at all.

    Parameters
    ----------
    beta : float
        How much of the average m each step keeps.

    Raises
    ------
    ValueError
        If beta is not in [0, 1).
    """
    return Average(check_share("beta", beta))


def adam(blocks, beta1=0.9, beta2=0.95, epsilon=1e-8):
    """Return step(g) = m/(√s + ε), of shape (P,): the root of a diagonal.

    AdamW is −η (step(g) + decay · w).

    Parameters
    ----------
    beta1, beta2 : float
        How much of m and of s, the averages of g and g², each step keeps.
    epsilon : float
        Added to the root.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), or epsilon not positive.
    """
    m, s = Average(check_share("beta1", beta1)), Average(check_share("beta2", beta2))
    check_positive("epsilon", epsilon)
    return lambda g: m(g) / (np.sqrt(s(g**2)) + epsilon)


def sophia(blocks, beta1=0.9, beta2=0.95, rho=0.01):
    """Return step(g, h=None) = m/(ρ s) cut to [−1, 1], of shape (P,): a diagonal of G.

    Parameters
    ----------
    beta1, beta2 : float
        How much of m and of s, the average of h, each step keeps. h is an estimate of
        the diagonal of G, as `sampled_diagonal` gives it, and may be left out.
    rho : float
        How large a share of Newton's step is cut.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), or rho not positive.
    """
    m, s = Average(check_share("beta1", beta1)), Average(check_share("beta2", beta2))
    check_positive("rho", rho)

    def step(g, h=None):
        curvature = s.value if h is None else s(h)
        return np.clip(m(g) / np.maximum(rho * curvature, 1e-15), -1, 1)

    return step


def shampoo(blocks, beta=0.9, beta1=0.9, power=-0.25, epsilon=1e-5):
    """Return step(g) of shape (P,): L^power Γ R^power, as long as Adam's step.

    Parameters
    ----------
    beta, beta1 : float
        How much of L and R, the averages of ΓΓᵀ and ΓᵀΓ, and of the average of the
        steps is kept.
    power : float
        −1/4, or −1/2 for the square of what L^½ ⊗ R^½ stands for.
    epsilon : float
        Of the largest eigenvalue, added to all.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), or epsilon not positive.
    """
    sides = _sides(blocks, check_share("beta", beta))
    check = check_positive("epsilon", epsilon)
    graft, m = adam(blocks, 0, beta), Average(check_share("beta1", beta1))

    def root(A):
        values, Q = eigh(A)
        floor = check * max(values[-1], 1e-30)
        return (Q * (np.maximum(values, 0) + floor) ** power) @ Q.T

    def step(g):
        d, length = np.empty_like(g), graft(g)
        for (place, shape), (L, R) in zip(blocks.values(), sides, strict=True):
            Gamma = g[place].reshape(shape)
            D = root(L(Gamma @ Gamma.T)) @ Gamma @ root(R(Gamma.T @ Gamma))
            scale = np.linalg.norm(length[place]) / max(np.linalg.norm(D), 1e-30)
            d[place] = scale * D.ravel()
        return m(d)

    return step


def soap(blocks, beta1=0.9, beta2=0.98, epsilon=1e-5):
    """Return step(g), of shape (P,): Adam's, along the eigenvectors of L and R.

    Parameters
    ----------
    beta1, beta2 : float
        How much of m, and of s, L and R each step keeps.
    epsilon : float
        Added to the root of s.

    Raises
    ------
    ValueError
        If a share is not in [0, 1), or epsilon not positive.
    """
    m, beta2 = Average(check_share("beta1", beta1)), check_share("beta2", beta2)
    sides = _sides(blocks, beta2)
    squares, check = [Average(beta2) for _ in sides], check_positive("epsilon", epsilon)

    def step(g):
        d, average = np.empty_like(g), m(g)
        for (place, shape), (L, R), s in zip(
            blocks.values(), sides, squares, strict=True
        ):
            Gamma = g[place].reshape(shape)
            Q_L, Q_R = eigh(L(Gamma @ Gamma.T))[1], eigh(R(Gamma.T @ Gamma))[1]
            turned = Q_L.T @ average[place].reshape(shape) @ Q_R
            turned = turned / (np.sqrt(s((Q_L.T @ Gamma @ Q_R) ** 2)) + check)
            d[place] = (Q_L @ turned @ Q_R.T).ravel()
        return d

    return step


def muon(blocks, beta=0.95, beta2=0.95, ratio=2.0):
    """Return step(g), of shape (P,): nearly the polar factor of every inner matrix.

    Its entries have a root mean square of about 0.2. E and U take Adam's step.

    Parameters
    ----------
    beta, beta2 : float
        How much of the average of Γ each step keeps, and how much Adam keeps of s.
    ratio : float
        How long Adam's steps are beside those of Muon.

    Raises
    ------
    ValueError
        If a share is not in [0, 1).
    """
    m, outer = Average(check_share("beta", beta)), adam(blocks, 0.9, beta2)
    ratio = check_number("ratio", ratio)

    def step(g):
        d, ahead = ratio * outer(g), beta * m(g) + (1 - beta) * g
        for name, (place, shape) in blocks.items():
            if name not in ("E", "U"):
                UVt = newton_schulz(ahead[place].reshape(shape))
                d[place] = 0.2 * max(shape) ** 0.5 * UVt.ravel()
        return d

    return step


def _sides(blocks, beta):
    return [(Average(beta), Average(beta)) for _ in blocks]


def gauss_newton(iterations=10, damping=0.03, layerwise=False, keep=0.9):
    """Return step(net, X, T, rate=1): the next w, (P,), and the gradients it cost.

    The step solves (G + λI)p = −∇E by conjugate gradients, from a part of the last
    step, and is scaled to the minimum of the quadratic model. λ follows the rule of
    Levenberg and Marquardt; a step that leads up is not taken, and of others `rate` is.
    The cost is counted in multiply–adds with the weights: a gradient takes three, a
    product with G four.

    Parameters
    ----------
    iterations : int
        How many products with G a step may take.
    damping : float
        λ of the first step.
    layerwise : bool
        Whether G loses what lies between E, each branch and U.
    keep : float
        How much of the last step the next one starts from.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    check_count("iterations", iterations)
    last = {"p": 0.0, "damping": check_positive("damping", damping)}
    check_share("keep", keep)

    def step(net, X, T, rate=1.0):
        G, lam = StackOperator(net, X, T, curvature="outer_product"), last["damping"]
        g, places = G.gradient, tail_operators(G) if layerwise else [(slice(None), G)]
        spent = [1.0]

        def times(v):
            out = np.empty_like(v)
            for place, tail in places:
                only = np.zeros(tail.shape[0])
                own = slice(None, v[place].size)
                only[own] = v[place]
                out[place] = (tail @ only)[own]
                spent.append(4 / 3 * tail.shape[0] / len(v))
            return out + lam * v

        def dot(u, v):
            out = np.empty_like(u)
            for place, _ in places:
                out[place] = u[place] @ v[place]
            return out

        p = keep * last["p"] * np.ones_like(g)
        r = -g - times(p) if p.any() else -g
        q, rr = r, dot(r, r)
        for _ in range(iterations):
            Aq = times(q)
            along = rr / (dot(q, Aq) + 1e-300)
            p, r = p + along * q, r - along * Aq
            new = dot(r, r)
            q, rr = r + new / (rr + 1e-300) * q, new
        Gp = G @ p
        scale = -(g @ p) / (p @ Gp + lam * (p @ p))
        p, Gp = scale * p, scale * Gp
        model = g @ p + p @ Gp / 2
        change = stack_error(net.with_parameters(net.w + p), X, T) - G.error
        gain = change / model if model < 0 else -1.0
        last["damping"] *= 2 / 3 if gain > 0.75 else 3 / 2 if gain < 0.25 else 1
        last["p"] = p if change < 0 else 0.0
        return net.w + rate * last["p"], sum(spent) + 4 / 3 + 1 / 3

    return step
