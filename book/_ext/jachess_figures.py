"""The directives of what answers: `{answering-figure} two-wires`, `{network-reader}`.

On a page it is an element that loads its own module once a reader comes near, and holds
a still picture until then: without JavaScript that one stays. The printed book gets the
same picture as PDF. The caption is the directive's content, the words for those who do
not see it the option `alt`. `book/_tools/figures.py` draws the stills.
"""

from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

STILLS = Path(__file__).resolve().parents[1] / "_figures"


class AnsweringStill(nodes.General, nodes.Element):
    """The element of a page; its only child is the picture of the printed book."""


class AnsweringFigure(SphinxDirective):
    """A numbered figure whose picture answers to the reader's hand."""

    required_arguments = 1
    has_content = True
    option_spec = {  # noqa: RUF012 - docutils wants a plain dictionary
        "name": directives.unchanged_required,
        "alt": directives.unchanged_required,
    }

    def run(self):
        """Return the figure, and have its stylesheet and script sent with the page."""
        name, alt = self.arguments[0], self.options["alt"]
        page, printed = STILLS / f"{name}.html", STILLS / f"{name}.pdf"
        for path in (page, printed):
            self.env.note_dependency(str(path))
        picture = nodes.image(uri=f"/book/_figures/{name}.pdf", alt=alt, width="100%")
        figure = nodes.figure("", AnsweringStill("", picture, figure=name, alt=alt))
        caption = nodes.caption()
        parsed = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        for paragraph in parsed.children:
            caption += paragraph.children
        figure += caption
        self.set_source_info(figure)
        self.add_name(figure)
        return [figure]


class NetworkReader(SphinxDirective):
    """The part of a page that takes a network; it computes nothing in print."""

    def run(self):
        """Return the element, with what it says where no script runs."""
        return [NetworkPlace()]


class NetworkPlace(nodes.General, nodes.Element):
    """Where the reader's network is taken."""


def visit_network(self, _node):
    """Write the element, and a sentence for where no script runs."""
    self.body.append(
        "<jc-network><p>Here the page takes your network. It needs JavaScript, and to "
        "be opened from a server: <code>make serve</code> is one.</p></jc-network>"
    )
    raise nodes.SkipNode


def visit_html(self, node):
    """Write the element, with its still picture inside."""
    still = (STILLS / f"{node['figure']}.html").read_text(encoding="utf-8")
    self.body.append(
        f'<jc-figure name="{escape(node["figure"])}" role="img" '
        f'aria-label="{escape(node["alt"])}">{still}</jc-figure>'
    )
    raise nodes.SkipNode


def pass_by(_self, _node):
    """Leave it to the picture inside."""


def send_what_it_needs(app, _page, _template, context, doctree):
    """Load the stylesheets and the script that a page needs, and on no other page."""
    for node, name in ((AnsweringStill, "figures"), (NetworkPlace, "your-network")):
        if doctree and any(doctree.findall(node)):
            app.add_css_file("figures/figures.css")
            app.add_js_file(f"figures/{name}.mjs", type="module")
            if name != "figures":
                app.add_css_file(f"figures/{name}.css")


def setup(app):
    """Register the directive, and what each builder makes of it."""
    printed = (pass_by, pass_by)
    for node, visit in ((AnsweringStill, visit_html), (NetworkPlace, visit_network)):
        app.add_node(
            node,
            html=(visit, None),
            latex=printed,
            text=printed,
            man=printed,
            texinfo=printed,
        )
    app.add_directive("answering-figure", AnsweringFigure)
    app.add_directive("network-reader", NetworkReader)
    app.connect("html-page-context", send_what_it_needs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
