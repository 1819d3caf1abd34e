"""No page fails axe, with all that folds unfolded."""

import os

import pytest
from browser.accessibility import AXE, DROP_OUTLINES, MISNAMED, findings, unfold

pytestmark = [pytest.mark.browser, pytest.mark.book]
# A narrow page has the same elements in the same colours; its menu is opened below.
EACH_VIEW = pytest.mark.parametrize("view", ["light", "dark"], scope="module")


@pytest.fixture(scope="session")
def axe():
    """Return the rules, as a script; skip without them, but never under CI."""
    if not AXE.exists():
        missing = "no rules of accessibility: install npm, then run 'make test'"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return AXE.read_text(encoding="utf-8")


@EACH_VIEW
def test_axe_finds_nothing(axe, page, view):
    """With all that folds unfolded: what it is folded under is there as well."""
    page.evaluate(DROP_OUTLINES)
    page.evaluate(axe)
    unfold(page)
    assert findings(page, colours_alone=view == "dark") == []


def test_an_open_menu_and_an_open_search_pass_too(axe, visit):
    for view, button in [
        ("phone", "button.primary-toggle"),
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
