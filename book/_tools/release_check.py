"""Whether the library can be released: `make release-check`.

The sdist and the wheel are built twice, from two copies with other dates, and must be
equal to the byte. The wheel goes into an empty environment with the lowest versions it
asks for, and its docstrings' examples run there. Its public names are compared with
those of the last release; who breaks one says so in the changelog (see `unnamed`).
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "_build" / "release"
PACKAGE = "jachess_lib"
BUILD = """import sys
from flit_core import buildapi
buildapi.build_sdist(sys.argv[1])
buildapi.build_wheel(sys.argv[1])"""
# The examples of every public module, as installed; one that is skipped is not there.
EXAMPLES = """import doctest, importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [m.name for m in pkgutil.iter_modules(package.__path__)]
modules = [package] + [importlib.import_module(f"{package.__name__}.{n}")
                       for n in names if not n.startswith("_")]
flags = doctest.NORMALIZE_WHITESPACE
results = [doctest.testmod(m, optionflags=flags) for m in modules]
tried, failed = sum(r.attempted for r in results), sum(r.failed for r in results)
print(f"{tried} examples, {failed} failed, in {package.__file__}")
sys.exit(failed > 0 or tried == 0)"""


class ReleaseError(Exception):
    """What keeps the library from being released, in words."""


def output(*command, **options):
    """Run a command and return what it printed, or raise with it."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, **options,
    )  # fmt: skip
    if done.returncode:
        raise ReleaseError(f"{' '.join(map(str, command[:4]))} …:\n{done.stdout}")
    return done.stdout


# Built twice


def epoch():
    """Return the time that all files of the archives carry: of the last commit."""
    try:
        return output("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()
    except (OSError, ReleaseError):
        return "315532800"  # a tree without history: 1980, where archives begin


def build(place, date, root=ROOT):
    """Copy what is packed to `place`, date it, and return {name: hash} of its dist."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in ("pyproject.toml", "LICENSE-CODE"):
        shutil.copy(root / name, place)
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / PACKAGE, place / PACKAGE, ignore=no_caches)
    for path in place.rglob("*"):
        os.utime(path, (date, date))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch()}
    (place / "dist").mkdir()
    output(sys.executable, "-c", BUILD, "dist", cwd=place, env=environment)
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((place / "dist").iterdir())
    }


def build_twice():
    """Return the wheel; raise if two builds differ."""
    first, second = build(PLACE / "first", 1e9), build(PLACE / "second", 1.7e9)
    if first != second or len(first) != 2:
        raise ReleaseError(f"two builds differ:\n{first}\n{second}")
    for name, digest in first.items():
        print(f"{digest}  {name}")
    return next((PLACE / "first" / "dist").glob("*.whl"))


# Installed with the lowest versions


def pins(lock):
    """Return the versions of a lock without their hashes, as constraints for pip."""
    return "\n".join(re.findall(r"^(\w.*) \\$", lock, re.MULTILINE)) + "\n"


def run_examples(wheel):
    """Install the wheel into an empty environment and run its examples there."""
    home = PLACE / "environment"
    shutil.rmtree(home, ignore_errors=True)
    output(ROOT / ".venv-lowest/bin/python", "-m", "venv", home)
    lock = (ROOT / "tests" / "requirements-lowest.txt").read_text(encoding="utf-8")
    (PLACE / "lowest.txt").write_text(pins(lock), encoding="utf-8")
    python = home / "bin" / "python"
    output(
        python, "-m", "pip", "install", f"{wheel}[figures]", "-c", PLACE / "lowest.txt"
    )
    print(output(python, "-c", EXAMPLES, PACKAGE, cwd=PLACE), end="")


# Compared with the last release


def last_tag(root):
    """Return the last tag of a repository, or None."""
    try:
        return output("git", "describe", "--tags", "--abbrev=0", cwd=root).strip()
    except (OSError, ReleaseError):
        return None


def breaks(root, package, tag):
    """Return [(name, what happened to it)] of the public names since a tag."""
    old = griffe.load_git(package, ref=tag, repo=root)
    new = griffe.load(package, search_paths=[root], try_relative_path=False)
    return [
        (b.obj.name, f"{b.obj.path}: {b.kind.value}")
        for b in griffe.find_breaking_changes(old, new)
    ]


def unnamed(found, changelog, version):
    """Return the breaks that the changelog does not name.

    One is named in a line above the heading of `version` that begins with
    `- **Breaking.**` and holds the name as code.
    """
    news = re.split(rf"^## \[{re.escape(version)}\]", changelog, flags=re.MULTILINE)[0]
    lines = re.findall(r"^- \*\*Breaking\.\*\* (.*)", news, re.MULTILINE)
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", " ".join(lines)))))
    return [what for name, what in found if name not in named]


def compare(root=ROOT, package=PACKAGE):
    """Say what broke since the last release; raise if the changelog keeps it quiet."""
    tag = last_tag(root)
    if tag is None:
        print("No tag yet, so no release to compare the public names with.")
        return
    found = breaks(root, package, tag)
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if quiet := unnamed(found, changelog, tag.removeprefix("v")):
        raise ReleaseError(
            f"broken since {tag}, and not named in CHANGELOG.md by a line that begins "
            "with '- **Breaking.**':\n" + "\n".join(quiet)
        )
    print(f"{len(found)} public names changed since {tag}; the changelog names them.")


if __name__ == "__main__":
    try:
        run_examples(build_twice())
        compare()
    except ReleaseError as error:
        sys.exit(f"Not to be released: {error}")
