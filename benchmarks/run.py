"""Run the benchmark: `python -m benchmarks.run`, or `make bench`.

Each part runs in a process of its own, and its record goes to a file as soon as it is
done. A run that was interrupted goes on where it stopped. At the end all records
become one JSON, which the page of the book reads.
"""

import argparse
import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import yardsticks
from benchmarks.goals import AGREEMENT, OTHERS, RATIOS
from benchmarks.machine import describe_machine
from benchmarks.operations import products_of
from benchmarks.part import CALLING
from benchmarks.peers import FAMILIES
from benchmarks.problems import DTYPES, FUNCTIONS, GROWTH, SIZES, SQUARE

SCHEMA = 2
ROOT = Path(__file__).resolve().parents[1]
SCRATCH = ROOT / "_build" / "bench"
RESULTS = ROOT / "benchmarks" / "results.json"
PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "jax",
    "jaxlib",
    "torch",
    "backpack-for-pytorch",
    "curvlinops-for-pytorch",
    "laplace-torch",
    "asdfghjkl",
    "autograd",
    "casadi",
)
# What decides the numbers; a change elsewhere leaves finished parts in force.
SOURCES = (
    "jachess_lib/**/*.py",
    "benchmarks/peers/*.py",
    "benchmarks/measure.py",
    "benchmarks/part.py",
    "benchmarks/problems.py",
    "benchmarks/yardsticks.py",
)
NOT_TIMED = {ROOT / "jachess_lib" / "figures.py"}
TWO_THREADS = (
    "input_jacobian",
    "parameter_jacobian",
    "exact_hessian",
    "outer_product_hessian",
    "hessian_vector_product",
)
# The families that the goals name: float32 does with these, the growth with the first
# two, and the two threads with the library alone.
FEWER = ["ours", "jax", "torch", "backpack"]
PART_SECONDS = 1200
# Where float32 does the square matrices too: elsewhere the peers take minutes.
SMALL = ("tiny", "medium")
# What a row repeats of its part.
ABOUT = ("size", "axis", "function", "dtype", "threads")


def plan(quick=False):
    """Return the specification of every part, in the order of the run."""
    parts = [part("speed", threads, quick) for threads in (1, 2)]
    for dtype in DTYPES[:1] if quick else DTYPES:
        families = list(FAMILIES) if dtype == "float64" else FEWER
        for size in ("tiny", "digits") if quick else SIZES:
            parts += [
                comparison(1, quick, size, function, dtype, families)
                for function in FUNCTIONS
                if dtype == "float64" or function not in SQUARE or size in SMALL
            ]
    if quick:
        return parts
    parts += [
        comparison(2, quick, "digits", function, "float64", FEWER[:1])
        for function in TWO_THREADS
    ]
    for axis in GROWTH:
        for function in ("exact_hessian", "hessian_vector_product"):
            one = comparison(1, quick, None, function, "float64", FEWER[:2])
            parts.append(one | {"kind": "growth", "axis": axis})
    parts.append(part("on_disk", 1, quick))
    # The one place where the sums over many patterns join the benchmark.
    if (ROOT / "benchmarks" / "shards.py").exists():
        parts.append(part("shards", 2, quick))
    return parts


def comparison(threads, quick, size, function, dtype, families):
    """Return the specification of a part that compares families of peers."""
    rest = {"size": size, "function": function, "dtype": dtype, "families": families}
    return part("compare", threads, quick, **rest)


def part(kind, threads, quick, **rest):
    """Return the specification of one part."""
    return {"kind": kind, **rest, "threads": threads, "quick": quick}


def name(spec):
    """Return what the progress bar calls a part."""
    words = [spec[k] for k in ("size", "axis", "function", "dtype") if spec.get(k)]
    return " ".join([*(words or [spec["kind"]]), f"×{spec['threads']}"])


def key():
    """Return what a record was measured with: a digest of sources and versions."""
    digest = hashlib.sha256(json.dumps([SCHEMA, versions()]).encode())
    for pattern in SOURCES:
        for path in sorted(set(ROOT.glob(pattern)) - NOT_TIMED):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def versions():
    """Return the versions of Python and of every package that is timed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


class Store:
    """Finished parts: lines of JSON in a file that only grows."""

    def __init__(self, path, key):
        self.path, self.key = path, key

    def records(self):
        """Return {specification as text: record} of the parts that still count."""
        found = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:  # cut off while it was written
                    continue
                if entry["key"] == self.key:
                    found[entry["part"]] = entry["record"]
        return found

    def add(self, spec, record):
        """Write down one finished part."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = self.path.read_bytes() if self.path.exists() else b""
        entry = {"key": self.key, "part": json.dumps(spec), "record": record}
        with self.path.open("a", encoding="utf-8") as file:
            start = "" if text.endswith(b"\n") or not text else "\n"
            file.write(start + json.dumps(entry) + "\n")


