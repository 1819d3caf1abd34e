"""A server for the built book, and a Chromium that notes all that goes wrong."""

import gzip
import os
import shutil
import threading
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browser.accessibility import AXE
from playwright.sync_api import sync_playwright

# No background traffic, and no sandbox, which a container often cannot give.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The first is the same browser without its window, and twice as quick.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
HELP = (
    "no Chromium: 'apt install chromium-headless-shell', or '.venv/bin/playwright "
    "install chromium', or set CHROMIUM to the path of one"
)
VIEWS = {  # name: (width, height, colour scheme)
    "light": (1280, 900, "light"),
    "dark": (1280, 900, "dark"),
    "phone": (375, 740, "light"),
}
# MathJax draws after loading (a page without formulas has none), and the theme fades
# its colours in: judge neither half-way.
ALL_DRAWN = """async () => {
  if (window.MathJax) await window.MathJax.startup.promise;
  await document.fonts.ready;
  await Promise.allSettled(document.getAnimations().map(a => a.finished));
}"""
# A page that is not drawn after some seconds shows itself half-drawn. On a busy machine
# that would decide a test: there it waits until it is drawn.
PATIENCE = """addEventListener('DOMContentLoaded', () => {
  const style = document.createElement('style');
  style.textContent = '.jc-drawing * { animation: none !important; }';
  document.head.append(style);
});"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args):
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a page asks for all of its modules at once

    def handle_error(self, request, client_address):
        """Say nothing of a request that the browser gave up when a page closed."""


@contextmanager
def _served(folder):
    """Serve a folder on this machine alone; yield its address."""
    server = _Server(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def site(html):
    """Serve the built book; return its address."""
    with _served(html) as address:
        yield address


@pytest.fixture(scope="session")
def source_site():
    """Serve the sources of the pages' scripts, which need no built book."""
    with _served(STATIC) as address:
        yield address


@pytest.fixture(scope="session")
def axe():
    """Return the rules, as a script; skip without them, but never under CI."""
    if not AXE.exists():
        missing = "no rules of accessibility: install npm, then run 'make test'"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium():
    """Start the browser once for a worker; skip without one, but never under CI."""
    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM") or next(
            filter(None, map(shutil.which, NAMES)), ""
        )
        found = found or playwright.chromium.executable_path
        if not Path(found).exists():
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(HELP)
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def _weight(html, name):
    """Return the bytes of a file as a server would send it, text compressed."""
    file = html / name.partition("?")[0]
    if not file.is_file():
        return 0
    data = file.read_bytes()
    packed = file.suffix in (".png", ".woff2")
    return len(data if packed else gzip.compress(data, 6))


def _note_faults(page, site, html):
    """Let the page list in `faults` what goes wrong, and in `sizes` what it loads."""
    page.faults, page.sizes = [], {}
    faults = page.faults

    def _console(message):
        if message.type in ("error", "warning"):
            faults.append(f"console {message.type}: {message.text}")

    def _request(request):
        if not request.url.startswith((site, "data:", "blob:")):
            faults.append(f"request to another host: {request.url}")

    def _failed(request):
        if request.failure != "net::ERR_ABORTED":  # a page that is left gives it up
            faults.append(f"failed request, {request.failure}: {request.url}")

    def _response(response):
        if response.status >= 400:
            faults.append(f"{response.status}: {response.url}")
        page.sizes[response.url] = _weight(html, response.url.removeprefix(site))

    page.on("console", _console)
    page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
    page.on("request", _request)
    page.on("requestfailed", _failed)
    page.on("response", _response)


@contextmanager
def _opened(site, html, chromium, name, view, drawn=True):
    """Open a page in a window of its own; `drawn` waits for its formulas."""
    width, height, scheme = VIEWS[view]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme
    )
    context.add_init_script(PATIENCE)
    page = context.new_page()
    _note_faults(page, site, html)
    page.goto(site + name, wait_until="load")
    if drawn:
        page.evaluate(ALL_DRAWN)
    yield page
    context.close()


@pytest.fixture
def visit(site, html, chromium):
    """Return visit(name, view) -> page, whose `faults` lists what went wrong.

    The page is drawn, unless `drawn=False` (for one that moves on).
    """
    with ExitStack() as pages:
        yield lambda name, view="light", drawn=True: pages.enter_context(
            _opened(site, html, chromium, name, view, drawn)
        )


@pytest.fixture(scope="module")
def page(site, html, chromium, page_name, view):
    """Return one page in one view, drawn once for all tests of it, in their order."""
    with _opened(site, html, chromium, page_name, view) as page:
        yield page
