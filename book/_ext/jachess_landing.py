"""The first page: a card for each chapter, and numbers that are counted.

    ```{chapters}
    03_jacobian | Which input moves the output? | $J_{ki} = …$ | `input_jacobian`
    ```

`{{ equations }}`, `{{ verdicts }}` and `{{ mistakes }}` are what the ledger counted.
"""

import json
import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective


class Chapters(SphinxDirective):
    """One line a chapter: file, question, equation, function."""

    has_content = True

    def run(self):
        """Return the grid of cards."""
        grid = nodes.container(classes=["jc-grid"])
        for number, line in enumerate(self.content):
            file, *rest = (part.strip() for part in line.split(" | "))
            grid += self._card(file, rest, number)
        return [grid]

    def _card(self, file, rest, number):
        card = nodes.container(classes=["jc-card"])
        svg = self.env.app.srcdir / f"book/_static/chapters/{file[:2]}.svg"
        card += nodes.raw("", svg.read_text(encoding="utf-8"), format="html")
        link = addnodes.pending_xref(
            "", refdoc=self.env.docname, refdomain="std", reftype="doc",
            reftarget=f"/notebooks/{file}", refexplicit=False, refwarn=True,
        )  # fmt: skip
        link += nodes.inline("", "", classes=["jc-card-title"])
        card += nodes.paragraph("", f"{int(file[:2])}. ", link, classes=["jc-label"])
        for words in rest:
            parsed, _ = self.state.inline_text(words, self.lineno + number)
            card += nodes.paragraph("", "", *parsed)
        return card


def counted(root):
    """Return what the ledger's last line says that it counted."""
    ledger = (root / "book" / "ledger.ipynb").read_text(encoding="utf-8")
    for cell in reversed(json.loads(ledger)["cells"]):
        for output in cell.get("outputs", []):
            text = "".join(output.get("text", ""))
            if found := re.match(r"(\d+) equations, (\d+) .*, (\d+) planted", text):
                names = ("equations", "verdicts", "mistakes")
                return dict(zip(names, found.groups(), strict=True))
    raise ValueError("book/ledger.ipynb: no line counts the equations")


def _count(app, config):
    config.myst_substitutions.update(counted(app.srcdir))


def setup(app):
    """Connect: the counts before any page is read."""
    app.add_directive("chapters", Chapters)
    app.connect("config-inited", _count, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
