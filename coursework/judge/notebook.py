"""Read a submitted notebook: bounded, and believing nothing of it."""

import json
import os
import stat

SIZE_LIMIT = 10 << 20
CELL_LIMIT = 1000
CODE_LIMIT = 1 << 20


class RefusedError(Exception):
    """A submission that cannot be graded, with the reason in words."""


def read(path):
    """Return the bytes of a submission, which is a file and not too large."""
    try:
        # A pipe in place of a file must not hold us up, nor a link lead us elsewhere.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RefusedError(f"the file cannot be read ({error.strerror})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("this is not a file")
        if status.st_size > SIZE_LIMIT:
            raise RefusedError(f"the notebook is larger than {SIZE_LIMIT >> 20} MB")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(SIZE_LIMIT)
    finally:
        os.close(descriptor)


def code_cells(data):
    """Return [(number, source)] of the code cells that are graded, counted from 1."""
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RefusedError("the notebook is not text in UTF-8") from None
    except (ValueError, RecursionError, MemoryError):
        raise RefusedError("the notebook is not JSON that can be read") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise RefusedError("the file is not a notebook of format 4")
    if len(cells) > CELL_LIMIT:
        raise RefusedError(f"the notebook has more than {CELL_LIMIT} cells")
    found = [(n, _source(c)) for n, c in enumerate(cells, start=1) if _is_graded(c)]
    if sum(len(source) for _, source in found) > CODE_LIMIT:
        raise RefusedError(f"the notebook has more than {CODE_LIMIT >> 20} MB of code")
    return found


def _is_graded(cell):
    """Tell whether a cell is code and is not tagged `not-graded`."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return False
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return not (isinstance(tags, list) and "not-graded" in tags)


def _source(cell):
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise RefusedError("a code cell of the notebook holds no text")
    return source
