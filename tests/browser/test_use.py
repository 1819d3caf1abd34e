"""What a reader does with the book: search, unfold, walk by keys, print."""

import re
from urllib.parse import quote

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.book]

SEARCHES = {
    "softmax derivative": "04_output_units",
    "hessian vector product": "09_hessian_vector",
    "gauss newton": "08_outer_product",
    "why is the hessian symmetric": "07_hessian",
    "learning rate": "02_backpropagation",
}


@pytest.mark.parametrize("query", SEARCHES)
@pytest.mark.parametrize("how", ["served", "as a file"])
def test_a_search_finds_its_chapter_first(visit, html, query, how):
    place = "search.html?q=" + quote(query)
    if how == "served":
        page = visit(place)
    else:
        page = visit("search.html", drawn=False)
        page.goto(f"{(html / 'search.html').as_uri()}?q={quote(query)}")
    first = page.locator("#search-results > li").first
    first.wait_for()
    assert SEARCHES[query] in first.locator("a").first.get_attribute("href")
    assert first.locator("ul a[href*='#']").count() > 0
    assert first.locator("mark").count() > 0
    shown = page.locator("#search-results").inner_text()
    assert not re.search(r"\\|[_^]\{|\$", shown)
    if how == "served":
        assert page.faults == []


def test_a_search_is_asked_from_any_page(visit):
    page = visit("book/api.html")
    page.locator("button.search-button__button:visible").first.click()
    box = page.locator("input[type=search]:visible")
    box.fill("softmax")
    box.press("Enter")
    page.wait_for_url("**/search.html?q=softmax*")
    page.locator("#search-results li a").first.wait_for()
    assert page.faults == []


def test_a_search_for_nothing_says_so(visit):
    page = visit("search.html?q=zzqq")
    assert "Nothing found" in page.locator("#search-status").inner_text()


def test_the_root_is_the_first_page(visit):
    page = visit("index.html")
    page.get_by_role("link", name="Start at chapter 1").click()
    page.wait_for_url("**/notebooks/01_network.html")
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


def test_arrow_keys_walk_through_the_menu(visit):
    page = visit("notebooks/03_jacobian.html")
    shown = "document.activeElement.textContent.trim()"
    page.locator(".bd-sidebar-primary .current > a").last.focus()
    assert "The Jacobian" in page.evaluate(shown)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(shown) == "What you need"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert "Backpropagation" in page.evaluate(shown)
    page.keyboard.press("Enter")
    page.wait_for_url("**/02_backpropagation.html")


def test_a_solution_unfolds(visit):
    page = visit("notebooks/03_jacobian.html")
    solution = page.locator("div.solution.dropdown").first
    content = solution.locator("section, .solution-content").first
    assert not content.is_visible()
    solution.locator("button, summary, .admonition-title").first.click()
    content.wait_for(state="visible")


BOXES = ["jc-result", "exercise", "solution", "jc-trap"]


def test_boxes_differ_at_a_glance(visit):
    """Their edges and grounds, one from the other."""
    page = visit("notebooks/03_jacobian.html")
    looks = page.evaluate(
        """names => names.map(name => {
          const s = getComputedStyle(document.querySelector(`article div.${name}`));
          return ['Left', 'Top'].map(side => s[`border${side}Style`]
            + s[`border${side}Width`] + s[`border${side}Color`]).join()
            + s.backgroundColor;
        })""",
        BOXES,
    )
    assert len(set(looks)) == len(BOXES)


def test_paper_is_light_and_cuts_nothing(visit):
    """As Chromium prints an A4 page, from the dark view."""
    page = visit("notebooks/03_jacobian.html", "dark")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 643, "height": 900})  # between the margins of A4
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert page.evaluate(
        """() => [...document.querySelectorAll('article pre')].filter(e =>
          e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).length"""
    ) == 0  # fmt: skip
    assert not page.locator("div.solution.dropdown").first.is_visible()
    dark = page.evaluate(
        """() => [...document.querySelectorAll('article pre span')].filter(e => {
          const [r, g, b] = getComputedStyle(e).color.match(/\\d+/g).map(Number);
          return e.checkVisibility() && r + g + b > 560;
        }).length"""
    )
    assert dark == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("name", ["notebooks/03_jacobian.html", "book/ledger.html"])
def test_without_scripts_a_formula_says_what_it_needs(chromium, site, name):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + name)
    formula = page.locator(".math.notranslate").first
    seen = formula.evaluate("e => getComputedStyle(e, '::after').content")
    assert "needs JavaScript" in seen
    assert formula.evaluate("e => getComputedStyle(e).fontSize") == "0px"
    context.close()


def test_an_equation_is_shown_where_it_is_named(visit):
    page = visit("notebooks/03_jacobian.html")
    link = page.locator(
        "article a[href='#equation-eq-jacobian-step']:not(.headerlink)"
    ).first
    link.hover()
    preview = page.locator(".jc-preview")
    assert preview.locator("mjx-container svg").first.is_visible()
    page.keyboard.press("Escape")
    assert preview.count() == 0
    assert page.faults == []


def test_a_symbol_says_what_it_stands_for(visit):
    page = visit("notebooks/07_hessian.html")
    symbol = page.locator("article p .jc-symbol:visible")
    symbol.first.scroll_into_view_if_needed()
    symbol.first.hover()
    preview = page.locator(".jc-preview")
    preview.locator("mjx-container svg").first.wait_for()
    words = preview.text_content()
    assert "shape (" in words or "a number" in words or "elementwise" in words
    page.mouse.move(0, 0)
    preview.wait_for(state="detached")
    assert page.faults == []
