r"""The book on paper: what the LaTeX of `make pdf` needs beyond the pages.

A page has its number from its name; LaTeX counts whatever stands before it. So each
chapter is told its number, and the pages around the chapters have none.
"""

from docutils import nodes
from jachess_chapters import number_of
from sphinx import addnodes

# A bold Greek letter is a letter of mathematics; Sphinx's own type for code has no
# raised T, which stands in comments; and how deep sections are counted.
PREAMBLE = r"""
\PassOptionsToPackage{mathbf=sym}{unicode-math}
\setmonofont{DejaVuSansMono}[Extension=.ttf, UprightFont=*, ItalicFont=*-Oblique,
  BoldFont=*-Bold, BoldItalicFont=*-BoldOblique, Scale=0.8]
\newcounter{jcdepth}\setcounter{jcdepth}{\value{secnumdepth}}
"""
NUMBERED = r"\setcounter{secnumdepth}{\value{jcdepth}}\setcounter{chapter}{%d}"
UNNUMBERED = r"\setcounter{secnumdepth}{-2}"


def _set_type(_app, config):
    elements = {"papersize": "a4paper", "preamble": ""}
    elements |= config.latex_elements
    elements["preamble"] = PREAMBLE + elements["preamble"]
    config.latex_elements = elements


def _number_the_chapters(app, doctree, _docname):
    if app.builder.format != "latex":
        return
    for page in doctree.findall(addnodes.start_of_file):
        number = number_of(page["docname"])
        text = UNNUMBERED if number is None else NUMBERED % (number - 1)
        page.insert(0, nodes.raw("", text, format="latex"))


def setup(app):
    """Connect: the type last, for others write into the preamble."""
    app.connect("config-inited", _set_type, priority=900)
    app.connect("doctree-resolved", _number_the_chapters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
