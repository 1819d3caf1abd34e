"""Witnesses for the tests: networks written again, without the library's code.

- `Plain` computes one network in 50-digit arithmetic, unit by unit in loops, and
  differentiates it by central differences whose error is far below 1e-16.
- `autograd_outputs` and `autograd_error` are the same network for HIPS autograd.
- `cases` builds networks, data and targets; neighbouring layers always differ in width.
"""

import itertools

import autograd.numpy as anp
import autograd.scipy.special as asp
import mpmath as mp
import numpy as np

import jachess_lib as jl

mp.mp.dps = 50

HIDDEN = tuple(jl.HIDDEN_UNITS)
OUTPUT = tuple(jl.OUTPUT_UNITS)
SMOOTH = tuple(name for name in HIDDEN if name != "relu")

MP_UNITS = {
    "identity": lambda a: a,
    "tanh": mp.tanh,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.log1p(mp.exp(a)) if a < 1000 else a + mp.exp(-a),
    "relu": lambda a: a if a > 0 else mp.mpf(0),
    "gelu": lambda a: a * mp.erfc(-a / mp.sqrt(2)) / 2,
    "exp": mp.exp,
}

AUTOGRAD_UNITS = {
    "identity": lambda a: a,
    "tanh": anp.tanh,
    "sigmoid": lambda a: 0.5 * (1 + anp.tanh(a / 2)),
    "softplus": lambda a: anp.logaddexp(0.0, a),
    "relu": lambda a: anp.maximum(a, 0.0),
    "gelu": lambda a: a * 0.5 * (1 + asp.erf(a / anp.sqrt(2.0))),
    "exp": anp.exp,
}


class Plain:
    """One network in 50 digits: sums in loops over units, straight from the book."""

    def __init__(self, net):
        self.sizes = net.sizes
        self.hidden = [MP_UNITS[unit.name] for unit in net.hidden]
        self.output = net.output.name

    def activations(self, w, x):
        """Return the sums a_k into the output units, a list of K numbers."""
        place, z = 0, list(x)
        for layer, (m_in, m_out) in enumerate(itertools.pairwise(self.sizes)):
            a = []
            for _ in range(m_out):
                total = w[place]
                for i in range(m_in):
                    total += w[place + 1 + i] * z[i]
                place += 1 + m_in
                a.append(total)
            if layer < len(self.hidden):
                z = [self.hidden[layer](value) for value in a]
        return a

    def outputs(self, w, x):
        """Return y_k, a list of K numbers."""
        a = self.activations(w, x)
        if self.output == "linear":
            return a
        if self.output == "sigmoid":
            return [1 / (1 + mp.exp(-value)) for value in a]
        total = sum(mp.exp(value) for value in a)
        return [mp.exp(value) / total for value in a]

    def error(self, w, X, T):
        """Return E from its definition in terms of y and t."""
        total = mp.mpf(0)
        for x, t in zip(X, T, strict=True):
            for y_k, t_k in zip(self.outputs(w, x), t, strict=True):
                if self.output == "linear":
                    total += (y_k - t_k) ** 2 / 2
                else:
                    total -= t_k * mp.log(y_k)
                    if self.output == "sigmoid":
                        total -= (1 - t_k) * mp.log(1 - y_k)
        return total


def exact(array):
    """Return the numbers of an array as nested lists of 50-digit numbers."""
    if np.ndim(array) == 0:
        return mp.mpf(float(array))
    return [exact(row) for row in array]


def mp_gradient(f, w, step="1e-20"):
    """Return [∂f/∂w_p] by central differences in 50 digits; right to 1e-25 or so."""
    h = mp.mpf(step)
    gradient = []
    for p in range(len(w)):
        ahead, behind = list(w), list(w)
        ahead[p] += h
        behind[p] -= h
        gradient.append((f(ahead) - f(behind)) / (2 * h))
    return gradient


def mp_hessian_entry(f, w, p, q, step="1e-12"):
    """Return ∂²f/∂w_p∂w_q by four calls in 50 digits; right to 1e-20 or so."""
    h = mp.mpf(step)

    def moved(s, t):
        v = list(w)
        v[p] += s * h
        v[q] += t * h
        return f(v)

    return (moved(1, 1) - moved(1, -1) - moved(-1, 1) + moved(-1, -1)) / (4 * h * h)


def autograd_activations(net, w, X):
    """Return a at the outputs, of shape (N, K), in operations autograd can follow."""
    place, z = 0, X
    for layer, (m_in, m_out) in enumerate(itertools.pairwise(net.sizes)):
        W = anp.reshape(w[place : place + m_out * (1 + m_in)], (m_out, 1 + m_in))
        place += m_out * (1 + m_in)
        a = W[:, 0] + anp.dot(z, W[:, 1:].T)
        if layer < len(net.sizes) - 2:
            z = AUTOGRAD_UNITS[net.hidden[layer].name](a)
    return a


def autograd_outputs(net, w, X):
    """Return y, of shape (N, K)."""
    a = autograd_activations(net, w, X)
    if net.output.name == "linear":
        return a
    if net.output.name == "sigmoid":
        return AUTOGRAD_UNITS["sigmoid"](a)
    e = anp.exp(a - anp.max(a, axis=1, keepdims=True))
    return e / anp.sum(e, axis=1, keepdims=True)


def autograd_error(net, w, X, T):
    """Return E from its definition in terms of y and t."""
    y = autograd_outputs(net, w, X)
    if net.output.name == "linear":
        return 0.5 * anp.sum((y - T) ** 2)
    if net.output.name == "sigmoid":
        return -anp.sum(T * anp.log(y) + (1 - T) * anp.log(1 - y))
    return -anp.sum(T * anp.log(y))


def targets(rng, output, N, K):
    """Return targets of shape (N, K) that suit the output unit, never just 0 and 1."""
    if output == "linear":
        return rng.standard_normal((N, K))
    T = rng.uniform(0.05, 0.95, (N, K))
    return T / T.sum(axis=1, keepdims=True) if output == "softmax" else T


def case(sizes, hidden="tanh", output="linear", N=3, seed=0):
    """Return a random network with inputs and targets."""
    rng = np.random.default_rng(seed)
    net = jl.Network.random(sizes, hidden, output, seed=seed + 1)
    return net, rng.standard_normal((N, sizes[0])), targets(rng, output, N, sizes[-1])


SIZES = [(3, 2), (2, 4, 3), (4, 3, 1), (3, 5, 4, 2), (2, 3, 5, 4, 3)]

CASES = [
    *(((3, 4, 2), hidden, "linear") for hidden in HIDDEN),
    *((sizes, "tanh", output) for sizes in SIZES for output in OUTPUT),
    ((3, 4, 5, 2), ("softplus", "gelu"), "softmax"),
    ((2, 3, 4, 5, 3), ("sigmoid", "exp", "relu"), "sigmoid"),
    ((1, 1, 1), "gelu", "sigmoid"),
    ((5, 2, 6, 1, 3), "softplus", "softmax"),
]


def case_name(case):
    """Return a readable name for a parametrised case."""
    sizes, hidden, output = case
    hidden = hidden if isinstance(hidden, str) else "+".join(hidden)
    return f"{'-'.join(map(str, sizes))}-{hidden}-{output}"
