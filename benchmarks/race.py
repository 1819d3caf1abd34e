"""The race of chapter 15: seven ways to train one small transformer, each well tuned.

    python -m benchmarks.race           # tuning, the race, the table of batch sizes
    python -m benchmarks.race cost      # Muon for as many gradients as Gauss–Newton
    python -m benchmarks.race speed     # gradient, Gv and Hv beside JAX and PyTorch

The results, and every setting that was tried, go to `race.json`, which the chapter
draws. Losses are in nats a token, over the same 2048 tokens of the training text.
"""

import json
import re
import sys
import time
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

import jachess_lib
from benchmarks.machine import describe_machine
from jachess_lib import one_hot, optimisers
from jachess_lib.language_model import (
    StackOperator,
    named_blocks,
    sampled_diagonal,
    stack_error,
    stack_gradient,
    token_inputs,
    transformer,
)

RESULTS = Path(jachess_lib.__file__).with_name("race.json")  # chapters run from it
ALPHABET = " abcdefghijklmnopqrstuvwxyz"
SMALL = {"n_letters": 27, "length": 8, "width": 8, "heads": 2, "hidden": 16}
LARGE = {"n_letters": 27, "length": 16, "width": 16, "heads": 2, "hidden": 32}

# What is tried for each: the product of these, 16 settings or fewer.
GRIDS = {
    "momentum": {"eta": [2.5, 5, 10, 20], "beta": [0.5, 0.8, 0.9, 0.95]},
    "adam": {"eta": [0.04, 0.08, 0.16, 0.32], "beta2": [0.8, 0.9, 0.95, 0.98]},
    "sophia": {"eta": [0.03, 0.06, 0.12, 0.24], "rho": [0.0025, 0.01, 0.04, 0.16]},
    "shampoo": {"eta": [0.04, 0.08, 0.16, 0.32], "power": [-0.25, -0.5],
                "beta": [0.9, 0.95]},
    "soap": {"eta": [0.04, 0.08, 0.16, 0.32], "beta2": [0.9, 0.95, 0.98, 0.99]},
    "muon": {"eta": [0.04, 0.08, 0.16, 0.32], "ratio": [0.5, 1, 2, 4]},
    "gauss_newton": {"damping": [0.01, 0.03, 0.1, 0.3], "iterations": [5, 10, 15, 20]},
    "layerwise": {"damping": [0.01, 0.03, 0.1, 0.3], "iterations": [5, 10, 15, 20]},
}  # fmt: skip
FIRST_ORDER = [name for name in GRIDS if name not in ("gauss_newton", "layerwise")]
LONG = {
    "momentum": {"eta": [2.5, 5, 10], "beta": [0.8, 0.9]},
    "adam": {"eta": [0.02, 0.04, 0.08], "beta2": [0.95, 0.98]},
    "sophia": {"eta": [0.0075, 0.015, 0.03], "rho": [0.0025, 0.01]},
    "shampoo": {"eta": [0.04, 0.08, 0.16], "beta": [0.9, 0.95]},
    "soap": {"eta": [0.04, 0.08, 0.16], "beta2": [0.9, 0.98]},
    "muon": {"eta": [0.04, 0.08, 0.16], "ratio": [1, 2]},
}


@cache
def corpus():
    """Return the letters of the training text, and of every tenth piece, held out."""
    from sklearn import datasets  # the peers' environment is without it

    names = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")
    text = " ".join(getattr(datasets, f"load_{name}")().DESCR for name in names)
    text = re.sub("[^a-z]+", " ", text.lower())
    codes = np.array([ALPHABET.index(letter) for letter in text])
    pieces = np.arange(len(codes)) // 100 % 10 == 9
    return codes[~pieces], codes[pieces]


def windows(codes, length, texts, rng):
    """Return inputs and targets of random texts of the corpus, one token a row."""
    at = rng.integers(0, len(codes) - length, texts)[:, None] + np.arange(length + 1)
    inputs = token_inputs(codes[at[:, :-1]], len(ALPHABET))
    return inputs, one_hot(codes[at[:, 1:]].ravel(), len(ALPHABET))


