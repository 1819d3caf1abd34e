"""Hands for the figures: a page with one of them, and mouse, finger and keys for it."""

import os
from contextlib import contextmanager
from html import escape

import pytest
from browser.accessibility import AXE, findings

PAGE = """<!doctype html><html lang="en"><head><title>A figure</title>
<link rel="stylesheet" href="/figures/figures.css">
<link rel="stylesheet" href="/figures/{module}.css"></head>
<body style="margin: 16px; background: #fcfbf7"><main style="max-width: 700px">
<h1>A figure</h1><h2>And what it is</h2>{element}
<script type="module" src="/figures/{module}.mjs"></script></main></body></html>"""
HTML = {"content-type": "text/html; charset=utf-8"}
# The same random numbers in every run: a verdict may not hang on luck.
SEEDED = """let state = 7;
  Math.random = () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };"""


@contextmanager
def opened(chromium, address, element, module, **context):
    """Yield a page that holds one element, on a screen that can be touched."""
    context = chromium.new_context(has_touch=True, **context)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda m: m.type == "error" and page.faults.append(m.text))
    body = PAGE.format(element=element, module=module)
    page.route("**/page.html", lambda route: route.fulfill(body=body, headers=HTML))
    page.goto(address + "page.html")
    page.wait_for_selector("[data-ready]")
    yield page
    context.close()
    assert page.faults == []


def shown(chromium, address, name, **context):
    """Yield a page that shows one figure, awake."""
    element = f'<jc-figure name="{escape(name)}"></jc-figure>'
    return opened(chromium, address, element, "figures", **context)


def state(page):
    """Return the numbers that the figure shows."""
    return page.evaluate("document.querySelector('jc-figure').state")


def knob(page, name):
    """Return the handle of that name."""
    return page.get_by_role("slider", name=name, exact=True)


def middle(page, name):
    """Return where the handle is, on the screen."""
    knob(page, name).scroll_into_view_if_needed()
    box = knob(page, name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_screen(page, panel, x, y):
    """Return the place on the screen of a point in the coordinates of a panel."""
    return page.locator(f".jc-{panel}").evaluate(
        """(svg, [x, y]) => {
          const box = svg.getBoundingClientRect(), {width} = svg.viewBox.baseVal;
          const scale = box.width / width;
          return [box.left + scale * x, box.top + scale * y];
        }""",
        [x, y],
    )


def by_mouse(page, name, panel, place):
    """Press on the handle, and drag it to a place of its panel."""
    page.mouse.move(*middle(page, name))
    page.mouse.down()
    page.mouse.move(*on_screen(page, panel, *place), steps=6)
    page.mouse.up()


def by_touch(page, name, panel, place):
    """Put a finger on the handle, and draw it to a place of its panel."""
    session = page.context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y} for x, y in places]
        event = {"type": kind, "touchPoints": points}
        session.send("Input.dispatchTouchEvent", event)

    (x, y), (to_x, to_y) = middle(page, name), on_screen(page, panel, *place)
    touch("touchStart", (x, y))
    for step in range(1, 7):
        touch("touchMove", (x + step / 6 * (to_x - x), y + step / 6 * (to_y - y)))
    touch("touchEnd")


def by_keys(page, name, *keys):
    """Press keys on the handle."""
    for key in keys:
        knob(page, name).press(key)


def assert_accessible(page):
    """Require that axe finds nothing; skip without its rules, but never under CI."""
    if not AXE.exists():
        missing = "no rules of accessibility: install npm, then run 'make test'"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert findings(page) == []
