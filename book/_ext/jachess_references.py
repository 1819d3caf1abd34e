"""References in prose are links, without a mark in the sources.

"chapter 4" leads to chapter 4, "exercise 2" to the second exercise of its page, and
takes its full number; `input_jacobian` in prose leads to its entry in the library's
page, and `jachess_lib/jacobian.py` to the file, once the repository has an address.
Chapters of other books come right after a citation, and are left alone. Nothing is
touched within titles, code, formulas and links.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

ONE = r"(?:0?[1-9]|1\d)(?![\d-])"
NUMBERS = re.compile(rf"\b[Cc]hapters? ({ONE}(?:(?:, | and |–){ONE})*)")
EXERCISE = re.compile(r"\b[Ee]xercise (\d)\b")
NAME = re.compile(r"(?:jl\.)?([A-Za-z_]\w*)(?:\(.*\))?")
PATH = re.compile(r"(?:jachess_lib|tests|coursework|benchmarks|book)/[\w/.-]*\w/?")
CLOSED = (
    nodes.title, nodes.reference, nodes.literal, nodes.math, nodes.literal_block,
    nodes.FixedTextElement, nodes.raw, addnodes.pending_xref, addnodes.desc_signature,
)  # fmt: skip


def _is_open(node):
    while node is not None:
        if isinstance(node, CLOSED):
            return False
        node = node.parent
    return True


def _to(docname, kind, target, shown, domain="std"):
    """Return a reference that Sphinx will resolve, or complain about."""
    xref = addnodes.pending_xref(
        "", refdoc=docname, refdomain=domain, reftype=kind, reftarget=target,
        refexplicit=True, refwarn=True,
    )  # fmt: skip
    xref += nodes.inline("", shown)
    return xref


class LinkReferences(SphinxTransform):
    """Turn the numbers and names of prose into links."""

    default_priority = 780

    def apply(self, **_options):
        """Go through all texts and all code within text."""
        self.linked = set()
        self.labels = [
            node["label"]
            for node in self.document.findall(nodes.Element)
            if type(node).__name__ == "exercise_enumerable_node"
        ]
        for text in list(self.document.findall(nodes.Text)):
            if _is_open(text.parent):
                self._link_numbers(text)
        for code in list(self.document.findall(nodes.literal)):
            if _is_open(code.parent):
                self._link_name(code)

    def _is_first(self, code, name):
        """Tell whether a section links a name for the first time: once is enough."""
        section = code.parent
        while section.parent is not None and not isinstance(section, nodes.section):
            section = section.parent
        first = (id(section), name) not in self.linked
        self.linked.add((id(section), name))
        return first

    def _link_numbers(self, text):
        parts, done, whole = [], 0, text.astext()
        for found in sorted(
            [*NUMBERS.finditer(whole), *EXERCISE.finditer(whole)], key=re.Match.start
        ):
            links = self._links(found, whole, text)
            if links:
                parts += [nodes.Text(whole[done : found.start()]), *links]
                done = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(whole[done:])])

    def _links(self, found, whole, text):
        if found.re is EXERCISE:
            number = int(found[1])
            if number > len(self.labels):
                return []
            link = _to(self.env.docname, "numref", self.labels[number - 1], "")
            link["refexplicit"] = False
            return [link]
        if not whole[: found.start()].strip(" ,(") and _follows_citation(text):
            return []
        return self._chapters(found)

    def _chapters(self, found):
        links, head = [], found[0][: found.start(1) - found.start()]
        for piece in re.split(r"(\d+)", found[1]):
            if not piece.isdigit():
                links.append(nodes.Text(piece))
                continue
            target = self.env.config.jachess_chapters.get(int(piece))
            if target is None:
                return []
            links.append(_to(self.env.docname, "doc", f"/{target}", head + piece))
            head = ""
        return [link for link in links if link.astext()]

    def _link_name(self, code):
        shown = code.astext()
        if match := NAME.fullmatch(shown):
            target = self.env.config.jachess_public.get(match[1])
            elsewhere = self.env.docname != "book/api"
            if target and elsewhere and self._is_first(code, target):
                self._wrap(code, _to(self.env.docname, "obj", target, "", "py"))
        elif PATH.fullmatch(shown) and (root := self.env.config.jachess_sources):
            link = nodes.reference("", "", refuri=f"{root}/{shown}", internal=False)
            self._wrap(code, link)

    def _wrap(self, code, link):
        code.replace_self(link)
        link.children = []
        link += code


def _follows_citation(text):
    siblings = text.parent.children
    before = siblings[siblings.index(text) - 1] if siblings.index(text) else None
    return isinstance(before, addnodes.pending_xref) and before["refdomain"] == "cite"


def _find_targets(app, config):
    """Note the chapters by number, the library's names, and where its sources lie."""
    import jachess_lib as jl

    config.jachess_chapters = {
        int(path.name[:2]): f"notebooks/{path.stem}"
        for path in app.srcdir.glob("notebooks/[0-9]*.ipynb")
    }
    names = {name: getattr(jl, name) for name in jl.__all__}
    config.jachess_public = {
        name: f"{getattr(value, '__module__', 'jachess_lib')}.{name}"
        for name, value in names.items()
        if callable(value)
    }
    for name in ("engine", "engine_used"):
        config.jachess_public[name] = f"jachess_lib.{name}"
    url = config.html_theme_options.get("repository_url", "")
    branch = config.html_theme_options.get("repository_branch", "") or "main"
    config.jachess_sources = f"{url}/blob/{branch}" if url else ""


def setup(app):
    """Connect: the targets first, then the transform of each page."""
    for name in ("jachess_chapters", "jachess_public", "jachess_sources"):
        app.add_config_value(name, None, "", types=(dict, str, type(None)))
    app.connect("config-inited", _find_targets)
    app.add_transform(LinkReferences)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
