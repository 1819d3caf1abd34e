"""What opens over a page passes axe too; the pages themselves: `test_pages`."""

import pytest
from browser.accessibility import MISNAMED, findings, prepare

pytestmark = [pytest.mark.browser, pytest.mark.book]


def test_an_open_menu_and_an_open_search_pass_too(axe, visit):
    for view, button in [
        ("phone", "button.primary-toggle"),
        ("light", "button.search-button__button"),
    ]:
        page = visit("notebooks/03_jacobian.html", view)
        page.locator(f"{button}:visible").first.click()
        page.locator("dialog[open]").wait_for()
        prepare(page, axe)
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
