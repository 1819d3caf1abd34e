"""No page fails axe, the usual judge of accessibility, in light or in dark.

Minor findings pass: a table may leave its corner cell empty.
"""

from importlib.resources import files

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.book]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
FINDINGS = """async () => (await axe.run(document, {resultTypes: ['violations']}))
  .violations.filter(v => v.impact !== 'minor')
  .map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 99))])"""


@pytest.mark.parametrize("view", ["light", "dark"])
def test_axe_finds_nothing(visit, page_name, view):
    page = visit(page_name, view)
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS) == []