def train(name, settings, seed, steps=50, tokens=1024, sizes=SMALL, every=5):
    """Return the curve [step, gradients spent, loss] of one run, its time, the net.

    η, or the share of a Gauss–Newton step, falls in a straight line to zero; the
    weights of AdamW decay at 0.01.
    """
    codes, rng = corpus()[0], np.random.default_rng([seed, 15])
    net = transformer(**sizes, seed=seed)
    look = windows(codes, net_length := sizes["length"], 2048 // net_length,
                   np.random.default_rng(1))  # fmt: skip
    settings, spent, curve, took = dict(settings), 0.0, [], 0.0
    eta = settings.pop("eta", None)
    second = name in ("gauss_newton", "layerwise")
    if second:
        step = optimisers.gauss_newton(**settings, layerwise=name == "layerwise")
    else:
        step = getattr(optimisers, name)(named_blocks(net), **settings)
    for k in range(steps + 1):
        if k % every == 0:
            curve.append([k, round(spent, 2), round(float(stack_error(net, *look)), 6)])
        X, T = windows(codes, net_length, tokens // net_length, rng)
        start = time.perf_counter()
        if second:
            w, cost = step(net, X, T, 1 - k / steps)
        else:
            g, cost = stack_gradient(net, X, T), 1.0
            rate, more = eta * (1 - k / steps), ()
            if name == "sophia" and k % 10 == 0:
                more, cost = (sampled_diagonal(net, X, seed=k),), 2.0
            w = net.w - rate * step(g, *more)
            if name == "adam":
                w = w - rate * 0.01 * net.w
        took += time.perf_counter() - start
        net, spent = net.with_parameters(w), spent + cost
    return curve, 1000 * took / (steps + 1), net


def tuned(name, grid, seeds, **run):
    """Return all settings of a grid with their mean last loss, the best first."""
    tried = []
    for values in product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        with np.errstate(all="ignore"):
            last = []
            for seed in seeds:
                try:
                    last.append(train(name, settings, seed, **run)[0][-1][2])
                except ValueError:  # it has diverged
                    last.append(np.inf)
        tried.append([round(float(min(np.mean(last), 99.0)), 4), settings])
    return sorted(tried, key=lambda each: each[0])


def aside(nets, length):
    """Return the losses of networks over 2048 letters that were held out."""
    X, T = windows(corpus()[1], length, 2048 // length, np.random.default_rng(2))
    return [round(float(stack_error(net, X, T)), 4) for net in nets]


def race():
    """Tune, run and store everything."""
    found = {
        "machine": describe_machine(),
        "tried": {},
        "race": {},
        "long": {},
        "batch": [],
    }
    for name, grid in GRIDS.items():
        tried = found["tried"][f"{name}, 50 steps"] = tuned(name, grid, (100, 101))
        runs = [train(name, tried[0][1], seed) for seed in range(5)]
        found["race"][name] = {
            "settings": tried[0][1],
            "curves": [run[0] for run in runs],
            "milliseconds": round(float(np.median([run[1] for run in runs])), 2),
            "held_out": aside([run[2] for run in runs], SMALL["length"]),
        }
        print(name, tried[0], np.mean([run[0][-1][2] for run in runs]), flush=True)
        store(found)
    for name, grid in LONG.items():
        run = {"steps": 600, "every": 50}
        tried = found["tried"][f"{name}, 600 steps"] = tuned(name, grid, (100,), **run)
        curves = [train(name, tried[0][1], seed, **run)[0] for seed in range(5)]
        found["long"][name] = {"settings": tried[0][1], "curves": curves}
        print(name, tried[0], np.mean([c[-1][2] for c in curves]), flush=True)
        store(found)
    grids = {
        "muon": {"eta": [0.04, 0.08, 0.16], "ratio": [2]},
        "gauss_newton": {"damping": [0.01, 0.03, 0.1], "iterations": [20]},
    }
    for tokens in (256, 1024, 4096):
        row = {"tokens": tokens}
        for name, grid in grids.items():
            run = {"tokens": tokens, "sizes": LARGE, "every": 50}
            tried = tuned(name, grid, (100,), **run)
            found["tried"][f"{name}, 50 steps of {tokens} tokens, P = 3168"] = tried
            runs = [train(name, tried[0][1], seed, **run) for seed in range(3)]
            row[name] = {
                "settings": tried[0][1],
                "losses": [run[0][-1][2] for run in runs],
                "gradients": runs[0][0][-1][1],
                "held_out": aside([run[2] for run in runs], LARGE["length"]),
            }
        found["batch"].append(row)
        print(row, flush=True)
        store(found)


def same_cost():
    """Give Muon the gradients of Gauss–Newton's fifty steps, at each batch size."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    grid = {"eta": [0.04, 0.08], "ratio": [1, 2]}
    for row in found["batch"]:
        steps = round(row["gauss_newton"]["gradients"])
        tokens = row["tokens"]
        run = {"tokens": tokens, "sizes": LARGE, "every": steps, "steps": steps}
        tried = tuned("muon", grid, (100,), **run)
        found["tried"][f"muon, {steps} steps of {tokens} tokens, P = 3168"] = tried
        runs = [train("muon", tried[0][1], seed, **run) for seed in range(3)]
        row["muon_same_cost"] = {
            "settings": tried[0][1],
            "losses": [run[0][-1][2] for run in runs],
            "gradients": float(steps),
            "held_out": aside([run[2] for run in runs], LARGE["length"]),
        }
        print(tokens, row["muon_same_cost"], flush=True)
        store(found)


def logits_in(framework, erf, softmax, sqrt, where):
    """Return the logits of the small transformer as a function of w, X and a mask."""
    K, length, d, heads, m = SMALL.values()
    shapes = [(d, K + length), (3 * d, d), (d, d), (m, d), (d, m), (K, d)]
    ends = np.cumsum([0, *(a * b for a, b in shapes)]).tolist()

    def norm(x):
        x = x - x.mean(-1)[:, None]
        return x / sqrt((x**2).mean(-1))[:, None]

    def logits(w, X, later):
        E, QKV, O, one, two, U = (
            w[i:j].reshape(s)
            for i, j, s in zip(ends[:-1], ends[1:], shapes, strict=True)
        )
        x = X @ E.T
        qkv = (norm(x) @ QKV.T).reshape(-1, length, 3, heads, d // heads)
        q, k, v = (framework.moveaxis(qkv[:, :, i], 2, 1) for i in range(3))
        a = q @ framework.swapaxes(k, -1, -2) / (d // heads) ** 0.5
        p = softmax(where(later, -np.inf, a))
        x = x + framework.moveaxis(p @ v, 1, 2).reshape(-1, d) @ O.T
        a = norm(x) @ one.T
        x = x + a * (1 + erf(a / 2**0.5)) / 2 @ two.T
        return norm(x) @ U.T

    return logits


def in_jax(w, X, T, v):
    """Return the gradient, Gv and Hv as functions that JAX has compiled."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    w, X, T, v = map(jnp.asarray, (w, X, T, v))
    later = jnp.triu(jnp.ones((SMALL["length"],) * 2, bool), 1)
    model = logits_in(jnp, jax.scipy.special.erf, jax.nn.softmax, jnp.sqrt, jnp.where)

    def error(w):
        return -(T * jax.nn.log_softmax(model(w, X, later))).sum(-1).mean()

    def outer(w, v):
        a, R_a = jax.jvp(lambda w: model(w, X, later), (w,), (v,))
        y = jax.nn.softmax(a)
        R_delta = y * (R_a - (y * R_a).sum(-1, keepdims=True)) / len(X)
        return jax.vjp(lambda w: model(w, X, later), w)[1](R_delta)[0]

    gradient = jax.jit(jax.grad(error))
    Gv = jax.jit(outer)
    Hv = jax.jit(lambda w, v: jax.jvp(jax.grad(error), (w,), (v,))[1])
    return {
        "gradient": lambda: gradient(w).block_until_ready(),
        "Gv": lambda: Gv(w, v).block_until_ready(),
        "Hv": lambda: Hv(w, v).block_until_ready(),
    }


def in_torch(w, X, T, v):
    """Return the gradient, Gv and Hv as functions that PyTorch runs as they stand."""
    import torch

    w, X, T, v = (torch.from_numpy(np.array(A)) for A in (w, X, T, v))
    later = torch.triu(torch.ones((SMALL["length"],) * 2, dtype=torch.bool), 1)
    softmax = lambda a: torch.softmax(a, dim=-1)  # noqa: E731
    model = logits_in(torch, torch.erf, softmax, torch.sqrt, torch.where)

    def error(w):
        return -(T * torch.log_softmax(model(w, X, later), -1)).sum(-1).mean()

    def outer():
        f = lambda w: model(w, X, later)  # noqa: E731
        a, R_a = torch.func.jvp(f, (w,), (v,))
        y = softmax(a)
        R_delta = y * (R_a - (y * R_a).sum(-1, keepdim=True)) / len(X)
        return torch.func.vjp(f, w)[1](R_delta)[0]

    gradient = torch.func.grad(error)
    return {
        "gradient": lambda: gradient(w),
        "Gv": outer,
        "Hv": lambda: torch.func.jvp(gradient, (w,), (v,))[1],
    }


def speed():
    """Time one gradient, Gv and Hv of 1024 tokens beside JAX and PyTorch."""
    rng, net = np.random.default_rng(0), transformer(**SMALL)
    X = token_inputs(rng.integers(0, 27, (128, 8)), 27)
    T = one_hot(rng.integers(0, 27, 1024), 27)
    v = rng.standard_normal(net.n_parameters)

    def product(curvature):
        return StackOperator(net, X, T, curvature=curvature) @ v

    ways = {
        "jachess": {
            "gradient": lambda: stack_gradient(net, X, T),
            "Gv": lambda: product("outer_product"),
            "Hv": lambda: product("exact"),
        },
        "JAX": in_jax(net.w, X, T, v),
        "PyTorch": in_torch(net.w, X, T, v),
    }
    rows = {}
    for name in ("gradient", "Gv", "Hv"):
        truth = np.asarray(ways["jachess"][name]())
        rows[name] = {}
        for who, way in ways.items():
            far = abs(np.asarray(way[name]()) - truth).max() / abs(truth).max()
            took = []
            for _ in range(60):
                start = time.perf_counter()
                way[name]()
                took.append(1000 * (time.perf_counter() - start))
            rows[name][who] = {
                "milliseconds": round(min(took), 2),
                "distance": float(f"{far:.1e}"),
            }
            print(name, who, rows[name][who], flush=True)
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    store(found | {"speed": {"machine": describe_machine(), "rows": rows}})


def store(found):
    """Write the results, one thing that was tried or run a line."""
    lines = []
    for name, value in found.items():
        if name in ("tried", "race", "long"):
            rows = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            value = "{\n" + ",\n".join(rows) + "\n }"
        else:
            value = json.dumps(value)
        lines.append(f' "{name}": {value}')
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    {"speed": speed, "cost": same_cost}.get("".join(sys.argv[1:]), race)()
