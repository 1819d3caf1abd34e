"""Wrong answers to assignment 2: the right formulas, each changed in one place."""

import numpy as np
from planted_1 import sigmoid, sigmoid_slope, softmax, tanh_slope, with_one

SLOPES = {
    "h′ missing": lambda a, z: np.ones_like(a),
    "wrong unit's slope": lambda a, z: sigmoid_slope(a),
    "sigmoid's formula": lambda a, z: z * (1 - z),
    "unit for slope": lambda a, z: z,
    "slope at z": lambda a, z: tanh_slope(z),
    "a for z": lambda a, z: 1 - a * a,
    "1 − lost": lambda a, z: z * z,
    "one slope for all patterns": lambda a, z: np.stack([1 - z[0] ** 2] * len(z)),
    "mean slope": lambda a, z: np.stack([1 - (z**2).mean(0)] * len(z)),
}


def right_slope(a, z):
    """Return h'(a) from z."""
    return 1 - z * z


def outputs(a, unit):
    """Return y."""
    return {"linear": lambda a: a, "sigmoid": sigmoid, "softmax": softmax}[unit](a)


def error(W, X, T, unit):
    """Return E of the forward pass; W may be complex."""
    z = X
    for V in W[:-1]:
        z = np.tanh(with_one(z) @ V.T)
    a = with_one(z) @ W[-1].T
    if unit == "linear":
        return ((a - T) ** 2).sum() / 2
    if unit == "sigmoid":
        y = 1 / (1 + np.exp(-a))
        return -(T * np.log(y) + (1 - T) * np.log(1 - y)).sum()
    return (np.log(np.exp(a).sum(1)) - (T * a).sum(1)).sum()


def one_step(V, delta, a, slope=right_slope, columns=slice(1, None)):
    """Return δ of the layer below."""
    return slope(a, np.tanh(a)) * (delta @ V[:, columns])


def error_gradient(W, X, T, unit, slope=right_slope, start=None, last=1.0):
    """Return ∂E/∂W, a table a layer; `start` and `last` change the outputs' signal."""
    a, z = [], [with_one(X)]
    for V in W:
        a.append(z[-1] @ V.T)
        z.append(with_one(np.tanh(a[-1])))
    y = outputs(a[-1], unit)
    delta = (start(y, T) if start else y - T) * (
        last(a[-1], y) if callable(last) else 1
    )
    tables = [delta.T @ z[len(W) - 1]]
    for l in range(len(W) - 1, 0, -1):
        delta = slope(a[l - 1], np.tanh(a[l - 1])) * (delta @ W[l][:, 1:])
        tables.insert(0, delta.T @ z[l - 1])
    return tables


def gradient(**changes):
    """Return the gradient with these changes."""
    return lambda W, X, T, unit: error_gradient(W, X, T, unit, **changes)


def tables(change):
    """Return the gradient with every table changed."""
    return lambda *at: [change(table, at[2]) for table in error_gradient(*at)]


def own_slope(a, y):
    """Return y(1 − y), or 1 where the outputs are linear."""
    return 1 + 0 * y if np.array_equal(a, y) else y * (1 - y)


def no_biases(table, T=None):
    """Return the table with 0 for the biases."""
    table = table.copy()
    table[:, 0] = 0
    return table


def by_pattern(W, X, T, unit):
    """Return the gradients of the patterns, stacked."""
    each = [
        error_gradient(W, x[None], t[None], unit) for x, t in zip(X, T, strict=True)
    ]
    return [np.array(tables) for tables in zip(*each, strict=True)]


def quotients(quotient, each_alone=True):
    """Return a function that takes a difference quotient at every weight."""

    def answer(W, X, T, unit, step):
        W = [V.copy() for V in W]
        found = [np.zeros_like(V) for V in W]
        for V, table in zip(W, found, strict=True):
            for place in np.ndindex(V.shape):
                value = V[place]

                def at(s, V=V, place=place, value=value):
                    V[place] = value + s
                    return error(W, X, T, unit)

                table[place] = quotient(at, step)
                if each_alone:
                    V[place] = value
        return found

    return answer


def central(E, e):
    """Return the central quotient."""
    return (E(e) - E(-e)) / (2 * e)


def after(change):
    """Return central quotients, each table changed."""
    return lambda *at: [change(q, at[2]) for q in quotients(central)(*at)]


def complex_steps(part=np.imag, factor=1.0, dtype=complex, each_alone=True):
    """Return the gradient by complex steps, or what becomes of it."""

    def answer(W, X, T, unit):
        W = [V.astype(dtype) for V in W]
        found = [np.zeros(V.shape) for V in W]
        for V, table in zip(W, found, strict=True):
            for place in np.ndindex(V.shape):
                value = V[place]
                V[place] = (value + 1e-20j) if dtype is complex else value
                table[place] = part(error(W, X, T, unit)) / 1e-20 * factor
                if each_alone:
                    V[place] = value
        return found

    return answer


def fitted(x, y):
    """Return the slope of a straight line through points."""
    return np.polyfit(x, y, 1)[0]


