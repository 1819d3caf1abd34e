"""Leave room under each equation that can be checked in the page.

Which ones can is written once, in the keys of the JavaScript checks. A script then puts
the button there, so that a page without scripts has none.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

FIGURES = Path(__file__).resolve().parents[1] / "_static" / "figures"
KEY = re.compile(r'^  "(eq-[\w-]+)": \[', re.MULTILINE)


def checked_in_the_page():
    """Return the labels of the equations that have a check in JavaScript."""
    texts = (path.read_text(encoding="utf-8") for path in FIGURES.glob("checks-*.mjs"))
    return {label for text in texts for label in KEY.findall(text)}


class LeaveRoom(SphinxPostTransform):
    """Put an empty line, with the equation's label, under what can be checked."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_kwargs):
        """Change the page that is about to be written."""
        labels = checked_in_the_page()
        for block in list(self.document.findall(nodes.math_block)):
            label = block.get("label")
            if label in labels:
                line = f'<div class="jc-check" data-equation="{label}"></div>'
                block.parent.insert(
                    block.parent.index(block) + 1, nodes.raw("", line, format="html")
                )


def send_script(app, _page, _template, context, _doctree):
    """Load the script on pages that have such an equation."""
    if 'class="jc-check"' in context.get("body", ""):
        app.add_css_file("figures/check-here.css")
        app.add_js_file("figures/check-here.mjs", type="module")


def setup(app):
    """Connect."""
    app.add_post_transform(LeaveRoom)
    app.connect("html-page-context", send_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
