"""The figures answer to mouse, finger and keys, with the library's numbers."""

import json
import re
import statistics

import numpy as np
import pytest
from browser.figure_states import CHECKS
from browser.hands import (
    assert_accessible,
    by_keys,
    by_mouse,
    by_touch,
    knob,
    on_screen,
    shown,
    state,
)
from playwright.sync_api import expect

from book._tools.figures import NAMES, STILLS, is_current, show, still

pytestmark = pytest.mark.browser
# (figure, handle, panel, where to drag it, what must be there then)
DRAGS = [
    ("two-wires", "Cell of the Hessian", "b", (221, 63), {"row": 3, "column": 17}),
    ("two-wires", "Wire of the row", "a", (198, 133), {"row": 19}),
    ("softmax-triangle", "The outputs y, in the triangle", "a", (120, 230), {}),
    ("backward-wave", "Input x0", "a", (74, 80), {"x": [0, -0.3, -0.2]}),
    (
        "backward-wave",
        "The wave, from the outputs back to the inputs",
        "a",
        (180, 278),
        {"arrived": 1},
    ),
    ("the-v", "Step of the differences", "a", (178, 262), {"s": 8}),
    ("valley", "The two weights", "a", (95, 212.8), {"w": [1, 1.19]}),
    ("valley", "Damping lambda", "b", (160 + 72, 246), {"lambda": 10}),
    ("valley", "Step eta of the gradient", "b", (16, 294), {"eta": 0.001}),
    ("push", "Direction v", "a", (160, 60), {"v": [0, 1]}),
    ("push", "How far we push, r", "b", (160, 264), {"r": 0.01}),
    ("two-rates", "Start of the walk", "a", (238, 160), {"w": [0.8, 0]}),
    ("two-rates", "Learning rate eta", "b", (160, 288), {"eta": 0.2}),
]
KEYS = [
    ("two-wires", "Cell of the Hessian", "row", 24, ["ArrowUp"] * 2, 22),
    ("two-wires", "Cell of the Hessian", "column", 10, ["Shift+ArrowRight"], 20),
    ("two-wires", "Wire of the column", "column", 10, ["ArrowRight"], 11),
    (
        "softmax-triangle",
        "The outputs y, in the triangle",
        "y",
        None,
        ["ArrowUp"],
        None,
    ),
    ("backward-wave", "Input x2", "x", [1.9, -0.3, -0.2], ["ArrowUp"], None),
    ("the-v", "Step of the differences", "s", 0, ["ArrowRight"] * 3, 0.75),
    (
        "valley",
        "The two weights",
        "w",
        [2, 3],
        ["ArrowLeft", "ArrowDown"],
        [1.95, 2.95],
    ),
    ("valley", "Damping lambda", "lambda", 1, ["Shift+ArrowRight"], 4.64),
    ("push", "Direction v", "v", [1, 0], ["ArrowUp"] * 45, [0, 1]),
    ("push", "How far we push, r", "r", 0.3, ["ArrowRight"], None),
    ("two-rates", "Start of the walk", "w", [1, -0.6], ["ArrowUp"] * 2, [1, -0.5]),
    ("two-rates", "Learning rate eta", "eta", 0.3, ["ArrowRight"] * 4, 0.34),
]


def is_there(found, expected):
    """Say whether a drag, which ends on a pixel, ended where it should."""
    return all(
        np.allclose(found[key], value, rtol=0.05, atol=0.04)
        for key, value in expected.items()
    )


@pytest.mark.parametrize("way", [by_mouse, by_touch], ids=["mouse", "touch"])
@pytest.mark.parametrize(("name", "handle", "panel", "to", "expected"), DRAGS)
def test_a_drag(source_site, chromium, way, name, handle, panel, to, expected):
    with shown(chromium, source_site, name) as page:
        before = state(page)
        CHECKS[name](before)
        way(page, handle, panel, to)
        after = state(page)
        assert json.dumps(after) != json.dumps(before)
        assert is_there(after, expected), after
        CHECKS[name](after)
        assert page.evaluate("scrollY") == 0  # the finger moved the knob, not the page


