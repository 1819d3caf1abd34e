"""Every page of the book, wide and narrow, light and dark, as a reader meets it."""

import os

import pytest
from browser.accessibility import AXE, DROP_OUTLINES, MISNAMED, findings, unfold

pytestmark = [pytest.mark.browser, pytest.mark.book]

# Formulas that MathJax left alone, drew as an error, or drew with a macro that it does
# not know: that one stands in red, and is no error to it.
UNDRAWN = """() => [...document.querySelectorAll('.math')]
  .filter(e => !e.querySelector('mjx-container') || e.querySelector(
    'mjx-merror, [data-mml-node="merror"], [data-mml-node="mtext"][fill="red"]'))
  .map(e => e.textContent.slice(0, 80) || e.outerHTML.slice(0, 80))"""
# Pictures without words, or that did not load.
POOR_IMAGES = """() => [...document.querySelectorAll('article img, main img')]
  .filter(e => !(e.getAttribute('alt') || '').trim() || !e.naturalWidth)
  .map(e => e.getAttribute('src').slice(0, 80))"""
# What sticks out of a page that must not scroll sideways: the first few culprits.
TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return ['page is ' + document.documentElement.scrollWidth + ' wide'].concat(
    [...document.querySelectorAll('main *')]
      .filter(e => e.getBoundingClientRect().right > room + 1)
      .slice(0, 5).map(e => e.tagName + '.' + e.className));
}"""


EACH_VIEW = pytest.mark.parametrize("view", ["light", "dark", "phone"], scope="module")


@pytest.fixture(scope="session")
def axe():
    """Return the rules, as a script; skip without them, but never under CI."""
    if not AXE.exists():
        missing = "no rules of accessibility: install npm, then run 'make test'"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return AXE.read_text(encoding="utf-8")


@EACH_VIEW
def test_a_page_is_whole(page, view):
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == ("dark" if view == "dark" else "light")
    assert page.faults == []
    assert page.evaluate(UNDRAWN) == []
    assert page.evaluate(POOR_IMAGES) == []
    assert page.evaluate(TOO_WIDE) == []


@EACH_VIEW
def test_axe_finds_nothing(axe, page):
    """As the page comes, and with all that folds unfolded."""
    page.evaluate(DROP_OUTLINES)
    page.evaluate(axe)
    assert findings(page) == []
    if unfold(page):
        assert findings(page) == []


def test_the_root_leads_to_the_book(visit):
    page = visit("index.html", drawn=False)
    page.wait_for_url("**/book/*.html")
    assert page.faults == []


def test_the_menu_opens_on_a_phone(visit):
    page = visit("book/api.html", "phone")
    link = page.get_by_role("link", name="The library").first
    assert not link.is_visible()
    page.locator("button.primary-toggle").click()
    menu = page.get_by_role("dialog")
    menu.wait_for(state="visible")
    links = menu.get_by_role("link")
    assert links.count() > 1
    links.last.click()  # fails if something lies over it
    assert page.faults == []


def test_search_finds_softmax(visit):
    page = visit("book/api.html")
    page.locator("button.search-button__button:visible").first.click()
    box = page.locator("input[type=search]:visible")
    box.fill("softmax")
    box.press("Enter")
    page.wait_for_url("**/search.html?q=softmax*")
    page.locator("#search-results li a").first.wait_for()
    assert page.locator("#search-results li .highlighted").count() > 0
    assert page.faults == []


def test_a_solution_unfolds(visit, html):
    name = next(
        (
            p.relative_to(html).as_posix()
            for p in sorted(html.rglob("*.html"))
            if 'class="solution dropdown' in p.read_text(encoding="utf-8")
        ),
        None,
    )
    assert name, "no page has a folded solution"
    page = visit(name)
    solution = page.locator("div.solution.dropdown").first
    content = solution.locator("section, .solution-content").first
    assert not content.is_visible()
    solution.locator("button, summary, .admonition-title").first.click()
    content.wait_for(state="visible")


def test_an_open_menu_and_an_open_search_pass_too(axe, visit):
    for view, button in [
        ("phone", "button.primary-toggle"),
        ("phone", "button.secondary-toggle"),
        ("light", "button.search-button__button"),
    ]:
        page = visit("notebooks/03_jacobian.html", view)
        page.evaluate(DROP_OUTLINES)
        page.locator(f"{button}:visible").first.click()
        page.locator("dialog[open]").wait_for()
        page.evaluate(axe)
        assert findings(page) == []


@pytest.mark.parametrize(
    "wrong",
    [
        '<summary aria-label="Toggle hidden content">Show code cell source</summary>',
        '<button aria-label="Search">Find</button>',
        '<style>#b::before {content: "Click to show"}</style>'
        '<button id="b" aria-label="Toggle hidden content"></button>',
    ],
)
def test_a_wrong_name_is_found(chromium, wrong):
    page = chromium.new_page()
    page.set_content(f"<details>{wrong}</details>" if "summary" in wrong else wrong)
    assert len(page.evaluate(MISNAMED)) == 1
    page.close()
