"""What a page loads: less, and in fewer pieces.

The theme and each extension bring files of their own. Here the style sheets become one,
the scripts that nobody calls go (another search, tabs on pages without tabs, a megabyte
of icons of which the theme shows ten, and has them as a font too), and the faces of the
text are asked for before the style sheets have told of them.
"""

import re
from pathlib import Path

SHEET = re.compile(
    r'\s*<link rel="stylesheet" type="text/css" href="[./]*_static/([^"]+)" />'
)
UNUSED = ("fontawesome.js", "searchtools.js", "language_data.js", "searchindex.js")
SCRIPT = re.compile(r'\s*<script[^>]*src="([^"]+)"[^>]*></script>')
FACES = (
    "stix-two-text-latin-400-normal",
    "source-sans-3-latin-600-normal",
    "source-sans-3-latin-400-normal",
)
ALL = "all.css"
# Scripts that stand one after the other on every page.
JOINED = (
    "documentation_options.js", "doctools.js", "sphinx_highlight.js",
    "clipboard.min.js", "copybutton.js",
)  # fmt: skip
# MathJax comes in components, which it would fetch one after the other.
COMPONENTS = (
    "startup", "core", "input/tex", "input/tex/extensions/html",
    "input/tex/extensions/boldsymbol", "output/svg", "stix2/svg", "a11y/assistive-mml",
)  # fmt: skip
LOADED = (
    "loader", "startup", "core", "input/tex", "[tex]/html", "[tex]/boldsymbol",
    "output/svg", "[mathjax-stix2]/svg", "a11y/assistive-mml",
)  # fmt: skip


def _sheets_of(text, static, order):
    """Note the style sheets of a page, and put one for all in their place."""
    names = [name.partition("?")[0] for name in SHEET.findall(text)]
    order += [name for name in names if name not in order and (static / name).exists()]
    first = SHEET.search(text)
    if not first:
        return text
    prefix = re.search(r'href="([./]*)_static', first[0])[1]
    one = f'\n<link rel="stylesheet" type="text/css" href="{prefix}_static/{ALL}" />'
    faces = "".join(
        f'\n<link rel="preload" as="font" type="font/woff2" crossorigin="anonymous" '
        f'href="{prefix}_static/fonts/{face}.woff2" />'
        for face in FACES
    )
    place = first.start()
    rest = SHEET.sub("", text[place:])
    return text[:place] + faces + one + rest


def _without_unused(text):
    tabs = "sd-tab-set" in text

    def keep(match):
        name = match[1].partition("?")[0].rpartition("/")[2]
        gone = name in UNUSED or (name == "design-tabs.js" and not tabs)
        return "" if gone else match[0]

    return SCRIPT.sub(keep, text)


def _with_one_script(text):
    """Put one script in the place of the first of those that are joined."""
    places = [
        match
        for match in SCRIPT.finditer(text)
        if match[1].partition("?")[0].rpartition("/")[2] in JOINED
    ]
    if not places:
        return text
    prefix = places[0][1].partition("_static")[0]
    start = places[0].start()
    for match in reversed(places):
        text = text[: match.start()] + text[match.end() :]
    one = f'\n<script src="{prefix}_static/all.js"></script>'
    return text[:start] + one + text[start:]


def _join_sheets(static, order):
    parts = []
    for name in order:
        text = (static / name).read_text(encoding="utf-8")
        folder = name.rpartition("/")[0]
        if folder:  # addresses in it are told from where it lies
            text = re.sub(
                r"url\((['\"]?)(?!data:|https?:|/|#)", rf"url(\1{folder}/", text
            )
        text = re.sub(r'@import (?:url\()?"?([\w.-]+\.css)"?\)?;', "", text)
        parts.append(text)
    (static / ALL).write_text("\n".join(parts), encoding="utf-8")


def join_mathjax(place):
    """Join the components of MathJax that every formula needs into one script."""
    texts = [(place / f"{name}.js").read_text(encoding="utf-8") for name in COMPONENTS]
    names = ", ".join(f'"{name}"' for name in LOADED)
    texts.append(f"MathJax.loader.preLoaded({names});")
    (place / "mathjax.js").write_text("\n;".join(texts), encoding="utf-8")


def _lighten(app, failed):
    if failed or app.builder.name != "html":
        return
    static, order = Path(app.outdir, "_static"), ["basic.css"]
    for page in sorted(Path(app.outdir).rglob("*.html")):
        if "_static" in page.parts:
            continue
        text = page.read_text(encoding="utf-8")
        text = _with_one_script(_without_unused(_sheets_of(text, static, order)))
        page.write_text(text, encoding="utf-8")
    _join_sheets(static, order)
    texts = [(static / name).read_text(encoding="utf-8") for name in JOINED]
    (static / "all.js").write_text("\n;".join(texts), encoding="utf-8")
    join_mathjax(static / "mathjax")


def setup(app):
    """Connect: before the root is made from the first page."""
    app.connect("build-finished", _lighten, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
