"""The two pages that Sphinx does not write: the root of the site, and the lost page."""

from pathlib import Path

from bs4 import BeautifulSoup
from jachess_pages import pages

# Shown at any address that leads nowhere, however deep: so it loads nothing, and its
# links begin with the address of the site.
LOST = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8" /><title>Not found · {name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="robots" content="noindex" />
<link rel="icon" href="data:," />
<style>{palette}
body {{ background: var(--jc-paper); color: var(--jc-ink); margin: 12vh auto;
  max-width: 640px; padding: 0 24px; font: 18px/28px Georgia, serif; }}
a {{ color: var(--jc-link); }}
</style>
<script>
  const night = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => {{
    document.documentElement.dataset.theme = night.matches ? "dark" : "light";
  }};
  night.addEventListener("change", dress);
  dress();
</script></head>
<body><main><article>
<h1>No page here</h1>
<p>Nothing stands at this address; perhaps it did once.</p>
<p><a href="{root}">Begin at the first page</a>, or
<a href="{root}search.html">search the book</a>.</p>
</article></main></body></html>
"""


def _write_lost(app, failed):
    if failed or app.builder.name != "html":
        return
    palette = Path(app.outdir, "_static", "palette.css").read_text(encoding="utf-8")
    name, root = pages()["site"]["name"], app.config.html_baseurl
    text = LOST.format(name=name, root=root, palette=palette)
    Path(app.outdir, "404.html").write_text(text, encoding="utf-8")


def _real_root(app, failed):
    """Make the root of the site the book's first page, rather than a way to it."""
    start = Path(app.outdir, "book", "index.html")
    if failed or app.builder.name != "html" or not start.exists():
        return
    soup = BeautifulSoup(start.read_text(encoding="utf-8"), "html.parser")
    for kind in ("href", "src"):
        for tag in soup.find_all(attrs={kind: True}):
            link = tag[kind]
            if link.startswith("../"):
                tag[kind] = link[3:]
            elif link == "#" or not (":" in link or link.startswith(("#", "/"))):
                tag[kind] = "book/" + (link if link != "#" else "index.html")
    soup.html["data-content_root"] = "./"
    text = str(soup).replace('URL_ROOT = "../"', 'URL_ROOT = "./"')
    Path(app.outdir, "index.html").write_text(text, encoding="utf-8")


def setup(app):
    """Connect: after all that changes a page."""
    app.connect("build-finished", _real_root, priority=900)
    app.connect("build-finished", _write_lost, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
