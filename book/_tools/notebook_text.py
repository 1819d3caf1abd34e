"""Print a notebook as text, one cell after the other: what `git diff` compares.

Of a picture it prints the size alone: that it has changed is worth one line.
"""

import json
import sys
from pathlib import Path


def outputs(cell):
    """Yield the lines that a cell printed or showed."""
    for output in cell.get("outputs", []):
        data = {"text/plain": output.get("text", ""), **output.get("data", {})}
        for kind, value in data.items():
            text = "".join(value) if isinstance(value, list | str) else str(value)
            if kind.startswith("image/") or len(text) > 20_000:
                text = f"({kind}, {len(text)} letters)"
            yield from (f"> {line}" for line in text.splitlines())


def text(notebook):
    """Return all cells of a notebook as text."""
    lines = []
    for cell in notebook["cells"]:
        tags = " ".join(cell["metadata"].get("tags", []))
        lines += ["", f"--- {cell['cell_type']} {tags}".rstrip(), ""]
        lines += "".join(cell["source"]).splitlines()
        lines += outputs(cell)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    notebook = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text(notebook))
