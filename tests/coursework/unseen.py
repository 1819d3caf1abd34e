"""Plausible wrong answers, read from `unseen/`: students' mistakes, and their names.

`unseen/hw1.txt` holds those that the checks were improved with, `second-hw1.txt` those
that showed which changes any answer may suffer, `untuned-hw1.txt` wilder ones, and
`fresh-hw1.txt` those of somebody who knew the notebooks alone (for assignment 5, those
of its author, before there was a check). For the last two nothing was ever changed:
whoever adds a name leaves them as they are. An entry has a question, what the student
did, a pattern for a message that names it, and either her code, or what she returns, or
what she changed in the right code (`base`), old -> new.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).with_name("unseen")


def unseen(hw, kind=""):
    """Return [(question, what, pattern, source)] of an assignment."""
    text = (HERE / f"{kind}{hw}.txt").read_text(encoding="utf-8")
    bases, found = {}, []
    for block in re.split(r"\n(?=base |q\d \|)", text):
        head, *body = block.rstrip().split("\n")
        if head.startswith("base "):
            bases[head.split()[1]] = dedented(body)
            continue
        question, what = head.split(" | ", 1)
        pattern, body = body[0].removeprefix("  names: "), body[1:]
        found.append((question, what, pattern, source_of(bases.get(question), body)))
    return found


def source_of(base, body):
    """Return the source of a wrong function."""
    if body[0].startswith("    "):
        return dedented(body)
    if body[0].startswith("  returns: "):
        return f"{base}\n    return {body[0].removeprefix('  returns: ')}\n"
    for line in body:
        old, new = map(json.loads, line.strip().split(" -> "))
        if old not in base:
            raise ValueError(f"there is no {old!r} in {base!r}: mend {HERE}")
        base = base.replace(old, new)
    return base


def dedented(lines):
    """Return the lines without the four spaces in front."""
    return "\n".join(line[4:] for line in lines) + "\n"
