"""What every page has beside its text: what it is called elsewhere, and what it weighs.

Descriptions and keywords stand in `pages.toml`. The address of the site stands once, as
`html.baseurl` of `_config.yml`, and everything that needs it takes it from there.
"""

import re
import struct
import tomllib
from html import escape
from pathlib import Path

import jachess_dark
from bs4 import BeautifulSoup

HERE = Path(__file__).parent
WIDE = 3  # columns from which on a table becomes cards on a phone
SIGNS = {
    "partial": "∂", "delta": "δ", "Delta": "Δ", "sum": "Σ", "nabla": "∇",
    "epsilon": "ε",
    "simeq": "≃", "sigma": "σ", "lambda": "λ", "top": "ᵀ", "times": "×", "cdot": "·",
    "alpha": "α", "eta": "η", "mu": "μ", "Sigma": "Σ", "le": "≤", "ge": "≥", "in": "∈",
    "tanh": "tanh", "ln": "ln", "log": "log", "pi": "π", "odot": "⊙", "pm": "±",
}  # fmt: skip


def pages():
    """Return what `pages.toml` says."""
    with (HERE / "pages.toml").open("rb") as file:
        return tomllib.load(file)


def _take_address(_app, config):
    """Let all that needs the address of the site take it from one setting."""
    config.ogp_site_url = config.html_baseurl
    config.ogp_site_name = pages()["site"]["name"]
    config.ogp_image = "_static/card.png"


def _describe(_app, page, _template, context, _doctree):
    """Give a page its own description, and icons to those who ask for them."""
    known = pages()["pages"].get(page)
    tags = context.get("metatags", "")
    if known:
        words = known["description"]
        tags += f'<meta name="description" content="{escape(words, quote=True)}" />\n'
        context["meta"] = {**(context.get("meta") or {}), "og:description": words}
    icon = context["pathto"]("_static/touch-icon.png", 1)
    tags += f'<link rel="apple-touch-icon" href="{icon}" />\n'
    context["metatags"] = tags


def _contents_in_menu(_app, _page, _template, context, _doctree):
    """Offer the template a way to put a page's contents under its name in the menu."""

    def with_contents(menu):
        soup = BeautifulSoup(str(menu), "html.parser")
        toc = BeautifulSoup(context.get("toc") or "", "html.parser")
        inner, here = (
            toc.select_one("ul ul"),
            soup.select_one("li.current > a[href='#']"),
        )
        if inner and here:
            for deeper in inner.select("ul"):
                deeper.decompose()
            inner["class"] = "jc-contents"
            here.insert_after(inner)
        return str(soup)

    context["with_contents"] = with_contents


def size_of(path):
    """Return the width and the height of a PNG."""
    return struct.unpack(">II", path.read_bytes()[16:24])


def _finish_body(app, _page, _template, context, _doctree):
    """Let pictures keep their place before they have come, and tables fit a phone."""
    if not context.get("body"):
        return
    soup = BeautifulSoup(context["body"], "html.parser")
    sources = {
        name: Path(app.srcdir, path) for path, (_, name) in app.env.images.items()
    }
    for picture in soup.select("img[src*='_images/'][src$='.png']"):
        source = sources[Path(picture["src"]).name]
        _keep_place(picture, source)
        _add_twin(soup, picture)
        app.builder.jachess_twins[Path(picture["src"]).name] = source
    for table in soup.select("table.table"):
        _label_cells(table)
    for note in soup.select("aside.margin"):
        note["class"] = "jc-note"  # the theme's script would look for its second menu
    for summary in soup.select("summary[aria-label='Toggle hidden content']"):
        del summary["aria-label"]  # who speaks to the machine says what he sees
    context["body"] = str(soup)


def _keep_place(picture, source):
    width, height = size_of(source)
    picture["width"], picture["height"] = width // 2, height // 2  # two dots for each
    picture["loading"], picture["decoding"] = "lazy", "async"
    picture["class"] = [*picture.get("class", []), "only-light"]


def _add_twin(soup, picture):
    attributes = {
        name: value for name, value in picture.attrs.items() if name != "class"
    }
    dark = soup.new_tag("img", attrs=attributes)
    dark["src"] = jachess_dark.name_of(picture["src"])
    dark["class"] = "only-dark"
    picture.insert_after(dark)


def _write_twins(app, failed):
    if failed or app.builder.name != "html":
        return
    with (HERE.parent / "_tools" / "palette.toml").open("rb") as file:
        roles = {name: row[:2] for name, row in tomllib.load(file)["roles"].items()}
    place, cache = Path(app.outdir, "_images"), Path(app.outdir).parent / "twins"
    for name, source in app.builder.jachess_twins.items():
        jachess_dark.write(source, place / jachess_dark.name_of(name), roles, cache)


def _begin(app):
    app.builder.jachess_twins = {}


def readable(tex):
    """Return a formula as one would type it, without a backslash."""
    tex = re.sub(r"\\[vm]([JM])\b", r"\1", tex)  # letters that have a colour
    tex = tex.replace(r"\{", "⟨").replace(r"\}", "⟩")
    tex = re.sub(r"\\(?:[;,!:> ]|quad|qquad)", " ", tex)
    tex = re.sub(r"\\([A-Za-z]+)", lambda m: SIGNS.get(m[1], ""), tex)
    return re.sub(r"[{}\\^&]", "", tex).replace("⟨", "{").replace("⟩", "}")


def _label(cell):
    """Return the words of a heading; nothing typesets a label, so formulas are read."""
    words = cell.get_text(" ", strip=True)
    return re.sub(r"\\\((.*?)\\\)", lambda m: readable(m[1]), words).replace(" ,", ",")


def _label_cells(table):
    """Tell each cell its column: on a phone, rows become cards that name them."""
    heads = [_label(cell) for cell in table.select("thead th")]
    if len(heads) < WIDE:
        return
    table["class"] = [*table.get("class", []), "jc-cards"]
    table["role"] = "table"  # which blocks for rows would take away
    for row in table.select("tr"):
        row["role"] = "row"
        for head, cell in zip(heads, row.select("td"), strict=False):
            cell["data-label"], cell["role"] = head, "cell"
    for cell in table.select("thead th"):
        cell["role"] = "columnheader"


def setup(app):
    """Connect: the description before opengraph, the body after all others."""
    app.connect("config-inited", _take_address)
    app.connect("html-page-context", _describe, priority=400)
    app.connect("html-page-context", _contents_in_menu)
    app.connect("html-page-context", _finish_body, priority=900)
    app.connect("builder-inited", _begin)
    app.connect("build-finished", _write_twins)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
