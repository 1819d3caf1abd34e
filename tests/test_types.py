"""Types: what a type checker knows of the library is there, and is true."""

import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import jachess_lib as jl

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "jachess_lib").glob("[!_]*.py"))


def lint():
    """Return the commands of `make lint` that look at types, as lists of words."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rule = makefile.split("\nlint: ")[1].split("\n\n")[0]
    commands = [line.strip("\t@").split() for line in rule.splitlines()[1:]]
    return {c[0].rpartition("/")[2]: c[1:] for c in commands if "ruff" not in c[0]}


def run(tool, *arguments):
    """Run a type checker and return what it says."""
    module = {"mypy": "mypy", "stubtest": "mypy.stubtest"}[tool]
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["mypy", "stubtest"])
def test_the_types_are_there_and_true(tool):
    done = run(tool, *lint()[tool])
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_is_used_as_a_caller_does():
    use = (ROOT / "tests" / "typed_use.py").read_text(encoding="utf-8")
    left_out = {name for name in jl.__all__ if not re.search(rf"jl\.{name}\b", use)}
    # what these do is seen in others
    assert left_out <= {"Trace", "forward_difference"}


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_module_has_its_types_beside_it(path):
    assert path.with_suffix(".pyi").exists()


def test_the_package_says_that_it_has_types():
    assert files(jl).joinpath("py.typed").is_file()


def test_the_version_stands_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+", jl.__version__)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {jl.__version__}\n" in citation
