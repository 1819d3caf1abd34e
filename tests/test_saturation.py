"""Every digit far out: units, errors and matrices where a unit has nearly decided.

One minus what is nearly one has no digits left. So everything here is held, for sums a
from −700 to 700, against 50 digits and formulas that subtract nothing. WORST is what
was found, in units of the last place; entries that are smaller than any normal number
must be so here as well, and zero only where the truth is below all numbers.
"""

import mpmath as mp
import numpy as np
import pytest
from oracles import HIDDEN, OUTPUT

import jachess_lib as jl
from jachess_lib import output_units

REACH = {np.float64: 700, np.float32: 85}
DTYPES = pytest.mark.parametrize("dtype", REACH, ids=["float64", "float32"])


def sech2(a):
    return mp.sech(a) ** 2


def logistic(a):
    return 1 / (1 + mp.exp(-a))


def logistic_slope(a):
    return 1 / (2 + mp.exp(a) + mp.exp(-a))


def normal(a):
    return mp.erfc(-a / mp.sqrt(2)) / 2


# (h, h', h'') of each unit, written so that no digit is lost to cancellation
UNITS = {
    "identity": (lambda a: a, lambda a: mp.mpf(1), lambda a: mp.mpf(0)),
    "tanh": (mp.tanh, sech2, lambda a: -2 * mp.tanh(a) * sech2(a)),
    "sigmoid": (
        logistic,
        logistic_slope,
        lambda a: -mp.tanh(a / 2) * logistic_slope(a),
    ),
    "softplus": (
        lambda a: max(a, mp.mpf(0)) + mp.log1p(mp.exp(-abs(a))),
        logistic,
        logistic_slope,
    ),
    "relu": (lambda a: max(a, mp.mpf(0)), lambda a: mp.mpf(a > 0), lambda a: mp.mpf(0)),
    "gelu": (
        lambda a: a * normal(a),
        lambda a: normal(a) + a * mp.npdf(a),
        lambda a: (2 - a * a) * mp.npdf(a),
    ),
    "exp": (mp.exp, mp.exp, mp.exp),
}

# Largest distance from the truth that the sweep may find, in units of the last place.
WORST = {
    "unit": 12,
    "y": 3,
    "M": 4,
    "residual": 3,
    "error": 3,
    "J": 16,
    "gradient": 16,
    "H": 24,
    "G": 24,
    "product": 24,
}


def sums(dtype):
    """Return the sums a: even, at every scale, at random, and beside the roots."""
    reach, rng = REACH[dtype], np.random.default_rng(0)
    small = np.logspace(-300 if dtype == np.float64 else -37, np.log10(reach), 120)
    roots = [
        root * sign + shift
        for root in (0.7517915246935645, 2**0.5, 0.0)
        for sign in (-1, 1)
        for shift in (0, 1e-16, 3e-16, 1e-12, -1e-7, 1e-3, -0.0999, 0.1001)
    ]
    everything = np.concatenate(
        [
            np.linspace(-reach, reach, 281),
            small,
            -small,
            rng.uniform(-45, 45, 150),
            roots,
        ]
    ).astype(dtype)
    return everything[np.abs(everything) <= reach]


def distance(found, truth, scale=None):
    """Return the largest error of `found`, in units of the last place of `scale`."""
    found, worst = np.asarray(found), 0.0
    numbers = np.finfo(found.dtype)
    scale = [abs(t) for t in truth] if scale is None else scale
    assert found.size == len(truth)
    for number, t, size in zip(found.ravel(), truth, scale, strict=True):
        assert np.isfinite(number)
        if size < 4 * float(numbers.tiny):  # few digits are left, or none
            assert abs(float(number)) <= 8 * float(numbers.tiny)
            continue
        worst = max(worst, float(abs(mp.mpf(float(number)) - t) / size))
    return worst / float(numbers.eps)


@DTYPES
@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_units(name, dtype):
    a, unit = sums(dtype), jl.HIDDEN_UNITS[name]
    for f, truth in zip((unit.h, unit.dh, unit.d2h), UNITS[name], strict=True):
        assert f(a).dtype == dtype
        found = distance(f(a), [truth(mp.mpf(float(v))) for v in a])
        assert found < WORST["unit"]


