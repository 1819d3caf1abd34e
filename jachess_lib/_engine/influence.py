"""The checks of influence: weights, groups, bowls without a minimum, and trainings."""

import numpy as np

from jachess_lib._engine.floats import wide
from jachess_lib._engine.inputs import (
    check_choice,
    check_count,
    check_index,
    check_inputs,
    check_network,
    check_number,
    check_positive,
    check_targets,
    check_weights,
    require_given,
)

# A training that runs away is told once, by an error.
runs_away = np.errstate(over="ignore", invalid="ignore")


def _counts(net, n_patterns, weights):
    """Return how often each pattern counts, in double precision."""
    if weights is None:
        return np.ones(n_patterns)
    weights = check_weights(weights, net, n_patterns).astype(float)
    if (weights < 0).any():
        n = int(np.argmax(weights < 0))
        raise ValueError(
            f"weights[{n}] is {weights[n]:g}: a pattern cannot count less than 0 times"
        )
    return weights


def _data(net, X, T):
    """Return checked patterns and targets."""
    check_network("net", net)
    require_given("T", T)
    X = check_inputs(net, X)
    return X, check_targets(net, X, T)


def check_influence(net, X, T, weights):
    """Return X and T in double precision, and how often each pattern counts."""
    X, T = _data(net, X, T)
    return X.astype(float), T.astype(float), _counts(net, len(X), weights)


def check_order(order):
    """Require one of the two orders."""
    check_choice("order", order, ("newton", "first"))


def check_group(group, weights):
    """Return the places of a group, each once, and the weights without them."""
    places = np.array([check_index("group", n, len(weights)) for n in group], int)
    if len(set(places.tolist())) < len(places):
        twice = next(n for n in places if (places == n).sum() > 1)
        raise ValueError(f"group names pattern {twice} twice: it can leave only once")
    left = weights.copy()
    left[places] = 0
    return places, left


def check_descent(net, X, T, rate, steps, momentum, alpha, weights):
    """Return the network in double precision, X, T and how often each counts."""
    X, T = _data(net, X, T)
    check_positive("rate", rate)
    check_count("steps", steps)
    if not 0 <= check_number("momentum", momentum) < 1:
        raise ValueError(f"momentum must be from 0 to below 1, got {momentum:g}")
    if check_number("alpha", alpha) < 0:
        raise ValueError(f"alpha must be 0 or larger, got {alpha:g}")
    weights = _counts(net, len(X), weights)
    double = net.with_parameters(net.w.astype(wide(net.w.dtype)))
    return double, X.astype(float), T.astype(float), weights


def require_finite(w, step):
    """Return w, or say at which step a training ran away."""
    if not np.isfinite(w).all():
        raise ValueError(
            f"the weights are not finite any more after step {step + 1}: use a smaller "
            "rate"
        )
    return w
