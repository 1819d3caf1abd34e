"""Firefox opens every page without an error, and draws all formulas."""

import os
import shutil

import pytest
from browser.firefox import Firefox

pytestmark = [pytest.mark.browser, pytest.mark.book]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    """Start the browser once; skip without one, but never under CI."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        missing = "no Firefox: 'apt install firefox-esr'"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    browser = Firefox(found, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def test_firefox_opens_a_page(firefox, site, page_name):
    formulas, drawn = firefox.formulas(site + page_name)
    assert drawn == formulas
    assert firefox.errors(site + page_name) == []


def test_firefox_tells_of_an_error(firefox, site, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text("<title>t</title><script>nothing.here()</script>", encoding="utf-8")
    firefox.formulas(page.as_uri())
    assert len(firefox.errors(page.as_uri())) == 1
