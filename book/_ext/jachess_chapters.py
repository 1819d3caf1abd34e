r"""What makes a chapter look like one, made of what its notebook says plainly.

The sources stay a notebook that any reader can open. Here the first lines become a head
(number, title, question, picture, one muted line), the list of symbols folds, the boxed
equation becomes a box that says where it is code and how it was checked, and an
exercise wears its kind.
"""

import re

from docutils import nodes
from jachess_ledger import functions
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

KINDS = {
    "On paper": "jc-paper",
    "In code": "jc-code",
    "To think about": "jc-thought",
    "To warm up": "jc-warm",
    "With chapter": "jc-joined",
}
# The role of a chapter's result: what it is about decides the colour of its box.
ROLES = {4: "M", 7: "M", 8: "J", 9: "residual", 11: "J", 13: "M", 15: "M"}
BOXED = re.compile(r"\\boxed\{\s*(?:\\;)?(.*?)(?:\\;)?\s*\}\s*$", re.DOTALL)


def number_of(docname):
    """Return the number of a chapter, or None for another page."""
    match = re.fullmatch(r"notebooks/(\d\d)_\w+", docname)
    return int(match[1]) if match else None


def _html(text):
    return nodes.raw("", text, format="html")


class HeadOfChapter(SphinxTransform):
    """Gather title, question, picture and the line of facts at the top."""

    default_priority = 770

    def apply(self, **_options):
        """Rearrange the first section of a chapter."""
        number = number_of(self.env.docname)
        if number is None:
            return
        chapter = next(self.document.findall(nodes.section))
        facts = next(chapter.findall(nodes.paragraph))
        question = next(s for s in chapter.findall(nodes.section) if s is not chapter)
        head = nodes.container(classes=["jc-header"], ids=question["ids"])
        asked = [n for n in question.children if not isinstance(n, nodes.title)]
        for paragraph in asked:
            paragraph["classes"].append("jc-question")
        facts["classes"].append("jc-meta")
        facts.insert(0, nodes.Text(self._needs_and_minutes(number)))
        facts += self._ledger(number)
        picture = (
            self.app.srcdir / f"book/_static/chapters/{number:02d}.svg"
        ).read_text(encoding="utf-8")
        chapter.replace(facts, head)
        chapter.remove(question)
        head += [
            *asked,
            _html(f'<div class="jc-picture">{picture}</div>'),
            facts,
        ]
        self._fold_what_is_needed(chapter)

    def _needs_and_minutes(self, number):
        """Say what comes before, and how long it takes, at a hundred words a minute."""
        reading = (self.app.srcdir / "book/reading.md").read_text(encoding="utf-8")
        row = rf"^\| \[{number:02d} .*\) \| (?:only )?(.*) \|$"
        needs = re.sub(r"\b0", "", re.search(row, reading, re.MULTILINE)[1])
        if needs[0].isdigit():
            needs = f"chapter{'s' * (',' in needs)} {needs}"
        sections = (s for s in self.document.findall(nodes.section) if s[1:])
        texts = (s for s in sections if s[0].astext() != "Exercises")
        words = sum(
            len(child.astext().split())
            for section in texts
            for child in section
            if isinstance(child, nodes.paragraph)
        )
        return f"Needs {needs} · {5 * round(words / 500)} minutes · "

    def _ledger(self, number):
        link = addnodes.pending_xref(
            "", refdoc=self.env.docname, refdomain="std", reftype="doc",
            reftarget="/book/ledger", refexplicit=True, refwarn=True,
        )  # fmt: skip
        link += nodes.inline("", "ledger of checks")
        return [nodes.Text(" · "), link]

    def _fold_what_is_needed(self, chapter):
        """Fold the table of symbols; its section keeps its place and its anchor."""
        for section in chapter.findall(nodes.section):
            if section[0].astext() != "What you need":
                continue
            table = next(section.findall(nodes.table), None)
            if table is not None:
                fold = '<details class="jc-fold"><summary>Symbols and shapes</summary>'
                at = section.index(table)
                section[at : at + 1] = [_html(fold), table, _html("</details>")]


class BoxOfResult(SphinxTransform):
    """Put the boxed equation into a box, and below it where it is code and proved."""

    default_priority = 771

    def apply(self, **_options):
        """Find the one boxed equation of a chapter."""
        number = number_of(self.env.docname)
        for equation in list(self.document.findall(nodes.math_block)):
            found = BOXED.search(equation.astext())
            if number is None or not found or not equation.get("label"):
                continue
            role = ROLES.get(number, "J")
            box = nodes.container(classes=["jc-result", f"jc-of-{role}"])
            equation["boxed"] = found[1]
            target = equation.parent[equation.parent.index(equation) - 1]
            equation.replace_self(box)
            box["ids"], box["names"] = [], []  # those of the equation stay with it
            if isinstance(target, nodes.target):
                target.parent.remove(target)
                box += target
            box += [equation, self._proof(equation["label"])]

    def _proof(self, label):
        line = nodes.paragraph(classes=["jc-proof"])
        if name := self.env.config.jachess_tagged.get(label):
            line += [nodes.Text("code: "), nodes.literal("", name), nodes.Text(" · ")]
        ledger = addnodes.pending_xref(
            "", refdoc=self.env.docname, refdomain="std", reftype="ref",
            reftarget=f"check-{label}", refexplicit=True, refwarn=True,
        )  # fmt: skip
        ledger += nodes.inline("", "checked five ways")
        line += ledger
        return line


class KindOfExercise(SphinxTransform):
    """Let an exercise wear its kind, which its first words say."""

    default_priority = 772

    def apply(self, **_options):
        """Read the first emphasised words of each exercise."""
        for node in self.document.findall(nodes.Element):
            if type(node).__name__ == "exercise_enumerable_node":
                first = next(node.findall(nodes.emphasis), None)
                words = re.sub(r"( \d+)?\.$", "", first.astext()) if first else ""
                kind = KINDS.get(words)
                if kind:
                    node["classes"].append(kind)


class AnchorsOfLedger(SphinxTransform):
    """Give each row of the ledger an anchor: the equation leads to its verdicts."""

    default_priority = 773

    def apply(self, **_options):
        """Name the rows, and tell the domain of references about them."""
        if self.env.docname != "book/ledger":
            return
        domain = self.env.get_domain("std")
        for row in self.document.findall(nodes.row):
            found = re.match(r"eq-[\w-]+", row.astext())
            if found:
                name = f"check-{found[0]}"
                row["ids"].append(name)
                domain.note_hyperlink_target(name, self.env.docname, name, found[0])


def _draw_box_as_box(app, doctree, _docname):
    """On a page the box is drawn around the equation; on paper it is the formula's."""
    if app.builder.format == "html":
        for equation in doctree.findall(nodes.math_block):
            if "boxed" in equation:
                tex = BOXED.sub(lambda m: m[1], equation.astext())
                equation.children = [nodes.Text(tex)]


def _find_tags(_app, config):
    """Note which public function holds the line of each tagged equation."""
    config.jachess_tagged = {label: name for label, (_, name) in functions().items()}


def setup(app):
    """Connect."""
    app.add_config_value("jachess_tagged", None, "", types=(dict, type(None)))
    app.connect("config-inited", _find_tags)
    for transform in (HeadOfChapter, BoxOfResult, KindOfExercise, AnchorsOfLedger):
        app.add_transform(transform)
    app.connect("doctree-resolved", _draw_box_as_box)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