@pytest.mark.parametrize(("name", "handle", "what", "start", "keys", "end"), KEYS)
def test_keys(source_site, chromium, name, handle, what, start, keys, end):
    with shown(chromium, source_site, name) as page:
        before = state(page)
        if start is not None:
            assert before[what] == start
        said = knob(page, handle).get_attribute("aria-valuetext")
        by_keys(page, handle, *keys)
        after = state(page)
        assert after[what] != before[what]
        if end is not None:
            assert np.allclose(after[what], end, rtol=1e-12, atol=1e-12)
        CHECKS[name](after)
        assert knob(page, handle).get_attribute("aria-valuetext") != said
        by_keys(page, handle, "Home")
        assert np.allclose(state(page)[what], before[what])


def test_a_press_anywhere_takes_the_knob_there(source_site, chromium):
    with shown(chromium, source_site, "valley") as page:
        page.locator(".jc-a").click(position={"x": 60, "y": 60})
        assert state(page)["w"] != [2, 3]
        CHECKS["valley"](state(page))


def test_a_mouse_need_not_press_on_the_hessian(source_site, chromium):
    with shown(chromium, source_site, "two-wires") as page:
        page.mouse.move(*on_screen(page, "b", 24 + 11.3 * 5.5, 24 + 11.3 * 7.5))
        assert [state(page)[key] for key in ("row", "column")] == [7, 5]
        CHECKS["two-wires"](state(page))


def test_buttons_answer_to_mouse_and_keys(source_site, chromium):
    with shown(chromium, source_site, "softmax-triangle") as page:
        page.emulate_media(reduced_motion="reduce")
        button = page.get_by_role("button", name="diagonal only")
        button.press("Enter")
        assert button.get_attribute("aria-pressed") == "true"
        CHECKS["softmax-triangle"](state(page))
        button.click()
        assert not state(page)["diagonalOnly"]
    with shown(chromium, source_site, "backward-wave") as page:
        page.get_by_role("button", name="from y₁").click()
        assert state(page)["k"] == 1
    with shown(chromium, source_site, "two-wires") as page:
        page.locator(".wire-reach").nth(0).dispatch_event("click")
        page.locator(".wire-reach").nth(17).dispatch_event("click")
        assert [state(page)[key] for key in ("row", "column")] == [0, 17]
        CHECKS["two-wires"](state(page))


@pytest.mark.parametrize("name", NAMES)
def test_what_changed_is_said_and_nothing_is_wide(source_site, chromium, name):
    """Once the hand rests; and the figure fits a phone, also after it was moved."""
    view = {"width": 375, "height": 740}
    with shown(chromium, source_site, name, viewport=view) as page:
        assert page.locator("jc-figure output").text_content() == ""
        first = page.get_by_role("slider").first
        first.press("ArrowLeft")
        first.press("ArrowUp")
        voice = page.locator("jc-figure output[aria-live=polite]")
        expect(voice).not_to_have_text("")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 375
        cut = page.evaluate(
            """() => [...document.querySelectorAll('.jc-panel text')].filter(text => {
              const box = text.getBoundingClientRect();
              return box.width && (box.left < 0 || box.right > innerWidth);
            }).map(text => text.textContent)"""
        )
        assert cut == []


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_in_a_figure(source_site, chromium, name):
    with shown(chromium, source_site, name) as page:
        assert_accessible(page)


@pytest.mark.parametrize("name", NAMES)
def test_the_still_is_the_first_picture(chromium, name):
    page = show(chromium, name)
    drawn, stored = still(page), (STILLS / f"{name}.html").read_text(encoding="utf-8")
    page.close()
    assert drawn == stored, "run 'python -m book._tools.figures'"
    assert is_current(STILLS / f"{name}.pdf", stored)


@pytest.mark.parametrize("name", NAMES)
def test_an_update_takes_little_time(source_site, chromium, name, capsys):
    with shown(chromium, source_site, name) as page:
        slider = page.get_by_role("slider").first
        for key in ["ArrowLeft", "ArrowUp"] * 20:
            slider.press(key)
        times = page.evaluate("document.querySelector('jc-figure').updates")
        median, most = statistics.median(times), max(times)
        with capsys.disabled():
            print(f"\n{name}: {median:.2f} ms an update, at most {most:.2f}")
        assert len(times) >= 20
        assert median < 100  # a machine with much else to do


@pytest.mark.book
def test_every_figure_has_its_page(html):
    """`test_pages.py` wakes them there."""
    pages = [*html.glob("notebooks/*.html"), html / "book" / "index.html"]
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    assert set(re.findall(r'<jc-figure[^>]* name="([a-z-]+)"', text)) == set(NAMES)
