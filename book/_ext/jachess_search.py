"""The search of the book: sections as well as pages, offline, and without a server.

Each page leaves its sections here while it is written. At the end they become one
script, which the search page alone loads: a script, because a page that is opened as a
file may load nothing else. MiniSearch, shipped beside it, ranks them in the browser.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from jachess_pages import pages, readable

SKIPPED = (nodes.title, nodes.raw, nodes.section, nodes.math_block, nodes.literal_block)


def _text_of(section):
    """Return the prose of a section, without its titles, code and deeper sections."""
    parts = []

    def walk(node):
        for child in node.children:
            if isinstance(child, nodes.math):
                parts.append(readable(child.astext()))
            elif isinstance(child, nodes.Text):
                parts.append(child.astext())
            elif not isinstance(child, SKIPPED):
                walk(child)
                if not isinstance(child, nodes.Inline):
                    parts.append(" ")

    walk(section)
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _sections(doctree):
    for section in doctree.findall(nodes.section):
        title = next(iter(section.findall(nodes.title)), None)
        if title is not None and section["ids"]:
            words = re.sub(r"\\\w+|[{}]", "", title.astext())
            yield [section["ids"][0], words, _text_of(section)]


def _collect(app, page, _template, context, doctree):
    """Note what a page can be found by."""
    if doctree is not None and app.builder.name == "html":
        known = pages()["pages"].get(page, {})
        app.builder.jachess_found[page] = {
            "url": app.builder.get_target_uri(page),
            "title": re.sub(r"<[^>]*>", "", context["title"]),
            "keywords": known.get("keywords", ""),
            "about": known.get("description", ""),
            "chapter": page.startswith("notebooks/"),
            "sections": list(_sections(doctree)),
        }


def _write(app, failed):
    """Write all that was found as one script."""
    if failed or app.builder.name != "html":
        return
    found = [
        app.builder.jachess_found[page] for page in sorted(app.builder.jachess_found)
    ]
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    place = Path(app.outdir, "_static", "search-data.js")
    place.write_text(f"window.jachessPages={text};\n", encoding="utf-8")


def _begin(app):
    app.builder.jachess_found = {}


def setup(app):
    """Connect. What is collected lives in this process: pages are written by one."""
    app.connect("builder-inited", _begin)
    app.connect("html-page-context", _collect, priority=300)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
