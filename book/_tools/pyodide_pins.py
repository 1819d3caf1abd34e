"""Pins what a reader's browser loads: `python -m book._tools.pyodide_pins`.

Pyodide's package on npm holds its core, and a list of all the packages it was built
with. The first is noted here by hash, the second by what our chapters need of it. Both
come to a reader from one host; `book/_lite/pyodide.json` says from where, and what each
file has to be.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYODIDE = ROOT / "tests" / "browser" / "node_modules" / "pyodide"
PINS = ROOT / "book" / "_lite" / "pyodide.json"
HOST = "https://cdn.jsdelivr.net"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
# What the kernel asks for, and what the chapters import.
WANTED = (
    "micropip", "ipython", "jedi", "numpy", "scipy", "threadpoolctl", "matplotlib",
    "scikit-learn",
)  # fmt: skip


def integrity(data):
    """Return the hash of a file as a browser wants it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(data).digest()).decode()


def needed(packages, wanted):
    """Return these packages with all that they depend on."""
    found, open_ = {}, list(wanted)
    while open_:
        name = re.sub(r"[-_.]+", "-", open_.pop()).lower()
        if name not in found:
            found[name] = packages[name]
            open_ += packages[name]["depends"]
    return dict(sorted(found.items()))


def pins(pyodide=PYODIDE):
    """Return what `pyodide.json` has to hold."""
    version = json.loads((pyodide / "package.json").read_text("utf-8"))["version"]
    lock = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))
    core = {name: (pyodide / name).read_bytes() for name in CORE}
    return {
        "version": version,
        "core": {
            "address": f"{HOST}/npm/pyodide@{version}/",
            "bytes": sum(map(len, core.values())),
            "files": {name: integrity(data) for name, data in core.items()},
        },
        "packages": f"{HOST}/pyodide/v{version}/full/",
        "lock": {**lock, "packages": needed(lock["packages"], WANTED)},
    }


if __name__ == "__main__":
    PINS.write_text(json.dumps(pins(), indent=1) + "\n", encoding="utf-8")
