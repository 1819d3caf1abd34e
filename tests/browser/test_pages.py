"""Every page of the book, wide and narrow, light and dark, as a reader meets it."""

import pytest

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


@pytest.mark.parametrize("view", ["light", "dark", "phone"])
def test_a_page_is_whole(visit, page_name, view):
    page = visit(page_name, view)
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == ("dark" if view == "dark" else "light")
    assert page.faults == []
    assert page.evaluate(UNDRAWN) == []
    assert page.evaluate(POOR_IMAGES) == []
    assert page.evaluate(TOO_WIDE) == []


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
