"""Every equation's check in the page: it passes, and it catches its planted mistake."""

import json

import pytest
from browser.hands import SEEDED
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from book._ext.jachess_checks import checked_in_the_page
from book._ext.jachess_ledger import ledger

pytestmark = pytest.mark.browser
LABELS = sorted(checked_in_the_page())

RUN = """async ([labels, times]) => {
  const {CHECKS, check} = await import("/figures/checks.mjs");
  const results = {};
  for (const label of labels)
    results[label] = Array.from({length: times}, () => check(label));
  return [Object.keys(CHECKS).sort(), results];
}"""


@pytest.fixture(scope="module")
def results(source_site, chromium):
    page = chromium.new_page()
    page.goto(source_site + "figures/core.mjs")
    page.evaluate(SEEDED)
    found = page.evaluate(RUN, [LABELS, 30])
    page.close()
    return found


def test_the_room_that_pages_leave_is_for_the_checks_there_are(results):
    assert results[0] == LABELS
    assert set(LABELS) == {line["label"] for line in ledger()["equations"]}


@pytest.mark.parametrize("label", LABELS)
def test_a_check_agrees_and_catches_its_mistake(results, label):
    for result in results[1][label]:
        assert result["right"], result
        assert result["caught"], result
        assert result["off"] > 20 * result["found"]
        assert len(result["planted"].split()) >= 2


@pytest.fixture(scope="module")
def bare(source_site, chromium):
    """Return a page with nothing on it, from which the checks can be loaded."""
    page = chromium.new_page()
    page.goto(source_site + "figures/core.mjs")
    yield page
    page.close()


@pytest.mark.parametrize("label", LABELS)
def test_a_wrong_claim_is_seen(bare, label):
    """With claim and mistake exchanged, both verdicts turn."""
    bare.evaluate(SEEDED)
    result = bare.evaluate(
        """async (label) => {
          const {CHECKS, check} = await import("/figures/checks.mjs");
          const [planted, run] = CHECKS[label];
          CHECKS[label] = [planted, () => {
            const [claim, truth, mistaken] = run();
            return [mistaken, truth, claim];
          }];
          return check(label);
        }""",
        label,
    )
    assert not result["right"]
    assert not result["caught"]


@pytest.mark.book
def test_each_equation_of_the_chapters_has_a_button(html):
    """`test_pages.py` presses them."""
    labels = []
    for path in sorted((html / "notebooks").glob("*.html")):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        for place in page.select(".jc-check"):
            labels.append(place["data-equation"])
            above = place.find_previous_sibling()
            assert above["id"] == f"equation-{labels[-1]}"
    assert sorted(labels) == LABELS


@pytest.mark.book
def test_a_failure_is_red(visit):
    page = visit("notebooks/03_jacobian.html")
    amiss = {"planted": "none", "found": 0.5, "off": 0, "right": False, "caught": False}
    source = f"export const check = () => ({json.dumps(amiss)});"
    script = {"content-type": "text/javascript"}
    page.route(
        "**/checks.mjs", lambda route: route.fulfill(body=source, headers=script)
    )
    place = page.locator(".jc-check").first
    place.get_by_role("button").click()
    expect(place.locator("output .amiss")).to_have_count(2)
    assert "✗ 0 digits agree" in place.locator("output").text_content()
    assert "not caught" in place.locator("output").text_content()


@pytest.mark.book
def test_pages_without_equations_load_no_check(html):
    for name in ("book/api.html", "book/index.html"):
        page = BeautifulSoup((html / name).read_text(encoding="utf-8"), "lxml")
        assert not page.find("script", src=lambda s: s and "check-here" in s)