def run_parts(parts, store, execute, progress=iter):
    """Execute every part that the store lacks, and return all records in order.

    A part whose process died is tried again.
    """
    done = store.records()
    for spec in progress(parts):
        if "failed" in done.get(json.dumps(spec), {"failed": "not done yet"}):
            record = execute(spec)
            store.add(spec, record)
            done[json.dumps(spec)] = record
    return [(spec, done[json.dumps(spec)]) for spec in parts]


def execute(spec):
    """Run one part in a process of its own, again without a peer that made it die."""
    culprits = {}
    while True:
        printed, end = in_a_process(spec | {"lost": culprits})
        if end == 0:
            return json.loads(printed[-1])
        called = [line for line in printed if line.startswith(CALLING)]
        culprit = called[-1].removeprefix(CALLING) if called else None
        note = f"the process ended with {end}"
        if culprit is None or culprit in culprits:
            return lost(note)
        culprits[culprit] = note


def in_a_process(spec):
    """Return the lines that the part's process printed, and how it ended."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.part", json.dumps(spec)]
    with (SCRATCH / "messages.log").open("a", encoding="utf-8") as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(spec["threads"]),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            printed, _ = child.communicate(timeout=PART_SECONDS)
        except subprocess.TimeoutExpired:
            return [], f"nothing after {PART_SECONDS} s"
        finally:  # Ctrl-C, too
            child.kill()
            child.wait()
    return printed.splitlines(), child.returncode


def lost(note):
    """Return the record of a part whose process did not end well."""
    row = {"peer": "all", "family": "all", "status": "failed", "note": note}
    return {"rows": [row], "failed": note}


def environment(threads):
    """Return the environment that sets the number of threads before any import."""
    count = str(threads)
    one = "--xla_cpu_multi_thread_eigen=false" if threads == 1 else ""
    return os.environ | {
        "OPENBLAS_NUM_THREADS": count,
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "XLA_FLAGS": one,
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "BENCH_SCRATCH": str(SCRATCH),
    }


def assemble(records, quick=False):
    """Return the results: everything that the page reads."""
    results = {
        "schema": SCHEMA,
        "date": datetime.date.today().isoformat(),
        "quick": quick,
        "key": key(),
        "machine": describe_machine(),
        "versions": versions(),
        "agreement": AGREEMENT,
        "goals": {"ratios": RATIOS, **OTHERS},
        "sizes": {name: size.describe() for name, size in SIZES.items()},
        "products": {
            name: {f: products_of(f, size) for f in FUNCTIONS}
            for name, size in SIZES.items()
        },
        "gemm_multiply_adds": yardsticks.MULTIPLY_ADDS,
        "speed": {},
        "parts": [],
        "rows": [],
        "growth": [],
    }
    for spec, record in records:
        collect(results, spec, record)
    return results


def collect(results, spec, record):
    """Put one part's record where the page looks for it."""
    about = {k: spec[k] for k in ABOUT if spec.get(k)}
    results["parts"].append(
        {"part": name(spec), **{k: record.get(k) for k in ("seconds", "load")}}
    )
    if spec["kind"] == "compare":
        results["rows"] += [about | row for row in record["rows"]]
    elif "failed" in record:
        results["parts"][-1]["failed"] = record["failed"]
    elif spec["kind"] == "speed":
        results["speed"][str(spec["threads"])] = record["speed"]
        results["machine"]["blas"] = record["blas"]
    elif spec["kind"] == "growth":
        results["growth"].append(about | {"points": record["points"]})
    else:
        measured = {k: v for k, v in record.items() if k not in ("seconds", "load")}
        results[spec["kind"]] = measured


def rounded(value):
    """Return the value with four digits in every float: more are noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return value


def as_text(results):
    """Return the results as JSON, one row a line, so that a change can be read."""

    def dump(value):
        return json.dumps(value, ensure_ascii=False)

    lines = []
    for field, value in rounded(results).items():
        text = dump(value)
        if isinstance(value, list) and value:
            text = "[\n" + ",\n".join(map(dump, value)) + "\n]"
        lines.append(f"{dump(field)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments=None):
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sizes, few rounds")
    parser.add_argument("--fresh", action="store_true", help="forget finished parts")
    options = parser.parse_args(arguments)
    from tqdm import tqdm  # only here: the tests do without it

    stem = "quick" if options.quick else "full"
    store = Store(SCRATCH / f"{stem}.jsonl", key())
    if options.fresh:
        store.path.unlink(missing_ok=True)

    def progress(parts):
        with tqdm(parts, unit="part", dynamic_ncols=True) as bar:
            for spec in bar:
                bar.set_description(name(spec))
                yield spec

    try:
        records = run_parts(plan(options.quick), store, execute, progress)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        return 130
    path = SCRATCH / "quick.json" if options.quick else RESULTS
    path.write_text(as_text(assemble(records, options.quick)), encoding="utf-8")
    print(f"The results are in {path.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
