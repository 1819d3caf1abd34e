"""What the tests share: NumPy alone, where the built book is, and its pages."""

import os
from pathlib import Path

import pytest

from jachess_lib import _kernels

# The chapters' own lines are what is tested, here and in the notebooks; Numba, which
# could stand in for some of them, has its own tests in test_compiled.py.
os.environ["JACHESS_COMPILED"] = "0"

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"


def _page_names():
    """Return every page a reader can open; the root index.html only leads on."""
    names = (p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html"))
    return sorted(n for n in names if not n.startswith("_") and n != "index.html")


def pytest_generate_tests(metafunc):
    """Run a test that asks for `page_name` once for each page of the book."""
    if "page_name" in metafunc.fixturenames:
        names = _page_names() or ["no-page"]
        # One page after the other, for those who keep it open.
        metafunc.parametrize("page_name", names, scope="module")


@pytest.fixture(params=["0", "1"], ids=["numpy", "compiled"])
def engine(request, monkeypatch):
    """Let NumPy compute everything, or Numba what it may."""
    monkeypatch.setenv("JACHESS_COMPILED", request.param)
    _kernels._import_twins.cache_clear()
    yield
    _kernels._import_twins.cache_clear()


@pytest.fixture(scope="session")
def html():
    """Return the folder of the built book."""
    if not (HTML / "index.html").exists():
        pytest.fail(f"there is no book in {HTML}: run 'make book' first", pytrace=False)
    return HTML
