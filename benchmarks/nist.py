"""Fit NIST's three networks by four solvers, and record steps, digits and time.

`python -m benchmarks.nist`, in the benchmark's environment, writes `nist.json`: ours
and SciPy's beside those of Optimistix, which differentiates in JAX and compiles the
whole fit. A test holds that this code is what the numbers belong to.
"""

import hashlib
import json
import sys
import time
from importlib.resources import files
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "nist.json"
SOURCES = (
    Path(__file__),
    ROOT / "jachess_lib" / "levenberg_marquardt.py",
    ROOT / "jachess_lib" / "_engine" / "levenberg_marquardt.py",
)
PROBLEMS, STARTS = ("Rat42", "MGH17", "Lanczos3"), ("start 1", "start 2")
TOLERANCE, MOST, ROUNDS = 1e-10, 5000, 7


def digest():
    """Return what tells this code from another."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()


def problem(name, start):
    """Return the network at a start, X, T, which weights are free, and the truth."""
    import jachess_lib as jl

    given = json.loads(files("jachess_lib").joinpath("nist.json").read_text("utf-8"))
    p = given[name]
    net, found = jl.Network.random(p["sizes"], p["hidden"]), []
    for at in (start, "certified"):
        w = np.zeros(net.n_parameters)
        w[p["place"]] = np.multiply(p["sign"], p[at])
        found.append(w)
    X, T = np.array(p["x"])[:, None], np.array(p["y"])[:, None]
    return net.with_parameters(found[0]), X, T, p["place"], found[1][p["place"]]


def ours(net, X, T, free):
    """Return how to fit: a function that gives (weights, evaluations)."""
    import jachess_lib as jl

    def fit():
        found = jl.levenberg_marquardt(net, X, T, free=free)
        return found.x[free], found.nfev

    return fit


def scipys(net, X, T, free, method):
    """Return how SciPy fits."""
    from scipy.optimize import least_squares

    import jachess_lib as jl

    place = np.eye(net.n_parameters)[free].T

    def fit():
        with np.errstate(all="ignore"):
            found = least_squares(
                lambda b: (net.with_parameters(place @ b)(X) - T)[:, 0],
                net.w[free],
                lambda b: jl.parameter_jacobian(
                    net.with_parameters(place @ b), X
                )[:, 0, free],
                method=method, x_scale="jac", max_nfev=MOST,
                xtol=TOLERANCE, ftol=TOLERANCE, gtol=TOLERANCE,
            )  # fmt: skip
        return found.x, found.nfev

    return fit


def optimistixs(net, X, T, free, solver):
    """Return how Optimistix fits, compiled by JAX in double precision."""
    import jax
    import jax.numpy as jnp
    import optimistix

    jax.config.update("jax_enable_x64", True)
    unit = {"sigmoid": jax.nn.sigmoid, "exp": jnp.exp}[net.hidden[0].name]
    (D, M, K), rest = net.sizes, jnp.array(net.w).at[jnp.array(free)].set(0.0)
    place = jnp.eye(net.n_parameters)[jnp.array(free)].T

    def residuals(b, _):
        w = rest + place @ b
        first = w[: M * (1 + D)].reshape(M, 1 + D)
        last = w[M * (1 + D) :].reshape(K, 1 + M)
        z = unit(first[:, 0] + X @ first[:, 1:].T)
        return (last[:, 0] + z @ last[:, 1:].T - T)[:, 0]

    method = getattr(optimistix, solver)(rtol=TOLERANCE, atol=TOLERANCE)

    @jax.jit
    def run(b):
        found = optimistix.least_squares(
            residuals, method, b, max_steps=MOST, throw=False
        )
        return found.value, found.stats["num_steps"]

    def fit():
        b, steps = run(jnp.array(net.w[free]))
        return np.asarray(b), int(steps)

    return fit


WAYS = {
    "here": ours,
    "SciPy lm": lambda *given: scipys(*given, "lm"),
    "SciPy trf": lambda *given: scipys(*given, "trf"),
    "Optimistix LM": lambda *given: optimistixs(*given, "LevenbergMarquardt"),
    "Optimistix dogleg": lambda *given: optimistixs(*given, "Dogleg"),
}


def row(name, start, fits, truth):
    """Return what each way took, timed in turn so that noise hits them alike."""
    found = {}
    for way, fit in fits.items():
        b, evaluations = fit()  # and compiles
        away = np.abs(b / truth - 1).max()
        digits = -np.log10(away) if 0 < away < np.inf else -np.inf
        found[way] = {
            "evaluations": int(evaluations),
            "digits": round(float(digits), 1) if digits > 5 else None,
            "milliseconds": np.inf,
        }
    for _ in range(ROUNDS):
        for way, fit in fits.items():
            begin = time.perf_counter()
            fit()
            taken = 1e3 * (time.perf_counter() - begin)
            found[way]["milliseconds"] = min(found[way]["milliseconds"], taken)
    for entry in found.values():
        entry["milliseconds"] = float(f"{entry['milliseconds']:.3g}")
    return {"problem": name, "start": start, "ways": found}


def main():
    """Fit all six, and write the record."""
    import jax
    import optimistix
    import scipy

    rows = []
    for name in PROBLEMS:
        for start in STARTS:
            *given, truth = problem(name, start)
            fits = {way: make(*given) for way, make in WAYS.items()}
            rows.append(row(name, start, fits, truth))
            print(rows[-1])
    record = {
        "source": digest(),
        "machine": describe_machine(),
        "versions": {m.__name__: m.__version__ for m in (jax, optimistix, scipy)},
        "fits": rows,
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
