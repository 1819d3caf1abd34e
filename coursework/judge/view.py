"""The read-only view: all that a submission can see, in one folder.

It holds this interpreter, its standard library, NumPy, the two modules by which IPython
reads a cell, the shared libraries that these load, and nothing else: no other package,
no home, no repository. It is built once for each Python and NumPy, and kept in a cache.
"""

import compileall
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import numpy as np
from IPython.core import inputtransformer2
from IPython.utils import tokenutil

DESK_SOURCE = Path(__file__).parent / "desk"
STDLIB = Path(sysconfig.get_path("stdlib"))
INTERPRETER = Path(sys.executable).resolve()
# Large, and of no use to a submission; site-packages would be all that is installed.
LEFT_OUT = (
    "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "lib2to3",
    "ensurepip", "turtledemo", "distutils", "config-*", "_tkinter*", "f2py", "*.a",
)  # fmt: skip
SYSTEM = re.compile(r"/(usr/)?lib")
# Linux notes the first reading of a day, for all to see. It does not set a time back.
NEVER_READ = 2**31 - 1


@cache
def build(files=()):
    """Return the folder of the view; make it if need be.

    `files` are the (name, bytes) of what lies beside the notebook.
    """
    base = _cached(_fingerprint(), _fill)
    stubs = [(p.name, p.read_bytes()) for p in sorted(DESK_SOURCE.rglob("*.py"))]
    digest = hashlib.sha256(repr((base.name, files, stubs)).encode())

    def fill(made):
        # Links, not copies: a view for each assignment takes no space of its own.
        shutil.copytree(base, made, copy_function=os.link, dirs_exist_ok=True)
        (made / "desk").mkdir()
        for name, data in files:
            (made / "desk" / name).write_bytes(data)
        # The stubs come last: no file of an assignment can stand in for the worker.
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(DESK_SOURCE, made / "desk", dirs_exist_ok=True, ignore=ignore)

    return _cached(digest.hexdigest()[:16], fill)


def _cached(name, fill):
    """Return a folder of the cache, which is filled first if it is not there."""
    place = _cache() / name
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.parent.chmod(0o755)
        made = Path(tempfile.mkdtemp(dir=place.parent))
        try:
            fill(made)
            _publish(made, place)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return place


def _cache():
    # A slot's own user must be able to walk there, which a root's home forbids.
    if os.geteuid() == 0:
        return Path("/var/cache/jachess-judge")
    try:
        place = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    except RuntimeError:
        raise OSError(
            "There is no home to keep the sandbox's files in. Set XDG_CACHE_HOME to a "
            "folder that you can write to."
        ) from None
    return place / "jachess-judge"


def _fingerprint():
    parts = [sys.version, MAGIC_NUMBER, INTERPRETER, INTERPRETER.stat().st_mtime_ns]
    parts += [np.__version__, np.__file__, Path(np.__file__).stat().st_mtime_ns]
    sources = __file__, inputtransformer2.__file__, tokenutil.__file__
    parts += [Path(source).read_text(encoding="utf-8") for source in sources]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _publish(made, place):
    """Make a finished folder readable to all and move it where it belongs."""
    for path in [made, *made.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        os.utime(path, (NEVER_READ, path.stat().st_mtime))
    try:
        made.rename(place)
    except OSError:
        if not place.is_dir():  # otherwise another process was faster: use its folder
            raise


def _fill(root):
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    python = root / "python"
    lib = python / sys.platlibdir
    shutil.copytree(STDLIB, lib / STDLIB.name, ignore=ignore)
    (python / "bin").mkdir()
    shutil.copy2(INTERPRETER, python / "bin" / "python3")
    package = Path(np.__file__).parent
    shutil.copytree(package, root / "numpy" / "numpy", ignore=ignore)
    bundled = package.parent / "numpy.libs"
    if bundled.is_dir():
        shutil.copytree(bundled, root / "numpy" / "numpy.libs")
    for module in (inputtransformer2, tokenutil):
        inside = Path(*module.__name__.split(".")).with_suffix(".py")
        (root / "ipython" / inside.parent).mkdir(parents=True)
        shutil.copy(module.__file__, root / "ipython" / inside)
    # Not every installer leaves bytecode; without it, each start takes a second.
    for modules in (lib, root / "numpy", root / "ipython"):
        compileall.compile_dir(modules, quiet=2)
    for name in ("dev", "tmp", "bin"):
        (root / name).mkdir()
    for name in ("null", "urandom"):  # the sandbox puts the devices in their place
        (root / "dev" / name).touch()
    setpriv = shutil.which("setpriv")
    if setpriv:
        shutil.copy2(setpriv, root / "bin" / "setpriv")
    for source in _shared_libraries(root):
        inside = SYSTEM.match(source)
        target = root / source.lstrip("/") if inside else lib / Path(source).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _shared_libraries(root):
    """Return the paths of all libraries that the view's programs load."""
    programs = [p for p in root.rglob("*") if p.is_file() and _is_program(p)]
    listed = subprocess.run(
        ["ldd", INTERPRETER, *programs], capture_output=True, text=True, check=False
    ).stdout
    found = set(re.findall(r"^\s+(?:\S+ => )?(/\S+) \(0x", listed, re.MULTILINE))
    return sorted(f for f in found if not f.startswith(str(root)))


def _is_program(path):
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
