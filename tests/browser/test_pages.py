"""Every page of the book, wide and narrow, light and dark, as a reader meets it.

A page is opened once for a view, and all that can be seen in it is asked at once.
"""

import pytest
from browser.accessibility import darken, findings, prepare, unfold
from browser.figure_states import CHECKS
from browser.hands import SEEDED
from browser.layout import CUT, HEADINGS, HIDDEN_WIDTH, MATS, SHIFT, TAB_STOPS
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.book]

# Formulas that MathJax left alone, drew as an error, or drew with a macro that it does
# not know: that one stands in red, and is no error to it.
UNDRAWN = """() => [...document.querySelectorAll('.math.notranslate')]
  .filter(e => !e.querySelector('mjx-container') || e.querySelector(
    'mjx-merror, [data-mml-node="merror"], [data-mml-node="mtext"][fill="red"]'))
  .map(e => e.textContent.slice(0, 80) || e.outerHTML.slice(0, 80))"""
# Captions that nobody sees, though what they stand under is not folded.
UNSEEN = """() => [...document.querySelectorAll('figcaption')]
  .filter(e => !e.closest('details:not([open])') && e.offsetHeight === 0)
  .map(e => e.textContent.slice(0, 80))"""
# Pictures without words, or that did not load.
POOR_IMAGES = """async () => {
  const shown = [...document.querySelectorAll('article img, main img')]
    .filter(e => e.checkVisibility());
  shown.forEach(e => { e.loading = 'eager'; });
  await Promise.allSettled(shown.map(e => e.decode()));
  return shown.filter(e => !(e.getAttribute('alt') || '').trim() || !e.naturalWidth)
    .map(e => e.getAttribute('src').slice(0, 80));
}"""
# What sticks out of a page that must not scroll sideways: the first few culprits.
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return ['page is ' + document.documentElement.scrollWidth + ' wide'].concat(
    [...document.querySelectorAll('main *')]
      .filter(e => e.getBoundingClientRect().right > room + 1)
      .slice(0, 5).map(e => e.tagName + '.' + e.className));
}"""
# The first picture of a chapter, and where it begins.
FIRST_PICTURE = """() => {
  const picture = document.querySelector('article figure, article .jc-picture svg');
  return picture && picture.getBoundingClientRect().bottom;
}"""
# Words of a chapter's picture that stick out of it, or are too small to read.
POOR_LABELS = """() => [...document.querySelectorAll(
    '.jc-picture svg')].flatMap(svg => {
  const room = svg.getBoundingClientRect();
  const scale = room.width / svg.viewBox.baseVal.width;
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < room.left - 1 || box.right > room.right + 1
      || box.bottom > room.bottom + 1
      || scale * parseFloat(getComputedStyle(text).fontSize) < 9;
  }).map(text => text.textContent);
})"""
# Press every "check here", and wait until each has said its two verdicts.
PRESS_ALL = """() => Promise.all(
  [...document.querySelectorAll('.jc-check')].map(async (place) => {
    place.querySelector('button').click();
    while (place.querySelectorAll('output span').length < 2)
      await new Promise(requestAnimationFrame);
    return [place.dataset.equation, place.querySelectorAll('output .fine').length,
      place.querySelector('output').textContent];
  }))"""

# Wide and narrow; what darkness changes, the colours, is measured by axe, last of all.
EACH_VIEW = pytest.mark.parametrize("view", ["light", "phone"], scope="module")


@EACH_VIEW
def test_a_page_is_whole(page, view):
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == "light"
    assert page.faults == []
    assert page.evaluate(UNDRAWN) == []
    assert page.evaluate(UNSEEN) == []
    assert page.evaluate(POOR_IMAGES) == []
    assert page.evaluate(POOR_LABELS) == []
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate(HIDDEN_WIDTH) == []
    sizes = page.evaluate(HEADINGS)
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)


@EACH_VIEW
def test_a_page_is_light_and_stands_still(page, page_name, view):
    """Its pictures, too, are loaded by now."""
    assert page.evaluate(SHIFT) <= 0.05
    if page_name.startswith("notebooks/"):
        assert len(page.sizes) <= 30
        assert sum(page.sizes.values()) <= 1_200_000
        assert page.evaluate(TAB_STOPS) <= 60
        if view == "light":
            assert page.evaluate(FIRST_PICTURE) <= 900


@pytest.mark.parametrize("view", ["light"], scope="module")
def test_the_figures_of_a_page_wake_up(page, page_name, view):
    """When they come near, and in the chapters not before."""
    for figure in page.locator("jc-figure").all():
        near = figure.get_attribute("data-ready")
        assert near is None or page_name == "book/index.html"
        before = figure.bounding_box()["height"]
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_attribute("data-ready", "yes")
        CHECKS[figure.get_attribute("name")](figure.evaluate("e => e.state"))
        assert abs(figure.bounding_box()["height"] - before) < 2  # nothing jumps
    assert page.faults == []


@pytest.mark.parametrize("view", ["light"], scope="module")
def test_the_checks_of_a_page_say_both_verdicts(page, view):
    """Each when it is pressed, and again anew; `test_check_here.py` counts them."""
    page.evaluate(SEEDED)
    if page.locator(".jc-check").count():
        page.locator(".jc-check button").first.click()
        expect(page.locator(".jc-check output .fine")).to_have_count(2)
    for label, fine, words in page.evaluate(PRESS_ALL):
        assert fine == 2, (label, words)
        assert "caught" in words
    assert page.faults == []


@pytest.mark.parametrize("view", ["light"], scope="module")
def test_axe_finds_nothing(axe, page, view):
    """With all that folds unfolded, by day and by night.

    A narrow page has the same elements in the same colours.
    """
    prepare(page, axe)
    unfold(page)
    assert findings(page) == []
    darken(page)
    assert findings(page, colours_alone=True) == []


def test_a_dark_page_is_whole(visit):
    page = visit("notebooks/03_jacobian.html", "dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(UNDRAWN) == []
    assert page.evaluate(UNSEEN) == []
    assert page.evaluate(POOR_IMAGES) == []
    assert page.evaluate(MATS) == []
