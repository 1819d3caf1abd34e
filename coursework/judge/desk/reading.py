"""Take the code out of a submitted notebook. This file runs in the sandbox.

What JSON holds is a student's choice, and so is how long it takes to read and how much
memory: that is spent here, under limits, before any of the code is run.
"""

import gc
import json
import struct

CELL_LIMIT = 1000
CODE_LIMIT = 1 << 20
REFUSALS = {
    "text": "the notebook is not text in UTF-8",
    "json": "the notebook is not JSON that can be read",
    "format": "the file is not a notebook of format 4",
    "cells": f"the notebook has more than {CELL_LIMIT} cells",
    "code": f"the notebook has more than {CODE_LIMIT >> 20} MB of code",
    "source": "a cell of the notebook holds no text",
}


class RefusedError(Exception):
    """A notebook that cannot be graded; says which of the `REFUSALS` is why."""


def read(data):
    """Return (header, body) for the bytes of a notebook: its code, or a refusal."""
    gc.disable()  # millions of lists would be looked through again and again
    try:
        cells = code_cells(data)
    except RefusedError as reason:
        return {"refused": str(reason)}, b""
    finally:
        gc.enable()
    return {"cells": len(cells)}, b"".join(pack(*cell) for cell in cells)


def read_answers(data, names):
    """Return (header, body) for the written answers of questions `q6`, or a refusal."""
    try:
        texts = [written_answer(cells_of(data), name.lstrip("q")) for name in names]
    except RefusedError as reason:
        return {"refused": str(reason)}, b""
    packed = (pack(n, text[:CODE_LIMIT], True) for n, text in enumerate(texts, 1))
    return {"cells": len(texts)}, b"".join(packed)


def written_answer(cells, number):
    """Return the text between a written question and whatever comes after it."""
    texts, inside = [], False
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "markdown":
            continue
        text = source_of(cell)
        if inside and text.startswith(("**Question ", "## ")):
            break
        if inside:
            texts.append(text)
        inside = inside or text.startswith(f"**Question {number}**")
    return "\n\n".join(texts)


def pack(number, source, graded):
    """Return one cell as bytes: its number, is it graded, its length, its text."""
    text = source.encode(errors="surrogatepass")
    return struct.pack(">I?I", number, graded, len(text)) + text


def code_cells(data):
    """Return [(number, source, is it graded?)] of the code cells, counted from 1."""
    found = [
        (number, source_of(cell), is_graded(cell))
        for number, cell in enumerate(cells_of(data), start=1)
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    ]
    if sum(len(source) for _, source, _ in found) > CODE_LIMIT:
        raise RefusedError("code")
    return found


def cells_of(data):
    """Return the list of the cells of a notebook, whatever they are."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RefusedError("text") from None
    except (ValueError, RecursionError, MemoryError):
        raise RefusedError("json") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise RefusedError("format")
    if len(cells) > CELL_LIMIT:
        raise RefusedError("cells")
    return cells


def is_graded(cell):
    """Tell whether a code cell is not tagged `not-graded`."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return not (isinstance(tags, list) and "not-graded" in tags)


def source_of(cell):
    """Return the text of a cell."""
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise RefusedError("source")
    return source
