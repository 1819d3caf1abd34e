"""What the tests share: the engine, where the built book is, and its pages."""

import os
from pathlib import Path

import pytest

import jachess_lib as jl
from jachess_lib._engine import choice

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"


def _page_names():
    """Return every page of the book; lite/ is JupyterLite's, with tests of its own."""
    names = (p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html"))
    others = ("_", "lite/")
    return sorted(n for n in names if not n.startswith(others) and n != "index.html")


def pytest_generate_tests(metafunc):
    """Run a test that asks for `page_name` once for each page of the book."""
    if "page_name" in metafunc.fixturenames:
        names = _page_names() or ["no-page"]
        # One page after the other, for those who keep it open.
        metafunc.parametrize("page_name", names, scope="module")


@pytest.fixture
def gathered():
    """Return gathered(cluster, client), which waits until both workers are there.

    Where a worker was killed, another comes in its place, unless its nanny was lost
    just then: nobody would come. Then one more is asked for.
    """

    def wait(cluster, client):
        try:
            client.wait_for_workers(2, timeout=20)
        except TimeoutError:
            cluster.scale(len(cluster.worker_spec) + 1)
            client.wait_for_workers(2, timeout=120)

    return wait


@pytest.fixture(autouse=True)
def nothing_compiled_fails(monkeypatch):
    """Fail a test in which Numba was left out: NumPy's right answers would hide it."""
    said = []
    leave_out = choice._leave_out

    def note(error):
        said.append(error)
        leave_out(error)

    monkeypatch.setattr(choice, "_leave_out", note)
    monkeypatch.setattr(choice, "_broken", False)
    yield said
    assert not said, said


@pytest.fixture(autouse=True)
def blocked():
    """Let the blocked engine compute, unless a test asks for another: see `engine`."""
    before = os.environ.get("JACHESS_ENGINE")
    os.environ["JACHESS_ENGINE"] = "blocked"
    yield
    if before is None:
        del os.environ["JACHESS_ENGINE"]
    else:
        os.environ["JACHESS_ENGINE"] = before


@pytest.fixture(params=["plain", "blocked", "compiled"])
def engine(request):
    """Let each engine compute in turn."""
    with jl.engine(request.param):
        yield request.param


@pytest.fixture(scope="session")
def html():
    """Return the folder of the built book."""
    if not (HTML / "index.html").exists():
        pytest.fail(f"there is no book in {HTML}: run 'make book' first", pytrace=False)
    return HTML
