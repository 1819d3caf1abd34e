r"""Formulas: each letter has one face everywhere, and three of them have a colour.

The sources write `\mathbf{J}`, which every reader of notebooks can draw. Here it
becomes a macro whose colour is that of its role in the palette, and so do the elements
`J_{ki}` and the residual `y_k - t_k`. The residual, J and M are the book in one
sentence, so they look alike wherever they stand. Greek letters, which have no upright
bold, are `\boldsymbol{\delta}`; a transpose is `^{\top}`. Tests hold the sources to it.
"""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Macros that every page may use, and those into which letters with a meaning turn.
MACROS = {
    "diag": r"\operatorname{diag}",
    "vJ": ("J", r"\mathbf{J}"),
    "vM": ("M", r"\mathbf{M}"),
    "mJ": ("J", "J"),
    "mM": ("M", "M"),
    "res": ("residual", "#1"),
}
INDEX = r"_(?:\w|\{[^{}]*\})"
ROLES = [
    (re.compile(r"\\mathbf\{J\}"), r"{\\vJ}"),
    (re.compile(r"\\mathbf\{M\}"), r"{\\vM}"),
    (re.compile(r"(?<![\\\w{])J(?=_)"), r"{\\mJ}"),
    # M_in and M_out are counts of units.
    (re.compile(r"(?<![\\\w{])M(?=_(?!\{?\\))"), r"{\\mM}"),
    (re.compile(rf"\(?y{INDEX} ?- ?t{INDEX}\)?"), r"\\res{\g<0>}"),
    (re.compile(r"\\mathbf\{y\}(_n)? ?- ?\\mathbf\{t\}(_n)?"), r"\\res{\g<0>}"),
]


def coloured(tex):
    """Return a formula in which what has a meaning has its colour."""
    for pattern, macro in ROLES:
        tex = pattern.sub(_whole(macro), tex)
    return tex


def _whole(macro):
    """Return what to put for a match: half a pair of brackets stays as it is."""

    def put(match):
        text = match[0]
        if text.count("(") != text.count(")"):
            inner = text.strip("()")
            return text.replace(inner, match.expand(macro).replace(text, inner))
        return match.expand(macro)

    return put


class ColourFormulas(SphinxPostTransform):
    """Give the letters of all formulas their colours."""

    default_priority = 500

    def run(self, **_options):
        """Rewrite each formula once, where it is drawn."""
        for kind in (nodes.math, nodes.math_block):
            for node in list(self.document.findall(kind)):
                tex = coloured(node.astext())
                node.children = []
                node += nodes.Text(tex)
                node.rawsource = tex


def _for_mathjax(value):
    if isinstance(value, str):
        return value
    role, tex = value
    macro = rf"\class{{jc-{role}}}{{{tex}}}"
    return [macro, 1] if "#1" in tex else macro


def _for_latex(name, value):
    role, tex = value if isinstance(value, tuple) else (None, value)
    body = rf"{{\color{{jc{role}}}{tex}}}" if role else tex
    arguments = "[1]" if "#1" in tex else ""
    return rf"\providecommand{{\{name}}}{arguments}{{{body}}}"


def _tell_macros(_app, config):
    tex = config.mathjax3_config.setdefault("tex", {})
    tex["macros"] = {name: _for_mathjax(value) for name, value in MACROS.items()}
    lines = [r"\usepackage{jachess-colours}"]
    lines += [_for_latex(name, value) for name, value in MACROS.items()]
    config.latex_elements["preamble"] = "\n".join(lines)


NO_SCRIPT = """<noscript><style>
.math.notranslate {font-size: 0}
.math.notranslate::after {content: "[formula: needs JavaScript]"; font-size: 1rem}
</style></noscript>"""


def _prepare_page(app, page, _template, context, _doctree):
    """Tell a page with formulas what to say if it cannot draw them."""
    if app.env.get_domain("math").has_equations(page):
        context["metatags"] = context.get("metatags", "") + NO_SCRIPT


def setup(app):
    """Connect: the macros as soon as there is a configuration."""
    app.connect("config-inited", _tell_macros)
    app.connect("html-page-context", _prepare_page)
    app.add_post_transform(ColourFormulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
