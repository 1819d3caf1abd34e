"""What a reader may do with a chapter: run it in the browser, in Colab, or at home.

Each chapter has a line of buttons below its head. The first opens a note, without any
script, that says what would be loaded and from where; only the link in that note goes
to the page that loads it (`jachess_lite_site.py` builds that page).
"""

from html import escape

from docutils import nodes
from jachess_chapters import number_of
from jachess_lite_site import PINS
from sphinx.transforms import SphinxTransform

NOTE = """
<div class="jc-run">
<button type="button" popovertarget="jc-run-note">Run in the browser</button>
{colab}<a href="../_sources/{page}.ipynb" download>Download the notebook</a>
</div>
<div id="jc-run-note" popover role="dialog" aria-labelledby="jc-run-title">
<p id="jc-run-title">Run this chapter in the browser</p>
<p>Your browser will compute; nothing is installed, and nothing that you type leaves
your machine. It loads</p>
<ul>
<li><strong>from this site</strong>: the notebook page (JupyterLite), this chapter and
<code>jachess_lib</code>;</li>
<li><strong>from {host}</strong>, another host, which sees your address: Python
{python} (Pyodide {version}, {size} MB) and {packages}, each file checked against the
hash that this site holds.</li>
</ul>
<p>What you change is kept in this browser, and hides a newer version of the chapter
until you clear it. <a href="../book/reading.html#reading-browser">What was tested, and
what could not be</a>.</p>
<p class="jc-run"><a href="../lite/notebooks/index.html?path={file}.ipynb">Load and
run</a> <button type="button" popovertarget="jc-run-note"
popovertargetaction="hide">Not now</button></p>
</div>
"""
COLAB = '<a href="{address}">Open in Colab</a>\n'
SHOWN = {"numpy": "NumPy", "scipy": "SciPy", "matplotlib": "Matplotlib",
         "scikit-learn": "scikit-learn"}  # fmt: skip


def facts():
    """Return what the pins say, in words."""
    found = PINS["lock"]["packages"]
    names = [f"{shown} {found[name]['version']}" for name, shown in SHOWN.items()]
    return {
        "host": PINS["packages"].split("/")[2],
        "python": PINS["lock"]["info"]["python"],
        "version": PINS["version"],
        "size": round(PINS["core"]["bytes"] / 1e6),
        "packages": ", ".join(names[:-1]) + " and " + names[-1],
    }


def colab(options, page):
    """Return where Colab finds a chapter, or "" for a book without a repository."""
    repository = (options.get("repository_url") or "").rstrip("/")
    owner = repository.removeprefix("https://github.com/")
    if owner == repository:  # Colab reads from GitHub alone
        return ""
    branch = options.get("repository_branch") or "main"
    return (
        f"https://colab.research.google.com/github/{owner}/blob/{branch}/{page}.ipynb"
    )


def note(options, page):
    """Return the buttons of a chapter, and the note that the first one opens."""
    address = colab(options, page)
    return NOTE.format(
        **facts(),
        page=page,
        file=page.rpartition("/")[2],
        colab=COLAB.format(address=escape(address)) if address else "",
    )


class ButtonsOfChapter(SphinxTransform):
    """Put the buttons below what a chapter begins with."""

    default_priority = 775  # the head is gathered at 770

    def apply(self, **_options):
        """Add them to the head."""
        page = self.env.docname
        if number_of(page) is not None:
            head = next(
                n
                for n in self.document.findall(nodes.container)
                if "jc-header" in n["classes"]
            )
            html = note(self.config.html_theme_options, page)
            head += nodes.raw("", html, format="html")


def _tell(_app, config):
    """Let a page name what is loaded: `{{ lite_packages }}` and the like."""
    told = {f"lite_{name}": str(fact) for name, fact in facts().items()}
    config.myst_substitutions.update(told)


def setup(app):
    """Connect."""
    app.connect("config-inited", _tell, priority=400)
    app.add_transform(ButtonsOfChapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