class Saturated:
    """The truth about one hidden unit between one input and K outputs.

    The sums a and o are taken as the library rounds them, and every sum of terms is
    kept beside the sum of their magnitudes, with which rounding may grow.
    """

    def __init__(self, net, X, T):
        trace = jl.forward(net, X)
        a = mp.mpf(float(trace.a[0][0, 0]))
        o = [mp.mpf(float(v)) for v in trace.a[1][0]]
        h, dh, d2h = (f(a) for f in UNITS[net.hidden[0].name])
        x, K, t = mp.mpf(float(X[0, 0])), len(o), T[0]
        v = [mp.mpf(float(W)) for W in net.W[1][:, 1]]
        self.y, rest, self.M = outputs(net.output.name, o)
        if net.output.name == "linear":
            delta = [o[k] - mp.mpf(float(t[k])) for k in range(K)]
        else:
            delta = [-rest[k] if t[k] else self.y[k] for k in range(K)]
        self.delta = delta
        self.E = error(net.output.name, o, delta, t)
        # ∂o_k/∂w and ∂²o_k/∂w∂w; w is b, u, then c_k, v_k for each k
        u = [mp.mpf(1), x]
        P = 2 + 2 * K
        self.jac = [
            [dh * v[k] * u[p] for p in range(2)]
            + [z if p // 2 == k else mp.mpf(0) for p, z in enumerate([1, h] * K)]
            for k in range(K)
        ]
        self.J = [
            terms(self.M[k][l] * v[l] * dh * float(net.W[0][0, 1]) for l in range(K))
            for k in range(K)
        ]
        self.gradient = [
            terms(delta[k] * self.jac[k][p] for k in range(K)) for p in range(P)
        ]

        def second(p, q):
            p, q = min(p, q), max(p, q)
            if q < 2:
                return [delta[k] * v[k] * d2h * u[p] * u[q] for k in range(K)]
            if p < 2 and q % 2 == 1:
                return [delta[(q - 2) // 2] * dh * u[p]]
            return []

        def first(p, q):
            return [
                self.jac[k][p] * self.M[k][l] * self.jac[l][q]
                for k in range(K)
                for l in range(K)
            ]

        self.G = [[terms(first(p, q)) for q in range(P)] for p in range(P)]
        self.H = [
            [terms(first(p, q) + second(p, q)) for q in range(P)] for p in range(P)
        ]


def terms(numbers):
    """Return the sum, and the sum of the magnitudes."""
    numbers = list(numbers)
    return sum(numbers, mp.mpf(0)), sum(map(abs, numbers), mp.mpf(0))


def outputs(name, o):
    """Return y, 1 − y and ∂y/∂o."""
    K = len(o)
    if name == "linear":
        one = [[mp.mpf(k == l) for l in range(K)] for k in range(K)]
        return o, [mp.mpf(0)] * K, one
    if name == "sigmoid":
        y, rest = [logistic(v) for v in o], [logistic(-v) for v in o]
        M = [
            [y[k] * rest[k] if k == l else mp.mpf(0) for l in range(K)]
            for k in range(K)
        ]
        return y, rest, M
    total = sum(mp.exp(v) for v in o)
    y = [mp.exp(v) / total for v in o]
    rest = [sum(y[l] for l in range(K) if l != k) for k in range(K)]
    M = [
        [y[k] * rest[k] if k == l else -y[k] * y[l] for l in range(K)] for k in range(K)
    ]
    return y, rest, M


def error(name, o, delta, t):
    """Return E of one pattern as a sum of positive terms; t holds zeros and ones."""
    if name == "linear":
        return sum(d * d for d in delta) / 2
    if name == "sigmoid":
        return sum(
            mp.log1p(mp.exp(-v if t_k else v)) for v, t_k in zip(o, t, strict=True)
        )
    right = int(np.argmax(t))
    return mp.log1p(sum(mp.exp(v - o[right]) for k, v in enumerate(o) if k != right))


def networks(output, dtype):
    """Yield networks 1-1-3 whose hidden and output sums reach far, with X and T."""
    reach, rng = REACH[dtype], np.random.default_rng(1)
    far = [-reach, -0.6 * reach, -40, -20, -3, 0, 2, 15, 35, 0.5 * reach, reach]
    for hidden in ("tanh", "sigmoid", "softplus", "gelu"):
        for n, a in enumerate(far):
            o = far[(3 * n + 5) % len(far)] if output != "linear" else 2.5
            w = [0, a, o, 0.75, -o, -1.25, rng.uniform(-1, 1), 0.5]
            net = jl.Network((1, 1, 3), np.array(w, dtype), hidden, output)
            yield net, np.ones((1, 1), dtype), np.eye(3, dtype=dtype)[[n % 3]]


def check_everything(output, dtype):
    """Hold every function of the library against the truth at each network."""
    worst = dict.fromkeys(WORST, 0.0)

    def hold(name, found, truth, scale=None):
        worst[name] = max(worst[name], distance(found, truth, scale))

    for net, X, T in networks(output, dtype):
        truth = Saturated(net, X, T)
        P, o = net.n_parameters, jl.forward(net, X).a[1]
        flat = lambda rows: zip(*(entry for row in rows for entry in row), strict=True)  # noqa: E731
        hold("y", net(X), truth.y)
        hold("M", net.output.dy_da(o), [m for row in truth.M for m in row])
        hold("residual", net.output.residual(o, T), truth.delta)
        hold("error", net.output.error(o, T), [truth.E])
        E = np.array([jl.error(net, X, T)])
        hold("error", E.astype(dtype), [truth.E])
        hold("J", jl.input_jacobian(net, X), *zip(*truth.J, strict=True))
        hold(
            "gradient", jl.error_gradient(net, X, T), *zip(*truth.gradient, strict=True)
        )
        H, G = list(flat(truth.H)), list(flat(truth.G))
        hold("H", jl.exact_hessian(net, X, T), *H)
        hold("G", jl.outer_product_hessian(net, X), *G)
        diagonal = [truth.H[p][p] for p in range(P)]
        hold("H", jl.hessian_diagonal(net, X, T), *zip(*diagonal, strict=True))
        diagonal = [truth.G[p][p] for p in range(P)]
        hold("G", jl.outer_product_diagonal(net, X), *zip(*diagonal, strict=True))
        v = np.array([1, -2, 0.5, 1, 3, -1, 0.25, 2], dtype)
        for matrix, found in (
            (truth.H, jl.hessian_vector_product(net, X, T, v)),
            (truth.H, jl.HessianOperator(net, X, T) @ v),
            (truth.G, jl.gauss_newton_vector_product(net, X, v)),
        ):
            Hv = [
                sum(e[0] * float(s) for e, s in zip(r, v, strict=True)) for r in matrix
            ]
            size = [
                sum(e[1] * abs(float(s)) for e, s in zip(r, v, strict=True))
                for r in matrix
            ]
            hold("product", found, Hv, size)
    return worst


@DTYPES
@pytest.mark.parametrize("output", OUTPUT)
def test_networks(output, dtype, engine):
    worst = check_everything(output, dtype)
    assert all(worst[name] < WORST[name] for name in WORST), worst


def test_the_outer_product_of_a_confident_classifier_is_never_indefinite():
    net = jl.Network((1, 2), [40.0, 0, 0, 0], output="softmax")
    G = jl.outer_product_hessian(net, [[0.0]])
    assert G[0, 0] == pytest.approx(np.exp(-40), rel=1e-15)
    assert np.linalg.eigvalsh(G).min() >= -1e-30 * G.max()


def test_a_planted_loss_of_digits_is_caught():
    unit = jl.OUTPUT_UNITS["sigmoid"]
    object.__setattr__(unit, "residual", lambda a, T: unit.y(a) - T)
    try:
        assert check_everything("sigmoid", np.float64)["gradient"] > 1e10
    finally:
        object.__setattr__(unit, "residual", output_units._sigmoid_residual)


def test_slopes_that_differ_where_weights_agree():
    # J_0 = Σ_l y_0 y_l (w_0 − w_l): what the leading pair shares must drop out
    net = jl.Network((1, 3), [0.0, 2, -1, 2, -60, 3], output="softmax")
    y = net([[0.0]])[0]
    J = jl.input_jacobian(net, [[0.0]])[0, :, 0]
    np.testing.assert_allclose(J[:2], -y[:2] * y[2], rtol=1e-9)
