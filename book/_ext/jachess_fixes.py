"""What Sphinx and the theme leave to mend, each in one small function."""


def _drop_thebe(app, _config):
    """Take sphinx-thebe out: it is unused, doubles its script and names a CDN."""
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            x
            for x in listeners
            if not getattr(x.handler, "__module__", "").startswith("sphinx_thebe")
        ]
    # Its setup() has already registered a stylesheet.
    app.registry.css_files = [c for c in app.registry.css_files if "thebe" not in c[0]]


def _draw_tables(_app, _what, _name, _obj, _options, lines):
    """Turn the notation table of a module's docstring into one that Sphinx draws.

    Docstrings hold it as people read it, `| symbol | code | shape |`, and Sphinx
    would take that for a poem.
    """
    out, table = [], []
    for line in [*lines, ""]:
        if line.startswith("| ") and line.endswith(" |"):
            table.append([cell.strip() for cell in line[1:-1].split(" | ")])
            continue
        if table:
            out += [".. list-table::", "   :header-rows: 1", ""]
            for row in table:
                if set("".join(row)) != {"-"}:
                    out += [
                        ("     - ", "   * - ")[i == 0] + c for i, c in enumerate(row)
                    ]
            out.append("")
            table = []
        out.append(line)
    lines[:] = out


def _escape_bars(_app, _what, _name, _obj, _options, lines):
    """Keep |x| an absolute value: Sphinx would look for a substitution named x."""
    for n, line in enumerate(lines):
        if "|" in line and not line.lstrip().startswith((">>>", "...", "|")):
            parts = line.split("`")  # every second one is code
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            lines[n] = "`".join(parts)


def _free_the_citations(_app, _page, _template, context, _doctree):
    """Drop roles that docutils gives a bibliography: no screen reader can use them."""
    if "citation-list" in context.get("body", ""):
        for role in (' role="list"', ' role="doc-biblioentry"'):
            context["body"] = context["body"].replace(role, "")


def setup(app):
    """Connect early, before any listener of sphinx-thebe runs."""
    app.connect("config-inited", _drop_thebe, priority=1)
    # After napoleon, which reads the sections first.
    app.connect("autodoc-process-docstring", _draw_tables, priority=900)
    app.connect("autodoc-process-docstring", _escape_bars, priority=901)
    app.connect("html-page-context", _free_the_citations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
