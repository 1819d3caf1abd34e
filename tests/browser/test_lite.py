"""A chapter in the browser: the note before it, its page, and the core of its Python.

The host of Pyodide cannot be asked here. What npm has of it, the core, stands in for
the host; NumPy is on no registry as a reader's browser needs it.
"""

import json
import os
import re
from pathlib import Path

import pytest
from browser.accessibility import DROP_OUTLINES
from browser.hands import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.book]

ROOT = Path(__file__).resolve().parents[2]
PYODIDE = ROOT / "tests" / "browser" / "node_modules" / "pyodide"
PINS = json.loads((ROOT / "book" / "_lite" / "pyodide.json").read_text("utf-8"))
CHAPTER = "notebooks/03_jacobian.html"
OTHER_HOST = re.compile(r"^https://")
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm"}
# In a worker, as the kernel does: it takes our module for Pyodide's own.
START = """async asked => {
  const text = `onmessage = async ({data: {pinned, lock, program}}) => {
    try {
      const {loadPyodide} = await import(pinned);
      const options = {lockFileURL: lock, env: {JACHESS_ENGINE: 'plain'}};
      const pyodide = await loadPyodide(options);
      const quiet = {messageCallback() {}, errorCallback() {}};
      await pyodide.loadPackage(['jachess-lib'], quiet);
      postMessage(String(pyodide.runPython(program)));
    } catch (error) { postMessage('refused: ' + error); }
  }`;
  const script = URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
  const worker = new Worker(script, {type: 'module'});
  const said = new Promise(done => {
    worker.onmessage = event => done(event.data);
    worker.onerror = event => done('no worker: ' + event.message);
  });
  worker.postMessage(asked);
  return said;
}"""
# `choice`, which decides between the engines, imports nothing but Python's own.
PROGRAM = """
import importlib.util, pathlib, sys, sysconfig
site = pathlib.Path(sysconfig.get_path("purelib"), "jachess_lib")
path = site / "_engine" / "choice.py"
spec = importlib.util.spec_from_file_location("choice", path)
choice = importlib.util.module_from_spec(spec)
sys.modules["choice"] = choice
spec.loader.exec_module(choice)
f"{sys.version_info[:2]} {choice.chosen()}"
"""


@pytest.fixture(scope="module")
def core():
    """Return the files of Pyodide's core; skip without them, but never under CI."""
    if not PYODIDE.exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no npm")
    return {name: (PYODIDE / name).read_bytes() for name in PINS["core"]["files"]}


@pytest.fixture
def window(chromium):
    """Return a window whose requests to other hosts are noted, and answered by us."""
    context = chromium.new_context(service_workers="block")
    page = context.new_page()
    page.asked, page.stock = [], {}

    def answer(route):
        url = route.request.url
        page.asked.append(url)
        body = page.stock.get(url)
        if body is None:
            route.abort()
        else:
            kind = TYPES.get(Path(url).suffix, "application/octet-stream")
            headers = {"access-control-allow-origin": "*", "content-type": kind}
            route.fulfill(body=body, headers=headers)

    context.route(OTHER_HOST, answer)
    yield page
    context.close()


def start(window, site, files):
    """Start the pinned Pyodide in a worker; return what it says."""
    address = PINS["core"]["address"]
    window.stock = {address + name: data for name, data in files.items()}
    window.goto(site + "lite/api/contents/all.json")  # a page without scripts
    place = f"{site}lite/pyodide/"
    asked = {"pinned": f"{place}pinned.mjs", "lock": f"{place}pyodide-lock.json"}
    return window.evaluate(START, {**asked, "program": PROGRAM})


def test_the_core_starts_and_imports_a_module_of_ours(window, site, core):
    """It asks its host for the core and for what the library needs, all as pinned."""
    assert start(window, site, core) == "(3, 14) plain"
    packages = PINS["lock"]["packages"]
    wanted = {PINS["core"]["address"] + name for name in core}
    for name in ("numpy", "scipy", "matplotlib", "threadpoolctl"):
        wanted.add(PINS["packages"] + packages[name]["file_name"])
    pinned = {PINS["packages"] + package["file_name"] for package in packages.values()}
    assert wanted <= set(window.asked) <= wanted | pinned


@pytest.mark.parametrize("name", PINS["core"]["files"])
def test_a_core_that_has_changed_is_refused(window, site, core, name):
    changed = {**core, name: core[name] + b"\n"}
    assert start(window, site, changed).startswith("refused")


def test_the_button_leads_to_the_chapter(window, site):
    """By way of the note; before its link is followed, no other host is asked."""
    window.goto(site + CHAPTER)
    window.get_by_role("button", name="Run in the browser").click()
    note = window.get_by_role("dialog", name="Run this chapter in the browser")
    assert window.asked == []
    note.get_by_role("link", name="Load and run").click()
    window.get_by_role("heading", name="The Jacobian", exact=True).wait_for()
    window.wait_for_event(
        "requestfailed", lambda request: request.url.startswith("https://")
    )
    address = PINS["core"]["address"]
    assert {url for url in window.asked if not url.startswith(address)} == set()


def test_the_note_is_worked_by_keys(visit):
    page = visit(CHAPTER)
    page.get_by_role("button", name="Run in the browser").focus()
    page.keyboard.press("Enter")
    note = page.get_by_role("dialog", name="Run this chapter in the browser")
    assert note.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('[popover]') !== null")
    page.keyboard.press("Escape")
    assert not note.is_visible()
    assert page.evaluate("document.activeElement.textContent") == "Run in the browser"
    page.keyboard.press("Enter")
    note.get_by_role("button", name="Not now").click()
    assert not note.is_visible()
    assert page.faults == []


@pytest.mark.parametrize("view", ["light", "dark", "phone"])
def test_the_note_can_be_read(visit, view):
    """It fits its window, differs from what lies below, and axe finds nothing in it."""
    page = visit(CHAPTER, view)
    page.get_by_role("button", name="Run in the browser").click()
    note = page.get_by_role("dialog", name="Run this chapter in the browser")
    box, room = note.bounding_box(), page.viewport_size
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= room["width"]
    assert box["y"] + box["height"] <= room["height"]
    assert note.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.faults == []
    page.evaluate(DROP_OUTLINES)
    assert_accessible(page)