PLANTED = {
    "q1": {
        "sign": lambda y, T: T - y,
        "½ lost": lambda y, T: 2 * (y - T),
        "mean for sum": lambda y, T: (y - T) / len(y),
        "output unit twice": lambda y, T: (y - T) * y * (1 - y),
        "error for signal": lambda y, T: (y - T) ** 2 / 2,
        "patterns summed": lambda y, T: (y - T).sum(axis=0),
        "size for signal": lambda y, T: abs(y - T),
    },
    "q2": {
        name: lambda *at, s=slope: one_step(*at, slope=s)
        for name, slope in SLOPES.items()
    }
    | {
        "last column dropped": lambda *at: one_step(*at, columns=slice(0, -1)),
        "sign": lambda *at: -one_step(*at),
        "patterns summed": lambda *at: one_step(*at).sum(axis=0),
        "V squared": lambda V, delta, a: one_step(V * V, delta, a),
        "raises": lambda V, delta, a: tanh_slope(a) * (delta @ V[:, 1:].T),
        "changes its argument": lambda V, delta, a: (
            np.multiply(delta, 2, out=delta) @ V[:, 1:] * tanh_slope(a)
        ),
    },
    "q3": {name: gradient(slope=slope) for name, slope in SLOPES.items()}
    | {
        "h′ on the output layer": gradient(last=lambda a, y: tanh_slope(a)),
        "output unit twice": gradient(last=own_slope),
        "target forgotten": gradient(start=lambda y, T: np.ones_like(y)),
        "sign": gradient(start=lambda y, T: T - y),
        "½ lost": gradient(start=lambda y, T: 2 * (y - T)),
        "mean for sum": tables(lambda table, T: table / len(T)),
        "mean over outputs": tables(lambda table, T: table / T.size),
        "biases left out": tables(no_biases),
        "no column for biases": tables(lambda table, T: table[:, 1:]),
        "biases last": tables(
            lambda table, T: table[:, [*range(1, table.shape[1]), 0]]
        ),
        "transposed": tables(lambda table, T: table.T),
        "patterns not summed": by_pattern,
        "first pattern only": lambda W, X, T, unit: error_gradient(
            W, X[:1], T[:1], unit
        ),
        "last pattern only": lambda W, X, T, unit: error_gradient(
            W, X[-1:], T[-1:], unit
        ),
        "last layer only": lambda *at: [
            table * (l == len(at[0]) - 1) for l, table in enumerate(error_gradient(*at))
        ],
        "layers reversed": lambda *at: error_gradient(*at)[::-1],
        "one vector": lambda *at: np.concatenate(
            [table.ravel() for table in error_gradient(*at)]
        ),
        "nothing": lambda *at: None,
        "few digits": lambda *at: quotients(central)(*at, 1e-5),
        "not a list": lambda *at: (table for table in error_gradient(*at)),
    },
    "q4": {
        "forward difference": quotients(lambda E, e: (E(e) - E(0)) / e),
        "backward difference": quotients(lambda E, e: (E(0) - E(-e)) / e),
        "ε for 2ε": quotients(lambda E, e: (E(e) - E(-e)) / e),
        "half steps": quotients(lambda E, e: (E(e / 2) - E(-e / 2)) / e),
        "not divided by ε": quotients(lambda E, e: E(e) - E(-e)),
        "halved, not divided by ε": quotients(lambda E, e: (E(e) - E(-e)) / 2),
        "sign": quotients(lambda E, e: (E(-e) - E(e)) / (2 * e)),
        "mean for sum": after(lambda q, T: q / len(T)),
        "not a difference": lambda *at: error_gradient(*at[:-1]),
        "biases left out": after(no_biases),
        "steps add up": quotients(central, each_alone=False),
    },
    "q5": {
        "real part": complex_steps(part=np.real),
        "zeros": complex_steps(dtype=float),
        "2ε for ε": complex_steps(factor=0.5),
        "sign": complex_steps(part=lambda E: np.conj(E).imag),
        "mean for sum": lambda *at: [
            table / len(at[1]) for table in complex_steps()(*at)
        ],
        "biases left out": lambda *at: [no_biases(t) for t in complex_steps()(*at)],
        "steps add up": complex_steps(each_alone=False),
        "complex": lambda *at: [t + 0j for t in complex_steps()(*at)],
    },
    "q6": {
        "axes exchanged": lambda s, e: fitted(np.log(e), np.log(s)),
        "inverse": lambda s, e: 1 / fitted(np.log(s), np.log(e)),
        "sign": lambda s, e: fitted(-np.log(s), np.log(e)),
        "ends only": lambda s, e: np.log(e[0] / e[-1]) / np.log(s[0] / s[-1]),
        "no logarithms": fitted,
        "one logarithm": lambda s, e: fitted(s, np.log(e)),
        "through the origin": lambda s, e: np.linalg.lstsq(
            np.log(s)[:, None], np.log(e), rcond=None
        )[0][0],
        "polynomial for slope": lambda s, e: np.polyfit(np.log(s), np.log(e), 1),
    },
}

RIGHT = {
    "q1": lambda y, T: y - T,
    "q2": one_step,
    "q3": error_gradient,
    "q4": quotients(central),
    "q5": complex_steps(),
    "q6": lambda s, e: fitted(np.log(s), np.log(e)),
}
