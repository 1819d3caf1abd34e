"""What a symbol stands for, shown when a reader points at it.

The table of the page *Notation* is the law, and is read here: a formula within a line
that is one symbol of the table, with the index of the pattern or without, gets a class,
and its page holds the meaning and the shape. Nothing is shown of a symbol that a
chapter does not list at its head, or lists with a meaning of its own ("here"), nor
where a letter has its second use, which the page lists with its chapters.
"""

import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

NOTATION = Path(__file__).parents[1] / "notation.md"
FORMULA = re.compile(r"\$([^$]+)\$")
CHAPTERS = re.compile(r"chapters? ((?:\d+(?:, | and )?)+)")
LETTER = re.compile(r"(?:\\(?:mathbf|boldsymbol|mathcal)\{)?(\\\w+|\w)")
MARK = re.compile(r"jc-symbol-(\d+)")
PATTERN_INDEX = re.compile(r"_\{n([^{}]+)\}$")


def _rows(heading):
    """Return the cells of the rows of the table below a heading."""
    text = NOTATION.read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def letter(tex):
    r"""Return the letter of a symbol: `H` for `\mathbf{H}_n`, `\alpha` for itself."""
    return LETTER.match(tex)[1]


def second_uses():
    """Return {letter: chapters in which it has another use}."""
    found = {}
    for letters, _, there in _rows("Letters with a second use"):
        numbers = re.findall(r"\d+", " ".join(CHAPTERS.findall(there)))
        for tex in FORMULA.findall(letters):
            found.setdefault(letter(tex), set()).update(map(int, numbers))
    return found


def symbols():
    """Return {TeX: (meaning, shape)} of the table, each also without its pattern."""
    found = {}
    for names, meaning, _, shape in _rows("The table"):
        names = FORMULA.findall(names)
        shapes = map(_shape, _shared(shape, names))
        own = zip(_shared(meaning, names), shapes, strict=True)
        for name, said in zip(names, own, strict=True):
            name = name.partition(" = ")[0]
            found[name] = said
            found.setdefault(PATTERN_INDEX.sub(_without, name), said)
    return found


def _shared(text, names):
    """Return what a cell says of each name of its row: a part each, or the whole."""
    for mark in ("`, `", "; ", ", and ", ", "):
        parts = text.split(mark)
        if len(parts) == len(names):
            return [_plain(part) for part in parts]
    return [_plain(text)] * len(names)


def _shape(text):
    return "a number" if text == "()" else re.sub(r"^\(", "shape (", text)


def _plain(text):
    return FORMULA.sub(r"\\(\1\\)", text).replace("`", "")


def _without(match):
    rest = match[1]
    return f"_{rest}" if len(rest) == 1 else f"_{{{rest}}}"


SYMBOLS = symbols()
ORDER = list(SYMBOLS)
SECOND = second_uses()


def place_of(tex, docname):
    """Return where in `ORDER` the symbol is that a formula is, or None."""
    chapter = re.match(r"notebooks/(\d+)_", docname)
    if tex not in SYMBOLS or not chapter:
        return None
    return None if int(chapter[1]) in SECOND.get(letter(tex), ()) else ORDER.index(tex)


def listed(document):
    """Return the symbols in the first column of a chapter's first table."""
    table = next(iter(document.findall(nodes.table)), None)
    found = set()
    for row in table.findall(nodes.row) if table else ():
        if not re.search(r"\bhere\b", row.astext()):
            for formula in row[0].findall(nodes.math):
                name = formula.astext().partition(" = ")[0].strip()
                found |= {name, PATTERN_INDEX.sub(_without, name)}
    return found


class MarkSymbols(SphinxPostTransform):
    """Give formulas that are one symbol a class, before they are coloured."""

    default_priority = 400

    def run(self, **_options):
        """Mark those within lines."""
        known = listed(self.document)
        for node in self.document.findall(nodes.math):
            tex = node.astext().strip()
            place = place_of(tex, self.env.docname)
            if place is not None and tex in known:
                node["classes"] += ["jc-symbol", f"jc-symbol-{place}"]


def _tell(app, page, _template, context, doctree):
    """Give a page the meanings of the symbols that stand on it."""
    marks = (
        [c for node in doctree.findall(nodes.math) for c in node["classes"]]
        if (doctree and app.builder.name == "html")
        else []
    )
    places = sorted({int(m[1]) for c in marks if (m := MARK.fullmatch(c))})
    if places:
        told = {n: [rf"\({ORDER[n]}\)", *SYMBOLS[ORDER[n]]] for n in places}
        script = f"<script>globalThis.jachessSymbols = {json.dumps(told)};</script>"
        context["metatags"] = context.get("metatags", "") + script


def setup(app):
    """Connect: the marks, and what they mean."""
    app.add_post_transform(MarkSymbols)
    app.connect("html-page-context", _tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
