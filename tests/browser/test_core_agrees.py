"""The JavaScript of the figures computes what the library computes, to 1e-12.

A thousand networks, small ones of every hidden and output unit that both know, and
every function of the two modules, in node and in Chromium.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import jachess_lib as jl
from jachess_lib.backpropagation import error_signals

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "book" / "_static"
ANSWERS = Path(__file__).parent / "answers.mjs"
UNITS = ["identity", "tanh", "sigmoid", "softplus", "relu"]
MANY = 1000


def draw(seed):
    """Return a network and data, the outputs' units in turn, now and then saturated."""
    rng = np.random.default_rng(seed)
    sizes = tuple(rng.integers(1, 4, size=rng.integers(2, 5)).tolist())
    output = list(jl.OUTPUT_UNITS)[seed % 3]
    hidden = rng.choice(UNITS, len(sizes) - 2).tolist()
    net = jl.Network.random(sizes, hidden, output, seed=seed)
    net = net.with_parameters(net.w * rng.choice([0.5, 1, 4]))
    X, T = rng.standard_normal((2, sizes[0])), rng.dirichlet(np.ones(sizes[-1]), 2)
    return net, X, T, rng.standard_normal(net.n_parameters)


def as_json(net, X, T, v):
    given = {
        "sizes": net.sizes,
        "hidden": [unit.name for unit in net.hidden],
        "output": net.output.name,
        "w": net.w.tolist(),
    }
    return {"net": given, "X": X.tolist(), "T": T.tolist(), "v": v.tolist()}


def by_pattern(layers, N):
    """Return one row for each pattern, its layers end to end."""
    return np.concatenate([np.zeros((N, 0)), *layers], axis=1)


def library(net, X, T, v):
    """Return what the library says, under the names of answers.mjs."""
    trace, N = jl.forward(net, X), len(X)
    pairs = list(zip(net.hidden, trace.a[:-1], strict=True))
    H = jl.exact_hessian(net, X, T)
    return {
        "a": by_pattern(trace.a, N),
        "z": by_pattern(trace.z, N),
        "y": trace.y,
        "M": net.output.dy_da(trace.a[-1]),
        "dh": by_pattern([unit.dh(a) for unit, a in pairs], N),
        "d2h": by_pattern([unit.d2h(a) for unit, a in pairs], N),
        "J": jl.input_jacobian(net, X),
        "J_w": jl.parameter_jacobian(net, X),
        "J_a": jl.parameter_jacobian(net, X, of="activations"),
        "E": jl.error(net, X, T),
        "delta": by_pattern(error_signals(net, trace, T), N),
        "gradient": jl.error_gradient(net, X, T),
        "H": H,
        "G": jl.outer_product_hessian(net, X),
        "Hv": jl.hessian_vector_product(net, X, T, v),
        "spectrum": np.linalg.eigvalsh(H),
    }


@cache
def drawn():
    cases = [draw(seed) for seed in range(MANY)]
    return [as_json(*case) for case in cases], [library(*case) for case in cases]


def farthest(found, expected):
    """Return {name: greatest distance, relative to the largest entry or 1}."""
    far = {}
    for name, value in expected.items():
        value, other = np.asarray(value), np.asarray(found[name], dtype=float)
        assert other.shape == value.shape, name
        scale = max(1, np.abs(value).max(initial=0))
        far[name] = np.abs(other - value).max(initial=0) / scale
    return far


def in_node(cases):
    node = shutil.which("node")
    if not node:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no node")
    run = subprocess.run(
        [node, ANSWERS, STATIC / "figures"],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def in_chromium(cases, source_site, chromium):
    page = chromium.new_page()
    page.route("**/answers.mjs", lambda route: route.fulfill(path=ANSWERS))
    page.goto(source_site + "figures/core.mjs")
    found = page.evaluate(
        """async (cases) => {
          const {answers} = await import("/answers.mjs");
          return answers(cases, "/figures");
        }""",
        cases,
    )
    page.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("where", ["node", "chromium"])
def test_a_thousand_networks_agree(where, request):
    cases, expected = drawn()
    if where == "node":
        found = in_node(cases)
    else:
        site, browser = map(request.getfixturevalue, ("source_site", "chromium"))
        found = in_chromium(cases, site, browser)
    assert len(found) == MANY
    far = [farthest(*pair) for pair in zip(found, expected, strict=True)]
    worst = {name: max(each[name] for each in far) for name in far[0]}
    print(where, {name: f"{distance:.0e}" for name, distance in worst.items()})
    assert max(worst.values()) < 1e-12, worst


def test_the_comparison_sees_a_wrong_slope():
    """A planted mistake: what is off by 1e-9 in a single entry is found."""
    expected = library(*draw(1))
    wrong = {name: np.array(value, dtype=float) for name, value in expected.items()}
    wrong["H"][0, 0] += 1e-9
    assert farthest(wrong, expected)["H"] > 1e-12
