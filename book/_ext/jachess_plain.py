r"""Typeset formulas that are written as plain text: `J_ki = Σ_j w_ji ∂y_k/∂a_j`.

Docstrings and the strings of the ledger are read in an editor, where TeX would be a
burden. On a page they become formulas. Words stay words.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

SIGNS = {
    "Σ": r"\sum ", "∂": r"\partial ", "∇": r"\nabla ", "δ": r"\delta ", "Δ": r"\Delta ",
    "ε": r"\epsilon ", "σ": r"\sigma ", "λ": r"\lambda ", "ᵀ": r"^{\top}", "²": "^2",
    "′": "'", "″": "''", "≃": r"\simeq ", "−": "-", "∗": "_*", "·": r"\cdot ",
    "½": r"\tfrac12 ", "⟨": r"\{", "⟩": r"\}", "cov": r"\operatorname{cov}",
    "Im ": r"\operatorname{Im}",
}  # fmt: skip
BELOW = str.maketrans("₀₁₂₊₋", "012+-")
BOLD = re.compile(r"(?<![\\\w{])(?:s?J(?=ᵀ|d\b)|[HJM](?![\w\[(_])|H(?=v\b)|JMJ)")
# A word is a word, unless it is one of these; then all else may be a formula.
WORD = re.compile(r"[(\"]?[A-Za-z]?[a-z]+(?:['’][a-z]+)?[,.:;)\"]*")
NO_WORD = re.compile(r"Hv|sd|sJd|rv|Im")
PLAIN = re.compile(r"[A-Za-z∂δΣ]_\w|[∂Σδ∇≃ᵀ]")


def tex(plain):
    """Return a formula in plain text as TeX."""
    plain = plain.replace("{", "⟨").replace("}", "⟩")
    plain = re.sub(r"\|([^|]+)\|", r"\\lvert \1\\rvert ", plain)
    plain = re.sub(r"\^([−-]?\w)", r"^{\1}", plain)
    plain = BOLD.sub(lambda m: re.sub("([HJM])", r"\\mathbf{\1}", m[0]), plain)
    plain = plain.replace("ᵀMJ", r"ᵀ\mathbf{M}\mathbf{J}")
    plain = re.sub(r"\}v\b", r"}\\mathbf{v}", plain)
    plain = re.sub(r"_([A-Za-z0-9′]+)", _index, plain)
    plain = re.sub(r"[₀₁₂₊₋]+", lambda m: f"_{{{m[0].translate(BELOW)}}}", plain)
    for sign, command in SIGNS.items():
        plain = plain.replace(sign, command)
    return plain


def _index(match):
    letters = match[1]
    return rf"_\text{{{letters}}}" if letters in ("in", "out") else f"_{{{letters}}}"


def _is_formula(word, started, strict):
    bare = word.rstrip(",.:;")
    if strict:  # prose, in which a number or a shape is no formula by itself
        return bool(PLAIN.search(bare)) or (
            started and bare in ("=", "+", "−", "≃", "R")
        )
    inside = word.strip("()[].,:;")
    if WORD.fullmatch(word) and len(inside) > 1 and not NO_WORD.fullmatch(inside):
        return False
    return bare not in ("a", "I") or started


def typeset(plain, *, strict=False):
    """Return the nodes of a line: words as they are, formulas as formulas."""
    parts, formula = [], []

    def close():
        if formula:
            text = " ".join(formula)
            rest = re.search(r"[,.:;]*$", text)[0]
            parts.append(nodes.math("", tex(text.removesuffix(rest))))
            parts.append(nodes.Text(f"{rest} "))
            formula.clear()

    for word in plain.split():
        if _is_formula(word, bool(formula), strict):
            formula.append(word)
            if word[-1] in ",.:;":
                close()
        else:
            close()
            parts.append(nodes.Text(f"{word} "))
    close()
    return parts


class TypesetPlain(SphinxTransform):
    """Typeset the statements of the ledger, and the tables of the library's page."""

    default_priority = 774

    def apply(self, **_options):
        """Choose by page: elsewhere formulas are written as formulas."""
        if self.env.docname == "book/ledger":
            cells = (row[0] for row in self.document.findall(nodes.row))
        elif self.env.docname == "book/api":
            cells = self.document.findall(nodes.paragraph)
        else:
            return
        for cell in list(cells):
            for text in list(cell.findall(nodes.Text)):
                free = not isinstance(text.parent, nodes.literal | nodes.reference)
                shown = text.astext()
                if free and PLAIN.search(shown):
                    lead = " " if shown[:1].isspace() else ""
                    new = typeset(shown, strict=self.env.docname == "book/api")
                    if new and not shown[-1:].isspace():
                        new[-1] = nodes.Text(new[-1].astext().rstrip())
                    text.parent.replace(text, [nodes.Text(lead), *new])
        if next(self.document.findall(nodes.math), None):
            domain = self.env.get_domain("math")
            domain.data["has_equations"][self.env.docname] = True


def setup(app):
    """Connect."""
    app.add_transform(TypesetPlain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
