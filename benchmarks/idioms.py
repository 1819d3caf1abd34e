"""Run the lines in which the chapters say how JAX and PyTorch put it, and compare.

`python -m benchmarks.idioms`, in the benchmark's environment, takes the blocks out of
the chapters, hands them what they speak of, and holds what they compute against the
library. It writes `idioms.json`: a line that was changed and not run is then found by
the tests, which have neither JAX nor PyTorch.
"""

import hashlib
import json
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np

import jachess_lib as jl
from jachess_lib.levenberg_marquardt import damped_step

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "idioms.json"
TITLE = "The same in JAX and PyTorch"
BLOCK = re.compile(r"```python\n(# (JAX|PyTorch)\b.*?)```", re.DOTALL)


def blocks(chapter):
    """Return {framework: lines} of the note in a chapter."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    notes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] != "code"]
    notes = [note for note in notes if TITLE in note]
    return {name: text for note in notes for text, name in BLOCK.findall(note)}


def chapters():
    """Return the chapters that have such a note."""
    return [c for c in sorted((ROOT / "notebooks").glob("*.ipynb")) if blocks(c)]


def digest(text):
    """Return what tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()


def case():
    """Return a network 3-4-2 with softmax outputs, five patterns, and the truth."""
    rng = np.random.default_rng(5)
    net = jl.Network((3, 4, 2), rng.normal(size=26), output="softmax")
    X, T = rng.normal(size=(5, 3)), np.eye(2)[rng.integers(2, size=5)]
    v, dx, u = rng.normal(size=26), rng.normal(size=3), rng.normal(size=2)
    a = jl.forward(net, X).a[-1]
    B = jl.inverse_outer_product(net, X, 1.0)
    g_n = jl.parameter_jacobian(net, X, of="activations")[0, 1]
    J = jl.input_jacobian(net, X)
    J_w, r = jl.parameter_jacobian(net, X).reshape(-1, 26), (net(X) - T).ravel()
    part, qkv, R_qkv = jl.Attention(4), rng.normal(size=(4, 9)), rng.normal(size=(4, 9))
    delta, kept = rng.normal(size=(4, 3)), part.forward(qkv)[1]
    R_kept = part.pushforward(kept, R_qkv, part)[1]
    given = {
        "qkv": qkv,
        "R_qkv": R_qkv,
        "delta": delta,
        "w": net.w,
        "X": X,
        "T": T,
        "v": v,
        "x": X[0],
        "dx": dx,
        "u": u,
        "a_0": a[0],
        "B": B,
        "g_n": g_n,
    }
    truth = {
        "Y": net(X),
        "w_again": net.w,
        "g": (g := jl.error_gradient(net, X, T)),
        "g_again": g,
        "slope": g @ v,
        "J": J,
        "row": u @ J[0],
        "M": jl.OUTPUT_UNITS["softmax"].dy_da(a)[0],
        "dy": J[0] @ dx,
        "H": jl.exact_hessian(net, X, T),
        "A_bar": (factors := jl.kronecker_factors(net, X)[0]).A,
        "B_bar": factors.B,
        "G": jl.outer_product_hessian(net, X),
        "eigenvalues": np.linalg.eigvalsh(jl.exact_hessian(net, X, T)),
        "B_new": jl.update_inverse(B, g_n),
        "R_back": part.curvature(kept, R_kept, delta)[0],
        "dw": np.linalg.solve(
            jl.exact_hessian(net, X, T) + 20 * np.eye(26),
            jl.error_gradients(net, X, T)[0],
        ),
        "Hv": jl.hessian_vector_product(net, X, T, v),
        "cov": np.linalg.inv(jl.outer_product_hessian(net, X) + 0.5 * np.eye(26)),
        "p": damped_step(J_w, r, 0.1, np.ones(26)),
    }
    return net, given, truth


def in_jax(net, given):
    """Return what a block of JAX may name."""
    import jax
    import jax.flatten_util
    import jax.numpy as jnp
    import jax.scipy
    import jax.test_util

    jax.config.update("jax_enable_x64", True)
    given = {name: jnp.asarray(value) for name, value in given.items()}
    return {
        "jax": jax,
        "jnp": jnp,
        "params": [jnp.asarray(W) for W in net.W],
        **given,
        **model(net, given, jnp.tanh, jnp.log, jax.nn.softmax),
    }


def in_torch(net, given):
    """Return what a block of PyTorch may name."""
    import torch

    given = {name: torch.from_numpy(np.array(value)) for name, value in given.items()}
    softmax = partial(torch.softmax, dim=-1)
    return {
        "torch": torch,
        "params": [torch.from_numpy(W.copy()) for W in net.W],
        **given,
        **model(net, given, torch.tanh, torch.log, softmax),
    }


def model(net, given, tanh, log, softmax):
    """Return the functions a, y and E of a network in either framework's words."""

    def layers(w):
        pairs = zip(net.slices, (W.shape for W in net.W), strict=True)
        return [w[s].reshape(shape) for s, shape in pairs]

    def a(w, x):
        first, last = layers(w)
        return last[:, 1:] @ tanh(first[:, 1:] @ x + first[:, 0]) + last[:, 0]

    def y(w, x):
        return softmax(a(w, x))

    def error_of(w):
        pairs = zip(given["X"], given["T"], strict=True)
        return -sum((t * log(y(w, x))).sum() for x, t in pairs)

    return {"a": a, "y": y, "E": error_of}


WORDS = {"JAX": in_jax, "PyTorch": in_torch}


def run(framework, text, net, given, truth):
    """Return {name: distance} of what a block computes from the library's."""
    names = WORDS[framework](net, given)
    before = set(names)
    exec(text, names)  # ours, out of a chapter
    found = {n: np.asarray(names[n]) for n in set(names) & set(truth) - before}
    return {n: float(abs(found[n] - truth[n]).max()) for n in sorted(found)}


def main():
    """Run every block, and write what was found."""
    lines = []
    for chapter in chapters():
        for framework, text in blocks(chapter).items():
            distances = run(framework, text, *case())
            print(chapter.stem, framework, distances)
            entry = {"chapter": chapter.stem, "framework": framework}
            lines.append(entry | {"lines": digest(text), "distance": distances})
    text = ",\n".join(json.dumps(line) for line in lines)
    RESULTS.write_text(f"[\n{text}\n]\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
