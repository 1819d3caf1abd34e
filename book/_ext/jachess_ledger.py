"""Write ledger.json beside the ledger: its rows once more, for machines.

The rows are those that the ledger's notebook stores. The function of an equation is the
one of the library in which its tag stands, one line above the code that is it.
"""

import ast
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from jachess_checks import checked_in_the_page

ROOT = Path(__file__).resolve().parents[2]
PAGE = "book/ledger"
WITNESSES = ("symbolic", "differences", "complex step", "autodiff")
ROW = re.compile(r"^\| \[(eq-[\w-]+)\]\(#\1\) (.+)\|$", re.MULTILINE)


def rows():
    """Return (label, statement, verdicts) of each row, in the ledger's order."""
    cells = json.loads((ROOT / f"{PAGE}.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        for output in cell.get("outputs", []):
            table = "".join(output.get("data", {}).get("text/markdown", ""))
            for label, rest in ROW.findall(table):
                # a statement may hold bars of its own: the verdicts are the last six
                *statement, a, b, c, d, proved, mistake = rest.split("|")
                verdicts = [text.strip() for text in (a, b, c, d, proved, mistake)]
                yield label, "|".join(statement).replace("\\", "").strip(), verdicts


def functions():
    """Return {label: (module, function)} for each tag of the library."""
    found = {}
    for path in sorted((ROOT / "jachess_lib").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        places = [n for n in ast.walk(ast.parse(text)) if hasattr(n, "end_lineno")]
        defined = [n for n in places if isinstance(n, ast.FunctionDef)]
        for number, line in enumerate(text.splitlines(), 1):
            if match := re.match(r"\s*# (eq-[\w-]+): ", line):
                holders = [n for n in defined if n.lineno <= number <= n.end_lineno]
                outermost = min(holders, key=lambda n: n.lineno)
                found[match[1]] = (f"jachess_lib.{path.stem}", outermost.name)
    return found


def chapters():
    """Return {label: chapter} for each labelled equation of the chapters."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        for label in re.findall(r"\$\$ \((eq-[\w-]+)\)", text):
            found[label] = path.stem
    return found


def ledger():
    """Return the ledger as what JSON can hold."""
    tagged, home, here = functions(), chapters(), checked_in_the_page()
    equations = []
    for label, statement, (*verdicts, proved, mistake) in rows():
        module, function = tagged.get(label, (None, None))
        equations.append(
            {
                "label": label,
                "statement": statement,
                "chapter": home[label],
                "address": f"notebooks/{home[label]}.html#equation-{label}",
                "module": module,
                "function": function,
                "test": f"tests/test_{home[label][3:]}.py",
                "witnesses": {
                    name: {"agrees": verdict.startswith("✓"), "verdict": verdict}
                    for name, verdict in zip(WITNESSES, verdicts, strict=True)
                },
                "proved_digits": int(proved) if proved.isdigit() else None,
                "planted_mistake_caught": mistake == "caught",
                "checked_in_the_page": label in here,
            }
        )
    return {"equations": equations, "count": len(equations)}


def write(app, failure):
    """Write the file when the pages are written."""
    if failure is None and app.builder.format == "html":
        text = json.dumps(ledger(), ensure_ascii=False, indent=1)
        path = Path(app.outdir) / f"{PAGE}.json"
        path.write_text(text + "\n", encoding="utf-8")


def name_it(_app, page, _template, context, _doctree):
    """Let the ledger's page name the file, where machines look for it."""
    if page == PAGE:
        link = '<link rel="alternate" type="application/json" href="ledger.json" />'
        context["metatags"] = context.get("metatags", "") + link


def setup(app):
    """Connect."""
    app.connect("build-finished", write)
    app.connect("html-page-context", name_it)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
