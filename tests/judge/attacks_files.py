"""Attacks by what the file is, what it is called, and what its feedback shows."""

import json
import os

from judge.attack import attack, file
from judge.notebooks import STUB, honest, notebook

SHOWS = {
    "show-html": attack(
        "run a script in the instructor's browser",
        "raise ValueError('<script>alert(1)</script><img src=x onerror=alert(1)>')",
        shows="raise ValueError('&lt;script&gt;alert(1)",
    ),
    "show-escapes": attack(
        "steer the instructor's terminal",
        "# \x1b[2J\x1b]0;own\x07\x9b31m\u202e\u2028 done\nraise ValueError",
        shows="done",
    ),
    "show-opening": attack(
        "put markup into the first line of a cell",
        "'</code><script>alert(1)</script>'; raise ValueError",
        shows="&lt;script&gt;",
    ),
}


def link(target):
    """Return a function that makes a link to a file beside the folder."""
    return lambda path: path.symlink_to(path.parents[1] / target)


def pair(path):
    """Hand in two honest notebooks under names that differ in case."""
    path.write_bytes(notebook(*honest()))
    path.with_name(path.name.upper()).write_bytes(notebook(*honest()))


def pair_of_kinds(path):
    """Hand in a notebook and a script of one name."""
    path.write_bytes(notebook(*honest()))
    path.with_suffix(".py").write_bytes(b"")


def large(path):
    """Write a notebook of 100 MB that takes no space on the disk."""
    with path.open("wb") as stream:
        stream.write(notebook(*honest()))
        stream.truncate(100 << 20)


WHOLE = notebook(*honest())
LIE = json.loads(WHOLE)
FILES = {
    "file-binary": file("be no text", bytes(range(256)) * 20, "not text"),
    "file-utf16": file("be another text", WHOLE.decode().encode("utf-16"), "not text"),
    "file-latin": file("be not quite UTF-8", WHOLE + "é".encode("latin-1"), "not text"),
    "file-empty": file("be empty", b"", "not JSON"),
    "file-cut": file("end early", WHOLE[: len(WHOLE) // 2], "not JSON"),
    "file-deep": file("nest lists", b'{"cells": ' + b"[" * 200_000, "not JSON"),
    "file-digits": file(
        "hold a number without end", b'{"cells": [' + b"9" * 100_000 + b"]}", "not JSON"
    ),
    "file-scalar": file("be a number", b"3", "format 4"),
    "file-format-3": file("be of an old format", b'{"worksheets": []}', "format 4"),
    "file-lie-cells": file(
        "hold cells that are no list", json.dumps({**LIE, "cells": {"a": 1}}).encode(),
        "format 4",
    ),
    "file-lie-source": file(
        "hold source that is no text",
        json.dumps({"cells": [{"cell_type": "code", "source": {"a": 1}}]}).encode(),
        "holds no text",
    ),
    "file-lie-shapes": file(
        "hold cells of all wrong shapes",
        json.dumps(
            {
                "cells": [
                    None, 3, [], {"cell_type": []}, {"cell_type": "code", "source": ""},
                    {"cell_type": "code", "metadata": 3, "source": []},
                    {"cell_type": "code", "metadata": {"tags": 5}, "source": "1/0"},
                ]
            }
        ).encode(),
        "graded",
    ),
    "file-surrogates": file(
        "hold text that is no text",
        notebook(*STUB, "'\ud800'", "'\x00'", "x = " + "(" * 5000, "-" * 90_000 + "1"),
        "graded",
    ),
    "file-large": file("be of 100 MB", large, "larger than"),
    "file-many-cells": file(
        "have 100 000 cells", b'{"cells": [' + b"{}," * 99_999 + b"{}]}", "1000 cells"
    ),
    "file-long-code": file("have much code", notebook("#" * (2 << 20)), "of code"),
    "file-many-lists": file(
        "be a bomb of small lists",
        b'{"cells": [], "x": [' + b"[]," * 3_000_000 + b"1]}",
        "graded",
    ),
    "file-nested": file(
        "hold the interpreter of the judge with ten megabytes of nested lists",
        b'{"cells": [], "x": [' + (b"[" * 900 + b"]" * 900 + b",") * 5500 + b"1]}",
        "graded",
    ),
    "file-objects": file(
        "be a bomb of small objects",
        b'{"cells": [], "x": [' + b'{"":{}},' * 1_200_000 + b"1]}",
        "graded",
    ),
    "file-link": file("be a link to the seed", link("term.key"), "a link"),
    "file-link-up": file("be a link to a neighbour", link("neighbour.ipynb"), "a link"),
    "file-folder": file("be a folder", lambda path: path.mkdir(), "not a file"),
    "file-pipe": file("be a pipe", lambda path: os.mkfifo(path), "not a file"),
    "file-script": file("be a script", b"print(1)", "not a notebook", file="{name}.py"),
    "file-pair": file("be two files", pair, "2 files"),
    "file-pair-kinds": file("be two kinds of file", pair_of_kinds, "2 files"),
    "file-formula": file(
        "be a formula in a spreadsheet", notebook(*STUB), "graded",
        file="=HYPERLINK(A1){name}.ipynb",
    ),
    "file-minus": file(
        "be a sum in a spreadsheet", notebook(*STUB), "graded", file="-2+3{name}.ipynb"
    ),
    "file-dots": file(
        "climb out of the folder", WHOLE, "graded", 10, file="..{name}.ipynb"
    ),
    "file-escapes": file(
        "steer the terminal by a name", WHOLE, "graded", 10,
        file="\x1b[2J<b>{name}\n.ipynb",
    ),
    "file-long-name": file(
        "have a name too long for its page", WHOLE, "graded", 10,
        file="{name}" + "\U00020000" * 50 + ".ipynb",
    ),
    "file-bytes": file(
        "have a name that is no text", WHOLE, "graded", 10, file="\udcff{name}.ipynb"
    ),
}  # fmt: skip
